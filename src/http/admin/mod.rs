//! Keycloak's admin REST API: `/admin/realms/**` and `/admin/serverinfo`.
//!
//! Owns the guard that every route passes ([`guard`]), the table of routes with what each asks of its caller
//! ([`routes::table`]), and the forms of answers. What administrative roles mean is in `protocol::admin`.

mod absent;
mod adapters;
mod answer;
mod beside;
mod body;
mod call;
mod carrier;
mod client_policies;
mod client_scopes;
mod clients;
mod components;
mod credentials;
mod documents;
mod events;
mod executions;
mod flows;
mod groups;
mod guard;
mod identities;
mod identity_providers;
mod impersonation;
mod initial_access;
mod keys;
mod localization;
mod mail;
mod mappings;
mod permissions;
mod profile;
mod protection;
mod protocol_mappers;
mod realm_import;
mod realms;
mod required_actions;
mod roles;
mod routes;
mod scope_mappings;
mod server_info;
mod sessions;
mod users;

use axum::Router;

use crate::app::Shared;

pub(super) use body::TAKE_REALMS;
pub use routes::{Route, table};

/// Every address of the admin API.
pub fn router() -> Router<Shared> {
    guard::router(table())
}
