//! Realms that Keycloak described: what their users and clients get (keycloak-surface.md 4.5, 4.6, 4.10, 4.14).

use serde_json::{Value, json};
use vestibule::boot::{self, Existing, Import, Seed};
use vestibule::clock::Clock;
use vestibule::config::{Config, Development, Mode};
use vestibule::realms::KeySource;
use vestibule::testing::{Options, Reply, Rp, TestServer, claims};

use crate::common::is_error;

const SMALL: &str = include_str!("../keycloak/small.json");
const GROUPS: &str = include_str!("../keycloak/groups.json");
const CREDENTIALS: &str = include_str!("../keycloak/credentials.json");

async fn server(text: &str) -> TestServer {
    TestServer::with_realm(text).await.unwrap()
}

async fn by_password(server: &TestServer, rp: &Rp, username: &str, password: &str, scope: &str) -> Reply {
    let fields =
        [("grant_type", "password"), ("username", username), ("password", password), ("scope", scope)];
    rp.token_request(&server.browser(), &fields).await
}

async fn access(server: &TestServer, rp: &Rp, username: &str, scope: &str) -> Value {
    let reply = by_password(server, rp, username, username, scope).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    claims(reply.json()["access_token"].as_str().unwrap())
}

fn names(claims: &Value, pointer: &str) -> Vec<String> {
    let list = claims.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut names: Vec<String> = list.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn users_of_an_export_sign_in_and_their_tokens_say_what_mappers_add() {
    let server = server(SMALL).await;
    let rp = Rp::new(server.issuer("quickstart"), "quickstart-app", Some("secret"));
    let claims = access(&server, &rp, "bob", "openid profile email").await;
    assert_eq!(claims["department"], json!(["engineering", "operations"]));
    assert_eq!(claims["preferred_username"], "bob");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
    assert_eq!(names(&claims, "/realm_access/roles"), ["user"], "exactly those that the file gives");
}

#[tokio::test]
async fn qds_a_star_among_the_redirect_uris_takes_any_port_of_this_machine() {
    let server = server(SMALL).await;
    let rp = Rp::new(server.issuer("quickstart"), "quickstart-app", Some("secret"));
    let tokens = rp.sign_in(&mut server.browser(), "alice", "alice").await;
    assert!(tokens.is_ok(), "{tokens:?}");
}

/// 4.14 #6: without full scope a token shows the client's own roles and those of scope mappings, composites expanded.
#[tokio::test]
async fn scope_mappings_bound_the_roles_of_a_client_without_full_scope() {
    let server = server(GROUPS).await;
    let storefront = Rp::new(server.issuer("shop"), "storefront", None);
    let plain = access(&server, &storefront, "erika", "openid").await;
    assert_eq!(names(&plain, "/realm_access/roles"), ["customer"]);
    assert_eq!(names(&plain, "/resource_access/orders-api/roles"), ["orders:read"]);
    let orders = access(&server, &storefront, "erika", "openid orders").await;
    assert_eq!(names(&orders, "/resource_access/orders-api/roles"), ["orders:read", "orders:write"]);
    assert!(names(&orders, "/aud").contains(&"orders-api".to_owned()) || orders["aud"] == "orders-api");
}

#[tokio::test]
async fn a_service_account_has_the_roles_of_the_file() {
    let server = server(GROUPS).await;
    let billing = Rp::new(server.issuer("shop"), "billing", Some("billing-secret"));
    let reply = billing.token_request(&server.browser(), &[("grant_type", "client_credentials")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let claims = claims(reply.json()["access_token"].as_str().unwrap());
    assert_eq!(names(&claims, "/resource_access/orders-api/roles"), ["orders:read"]);
    let wrong = Rp::new(server.issuer("shop"), "billing", Some("billing-secrex"));
    let reply = wrong.token_request(&server.browser(), &[("grant_type", "client_credentials")]).await;
    is_error(&reply, 401, "invalid_client", "another secret");
}

async fn hash(server: &TestServer, username: &str) -> String {
    let store = &server.app().store;
    let realm = store.realm_by_name("vault").await.unwrap().unwrap();
    store.user_by_login(&realm.id, username, false).await.unwrap().unwrap().password_hash.unwrap()
}

#[tokio::test]
async fn foreign_hashes_are_replaced_at_the_first_sign_in() {
    let server = server(CREDENTIALS).await;
    let mut rp = Rp::new(server.issuer("vault"), "app", Some("app-secret"));
    rp.redirect_uri = "http://localhost:9999/cb".into();
    for username in ["pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512"] {
        let before = hash(&server, username).await;
        let wrong = rp.sign_in(&mut server.browser(), username, "wrong").await;
        assert!(wrong.is_err(), "{username}");
        assert_eq!(hash(&server, username).await, before);
        let tokens = rp.sign_in(&mut server.browser(), username, "correct horse").await;
        assert!(tokens.is_ok(), "{username}: {tokens:?}");
        let after = hash(&server, username).await;
        assert!(
            before.starts_with("$pbkdf2") && after.starts_with("$argon2id"),
            "{username}: {before} {after}"
        );
        assert!(rp.sign_in(&mut server.browser(), username, "correct horse").await.is_ok(), "{username}");
    }
}

/// Keycloak's own Argon2id (7 MiB, five passes) costs less than ours of production, and more than that of development.
#[tokio::test]
async fn an_argon2_hash_of_keycloak_is_replaced_where_ours_costs_more() {
    let mut realm: Value = serde_json::from_str(CREDENTIALS).unwrap();
    let mut users = realm["users"].as_array_mut().unwrap().iter_mut();
    let user = users.find(|user| user["username"] == "argon2").unwrap();
    user["credentials"].as_array_mut().unwrap().retain(|credential| credential["type"] == "password");
    for strict in [false, true] {
        let options = Options { realm: Some(realm.to_string()), strict, ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let mut rp = Rp::new(server.issuer("vault"), "app", Some("app-secret"));
        rp.redirect_uri = "http://localhost:9999/cb".into();
        let before = hash(&server, "argon2").await;
        assert!(before.starts_with("$argon2id") && before.contains("m=7168,t=5"), "{before}");
        assert!(rp.sign_in(&mut server.browser(), "argon2", "wrong").await.is_err());
        assert_eq!(hash(&server, "argon2").await, before);
        let tokens = rp.sign_in(&mut server.browser(), "argon2", "correct horse").await;
        assert!(tokens.is_ok(), "strict: {strict}: {tokens:?}");
        let after = hash(&server, "argon2").await;
        assert_eq!(after != before, strict, "{after}");
        assert!(
            rp.sign_in(&mut server.browser(), "argon2", "correct horse").await.is_ok(),
            "strict: {strict}"
        );
    }
}

/// What `plan` says that production would refuse, production does refuse: from a file that it is told to apply at its
/// start as from one that it imports, in either form, and none of its realms is made then.
#[tokio::test]
async fn serve_refuses_files_that_it_would_not_honour_and_names_the_client() {
    let own = |rest: &str| {
        format!("[realm]\nname = \"own\"\n[[realm.clients]]\nid = \"app\"\npublic = true\n{rest}\n")
    };
    let folder = tempfile::tempdir().unwrap();
    let mut config =
        Config::development(&Development { port: 0, ephemeral: true, ..Development::default() }).unwrap();
    config.mode = Mode::Serve;
    for (name, text, told) in [
        ("groups.json", GROUPS.to_owned(), "https://preview.shop.example/*"),
        (
            "wild.toml",
            own("redirect_uris = [\"http://localhost:*/*\"]"),
            "realm.clients[0].redirect_uris[0]: ",
        ),
        ("password.toml", own("grants = [\"password\"]"), "realm.clients[0].grants: password"),
        ("good.toml", own("redirect_uris = [\"https://app.example/cb\"]"), ""),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let import = Import { files: vec![path.clone()], existing: Existing::Skip };
        let seed = Seed { keys: KeySource::SharedInProcess, import: Some(import), ..Seed::default() };
        let imported = boot::build(&config, Clock::system(), seed).await;
        config.realm_files = vec![path];
        let seed = Seed { keys: KeySource::SharedInProcess, ..Seed::default() };
        let applied = boot::build(&config, Clock::system(), seed).await;
        config.realm_files.clear();
        for built in [imported, applied] {
            match built {
                Ok(_) => assert_eq!(told, "", "{name}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.contains(name) && error.contains(told) && !told.is_empty(), "{error}");
                }
            }
        }
    }
}

#[tokio::test]
async fn d4_development_follows_a_file_as_to_pkce_and_production_demands_it() {
    let text = GROUPS.replacen("\"pkce.code.challenge.method\": \"S256\",", "", 1).replace("/*\"", "/cb\"");
    for strict in [false, true] {
        let options = Options { realm: Some(text.clone()), strict, ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let mut rp = Rp::new(server.issuer("shop"), "storefront", None);
        rp.redirect_uri = "https://shop.example/callback".into();
        let without = [("code_challenge", None), ("code_challenge_method", None)];
        let reply = server.browser().get(&rp.authorize_url_with(&without)).await;
        if strict {
            assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{}", reply.body);
        } else {
            assert_eq!(reply.status, 200, "{}", reply.body);
            assert!(reply.body.contains("kc-form-login"), "{}", reply.body);
        }
        // A challenge that is sent holds anywhere.
        let plain = [("code_challenge_method", Some("plain"))];
        let reply = server.browser().get(&rp.authorize_url_with(&plain)).await;
        assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{strict}");
    }
}

/// Keycloak's rule for pairwise names, at every place that names the person.
#[tokio::test]
async fn core_8_1_a_client_with_keycloaks_pairwise_mapper_knows_people_as_there() {
    let mut realm: Value = serde_json::from_str(SMALL).unwrap();
    let clients = realm["clients"].as_array_mut().unwrap();
    let app = clients.iter_mut().find(|client| client["clientId"] == "quickstart-app").unwrap();
    app["protocolMappers"] = json!([{
        "name": "pairwise", "protocol": "openid-connect", "protocolMapper": "oidc-sha256-pairwise-sub-mapper",
        "config": { "sectorIdentifierUri": "https://group.example/s.json", "pairwiseSubAlgorithmSalt": "pepper" }
    }]);
    let server = server(&realm.to_string()).await;
    let rp = Rp::new(server.issuer("quickstart"), "quickstart-app", Some("secret"));
    let reply = by_password(&server, &rp, "alice", "alice", "openid").await;
    let tokens = reply.json();
    let [access, id] = ["access_token", "id_token"].map(|name| claims(tokens[name].as_str().unwrap()));
    let store = &server.app().store;
    let realm = store.realm_by_name("quickstart").await.unwrap().unwrap();
    let alice = store.user_by_login(&realm.id, "alice", false).await.unwrap().unwrap();
    let name = vestibule::protocol::subject::keycloak_name("group.example", &alice.user.id, "pepper");
    let userinfo = rp.userinfo(&server.browser(), tokens["access_token"].as_str().unwrap()).await.json();
    for (place, found) in [("access", &access), ("id", &id), ("userinfo", &userinfo)] {
        assert_eq!(found["sub"], name, "{place}");
    }
    assert_ne!(name, alice.user.id);
}

#[tokio::test]
async fn an_update_of_a_running_realm_reaches_the_next_request() {
    let server = server(GROUPS).await;
    let update = r#"{"realm": "shop", "users": [{"username": "erika", "enabled": false}]}"#;
    let spec = vestibule::realm_file::parse(update, vestibule::realm_file::Format::Json, "x.json", &|_| None);
    let storefront = Rp::new(server.issuer("shop"), "storefront", None);
    assert!(access(&server, &storefront, "erika", "openid").await["sub"].is_string());
    vestibule::boot::apply(server.app(), &spec.unwrap()[0]).await.unwrap();
    let reply = by_password(&server, &storefront, "erika", "erika", "openid").await;
    assert_ne!(reply.status, 200, "{}", reply.body);
}
