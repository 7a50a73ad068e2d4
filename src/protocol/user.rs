//! A user: a person, or the service account of a client.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::clock::Timestamp;

/// A user as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Identifier (UUID) and `sub` of the user's tokens.
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// Name to sign in with, in canonical form (see [`canonical`]).
    pub username: String,
    /// E-mail address as given.
    pub email: Option<String>,
    /// Whether the address was proven.
    pub email_verified: bool,
    /// A user that is not enabled cannot sign in, and its tokens are refused.
    pub enabled: bool,
    /// `given_name`.
    pub first_name: Option<String>,
    /// `family_name`.
    pub last_name: Option<String>,
    /// Further attributes, each with one or more values.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// What the person must do at the next sign-in, by Keycloak's names (`UPDATE_PASSWORD`, …).
    pub required_actions: Vec<String>,
    /// `id` of the client whose service account this is.
    pub service_account_client: Option<String>,
    /// Tokens issued before this moment are refused.
    pub not_before: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a user holds by assignment: composites are not expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserRoles {
    /// Identifiers of the roles: the user's own, and those of the user's groups and of the groups above them.
    pub role_ids: Vec<String>,
    /// Paths of the groups that the user is a member of.
    pub group_paths: Vec<String>,
}

impl User {
    /// A user who may sign in, with a name (taken as it is) and nothing else.
    #[must_use]
    pub fn new(realm_id: &str, id: &str, username: &str, created_at: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            realm_id: realm_id.to_owned(),
            username: username.to_owned(),
            email: None,
            email_verified: false,
            enabled: true,
            first_name: None,
            last_name: None,
            attributes: BTreeMap::new(),
            required_actions: Vec::new(),
            service_account_client: None,
            not_before: None,
            created_at,
        }
    }

    /// `name` of the user: first and last name, as far as they are known.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        let name = [self.first_name.as_deref(), self.last_name.as_deref()]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        (!name.is_empty()).then_some(name)
    }
}

/// One spelling for a user name or e-mail address: trimmed, NFKC, lower case. Equal canonical forms are one account,
/// so look-ups, uniqueness and the brute-force brake all use it.
#[must_use]
pub fn canonical(name: &str) -> String {
    // Lower-casing can undo normalisation (and the reverse), so both are repeated once.
    let once = name.trim().nfkc().collect::<String>().to_lowercase();
    once.nfkc().collect::<String>().to_lowercase().trim().to_owned()
}

/// The user name of a client's service account, as Keycloak spells it.
#[must_use]
pub fn service_account_name(client_id: &str) -> String {
    format!("service-account-{}", canonical(client_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_account() {
        for spelling in ["alice", "ALICE", " alice", "ＡＬＩＣＥ", "Alice\u{a0}"] {
            assert_eq!(canonical(spelling), "alice", "{spelling:?}");
        }
    }

    /// What some letters become in one step becomes something else in the next.
    #[test]
    fn z19_no_letter_has_two_canonical_forms() {
        for letter in '\u{0}'..='\u{2ffff}' {
            for name in [String::from(letter), format!("a{letter}"), format!("{letter}\u{345}")] {
                let once = canonical(&name);
                assert_eq!(canonical(&once), once, "{name:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn z19_spellings_of_one_name_are_counted_as_one(name in "\\PC{0,40}") {
            let rule = crate::protocol::realm::BruteForce::default();
            let address = std::net::Ipv4Addr::LOCALHOST.into();
            let counters = |name: &str| crate::protocol::brake::counters(&canonical(name), address, false, &rule);
            for spelling in [format!(" {name} "), name.to_uppercase().to_lowercase()] {
                if canonical(&spelling) == canonical(&name) {
                    proptest::prop_assert_eq!(counters(&spelling), counters(&name));
                }
            }
        }

        #[test]
        fn canonical_is_idempotent(name in "\\PC{0,40}") {
            let once = canonical(&name);
            proptest::prop_assert_eq!(canonical(&once), once);
        }
    }
}
