//! A realm: an issuer with its own keys, clients, users, roles, groups, scopes and sessions.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::authorization_details::DetailType;
use super::client::{GrantType, Pkce};
use super::register::Registration;
use super::trusted_issuer::TrustedIssuer;
use crate::clock::Timestamp;

/// A realm as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Realm {
    /// Identifier (UUID); every row of the realm carries it.
    pub id: String,
    /// Name in addresses: `/realms/{name}`.
    pub name: String,
    /// What people call it, shown on its pages.
    pub display_name: Option<String>,
    /// A realm that is not enabled answers as if it did not exist.
    pub enabled: bool,
    /// Everything that rarely changes.
    pub settings: RealmSettings,
    /// Grows with every change to the realm's configuration.
    pub version: i64,
}

impl Realm {
    /// The name that people read: the display name, else the name.
    #[must_use]
    pub fn title(&self) -> &str {
        self.display_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    /// The name of the composite role that every user of the realm has.
    #[must_use]
    pub fn default_role(&self) -> String {
        format!("default-roles-{}", self.name.to_lowercase())
    }
}

/// Longest span of anything that is issued or kept for somebody, in seconds: ten years.
pub const LONGEST_LIFETIME: i64 = 3_650 * 86_400;

/// Whether `name` can name a realm: 1–64 letters, digits, `-`, `_`, `.`, beginning with a letter or digit, since it
/// stands in addresses and in cookie names.
#[must_use]
pub fn is_realm_name(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// Lifetimes and switches of a realm. Spans are in seconds. The defaults are Keycloak's, where it has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RealmSettings {
    /// `alg` of access and ID tokens: `RS256` (OpenID Connect's default), `PS256`, `ES256` or `EdDSA`.
    pub signature_algorithm: String,
    /// Access token lifetime.
    pub access_token: i64,
    /// Authorization code lifetime (RFC 6749 §4.1.2; FAPI 2.0 asks for at most 60).
    pub code: i64,
    /// How long a pushed authorization request may be opened (RFC 9126 §2.2).
    pub pushed_request: i64,
    /// Whether every authorization request must be pushed (RFC 9126 §5).
    pub require_pushed_authorization_requests: bool,
    /// How long a device waits for a person's yes (RFC 8628 §3.2).
    pub device_code: i64,
    /// How long a sign-in may take, from the authorization request to the last form.
    pub login: i64,
    /// A session ends when unused for this long; refresh tokens live as long.
    pub session_idle: i64,
    /// A session ends this long after sign-in, used or not.
    pub session_max: i64,
    /// Whether the sign-in page offers to remember the person.
    pub remember_me: bool,
    /// `session_idle` of a remembered session.
    pub remember_me_idle: i64,
    /// `session_max` of a remembered session.
    pub remember_me_max: i64,
    /// Offline grants end when unused for this long (OpenID Connect Core §11).
    pub offline_idle: i64,
    /// Offline grants end this long after they were given, used or not; none = they do not.
    pub offline_max: Option<i64>,
    /// A used refresh token is accepted again for this long while its successor is unused; 0 is strict.
    pub refresh_retry_window: i64,
    /// Whether DPoP proofs must carry a nonce of this server, which dates them by its clock (RFC 9449 §8).
    pub dpop_nonce: bool,
    /// Tokens issued before this moment are refused.
    pub not_before: Option<Timestamp>,
    /// Other issuers whose tokens may be exchanged (RFC 8693).
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The brake on guessing passwords.
    pub brute_force: BruteForce,
    /// Address of the realm's logo (`https:` or `data:`), shown on its pages.
    pub logo_uri: Option<String>,
    /// Whether a person may sign in with the e-mail address.
    pub login_with_email: bool,
    /// Whether people may share an e-mail address; nobody signs in by one then.
    pub duplicate_emails: bool,
    /// Scopes a client has when it names none: always part of its tokens.
    pub default_scopes: Vec<String>,
    /// Scopes a client has when it names none: part of its tokens when asked for.
    pub optional_scopes: Vec<String>,
    /// `id`s of the groups that new users become members of.
    pub default_groups: Vec<String>,
    /// Types of `authorization_details` (RFC 9396 §2).
    pub authorization_details_types: Vec<DetailType>,
    /// Who may register clients (RFC 7591).
    pub registration: Registration,
    /// Grants that clients which register themselves may use.
    pub registration_grants: BTreeSet<GrantType>,
    /// PKCE policy of confidential clients that register themselves; a public one always needs it.
    pub registration_pkce: Pkce,
    /// Most clients that there may be of those that registered themselves.
    pub registration_limit: i64,
    /// Which `acr` a sign-in with a password earns (OpenID Connect Core §2).
    pub password_acr: String,
    /// Which `acr` a sign-in has while its password is not older than `recent_acr_age`; none = no such value.
    pub recent_acr: Option<String>,
    /// See `recent_acr`.
    pub recent_acr_age: i64,
}

impl Default for RealmSettings {
    fn default() -> Self {
        Self {
            signature_algorithm: "RS256".into(),
            access_token: 300,
            code: 60,
            pushed_request: 60,
            require_pushed_authorization_requests: false,
            device_code: 600,
            login: 1_800,
            session_idle: 1_800,
            session_max: 36_000,
            remember_me: true,
            remember_me_idle: 7 * 86_400,
            remember_me_max: 30 * 86_400,
            offline_idle: 30 * 86_400,
            offline_max: None,
            refresh_retry_window: 10,
            dpop_nonce: false,
            not_before: None,
            trusted_issuers: Vec::new(),
            brute_force: BruteForce::default(),
            logo_uri: None,
            login_with_email: true,
            duplicate_emails: false,
            default_scopes: ["basic", "profile", "email", "roles", "web-origins", "acr"]
                .map(str::to_owned)
                .to_vec(),
            optional_scopes: ["address", "phone", "offline_access", "microprofile-jwt"]
                .map(str::to_owned)
                .to_vec(),
            default_groups: Vec::new(),
            authorization_details_types: Vec::new(),
            registration: Registration::default(),
            registration_grants: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
            registration_pkce: Pkce::Required,
            registration_limit: 1_000,
            password_acr: "1".into(),
            recent_acr: None,
            recent_acr_age: 300,
        }
    }
}

/// How many wrong passwords are too many. Spans are in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BruteForce {
    /// Wrong passwords for one account, from one address, before it must wait.
    pub max_failures: i64,
    /// Wrong passwords for one account, from anywhere, before unknown browsers must wait.
    pub max_account_failures: i64,
    /// Wrong passwords from one address, for any account, before it must wait.
    pub max_address_failures: i64,
    /// The first wait; each further failure doubles it.
    pub wait: i64,
    /// The longest wait.
    pub max_wait: i64,
    /// Failures older than this are forgotten.
    pub window: i64,
}

impl Default for BruteForce {
    fn default() -> Self {
        Self {
            max_failures: 5,
            max_account_failures: 30,
            max_address_failures: 100,
            wait: 30,
            max_wait: 900,
            window: 43_200,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_realm_name;

    #[test]
    fn realm_names() {
        for (name, good) in [
            ("main", true),
            ("my-realm_1.x", true),
            ("", false),
            ("-x", false),
            ("a/b", false),
            ("a b", false),
            ("ä", false),
            (".x", false),
            (&"x".repeat(65), false),
        ] {
            assert_eq!(is_realm_name(name), good, "{name:?}");
        }
    }
}
