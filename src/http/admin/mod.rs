//! Keycloak's admin REST API: `/admin/realms/**` and `/admin/serverinfo`.
//!
//! Owns the guard that every route passes ([`guard`]), the table of routes with what each asks of its caller
//! ([`routes::table`]), and the forms of answers. What administrative roles mean is in `protocol::admin`.

mod answer;
mod call;
mod groups;
mod guard;
mod keys;
mod realms;
mod routes;
mod server_info;
mod sessions;
mod users;

use axum::Router;

use crate::app::Shared;

pub use routes::{Route, table};

/// Every address of the admin API.
pub fn router() -> Router<Shared> {
    guard::router(table())
}
