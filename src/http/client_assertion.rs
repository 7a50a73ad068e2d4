//! Proving a client by a token of its own (`client_assertion`): finds its keys, verifies, asks the rules.

use super::context::RealmContext;
use crate::key_sets::KeySetError;
use crate::protocol::client::ClientAuthentication;
use crate::protocol::client_assertion::{AssertionFault, algorithms, check};
use crate::protocol::spend::Spend;
use crate::realms::ClientEntry;
use crate::signer::{SharedKey, VerifiedJws};

/// Why a token proves nothing. The caller learns that alone, the log why.
#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error(transparent)]
    Keys(#[from] KeySetError),
    #[error("the stored secret cannot be read")]
    Secret,
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
    let client = &entry.client;
    let verified = if client.settings.authentication == ClientAuthentication::ClientSecretJwt {
        let secret = context.app.client_secrets.reveal(client).ok_or(Unproven::Secret)?;
        SharedKey::new(&secret).verify(token).map_err(KeySetError::from)?
    } else {
        by_keys(context, entry, token).await?
    };
    let (typ, now) = (verified.typ.as_deref(), context.app.clock.now());
    Ok(check(typ, &verified.claims, client, &context.issuer, now)?)
}

async fn by_keys(
    context: &RealmContext,
    entry: &ClientEntry,
    token: &str,
) -> Result<VerifiedJws, KeySetError> {
    let allowed = algorithms(&entry.client);
    match &entry.client.settings.jwks_uri {
        Some(url) => context.app.key_sets.verify(url, token, &allowed).await,
        None => Ok(entry.keys.verify(token, &allowed)?),
    }
}
