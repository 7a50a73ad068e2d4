//! Pushed authorization requests (RFC 9126): `POST …/protocol/openid-connect/ext/par/request`.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::authorize::{hinted_subject, known};
use super::token::no_store;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::grants::{Refused, audiences};
use crate::http::params::{Form, Params, ParamsError, Query};
use crate::http::{cors, dpop, request_object, sign_in};
use crate::protocol::authorize::{AuthorizationRequest, NoTarget, RequestParameters, Target};
use crate::protocol::brake;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::pushed_request::{MOST_WAITING, PREFIX, PushedRequest};
use crate::secrets;
use crate::store::{PushRequest, Pushed};

/// The answer to a request that was kept (§2.2).
#[derive(Serialize)]
struct Kept {
    request_uri: String,
    expires_in: i64,
}

/// Keeps a request until a browser comes for it.
pub async fn push(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    let client_id = client_auth::named(&headers, &form);
    let response = match keep(&context, &headers, query, form).await {
        Ok(kept) => (StatusCode::CREATED, no_store(&kept)).into_response(),
        Err(error) => error.into_response(),
    };
    let response = dpop::with_nonce(&context, &headers, response);
    cors::allow(&context, &headers, client_id.as_deref(), response).await
}

async fn keep(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<Kept, ApiError> {
    let (form, mut caller) = client_auth::request(context, headers, query, form).await?;
    let shown = dpop::show(context, headers, &mut caller).map_err(ApiError::from);
    let kept = match shown {
        Ok(()) => keep_for(context, &caller, &form).await,
        Err(refused) => Err(refused),
    };
    match kept {
        Ok(kept) => Ok(kept),
        Err(error) => Err(Refused::from(error).settle(context, &caller).await),
    }
}

async fn keep_for(context: &RealmContext, caller: &Authenticated, form: &Params) -> Result<Kept, ApiError> {
    let client = &caller.entry.client;
    let mut parameters = known(form);
    // A client that proved itself by a header need not name itself once more.
    parameters.0.insert("client_id".to_owned(), client.client_id.clone());
    if parameters.get("request_uri").is_some() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "request_uri cannot be pushed").into());
    }
    let mut parameters = request_object::resolve(context, &caller.entry, parameters).await?;
    if let Some(confirmation) = &caller.confirmation {
        parameters.bind(confirmation)?;
    }
    let request = check(context, client, &parameters)?;
    audiences::allowed(context, client, &request.resources).await??;
    let hinted_subject = hinted_subject(context, &mut parameters);
    let settings = &context.state.realm.settings;
    let (now, reference) = (context.app.clock.now(), secrets::random_token());
    let request = PushedRequest {
        fingerprint: secrets::fingerprint(&reference),
        realm_id: context.state.realm.id.clone(),
        client: client.id.clone(),
        parameters,
        hinted_subject,
        pushed_at: now,
        good_until: now.plus(settings.pushed_request),
        spent_at: None,
    };
    let expires_at = request.good_until.plus(settings.login);
    let push = PushRequest {
        request,
        expires_at,
        network: brake::network(context.address),
        most: client.is_public().then_some(MOST_WAITING),
        spends: caller.spends.clone(),
    };
    match context.app.store.push_request(push).await? {
        Pushed::Waiting => {
            let request_uri = format!("{PREFIX}{reference}");
            Ok(Kept { request_uri, expires_in: settings.pushed_request })
        }
        Pushed::Replayed(kind) => Err(client_auth::replayed(kind)),
        Pushed::TooMany(ends) => {
            tracing::info!(client_id = %client.client_id, "too many pushed requests wait");
            let why = "Too many requests of this client wait from this address";
            let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, why);
            Err(ApiError::with_status(error, StatusCode::TOO_MANY_REQUESTS).retry_after(ends.since(now)))
        }
    }
}

/// Everything that the authorization endpoint would refuse is refused here, where the client hears it (§2.1, §2.3).
fn check(
    context: &RealmContext,
    client: &Client,
    parameters: &RequestParameters,
) -> Result<AuthorizationRequest, OAuthError> {
    let refuse = |why: &'static str| OAuthError::new(ErrorCode::InvalidRequest, why);
    let target = Target::prove(parameters, Some(client), context.app.rules.strictness).map_err(|why| {
        refuse(match why {
            NoTarget::RedirectUriMissing => "redirect_uri is missing",
            NoTarget::RedirectUriUnregistered => "redirect_uri is not registered for the client",
            NoTarget::ClientMissing | NoTarget::ClientUnknown => "The client is not known",
        })
    })?;
    let request = AuthorizationRequest::read(parameters, client, target)?;
    sign_in::granted(context, client, &request)?;
    Ok(request)
}
