//! What an app asks a person to do at the sign-in, by Keycloak's parameter `kc_action`.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::protocol::session::Session;

/// Greatest age of the sign-in of whom an app asks, in seconds, as in Keycloak: whoever finds a browser open changes no
/// password.
const FRESH: i64 = 300;

/// Whether the person of `session` signed in a moment ago, and may go on to change what belongs to the account.
#[must_use]
pub fn is_fresh(session: &Session, now: Timestamp) -> bool {
    now.since(session.auth_time) <= FRESH
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The person did it.
    Success,
    /// The person left it undone.
    Cancelled,
}

impl Outcome {
    /// The value of `kc_action_status`.
    pub(super) fn status(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Whether this may name one of Keycloak's actions.
pub(super) fn is_action(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    !name.is_empty() && name.len() <= 64 && name.bytes().all(known)
}
