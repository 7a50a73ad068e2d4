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
use crate::protocol::authorize::{NoTarget, RequestParameters};
use crate::protocol::pushed_request;
use crate::secrets;

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
    let pending = arrived(context, parameters).await?;
    let progress = Progress::from_cookie(context, headers).await?;
    sign_in::advance(context, headers, &pending, progress).await
}

/// The request that the parameters say, or that they refer to.
async fn arrived(
    context: &RealmContext,
    mut parameters: RequestParameters,
) -> Result<PendingRequest, PageError> {
    let now = context.app.clock.now();
    let Some(reference) = parameters.get("request_uri").and_then(pushed_request::reference) else {
        let subject = hinted_subject(context, &mut parameters);
        return PendingRequest::new(parameters, now, subject);
    };
    let client = sign_in::client(context, &parameters).await?;
    let Some(client) = client.as_ref().map(|entry| &entry.client).filter(|client| client.enabled) else {
        let refusal =
            parameters.get("client_id").map_or(NoTarget::ClientMissing, |_| NoTarget::ClientUnknown);
        return Err(sign_in::no_target(refusal, &parameters, None));
    };
    let fingerprint = secrets::fingerprint(reference);
    let record = context.app.store.pushed_request(&context.state.realm.id, &fingerprint).await?;
    match pushed_request::open(record, client, now) {
        Ok(request) => Ok(PendingRequest::pushed(request, now)),
        Err(error) => Err(PageError::new(Trouble::Expired).detail(error.description)),
    }
}

/// Takes `id_token_hint` out of the parameters: it is verified once, and its subject is what counts.
pub(super) fn hinted_subject(context: &RealmContext, parameters: &mut RequestParameters) -> Option<String> {
    let hint = parameters.0.remove("id_token_hint")?;
    // A hint that is not ours names nobody who could be signed in.
    Some(tokens::id_token_hint(context, &hint).map(|hint| hint.subject).unwrap_or_default())
}

pub(super) fn known(params: &Params) -> RequestParameters {
    let pairs = RequestParameters::KNOWN.iter().filter_map(|name| {
        let value = match *name {
            "resource" => params.all(name).collect::<Vec<_>>().join(" "),
            name => params.get(name).unwrap_or_default().to_owned(),
        };
        (!value.is_empty()).then(|| ((*name).to_owned(), value))
    });
    RequestParameters(pairs.collect())
}

fn same_by_get(context: &RealmContext, parameters: &RequestParameters) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(&parameters.0);
    format!("{}?{}", context.url("/protocol/openid-connect/auth"), query.finish())
}
