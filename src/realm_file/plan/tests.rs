//! Plans against realms in memory: what is told, what is written, and that a second plan is empty.

mod refusals;

use std::collections::HashMap;

use super::*;
use crate::clock::Timestamp;
use crate::protocol::outbound::OutboundRules;
use crate::protocol::role::Roles;
use crate::realm_file::state::{GroupState, UserState};
use crate::realm_file::{ExportOptions, Format, demo, export, parse};

fn read(text: &str) -> RealmSpec {
    parse(text, Format::Toml, "realm.toml", &|_| None).unwrap().remove(0)
}

/// Below `[realm] name = "main"`.
fn spec(rest: &str) -> RealmSpec {
    read(&format!("[realm]\nname = \"main\"\n{rest}"))
}

/// Every stored password and secret is the file's.
fn all_proven(spec: &RealmSpec) -> BTreeSet<Key> {
    entities::of(spec).into_keys().collect()
}

fn plan(state: Option<&State>, spec: &RealmSpec, prune: bool) -> Plan {
    let proven = if state.is_some() { all_proven(spec) } else { BTreeSet::new() };
    compare(state.cloned(), spec, PlanOptions { prune, ..PlanOptions::default() }, &proven).unwrap()
}

fn put<T: Clone>(list: &mut Vec<T>, records: &[T], id: fn(&T) -> &String) {
    for record in records {
        list.retain(|there| id(there) != id(record));
        list.push(record.clone());
    }
}

const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=256,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";

/// A stored form that a file may hold.
fn hash_of(key: &Key) -> String {
    if matches!(key, Key::User(_)) { PASSWORD_HASH.to_owned() } else { format!("sha256:{}", key.name()) }
}

/// What a store would hold after writing.
fn written(state: Option<&State>, plan: &Plan) -> State {
    let hashes = plan.secrets.iter().filter(|(_, change)| **change != SecretChange::Keep);
    let hashes = hashes.map(|(key, _)| (key.clone(), hash_of(key))).collect();
    let records = records(plan, &hashes, Timestamp(1_000));
    let mut after = state.cloned().unwrap_or_else(|| State {
        realm: records.realm.clone().unwrap(),
        scopes: Vec::new(),
        clients: Vec::new(),
        roles: Roles::default(),
        groups: Vec::new(),
        users: Vec::new(),
        kept: Default::default(),
    });
    apply(&mut after, &records);
    after
}

fn apply(after: &mut State, records: &Records) {
    if let Some(realm) = &records.realm {
        after.realm = realm.clone();
    }
    put(&mut after.scopes, &records.scopes, |scope| &scope.id);
    put(&mut after.clients, &records.clients, |client| &client.id);
    let mut roles: Vec<_> = after.roles.iter().cloned().collect();
    let mut parts: HashMap<String, Vec<String>> = roles
        .iter()
        .map(|role| (role.id.clone(), after.roles.children(&role.id).map(str::to_owned).collect()))
        .collect();
    put(&mut roles, &records.roles, |role| &role.id);
    let linked = |links: &Links| (links.owner.clone(), links.after.iter().cloned().collect::<Vec<_>>());
    parts.extend(records.composites.iter().map(linked));
    for group in &records.groups {
        let roles = after.groups.iter().find(|there| there.group.id == group.id);
        let roles = roles.map(|there| there.roles.clone()).unwrap_or_default();
        put(&mut after.groups, &[GroupState { group: group.clone(), roles }], |group| &group.group.id);
    }
    for (id, roles) in &records.group_roles.iter().map(linked).collect::<Vec<_>>() {
        after.groups.iter_mut().find(|group| group.group.id == *id).unwrap().roles = roles.clone();
    }
    for user in &records.users {
        let there = after.users.iter().find(|there| there.user.id == user.id).cloned();
        let mut state = there.unwrap_or_else(|| UserState::of(user.clone()));
        state.user = user.clone();
        put(&mut after.users, &[state], |user| &user.user.id);
    }
    let user =
        |users: &mut Vec<UserState>, id: &str| users.iter().position(|user| user.user.id == id).unwrap();
    for (id, hash) in &records.passwords {
        let at = user(&mut after.users, id);
        after.users[at].password_hash = Some(hash.clone());
    }
    for (id, roles) in &records.user_roles.iter().map(linked).collect::<Vec<_>>() {
        let at = user(&mut after.users, id);
        after.users[at].roles = roles.clone();
    }
    for (id, groups) in &records.user_groups.iter().map(linked).collect::<Vec<_>>() {
        let at = user(&mut after.users, id);
        after.users[at].groups = groups.clone();
    }
    for deleted in &records.deleted {
        match deleted {
            Deleted::Scope(id) => after.scopes.retain(|scope| scope.id != *id),
            Deleted::Client(id) => after.clients.retain(|client| client.id != *id),
            Deleted::Role(id) => roles.retain(|role| role.id != *id),
            Deleted::Group(id) => after.groups.retain(|group| group.group.id != *id),
            Deleted::User(id) => after.users.retain(|user| user.user.id != *id),
        }
    }
    let there: BTreeSet<String> = roles.iter().map(|role| role.id.clone()).collect();
    let pairs = parts
        .into_iter()
        .flat_map(|(parent, parts)| parts.into_iter().map(move |part| (parent.clone(), part)))
        .filter(|(parent, part)| there.contains(parent) && there.contains(part))
        .collect();
    let clients = after.clients.iter().map(|client| (client.id.clone(), client.client_id.clone())).collect();
    after.roles = Roles::new(roles, pairs, clients);
}

/// The realm that `spec` makes.
fn made(spec: &RealmSpec) -> State {
    written(None, &plan(None, spec, false))
}

const BUSY: &str = r#"
display_name = "Acme ${x}"
signature_algorithm = "ES256"
optional_scopes = ["reports"]
[realm.lifetimes]
access_token = "10m"
code = 45
[realm.brute_force]
max_failures = 3
[[realm.roles]]
name = "user"
[[realm.roles]]
name = "boss"
description = "May do more"
composites = ["user", "web:editor", "account:view-profile"]
[[realm.scopes]]
name = "reports"
consent_text = "Read your reports"
[[realm.scopes.claims]]
name = "department"
[[realm.scopes.claims]]
name = "org.unit"
attribute = "unit"
type = "json"
multivalued = true
tokens = ["id_token"]
[[realm.scopes.mappers]]
name = "groups"
kind = "oidc-group-membership-mapper"
config = { "claim.name" = "groups", "full.path" = "true" }
[[realm.clients]]
id = "web"
secret = "web-secret"
redirect_uris = ["https://b.example/cb", "https://a.example/cb"]
post_logout_redirect_uris = ["+"]
web_origins = ["+"]
[[realm.clients.roles]]
name = "editor"
composites = ["web:reader"]
[[realm.clients.roles]]
name = "reader"
[[realm.clients]]
id = "worker"
secret = "worker-secret"
grants = ["client_credentials"]
service_account_roles = ["web:reader", "boss"]
access_token_lifetime = 60
[[realm.clients]]
id = "robot"
authentication = "private_key_jwt"
assertion_audience = "issuer"
jwks = { keys = [{ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }
[[realm.clients]]
id = "tv"
public = true
pkce = "optional"
grants = ["device_code"]
[[realm.groups]]
name = "staff"
roles = ["user"]
attributes = { site = "Bern" }
[[realm.groups.groups]]
name = "board"
roles = ["boss"]
[[realm.groups]]
name = "r&d/eu"
groups = [{ name = "x/y" }]
[[realm.users]]
username = "Alice"
password = "alice"
email = "Alice@example.com"
email_verified = true
first_name = "Alice"
roles = ["user", "web:editor"]
groups = ["/staff/board", "/r&d~/eu/x~/y"]
attributes = { department = "x" }
[[realm.users]]
username = "bob"
enabled = false
"#;

fn busy() -> RealmSpec {
    spec(&BUSY.replace("${x}", "$${x}"))
}

#[test]
fn a_second_plan_is_empty() {
    let realms = [demo().unwrap(), vec![busy(), spec("")]].concat();
    for spec in realms {
        let state = made(&spec);
        for prune in [false, true] {
            let second = plan(Some(&state), &spec, prune);
            assert!(second.is_empty(), "{}: {second}", spec.name);
            assert_eq!(
                second.to_string().lines().next().unwrap(),
                format!("Realm {}: nothing to change.", spec.name)
            );
        }
    }
}

#[test]
fn an_export_changes_nothing() {
    for spec in [demo().unwrap(), vec![busy(), spec("")]].concat() {
        let state = made(&spec);
        for minimal in [false, true] {
            for with_secrets in [false, true] {
                let text = export(&state, ExportOptions { minimal, with_secrets }).unwrap();
                let again = parse(&text, Format::Toml, "export.toml", &|_| None)
                    .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
                    .remove(0);
                let plan = compare(
                    Some(state.clone()),
                    &again,
                    PlanOptions { prune: true, ..PlanOptions::default() },
                    &BTreeSet::new(),
                )
                .unwrap();
                assert!(plan.is_empty(), "{plan}\n{text}");
                let secrets = text.contains("sha256:") || text.contains("$argon2id");
                assert_eq!(secrets, with_secrets && text.contains("_hash = "), "{text}");
                assert!(!text.contains("_hash") || with_secrets, "{text}");
            }
        }
    }
}

#[test]
fn an_export_makes_the_same_realm_elsewhere() {
    let state = made(&busy());
    for minimal in [false, true] {
        let text = export(&state, ExportOptions { minimal, with_secrets: true }).unwrap();
        let again = written(None, &plan(None, &read(&text), false));
        let describe =
            |state: &State| export(state, ExportOptions { minimal: true, with_secrets: false }).unwrap();
        assert_eq!(describe(&again), describe(&state));
    }
}

#[test]
fn a_minimal_export_is_short() {
    let text = export(&made(&busy()), ExportOptions { minimal: true, with_secrets: false }).unwrap();
    insta::assert_snapshot!(text);
    let nothing = export(&made(&spec("")), ExportOptions { minimal: true, with_secrets: true }).unwrap();
    assert_eq!(nothing, "[realm]\nname = \"main\"\n");
}

#[test]
fn a_new_realm_has_what_comes_with_every_realm() {
    let state = made(&busy());
    for name in ["default-roles-main", "offline_access", "user"] {
        assert!(state.roles.realm_role(name).is_some(), "{name}");
    }
    assert!(state.client("account").is_some() && state.scopes.iter().any(|scope| scope.name == "profile"));
    let default = state.roles.realm_role("default-roles-main").unwrap();
    let users: Vec<&UserState> = state.users.iter().collect();
    assert_eq!(users.len(), 3, "alice, bob and the service account");
    assert!(users.iter().all(|user| user.roles.contains(&default.id)));
    let worker = state.client("worker").unwrap();
    let service = state.service_account(&worker.id).unwrap();
    assert_eq!(service.user.username, "service-account-worker");
    assert_eq!(service.roles.len(), 3);
    let alice = users.iter().find(|user| user.user.username == "alice").unwrap();
    assert_eq!(alice.password_hash.as_deref(), Some(PASSWORD_HASH));
    assert_eq!(state.client("tv").unwrap().secret_hash, None);
}

#[test]
fn what_a_plan_tells() {
    let state = made(&busy());
    let file = spec(
        r#"
display_name = "Other"
[realm.lifetimes]
access_token = "5m"
[[realm.roles]]
name = "fresh"
[[realm.clients]]
id = "web"
redirect_uris = ["https://a.example/cb"]
[[realm.clients]]
id = "api"
[[realm.clients]]
id = "site"
redirect_uris = ["http://localhost:*/*"]
secret = "canary"
[[realm.users]]
username = "alice"
password = "canary"
email = ""
groups = []
"#,
    );
    let plan =
        compare(Some(state), &file, PlanOptions { prune: true, ..PlanOptions::default() }, &BTreeSet::new())
            .unwrap();
    assert!(!format!("{plan}{plan:?}{}", plan.json()).contains("canary"));
    insta::assert_snapshot!(plan.to_string());
    insta::assert_json_snapshot!(plan.json());
}

#[test]
fn a_file_speaks_only_of_what_it_names() {
    let state = made(&busy());
    let narrow = spec("[[realm.users]]\nusername = \"alice\"\nfirst_name = \"Alicia\"\n");
    let one = plan(Some(&state), &narrow, false);
    assert_eq!(one.differences.len(), 1, "{one}");
    assert_eq!(one.differences[0].fields.len(), 1, "{one}");
    let after = written(Some(&state), &one);
    let user = |state: &State| state.users.iter().find(|user| user.user.username == "alice").unwrap().clone();
    assert_eq!(user(&after).user.first_name.as_deref(), Some("Alicia"));
    assert_eq!((user(&after).roles, user(&after).groups), (user(&state).roles, user(&state).groups));
    assert_eq!(user(&after).password_hash, user(&state).password_hash);

    let pruned = written(Some(&state), &plan(Some(&state), &narrow, true));
    let names =
        |state: &State| state.users.iter().map(|user| user.user.username.clone()).collect::<BTreeSet<_>>();
    assert_eq!(names(&pruned), BTreeSet::from(["alice".into(), "service-account-worker".into()]));
    assert_eq!(pruned.clients.len(), state.clients.len(), "the file says nothing of clients");
}

#[test]
fn pruning_takes_what_hangs_on_a_client_along() {
    let state = made(&busy());
    let narrow = spec("clients = []\n");
    let pruned = plan(Some(&state), &narrow, true);
    let told: Vec<(&str, &str)> =
        pruned.differences.iter().map(|one| (one.kind, one.name.as_str())).collect();
    let expected = [
        ("client", "robot"),
        ("client", "tv"),
        ("client", "web"),
        ("client", "worker"),
        ("client role", "web:editor"),
        ("client role", "web:reader"),
    ];
    assert_eq!(told, expected);
    let after = written(Some(&state), &pruned);
    assert!(after.client("account").is_some() && after.client("web").is_none());
    assert!(!after.users.iter().any(|user| user.user.service_account_client.is_some()));
    assert!(plan(Some(&after), &narrow, true).is_empty());
}

#[test]
fn a_client_that_is_no_service_any_more_loses_its_account() {
    let state = made(&busy());
    let file = spec("[[realm.clients]]\nid = \"worker\"\ngrants = []\n");
    let after = written(Some(&state), &plan(Some(&state), &file, false));
    let worker = after.client("worker").unwrap();
    assert!(after.service_account(&worker.id).is_none());
    assert!(plan(Some(&after), &file, false).is_empty());
}

const KEYS: &str = "authentication = \"private_key_jwt\"\njwks_uri = \"https://app.example/jwks\"";

const SHARED: &str = "authentication = \"client_secret_jwt\"";

#[test]
fn rfc7591_2_keys_are_in_one_place() {
    let state = made(&busy());
    let robot = |fields: &str| spec(&format!("[[realm.clients]]\nid = \"robot\"\n{fields}\n"));
    let file = robot("jwks_uri = \"https://robot.example/jwks\"");
    let after = written(Some(&state), &plan(Some(&state), &file, false));
    let settings = &after.client("robot").unwrap().settings;
    assert!(settings.jwks.is_none());
    assert_eq!(settings.jwks_uri.as_deref(), Some("https://robot.example/jwks"));
    assert!(plan(Some(&after), &file, false).is_empty());
    let gone = compare(Some(after), &robot("jwks_uri = \"\""), PlanOptions::default(), &BTreeSet::new());
    assert!(gone.is_err(), "its last keys");
}

#[test]
fn what_becomes_of_secrets() {
    let state = made(&busy());
    let client = |fields: &str| spec(&format!("[[realm.clients]]\nid = \"web\"\n{fields}"));
    let new = |fields: &str| spec(&format!("[[realm.clients]]\nid = \"new\"\n{fields}"));
    for (name, file, proven, expected) in [
        ("not named", client(""), false, None),
        ("the same", client("secret = \"s\""), true, None),
        ("another", client("secret = \"s\""), false, Some(SecretChange::Set)),
        ("the same stored form", client("secret_hash = \"sha256:web\""), false, None),
        ("made public", client("public = true"), false, Some(SecretChange::Remove)),
        ("made readable", client(SHARED), false, Some(SecretChange::Generate)),
        (
            "made readable, the same",
            client(&format!("{SHARED}\nsecret = \"{}\"", "s".repeat(32))),
            true,
            Some(SecretChange::Set),
        ),
        ("given keys", client(KEYS), false, Some(SecretChange::Remove)),
        ("new with keys", new(KEYS), false, Some(SecretChange::Keep)),
        ("new without one", new(""), false, Some(SecretChange::Generate)),
        ("new with one", new("secret = \"s\""), false, Some(SecretChange::Set)),
        ("new and public", new("public = true"), false, Some(SecretChange::Keep)),
        (
            "one that comes with every realm",
            spec("[[realm.clients]]\nid = \"account\"\ndescription = \"x\"\n"),
            false,
            Some(SecretChange::Keep),
        ),
    ] {
        let proven = if proven { all_proven(&file) } else { BTreeSet::new() };
        let plan = compare(Some(state.clone()), &file, PlanOptions::default(), &proven).unwrap();
        let found =
            plan.secrets.iter().find(|(key, _)| matches!(key, Key::Client(_))).map(|(_, change)| *change);
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn names_with_colons_are_told_apart() {
    let file = spec(
        "[[realm.roles]]\nname = \"reports:read\"\n[[realm.clients]]\nid = \"https://api.example\"\nroles = [{ name = \"a:b\" }]\n[[realm.users]]\nusername = \"x\"\nroles = [\"reports:read\", \"https://api.example:a:b\"]\n",
    );
    let state = made(&file);
    assert_eq!(state.users[0].roles.len(), 3);
    assert!(plan(Some(&state), &file, false).is_empty());
    let both = spec(
        "[[realm.clients]]\nid = \"reports\"\nroles = [{ name = \"read\" }]\n[[realm.users]]\nusername = \"x\"\nroles = [\"reports:read\"]\n",
    );
    let problems = compare(Some(state), &both, PlanOptions::default(), &BTreeSet::new()).unwrap_err();
    assert!(
        problems.to_string().ends_with("`reports:read` is both a realm role and a client's role"),
        "{problems}"
    );
}
