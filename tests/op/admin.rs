//! The admin REST API: rows A01 to A06 of the attack table, and what Keycloak's clients expect.

mod guard;
pub(crate) mod scene;
