//! The refresh token grant (RFC 6749 §6): who may refresh. Rotation itself is one guarded statement of the store.

use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::realm::RealmSettings;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::session::Session;
use crate::protocol::standing::not_before;
use crate::protocol::user::User;

/// A refresh token with the records that it hangs on.
#[derive(Clone, Debug)]
pub struct RefreshRecord {
    /// The token.
    pub token: RefreshToken,
    /// Its grant.
    pub grant: Grant,
    /// Who gave the grant.
    pub user: User,
    /// The session it was given in, while the store still has it.
    pub session: Option<Session>,
}

/// The one answer to a refresh token that is not good.
#[must_use]
pub fn not_valid() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "Token is not active")
}

/// Whether the authenticated `client` may try to rotate this token. Being used before is not looked at here: the
/// store's guarded statement decides that, and tells a retry from a replay.
///
/// # Errors
/// `invalid_grant` when the token is another client's (first, so that it cannot hurt that client: F04), expired or too
/// old, its grant revoked, its user disabled or its session over.
pub fn check(
    record: Option<&RefreshRecord>,
    client: &Client,
    settings: &RealmSettings,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let Some(RefreshRecord { token, grant, user, session }) = record.filter(|r| r.grant.client == client.id)
    else {
        return Err(not_valid());
    };
    if now >= token.expires_at || grant.revoked_at.is_some() {
        return Err(not_valid());
    }
    if !user.enabled {
        return Err(OAuthError::new(ErrorCode::InvalidGrant, "The user is disabled"));
    }
    if not_before(settings, client, user).is_some_and(|not_before| token.issued_at < not_before) {
        return Err(not_valid());
    }
    let in_session = grant.offline || session.as_ref().is_some_and(|session| session.is_live(settings, now));
    if !in_session {
        return Err(OAuthError::new(ErrorCode::InvalidGrant, "Session not active"));
    }
    Ok(())
}

/// Whether a request that proved to hold the key `shown` may refresh what hangs on `grant`. A public client's tokens
/// are bound to the key that it began with; a confidential one proves itself and may change its key, but not go back to
/// tokens that are bound to none (RFC 9449 §5).
///
/// # Errors
/// `invalid_dpop_proof` without a proof, `invalid_grant` for another key (F08).
pub fn check_key(grant: &Grant, client: &Client, shown: Option<&Confirmation>) -> Result<(), OAuthError> {
    match (&grant.confirmation, shown) {
        (None, _) => Ok(()),
        (Some(_), Some(_)) if !client.is_public() => Ok(()),
        (Some(bound), shown) => bound.admits(shown),
    }
}

/// When a refresh token issued now stops being good: with the session's idle limit and never after its greatest age;
/// for an offline grant, when idle for too long.
#[must_use]
pub fn expires_at(
    grant: &Grant,
    session: Option<&Session>,
    settings: &RealmSettings,
    now: Timestamp,
) -> Timestamp {
    match session {
        Some(session) if !grant.offline => {
            let idle = if session.remembered { settings.remember_me_idle } else { settings.session_idle };
            now.plus(idle).min(session.over_at(settings))
        }
        _ => now.plus(settings.offline_idle),
    }
}
