//! How a person signed in (`acr`, OpenID Connect Core §2), and what a client may ask of it (§5.5.1.1, RFC 9470 §4).
//!
//! A realm knows what it can do: a sign-in with a password, and one whose password is not older than a while. No name
//! stands for more than that.

use super::realm::RealmSettings;
use super::session::Session;
use crate::clock::Timestamp;

/// What a client wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The values, the dearest first; empty when any will do.
    pub values: Vec<String>,
    /// Whether one of them must be reached: else there is no answer but an error (OpenID Connect Core Unmet
    /// Authentication Requirements 1.0 §2).
    pub essential: bool,
}

impl Wish {
    /// The wish of a parameter `acr_values`, which is never essential (Core §3.1.2.1).
    #[must_use]
    pub fn of_parameter(acr_values: Option<&str>) -> Option<Self> {
        let values: Vec<String> =
            acr_values.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect();
        (!values.is_empty()).then_some(Self { values, essential: false })
    }

    /// Whether no sign-in in this realm can ever meet the wish, so that nobody need be troubled.
    #[must_use]
    pub fn is_beyond(&self, settings: &RealmSettings) -> bool {
        self.essential
            && !self.values.is_empty()
            && !self.values.iter().any(|value| is_known(value, settings))
    }
}

/// The values that a sign-in in this realm can have.
#[must_use]
pub fn supported(settings: &RealmSettings) -> Vec<&str> {
    let recent = settings.recent_acr.as_deref().filter(|recent| *recent != settings.password_acr);
    std::iter::once(settings.password_acr.as_str()).chain(recent).collect()
}

fn is_known(value: &str, settings: &RealmSettings) -> bool {
    supported(settings).contains(&value)
}

/// What a wish comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// This is what tokens say.
    Tell(&'a str),
    /// The password once more would do.
    ProveAgain,
    /// Nothing would.
    Unmet,
}

/// Holds a live session against the wish. `just_now` says that its person has signed in for this very request;
/// `silent`, that no page may be shown, so that a wish which is not essential takes what there is.
#[must_use]
pub fn judge<'a>(
    wish: Option<&'a Wish>,
    session: &'a Session,
    settings: &RealmSettings,
    now: Timestamp,
    (just_now, silent): (bool, bool),
) -> Verdict<'a> {
    let Some(wish) = wish.filter(|wish| !wish.values.is_empty()) else { return Verdict::Tell(&session.acr) };
    let is_recent = just_now || now.since(session.auth_time) < settings.recent_acr_age;
    let reached = |value: &String| {
        *value == session.acr || (is_recent && settings.recent_acr.as_deref() == Some(value.as_str()))
    };
    if let Some(first) =
        wish.values.iter().find(|value| reached(value) || (!silent && !just_now && is_known(value, settings)))
    {
        return if reached(first) { Verdict::Tell(first) } else { Verdict::ProveAgain };
    }
    match (wish.essential, wish.values.iter().any(|value| is_known(value, settings))) {
        (false, _) => Verdict::Tell(&session.acr),
        (true, true) if silent => Verdict::ProveAgain,
        (true, _) => Verdict::Unmet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(10_000);

    fn settings() -> RealmSettings {
        RealmSettings {
            password_acr: "pwd".into(),
            recent_acr: Some("recent".into()),
            recent_acr_age: 300,
            ..RealmSettings::default()
        }
    }

    fn session(auth_time: i64, acr: &str) -> Session {
        Session {
            id: "sid".into(),
            realm_id: "r".into(),
            user_id: "alice".into(),
            auth_time: Timestamp(auth_time),
            acr: acr.into(),
            remembered: false,
            started_at: Timestamp(auth_time),
            last_seen_at: NOW,
            ended_at: None,
            address: String::new(),
            user_agent: String::new(),
        }
    }

    #[test]
    fn acr_values_are_words_in_order() {
        let wish = Wish::of_parameter(Some(" urn:a  urn:b ")).unwrap();
        assert_eq!((wish.values, wish.essential), (vec!["urn:a".to_owned(), "urn:b".to_owned()], false));
        assert_eq!(Wish::of_parameter(None), None);
        assert_eq!(Wish::of_parameter(Some("  ")), None);
    }

    #[test]
    fn a_wish_is_met_by_what_is_or_by_the_password_once_more() {
        use Verdict::{ProveAgain, Tell, Unmet};
        let (old, fresh) = (session(9_000, "pwd"), session(9_900, "pwd"));
        let (page, silent, done) = ((false, false), (false, true), (true, false));
        for (case, values, essential, session, moment, verdict) in [
            ("nothing wished", "", true, &old, page, Tell("pwd")),
            ("what there is", "pwd", true, &old, page, Tell("pwd")),
            ("recent, and it is", "recent", true, &fresh, page, Tell("recent")),
            ("recent, and it is not", "recent", false, &old, page, ProveAgain),
            ("recent, essential, and it is not", "recent", true, &old, page, ProveAgain),
            ("recent after the password", "recent", true, &old, done, Tell("recent")),
            ("the dearest first", "recent pwd", false, &old, page, ProveAgain),
            ("the cheapest first", "pwd recent", false, &old, page, Tell("pwd")),
            ("unknown ones are passed over", "gold recent", false, &fresh, page, Tell("recent")),
            ("voluntary and unknown", "gold", false, &old, page, Tell("pwd")),
            ("essential and unknown", "gold silver", true, &old, page, Unmet),
            ("silent: the best that there is", "recent pwd", false, &old, silent, Tell("pwd")),
            ("silent and voluntary", "recent", false, &old, silent, Tell("pwd")),
            ("silent and essential", "recent", true, &old, silent, ProveAgain),
            ("essential and unknown, after the password", "gold", true, &old, done, Unmet),
        ] {
            let wish = Wish { essential, ..Wish::of_parameter(Some(values)).unwrap_or_default() };
            assert_eq!(judge(Some(&wish), session, &settings(), NOW, moment), verdict, "{case}");
        }
        assert_eq!(judge(None, &old, &settings(), NOW, page), Tell("pwd"));
    }

    #[test]
    fn a_session_from_before_the_realm_renamed_its_value_says_what_it_was() {
        let earlier = session(9_900, "1");
        assert_eq!(judge(None, &earlier, &settings(), NOW, (false, false)), Verdict::Tell("1"));
        let wish = Wish { values: vec!["pwd".into()], essential: true };
        assert_eq!(judge(Some(&wish), &earlier, &settings(), NOW, (false, false)), Verdict::ProveAgain);
    }

    #[test]
    fn what_no_sign_in_can_reach_is_known_before_anybody_signs_in() {
        let wish = |values: &str, essential| Wish { essential, ..Wish::of_parameter(Some(values)).unwrap() };
        assert!(wish("gold", true).is_beyond(&settings()));
        assert!(!wish("gold", false).is_beyond(&settings()));
        assert!(!wish("gold recent", true).is_beyond(&settings()));
        assert!(!Wish { values: vec![], essential: true }.is_beyond(&settings()));
        assert!(wish("recent", true).is_beyond(&RealmSettings::default()), "no such level in this realm");
        assert_eq!(supported(&settings()), ["pwd", "recent"]);
    }
}
