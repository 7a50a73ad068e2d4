//! The refresh token grant (RFC 6749 §6): who may refresh, and for how long. Rotation itself is one guarded statement of
//! the store.

use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::realm::RealmSettings;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::session::Session;
use crate::protocol::standing::not_before;
use crate::protocol::user::{User, UserRoles};

/// A refresh token with the records that it hangs on.
#[derive(Clone, Debug)]
pub struct RefreshRecord {
    /// The token.
    pub token: RefreshToken,
    /// Its grant.
    pub grant: Grant,
    /// Who gave the grant.
    pub user: User,
    /// What that user holds.
    pub roles: UserRoles,
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
/// old, its grant revoked or over, its user disabled or its session over.
pub fn check(
    record: Option<&RefreshRecord>,
    client: &Client,
    settings: &RealmSettings,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let Some(RefreshRecord { token, grant, user, session, .. }) =
        record.filter(|r| r.grant.client == client.id)
    else {
        return Err(not_valid());
    };
    let over = over_at(grant, client, settings).is_some_and(|over| now >= over);
    if now >= token.expires_at || over || grant.revoked_at.is_some() {
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

/// When a refresh token issued now stops being good: with the session's idle limit or the client's, whichever comes
/// first, and never after the session's greatest age; for an offline grant, when idle for too long. Refreshing never
/// moves the end of the grant itself ([`over_at`]).
#[must_use]
pub fn expires_at(
    grant: &Grant,
    client: &Client,
    session: Option<&Session>,
    settings: &RealmSettings,
    now: Timestamp,
) -> Timestamp {
    let idle = match session {
        Some(session) if !grant.offline => {
            let of_session =
                if session.remembered { settings.remember_me_idle } else { settings.session_idle };
            let idle = client.settings.session_idle.map_or(of_session, |own| own.min(of_session));
            now.plus(idle).min(session.over_at(settings))
        }
        _ => now.plus(client.settings.offline_idle.unwrap_or(settings.offline_idle)),
    };
    over_at(grant, client, settings).map_or(idle, |over| idle.min(over))
}

/// Until when a grant is needed: it outlives its last access token, so that live checks find it.
#[must_use]
pub fn needed_until(
    refresh: Option<&RefreshToken>,
    client: &Client,
    settings: &RealmSettings,
    now: Timestamp,
) -> Timestamp {
    let access = now.plus(client.access_token_lifetime(settings));
    refresh.map_or(access, |token| token.expires_at.max(access))
}

/// When nothing is refreshed from the grant any more, however much it is used (F08); none when only its session ends
/// it. An offline grant has the client's limit, else the realm's; another one the client's. What was made from another
/// grant ends with that one.
#[must_use]
pub fn over_at(grant: &Grant, client: &Client, settings: &RealmSettings) -> Option<Timestamp> {
    let max = if grant.offline {
        client.settings.offline_max.or(settings.offline_max)
    } else {
        client.settings.session_max
    };
    let own = max.map(|max| grant.created_at.plus(max));
    let with_parent = grant.parent.as_ref().map(|parent| parent.expires_at);
    own.into_iter().chain(with_parent).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;
    use crate::protocol::grant::{GrantRequest, Parent};

    const START: Timestamp = Timestamp(100_000);

    struct World {
        grant: Grant,
        client: ClientSettings,
        session: Session,
        settings: RealmSettings,
    }

    fn good() -> World {
        World {
            grant: Grant {
                id: "grant".into(),
                realm_id: "realm".into(),
                client: "web-id".into(),
                user_id: "user".into(),
                session_id: Some("session".into()),
                scope: "openid".into(),
                offline: false,
                auth_time: START,
                acr: "1".into(),
                nonce: None,
                request: GrantRequest::default(),
                confirmation: None,
                parent: None,
                created_at: START,
                last_used_at: START,
                revoked_at: None,
            },
            client: ClientSettings::default(),
            session: Session {
                id: "session".into(),
                realm_id: "realm".into(),
                user_id: "user".into(),
                auth_time: START,
                acr: "1".into(),
                remembered: false,
                started_at: START,
                last_seen_at: START,
                ended_at: None,
                address: String::new(),
                user_agent: String::new(),
            },
            settings: RealmSettings {
                session_idle: 100,
                session_max: 1_000,
                offline_idle: 2_000,
                ..RealmSettings::default()
            },
        }
    }

    type Change = fn(&mut World);

    /// Each row: seconds after the start, and after how many more the token ends.
    #[test]
    fn f08b_a_refresh_token_ends_at_the_first_of_its_limits() {
        let offline: Change = |w| w.grant.offline = true;
        let rows: [(&str, Change, i64, i64); 15] = [
            ("idle", |_| {}, 0, 100),
            ("the session's age", |_| {}, 950, 50),
            ("remembered", |w| (w.session.remembered, w.settings.remember_me_idle) = (true, 400), 0, 400),
            ("a client's shorter idle", |w| w.client.session_idle = Some(30), 0, 30),
            ("a client's longer idle counts for nothing", |w| w.client.session_idle = Some(300), 0, 100),
            ("a client's age", |w| w.client.session_max = Some(500), 450, 50),
            ("a client's age counts from its grant", later_grant, 450, 100),
            ("offline: idle", offline, 5_000, 2_000),
            (
                "offline: a client's idle",
                |w| (w.grant.offline, w.client.offline_idle) = (true, Some(3_000)),
                0,
                3_000,
            ),
            (
                "offline: the realm's age",
                |w| (w.grant.offline, w.settings.offline_max) = (true, Some(6_000)),
                5_000,
                1_000,
            ),
            ("offline: a client's age", both_ages, 6_000, 1_000),
            (
                "offline: no session's age",
                |w| (w.grant.offline, w.client.session_max) = (true, Some(1)),
                0,
                2_000,
            ),
            ("a session has no offline age", |w| w.settings.offline_max = Some(1), 0, 100),
            ("made from another grant", |w| w.grant.parent = parent(60), 0, 60),
            ("made from another grant, later", |w| w.grant.parent = parent(600), 0, 100),
        ];
        for (row, change, after, expected) in rows {
            let mut world = good();
            change(&mut world);
            let client = Client {
                id: "web-id".into(),
                realm_id: "realm".into(),
                client_id: "web".into(),
                enabled: true,
                secret_hash: None,
                settings: world.client,
            };
            let now = START.plus(after);
            let ends = expires_at(&world.grant, &client, Some(&world.session), &world.settings, now);
            assert_eq!(ends.since(now), expected, "{row}");
        }
    }

    fn later_grant(world: &mut World) {
        world.client.session_max = Some(500);
        world.grant.created_at = START.plus(300);
    }

    fn both_ages(world: &mut World) {
        world.grant.offline = true;
        world.settings.offline_max = Some(6_000);
        world.client.offline_max = Some(7_000);
    }

    fn parent(after: i64) -> Option<Parent> {
        Some(Parent { id: "parent".into(), expires_at: START.plus(after) })
    }
}
