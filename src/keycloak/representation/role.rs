//! A role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient;
use crate::keycloak::Kept;

/// A role of the realm or of a client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RoleRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it allows, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it has parts.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub composite: Option<bool>,
    /// Its parts, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub composites: Option<Composites>,
    /// Whether it is a client's.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub client_role: Option<bool>,
    /// Identifier of the client, or of the realm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// Further attributes.
    #[serde(deserialize_with = "lenient::lists", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

/// The parts of a role, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Composites {
    /// Realm roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<Vec<String>>,
    /// Client roles, by `client_id`.
    #[serde(deserialize_with = "lenient::lists", skip_serializing_if = "Option::is_none")]
    pub client: Option<BTreeMap<String, Vec<String>>>,
}
