//! Scopes: what a client may ask for (RFC 6749 §3.3), and what it gets.

use serde::{Deserialize, Serialize};

use super::mapper::Mapper;

/// A scope as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    /// Identifier (UUID).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// The scope token.
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Everything else.
    pub settings: ScopeSettings,
}

/// What a scope does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeSettings {
    /// Whether the name stands in `scope` of tokens and token responses.
    pub include_in_token: bool,
    /// Sentence on the consent page; none = the scope is not shown there.
    pub consent_text: Option<String>,
    /// Claims that it adds.
    pub mappers: Vec<Mapper>,
    /// Comes with every realm.
    pub built_in: bool,
}
