//! Keycloak's realm files against a real database, in memory.

mod groups;
mod refusals;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::state::State;
use super::super::{
    ApplyError, Format, NewSecret, Plan, PlanOptions, RealmSpec, apply_spec, load, parse, plan,
    production_refusals,
};
use super::*;
use crate::clock::Timestamp;
use crate::keycloak::Beside;
use crate::passwords::{ClientSecrets, Limits, Passwords, Profile};
use crate::protocol::client::GrantType;
use crate::protocol::outbound::OutboundRules;
use crate::store::{Store, StoreOptions};
use crate::vault::Vault;

const NOW: Timestamp = Timestamp(1_700_000_000);

const SMALL: &str = include_str!("../../../tests/keycloak/small.json");
const GROUPS: &str = include_str!("../../../tests/keycloak/groups.json");
/// Secrets of others, which are kept without effect.
const KEPT: &str = r#"{
    "realm": "vaulted", "enabled": true, "privateKey": "canary-key", "smtpServer": { "password": "canary-smtp" },
    "federatedUsers": [{ "id": "f:1", "credentials": [{ "value": "canary-fed" }] }],
    "identityProviders": [{ "alias": "hub", "config": { "clientSecret": "canary-idp" } }],
    "components": { "org.keycloak.keys.KeyProvider": [{ "name": "k", "config": { "privateKey": ["canary-rsa"] } }] },
    "authenticatorConfig": [{ "alias": "captcha", "config": { "secret.key": "canary-captcha" } }],
    "clients": [{ "clientId": "saml", "protocol": "saml", "attributes": { "saml.signing.private.key": "canary-saml" } }]
}"#;
const CREDENTIALS: &str = include_str!("../../../tests/keycloak/credentials.json");

const ALL: KeycloakExport = KeycloakExport { users: true, with_secrets: true, minimal: false };

struct Place {
    store: Store,
    secrets: ClientSecrets,
}

impl Place {
    async fn new() -> Self {
        let vault = Arc::new(Vault::random());
        let store = Store::open(&StoreOptions::new("sqlite::memory:"), Arc::clone(&vault)).await.unwrap();
        store.migrate().await.unwrap();
        let passwords = Passwords::with_profile(Limits::default(), Profile::Development);
        Self { store, secrets: ClientSecrets::new(passwords, vault) }
    }

    async fn with(text: &str) -> (Self, State) {
        let place = Self::new().await;
        place.apply(text).await;
        let state = place.state(&read(text).name).await;
        (place, state)
    }

    async fn apply(&self, text: &str) -> (Plan, Vec<NewSecret>) {
        let spec = read(text);
        apply_spec(&self.store, &self.secrets, &spec, PlanOptions::default(), NOW).await.unwrap()
    }

    async fn plan(&self, text: &str, prune: bool) -> Result<Plan, ApplyError> {
        plan(&self.store, &self.secrets, &read(text), PlanOptions { prune, ..PlanOptions::default() }, NOW)
            .await
    }

    async fn state(&self, realm: &str) -> State {
        load(&self.store, realm).await.unwrap().unwrap()
    }

    async fn export(&self, realm: &str, options: KeycloakExport) -> String {
        export(&self.state(realm).await, options, &self.secrets).unwrap()
    }
}

fn read(text: &str) -> RealmSpec {
    parse(text, Format::Json, "realm.json", &|_| None).unwrap().remove(0)
}

fn changed(text: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    value.to_string()
}

fn user<'a>(state: &'a State, name: &str) -> &'a super::super::state::UserState {
    state.users.iter().find(|one| one.user.username == name).unwrap()
}

fn role_names(state: &State, name: &str) -> BTreeSet<String> {
    user(state, name).roles.iter().map(|id| state.role_name(id).unwrap()).collect()
}

#[tokio::test]
async fn an_export_imported_elsewhere_is_the_same_export() {
    for text in [SMALL, GROUPS, CREDENTIALS] {
        let realm = read(text).name;
        let (first, _) = Place::with(text).await;
        let once = first.export(&realm, ALL).await;
        let (second, _) = Place::with(&once).await;
        let twice = second.export(&realm, ALL).await;
        assert!(once == twice, "{realm}:\n{}", difference(&once, &twice));
        assert!(once.len() > text.len() / 2, "{realm}");
    }
}

/// The first lines that differ.
fn difference(a: &str, b: &str) -> String {
    let lines = a.lines().zip(b.lines()).filter(|(a, b)| a != b).take(12);
    lines.map(|(a, b)| format!("- {a}\n+ {b}\n")).collect()
}

#[tokio::test]
async fn a_realm_has_the_attributes_that_its_file_names_and_no_others() {
    let with = |attributes: Value| {
        json!({ "realm": "shop", "enabled": true, "smtpServer": { "host": "mail" }, "attributes": attributes }).to_string()
    };
    let (place, _) = Place::with(&with(json!({ "x": "1", "y": "2", "apiSecret": "canary" }))).await;
    let kept = async || {
        let state = place.state("shop").await;
        state.kept(Beside::Realm, &state.realm.id)
    };
    place.apply(&with(json!({ "x": "3", "apiSecret": "**********" }))).await;
    assert_eq!(
        kept().await["attributes"],
        json!({ "x": "3", "apiSecret": "canary" }),
        "a mask stands for what was there"
    );
    place.apply(r#"{ "realm": "shop", "enabled": true }"#).await;
    assert_eq!(
        kept().await["attributes"],
        json!({ "x": "3", "apiSecret": "canary" }),
        "said nothing of them"
    );
    place.apply(&with(json!({}))).await;
    assert_eq!(kept().await.get("attributes"), None);
    assert_eq!(kept().await["smtpServer"]["host"], "mail");
}

#[tokio::test]
async fn applying_again_changes_nothing() {
    for text in [SMALL, GROUPS, CREDENTIALS] {
        let (place, _) = Place::with(text).await;
        let again = place.plan(text, false).await.unwrap();
        assert!(again.is_empty(), "{again}");
        let exported = place.export(&again.realm, ALL).await;
        for prune in [false, true] {
            let plan = place.plan(&exported, prune).await.unwrap();
            assert!(plan.is_empty(), "{plan}");
        }
    }
}

/// Whatever a file says is in the export, as it was, but for what is spelled in one way here.
#[tokio::test]
async fn nothing_that_a_file_says_is_lost() {
    let (place, _) = Place::with(GROUPS).await;
    let exported: Value = serde_json::from_str(&place.export("shop", ALL).await).unwrap();
    let said: Value = serde_json::from_str(GROUPS).unwrap();
    for (name, value) in said.as_object().unwrap() {
        let lists = ["roles", "groups", "users", "clients", "clientScopes", "defaultRole", "scopeMappings"];
        if lists.contains(&name.as_str()) || matches!(name.as_str(), "keycloakVersion" | "attributes") {
            continue;
        }
        assert_eq!(exported.get(name), Some(value), "{name}");
    }
    let attributes = said["attributes"].as_object().unwrap();
    for (name, value) in attributes {
        assert_eq!(exported["attributes"].get(name), Some(value), "{name}");
    }
    for list in ["clients", "clientScopes", "users"] {
        for one in said[list].as_array().unwrap() {
            let there =
                exported[list].as_array().unwrap().iter().find(|other| other["id"] == one["id"]).unwrap();
            for (name, value) in one.as_object().unwrap() {
                let spelled = [
                    "credentials",
                    "createdTimestamp",
                    "attributes",
                    "protocolMappers",
                    "defaultClientScopes",
                ];
                if !spelled.contains(&name.as_str()) {
                    assert_eq!(there.get(name), Some(value), "{list} {} {name}", one["id"]);
                }
            }
        }
    }
    assert!(exported["roles"]["client"]["orders-api"].as_array().unwrap().len() == 2);
}

#[tokio::test]
async fn users_come_with_their_roles_groups_and_passwords() {
    let (place, state) = Place::with(SMALL).await;
    assert_eq!(role_names(&state, "alice"), ["admin", "user"].map(str::to_owned).into());
    assert_eq!(
        role_names(&state, "carol"),
        ["default-roles-quickstart".to_owned()].into(),
        "of whom none are said"
    );
    assert_eq!(user(&state, "bob").user.attributes["badge"], ["7"]);
    assert_eq!(user(&state, "carol").user.required_actions, ["UPDATE_PASSWORD"]);
    for name in ["alice", "bob", "carol"] {
        let hash = user(&state, name).password_hash.as_deref();
        assert!(place.secrets.passwords().verify(hash, &name.into()).await.unwrap().matches, "{name}");
    }
    let app = state.client("quickstart-app").unwrap();
    assert_eq!(place.secrets.reveal(app), Some("secret".into()), "the default of the placeholder");
    assert!(place.secrets.verify_of(app, &"secret".into()).await.unwrap());
    assert!(!place.secrets.verify_of(app, &"secrex".into()).await.unwrap());
    assert!(state.service_account(&app.id).is_some());
    let spa = state.client("spa").unwrap();
    assert_eq!(spa.settings.redirect_uris, ["http://localhost:3000/*"]);
}

#[tokio::test]
async fn u04_a_user_of_whom_it_is_not_said_that_they_may_sign_in_may_not() {
    let file = r#"{ "realm": "r", "users": [{ "username": "a" }, { "username": "b", "enabled": true }] }"#;
    let (place, state) = Place::with(file).await;
    assert!(!user(&state, "a").user.enabled && user(&state, "b").user.enabled);
    let minimal = place.export("r", KeycloakExport { minimal: true, ..ALL }).await;
    let (_, again) = Place::with(&minimal).await;
    assert!(!user(&again, "a").user.enabled && user(&again, "b").user.enabled, "{minimal}");
    place.apply(r#"{ "realm": "r", "users": [{ "username": "b", "firstName": "B" }] }"#).await;
    assert!(user(&place.state("r").await, "b").user.enabled, "what is there stays as it is");
}

#[tokio::test]
async fn records_have_the_identifiers_of_the_file() {
    let (_, state) = Place::with(GROUPS).await;
    let id = |last: &str| format!("5b1f0a52-3c0e-4a6b-9a3e-0c0f5e1d7a{last}");
    assert_eq!(state.realm.id, id("01"));
    assert_eq!(state.roles.realm_role("default-roles-shop").unwrap().id, id("02"));
    assert_eq!(state.client("storefront").unwrap().id, id("11"));
    assert_eq!(state.scopes.iter().find(|scope| scope.name == "profile").unwrap().id, id("44"));
    assert_eq!(user(&state, "erika").user.id, id("30"));
    let groups: Vec<(&str, &str)> =
        state.groups.iter().map(|one| (one.group.path.as_str(), one.group.id.as_str())).collect();
    assert_eq!(
        groups,
        [
            ("/employees", id("20").as_str()),
            ("/employees/berlin", id("21").as_str()),
            ("/newcomers", id("22").as_str()),
        ]
    );
    assert!(state.scopes.iter().all(|scope| scope.realm_id == id("01")));
    assert!(state.roles.iter().all(|role| role.realm_id == id("01")));
}

#[tokio::test]
async fn composites_scope_mappings_and_services_are_linked() {
    let (place, state) = Place::with(GROUPS).await;
    let manager = state.roles.realm_role("manager").unwrap().id.clone();
    let effective: BTreeSet<String> =
        state.roles.effective([manager.as_str()]).iter().map(|role| role.name.clone()).collect();
    assert_eq!(
        effective,
        ["customer", "manager", "orders:read", "orders:write", "staff"].map(str::to_owned).into()
    );
    let names =
        |ids: &BTreeSet<String>| ids.iter().filter_map(|id| state.role_name(id)).collect::<BTreeSet<_>>();
    let storefront = state.client("storefront").unwrap();
    assert_eq!(
        names(&storefront.settings.scope_mappings),
        ["customer", "orders-api:orders:read"].map(str::to_owned).into()
    );
    let orders = state.scopes.iter().find(|scope| scope.name == "orders").unwrap();
    assert_eq!(names(&orders.settings.scope_mappings), ["orders-api:orders:write".to_owned()].into());
    let billing = state.client("billing").unwrap();
    assert_eq!(state.service_account(&billing.id).unwrap().user.username, "service-account-billing");
    assert_eq!(
        role_names(&state, "service-account-billing"),
        ["default-roles-shop", "orders-api:orders:read"].map(str::to_owned).into()
    );
    assert!(state.client("orders-api").unwrap().settings.grants.is_empty(), "it gets no tokens");
    assert!(storefront.may(GrantType::DeviceCode) && storefront.may(GrantType::Password));
    assert_eq!(state.realm.settings.brute_force.max_failures, 7);
    assert_eq!(state.realm.settings.pushed_request, 90);
    let newcomers = state.groups.iter().find(|one| one.group.path == "/newcomers").unwrap();
    assert_eq!(state.realm.settings.default_groups, std::slice::from_ref(&newcomers.group.id));
    let shop = place.store.keycloak_records_of_kind(&state.realm.id, "identity-provider").await.unwrap();
    assert_eq!((shop.len(), shop[0].name.as_str()), (1, "corporate"));
}

#[tokio::test]
async fn foreign_hashes_sign_in_and_one_time_codes_are_sealed() {
    let (place, state) = Place::with(CREDENTIALS).await;
    for name in ["pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512", "argon2", "old"] {
        let hash = user(&state, name).password_hash.as_deref();
        let verdict = place.secrets.passwords().verify(hash, &"correct horse".into()).await.unwrap();
        assert!(verdict.matches, "{name}");
    }
    assert!(user(&state, "unknown").password_hash.is_none());
    let plan = place.plan(CREDENTIALS, false).await.unwrap();
    assert!(plan.notes().any(|note| note.contains("`unknown`") && note.contains("bcrypt")), "{plan}");
    let otp = &user(&state, "argon2").credentials[0];
    assert!(!otp.secret.contains("DJmQ"));
    let opened = place.secrets.vault().open(&otp.place(), &otp.secret).unwrap();
    assert_eq!(std::str::from_utf8(&opened).unwrap(), r#"{"value":"DJmQfC73VGFhw7D4QJ8A"}"#);
    assert_eq!(user(&state, "old").credentials.len(), 1);
}

#[tokio::test]
async fn a06_secrets_go_out_only_when_asked_for() {
    for (text, canaries) in [
        (GROUPS, &["billing-secret"][..]),
        (CREDENTIALS, &["DJmQfC73", "I9aBicNn", "app-secret", "secretData"]),
        (
            KEPT,
            &[
                "canary-key",
                "canary-smtp",
                "canary-fed",
                "canary-idp",
                "canary-rsa",
                "canary-captcha",
                "canary-saml",
            ],
        ),
    ] {
        let realm = read(text).name;
        let (place, _) = Place::with(text).await;
        let plain = place.export(&realm, KeycloakExport { with_secrets: false, ..ALL }).await;
        let whole = place.export(&realm, ALL).await;
        for canary in canaries {
            assert!(!plain.contains(canary) && whole.contains(canary), "{canary}");
        }
        // Users in files of their own: the realm's file holds the rest.
        let apart = place.export(&realm, KeycloakExport { users: false, ..ALL }).await;
        assert!(!apart.contains("**********"), "{apart}");
        assert!(plain.contains("**********"));
        let plan = place.plan(&plain, false).await.unwrap();
        assert!(plan.is_empty(), "a mask is no secret: {plan}");
        let shown = format!("{:?}{plan}{plan:?}", read(text));
        assert!(canaries.iter().all(|canary| !shown.contains(canary)));
    }
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_leaves_the_rest() {
    let (place, before) = Place::with(GROUPS).await;
    let update = json!({
        "realm": "shop",
        "accessTokenLifespan": 120,
        "attributes": { "frontendUrl": "https://id.shop.example" },
        "users": [{ "username": "max", "firstName": "Max" }],
        "clients": [{ "clientId": "billing", "description": "Bills", "secret": "billing-secret" }],
        "roles": { "realm": [{ "name": "customer", "id": "another", "description": "Buys" }] },
    });
    let (plan, _) = place.apply(&update.to_string()).await;
    let told: Vec<(&str, &str)> = plan.differences.iter().map(|one| (one.kind, one.name.as_str())).collect();
    assert_eq!(
        told,
        [
            ("realm", ""),
            ("role", "customer"),
            ("client", "billing"),
            ("user", "max"),
            ("kept", format!("realm {}", before.realm.id).as_str()),
        ]
    );
    let after = place.state("shop").await;
    assert_eq!(after.realm.settings.access_token, 120);
    let customer = after.roles.realm_role("customer").unwrap();
    assert_eq!(
        customer.id,
        before.roles.realm_role("customer").unwrap().id,
        "what is there keeps its identifier"
    );
    assert_eq!(customer.attributes["tier"], ["basic"]);
    assert_eq!(role_names(&after, "max"), role_names(&before, "max"));
    assert_eq!(after.users.len(), before.users.len());
    let attributes = after.kept(Beside::Realm, &after.realm.id)["attributes"].clone();
    assert_eq!(attributes["frontendUrl"], "https://id.shop.example");
    assert!(
        attributes.get("cibaBackchannelTokenDeliveryMode").is_none(),
        "its attributes are those that are named"
    );
    assert_eq!(after.client("billing").unwrap().secret_hash, before.client("billing").unwrap().secret_hash);
}

#[tokio::test]
async fn pruning_takes_what_is_not_named_and_leaves_what_every_realm_has() {
    let (place, _) = Place::with(GROUPS).await;
    let narrow = changed(GROUPS, |realm| {
        realm["clients"].as_array_mut().unwrap().retain(|client| client["clientId"] != "billing");
        realm["users"].as_array_mut().unwrap().retain(|user| user["username"] == "max");
        realm["groups"].as_array_mut().unwrap().retain(|group| group["name"] == "newcomers");
        realm["roles"]["realm"].as_array_mut().unwrap().retain(|role| role["name"] != "manager");
        realm["users"][0]["realmRoles"] = json!(["staff"]);
    });
    let spec = read(&narrow);
    let options = PlanOptions { prune: true, ..PlanOptions::default() };
    apply_spec(&place.store, &place.secrets, &spec, options, NOW).await.unwrap();
    let after = place.state("shop").await;
    assert!(after.client("billing").is_none() && after.client("account").is_some());
    assert!(
        after.roles.realm_role("manager").is_none() && after.roles.realm_role("offline_access").is_some()
    );
    assert_eq!(after.groups.len(), 1);
    assert_eq!(after.users.iter().map(|one| one.user.username.as_str()).collect::<Vec<_>>(), ["max"]);
    let again = place.plan(&narrow, true).await.unwrap();
    assert!(again.is_empty(), "{again}");
}

#[tokio::test]
async fn a_minimal_export_makes_the_same_realm_and_says_little() {
    for text in [SMALL, GROUPS, CREDENTIALS] {
        let realm = read(text).name;
        let (place, before) = Place::with(text).await;
        let minimal = place.export(&realm, KeycloakExport { minimal: true, ..ALL }).await;
        let whole = place.export(&realm, ALL).await;
        assert!(minimal.len() * 2 < whole.len(), "{realm}: {} of {}", minimal.len(), whole.len());
        assert!(!minimal.contains("\"clientId\": \"admin-cli\""), "{minimal}");
        let (elsewhere, after) = Place::with(&minimal).await;
        let again = elsewhere.export(&realm, KeycloakExport { minimal: true, ..ALL }).await;
        assert!(minimal == again, "{realm}:\n{}", difference(&minimal, &again));
        assert_eq!(before.users.len(), after.users.len(), "{realm}");
        for one in &before.users {
            assert_eq!(role_names(&before, &one.user.username), role_names(&after, &one.user.username));
        }
    }
}

#[tokio::test]
async fn a_new_client_without_a_secret_is_given_one_that_is_told() {
    let file = json!({ "realm": "r", "enabled": true, "clients": [
        { "clientId": "new", "redirectUris": ["http://localhost/cb"] },
        { "clientId": "masked", "secret": "**********" },
        { "clientId": "public", "publicClient": true },
        { "clientId": "api", "bearerOnly": true },
    ]});
    let place = Place::new().await;
    let (_, drawn) = place.apply(&file.to_string()).await;
    assert_eq!(drawn.iter().map(|one| one.client_id.as_str()).collect::<Vec<_>>(), ["new", "masked"]);
    let state = place.state("r").await;
    let client = state.client("new").unwrap();
    assert!(place.secrets.verify_of(client, &drawn[0].secret).await.unwrap());
    assert!(place.plan(&file.to_string(), false).await.unwrap().is_empty());
}

#[test]
fn an_array_holds_several_realms_and_our_own_json_is_still_read() {
    let read = |text: &str| parse(text, Format::Json, "x.json", &|_| None);
    let realms = read("[{\"realm\": \"a\"}, {\"realm\": \"b\", \"future\": {}}]").unwrap();
    assert_eq!(realms.iter().map(|realm| realm.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let own = read("{\"realm\": {\"name\": \"main\"}}").unwrap();
    assert!(own[0].keycloak.is_none());
}

/// A realm that Keycloak renamed keeps the name of its default role.
#[tokio::test]
async fn the_default_role_of_a_file_becomes_ours() {
    let file = json!({
        "realm": "moved", "defaultRole": { "id": "d", "name": "default-roles-old" },
        "roles": { "realm": [
            { "id": "d", "name": "default-roles-old", "composite": true, "composites": { "realm": ["vip"] } },
            { "name": "vip" },
        ] },
        "users": [{ "username": "a", "realmRoles": ["default-roles-old"] }, { "username": "b" }],
    });
    let (place, state) = Place::with(&file.to_string()).await;
    for name in ["a", "b"] {
        assert_eq!(role_names(&state, name), ["default-roles-moved".to_owned()].into(), "{name}");
    }
    let default = state.roles.realm_role("default-roles-moved").unwrap();
    assert_eq!(default.id, "d");
    assert!(state.roles.effective(["d"]).iter().any(|role| role.name == "vip"));
    assert!(state.roles.realm_role("default-roles-old").is_none());
    assert!(place.plan(&file.to_string(), false).await.unwrap().is_empty());
}
