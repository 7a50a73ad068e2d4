//! An authorization code (RFC 6749 §4.1.2): random, short-lived, good for one redemption.

use super::confirmation::Confirmation;
use crate::clock::Timestamp;

/// A code as it is kept: the store holds its fingerprint, never the code.
#[derive(Clone, Debug, PartialEq)]
pub struct AuthorizationCode {
    /// SHA-256 of the code, base64url.
    pub fingerprint: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// The grant that its tokens hang on.
    pub grant_id: String,
    /// `id` of the client it was issued to.
    pub client: String,
    /// `redirect_uri` of the authorization request, which the token request must repeat (OpenID Connect Core §3.1.3.2).
    pub redirect_uri: String,
    /// S256 challenge (RFC 7636 §4.2).
    pub code_challenge: Option<String>,
    /// Who redeems it must prove to hold this key (RFC 9449 §10).
    pub confirmation: Option<Confirmation>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// When it was redeemed.
    pub redeemed_at: Option<Timestamp>,
    /// Redemptions with a wrong verifier; too many burn the code.
    pub failures: i64,
}
