//! Proving a client by a token of its own (`client_assertion`): finds its keys, verifies, asks the rules.

use super::context::RealmContext;
use crate::key_sets::KeySetError;
use crate::protocol::client_assertion::{AssertionFault, algorithms, check};
use crate::protocol::spend::Spend;
use crate::realms::ClientEntry;

/// Why a token proves nothing. The caller learns that alone, the log why.
#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error(transparent)]
    Keys(#[from] KeySetError),
    #[error(transparent)]
    Claims(#[from] AssertionFault),
}

/// The identifier that `token` uses up, when it proves to be from the client of `entry`.
pub(super) async fn prove(context: &RealmContext, entry: &ClientEntry, token: &str) -> Option<Spend> {
    match verify(context, entry, token).await {
        Ok(spend) => Some(spend),
        Err(reason) => {
            tracing::info!(client_id = entry.client.client_id, %reason, "a client assertion proves nothing");
            None
        }
    }
}

async fn verify(context: &RealmContext, entry: &ClientEntry, token: &str) -> Result<Spend, Unproven> {
    let allowed = algorithms(&entry.client);
    let verified = match &entry.client.settings.jwks_uri {
        Some(url) => context.app.key_sets.verify(url, token, &allowed).await?,
        None => entry.keys.verify(token, &allowed).map_err(KeySetError::from)?,
    };
    let (typ, now) = (verified.typ.as_deref(), context.app.clock.now());
    Ok(check(typ, &verified.claims, &entry.client, &context.issuer, now)?)
}
