//! Opening a database: addresses, connections and the settings that the promises rest on.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ffi;

use super::Store;
use super::db::{Db, Pools};
use super::error::{Cause, StoreError};
use super::health::{Health, Traffic};
use super::new_file::{self, NotMade};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::statement::sql;
use super::writer::Syncs;
use crate::vault::Vault;

/// SQLite before this can corrupt a WAL that two connections write and check at once.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How many connections to an SQLite file are kept for reading.
const SQLITE_READERS: u32 = 4;

/// How to open a database.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:///path/file.db` (or `sqlite:file.db`), `sqlite::memory:`, `postgres://user:password@host/name`.
    pub url: String,
    /// Connections to Postgres at most; of an SQLite file, those kept for reading (at most 4).
    pub max_connections: u32,
}

impl StoreOptions {
    /// The database at `url`, with 10 connections.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), max_connections: 10 }
    }
}

impl std::fmt::Debug for StoreOptions {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreOptions").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, and sets it up as the promises need it: on SQLite `synchronous=FULL`, foreign keys, a wait of
    /// 5 s for another process's write; on Postgres deadlines for statements, locks and idle transactions. A SQLite
    /// file that is not there is made, readable by its owner alone. The schema is left as it is. `vault` seals the secrets of others that are kept, and opens
    /// those that it or another with its keys sealed.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be reached; [`StoreError::Schema`] when the address is none that is known, the
    /// folder is missing or the library is too old.
    pub async fn open(options: &StoreOptions, vault: Arc<Vault>) -> Result<Self, StoreError> {
        let health = Health::new();
        let url = options.url.as_str();
        let pools = if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Pools::Postgres(Arc::new(Postgres::connect(options, &health).await?))
        } else if let Some(rest) = url.strip_prefix("sqlite:") {
            match rest.strip_prefix("//").unwrap_or(rest) {
                ":memory:" => {
                    check_library()?;
                    Pools::Sqlite(Arc::new(Sqlite::memory()?))
                }
                path => file(options, Path::new(path))?,
            }
        } else {
            return Err(unsuitable("a database address begins with sqlite: or postgres:"));
        };
        Ok(Self { db: Db { pools, health }, vault })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.one::<(i64,)>(sql!("SELECT version FROM configuration WHERE id = 1")).await.map(drop)
    }

    /// Whether the database is a server's: what it says takes a way there and back.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.db.is_postgres()
    }

    /// Statements sent to the database so far, transactions' brackets left out: for tests that hold an endpoint to a
    /// number.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.db.statements()
    }

    /// What was sent to the database since the last call. The first one gives nothing and begins the record, which grows
    /// until it is asked for: for tests.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.db.health.traffic()
    }

    /// How many connections (on SQLite, those that read) are in use and how many are at rest, for metrics.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        match &self.db.pools {
            Pools::Sqlite(sqlite) => sqlite.readers(),
            Pools::Postgres(postgres) => postgres.connections(),
        }
    }

    /// Until [`Store::settle`], commits on an SQLite file need not wait for the disk, and what reads waits where it is: for
    /// a start, which has promised nothing to anybody yet, and serves nobody. Should the power fail meanwhile, a sound
    /// database is left that lacks the last of the commits.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot.
    pub async fn hasten(&self) -> Result<(), StoreError> {
        self.wait_for_disk(Syncs::Order).await
    }

    /// Waits for the disk: what was committed so far lasts then, and from now on every commit does before its answer.
    ///
    /// # Errors
    /// [`StoreError`] when the disk does not take it; then nothing may be built on it.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.wait_for_disk(Syncs::EachCommit).await
    }

    async fn wait_for_disk(&self, syncs: Syncs) -> Result<(), StoreError> {
        match &self.db.pools {
            Pools::Sqlite(sqlite) => sqlite.wait_for_disk(syncs).await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// Closes every connection, after what is under way.
    pub async fn close(&self) {
        match &self.db.pools {
            Pools::Sqlite(sqlite) => sqlite.close().await,
            Pools::Postgres(postgres) => postgres.close().await,
        }
    }
}

pub(super) fn unsuitable(sentence: impl Into<String>) -> StoreError {
    StoreError::Schema(sentence.into())
}

fn file(options: &StoreOptions, path: &Path) -> Result<Pools, StoreError> {
    check_library()?;
    new_file::make(path).map_err(|why| match why {
        NotMade::Io(error) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists());
            let advice = folder
                .map(|folder| format!("; make the folder first: install -d -m 0700 {}", folder.display()))
                .unwrap_or_default();
            unsuitable(format!("cannot make the database {}: {error}{advice}", path.display()))
        }
        NotMade::Store(error) => error,
    })?;
    let readers = usize::try_from(options.max_connections.clamp(1, SQLITE_READERS)).unwrap_or(1);
    let sqlite = Sqlite::file(path, readers).map_err(|error| explain(error, path))?;
    Ok(Pools::Sqlite(Arc::new(sqlite)))
}

/// SQLite's own words for what is wrong with a file are worth a sentence with its name.
fn explain(error: StoreError, path: &Path) -> StoreError {
    let code = match &error {
        StoreError::Fault(Cause::Sqlite(cause)) => cause.sqlite_extended_error_code().unwrap_or(0) & 0xff,
        _ => 0,
    };
    if matches!(code, ffi::SQLITE_CORRUPT | ffi::SQLITE_NOTADB) {
        return unsuitable(format!("{} is not a sound SQLite database", path.display()));
    }
    error
}

fn check_library() -> Result<(), StoreError> {
    if rusqlite::version_number() >= OLDEST_SQLITE {
        return Ok(());
    }
    let version = rusqlite::version();
    Err(unsuitable(format!("SQLite {version} is too old: 3.51.3 or later is needed")))
}
