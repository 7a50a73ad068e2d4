//! The same server with few records and with many: what rates and memory do as it grows.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use vestibule::store::Change;

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

/// What a sweep removes, and by which time.
const SWEPT: [(&str, &str); 12] = [
    ("authorization_codes", "expires_at"),
    ("device_codes", "expires_at"),
    ("refresh_tokens", "expires_at"),
    ("grants", "expires_at"),
    ("sessions", "expires_at"),
    ("revoked_tokens", "expires_at"),
    ("spent_identifiers", "expires_at"),
    ("pushed_requests", "expires_at"),
    ("failures", "expires_at"),
    ("registration_tokens", "expires_at"),
    ("logout_outbox", "due_at"),
    ("audit_events", "at"),
];

/// Rows of tables in which a sign-in leaves none; `n.i` counts them, `realm` and `client` are what they belong to.
const OTHERS: [&str; 7] = [
    "device_codes (fingerprint, realm_id, client, user_code, scope, address, network, issued_at, expires_at, \
     poll_interval) SELECT 'd' || i, realm, client, 'd' || i, 'openid', '192.0.2.1', '192.0.2.1', 0, 4000000000, 5",
    "revoked_tokens (realm_id, jti, expires_at) SELECT realm, 'r' || i, 4000000000",
    "spent_identifiers (realm_id, kind, fingerprint, expires_at) SELECT realm, 'jti', 's' || i, 4000000000",
    "pushed_requests (fingerprint, realm_id, client, parameters, pushed_at, good_until, expires_at) \
     SELECT 'p' || i, realm, client, '[]', 0, 4000000000, 4000000000",
    "failures (realm_id, subject, count, last_at, locked_until, expires_at) \
     SELECT realm, 'f' || i, 1, 0, 0, 4000000000",
    "registration_tokens (id, realm_id, fingerprint, created_at, expires_at, uses_left) \
     SELECT 't' || i, realm, 't' || i, 0, 4000000000, 1",
    "logout_outbox (realm_id, session_id, client, user_id, issuer, created_at, attempts, due_at) \
     SELECT realm, 'o' || i, client, 'o' || i, 'https://op.example', 0, 0, 4000000000",
];

/// Copies of the records that are there: `users` people, each with a session, a grant and a live refresh token and as many
/// rows of everything that a sweep looks at, and clients and realms in proportion.
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
    let mark = [("id", name), ("user_id", name), ("fingerprint", name), ("ended_at", "NULL")];
    copy(&transaction, "sessions", users, "1", &mark)?;
    copy(&transaction, "authorization_codes", users, "1", &[("fingerprint", name), ("grant_id", name)])?;
    copy(&transaction, "audit_events", users, "1", &[("id", name)])?;
    for rows in OTHERS {
        let one = "(SELECT realm_id AS realm, id AS client FROM clients WHERE client_id = 'bench' LIMIT 1)";
        transaction.execute_batch(&format!(
            "INSERT INTO {rows} FROM (WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {users}) \
             SELECT i FROM n), {one}"
        ))?;
    }
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

/// Lets a tenth of every table expire, removes it as the server does, and gives the milliseconds that somebody who writes
/// meanwhile waited at most.
async fn sweep(file: &Path, users: u32) -> Outcome<f64> {
    let database = Connection::open(file)?;
    for (table, time) in SWEPT {
        let few = format!("UPDATE {table} SET {time} = 1 WHERE rowid % 10 = 1 AND rowid <= {users}");
        database.execute_batch(&few)?;
    }
    drop(database);
    let options =
        vestibule::store::StoreOptions { url: format!("sqlite://{}", file.display()), max_connections: 2 };
    let store = vestibule::store::Store::open(&options, Arc::new(vestibule::vault::Vault::random())).await?;
    let now = vestibule::clock::Clock::system().now();
    let sweep = async {
        while store.sweep(now, 90, BATCH).await?.more {}
        Outcome::Ok(())
    };
    let mut longest = Duration::ZERO;
    let write = async {
        loop {
            let begun = Instant::now();
            let (realm_id, account) = (String::new(), Some(String::new()));
            store.commit(vec![Change::ForgiveAccount { realm_id, account }]).await?;
            longest = longest.max(begun.elapsed());
        }
    };
    tokio::select! {
        done = sweep => done?,
        failed = write => return failed,
    }
    store.close().await;
    Ok(longest.as_secs_f64() * 1_000.0)
}
