//! Who may do what at the admin REST API: what a route asks for, what a caller has, and what a caller may give.
//!
//! Owns the meaning of Keycloak's administrative roles: those of the client `realm-management` in a realm, of
//! `{realm}-realm` in `master` for each realm, and `admin` and `create-realm` of `master`. Leaves to `http::admin` how a
//! caller is proven.

mod client;
mod permission;
mod rights;

pub use client::is_entrance;
pub use permission::Permission;
pub use rights::{Caller, Rights};
