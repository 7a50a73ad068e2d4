//! What a client may say of its certificates (RFC 8705): that they prove it, and that its tokens are bound to them. Only
//! where the server ends TLS itself, and asks for them, can either be kept.

use super::metadata::{Metadata, invalid};
use crate::protocol::certificate::{CertificateName, CertificateNames, ClientCertificates};
use crate::protocol::client::ClientAuthentication;
use crate::protocol::error::OAuthError;

/// The way of proving itself that `method` names, if it is by certificates.
///
/// # Errors
/// `invalid_client_metadata` when the server does not ask for certificates, or trusts no authority for them (§2.1); or when
/// no key is registered that a certificate of the client's own making could be over (§2.2).
pub(super) fn authentication(
    method: &str,
    metadata: &Metadata,
    asked: Option<&ClientCertificates>,
) -> Result<Option<(ClientAuthentication, &'static str)>, OAuthError> {
    let keyless = metadata.jwks.is_none() && metadata.jwks_uri.is_none();
    let refuse = |why: &str| Err(invalid(format!("token_endpoint_auth_method: {method} {why}")));
    Ok(Some(match method {
        "tls_client_auth" if !asked.is_some_and(|asked| asked.authorities) => {
            return refuse(
                "needs a server that trusts authorities for the certificates of clients; this one does not",
            );
        }
        "tls_client_auth" => (ClientAuthentication::TlsClientAuth, "tls_client_auth"),
        "self_signed_tls_client_auth" if asked.is_none() => {
            return refuse("needs a server that asks clients for certificates; this one does not");
        }
        "self_signed_tls_client_auth" if keyless => return refuse("needs jwks or jwks_uri"),
        "self_signed_tls_client_auth" => {
            (ClientAuthentication::SelfSignedTlsClientAuth, "self_signed_tls_client_auth")
        }
        _ => return Ok(None),
    }))
}

/// The one name in its certificate that is the client's (§2.1.2).
///
/// # Errors
/// `invalid_client_metadata` for more or fewer than one where a name is what proves the client, for one that no
/// certificate can have, and for any where nobody would look at it.
pub(super) fn name(
    metadata: &Metadata,
    authentication: ClientAuthentication,
) -> Result<Option<CertificateName>, OAuthError> {
    let mut given = metadata.certificate.given();
    let (first, second) = (given.next(), given.next());
    let by_name = authentication == ClientAuthentication::TlsClientAuth;
    match (first, second) {
        (None, _) if !by_name => Ok(None),
        (Some((member, name)), None) if by_name => {
            if name.is_sound() {
                Ok(Some(name))
            } else {
                Err(invalid(format!("{member}: no certificate could have this name")))
            }
        }
        (Some((member, _)), _) if !by_name => {
            Err(invalid(format!("{member} goes with token_endpoint_auth_method tls_client_auth")))
        }
        _ => {
            let members = CertificateNames::MEMBERS.join(", ");
            Err(invalid(format!("tls_client_auth needs exactly one of {members}")))
        }
    }
}

/// Whether its tokens are bound to its certificate (§3).
///
/// # Errors
/// `invalid_client_metadata` when the server does not ask for certificates, or another key is named beside.
pub(super) fn binding(metadata: &Metadata, asked: Option<&ClientCertificates>) -> Result<bool, OAuthError> {
    let bound = metadata.tls_client_certificate_bound_access_tokens;
    let refuse = |why: &str| Err(invalid(format!("tls_client_certificate_bound_access_tokens: {why}")));
    match (bound, asked, metadata.dpop_bound_access_tokens) {
        (true, None, _) => refuse("this server asks no client for a certificate"),
        (true, Some(_), true) => refuse("tokens are bound to one thing, a certificate or a DPoP key"),
        (bound, ..) => Ok(bound),
    }
}
