//! Plans against realms in memory: what is told, what is written, and that a second plan is empty.

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
[[realm.users]]
username = "Alice"
password = "alice"
email = "Alice@example.com"
email_verified = true
first_name = "Alice"
roles = ["user", "web:editor"]
groups = ["/staff/board"]
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
fn mistakes_that_show_against_the_realm() {
    let state = made(&busy());
    for (name, rest, expected) in [
        (
            "role",
            "[[realm.users]]\nusername = \"x\"\nroles = [\"user\",\n\"nope\"]",
            "realm.toml:6: realm.users[0].roles[1]: there is no role `nope`",
        ),
        (
            "client role",
            "[[realm.users]]\nusername = \"x\"\nroles = [\"web:nope\"]",
            "realm.toml:5: realm.users[0].roles[0]: there is no role `web:nope`",
        ),
        (
            "group",
            "[[realm.users]]\nusername = \"x\"\ngroups = [\"/nope\"]",
            "realm.toml:5: realm.users[0].groups[0]: there is no group `/nope`",
        ),
        (
            "scope",
            "[[realm.clients]]\nid = \"x\"\ndefault_scopes = [\"nope\"]",
            "realm.toml:5: realm.clients[0].default_scopes[0]: there is no scope `nope`",
        ),
        (
            "openid",
            "optional_scopes = [\"openid\"]",
            "realm.toml:3: realm.optional_scopes[0]: `openid` is always there and is not listed",
        ),
        (
            "part of itself",
            "[[realm.roles]]\nname = \"x\"\ncomposites = [\"x\"]",
            "realm.toml:5: realm.roles[0].composites: a role cannot be part of itself",
        ),
        (
            "group's role",
            "[[realm.groups]]\nname = \"x\"\ngroups = [{ name = \"y\", roles = [\"nope\"] }]",
            "realm.toml:5: realm.groups[0].groups[0].roles[0]: there is no role `nope`",
        ),
        (
            "no address",
            "[[realm.clients]]\nid = \"x\"\ngrants = [\"authorization_code\"]",
            "realm.toml:3: realm.clients[0]: the grant authorization_code needs `redirect_uris`",
        ),
        (
            "no service",
            "[[realm.clients]]\nid = \"tv\"\nservice_account_roles = [\"user\"]",
            "realm.toml:5: realm.clients[0].service_account_roles: only a client with the grant client_credentials or jwt_bearer has a service account",
        ),
        (
            "a secret of a public client",
            "[[realm.clients]]\nid = \"tv\"\nsecret = \"x\"",
            "realm.toml:5: realm.clients[0].secret: the client is public and keeps no secret",
        ),
        (
            "a key client without keys",
            "[[realm.clients]]\nid = \"x\"\nauthentication = \"private_key_jwt\"",
            "realm.toml:5: realm.clients[0].authentication: private_key_jwt needs the client's keys: `jwks` or `jwks_uri`",
        ),
        (
            "a secret of a key client",
            "[[realm.clients]]\nid = \"robot\"\nsecret = \"x\"",
            "realm.toml:5: realm.clients[0].secret: a client that proves itself by private_key_jwt keeps no secret",
        ),
        (
            "a short secret to make tokens with",
            "[[realm.clients]]\nid = \"x\"\nauthentication = \"client_secret_jwt\"\nsecret = \"short\"",
            "realm.toml:6: realm.clients[0].secret: client_secret_jwt needs a secret of at least 32 bytes (RFC 7518 §3.2)",
        ),
        (
            "a hash to make tokens with",
            "[[realm.clients]]\nid = \"x\"\nauthentication = \"client_secret_jwt\"\nsecret_hash = \"sha256:x\"",
            "realm.toml:6: realm.clients[0].secret_hash: the stored form is not the one of this method: write `secret` instead",
        ),
        (
            "a grant of tokens that nobody signs",
            "[[realm.clients]]\nid = \"x\"\ngrants = [\"jwt_bearer\"]",
            "realm.toml:5: realm.clients[0].grants: the grant jwt_bearer needs `jwks`, `jwks_uri` or `jwt_bearer`: whose tokens it takes",
        ),
        (
            "pairwise names without one sector",
            "[[realm.clients]]\nid = \"x\"\nsubject_type = \"pairwise\"\nredirect_uris = [\"https://a.example/cb\", \"https://b.example/cb\"]",
            "realm.toml:5: realm.clients[0].subject_type: redirect URIs on several hosts need a `sector_identifier_uri`, whose host is the sector of pairwise names (OpenID Connect Core §8.1)",
        ),
        (
            "another id",
            "[[realm.users]]\nusername = \"alice\"\nid = \"other\"",
            "realm.toml:5: realm.users[0].id: the user exists with another id, which cannot change",
        ),
    ] {
        let problems =
            compare(Some(state.clone()), &spec(rest), PlanOptions::default(), &BTreeSet::new()).unwrap_err();
        assert_eq!(problems.to_string(), expected, "{name}");
    }
    let pruned = spec("roles = []\n[[realm.users]]\nusername = \"x\"\nroles = [\"user\"]\n");
    assert!(
        compare(
            Some(state.clone()),
            &pruned,
            PlanOptions { prune: true, ..PlanOptions::default() },
            &BTreeSet::new()
        )
        .is_err(),
        "a role that goes"
    );
    assert!(compare(Some(state), &pruned, PlanOptions::default(), &BTreeSet::new()).is_ok());
}

#[test]
fn core_8_1_one_host_or_a_sector_is_enough() {
    let state = made(&busy());
    for rest in [
        "redirect_uris = [\"https://a.example/cb\", \"https://a.example:8443/cb\"]",
        "redirect_uris = [\"http://localhost:*/*\", \"http://localhost/cb\"]",
        "redirect_uris = [\"https://a.example/cb\", \"https://b.example/cb\"]\nsector_identifier_uri = \"https://a.example/s.json\"",
    ] {
        let file = spec(&format!("[[realm.clients]]\nid = \"x\"\nsubject_type = \"pairwise\"\n{rest}"));
        let found = compare(Some(state.clone()), &file, PlanOptions::default(), &BTreeSet::new());
        assert!(found.is_ok(), "{rest}: {:?}", found.err());
    }
}

/// N02: what `serve` would never call is told where it is written, and not when it fails to be called.
#[test]
fn n02_serve_refuses_addresses_that_its_configuration_does_not_let_it_call() {
    let state = made(&busy());
    let (default, private) = (OutboundRules::default(), OutboundRules { private: true, http: false });
    for (field, value) in [
        ("jwks_uri", "\"https://10.0.0.1/x\""),
        ("request_uris[0]", "[\"https://10.0.0.1/x\"]"),
        ("backchannel_logout_uri", "\"https://10.0.0.1/x\""),
        ("sector_identifier_uri", "\"https://10.0.0.1/x\""),
    ] {
        let name = field.trim_end_matches("[0]");
        let file = spec(&format!("[[realm.clients]]\nid = \"x\"\n{name} = {value}"));
        let compared = |outbound| {
            let options = PlanOptions { outbound, ..PlanOptions::default() };
            compare(Some(state.clone()), &file, options, &BTreeSet::new())
        };
        let told = compared(Some(default)).unwrap_err().to_string();
        assert!(told.starts_with(&format!("realm.toml:5: realm.clients[0].{field}: ")), "{told}");
        assert!(told.contains("leads to an address that is not public (`[outbound]`"), "{told}");
        assert!(compared(Some(private)).unwrap().production_refusals.is_empty(), "{field}");
        let development = compared(None).unwrap().production_refusals;
        assert_eq!(development.len(), 1, "{field}: {development:?}");
        let never = value.replace("10.0.0.1", "169.254.169.254");
        let never = format!("[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"x\"\n{name} = {never}");
        let found = parse(&never, Format::Toml, "realm.toml", &|_| None);
        assert!(found.is_err(), "{field}: in development too");
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
