//! A group.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient;
use crate::keycloak::Kept;

/// A group with the groups below it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GroupRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name below its parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names from the top: `/staff/board`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Identifier of the group above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// How many groups are below.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub sub_group_count: Option<i64>,
    /// Groups below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub_groups: Option<Vec<GroupRepresentation>>,
    /// Further attributes.
    #[serde(deserialize_with = "lenient::lists", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
    /// Realm roles of its members, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm_roles: Option<Vec<String>>,
    /// Client roles of its members: names by `client_id`.
    #[serde(deserialize_with = "lenient::lists", skip_serializing_if = "Option::is_none")]
    pub client_roles: Option<BTreeMap<String, Vec<String>>>,
    /// What the one who asks may do with it; never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<BTreeMap<String, bool>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}
