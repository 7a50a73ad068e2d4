//! Vestibule, a standalone OpenID Provider.
//!
//! A request flows one way, and each thing has one obvious room:
//!
//! ```text
//!         extract                decide                        commit
//!  http ───────────▶ values ──────────────▶ decision ──────────────▶ store ──▶ respond
//!         (async, axum)     protocol (sync, pure, tables)     (async, SQL)
//! ```
//!
//! - [`protocol`] is the law: records and pure functions. It knows no server, no database and no clock.
//! - [`store`] keeps the records, on SQLite and on Postgres with one SQL text each.
//! - [`http`] extracts values, asks the rules, commits through the store and responds.
//! - [`app::App`] is the one value that endpoints get; [`testing`] is the fixture for tests.

pub mod app;
pub mod at_hand;
pub mod backchannel_logout;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod config;
pub mod fetch;
pub mod http;
pub mod key_sets;
pub mod keycloak;
pub mod lockouts;
pub mod passwords;
pub mod protocol;
pub mod qr;
pub mod realm_file;
pub mod realms;
pub mod secrets;
pub mod server;
pub mod signer;
pub mod store;
pub mod telemetry;
pub mod testing;
mod threads;
pub mod turns;
pub mod vault;
