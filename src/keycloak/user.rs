//! Users.

use serde_json::{Value, json};

use super::filled;
use super::record::Kept;
use super::representation::UserRepresentation;
use crate::clock::Timestamp;
use crate::protocol::user::{User, canonical};

/// The required action that a temporary password brings.
pub const UPDATE_PASSWORD: &str = "UPDATE_PASSWORD";

/// Most characters of a name or an address.
const LONGEST: usize = 255;

const NO_ADDRESS: &str = "error-invalid-email";

/// What is wrong with a field of a user.
#[derive(Debug)]
pub struct UserProblem {
    /// The field.
    pub field: &'static str,
    /// The problem by Keycloak's name for it.
    pub message: &'static str,
    /// What stands in Keycloak's text for it.
    pub params: Value,
}

impl UserProblem {
    /// Whether it is an e-mail address that is none, which harms nobody but whoever writes to it.
    #[must_use]
    pub fn is_odd_address(&self) -> bool {
        self.message == NO_ADDRESS
    }

    /// The problem in words.
    #[must_use]
    pub fn told(&self) -> String {
        match self.message {
            "error-invalid-length" => format!("it has more than {LONGEST} characters"),
            NO_ADDRESS => "it is no e-mail address".to_owned(),
            _ => "it holds a control character".to_owned(),
        }
    }
}

/// What Keycloak's own profile would refuse of `user`.
#[must_use]
pub fn problem(user: &UserRepresentation) -> Option<UserProblem> {
    for (field, text) in [
        ("username", &user.username),
        ("email", &user.email),
        ("firstName", &user.first_name),
        ("lastName", &user.last_name),
    ] {
        let Some(text) = text else { continue };
        if text.chars().count() > LONGEST {
            let params = json!([field, 0, LONGEST]);
            return Some(UserProblem { field, message: "error-invalid-length", params });
        }
        if text.chars().any(char::is_control) {
            return Some(UserProblem { field, message: "error-invalid-value", params: json!([field]) });
        }
    }
    let email = user.email.as_deref().map(str::trim).filter(|email| !email.is_empty());
    let is_address = |email: &str| {
        email.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !email.contains(char::is_whitespace)
        })
    };
    let wrong = email.is_some_and(|email| !is_address(email));
    wrong.then(|| UserProblem { field: "email", message: NO_ADDRESS, params: json!(["email"]) })
}

/// `base` with what `user` says, and what it says beyond. Identifier, service account, credentials, roles and groups are
/// the caller's.
#[must_use]
pub fn from_representation(user: UserRepresentation, base: User) -> (User, Kept) {
    let mut kept = user.kept;
    if let Some(identities) = user.federated_identities.and_then(|list| serde_json::to_value(list).ok()) {
        kept.insert("federatedIdentities".to_owned(), identities);
    }
    if let Some(consents) = user.client_consents.and_then(|list| serde_json::to_value(list).ok()) {
        kept.insert("clientConsents".to_owned(), consents);
    }
    let text = |new: Option<String>, old: Option<String>| match new {
        Some(text) => filled(Some(&text)),
        None => old,
    };
    let not_before = match user.not_before {
        Some(0) => None,
        Some(at) => Some(Timestamp(at)),
        None => base.not_before,
    };
    let record = User {
        username: user
            .username
            .map(|name| canonical(&name))
            .filter(|name| !name.is_empty())
            .unwrap_or(base.username),
        email: text(user.email, base.email),
        email_verified: user.email_verified.unwrap_or(base.email_verified),
        enabled: user.enabled.unwrap_or(base.enabled),
        first_name: text(user.first_name, base.first_name),
        last_name: text(user.last_name, base.last_name),
        attributes: user.attributes.unwrap_or(base.attributes),
        required_actions: user.required_actions.unwrap_or(base.required_actions),
        not_before,
        created_at: user.created_timestamp.map_or(base.created_at, |at| Timestamp(at.div_euclid(1_000))),
        ..base
    };
    (record, kept)
}

/// The representation of `user`, without credentials, roles and groups.
#[must_use]
pub fn to_representation(user: &User, has_otp: bool, mut kept: Kept) -> UserRepresentation {
    let identities = kept.remove("federatedIdentities").and_then(|list| serde_json::from_value(list).ok());
    kept.remove(super::credential::KEPT);
    let consents = kept.remove("clientConsents").and_then(|list| serde_json::from_value(list).ok());
    UserRepresentation {
        id: Some(user.id.clone()),
        username: Some(user.username.clone()),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        email: user.email.clone(),
        email_verified: Some(user.email_verified),
        enabled: Some(user.enabled),
        created_timestamp: Some(user.created_at.0.saturating_mul(1_000)),
        attributes: Some(user.attributes.clone()).filter(|attributes| !attributes.is_empty()),
        required_actions: Some(user.required_actions.clone()),
        not_before: Some(user.not_before.map_or(0, |at| at.0)),
        totp: Some(has_otp),
        federated_identities: identities,
        client_consents: consents,
        kept,
        ..UserRepresentation::default()
    }
}
