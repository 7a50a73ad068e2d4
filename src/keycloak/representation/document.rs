//! Documents on which nothing acts: their identifiers and names, and all the rest as it came.

use serde::{Deserialize, Serialize};

use crate::keycloak::Kept;

/// An identity provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IdentityProviderRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_id: Option<String>,
    /// Name in addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// `oidc`, `saml`, `github`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// A mapper of an identity provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IdentityProviderMapperRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Alias of the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider_alias: Option<String>,
    /// Which rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider_mapper: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// A component: a key provider, the user profile, …
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ComponentRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Which kind of provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_type: Option<String>,
    /// What it hangs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// A kind within the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_type: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// An authentication flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuthenticationFlowRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Its steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_executions: Option<Vec<AuthenticationExecutionRepresentation>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// A step of an authentication flow.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuthenticationExecutionRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Which authenticator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticator: Option<String>,
    /// A flow in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_alias: Option<String>,
    /// `REQUIRED`, `ALTERNATIVE`, `CONDITIONAL`, `DISABLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// The settings of a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AuthenticatorConfigRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// Something that a person can be asked to do at sign-in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RequiredActionRepresentation {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}
