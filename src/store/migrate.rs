//! Migrations: the same files on both databases, applied in one transaction, checked before a server serves. A new database
//! gets what they come to.
//!
//! One transaction holds all that is pending, so a half-migrated database does not exist; on Postgres an advisory
//! lock makes several nodes wait for the one that migrates.

use super::Store;
use super::db::{Pools, elsewhere};
use super::error::StoreError;
use super::sqlite::Sqlite;
use super::statement::sql;
use super::together;
use super::transaction::{Finish, Transaction, Work};

/// One migration.
struct Migration {
    version: i64,
    name: &'static str,
    text: &'static str,
}

/// Every migration, oldest first. A file that was released never changes; a new one adds and does not take away, so
/// that the previous version of the program can run on it.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "begin", text: include_str!("../../migrations/0001_begin.sql") },
    Migration {
        version: 2,
        name: "revoked_tokens",
        text: include_str!("../../migrations/0002_revoked_tokens.sql"),
    },
    Migration {
        version: 3,
        name: "spent_identifiers",
        text: include_str!("../../migrations/0003_spent_identifiers.sql"),
    },
    Migration {
        version: 4,
        name: "device_codes",
        text: include_str!("../../migrations/0004_device_codes.sql"),
    },
    Migration {
        version: 5,
        name: "grant_parent",
        text: include_str!("../../migrations/0005_grant_parent.sql"),
    },
    Migration {
        version: 7,
        name: "pushed_requests",
        text: include_str!("../../migrations/0007_pushed_requests.sql"),
    },
    Migration {
        version: 8,
        name: "grant_request",
        text: include_str!("../../migrations/0008_grant_request.sql"),
    },
    Migration {
        version: 9,
        name: "grant_confirmation",
        text: include_str!("../../migrations/0009_grant_confirmation.sql"),
    },
    Migration {
        version: 10,
        name: "client_algorithms",
        text: include_str!("../../migrations/0010_client_algorithms.sql"),
    },
    Migration {
        version: 11,
        name: "logout_outbox",
        text: include_str!("../../migrations/0011_logout_outbox.sql"),
    },
    Migration {
        version: 12,
        name: "registration",
        text: include_str!("../../migrations/0012_registration.sql"),
    },
    Migration {
        version: 14,
        name: "events_of_deleted_realms",
        text: include_str!("../../migrations/0014_events_of_deleted_realms.sql"),
    },
    Migration {
        version: 15,
        name: "pushed_request_network",
        text: include_str!("../../migrations/0015_pushed_request_network.sql"),
    },
    Migration {
        version: 16,
        name: "device_details",
        text: include_str!("../../migrations/0016_device_details.sql"),
    },
    Migration {
        version: 18,
        name: "keycloak_records",
        text: include_str!("../../migrations/0018_keycloak_records.sql"),
    },
    Migration {
        version: 19,
        name: "user_credentials",
        text: include_str!("../../migrations/0019_user_credentials.sql"),
    },
    Migration {
        version: 22,
        name: "user_search",
        text: include_str!("../../migrations/0022_user_search.sql"),
    },
    Migration { version: 23, name: "user_names", text: include_str!("../../migrations/0023_user_names.sql") },
    Migration {
        version: 28,
        name: "password_changes",
        text: include_str!("../../migrations/0028_password_changes.sql"),
    },
    Migration {
        version: 30,
        name: "sealed_secrets",
        text: include_str!("../../migrations/0030_sealed_secrets.sql"),
    },
    Migration {
        version: 31,
        name: "registration_uses",
        text: include_str!("../../migrations/0031_registration_uses.sql"),
    },
    Migration {
        version: 32,
        name: "shared_addresses",
        text: include_str!("../../migrations/0032_shared_addresses.sql"),
    },
    Migration {
        version: 33,
        name: "large_realms",
        text: include_str!("../../migrations/0033_large_realms.sql"),
    },
];

/// What all of them come to, for a database that is new: made at once, it takes a third of the time that it takes to make
/// it and to change it.
const WHOLE: &str = include_str!("schema.sql");

/// The key of the advisory lock: "vestibul" in ASCII.
const LOCK: &str = "SELECT pg_advisory_xact_lock(8531352012944733548)";

impl Store {
    /// Brings the schema to this version, all that is missing in one transaction. Several nodes may do so at once; on
    /// Postgres they take turns.
    ///
    /// # Errors
    /// [`StoreError::Schema`] when the database is newer, changed or another application's; then it is left as it is.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if self.db.snapshot(Check).await? > 0 {
            self.use_wal().await?;
            self.db.write(Migrate).await?;
        }
        Ok(())
    }

    /// Whether the schema is exactly this version's. Changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Schema`] with what to do.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        match self.db.snapshot(Check).await? {
            0 => Ok(()),
            missing => Err(StoreError::Schema(format!(
                "the database is older than this program (or empty) and lacks {missing} of its migrations: \
                 run `vestibule migrate`"
            ))),
        }
    }

    /// Readers of a SQLite file need not wait for its writer, from now on and for every process. Where the file was there
    /// before, this is not done on opening, since it changes the file, which may be another program's.
    async fn use_wal(&self) -> Result<(), StoreError> {
        match &self.db.pools {
            Pools::Sqlite(sqlite) => elsewhere(sqlite, Sqlite::use_wal).await,
            Pools::Postgres(_) => Ok(()),
        }
    }
}

/// Counts the migrations that are not applied.
struct Check;

impl Work for Check {
    type Outcome = usize;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<usize>, StoreError> {
        Ok(Finish::Undo(MIGRATIONS.len() - applied(transaction).await?))
    }
}

/// Applies what is pending.
struct Migrate;

impl Work for Migrate {
    type Outcome = ();

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<()>, StoreError> {
        if transaction.is_postgres() {
            // Waiting for another node, and building an index, may take longer than a request may.
            transaction.script("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0").await?;
            transaction.script(LOCK).await?;
        }
        let applied = applied(transaction).await?;
        let pending = MIGRATIONS.get(applied..).unwrap_or_default();
        if pending.is_empty() {
            return Ok(Finish::Undo(()));
        }
        if applied == 0 {
            if transaction.is_postgres() {
                transaction.script(r#"CREATE COLLATION IF NOT EXISTS "binary" FROM "C""#).await?;
            }
            transaction.script(WHOLE).await?;
        } else {
            for migration in pending {
                transaction.script(migration.text).await?;
            }
        }
        let text = "INSERT INTO migrations (version, name, checksum) VALUES ($1, $2, $3)";
        let row = |one: &Migration| sql!(text, one.version, one.name, checksum(one.text)).about(1);
        together::execute(transaction, &pending.iter().map(row).collect::<Vec<_>>()).await?;
        Ok(Finish::Commit(()))
    }
}

/// How many migrations are applied, when they are ours.
async fn applied(transaction: &mut Transaction<'_>) -> Result<usize, StoreError> {
    let tables = if transaction.is_postgres() {
        "SELECT CAST(tablename AS TEXT) FROM pg_catalog.pg_tables WHERE schemaname = current_schema()"
    } else {
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    };
    let tables = transaction.all::<(String,)>(&sql!(tables)).await?;
    if tables.is_empty() {
        return Ok(0);
    }
    if !["migrations", "configuration", "realms"]
        .iter()
        .all(|ours| tables.iter().any(|(table,)| table == ours))
    {
        return Err(StoreError::Schema(
            "the database holds the tables of another program: give Vestibule a database or schema of its own".into(),
        ));
    }
    let text = "SELECT version, checksum FROM migrations ORDER BY version";
    let applied = transaction.all::<(i64, String)>(&sql!(text)).await?;
    for (index, (version, found)) in applied.iter().enumerate() {
        let Some(known) = MIGRATIONS.get(index) else {
            return Err(StoreError::Schema(format!(
                "the database has migration {}, which this version of Vestibule does not know: it was made by a newer one",
                version
            )));
        };
        if known.version != *version || checksum(known.text) != *found {
            return Err(StoreError::Schema(format!(
                "migration {} ({}) of the database is not the one of this version of Vestibule: it was changed",
                version, known.name
            )));
        }
    }
    Ok(applied.len())
}

/// SHA-256 of a migration's text, in hexadecimal.
fn checksum(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<String> =
            MIGRATIONS.iter().map(|m| format!("{:04}_{}.sql", m.version, m.name)).collect();
        assert_eq!(files, listed);
    }

    #[test]
    fn released_files_do_not_change() {
        // Until the first release the text may change; from then on its checksum stands here.
        assert_eq!(checksum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
