//! The schema: a new database gets in one text what one of any earlier version becomes by its migrations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use vestibule::store::{Store, StoreOptions};
use vestibule::vault::Vault;

use crate::world::empty_database;

const TABLE: &str = "CREATE TABLE migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL);";

/// What Postgres knows of its tables, a line for each thing.
const CATALOG: &str = "SELECT CONCAT_WS(' ', 'column', table_name, ordinal_position, column_name, data_type,
        is_nullable, column_default, collation_name)
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT CONCAT_WS(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace";

/// The rows that a new database has.
const ROWS: &str = "SELECT CONCAT_WS(' ', version, name, checksum) FROM migrations
    UNION ALL SELECT CONCAT_WS(' ', 'configuration', id, version) FROM configuration";

/// Each migration with the row that tells of it, oldest first.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let text = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        let (version, name) = file.file_stem().unwrap().to_str().unwrap().split_once('_').unwrap();
        let checksum: String =
            digest(&SHA256, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        format!(
            "{text}\nINSERT INTO migrations VALUES ({}, '{name}', '{checksum}');",
            version.trim_start_matches('0')
        )
    };
    files.iter().map(text).collect()
}

/// What a program of some earlier version left: nothing, or these migrations.
fn left_by(migrations: &[String]) -> String {
    if migrations.is_empty() { String::new() } else { format!("{TABLE}\n{}", migrations.join("\n")) }
}

async fn migrate(url: String) {
    let store = Store::open(&StoreOptions::new(url), Arc::new(Vault::random())).await.unwrap();
    store.migrate().await.unwrap();
    store.check_schema().await.unwrap();
    store.close().await;
}

/// A definition without its comments and its layout.
fn bare(definition: &str) -> String {
    let lines = definition.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code));
    let words = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    words.replace("( ", "(").replace(" )", ")").replace(" ,", ",")
}

async fn made_from_file(left: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(&format!("BEGIN; {left}; COMMIT")).unwrap();
    migrate(format!("sqlite://{}", path.display())).await;
    let connection = rusqlite::Connection::open(&path).unwrap();
    let read = |text: &str| {
        let mut statement = connection.prepare(text).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    };
    let mut found: Vec<String> =
        read("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").iter().map(|text| bare(text)).collect();
    found.extend(read(ROWS));
    found.sort();
    found
}

async fn made_on_server(left: &str) -> Option<Vec<String>> {
    let url = empty_database().await?;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let left = format!("CREATE COLLATION \"binary\" FROM \"C\"; {left}");
    sqlx::raw_sql(AssertSqlSafe(left)).execute(&mut connection).await.unwrap();
    migrate(url).await;
    let mut found = Vec::new();
    for text in [CATALOG, ROWS] {
        found.extend(sqlx::query_scalar::<_, String>(text).fetch_all(&mut connection).await.unwrap());
    }
    found.sort();
    Some(found)
}

#[tokio::test]
async fn every_earlier_version_of_a_file_becomes_what_a_new_one_is() {
    let migrations = migrations();
    let new = made_from_file("").await;
    assert!(new.len() > 80, "{new:?}");
    for count in 1..=migrations.len() {
        let made = made_from_file(&left_by(&migrations[..count])).await;
        let new_lacks: Vec<_> = made.iter().filter(|line| !new.contains(line)).collect();
        let only_new: Vec<_> = new.iter().filter(|line| !made.contains(line)).collect();
        assert!(
            new_lacks.is_empty() && only_new.is_empty(),
            "after {count} migrations; src/store/schema.sql lacks {new_lacks:#?}, and it alone has {only_new:#?}"
        );
    }
}

#[tokio::test]
async fn every_earlier_version_on_a_server_becomes_what_a_new_one_is() {
    let migrations = migrations();
    let Some(new) = made_on_server("").await else { return };
    assert!(new.len() > 300, "{new:?}");
    // The first, one in the middle, the last: each takes a server a moment.
    for count in [1, migrations.len() / 2, migrations.len()] {
        let made = made_on_server(&left_by(&migrations[..count])).await.unwrap();
        assert_eq!(made, new, "after {count} migrations");
    }
}
