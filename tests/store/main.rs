//! The store's promises, each held on SQLite (a file) and on Postgres (a throw-away cluster).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

mod admin;
mod backchannel_logout;
mod bindings;
mod changes;
mod consents;
mod deleted_realms;
mod devices;
mod hang_ups;
mod held_roles;
mod identifiers;
mod isolation;
mod keycloak;
#[path = "../support/postgres.rs"]
mod postgres;
mod pushed;
mod registration;
mod schema;
mod spends;
mod together;
mod world;

/// One test body, run on both databases under `sqlite::NAME` and `postgres::NAME`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($world:ident) $body:block)*) => {
        $(async fn $name($world: $crate::world::World) $body)*

        mod sqlite {
            $($(#[$meta])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::world::World::sqlite().await).await;
            })*
        }

        mod postgres {
            $($(#[$meta])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(world) = $crate::world::World::postgres().await {
                    super::$name(world).await;
                }
            })*
        }
    };
}
