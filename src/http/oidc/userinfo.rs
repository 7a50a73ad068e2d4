//! The userinfo endpoint (OpenID Connect Core §5.3): `GET` and `POST …/protocol/openid-connect/userinfo`.

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};

use crate::http::bearer::{self, BearerError, Live, Presented};
use crate::http::context::RealmContext;
use crate::http::cors;
use crate::http::dpop;
use crate::http::params::Form;
use crate::http::tokens;

/// Tells about the user whose access token it is given.
pub async fn userinfo(context: RealmContext, request: Request) -> Response {
    let headers = request.headers().clone();
    let answer = async {
        let token = presented(request).await?;
        let live = bearer::admit(&context, &headers, token).await?;
        let body = claims(&context, &live)?;
        Ok::<_, BearerError>((live.client_id.clone(), body))
    };
    let (client_id, response) = match answer.await {
        Ok((client_id, body)) => (Some(client_id), body),
        Err(error) => (error.client_id.clone(), error.into_response()),
    };
    let response = dpop::with_nonce(&context, &headers, response);
    cors::allow(&context, &headers, client_id.as_deref(), response).await
}

/// The token of the `Authorization` header, or of a form (RFC 6750 §2.1 and §2.2); never of the query.
async fn presented(request: Request) -> Result<Presented, BearerError> {
    let in_query =
        request.uri().query().is_some_and(|query| query.split('&').any(|p| p.starts_with("access_token=")));
    if in_query {
        return Err(BearerError::bad_request("An access token does not belong in an address"));
    }
    let header = bearer::from_header(request.headers())?;
    let form = if has_form(request.method(), request.headers()) {
        let Ok(Form(form)) = Form::from_request(request, &()).await;
        let form = form.map_err(|_| BearerError::bad_request("The form cannot be read"))?;
        form.get("access_token").map(Presented::in_form)
    } else {
        None
    };
    match (header, form) {
        (Some(_), Some(_)) => Err(BearerError::bad_request("Send the access token once")),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(BearerError::missing()),
    }
}

fn has_form(method: &Method, headers: &HeaderMap) -> bool {
    let empty = headers.get(CONTENT_LENGTH).is_some_and(|length| length == "0");
    method == Method::POST && headers.contains_key(CONTENT_TYPE) && !empty
}

fn claims(context: &RealmContext, live: &Live) -> Result<Response, BearerError> {
    let Some(claims) = tokens::userinfo(context, live) else {
        return Err(BearerError::scope("openid").of(&live.client_id));
    };
    let client = &live.entry.client;
    let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let Some(algorithm) = client.settings.userinfo_signed_response_alg else {
        return Ok(([no_store], Json(claims)).into_response());
    };
    let signed = tokens::sign_userinfo(context, client, claims, algorithm)?;
    let jwt = (CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    Ok(([no_store, jwt], signed).into_response())
}
