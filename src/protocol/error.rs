//! Every refusal that a client sees: one code, and the code knows its wire name and its status.

use std::borrow::Cow;

/// A refusal with a sentence for the developer of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    /// What is wrong.
    pub code: ErrorCode,
    /// Why, in the characters that RFC 6749 §5.2 allows (see [`OAuthError::new`]).
    pub description: Cow<'static, str>,
}

impl OAuthError {
    /// A refusal. Characters outside `%x20-21 / %x23-5B / %x5D-7E` (RFC 6749 §5.2) become `?`.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        let description = description.into();
        if description.chars().all(is_description_character) {
            return Self { code, description };
        }
        let clean = description
            .chars()
            .map(|c| if is_description_character(c) { c } else { '?' })
            .collect::<String>();
        Self { code, description: clean.into() }
    }

    /// The answer to a grant that this server does not know, or does not take (RFC 6749 §5.2).
    #[must_use]
    pub fn unsupported_grant() -> Self {
        Self::new(ErrorCode::UnsupportedGrantType, "The grant type is not supported")
    }
}

fn is_description_character(c: char) -> bool {
    matches!(c, '\u{20}'..='\u{21}' | '\u{23}'..='\u{5b}' | '\u{5d}'..='\u{7e}')
}

/// What is wrong, by the names that the specifications registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// RFC 6749 §5.2: a parameter is missing, repeated or malformed.
    InvalidRequest,
    /// RFC 6749 §5.2: the client did not prove who it is.
    InvalidClient,
    /// RFC 6749 §5.2: the code or refresh token is not good.
    InvalidGrant,
    /// RFC 6749 §5.2: this client may not do this.
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §5.2: the scope is unknown, or more than may be asked for.
    InvalidScope,
    /// RFC 8693 §2.2.2, RFC 8707 §2: the client may not have a token for this audience or resource.
    InvalidTarget,
    /// RFC 6749 §4.1.2.1: the person or the server refused.
    AccessDenied,
    /// RFC 6749 §4.1.2.1.
    UnsupportedResponseType,
    /// RFC 6749 §4.1.2.1: our fault.
    ServerError,
    /// RFC 6749 §4.1.2.1: our trouble, which may pass.
    TemporarilyUnavailable,
    /// OpenID Connect Core §3.1.2.6: `prompt=none` and nobody is signed in.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6: `prompt=none` and consent must be asked.
    ConsentRequired,
    /// OpenID Connect Core §3.1.2.6: `prompt=none` and the person must do something.
    InteractionRequired,
    /// OpenID Connect Core Unmet Authentication Requirements 1.0 §2: no sign-in can be what the client insists on.
    UnmetAuthenticationRequirements,
    /// OpenID Connect Core §3.1.2.6: `request` is not supported.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6: `request_uri` is not supported.
    RequestUriNotSupported,
    /// RFC 9101 §6: the request object is malformed, not signed by the client, or not meant for us.
    InvalidRequestObject,
    /// RFC 9396 §5: `authorization_details` is malformed, of an unknown type, or more than may be asked for.
    InvalidAuthorizationDetails,
    /// RFC 9101 §6: `request_uri` leads to no good request.
    InvalidRequestUri,
    /// RFC 8628 §3.5: nobody has answered yet, poll again.
    AuthorizationPending,
    /// RFC 8628 §3.5: the same, and the device polls too often.
    SlowDown,
    /// RFC 8628 §3.5: nobody answered in time.
    ExpiredToken,
    /// RFC 7591 §3.2.2: a redirect URI cannot be registered.
    InvalidRedirectUri,
    /// RFC 7591 §3.2.2: another member of a registration cannot be.
    InvalidClientMetadata,
    /// RFC 6750 §3.1: the access token is not good.
    InvalidToken,
    /// RFC 6750 §3.1: the access token is good for less than this.
    InsufficientScope,
    /// RFC 9449 §5: the DPoP proof is missing or not good.
    InvalidDpopProof,
    /// RFC 9449 §8: the DPoP proof needs the nonce that comes with this answer.
    UseDpopNonce,
}

impl ErrorCode {
    /// The value of `error` on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
        }
    }

    /// The HTTP status of a direct answer with this code.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn z18_descriptions_hold_only_registered_characters(text in "\\PC*") {
            let error = OAuthError::new(ErrorCode::InvalidRequest, text);
            proptest::prop_assert!(error.description.chars().all(is_description_character));
        }
    }
}
