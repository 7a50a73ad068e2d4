//! When keys change hands: a new key is published before it signs, an old one is served until its last token is over.

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
