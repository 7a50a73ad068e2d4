//! A client.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ProtocolMapperRepresentation, lenient};
use crate::keycloak::Kept;

/// A client. `Debug` shows its name alone.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `client_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What relative addresses hang on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_url: Option<String>,
    /// An address of old adapters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_url: Option<String>,
    /// Home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Whether it gets anything.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// `client-secret`, `client-jwt`, `client-secret-jwt`, `client-x509`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_authenticator_type: Option<String>,
    /// Its secret, in the clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Redirect URIs, which may be relative and may end in `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_uris: Option<Vec<String>>,
    /// Origins for CORS; `+` = those of the redirect URIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_origins: Option<Vec<String>>,
    /// Tokens issued before this second are refused.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub not_before: Option<i64>,
    /// Whether it gets no token at all.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub bearer_only: Option<bool>,
    /// Whether the person is asked.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub consent_required: Option<bool>,
    /// The grant `authorization_code`; on when it does not say.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub standard_flow_enabled: Option<bool>,
    /// A flow that this server does not speak.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub implicit_flow_enabled: Option<bool>,
    /// The grant `password`.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub direct_access_grants_enabled: Option<bool>,
    /// The grant `client_credentials`.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub service_accounts_enabled: Option<bool>,
    /// Whether it keeps no secret.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub public_client: Option<bool>,
    /// Whether the signed-out page loads an address of it.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout: Option<bool>,
    /// `openid-connect`, or another that this server does not speak.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Everything that has no field of its own; an empty text takes one away.
    #[serde(deserialize_with = "lenient::removable", skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    /// Whether all of the user's roles are in its tokens.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub full_scope_allowed: Option<bool>,
    /// Claims of this client alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_mappers: Option<Vec<ProtocolMapperRepresentation>>,
    /// Scopes that are always granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_client_scopes: Option<Vec<String>>,
    /// Scopes that are granted when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_client_scopes: Option<Vec<String>>,
    /// What the one who asks may do with it; never read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<BTreeMap<String, bool>>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

impl fmt::Debug for ClientRepresentation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ClientRepresentation").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
