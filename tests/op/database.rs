//! Where a test's server keeps its records: a SQLite file or a Postgres database, with the keys beside them, so that a
//! server can be started on it again, twice at once, or be struck by a fault.

use std::sync::OnceLock;

use sqlx::{Connection, PgConnection};
use vestibule::testing::{Options, TestServer};

use crate::postgres::{self, Cluster};

pub(crate) struct Place {
    folder: tempfile::TempDir,
    /// None for the SQLite file in the folder.
    postgres: Option<String>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), postgres: None }
    }

    /// None when the person said to leave Postgres out.
    pub(crate) async fn postgres() -> Option<Self> {
        static CLUSTER: OnceLock<Cluster> = OnceLock::new();
        if !postgres::wanted() {
            return None;
        }
        let url = CLUSTER.get_or_init(Cluster::start).database().await;
        Some(Self { folder: tempfile::tempdir().unwrap(), postgres: Some(url) })
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.postgres.is_some()
    }

    pub(crate) fn options(&self) -> Options {
        let file = format!("sqlite://{}", self.file().display());
        let database = Some(self.postgres.clone().unwrap_or(file));
        Options { database, key_file: Some(self.folder.path().join("keys")), ..Options::default() }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("vestibule.db")
    }

    pub(crate) async fn start(&self) -> TestServer {
        TestServer::with(self.options()).await.unwrap()
    }

    /// What a crash at this moment would leave behind: the files as they are, not closed. Postgres loses nothing that
    /// was committed when its client dies, so there the database itself is what is left.
    pub(crate) fn after_a_crash(self) -> Self {
        if self.is_postgres() {
            return self;
        }
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            if file.file_type().unwrap().is_file() {
                std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
            }
        }
        Self { folder: copy, postgres: None }
    }

    /// Every text in every table, each once.
    pub(crate) async fn values(&self) -> Vec<String> {
        let mut values = std::collections::BTreeSet::new();
        match &self.postgres {
            Some(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                let tables =
                    "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()";
                let tables: Vec<String> =
                    sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
                for table in tables {
                    let rows = sqlx::AssertSqlSafe(format!("SELECT row_to_json(t)::text FROM {table} t"));
                    let rows: Vec<String> =
                        sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
                    for row in rows {
                        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
                        let texts = row.as_object().unwrap().values().filter_map(|value| value.as_str());
                        values.extend(texts.map(str::to_owned));
                    }
                }
            }
            None => {
                let connection = rusqlite::Connection::open(self.file()).unwrap();
                let tables = "SELECT name FROM sqlite_master WHERE type = 'table'";
                let mut tables = connection.prepare(tables).unwrap();
                let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
                for table in tables {
                    let mut rows = connection.prepare(&format!("SELECT * FROM {}", table.unwrap())).unwrap();
                    let columns = rows.column_count();
                    let mut rows = rows.query([]).unwrap();
                    while let Some(row) = rows.next().unwrap() {
                        values.extend((0..columns).filter_map(|column| row.get::<_, String>(column).ok()));
                    }
                }
            }
        }
        values.into_iter().collect()
    }

    /// The files of SQLite, with their names.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|file| file.unwrap());
        let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
        let named = named.filter(|(name, _)| name.starts_with("vestibule.db"));
        named.map(|(name, path)| (name, std::fs::read(path).unwrap())).collect()
    }

    /// Does something to the SQLite file from outside.
    pub(crate) fn execute(&self, sql: &str) {
        rusqlite::Connection::open(self.file()).unwrap().execute_batch(sql).unwrap();
    }

    /// The first column of a query of the SQLite file.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        let connection = rusqlite::Connection::open(self.file()).unwrap();
        let mut rows = connection.prepare(sql).unwrap();
        let rows = rows.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// How the database would find the rows of a statement, step by step, however few there are now.
    pub(crate) async fn plan(&self, sql: &str) -> Vec<String> {
        let Some(url) = self.postgres.as_deref() else {
            let connection = rusqlite::Connection::open(self.file()).unwrap();
            let mut steps = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let nothing = rusqlite::params_from_iter(vec![rusqlite::types::Null; steps.parameter_count()]);
            let steps = steps.query_map(nothing, |row| row.get("detail")).unwrap();
            return steps.collect::<Result<_, _>>().unwrap();
        };
        let mut connection = PgConnection::connect(url).await.unwrap();
        let values = (1..=64).rev().find(|number| sql.contains(&format!("${number}"))).unwrap_or(0);
        let nulls = vec!["NULL"; values].join(", ");
        let execute =
            if values == 0 { "EXECUTE asked".to_owned() } else { format!("EXECUTE asked ({nulls})") };
        // Without this a table of three rows is read from one end to the other whatever indexes it has.
        let prepare = format!(
            "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE asked AS {sql}"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut connection).await.unwrap();
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {execute}"));
        let rows = sqlx::raw_sql(explain).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| sqlx::Row::get::<String, _>(row, 0)).collect()
    }

    /// Runs statements beside the server.
    pub(crate) async fn run(&self, sql: &'static str) {
        match &self.postgres {
            Some(url) => {
                let mut connection = PgConnection::connect(url).await.unwrap();
                sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                connection.close().await.unwrap();
            }
            None => {
                let file = self.folder.path().join("vestibule.db");
                rusqlite::Connection::open(file).unwrap().execute_batch(sql).unwrap();
            }
        }
    }
}

/// One test body, run on both databases under `sqlite::NAME` and `postgres::NAME`.
#[macro_export]
macro_rules! on_both {
    ($($(#[$meta:meta])* async fn $name:ident($place:ident) $body:block)*) => {
        $($(#[$meta])* async fn $name($place: $crate::database::Place) $body)*

        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::database::Place::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(place) = $crate::database::Place::postgres().await {
                    super::$name(place).await;
                }
            })*
        }
    };
}
