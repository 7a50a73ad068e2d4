//! What tests and developers wait for at a start, and administrators in a realm with many users: `cargo bench --bench import`.
//!
//! ```text
//! cargo bench --bench import                                   SQLite, and Postgres where Debian's package is installed
//! cargo bench --bench import -- --users 100000                 the same with more people
//! cargo bench --bench import -- --database postgres://…        one database, which is empty
//! ```
//!
//! A server is started by `start-dev` on each database, whose every commit is on the disk, and asked over HTTP, one request
//! after another. Passwords come in plain text, and are hashed at the profile of development. Beside each figure stands its
//! limit. Nothing here passes or fails.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark that fails says so and stops"
)]

mod realm;
mod server;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::json;

use server::{Caller, Postgres, Server};
use vestibule::testing::TestServer;

/// What to measure.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench import --")]
struct Options {
    /// Users of the realm
    #[arg(long, default_value_t = 10_000)]
    users: usize,
    /// How often each list is asked for, and how many realms are made
    #[arg(long, default_value_t = 20)]
    repeats: usize,
    /// An empty database, in place of SQLite and Postgres: sqlite://FILE or postgres://…
    #[arg(long)]
    database: Option<String>,
    /// The program to measure, instead of one that is built now
    #[arg(long, default_value = "")]
    binary: PathBuf,
    /// Said by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// What a test may wait for its server, in milliseconds.
const FIXTURE: f64 = 25.0;
/// What the first start with a small realm may take.
const START: f64 = 150.0;
/// What making a realm may take.
const REALM: f64 = 10.0;
/// What importing the users may take.
const IMPORT: f64 = 10_000.0;
/// What a list of users may take.
const LIST: f64 = 20.0;

fn main() {
    let mut options = Options::parse();
    if options.binary.as_os_str().is_empty() {
        options.binary = vestibule_bench::build().unwrap();
    }
    let crowd = realm::with("crowd", options.users, 0);
    println!("{} users, {} KiB of JSON; milliseconds", options.users, crowd.len() / 1024);
    begin(&options);
    if let Some(database) = &options.database {
        return measure(&options, "the database", Some(database), &crowd);
    }
    measure(&options, "SQLite", None, &crowd);
    let folder = tempfile::tempdir().unwrap();
    match Postgres::start(folder.path()) {
        Some(postgres) => measure(&options, "Postgres", Some(&postgres.url), &crowd),
        None => println!("\nPostgres: left out, since the Debian package postgresql is not installed"),
    }
}

/// What a test waits for that has a server of its own, and a developer whose realm is small.
fn begin(options: &Options) {
    println!("\n{:<44} {:>9} {:>9} {:>9}", "at a start", "median", "slowest", "limit");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let fixture = || {
        let begun = Instant::now();
        let server = runtime.block_on(TestServer::start()).unwrap();
        let took = begun.elapsed();
        drop(server);
        took
    };
    tell("the first vestibule::testing of a process", &[fixture()], FIXTURE);
    tell("the next ones", &(0..options.repeats).map(|_| fixture()).collect::<Vec<_>>(), FIXTURE);
    let (mut took, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..options.repeats {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("import")).unwrap();
        std::fs::write(folder.path().join("import/small-realm.json"), realm::with("small", 100, 20)).unwrap();
        let begun = Instant::now();
        let server = Server::start(&options.binary, folder.path(), None);
        took.push(begun.elapsed());
        memory.push(server.megabytes());
    }
    tell("start-dev --import-realm, 100 users, 20 clients", &took, START);
    memory.sort_by(f64::total_cmp);
    println!("{:<44} {:>9.1} MB, limit 30", "its memory", memory[memory.len() / 2]);
}

fn measure(options: &Options, name: &str, database: Option<&str>, crowd: &str) {
    println!("\n{:<44} {:>9} {:>9} {:>9}", name, "median", "slowest", "limit");
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(&options.binary, data, database);
    let mut caller = server.sign_in();
    // The keys of the first realms are there by then.
    std::thread::sleep(Duration::from_secs(1));
    realms(options, &mut caller);

    let begun = Instant::now();
    caller.post("/admin/realms", crowd);
    tell("import by POST /admin/realms", &[begun.elapsed()], IMPORT);
    lists(options, &mut caller);
    drop((caller, server));
    at_the_start(options, data, database, crowd);
}

/// Realms that are made one after another: with time to make the keys of each, and without.
fn realms(options: &Options, caller: &mut Caller) {
    for (what, name, pause) in [
        ("a realm by POST /admin/realms", "one", Duration::from_millis(300)),
        ("the same, at once after another", "next", Duration::ZERO),
    ] {
        let mut took = Vec::new();
        for nth in 0..options.repeats {
            let body = json!({ "realm": format!("{name}-{nth}"), "enabled": true }).to_string();
            std::thread::sleep(pause);
            let begun = Instant::now();
            caller.post("/admin/realms", &body);
            took.push(begun.elapsed());
        }
        tell(what, &took, REALM);
    }
    for (what, path) in
        [("all realms", "/admin/realms"), ("the same, brief", "/admin/realms?briefRepresentation=true")]
    {
        repeat(options, caller, what, path);
    }
}

fn lists(options: &Options, caller: &mut Caller) {
    let last = format!("users?first={}&max=100", options.users.saturating_sub(100));
    for (what, path) in [
        ("users, first page", "users?max=100"),
        ("users, last page", last.as_str()),
        ("users, search of one", "users?search=user-004711"),
        ("users, search of all", "users?search=user-&max=100"),
        ("users, search of none", "users?search=nobody-at-all"),
        ("users, search of a part", "users?search=*4711*"),
        ("users, exact user name", "users?username=user-004711&exact=true"),
        ("users, by an attribute", "users?q=department:d7&max=100"),
        ("users, by an attribute of one", "users?q=badge:b4711"),
        ("users, how many", "users/count"),
        ("clients, one by its clientId", "clients?clientId=account"),
        ("groups", "groups"),
    ] {
        repeat(options, caller, what, &format!("/admin/realms/crowd/{path}"));
    }
    let body = json!({ "username": "newcomer", "enabled": true }).to_string();
    let begun = Instant::now();
    caller.post("/admin/realms/crowd/users", &body);
    tell("a user by POST …/users", &[begun.elapsed()], LIST);
}

fn repeat(options: &Options, caller: &mut Caller, what: &str, path: &str) {
    let asked = (0..options.repeats).map(|_| {
        let begun = Instant::now();
        caller.get(path);
        begun.elapsed()
    });
    tell(what, &asked.collect::<Vec<_>>(), LIST);
}

/// What a server takes that finds the realm in its folder of imports.
fn at_the_start(options: &Options, data: &Path, database: Option<&str>, crowd: &str) {
    let crowd = crowd.replacen("crowd", "throng", 1);
    std::fs::create_dir_all(data.join("import")).unwrap();
    std::fs::write(data.join("import/throng-realm.json"), crowd).unwrap();
    let begun = Instant::now();
    let server = Server::start(&options.binary, data, database);
    tell("import by start-dev --import-realm", &[begun.elapsed()], IMPORT);
    println!("{:<44} {:>9.0} MB", "memory after it", server.megabytes());
}

fn tell(what: &str, took: &[Duration], limit: f64) {
    let mut took: Vec<f64> = took.iter().map(|span| span.as_secs_f64() * 1_000.0).collect();
    took.sort_by(f64::total_cmp);
    let over = if took[took.len() / 2] > limit { "  over" } else { "" };
    println!("{what:<44} {:>9.1} {:>9.1} {limit:>9.0}{over}", took[took.len() / 2], took[took.len() - 1]);
}
