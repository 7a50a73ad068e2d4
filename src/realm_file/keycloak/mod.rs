//! Realm files in Keycloak's form: read, merged into a realm, compared, applied, written.
//!
//! Owns Keycloak's rules of import: what a new realm begins with, what a file that is silent means, names that lead
//! nowhere. Leaves the words to [`crate::keycloak`] and the plan that people see to `plan`.

mod accounts;
mod changes;
mod check;
mod export;
mod files;
mod merge;
mod minimal;
mod placeholders;
mod plan;
mod prepare;
mod production;
mod read;

use std::fmt;
use std::sync::Arc;

use crate::keycloak::representation::RealmRepresentation;

pub use accounts::with_service_accounts;
pub(super) use check::check;
pub use export::{KeycloakExport, export, representation};
pub use files::{ExportedFile, UsersIn, files, single_file};
pub(super) use merge::Target;
pub(crate) use placeholders::fill;
pub(super) use plan::{differences, plan};
pub(super) use prepare::prepare;
pub(super) use production::production_refusals;
pub(super) use read::{is_keycloak, parse};

/// A realm in Keycloak's words, as a file or the admin API gives it. `Debug` shows its name alone.
#[derive(Clone, PartialEq)]
pub struct KeycloakRealm(pub Arc<RealmRepresentation>);

impl fmt::Debug for KeycloakRealm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("KeycloakRealm").field(&self.0.realm).finish()
    }
}

#[cfg(test)]
mod tests;
