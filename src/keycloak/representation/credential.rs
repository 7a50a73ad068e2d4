//! A credential.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lenient;
use crate::keycloak::Kept;

/// A password in the clear, a stored one, or another credential. `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CredentialRepresentation {
    /// Identifier (UUID).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `password`, `otp`, `webauthn`, …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What the person calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_label: Option<String>,
    /// When it was made, in milliseconds since 1970.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub created_date: Option<i64>,
    /// A password in the clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether it must be replaced at the next sign-in.
    #[serde(deserialize_with = "lenient::switch", skip_serializing_if = "Option::is_none")]
    pub temporary: Option<bool>,
    /// JSON text with what must stay secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_data: Option<String>,
    /// JSON text with the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_data: Option<String>,
    /// The place among the user's credentials.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    /// A stored password, in old files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hashed_salted_value: Option<String>,
    /// Its salt, in old files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// Its cost, in old files.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub hash_iterations: Option<i64>,
    /// A counter, in old files.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub counter: Option<i64>,
    /// The algorithm, in old files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// Digits of an OTP, in old files.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub digits: Option<i64>,
    /// Seconds of an OTP, in old files.
    #[serde(deserialize_with = "lenient::number", skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    /// A device, in old files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Value>,
    /// Everything else.
    #[serde(flatten)]
    pub kept: Kept,
}

impl fmt::Debug for CredentialRepresentation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("CredentialRepresentation").field("kind", &self.kind).finish_non_exhaustive()
    }
}
