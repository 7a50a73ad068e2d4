//! A session: one browser in which one user is signed in (`sid` of OpenID Connect Front-Channel Logout 1.0 §3).

use super::realm::RealmSettings;
use crate::clock::Timestamp;

/// A session as it is kept. The browser holds a random value whose fingerprint stands in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Identifier (UUID) and `sid` of its tokens; not a credential.
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// Who is signed in.
    pub user_id: String,
    /// When the user last proved who they are (`auth_time`).
    pub auth_time: Timestamp,
    /// How (`acr`).
    pub acr: String,
    /// Whether the person asked to be remembered.
    pub remembered: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// When it was last used.
    pub last_seen_at: Timestamp,
    /// When it ended, by sign-out or by an operator.
    pub ended_at: Option<Timestamp>,
    /// Network address it began from.
    pub address: String,
    /// Browser it began in, as it names itself (at most 256 characters).
    pub user_agent: String,
}

impl Session {
    /// Whether the session still counts at `now`: not ended, not idle, not over its age.
    #[must_use]
    pub fn is_live(&self, settings: &RealmSettings, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.ends_at(settings)
    }

    /// When it will end if it is not used again: idle, or over its age.
    #[must_use]
    pub fn ends_at(&self, settings: &RealmSettings) -> Timestamp {
        self.idle_at(settings).min(self.over_at(settings))
    }

    /// The same session, used at `now`.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> Self {
        Self { last_seen_at: now, ..self.clone() }
    }

    /// When it will have been idle for too long.
    #[must_use]
    pub fn idle_at(&self, settings: &RealmSettings) -> Timestamp {
        let idle = if self.remembered { settings.remember_me_idle } else { settings.session_idle };
        self.last_seen_at.plus(idle)
    }

    /// When it will end however much it is used.
    #[must_use]
    pub fn over_at(&self, settings: &RealmSettings) -> Timestamp {
        let max = if self.remembered { settings.remember_me_max } else { settings.session_max };
        self.started_at.plus(max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::client::{Client, ClientSettings};
    use crate::protocol::grant::Grant;
    use crate::protocol::grants::refresh_token::expires_at;

    fn session(started_at: i64, last_seen_at: i64, remembered: bool) -> Session {
        Session {
            id: String::new(),
            realm_id: String::new(),
            user_id: String::new(),
            auth_time: Timestamp(started_at),
            acr: String::new(),
            remembered,
            started_at: Timestamp(started_at),
            last_seen_at: Timestamp(last_seen_at),
            ended_at: None,
            address: String::new(),
            user_agent: String::new(),
        }
    }

    fn grant(offline: bool) -> Grant {
        Grant {
            id: String::new(),
            realm_id: String::new(),
            client: String::new(),
            user_id: String::new(),
            session_id: None,
            scope: String::new(),
            offline,
            auth_time: Timestamp(0),
            acr: String::new(),
            nonce: None,
            request: Default::default(),
            parent: None,
            confirmation: None,
            created_at: Timestamp(0),
            last_used_at: Timestamp(0),
            revoked_at: None,
        }
    }

    fn client() -> Client {
        Client {
            id: String::new(),
            realm_id: String::new(),
            client_id: String::new(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings::default(),
        }
    }

    /// A moment, often at the ends of what there is.
    fn moment() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), Just(i64::MAX), Just(i64::MIN), Just(0), 0..4_000_000_000_i64]
    }

    proptest! {
        #[test]
        fn z26_what_is_over_stays_over(
            started in moment(),
            seen in moment(),
            now in moment(),
            later in 0..i64::MAX,
            remembered: bool,
        ) {
            let (settings, session) = (RealmSettings::default(), session(started, seen, remembered));
            let now = Timestamp(now);
            let over = !session.is_live(&settings, now);
            if over {
                prop_assert!(!session.is_live(&settings, now.plus(later)));
            }
            prop_assert_eq!(over, now >= session.idle_at(&settings).min(session.over_at(&settings)));
        }

        #[test]
        fn z26_a_refresh_token_never_outlives_its_session(started in moment(), now in moment(), remembered: bool) {
            let (settings, session) = (RealmSettings::default(), session(started, now, remembered));
            let ends = expires_at(&grant(false), &client(), Some(&session), &settings, Timestamp(now));
            prop_assert!(ends <= session.over_at(&settings));
            prop_assert!(!session.is_live(&settings, ends));
            let offline = expires_at(&grant(true), &client(), Some(&session), &settings, Timestamp(now));
            prop_assert_eq!(offline, Timestamp(now).plus(settings.offline_idle));
        }
    }
}
