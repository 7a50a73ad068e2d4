//! The keys by which clients sign: those that the registration holds, or that it names an address for.

use super::context::RealmContext;
use super::error::ApiError;
use crate::key_sets::{KeySetError, PAUSE};
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::realms::ClientEntry;
use crate::signer::{Algorithm, VerifiedJws};

/// Whether the client has registered keys at all.
pub(super) fn has_keys(client: &Client) -> bool {
    client.settings.jwks.is_some() || client.settings.jwks_uri.is_some()
}

/// Proves that the client of `entry` signed `token`, by one of the `allowed` algorithms.
///
/// # Errors
/// [`KeySetError`].
pub(super) async fn verify(
    context: &RealmContext,
    entry: &ClientEntry,
    token: &str,
    allowed: &[Algorithm],
) -> Result<VerifiedJws, KeySetError> {
    match &entry.client.settings.jwks_uri {
        Some(url) => context.app.key_sets.verify(url, token, allowed).await,
        None => entry.keys.verify(token, allowed).map_err(KeySetError::from),
    }
}

/// The refusal while the client's keys are not to be had: no fault of the client's credentials, which it would give up.
pub(super) fn unavailable() -> OAuthError {
    let why = "The client's keys are not to be had now, try again";
    OAuthError::new(ErrorCode::TemporarilyUnavailable, why)
}

/// As [`unavailable`], where the client itself asks: with the time after which the keys are asked for anew.
pub(super) fn try_again(client: &Client, why: &KeySetError) -> ApiError {
    tracing::warn!(client_id = client.client_id, %why, "the keys of a client are not to be had");
    ApiError::from(unavailable()).retry_after(PAUSE)
}
