//! What a token is bound to: who shows it must also prove that they hold a key (RFC 7800 §3.1).
//!
//! Owns the claim `cnf`, the `token_type` that goes with it, and what a bound code or grant asks of a token request.
//! Leaves the proof itself to who reads the request: [`super::dpop`] for a key of the client's own, the connection for the
//! certificate that it was made with.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dpop::ProofError;
use super::error::{ErrorCode, OAuthError};

/// The key that a token is bound to, by its fingerprint. It is written as the value of `cnf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// The thumbprint of the key that signs DPoP proofs (RFC 9449 §6.1).
    #[serde(rename = "jkt")]
    Jkt(String),
    /// The thumbprint of the certificate that the client shows (RFC 8705 §3.1).
    #[serde(rename = "x5t#S256")]
    X5t(String),
}

/// A claim `cnf` that names no key which this server could ask a proof of. A token that has one is good for nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is bound in a way that is not known here")]
pub struct UnknownConfirmation;

impl Confirmation {
    /// Reads a claim `cnf`.
    ///
    /// # Errors
    /// [`UnknownConfirmation`] for one that says anything else than [`Confirmation::claim`] writes.
    pub fn read(claim: &Value) -> Result<Self, UnknownConfirmation> {
        Self::deserialize(claim).map_err(|_| UnknownConfirmation)
    }

    /// The value of `cnf`.
    #[must_use]
    pub fn claim(&self) -> Value {
        match self {
            Self::Jkt(thumbprint) => json!({ "jkt": thumbprint }),
            Self::X5t(thumbprint) => json!({ "x5t#S256": thumbprint }),
        }
    }

    /// Whether a request that proved to hold the key `shown` may use what is bound to `self`.
    ///
    /// # Errors
    /// `invalid_dpop_proof` without a proof, `invalid_grant` for another key or without the certificate.
    pub fn admits(&self, shown: Option<&Self>) -> Result<(), OAuthError> {
        match (shown, self) {
            (Some(shown), bound) if shown == bound => Ok(()),
            (_, Self::X5t(_)) => {
                Err(OAuthError::new(ErrorCode::InvalidGrant, "It is bound to another certificate"))
            }
            (None, Self::Jkt(_)) => Err(ProofError::Missing.into()),
            (Some(_), Self::Jkt(_)) => Err(OAuthError::new(
                ErrorCode::InvalidGrant,
                "It is bound to another key than that of the proof",
            )),
        }
    }

    /// How a token that is bound so is sent: `token_type` of a response (RFC 9449 §5), the scheme of `Authorization`,
    /// and the claim `typ` of Keycloak's access tokens.
    #[must_use]
    pub fn token_type(confirmation: Option<&Self>) -> &'static str {
        match confirmation {
            // RFC 8705 §3: a token that is bound to a certificate is sent as a bearer token.
            None | Some(Self::X5t(_)) => "Bearer",
            Some(Self::Jkt(_)) => "DPoP",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claim_is_read_as_it_is_written() {
        let bound = Confirmation::Jkt("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into());
        assert_eq!(bound.claim(), json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }));
        assert_eq!(Confirmation::read(&bound.claim()), Ok(bound.clone()));
        assert_eq!(serde_json::to_value(&bound).unwrap(), bound.claim(), "as the store keeps it");
    }

    #[test]
    fn another_confirmation_is_not_taken_for_none() {
        for claim in [json!({}), json!({ "jwk": {} }), json!({ "jkt": 1 }), json!("jkt"), json!(null)] {
            assert_eq!(Confirmation::read(&claim), Err(UnknownConfirmation), "{claim}");
        }
    }

    #[test]
    fn what_is_bound_asks_for_its_own_key() {
        let [bound, other] = ["a", "b"].map(|jkt| Confirmation::Jkt(jkt.into()));
        assert_eq!(bound.admits(Some(&bound.clone())), Ok(()));
        assert_eq!(bound.admits(None).unwrap_err().code, ErrorCode::InvalidDpopProof);
        assert_eq!(bound.admits(Some(&other)).unwrap_err().code, ErrorCode::InvalidGrant);
    }

    #[test]
    fn rfc8705_3_a_certificate_is_named_and_asked_for() {
        let [bound, other] = ["a", "b"].map(|x5t| Confirmation::X5t(x5t.into()));
        assert_eq!(bound.claim(), json!({ "x5t#S256": "a" }));
        assert_eq!(Confirmation::read(&bound.claim()), Ok(bound.clone()));
        assert_eq!(bound.admits(Some(&bound.clone())), Ok(()));
        for shown in [None, Some(&other), Some(&Confirmation::Jkt("a".into()))] {
            assert_eq!(bound.admits(shown).unwrap_err().code, ErrorCode::InvalidGrant, "{shown:?}");
        }
        assert_eq!(Confirmation::token_type(Some(&bound)), "Bearer");
    }

    #[test]
    fn rfc9449_5_a_bound_token_is_no_bearer_token() {
        assert_eq!(Confirmation::token_type(None), "Bearer");
        assert_eq!(Confirmation::token_type(Some(&Confirmation::Jkt(String::new()))), "DPoP");
    }
}
