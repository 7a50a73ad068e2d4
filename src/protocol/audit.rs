//! Audit events: who did what, kept in the database in the same transaction as the change they tell of.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// One event as it is kept. It never holds a credential.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Identifier (UUIDv7).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub kind: AuditKind,
    /// The user concerned, when known.
    pub user_id: Option<String>,
    /// `client_id` of the client concerned, when known.
    pub client_id: Option<String>,
    /// The session concerned.
    pub session_id: Option<String>,
    /// Network address of the request.
    pub address: Option<String>,
    /// OAuth error code or other cause, for events that tell of a refusal.
    pub error: Option<String>,
    /// Further facts.
    pub detail: serde_json::Value,
}

/// What happened, by Keycloak's names for events where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AuditKind {
    /// A person signed in.
    Login,
    /// A person failed to.
    LoginError,
    /// A code was redeemed.
    CodeToToken,
    /// A code was not.
    CodeToTokenError,
    /// A refresh token was used.
    RefreshToken,
    /// A refresh token came back after its successor was used: the grant was revoked.
    RefreshReuse,
    /// A token was exchanged.
    TokenExchange,
    /// A token was not.
    TokenExchangeError,
    /// A client registered itself.
    ClientRegister,
    /// A client changed what it says about itself.
    ClientUpdate,
    /// A client took itself away.
    ClientDelete,
    /// A person allowed a client.
    GrantConsent,
    /// A person refused a client.
    ConsentDenied,
    /// A person withdrew a consent, or a client gave back a token.
    RevokeGrant,
    /// A device asked for a person's yes.
    Oauth2DeviceAuth,
    /// A person said yes to a device.
    Oauth2DeviceVerifyUserCode,
    /// A person said no to a device, or typed a code that no device has.
    Oauth2DeviceVerifyUserCodeError,
    /// A device got tokens.
    Oauth2DeviceCodeToToken,
    /// A device that had been approved did not.
    Oauth2DeviceCodeToTokenError,
    /// A session ended.
    Logout,
    /// A client could not be told of it, and is given up.
    BackchannelLogoutError,
    /// Too many failures: further attempts from the network wait. Told once for each wait.
    UserDisabledByTemporaryLockout,
    /// The realm's configuration changed.
    ConfigurationChanged,
    /// Signing keys were rotated.
    KeyRotated,
    /// A user's password changed.
    UpdatePassword,
    /// A person changed names or e-mail address of their own.
    UpdateProfile,
    /// A person set up a device for one-time codes.
    UpdateTotp,
    /// A person did something else that the account asked for: accepted the terms.
    CustomRequiredAction,
    /// An administrator made something.
    AdminCreate,
    /// An administrator changed something.
    AdminUpdate,
    /// An administrator took something away.
    AdminDelete,
    /// An administrator did something else: signed somebody out, reset a password.
    AdminAction,
}

impl AuditKind {
    /// The name as kept and shown.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
    }
}
