//! Users.

use super::filled;
use super::record::Kept;
use super::representation::UserRepresentation;
use crate::clock::Timestamp;
use crate::protocol::user::{User, canonical};

/// The required action that a temporary password brings.
pub const UPDATE_PASSWORD: &str = "UPDATE_PASSWORD";

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
