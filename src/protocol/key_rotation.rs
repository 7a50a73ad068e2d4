//! When keys change hands: a new key is published before it signs, an old one is served until its last token is over, and
//! knows its ID tokens as hints until their last session is.

use super::realm::RealmSettings;
use super::{authorize, backchannel_logout};
use crate::clock::Timestamp;

/// How long others may keep the key set and the metadata, in seconds.
pub const DOCUMENT_MAX_AGE: i64 = 300;
/// Seconds added on both sides, for clocks that differ.
const MARGIN: i64 = 60;

/// The times of one rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the new key begins to sign.
    pub signs_from: Timestamp,
    /// Until when the old keys are served.
    pub old_served_until: Timestamp,
}

/// What becomes of a key when the realm gets a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It goes before it has signed anything: a newer key signs before it would have begun to.
    Never,
    /// It is served until then, unless it was to go sooner already.
    ServedUntil(Timestamp),
}

impl Times {
    /// What becomes of a key that signs from `signs_from`. One that was to begin later than the new key would be the
    /// newest when its moment came, and take over though its end is set.
    #[must_use]
    pub fn fate_of(&self, signs_from: Timestamp) -> Fate {
        if signs_from > self.signs_from { Fate::Never } else { Fate::ServedUntil(self.old_served_until) }
    }
}

/// Until when a key must be served that signs still at `now` though its successor is published, in a realm (or for a
/// client) whose tokens last `longest_token` seconds from now on.
#[must_use]
pub fn outlived_by(now: Timestamp, longest_token: i64) -> Timestamp {
    times(now, longest_token, false).old_served_until
}

/// The times of a rotation that is ordered `now`, in a realm whose longest token lasts `longest_token` seconds.
/// `at_once` gives up the wait for others to learn the new key. What else is signed may last longer than that token: an
/// authorization response, a logout token. Answers of introspection have no end, and are read when they arrive.
#[must_use]
pub fn times(now: Timestamp, longest_token: i64, at_once: bool) -> Times {
    let wait = if at_once { 0 } else { DOCUMENT_MAX_AGE.saturating_add(MARGIN) };
    let signs_from = now.plus(wait);
    let longest = longest_token.max(authorize::SIGNED_FOR).max(backchannel_logout::LIFETIME);
    Times { signs_from, old_served_until: signs_from.plus(longest).plus(MARGIN) }
}

/// Seconds after the end of its time for which a key still knows its ID tokens when they come back as a hint (RP-Initiated
/// Logout 1.0 §2): as long as a session that one of them names may live.
#[must_use]
pub fn hints_for(settings: &RealmSettings) -> i64 {
    settings.session_max.max(settings.remember_me_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ft15_no_token_ever_lacks_its_key() {
        let now = Timestamp(1_000);
        let gentle = times(now, 3_600, false);
        assert!(
            gentle.signs_from >= now.plus(DOCUMENT_MAX_AGE),
            "a kept key set is older than the new key's first token"
        );
        assert!(
            gentle.old_served_until >= gentle.signs_from.plus(3_600),
            "the last token of the old key outlives it"
        );
        assert_eq!(times(now, 300, true).signs_from, now);
    }

    /// Where tokens are short, what is signed beside them is longer (reliability I5).
    /// A rotation at once that follows a gentle one: what the gentle one made never signs.
    #[test]
    fn ft15_a_key_that_has_not_begun_when_a_newer_one_signs_never_does() {
        let gentle = times(Timestamp(1_000), 300, false);
        let at_once = times(Timestamp(1_010), 300, true);
        assert_eq!(at_once.fate_of(gentle.signs_from), Fate::Never);
        assert_eq!(at_once.fate_of(Timestamp(500)), Fate::ServedUntil(at_once.old_served_until));
        let again = times(Timestamp(1_010), 300, false);
        let fate = again.fate_of(gentle.signs_from);
        assert_eq!(fate, Fate::ServedUntil(again.old_served_until), "it signs until the second one does");
    }

    #[test]
    fn ft15_no_answer_lacks_its_key_either() {
        for longest_token in [1, 60, 239, 300, 3_600] {
            let times = times(Timestamp(1_000), longest_token, true);
            for lifetime in [longest_token, authorize::SIGNED_FOR, backchannel_logout::LIFETIME] {
                assert!(
                    times.old_served_until >= times.signs_from.plus(lifetime),
                    "{longest_token} {lifetime}"
                );
            }
        }
    }
}
