//! Client authentication at the token endpoint and its neighbours: load the client, prove the secret.

use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::context::RealmContext;
use super::error::ApiError;
use super::params::{Params, ParamsError};
use crate::protocol::client_auth::{self, Check, Presented};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::realms::ClientEntry;
use crate::secrets::{self, Secret};

/// The form of a request to the token endpoint or a neighbour of it, and the client that it proves to be from.
///
/// # Errors
/// `invalid_request` for a form that cannot be read or a secret in the address, else as [`presented`] and
/// [`authenticate`] say.
pub async fn request(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<(Params, Arc<ClientEntry>), ApiError> {
    let form = form.map_err(unreadable)?;
    if query.map_err(unreadable)?.names().any(|name| name == "client_secret") {
        let why = "client_secret does not belong in an address";
        return Err(OAuthError::new(ErrorCode::InvalidRequest, why).into());
    }
    let presented = presented(headers, &form)?;
    let entry = authenticate(context, &presented).await?;
    Ok((form, entry))
}

/// A form that cannot be read, as the answer that RFC 6749 §5.2 asks for.
fn unreadable(why: ParamsError) -> ApiError {
    let error = OAuthError::new(ErrorCode::InvalidRequest, why.description());
    ApiError::with_status(error, why.status())
}

/// What the request says about who it is from; proves nothing.
///
/// # Errors
/// `invalid_request` or `invalid_client`, as `client_auth::presented` says.
pub fn presented(headers: &HeaderMap, form: &Params) -> Result<Presented, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (header, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "Send one Authorization header").into());
    }
    let header = header.map(|value| value.to_str().unwrap_or_default());
    client_auth::presented(header, form.get("client_id"), form.get("client_secret")).map_err(|error| {
        let tried_basic = header.is_some() && error.code == ErrorCode::InvalidClient;
        let failure = ApiError::from(error);
        if tried_basic { failure.challenge(CHALLENGE) } else { failure }
    })
}

/// The `client_id` that the request names, proven or not, for an answer that the client's origin may read.
#[must_use]
pub fn named(headers: &HeaderMap, form: &Result<Params, ParamsError>) -> Option<String> {
    let form = form.as_ref().ok()?;
    presented(headers, form).ok().map(|presented| presented.client_id)
}

const CHALLENGE: &str = "Basic realm=\"token\", charset=\"UTF-8\"";

/// The client that the request proves to be from.
///
/// # Errors
/// `invalid_client`, the same for a wrong secret and for a client that does not exist (attacks C01).
pub async fn authenticate(
    context: &RealmContext,
    presented: &Presented,
) -> Result<Arc<ClientEntry>, ApiError> {
    let app = &context.app;
    let entry = context.state.client(&app.store, &presented.client_id).await?;
    let proven = match client_auth::check(entry.as_ref().map(|entry| &entry.client), presented) {
        Check::Public => true,
        Check::Secret => {
            let stored =
                entry.as_ref().and_then(|entry| entry.client.secret_hash.as_deref()).unwrap_or_default();
            let secret = Secret::from(presented.secret.clone().unwrap_or_default());
            app.client_secrets.verify(stored, &secret).await?
        }
        Check::Refuse => {
            // The work of a comparison, so that time does not tell an unknown client from a wrong secret.
            let nobodys = secrets::hash_generated("");
            let secret = Secret::from(presented.secret.clone().unwrap_or_default());
            app.client_secrets.verify(&nobodys, &secret).await?;
            false
        }
    };
    match entry.filter(|_| proven) {
        Some(entry) => Ok(entry),
        None => {
            tracing::info!(client_id = %presented.client_id.escape_debug(), "client authentication failed");
            let text = "Invalid client or Invalid client credentials";
            let failure = ApiError::from(OAuthError::new(ErrorCode::InvalidClient, text));
            Err(if presented.basic { failure.challenge(CHALLENGE) } else { failure })
        }
    }
}
