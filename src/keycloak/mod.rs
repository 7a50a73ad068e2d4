//! Keycloak's words: its representations (the JSON of its realm files and of its admin API), and the way between them
//! and the records of this server.
//!
//! Owns both directions, as pure functions: [`representation`] is the JSON, the other modules read one kind of record
//! each (`from_representation`) and write it (`to_representation`). What a representation says beyond what this server
//! acts upon is never lost: it comes back from the reader as [`Kept`], is stored beside the record
//! ([`record::Beside`]) or as a document of its own ([`document`]), and is written again. A null in it takes away what was
//! kept before, as [`overlay`] does. Leaves to `realm_file` how a
//! whole realm is compared and applied, and to `store` how all of it is kept.

pub mod client;
pub mod client_scope;
pub mod credential;
pub mod document;
pub mod flow;
pub mod group;
pub mod identity_provider;
pub mod mapper;
pub mod realm;
pub mod record;
pub mod representation;
pub mod role;
pub mod secret;
pub mod user;

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Builder;

pub use record::{Beside, Kept, KeycloakRecord, overlay};

/// The version of Keycloak whose place is taken: what tools are told, and whose realm JSON is written.
pub const VERSION: &str = "26.4.0";

/// An identifier for what has none of its own: the same for the same `parts`.
#[must_use]
pub fn stable_id(parts: &[&str]) -> String {
    let digest = digest(&SHA256, parts.join("\0").as_bytes());
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// Takes what is not nothing: texts that are empty say nothing.
pub(crate) fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
