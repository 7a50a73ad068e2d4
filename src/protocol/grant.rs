//! A grant: what one user (or one service) let one client do. Everything issued hangs on it, so that revoking the
//! grant revokes what it issued and what it may still issue.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::authorization_details::Detail;
use super::claims_request::ClaimNames;
use super::confirmation::Confirmation;
use crate::clock::Timestamp;

/// A grant as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Identifier (UUID).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// `id` of the client that holds it.
    pub client: String,
    /// Who gave it.
    pub user_id: String,
    /// The session it was given in; an offline grant outlives that session.
    pub session_id: Option<String>,
    /// What was granted: scope tokens, space-separated.
    pub scope: String,
    /// Whether it outlives the session (`offline_access`, OpenID Connect Core §11).
    pub offline: bool,
    /// `auth_time` of the sign-in it rests on.
    pub auth_time: Timestamp,
    /// `acr` of the sign-in it rests on.
    pub acr: String,
    /// `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// What was granted beside the scopes.
    pub request: GrantRequest,
    /// What the first tokens were bound to: a public client's refresh tokens still are (RFC 9449 §5). Of a confidential
    /// client it says that tokens stay bound, to whatever key the client then proves.
    pub confirmation: Option<Confirmation>,
    /// The grant that it was made from by token exchange (RFC 8693), and with which it ends.
    pub parent: Option<Parent>,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it was last used to refresh.
    pub last_used_at: Timestamp,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

/// The grant that another was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its identifier.
    pub id: String,
    /// When it ends if it is not used again.
    pub expires_at: Timestamp,
}

/// What a request asked for beside its scope, as far as it was granted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantRequest {
    /// Claims that were asked for one by one (OpenID Connect Core §5.5).
    #[serde(skip_serializing_if = "ClaimNames::is_empty")]
    pub claims: ClaimNames,
    /// The audiences of its access tokens when they were asked for (RFC 8707, RFC 8693); empty = the client's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
    /// Details (RFC 9396).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Detail>,
    /// What its exchange said, when it was made by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exchange: Option<GrantExchange>,
}

/// What every token of an exchange says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantExchange {
    /// `id` of the client whose token was exchanged.
    pub origin: String,
    /// `act`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<Value>,
    /// `may_act`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_act: Option<Value>,
}

impl GrantRequest {
    /// Whether there was nothing beside the scopes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
