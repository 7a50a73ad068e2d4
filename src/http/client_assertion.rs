//! Proving a client by a token of its own (`client_assertion`): finds its keys, verifies, asks the rules.

use super::client_keys;
use super::context::RealmContext;
use super::error::ApiError;
use crate::key_sets::KeySetError;
use crate::protocol::client::ClientAuthentication;
use crate::protocol::client_assertion::{AssertionFault, Server, check};
use crate::protocol::grants::jwt_bearer::{self, Signer};
use crate::protocol::spend::{Spend, SpendKind};
use crate::realms::ClientEntry;
use crate::signer::{Algorithm, SharedKey};

/// Why a token proves nothing. The caller learns that alone, the log why.
#[derive(Debug, thiserror::Error)]
enum Unproven {
    #[error(transparent)]
    Keys(#[from] KeySetError),
    #[error("the token is of an issuer and a subject that the client is not registered with")]
    Stranger,
    #[error("the stored secret cannot be read")]
    Secret,
    #[error(transparent)]
    Claims(#[from] AssertionFault),
}

/// The identifier that `token` uses up, when it proves to be from the client of `entry`.
///
/// # Errors
/// `temporarily_unavailable` while the keys that could tell are not to be had.
pub(super) async fn prove(
    context: &RealmContext,
    entry: &ClientEntry,
    token: &str,
) -> Result<Option<Spend>, ApiError> {
    proven(entry, verify(context, entry, token).await)
}

fn proven(entry: &ClientEntry, found: Result<Spend, Unproven>) -> Result<Option<Spend>, ApiError> {
    match found {
        Ok(spend) => Ok(Some(spend)),
        Err(Unproven::Keys(why)) if why.is_trouble() => Err(client_keys::try_again(&entry.client, &why)),
        Err(reason) => {
            tracing::info!(client_id = entry.client.client_id, %reason, "an assertion proves nothing");
            Ok(None)
        }
    }
}

async fn verify(context: &RealmContext, entry: &ClientEntry, token: &str) -> Result<Spend, Unproven> {
    let client = &entry.client;
    let verified = if client.settings.authentication == ClientAuthentication::ClientSecretJwt {
        let secret = context.app.client_secrets.reveal(client).ok_or(Unproven::Secret)?;
        SharedKey::new(&secret).verify(token).map_err(KeySetError::from)?
    } else {
        client_keys::verify(context, entry, token, &client.assertion_algorithms()).await?
    };
    let (typ, now) = (verified.typ.as_deref(), context.app.clock.now());
    let (back_channel, certificates) = (context.back_channel_issuer(), context.certificates_issuer());
    let server = Server {
        issuer: &context.issuer,
        back_channel: &back_channel,
        certificates: certificates.as_deref(),
    };
    Ok(check(typ, &verified.claims, client, server, now)?)
}

/// The identifier that `token`, shown as a grant, uses up when it proves the client of `entry` (RFC 7523 §2.1).
///
/// # Errors
/// As [`prove`].
pub(super) async fn prove_grant(
    context: &RealmContext,
    entry: &ClientEntry,
    token: &str,
) -> Result<Option<Spend>, ApiError> {
    proven(entry, verify_grant(context, entry, token).await)
}

async fn verify_grant(context: &RealmContext, entry: &ClientEntry, token: &str) -> Result<Spend, Unproven> {
    let (client, now) = (&entry.client, context.app.clock.now());
    let (back_channel, certificates) = (context.back_channel_issuer(), context.certificates_issuer());
    let server = Server {
        issuer: &context.issuer,
        back_channel: &back_channel,
        certificates: certificates.as_deref(),
    };
    match jwt_bearer::signer(client, token).ok_or(Unproven::Stranger)? {
        Signer::Client => {
            let verified = client_keys::verify(context, entry, token, &client.assertion_algorithms()).await?;
            let spend = check(verified.typ.as_deref(), &verified.claims, client, server, now)?;
            Ok(Spend { kind: SpendKind::ClientGrant, ..spend })
        }
        Signer::Issuer(trusted) => {
            let keys = &context.app.key_sets;
            let verified = keys.verify(&trusted.jwks_uri, token, &Algorithm::ALL).await?;
            let typ = verified.typ.as_deref();
            Ok(jwt_bearer::check(typ, &verified.claims, trusted, server, now)?)
        }
    }
}
