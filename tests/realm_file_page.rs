//! `docs/realm-file.md` names every field that a realm file may have, no other, and the defaults of the code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]

use std::collections::BTreeSet;

use vestibule::realm_file::{Format, PlanOptions, RealmSpec, parse, plan};
use vestibule::testing::TestServer;

const PAGE: &str = include_str!("../docs/realm-file.md");

/// Fields and defaults of the table about `place`.
fn table(place: &str) -> Vec<(&'static str, &'static str)> {
    let (_, rest) = PAGE.split_once(&format!("| field of `{place}` |")).unwrap();
    let rows = rest.lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        (cells[0].trim_matches(['|', ' ', '`']), cells[1])
    })
    .collect()
}

/// Defaults that are values of TOML, as lines of a file.
fn defaults(place: &str) -> String {
    let values = table(place).into_iter().filter_map(|(field, default)| {
        let value = default.strip_prefix('`')?.strip_suffix('`')?;
        Some(format!("{field} = {value}\n"))
    });
    values.collect()
}

/// A file with one record of each kind, each with `more` of its place.
fn file(more: impl Fn(&str) -> String) -> String {
    let heads = [
        ("realm", "[realm]\nname = \"x\"\n"),
        ("realm.lifetimes", "[realm.lifetimes]\n"),
        ("realm.authorization_details_types", "[[realm.authorization_details_types]]\nname = \"t\"\n"),
        ("realm.brute_force", "[realm.brute_force]\n"),
        ("realm.roles", "[[realm.roles]]\nname = \"r\"\n"),
        ("realm.scopes", "[[realm.scopes]]\nname = \"s\"\n"),
        ("realm.scopes.claims", "[[realm.scopes.claims]]\nname = \"c\"\n"),
        ("realm.clients", "[[realm.clients]]\nid = \"c\"\nsecret = \"s\"\n"),
        (
            "realm.clients.jwt_bearer",
            "[[realm.clients.jwt_bearer]]\nissuer = \"i\"\nsubject = \"s\"\njwks_uri = \"https://i.example/\"\n",
        ),
        ("realm.clients.exchange", "[[realm.clients.exchange]]\naudience = \"c\"\ndelegation = true\n"),
        (
            "realm.trusted_issuers",
            "[[realm.trusted_issuers]]\nissuer = \"https://i\"\naudience = \"a\"\nuser_by = \"email\"\n\
             jwks_uri = \"https://i/jwks\"\n",
        ),
        ("realm.groups", "[[realm.groups]]\nname = \"g\"\n"),
        ("realm.users", "[[realm.users]]\nusername = \"u\"\n"),
    ];
    heads.map(|(place, head)| format!("{head}{}", more(place))).concat()
}

fn spec(text: &str) -> RealmSpec {
    parse(text, Format::Toml, "x.toml", &|_| None).unwrap().remove(0)
}

#[test]
fn every_field_is_there_and_no_other() {
    let wrong = file(|_| "zzzzzzzzzz = 1\n".into());
    let problems = parse(&wrong, Format::Toml, "x.toml", &|_| None).unwrap_err();
    let told: Vec<_> = problems.0.iter().filter_map(|p| p.message.split_once("known are ")).collect();
    assert_eq!(told.len(), 13, "{problems}");
    for problem in &problems.0 {
        let known = problem.message.split_once("known are ").unwrap().1;
        let known: BTreeSet<&str> = known.split(", ").collect();
        let place = problem.field.replace("[0]", "").replace(".zzzzzzzzzz", "");
        let shown: BTreeSet<&str> = table(&place).into_iter().map(|(field, _)| field).collect();
        assert_eq!(shown, known, "{place}");
    }
}

#[tokio::test]
async fn the_defaults_are_those_of_the_code() {
    // With its mapper lists emptied a scope would have no claims, and the claim's own defaults would go unread.
    let said = |place: &str| match place {
        "realm" => defaults(place)
            .replace("authorization_details_types = []\n", "")
            .replace("trusted_issuers = []\n", ""),
        "realm.clients" => defaults(place).replace("exchange = []\n", "").replace("jwt_bearer = []\n", ""),
        // A rule that allows nothing is refused.
        "realm.clients.exchange" => defaults(place).replace("delegation = false\n", ""),
        "realm.scopes" => defaults(place).replace("claims = []\n", "").replace("mappers = []\n", ""),
        _ => defaults(place),
    };
    let server = TestServer::with_realm(&file(|_| String::new())).await.unwrap();
    let app = server.app();
    let whole = spec(&file(said));
    let plan =
        plan(&app.store, &app.client_secrets, &whole, PlanOptions::default(), app.clock.now()).await.unwrap();
    assert!(plan.is_empty(), "{plan}");
}
