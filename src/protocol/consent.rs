//! Consent: what a user allowed a client, remembered until it is withdrawn.

use std::collections::BTreeSet;

use crate::clock::Timestamp;

/// A consent as it is kept: one per user and client.
#[derive(Clone, Debug, PartialEq)]
pub struct Consent {
    /// The realm it belongs to.
    pub realm_id: String,
    /// Who allowed it.
    pub user_id: String,
    /// `id` of the client that was allowed.
    pub client: String,
    /// Scope tokens that were allowed.
    pub scopes: BTreeSet<String>,
    /// When it was first given.
    pub granted_at: Timestamp,
    /// When it was last widened.
    pub updated_at: Timestamp,
}
