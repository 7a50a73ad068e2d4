//! A protocol mapper.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lenient;
use crate::keycloak::Kept;

/// One rule that puts a claim into tokens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProtocolMapperRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name, unique within its scope or client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `openid-connect`, or another that this server does not speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Which rule: `oidc-usermodel-attribute-mapper`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_mapper: Option<String>,
    /// A switch of old files.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub consent_required: Option<bool>,
    /// The rule's settings.
    #[serde(deserialize_with = "lenient::texts", skip_serializing_if = "Option::is_none")]
    pub config: Option<BTreeMap<String, String>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}
