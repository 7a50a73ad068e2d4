//! A refresh token (RFC 6749 §6): rotated at each use; a replay revokes the grant (RFC 9700 §4.14.2).

use crate::clock::Timestamp;

/// A refresh token as it is kept. The token itself is a JWT whose `jti` is the identifier.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshToken {
    /// `jti`.
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// The grant it hangs on.
    pub grant_id: String,
    /// The token that it replaced.
    pub predecessor: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// When it was first used to refresh.
    pub used_at: Option<Timestamp>,
    /// When a retry of its predecessor replaced it unused.
    pub superseded_at: Option<Timestamp>,
}
