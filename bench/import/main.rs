//! How long a realm with many users takes to come in, and to be looked through: `cargo bench --bench import`.
//!
//! ```text
//! cargo bench --bench import                                   10,000 users with plain passwords, SQLite on disk
//! cargo bench --bench import -- --database postgres://…        another database, empty
//! ```
//!
//! Passwords are hashed at the profile of development, as `dev` does. Nothing here passes or fails.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails says so and stops")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use serde_json::{Value, json};
use vestibule::clock::Timestamp;
use vestibule::passwords::{ClientSecrets, Limits, Passwords, Profile};
use vestibule::realm_file::{Format, PlanOptions, apply_spec, load, parse};
use vestibule::store::{Page, Store, StoreOptions, UserSearch};
use vestibule::vault::Vault;

/// What to measure.
#[derive(Debug, Parser)]
#[command(name = "cargo bench --bench import --")]
struct Options {
    /// Users of the realm
    #[arg(long, default_value_t = 10_000)]
    users: usize,
    /// An empty database: sqlite://FILE or postgres://…; a file of its own when none is named
    #[arg(long)]
    database: Option<String>,
    /// Said by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("import.db").display());
    let vault = Arc::new(Vault::random());
    let options_of_store = StoreOptions::new(options.database.unwrap_or(file));
    let store = Store::open(&options_of_store, Arc::clone(&vault)).await.unwrap();
    store.migrate().await.unwrap();
    let passwords = Passwords::with_profile(Limits::default(), Profile::Development);
    let secrets = ClientSecrets::new(passwords, vault);

    let text = realm(options.users).to_string();
    println!("{} users, {} KiB of JSON", options.users, text.len() / 1024);
    let spec = told("read", || parse(&text, Format::Json, "realm.json", &|_| None).unwrap().remove(0));
    let begun = Instant::now();
    apply_spec(&store, &secrets, &spec, PlanOptions::default(), Timestamp(1_800_000_000)).await.unwrap();
    tell("import", begun.elapsed());

    let realm = store.realm_by_name("crowd").await.unwrap().unwrap();
    for (what, search, first) in [
        ("first page", "", 0),
        ("last page", "", i64::try_from(options.users).unwrap() - 100),
        ("search of one", "user-004711", 0),
        ("search of many", "example", 0),
        ("search of none", "nobody-at-all", 0),
        ("search of a part", "*4711*", 0),
    ] {
        let any = (!search.is_empty()).then(|| search.to_owned());
        let search = UserSearch { any, ..UserSearch::default() };
        let mut fastest = Duration::MAX;
        for _ in 0..10 {
            let begun = Instant::now();
            store.search_users(&realm.id, &search, Page { first, max: 100 }).await.unwrap();
            fastest = fastest.min(begun.elapsed());
        }
        tell(what, fastest);
    }
    let begun = Instant::now();
    store.count_users(&realm.id).await.unwrap();
    tell("count", begun.elapsed());
    let begun = Instant::now();
    load(&store, "crowd").await.unwrap().unwrap();
    tell("load for an export", begun.elapsed());
}

fn told<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    tell(what, begun.elapsed());
    done
}

fn tell(what: &str, took: Duration) {
    println!("{what:<20} {:>10.2} ms", took.as_secs_f64() * 1_000.0);
}

/// Users as Keycloak's exports have them: a name, an address, attributes, a role, a group and a password.
fn realm(users: usize) -> Value {
    let user = |index: usize| {
        json!({
            "username": format!("user-{index:06}"),
            "email": format!("user-{index:06}@example.com"),
            "emailVerified": true,
            "enabled": true,
            "firstName": "User",
            "lastName": format!("Number {index}"),
            "attributes": { "department": [format!("d{}", index % 20)] },
            "credentials": [{ "type": "password", "value": format!("password-{index}") }],
            "realmRoles": ["member"],
            "groups": [format!("/teams/team-{}", index % 50)],
        })
    };
    let teams: Vec<Value> = (0..50).map(|team| json!({ "name": format!("team-{team}") })).collect();
    json!({
        "realm": "crowd",
        "enabled": true,
        "roles": { "realm": [{ "name": "member" }] },
        "groups": [{ "name": "teams", "subGroups": teams }],
        "users": (0..users).map(user).collect::<Vec<_>>(),
    })
}
