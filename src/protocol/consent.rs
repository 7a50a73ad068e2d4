//! Consent: what a user allowed a client, remembered until it is withdrawn.

use std::collections::BTreeSet;

use super::session::Session;
use crate::clock::Timestamp;
use crate::secrets;

/// A consent as it is kept: one per user and client.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// The realm it belongs to.
    pub realm_id: String,
    /// Who allowed it.
    pub user_id: String,
    /// `id` of the client that was allowed.
    pub client: String,
    /// Scope tokens that were allowed.
    pub scopes: BTreeSet<String>,
    /// When it was first given.
    pub granted_at: Timestamp,
    /// When it was last widened.
    pub updated_at: Timestamp,
}

/// Names one question: may `client` (its `id`) have what is `asked`, scopes and a fingerprint of details, of the person of `session`. An answer counts for the
/// question that was on the page and for no other, whatever changed since: who is signed in, or what is asked
/// (attacks S01, S07).
#[must_use]
pub fn question(session: &Session, client: &str, asked: &[&str]) -> String {
    // Identifiers, scope tokens and fingerprints hold neither a newline nor a space.
    secrets::fingerprint(&[&session.id, &session.user_id, client, &asked.join(" ")].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_each_question_has_its_own_name() {
        let session = |id: &str, user: &str| Session {
            id: id.into(),
            realm_id: "r".into(),
            user_id: user.into(),
            auth_time: Timestamp(0),
            acr: "1".into(),
            remembered: false,
            started_at: Timestamp(0),
            last_seen_at: Timestamp(0),
            ended_at: None,
            address: String::new(),
            user_agent: String::new(),
        };
        let asked = question(&session("s", "alice"), "app", &["email", "profile"]);
        let used_since = Session { last_seen_at: Timestamp(9), ..session("s", "alice") };
        assert_eq!(asked, question(&used_since, "app", &["email", "profile"]));
        for (case, other) in [
            ("another session", question(&session("t", "alice"), "app", &["email", "profile"])),
            ("another person", question(&session("s", "bob"), "app", &["email", "profile"])),
            ("another client", question(&session("s", "alice"), "web", &["email", "profile"])),
            ("more is asked", question(&session("s", "alice"), "app", &["email", "phone", "profile"])),
            ("nothing is asked", question(&session("s", "alice"), "app", &[])),
        ] {
            assert_ne!(asked, other, "{case}");
        }
    }
}
