//! The admin REST API: rows A01 to A06 of the attack table, and what Keycloak's clients expect.

mod absences;
mod certificates;
mod clients;
mod documents;
mod flows;
mod groups;
mod guard;
mod realm_import;
mod realm_size;
mod realms;
mod roles;
pub(crate) mod scene;
mod side_by_side;
mod size;
mod tools;
mod users;
