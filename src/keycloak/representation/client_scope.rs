//! A client scope.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ProtocolMapperRepresentation, lenient};
use crate::keycloak::Kept;

/// A client scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientScopeRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The scope token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `openid-connect`, or another that this server does not speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// `include.in.token.scope`, `display.on.consent.screen`, `consent.screen.text`, …
    #[serde(deserialize_with = "lenient::texts", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// Claims that it adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_mappers: Option<Vec<ProtocolMapperRepresentation>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}
