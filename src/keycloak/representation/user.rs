//! A user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{CredentialRepresentation, lenient};
use crate::keycloak::Kept;

/// A person, or the service account of a client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UserRepresentation {
    /// Identifier (UUID), and `sub`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name to sign in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `given_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// `family_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was proven.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Whether the user may sign in.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// When it was made, in milliseconds since 1970.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub created_timestamp: Option<i64>,
    /// Further attributes.
    #[serde(deserialize_with = "lenient::lists", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
    /// Credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<CredentialRepresentation>>,
    /// What the person must do at the next sign-in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_actions: Option<Vec<String>>,
    /// Realm roles, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm_roles: Option<Vec<String>>,
    /// Client roles: names by `client_id`.
    #[serde(deserialize_with = "lenient::lists", skip_serializing_if = "Option::is_none")]
    pub client_roles: Option<BTreeMap<String, Vec<String>>>,
    /// Groups, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<String>>,
    /// Accounts at identity providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_identities: Option<Vec<FederatedIdentityRepresentation>>,
    /// `client_id` of the client whose service account this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_client_id: Option<String>,
    /// What the person allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_consents: Option<Vec<ConsentRepresentation>>,
    /// Tokens issued before this second are refused.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// Whether there is an OTP credential.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub totp: Option<bool>,
    /// What the one who asks may do with it; never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<BTreeMap<String, bool>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// An account at an identity provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FederatedIdentityRepresentation {
    /// Alias of the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<String>,
    /// Identifier there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// Name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// What a person allowed a client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ConsentRepresentation {
    /// `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted_client_scopes: Option<Vec<String>>,
    /// When, in milliseconds since 1970.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub created_date: Option<i64>,
    /// When last, in milliseconds since 1970.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub last_updated_date: Option<i64>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}
