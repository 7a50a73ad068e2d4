//! A throw-away Postgres cluster for tests.
//!
//! Owns starting it and making databases in it; the cluster itself is `tests/support/postgres.sh`, which
//! ends when this process does, however that happens. Leaves migrations and connections to the tests.
//!
//! A test binary includes this file with `#[path = "../support/postgres.rs"] mod postgres;`, keeps one
//! [`Cluster`] in a `OnceLock`, and asks [`Cluster::database`] for one database a test.

#![allow(clippy::expect_used, clippy::panic, reason = "a fixture that cannot be had fails the test")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Whether Postgres is to be tested: always, unless a person left it out by
/// `./test --without postgres`, which arrives here as `VESTIBULE_TEST_WITHOUT`.
pub(crate) fn wanted() -> bool {
    let without = std::env::var("VESTIBULE_TEST_WITHOUT").unwrap_or_default();
    !without.split(',').any(|part| part.trim() == "postgres")
}

/// A running cluster; it stops and is removed when this value is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Cluster {
    script: Child,
    url: String,
    databases: AtomicU32,
}

impl Cluster {
    /// Starts a cluster and waits until it answers, which takes about a second.
    ///
    /// Panics with the script's own words when it cannot: a missing Postgres is a failed test.
    pub(crate) fn start() -> Self {
        // In the folder of the package, or of the project that the package belongs to.
        let folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
        let mut scripts = folders.map(|folder| folder.join("tests/support/postgres.sh"));
        let path = scripts.find(|path| path.exists()).expect("tests/support/postgres.sh");
        let mut script = Command::new(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut line = String::new();
        if let Some(output) = script.stdout.take() {
            BufReader::new(output).read_line(&mut line).expect("the script's one line");
        }
        let url = line.trim().to_owned();
        assert!(url.starts_with("postgres://"), "no Postgres to test with; see the lines of postgres.sh");
        Self { script, url, databases: AtomicU32::new(0) }
    }

    /// The address of a new, empty database.
    pub(crate) async fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url).await.expect("the cluster answers");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&mut connection)
            .await
            .expect("a new database");
        connection.close().await.expect("a farewell");
        self.url.replacen("/postgres?", &format!("/{name}?"), 1)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        drop(self.script.wait());
    }
}
