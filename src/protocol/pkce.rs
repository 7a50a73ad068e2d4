//! Proof Key for Code Exchange (RFC 7636). S256 alone: `plain` proves nothing to who sees the request.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::profile::Profile;
use super::redirect_uri::Strictness;

/// The challenge of an authorization request (RFC 7636 §4.3), or why the request is refused.
///
/// # Errors
/// `invalid_request` when a challenge is required and missing, is not S256, or is not 43 base64url characters.
pub fn challenge(
    client: &Client,
    strictness: Strictness,
    challenge: Option<&str>,
    method: Option<&str>,
) -> Result<Option<String>, OAuthError> {
    let refuse = |why: &'static str| Err(OAuthError::new(ErrorCode::InvalidRequest, why));
    match (challenge, method) {
        (None, Some(_)) => refuse("code_challenge_method without code_challenge"),
        (None, None) if !client.must_use_pkce(strictness) => Ok(None),
        (None, None) if client.is_public() || client.settings.profile == Profile::Fapi2 => {
            refuse("code_challenge is missing: send PKCE with code_challenge_method=S256")
        }
        // No quotes: an error_description has none (RFC 6749 §4.1.2.1).
        (None, None) => refuse(
            "code_challenge is missing: send PKCE with code_challenge_method=S256, or set pkce = optional for this client",
        ),
        (Some(value), Some("S256")) if is_challenge(value) => Ok(Some(value.to_owned())),
        (Some(_), Some("S256")) => refuse("code_challenge must be 43 base64url characters"),
        (Some(_), _) => refuse("code_challenge_method must be S256"),
    }
}

fn is_challenge(value: &str) -> bool {
    value.len() == 43 && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether the token request's verifier fits the challenge (RFC 7636 §4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It fits, or neither side used PKCE.
    Good,
    /// It does not fit, or is missing.
    Wrong,
    /// A verifier for a code that was issued without a challenge (RFC 9700 §4.8.2: the sign of a downgrade).
    Unexpected,
}

/// Compares `verifier` with the `challenge` that the code was issued for.
#[must_use]
pub fn verify(challenge: Option<&str>, verifier: Option<&str>) -> Proof {
    match (challenge, verifier) {
        (None, None) => Proof::Good,
        (None, Some(_)) => Proof::Unexpected,
        (Some(_), None) => Proof::Wrong,
        (Some(challenge), Some(verifier)) if is_verifier(verifier) && s256(verifier) == challenge => {
            Proof::Good
        }
        (Some(_), Some(_)) => Proof::Wrong,
    }
}

fn is_verifier(value: &str) -> bool {
    (43..=128).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

/// `BASE64URL(SHA256(verifier))` (RFC 7636 §4.2).
#[must_use]
pub fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::{ClientAuthentication, ClientSettings, Pkce};

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client(authentication: ClientAuthentication, pkce: Pkce) -> Client {
        let settings = ClientSettings { authentication, pkce, ..ClientSettings::default() };
        Client {
            id: "1".into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings,
        }
    }

    #[test]
    fn rfc7636_appendix_b() {
        assert_eq!(s256(VERIFIER), CHALLENGE);
        assert_eq!(verify(Some(CHALLENGE), Some(VERIFIER)), Proof::Good);
    }

    #[test]
    fn p01_requests_without_a_good_challenge_are_refused() {
        let strict = client(ClientAuthentication::None, Pkce::Required);
        let long = "a".repeat(129);
        for (case, challenge_value, method) in [
            ("a no challenge", None, None),
            ("b plain", Some(CHALLENGE), Some("plain")),
            ("c method absent", Some(CHALLENGE), None),
            ("d S512", Some(CHALLENGE), Some("S512")),
            ("e 42 characters", Some(&CHALLENGE[..42]), Some("S256")),
            ("e 129 characters", Some(long.as_str()), Some("S256")),
            ("e padding", Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c="), Some("S256")),
            ("e plus", Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM"), Some("S256")),
            ("f method without challenge", None, Some("S256")),
        ] {
            let refused = challenge(&strict, Strictness::Serve, challenge_value, method).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidRequest, "{case}");
        }
        assert_eq!(
            challenge(&strict, Strictness::Serve, Some(CHALLENGE), Some("S256")),
            Ok(Some(CHALLENGE.to_owned()))
        );
    }

    #[test]
    fn d4_optional_is_for_confidential_clients_and_in_development_for_public_ones() {
        use ClientAuthentication::{None as Public, Secret};
        use Strictness::{Development, Serve};
        for (authentication, pkce, strictness, may_go_without) in [
            (Secret, Pkce::Optional, Serve, true),
            (Public, Pkce::Optional, Serve, false),
            (Public, Pkce::Optional, Development, true),
            (Public, Pkce::Required, Development, false),
            (Secret, Pkce::Required, Development, false),
        ] {
            let found = challenge(&client(authentication, pkce), strictness, None, None);
            assert_eq!(found.is_ok(), may_go_without, "{authentication:?} {pkce:?} {strictness:?}");
        }
    }

    #[test]
    fn p02_p03_verifiers() {
        for (case, challenge, verifier, proof) in [
            ("P02a missing", Some(CHALLENGE), None, Proof::Wrong),
            ("P02c wrong", Some(CHALLENGE), Some("x".repeat(43)), Proof::Wrong),
            ("P02d the challenge itself", Some(CHALLENGE), Some(CHALLENGE.to_owned()), Proof::Wrong),
            ("P02e too long", Some(CHALLENGE), Some("x".repeat(129)), Proof::Wrong),
            ("P02e not ASCII", Some(CHALLENGE), Some("ä".repeat(43)), Proof::Wrong),
            ("P03 not expected", None, Some(VERIFIER.to_owned()), Proof::Unexpected),
            ("neither", None, None, Proof::Good),
        ] {
            assert_eq!(verify(challenge, verifier.as_deref()), proof, "{case}");
        }
    }

    proptest::proptest! {
        #[test]
        fn z05_good_only_when_the_hash_fits(verifier in "[A-Za-z0-9._~-]{40,130}", other in "[A-Za-z0-9._~-]{43,128}") {
            let challenge = s256(&verifier);
            let good = (43..=128).contains(&verifier.len());
            proptest::prop_assert_eq!(verify(Some(&challenge), Some(&verifier)) == Proof::Good, good);
            if other != verifier {
                proptest::prop_assert_eq!(verify(Some(&challenge), Some(&other)), Proof::Wrong);
            }
        }
    }
}
