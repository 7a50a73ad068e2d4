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
        self.ended_at.is_none() && now < self.idle_at(settings) && now < self.over_at(settings)
    }

    /// When it will end if it is not used again.
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
