//! The same server with few records and with many: what rates and memory do as it grows.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::browser::Browser;
use crate::measure::drive;
use crate::operations::named;
use crate::peer::Peer;
use crate::process::{Process, prepare};
use crate::report::Grown;
use crate::{Options, Outcome};

/// What is compared.
const OPERATIONS: [&str; 6] = [
    "client_credentials RS256",
    "introspection",
    "userinfo",
    "refresh with rotation",
    "code flow with a session",
    "code flow with sign-in",
];
/// Connections.
const CONNECTIONS: usize = 16;
/// Rows that a sweep removes at once, as the server's own does.
const BATCH: i64 = vestibule::store::SWEEP_BATCH;

/// Rates at each size.
pub(crate) fn measure(options: &Options, folder: &Path) -> Outcome<Vec<Grown>> {
    options.growth.iter().map(|users| one(options, &folder.join(format!("growth-{users}")), *users)).collect()
}

fn one(options: &Options, data: &Path, users: u32) -> Outcome<Grown> {
    let peer = Peer::own(data, options)?;
    prepare(&peer, data)?;
    // One of each kind of record, made by the server itself, is the pattern of the others.
    let (server, _) = Process::start(&peer)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { Browser::new(&peer).flow().await })?;
    drop(server);
    let seeding = Instant::now();
    let mut grown = seed(&data.join("vestibule.db"), users)?;
    println!("{users} users and as many refresh tokens in {:.0} s", seeding.elapsed().as_secs_f64());
    let (server, _) = Process::start(&peer)?;
    // Realms get their keys in the background.
    std::thread::sleep(Duration::from_secs(3));
    for name in OPERATIONS {
        let measured = drive(&peer, &named(name, &peer)?, CONNECTIONS, options.seconds)?;
        println!("{users:>9} users: {name:<28}{:>8.0} /s", measured.rate);
        grown.rates.insert(name.to_owned(), measured.rate);
    }
    grown.loaded_mb = server.megabytes();
    drop(server);
    grown.sweep_ms = runtime.block_on(sweep(&data.join("vestibule.db"), users))?;
    std::fs::remove_dir_all(data)?;
    Ok(grown)
}

/// Copies of the records that are there: `users` people, each with a grant and a live refresh token, and clients and
/// realms in proportion.
fn seed(file: &Path, users: u32) -> Outcome<Grown> {
    let mut database = Connection::open(file)?;
    // The copies must not be half there either, but nobody waits for each of them.
    database.pragma_update(None, "synchronous", "OFF")?;
    database.pragma_update(None, "foreign_keys", "OFF")?;
    let (clients, realms) = ((users / 100).clamp(1, 10_000), (users / 1_000).clamp(1, 1_000));
    let name = "printf('0199e5a2-%04x-7000-8000-%012x', i / 65536, i)";
    let transaction = database.transaction()?;
    copy(&transaction, "realms", realms, "name = 'main'", &[("id", name), ("name", "'realm-' || i")])?;
    let mark = [("id", name), ("client_id", "'client-' || i"), ("search_key", "'client-' || i")];
    copy(&transaction, "clients", clients, "client_id = 'bench'", &mark)?;
    let mark = [
        ("id", name),
        ("username", "'user-' || i"),
        ("email", "'user-' || i || '@example.com'"),
        ("email_key", "'user-' || i || '@example.com'"),
        ("search_key", "'user-' || i || ' user-' || i || '@example.com'"),
    ];
    copy(&transaction, "users", users, "username = 'alice'", &mark)?;
    copy(&transaction, "grants", users, "1", &[("id", name), ("user_id", name), ("session_id", "NULL")])?;
    let mark = [("id", name), ("grant_id", name), ("predecessor", "NULL"), ("used_at", "NULL")];
    copy(&transaction, "refresh_tokens", users, "1", &mark)?;
    transaction.commit()?;
    database.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    // What the system is still writing would be waited for by the commits that are measured.
    std::fs::File::open(file)?.sync_all()?;
    Ok(Grown { users, clients, realms, ..Grown::default() })
}

/// `count` copies of one row, with other values in some columns; `i` counts them.
fn copy(database: &Connection, table: &str, count: u32, pattern: &str, mark: &[(&str, &str)]) -> Outcome<()> {
    let mut columns = database.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let columns = columns.query_map((), |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let value = |column: &String| {
        let marked = mark.iter().find(|(name, _)| name == column);
        marked.map_or(format!("t.\"{column}\""), |(_, value)| (*value).to_owned())
    };
    let values = columns.iter().map(value).collect::<Vec<_>>().join(", ");
    database.execute(
        &format!(
            "INSERT INTO {table} ({}) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             SELECT {values} FROM n, (SELECT * FROM {table} WHERE {pattern} LIMIT 1) t",
            columns.join(", ")
        ),
        (),
    )?;
    Ok(())
}

/// Lets a tenth of the grants and tokens expire, removes them as the server does, and gives the milliseconds of the
/// longest batch: how long a writer may have to wait for one.
async fn sweep(file: &Path, users: u32) -> Outcome<f64> {
    let database = Connection::open(file)?;
    database.execute_batch(&format!(
        "UPDATE refresh_tokens SET expires_at = 1 WHERE rowid % 10 = 1 AND rowid <= {users}; \
         UPDATE grants SET expires_at = 1 WHERE rowid % 10 = 1 AND rowid <= {users}"
    ))?;
    drop(database);
    let options =
        vestibule::store::StoreOptions { url: format!("sqlite://{}", file.display()), max_connections: 2 };
    let store = vestibule::store::Store::open(&options, Arc::new(vestibule::vault::Vault::random())).await?;
    let now = vestibule::clock::Clock::system().now();
    let mut longest = Duration::ZERO;
    loop {
        let begun = Instant::now();
        let swept = store.sweep(now, 90, BATCH).await?;
        longest = longest.max(begun.elapsed());
        if !swept.more {
            break;
        }
    }
    store.close().await;
    Ok(longest.as_secs_f64() * 1_000.0)
}
