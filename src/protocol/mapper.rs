//! A protocol mapper: one rule that puts one claim into tokens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A mapper in Keycloak's terms, so that its realm files and admin API carry over unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mapper {
    /// Identifier (UUID) when the admin API made it; empty for built-in ones.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Name, unique within its scope or client.
    pub name: String,
    /// Which rule: `oidc-usermodel-attribute-mapper`, …
    pub kind: String,
    /// The rule's settings: `claim.name`, `user.attribute`, `access.token.claim`, …
    pub config: BTreeMap<String, String>,
}
