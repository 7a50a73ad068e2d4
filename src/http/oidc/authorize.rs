//! The authorization endpoint (OpenID Connect Core §3.1.2): `GET` and `POST …/protocol/openid-connect/auth`.

use axum::http::{HeaderMap, Method};
use axum::response::Response;

use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::params::{Params, ParamsError, QueryOrForm};
use crate::http::pending::PendingRequest;
use crate::http::sign_in::{self, Progress};
use crate::http::tokens;
use crate::protocol::authorize::RequestParameters;

/// Takes a request as far as it goes without the person.
pub async fn authorize(
    context: RealmContext,
    method: Method,
    headers: HeaderMap,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    begin(&context, &method, &headers, params).await.unwrap_or_else(|error| context.fail(&error))
}

async fn begin(
    context: &RealmContext,
    method: &Method,
    headers: &HeaderMap,
    params: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    let params = params.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let parameters = known(&params);
    // A form from the client's site comes without our cookies (SameSite=Lax); the same request by GET has them.
    if method == Method::POST && cookies::read(context, headers, Kind::Session).is_none() {
        return Ok(sign_in::see_other(&same_by_get(context, &parameters)));
    }
    let hinted = parameters.get("id_token_hint").map(|hint| tokens::id_token_hint(context, hint));
    let subject = match hinted {
        Some(Some(hint)) => Some(hint.subject),
        // A hint that is not ours names nobody who could be signed in.
        Some(None) => Some(String::new()),
        None => None,
    };
    let pending = PendingRequest::new(parameters, context.app.clock.now(), subject)?;
    let progress = Progress::from_cookie(context, headers).await?;
    sign_in::advance(context, headers, &pending, progress).await
}

fn known(params: &Params) -> RequestParameters {
    let pairs = RequestParameters::KNOWN
        .iter()
        .filter_map(|name| params.get(name).map(|value| ((*name).to_owned(), value.to_owned())));
    RequestParameters(pairs.collect())
}

fn same_by_get(context: &RealmContext, parameters: &RequestParameters) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&parameters.0);
    format!("{}?{}", context.url("/protocol/openid-connect/auth"), query.finish())
}
