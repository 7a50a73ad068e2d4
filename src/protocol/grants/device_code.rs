//! The device code grant at the token endpoint (RFC 8628 §3.4, §3.5): how far a device's request is, and whether the yes
//! that it got still counts.

use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::device_code::{Approval, DeviceCode};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::realm::RealmSettings;
use crate::protocol::session::Session;
use crate::protocol::standing::not_before;
use crate::protocol::user::{User, UserRoles};

/// How far a device's request is.
#[derive(Clone, Debug, PartialEq)]
pub enum State<'a> {
    /// Nobody has answered yet: count the poll, and let the device wait.
    Pending,
    /// A person said yes: ask [`check`] about that person.
    Approved(&'a Approval),
    /// There is nothing to wait for.
    Refuse(OAuthError),
}

/// The one answer to a device code that is not good, whatever the reason.
#[must_use]
pub fn not_valid() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "Device code not valid")
}

/// The answer while nobody has answered (RFC 8628 §3.5); `too_fast` when the device did not wait its interval.
#[must_use]
pub fn pending(too_fast: bool) -> OAuthError {
    if too_fast {
        OAuthError::new(ErrorCode::SlowDown, "Wait five seconds more between polls")
    } else {
        OAuthError::new(ErrorCode::AuthorizationPending, "The person has not answered yet")
    }
}

/// How far the request is for the authenticated `client`. The binding to the client is looked at first: to another one
/// the code does not exist (attacks D01). An answer is told at once, however soon the device comes back for it.
#[must_use]
pub fn state<'a>(code: Option<&'a DeviceCode>, client: &Client, now: Timestamp) -> State<'a> {
    let Some(code) = code.filter(|code| code.client == client.id && code.redeemed_at.is_none()) else {
        return State::Refuse(not_valid());
    };
    if code.denied_at.is_some() {
        return State::Refuse(OAuthError::new(ErrorCode::AccessDenied, "The person refused"));
    }
    if now >= code.expires_at {
        return State::Refuse(OAuthError::new(ErrorCode::ExpiredToken, "The device code has expired"));
    }
    code.approval.as_ref().map_or(State::Pending, State::Approved)
}

/// What is known now of the person who said yes.
#[derive(Clone, Debug)]
pub struct Approver {
    /// The person.
    pub user: User,
    /// What that person holds.
    pub roles: UserRoles,
    /// The session in which they said it, while the store still has it.
    pub session: Option<Session>,
    /// Until when the account is locked after too many wrong passwords.
    pub locked_until: Option<Timestamp>,
}

/// Whether the yes still counts (attacks D05, U04).
///
/// # Errors
/// `invalid_grant` when the user is disabled or locked, tokens from before some later moment are refused, or the session
/// has ended.
pub fn check(
    approval: &Approval,
    approver: &Approver,
    client: &Client,
    settings: &RealmSettings,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let refuse = |why: &'static str| Err(OAuthError::new(ErrorCode::InvalidGrant, why));
    let Approver { user, session, locked_until, .. } = approver;
    if !user.enabled {
        return refuse("The user is disabled");
    }
    if locked_until.is_some_and(|until| now < until) {
        return refuse("The user is locked for a while");
    }
    if not_before(settings, client, user).is_some_and(|not_before| approval.at < not_before) {
        return Err(not_valid());
    }
    if !session.as_ref().is_some_and(|session| session.is_live(settings, now)) {
        return refuse("The session has ended");
    }
    Ok(())
}

#[cfg(test)]
#[path = "device_code_tests.rs"]
mod tests;
