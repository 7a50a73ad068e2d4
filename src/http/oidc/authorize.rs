//! The authorization endpoint (OpenID Connect Core §3.1.2): `GET` and `POST …/protocol/openid-connect/auth`.

use std::sync::Arc;

use axum::http::{HeaderMap, Method};
use axum::response::Response;

use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::params::{Params, ParamsError, QueryOrForm};
use crate::http::pending::{PendingRequest, asked_at};
use crate::http::request_object;
use crate::http::sign_in::{self, Progress};
use crate::http::tokens;
use crate::protocol::authorize::{NoTarget, RequestParameters};
use crate::protocol::pushed_request;
use crate::realms::ClientEntry;
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
        return Ok(sign_in::see_other(&asked_at(context, &parameters)));
    }
    let pending = match arrived(context, parameters).await? {
        Ok(pending) => pending,
        Err(refused) => return Ok(refused),
    };
    let progress = Progress::from_cookie(context, headers).await?;
    sign_in::advance(context, headers, &pending, progress).await
}

/// The request that the parameters say, or that they refer to; else the client's answer.
async fn arrived(
    context: &RealmContext,
    mut parameters: RequestParameters,
) -> Result<Result<PendingRequest, Response>, PageError> {
    let now = context.app.clock.now();
    let request_uri = parameters.get("request_uri");
    if let Some(reference) = request_uri.and_then(pushed_request::reference) {
        let entry = known_client(context, &parameters).await?;
        let fingerprint = secrets::fingerprint(reference);
        let record = context.app.store.pushed_request(&context.state.realm.id, &fingerprint).await?;
        return match pushed_request::open(record, &entry.client, now) {
            Ok(request) => Ok(Ok(PendingRequest::pushed(request, now))),
            Err(error) => Err(PageError::new(Trouble::Expired).detail(error.description)),
        };
    }
    let signed = request_uri.is_some() || parameters.get("request").is_some();
    if signed {
        let entry = known_client(context, &parameters).await?;
        match request_object::resolve(context, &entry, parameters.clone()).await {
            Ok(inner) => parameters = inner,
            Err(error) => {
                return sign_in::refuse_plainly(context, &entry.client, &parameters, &error).await.map(Err);
            }
        }
    }
    let subject = hinted_subject(context, &mut parameters);
    Ok(Ok(PendingRequest { signed, ..PendingRequest::new(parameters, now, subject)? }))
}

/// The enabled client that the request names: it leads to what the request refers to.
async fn known_client(
    context: &RealmContext,
    parameters: &RequestParameters,
) -> Result<Arc<ClientEntry>, PageError> {
    let entry = sign_in::client(context, parameters).await?;
    entry.filter(|entry| entry.client.enabled).ok_or_else(|| {
        let refusal =
            parameters.get("client_id").map_or(NoTarget::ClientMissing, |_| NoTarget::ClientUnknown);
        sign_in::no_target(refusal, parameters, None)
    })
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
