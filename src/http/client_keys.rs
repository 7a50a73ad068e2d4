//! The keys by which clients sign: those that the registration holds, or that it names an address for.

use super::context::RealmContext;
use crate::key_sets::KeySetError;
use crate::protocol::client::Client;
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
