//! A user's credentials beside the password.

use crate::clock::Timestamp;

/// The `kind` of one-time codes (RFC 4226, RFC 6238).
pub const OTP: &str = "otp";

/// A credential as it is kept. `Debug` shows neither half.
#[derive(Clone, PartialEq)]
pub struct Credential {
    /// Identifier (UUID).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// Whose it is.
    pub user_id: String,
    /// `otp`, `webauthn`, …, by Keycloak's names.
    pub kind: String,
    /// What the person calls it.
    pub label: Option<String>,
    /// JSON text of what must stay secret, sealed for [`Credential::place`]: of a one-time code
    /// `{"value": …}` by Keycloak's terms, where the value's bytes are the key.
    pub secret: String,
    /// JSON text of the rest: of a one-time code `subType` (`totp` or `hotp`), `digits`, `period` in seconds, `counter`
    /// and `algorithm` (`HmacSHA1`, `HmacSHA256`, `HmacSHA512`).
    pub data: String,
    /// The user's credentials in the order in which they are tried.
    pub priority: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Credential {
    /// What the secret is sealed for (see [`crate::vault::Vault::seal`]).
    #[must_use]
    pub fn place(&self) -> String {
        format!("users/{}/{}/credentials/{}", self.realm_id, self.user_id, self.id)
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}
