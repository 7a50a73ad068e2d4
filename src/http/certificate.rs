//! The certificate that a client made its connection with (RFC 8705): whether it proves the client, and tokens that are
//! bound to it. The names are compared by [`crate::protocol::certificate`].

use super::client_auth::Authenticated;
use super::client_keys;
use super::context::RealmContext;
use super::error::ApiError;
use crate::protocol::certificate::Certificate;
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::confirmation::Confirmation;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::realms::ClientEntry;
use crate::server::ClientCertificate;

/// A certificate whose key the sender of the request has.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What it says.
    pub certificate: Certificate,
    /// Whether an authority issued it that this server trusts for clients.
    pub trusted: bool,
}

impl Shown {
    /// The certificate of a connection, as it is there for all requests on it.
    #[must_use]
    pub fn read(shown: &ClientCertificate) -> Option<Self> {
        Some(Self { certificate: Certificate::read(&shown.der)?, trusted: shown.trusted })
    }
}

/// Whether the connection's certificate is the client's, by the method that it is registered with.
///
/// # Errors
/// `temporarily_unavailable` while the client's keys are not to be had.
pub(super) async fn proves(context: &RealmContext, entry: &ClientEntry) -> Result<bool, ApiError> {
    let Some(shown) = context.certificate.as_deref() else { return Ok(false) };
    match entry.client.settings.authentication {
        ClientAuthentication::TlsClientAuth => Ok(shown.trusted && is_named(&entry.client, shown)),
        ClientAuthentication::SelfSignedTlsClientAuth => holds_key(context, entry, shown).await,
        _ => Ok(false),
    }
}

fn is_named(client: &Client, shown: &Shown) -> bool {
    client.settings.tls_client_auth.as_ref().is_some_and(|name| name.names(&shown.certificate))
}

/// Whether the certificate is over one of the client's keys (RFC 8705 §2.2).
async fn holds_key(context: &RealmContext, entry: &ClientEntry, shown: &Shown) -> Result<bool, ApiError> {
    let Some(key) = &shown.certificate.key else { return Ok(false) };
    match &entry.client.settings.jwks_uri {
        Some(url) => {
            let held = context.app.key_sets.holds(url, key).await;
            held.map_err(|why| client_keys::try_again(&entry.client, &why))
        }
        None => Ok(entry.keys.holds(key)),
    }
}

/// Notes the certificate that the tokens of `caller` are bound to, when it is registered so and brought no other key.
///
/// # Errors
/// `invalid_request` without a certificate.
pub(super) fn bind(context: &RealmContext, caller: &mut Authenticated) -> Result<(), OAuthError> {
    if !caller.entry.client.must_show_certificate() || caller.confirmation.is_some() {
        return Ok(());
    }
    let missing = || {
        OAuthError::new(ErrorCode::InvalidRequest, "The client's tokens are bound to a certificate: show one")
    };
    caller.confirmation = Some(shown(context).ok_or_else(missing)?);
    Ok(())
}

/// What the certificate of this request's connection can confirm.
pub(super) fn shown(context: &RealmContext) -> Option<Confirmation> {
    context.certificate.as_ref().map(|shown| Confirmation::X5t(shown.certificate.thumbprint.clone()))
}
