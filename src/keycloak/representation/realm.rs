//! A realm.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ClientRepresentation, ClientScopeRepresentation, GroupRepresentation, RoleRepresentation,
    UserRepresentation, lenient,
};
use crate::keycloak::Kept;

/// A realm: its settings, and in a realm file everything in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RealmRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name in addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether it answers at all.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Tokens issued before this second are refused.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// `RS256`, `ES256`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_signature_algorithm: Option<String>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub access_token_lifespan: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub access_code_lifespan: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub access_code_lifespan_login: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub sso_session_idle_timeout: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub sso_session_max_lifespan: Option<i64>,
    /// Seconds; 0 = as without.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub sso_session_idle_timeout_remember_me: Option<i64>,
    /// Seconds; 0 = as without.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub sso_session_max_lifespan_remember_me: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub offline_session_idle_timeout: Option<i64>,
    /// Whether the next is a limit.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub offline_session_max_lifespan_enabled: Option<bool>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub offline_session_max_lifespan: Option<i64>,
    /// Seconds.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub oauth2_device_code_lifespan: Option<i64>,
    /// Whether the sign-in page offers to remember the person.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub remember_me: Option<bool>,
    /// Whether a person may sign in with the e-mail address.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub login_with_email_allowed: Option<bool>,
    /// Whether people may share an e-mail address.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub duplicate_emails_allowed: Option<bool>,
    /// Whether the next four are heeded.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub brute_force_protected: Option<bool>,
    /// Wrong passwords before a wait.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub failure_factor: Option<i64>,
    /// The first wait.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub wait_increment_seconds: Option<i64>,
    /// The longest wait.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub max_failure_wait_seconds: Option<i64>,
    /// Failures older than this are forgotten.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub max_delta_time_seconds: Option<i64>,
    /// Everything that has no field of its own.
    #[serde(deserialize_with = "lenient::texts", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// Roles of the realm and of its clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<RolesRepresentation>,
    /// The role that everyone has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_role: Option<RoleRepresentation>,
    /// Its parts, in old files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_roles: Option<Vec<String>>,
    /// Groups at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<GroupRepresentation>>,
    /// Groups of new users, by path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_groups: Option<Vec<String>>,
    /// Users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<UserRepresentation>>,
    /// Clients.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<ClientRepresentation>>,
    /// Client scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_scopes: Option<Vec<ClientScopeRepresentation>>,
    /// Scopes that new clients always get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_default_client_scopes: Option<Vec<String>>,
    /// Scopes that new clients get when they ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_optional_client_scopes: Option<Vec<String>>,
    /// Realm roles that a client or client scope may show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope_mappings: Option<Vec<ScopeMappingRepresentation>>,
    /// The same of client roles, by the `client_id` of the roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_scope_mappings: Option<BTreeMap<String, Vec<ScopeMappingRepresentation>>>,
    /// Documents (see [`super::IdentityProviderRepresentation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_providers: Option<Vec<Kept>>,
    /// Documents (see [`super::IdentityProviderMapperRepresentation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider_mappers: Option<Vec<Kept>>,
    /// Documents by type of provider (see [`super::ComponentRepresentation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub components: Option<BTreeMap<String, Vec<Kept>>>,
    /// Documents (see [`super::AuthenticationFlowRepresentation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_flows: Option<Vec<Kept>>,
    /// Documents (see [`super::AuthenticatorConfigRepresentation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator_config: Option<Vec<Kept>>,
    /// Documents (see [`super::RequiredActionRepresentation`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_actions: Option<Vec<Kept>>,
    /// Which Keycloak wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keycloak_version: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// Roles of a realm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RolesRepresentation {
    /// Realm roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<Vec<RoleRepresentation>>,
    /// Client roles, by `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<BTreeMap<String, Vec<RoleRepresentation>>>,
}

/// Roles that one client or client scope may show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScopeMappingRepresentation {
    /// `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Name of the client scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_scope: Option<String>,
    /// Names of the roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}
