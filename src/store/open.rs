//! Opening a database: what is asked of it, and its schema.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::db::{Db, sql};
use super::error::StoreError;
use super::{Store, change};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The first release of SQLite in which two connections cannot damage a file that both write and checkpoint.
const OLDEST_SQLITE: (i64, i64, i64) = (3, 51, 3);

/// Which database, and how many connections.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// `sqlite://FILE`, `sqlite::memory:` or `postgres://…`.
    pub url: String,
    /// Most connections: to Postgres, or readers of a SQLite file.
    pub max_connections: u32,
}

impl StoreOptions {
    /// The database at `url`, with the usual number of connections.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), max_connections: 10 }
    }
}

impl Store {
    /// Opens the database; the schema is left as it is.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be reached, or the address is none that is known.
    pub async fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let db = if options.url.starts_with("postgres://") || options.url.starts_with("postgresql://") {
            postgres(options).await?
        } else {
            sqlite(options).await?
        };
        Ok(Self { db })
    }

    /// Brings the schema to this version. Several nodes may do so at once; on Postgres they take turns.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when the database is newer, changed or another application's.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let outcome = match &self.db {
            Db::Sqlite { write, .. } => MIGRATIONS.run(write).await,
            Db::Postgres(pool) => MIGRATIONS.run(pool).await,
        };
        outcome.map_err(|error| StoreError::Schema(format!("the schema cannot be migrated: {error}")))
    }

    /// Whether the schema is exactly this version's.
    ///
    /// # Errors
    /// [`StoreError::Schema`] with what to do.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let applied =
            self.db.all::<(i64,)>(sql!("SELECT version FROM _sqlx_migrations ORDER BY version")).await;
        let applied = match applied {
            Ok(rows) => rows.into_iter().map(|(version,)| version).collect::<Vec<_>>(),
            Err(StoreError::Unavailable(error)) => return Err(StoreError::Unavailable(error)),
            Err(_) => {
                return Err(StoreError::Schema(
                    "the database is empty: run `vestibule migrate` first".into(),
                ));
            }
        };
        let known = MIGRATIONS.iter().map(|migration| migration.version).collect::<Vec<_>>();
        if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
            return Err(StoreError::Schema(format!(
                "the database is newer than this program (migration {newer}): use the newer program, or restore a backup"
            )));
        }
        if applied.len() < known.len() {
            return Err(StoreError::Schema(
                "the database is older than this program: run `vestibule migrate`".into(),
            ));
        }
        Ok(())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.one::<(i64,)>(sql!("SELECT version FROM configuration WHERE id = 1")).await.map(|_| ())
    }

    /// How many connections are in use and how many are at rest, for metrics.
    #[must_use]
    pub fn connections(&self) -> (usize, usize) {
        let counts = |size: u32, idle: usize| (usize::try_from(size).unwrap_or(0).saturating_sub(idle), idle);
        match &self.db {
            Db::Sqlite { write, read } => {
                let (writes, reads) =
                    (counts(write.size(), write.num_idle()), counts(read.size(), read.num_idle()));
                (writes.0.saturating_add(reads.0), writes.1.saturating_add(reads.1))
            }
            Db::Postgres(pool) => counts(pool.size(), pool.num_idle()),
        }
    }

    /// Closes every connection, after what is under way.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

async fn sqlite(options: &StoreOptions) -> Result<Db, StoreError> {
    let in_memory = options.url.contains(":memory:");
    let connect = SqliteConnectOptions::from_str(&options.url)?
        .create_if_missing(true)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .journal_mode(if in_memory { SqliteJournalMode::Memory } else { SqliteJournalMode::Wal })
        .synchronous(if in_memory { SqliteSynchronous::Off } else { SqliteSynchronous::Full })
        .pragma("temp_store", "memory");
    // A connection is never given up: in memory it is the database, and elsewhere it holds what FD exhaustion takes.
    let pool = |most: u32| {
        SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(most)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
    };
    let write = pool(1).connect_with(connect.clone()).await?;
    let read =
        if in_memory { write.clone() } else { pool(options.max_connections).connect_with(connect).await? };
    let db = Db::Sqlite { write, read };
    let version =
        db.one::<(String,)>(sql!("SELECT sqlite_version()")).await?.map(|row| row.0).unwrap_or_default();
    if !is_recent(&version) {
        return Err(StoreError::Schema(format!("SQLite {version} is too old: 3.51.3 or newer is needed")));
    }
    Ok(db)
}

fn is_recent(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<i64>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST_SQLITE
}

async fn postgres(options: &StoreOptions) -> Result<Db, StoreError> {
    let connect = PgConnectOptions::from_str(&options.url)?.application_name("vestibule").options([
        ("statement_timeout", "5s"),
        ("lock_timeout", "2s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]);
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_secs(2))
        // Our own ping has its own deadline; sqlx's waits for the whole of `acquire_timeout` on a half-open socket.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for < Duration::from_secs(5) {
                    return Ok(true);
                }
                let ping = sqlx::Connection::ping(connection);
                Ok(matches!(tokio::time::timeout(Duration::from_millis(500), ping).await, Ok(Ok(()))))
            })
        })
        .connect_with(connect)
        .await?;
    let db = Db::Postgres(pool);
    let commit = db.one::<(String,)>(sql!("SELECT current_setting('synchronous_commit')")).await?;
    if commit.is_some_and(|(value,)| value == "off") {
        tracing::warn!(
            "Postgres runs with synchronous_commit=off: what was acknowledged may be lost in a crash"
        );
    }
    Ok(db)
}

impl Store {
    /// Commits `changes` in one transaction, in their order. If one of them is a change of configuration, the realm
    /// takes the next version in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was changed.
    pub async fn commit(&self, changes: Vec<change::Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut statements = Vec::new();
        let mut realms = std::collections::BTreeSet::new();
        let mut configuration = false;
        for change in changes {
            if change.is_configuration() {
                configuration = true;
                realms.insert(change.realm_id().to_owned());
            }
            change.statements(&mut statements)?;
        }
        let mut transaction = self.db.begin().await?;
        if configuration {
            transaction.execute(sql!("UPDATE configuration SET version = version + 1 WHERE id = 1")).await?;
        }
        for statement in statements {
            transaction.execute(statement).await?;
        }
        for realm in realms {
            let text =
                "UPDATE realms SET version = (SELECT version FROM configuration WHERE id = 1) WHERE id = $1";
            transaction.execute(sql!(text, realm)).await?;
        }
        transaction.commit().await
    }
}
