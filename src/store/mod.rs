//! The database: every SQL text, each once, for SQLite and Postgres alike.
//!
//! Owns how records are kept, and that a thing which is good once is good once. Leaves to `protocol` what is allowed.
//!
//! The portable subset, which every text keeps to:
//! 1. Columns are `TEXT` or `BIGINT`, `NOT NULL` unless absence means something. Time is whole seconds; identifiers and
//!    fingerprints are text; sets and settings are JSON text, read in Rust.
//! 2. A nullable time says more than a flag: `revoked_at`, `redeemed_at`.
//! 3. Rust makes identifiers and reads the clock; SQL has no `now()` and no sequences.
//! 4. `$1…$n`, `RETURNING`, `INSERT … ON CONFLICT (key) DO UPDATE SET x = excluded.x`, plain joins.
//! 5. Single use is one guarded `UPDATE … WHERE … IS NULL`; the number of rows names the winner.
//! 6. A transaction opens with its write (see `Db::write`), and takes locks in one order, so that Postgres need not break
//!    deadlocks: configuration, the realm whose names of people are compared, spent identifiers, pushed requests, consents, device codes,
//!    grants, codes and refresh tokens, sessions.
//! 7. A realm's rows are read by `realm_id`, also where another key would do: no identifier reaches across realms. Where
//!    that key has an index and the realm has one too, it stands as `realm_id || ''`: without statistics SQLite takes ten
//!    rows of a realm for granted, and may read all of it.
//! 8. Text that people page through is ordered by bytes (`COLLATE "binary"`), and searches run over `search_key`, which
//!    Rust writes in canonical form: neither database folds case or sorts by its own lights.
//! 9. DDL is `CREATE TABLE`, `CREATE INDEX`, `ALTER TABLE ADD COLUMN`.
//!
//! What a statement gives back is a tuple of columns or a record written with `row!`, read alike from both drivers.
//! SQLite is read in the thread that asks (`sqlite.rs`) and written by one that does together what comes together
//! (`writer.rs`); Postgres is a pool of connections (`postgres.rs`).
//!
//! A change is a value ([`Change`]) and becomes statements; [`Store::commit`] runs them in one transaction. What must
//! look before it writes (redeeming, rotating, counting) has a method of its own. Runs of one text, about rows of their own,
//! go to Postgres as one statement (`together.rs`).

mod audit;
mod backchannel_logout;
mod change;
mod client;
mod client_directory;
mod client_sessions;
mod code;
mod commit;
mod consent;
mod credential;
mod db;
mod deleted_realm;
mod device_code;
mod error;
mod event_search;
mod failure;
mod grant;
mod group;
mod health;
mod kept_secrets;
mod key;
mod keycloak_record;
mod migrate;
mod new_file;
mod notice;
mod open;
mod password;
mod postgres;
mod pushed;
mod realm;
mod refresh;
mod registration;
mod revoked;
mod role;
mod row;
mod scope;
mod session;
mod spent;
mod sqlite;
mod statement;
mod sweep;
mod together;
mod token_exchange;
mod transaction;
mod user;
mod user_change;
mod user_email;
mod user_links;
mod user_password;
mod user_search;
mod writer;

pub use audit::EventOfDeletedRealm;
pub use change::Change;
pub use client_directory::{Listed, ListedClient};
pub use client_sessions::OfflineGrant;
pub use code::{RedeemCode, Redemption};
pub use device_code::{Asked, DeviceLookup, DeviceRedemption, NewDeviceCode, Poll, RedeemDeviceCode};
pub use error::{Cause, StoreError};
pub use event_search::EventSearch;
pub use failure::Failures;
pub use grant::TokenGrant;
pub use health::Traffic;
pub use key::KeyRow;
pub use notice::Notices;
pub use open::StoreOptions;
pub use password::{KeepPasswordGrant, PasswordGranting};
pub use pushed::{PushRequest, Pushed};
pub use realm::{REALM_CHANGED, RealmConfiguration};
pub use refresh::{KeepRefresh, Keeping, RotateRefresh, Rotation, SessionTouch};
pub use registration::{NO_INITIAL_TOKEN, REGISTRATION_CHANGED, REGISTRATION_LIMIT};
pub use sweep::{SWEEP_BATCH, Swept};
pub use token_exchange::{Derived, Exchanging, KeepExchange};
pub use user::UserWithPassword;
pub use user_password::PasswordProof;
pub use user_search::UserSearch;

/// The records of this server. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Store {
    db: db::Db,
    vault: std::sync::Arc<crate::vault::Vault>,
}

/// A page of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// How many rows to skip.
    pub first: i64,
    /// How many rows to give at most.
    pub max: i64,
}

impl Page {
    /// Everything, for exports and small tables.
    pub const ALL: Self = Self { first: 0, max: i64::MAX };

    /// The rows of the page, of those that are in memory anyway.
    #[must_use]
    pub fn of<T>(self, rows: Vec<T>) -> Vec<T> {
        let [first, max] = [self.first, self.max].map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
        rows.into_iter().skip(first).take(max).collect()
    }
}
