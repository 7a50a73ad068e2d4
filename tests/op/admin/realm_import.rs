//! Realms made of Keycloak's realm JSON, records that come into one, and what goes out.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::Rp;

use super::scene::{Admin, names, token};

/// What Quarkus' Dev Services send, in short.
fn quarkus() -> Value {
    json!({
        "realm": "quarkus", "enabled": true, "accessTokenLifespan": 600, "refreshTokenMaxReuse": 10,
        "roles": { "realm": [{ "name": "user" }, { "name": "admin", "composites": { "realm": ["user"] } }] },
        "groups": [{ "name": "staff", "realmRoles": ["user"] }],
        "clients": [{
            "clientId": "quarkus-app", "secret": "secret", "redirectUris": ["http://localhost/*"],
            "directAccessGrantsEnabled": true, "serviceAccountsEnabled": true,
        }],
        "users": [
            { "username": "alice", "enabled": true, "credentials": [{ "type": "password", "value": "alice" }], "realmRoles": ["admin"] },
            { "username": "bob", "enabled": true, "credentials": [{ "type": "password", "value": "bob" }], "groups": ["/staff"] },
        ],
        "somethingNew": true,
    })
}

#[tokio::test]
async fn a_realm_is_made_whole_and_its_people_sign_in() {
    let admin = Admin::new().await;
    let reply = admin.ask(Method::POST, "realms", Some(quarkus())).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (201, ""));
    assert_eq!(reply.location(), format!("{}/admin/realms/quarkus", admin.server.origin()));
    let realm = admin.get("realms/quarkus").await;
    assert_eq!((&realm["accessTokenLifespan"], &realm["somethingNew"]), (&json!(600), &json!(true)));
    assert_eq!(names(&admin.get("realms/quarkus/users").await, "username"), ["alice", "bob"]);
    let rp = Rp { issuer: admin.server.issuer("quarkus"), ..admin.server.rp("quarkus-app", Some("secret")) };
    for (name, role) in [("alice", "admin"), ("bob", "user")] {
        let fields =
            [("grant_type", "password"), ("username", name), ("password", name), ("scope", "openid")];
        let tokens = rp.tokens(&admin.server.browser(), &fields).await.unwrap();
        let roles = tokens.access_claims()["realm_access"]["roles"].clone();
        assert!(roles.as_array().unwrap().contains(&json!(role)), "{name}: {roles}");
    }
    let told = admin.refused(Method::POST, "realms", json!({ "realm": "quarkus" }), 409).await;
    assert_eq!(told["errorMessage"], "Conflict detected. See logs for details");
    for body in
        [json!({}), json!({ "realm": "" }), json!({ "realm": "a/b" }), json!({ "realm": "x", "users": 1 })]
    {
        admin.refused(Method::POST, "realms", body, 400).await;
    }
}

#[tokio::test]
async fn a01_who_may_make_realms_looks_after_those_alone() {
    let admin = Admin::new().await;
    for (realm, client, expected) in
        [("master", "creator", 201), ("master", "nobody", 403), ("main", "owner", 403)]
    {
        let caller = token(&admin.server, realm, client).await;
        let body = json!({ "realm": format!("of-{client}"), "enabled": true });
        let reply = admin.as_(&caller, Method::POST, "realms", Some(body)).await;
        assert_eq!(reply.status, expected, "{client}: {}", reply.body);
    }
    let creator = token(&admin.server, "master", "creator").await;
    let seen = admin.as_(&creator, Method::GET, "realms", None).await;
    assert_eq!(names(&seen.json(), "realm"), ["of-creator"]);
    let made =
        admin.as_(&creator, Method::POST, "realms/of-creator/users", Some(json!({ "username": "x" }))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(admin.as_(&creator, Method::GET, "realms/main/users", None).await.status, 403);
}

#[tokio::test]
async fn records_come_into_a_realm_by_their_policy() {
    let admin = Admin::new().await;
    let import = |policy: &str| {
        json!({
            "ifResourceExists": policy,
            "users": [{ "username": "alice", "firstName": "Changed" }, { "username": format!("new-{policy}").to_lowercase(), "enabled": true }],
            "roles": { "realm": [{ "name": "tester" }] },
        })
    };
    let path = "realms/main/partialImport";
    let told = admin.refused(Method::POST, path, import("FAIL"), 409).await;
    assert_eq!(told["errorMessage"], "USER 'alice' already exists.");
    let alice = format!("realms/main/users/{}", admin.user("main", "alice").await);
    for (policy, added, skipped, overwritten, first) in
        [("SKIP", 1, 2, 0, "Alice"), ("OVERWRITE", 1, 0, 2, "Changed")]
    {
        let reply = admin.ask(Method::POST, path, Some(import(policy))).await;
        assert_eq!(reply.status, 200, "{policy}: {}", reply.body);
        let told = reply.json();
        assert_eq!(
            (&told["added"], &told["skipped"], &told["overwritten"]),
            (&json!(added), &json!(skipped), &json!(overwritten)),
            "{policy}"
        );
        assert_eq!(admin.get(&alice).await["firstName"], first, "{policy}");
    }
    admin.refused(Method::POST, path, json!({ "ifResourceExists": "PERHAPS" }), 400).await;
}

#[tokio::test]
async fn a02_who_cannot_do_everything_brings_nothing_in() {
    let admin = Admin::new().await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let management = store.client_by_client_id(&realm.id, "realm-management").await.unwrap().unwrap().id;
    let viewer = store.client_by_client_id(&realm.id, "viewer").await.unwrap().unwrap();
    let account = store.user_of_service_account(&realm.id, &viewer.id).await.unwrap().unwrap().id;
    let own = admin.get(&format!("realms/main/clients/{management}/roles/manage-realm")).await;
    admin
        .must(
            Method::POST,
            &format!("realms/main/users/{account}/role-mappings/clients/{management}"),
            json!([own]),
        )
        .await;
    let caller = token(&admin.server, "main", "viewer").await;
    let body = json!({ "ifResourceExists": "OVERWRITE", "users": [{ "username": "evil", "clientRoles": { "realm-management": ["realm-admin"] } }] });
    let reply = admin.as_(&caller, Method::POST, "realms/main/partialImport", Some(body.clone())).await;
    assert_eq!(reply.status, 403, "{}", reply.body);
    let owner = token(&admin.server, "main", "owner").await;
    let reply = admin.as_(&owner, Method::POST, "realms/main/partialImport", Some(body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn a06_an_export_holds_no_secret() {
    let admin = Admin::new().await;
    let path = "realms/main/partial-export";
    let whole =
        admin.ask(Method::POST, &format!("{path}?exportClients=true&exportGroupsAndRoles=true"), None).await;
    assert_eq!(whole.status, 200, "{}", whole.body);
    for secret in ["web-secret", "sha256:", "argon2"] {
        assert!(!whole.body.contains(secret), "{secret}");
    }
    let whole = whole.json();
    assert!(names(&whole["clients"], "clientId").contains(&"web".to_owned()));
    assert!(names(&whole["roles"]["realm"], "name").contains(&"tester".to_owned()));
    assert_eq!(whole["users"], json!(null));
    let bare = admin.ask(Method::POST, path, None).await.json();
    assert_eq!(
        (&bare["clients"], &bare["roles"], &bare["realm"]),
        (&json!(null), &json!(null), &json!("main"))
    );
}

/// A02: by the identifiers of another realm, which many may read, nobody comes to look after it.
#[tokio::test]
async fn a02_a_new_realm_takes_nothing_that_is_anothers() {
    let admin = Admin::new().await;
    let creator = token(&admin.server, "master", "creator").await;
    let main = admin.get("realms/main").await["id"].clone();
    let web = admin.get("realms/main/clients?clientId=web").await[0]["id"].clone();
    let alice = admin.user("main", "alice").await;
    let tester = admin.get("realms/main/roles/tester").await["id"].clone();
    for (row, body) in [
        ("the realm", json!({ "realm": "evil", "id": main, "users": [{ "username": "mallory" }] })),
        ("a client", json!({ "realm": "evil", "clients": [{ "id": web, "clientId": "web" }] })),
        ("a user", json!({ "realm": "evil", "users": [{ "id": alice, "username": "alice" }] })),
        ("a role", json!({ "realm": "evil", "roles": { "realm": [{ "id": tester, "name": "tester" }] } })),
    ] {
        let reply = admin.as_(&creator, Method::POST, "realms", Some(body)).await;
        assert_eq!(reply.status, 409, "{row}: {}", reply.body);
    }
    assert_eq!(names(&admin.get("realms").await, "realm"), ["main", "master", "other"]);
    assert_eq!(admin.get("realms/main").await["id"], main);
    assert_eq!(names(&admin.get("realms/main/users").await, "username"), ["alice", "boss"]);
}

/// Nobody comes into a realm under the identifier of somebody else, whose password and roles they would have.
#[tokio::test]
async fn a02_what_comes_in_takes_no_identifier_of_what_is_there() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    for policy in ["FAIL", "SKIP", "OVERWRITE"] {
        let body = json!({ "ifResourceExists": policy, "users": [{ "id": alice, "username": "bob", "enabled": true }] });
        let told = admin.refused(Method::POST, "realms/main/partialImport", body, 400).await;
        let told = told["errorMessage"].as_str().unwrap().to_owned();
        assert!(told.contains("user `bob` has the `id` of user `alice`"), "{told}");
    }
    assert_eq!(names(&admin.get("realms/main/users").await, "username"), ["alice", "boss"]);
}

/// A realm that keeps every kind of secret; each holds the word `canary`.
fn of_canaries() -> Value {
    json!({
        "realm": "vaulted", "enabled": true,
        "privateKey": "canary-key", "codeSecret": "canary-code",
        "smtpServer": { "host": "mail.example", "password": "canary-smtp", "authTokenClientSecret": "canary-oauth" },
        "federatedUsers": [{ "id": "f:1", "credentials": [{ "type": "password", "value": "canary-fed", "secretData": "canary-fed" }] }],
        "applications": [{ "name": "old", "secret": "canary-app" }],
        "userFederationProviders": [{ "displayName": "ldap", "config": { "bindCredential": "canary-bind" } }],
        "identityProviders": [{ "alias": "hub", "internalId": "hub-id", "providerId": "oidc", "config": { "clientId": "a", "clientSecret": "canary-idp" } }],
        "identityProviderMappers": [{ "name": "m", "id": "mapper-id", "identityProviderAlias": "hub", "config": { "api.key": "canary-mapper" } }],
        "components": {
            "org.keycloak.keys.KeyProvider": [{ "name": "k", "id": "key-id", "providerId": "rsa", "config": { "privateKey": ["canary-rsa"] } }],
            "org.keycloak.storage.UserStorageProvider": [{ "name": "l", "id": "ldap-id", "providerId": "ldap",
                "config": { "bindCredential": ["canary-ldap"], "truststorePassword": ["canary-trust"], "vendor": ["other"] } }],
        },
        "authenticatorConfig": [{ "alias": "captcha", "id": "config-id", "config": { "secret.key": "canary-captcha" } }],
        "clients": [{ "clientId": "saml", "id": "saml-id", "protocol": "saml",
            "attributes": { "saml.signing.private.key": "canary-saml", "saml.encrypt": "false" } }],
        "users": [{ "username": "zoe", "id": "zoe-id", "federatedIdentities": [
            { "identityProvider": "hub", "userId": "1", "userName": "zoe", "token": "canary-token" }] }],
    })
}

#[tokio::test]
async fn a06_what_is_kept_of_secrets_is_shown_nowhere() {
    let admin = Admin::new().await;
    let at = admin.ask(Method::POST, "realms", Some(of_canaries())).await;
    assert_eq!(at.status, 201, "{}", at.body);
    let mut asked = vec!["realms".to_owned()];
    for route in vestibule::http::admin::table() {
        let path = route.path.replace("{realm}", "vaulted");
        if route.method == Method::GET && !path.contains('{') {
            asked.push(path.trim_start_matches("/admin/").to_owned());
        }
    }
    assert!(asked.len() > 20, "{asked:?}");
    for one in [
        "clients/saml-id",
        "users/zoe-id",
        "users/zoe-id/federated-identity",
        "identity-provider/instances/hub",
        "identity-provider/instances/hub/mappers",
        "identity-provider/instances/hub/mappers/mapper-id",
        "components/key-id",
        "components/ldap-id",
        "authentication/config/config-id",
    ] {
        asked.push(format!("realms/vaulted/{one}"));
    }
    for path in asked {
        let reply = admin.ask(Method::GET, &path, None).await;
        assert!(!reply.body.contains("canary"), "{path}: {}", reply.body);
    }
    let export = "realms/vaulted/partial-export?exportClients=true&exportGroupsAndRoles=true";
    let reply = admin.ask(Method::POST, export, None).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(!reply.body.contains("canary"), "{}", reply.body);
    let whole = reply.json();
    assert_eq!(whole["identityProviders"][0]["config"]["clientSecret"], "**********");
    assert_eq!(whole["federatedUsers"], json!(null), "no people in an export without users");

    // Whatever comes back masked takes nothing away.
    let realm = admin.get("realms/vaulted").await;
    assert_eq!((&realm["federatedUsers"], &realm["applications"]), (&json!(null), &json!(null)));
    admin.must(Method::PUT, "realms/vaulted", realm).await;
    for one in ["clients/saml-id", "users/zoe-id", "components/ldap-id", "authentication/config/config-id"] {
        let path = format!("realms/vaulted/{one}");
        let shown = admin.get(&path).await;
        admin.must(Method::PUT, &path, shown).await;
    }
    let body = json!({ "policy": "OVERWRITE", "identityProviders": whole["identityProviders"],
        "identityProviderMappers": whole["identityProviderMappers"], "clients": whole["clients"] });
    let reply = admin.ask(Method::POST, "realms/vaulted/partialImport", Some(body)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let store = &admin.server.app().store;
    let id = store.realm_by_name("vaulted").await.unwrap().unwrap().id;
    let records = store.keycloak_records(&id).await.unwrap();
    let text: String = records.iter().map(|one| Value::Object(one.content.clone()).to_string()).collect();
    for secret in [
        "key", "code", "smtp", "oauth", "fed", "app", "bind", "idp", "mapper", "rsa", "ldap", "trust",
        "captcha", "saml", "token",
    ] {
        assert!(text.contains(&format!("canary-{secret}\"")), "{secret}: {text}");
    }
    assert!(!text.contains("**********"), "{text}");
}

#[tokio::test]
async fn a06_a_mask_for_something_new_is_no_secret() {
    let admin = Admin::new().await;
    let at = "realms/main/identity-provider/instances";
    let body = json!({ "alias": "hub", "providerId": "oidc", "config": { "clientId": "a", "clientSecret": "**********" } });
    admin.must(Method::POST, at, body.clone()).await;
    let import =
        json!({ "identityProviders": [{ "alias": "lab", "providerId": "oidc", "config": body["config"] }] });
    let reply = admin.ask(Method::POST, "realms/main/partialImport", Some(import)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    for alias in ["hub", "lab"] {
        let shown = admin.get(&format!("{at}/{alias}")).await;
        assert_eq!(shown["config"], json!({ "clientId": "a" }), "{alias}");
    }
}

#[tokio::test]
async fn a02_a_role_that_an_import_takes_from_a_service_is_in_no_token_of_it() {
    let admin = Admin::new().await;
    let roles = async || {
        let token = token(&admin.server, "main", "viewer").await;
        let claims = vestibule::testing::claims(&token);
        claims["realm_access"]["roles"].as_array().cloned().unwrap_or_default()
    };
    let import = async |roles: Value| {
        let account = json!({
            "username": "service-account-viewer", "enabled": true, "serviceAccountClientId": "viewer", "realmRoles": roles,
        });
        let body = json!({ "ifResourceExists": "OVERWRITE", "users": [account] });
        let reply = admin.ask(Method::POST, "realms/main/partialImport", Some(body)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    };
    admin.must(Method::POST, "realms/main/roles", json!({ "name": "auditor" })).await;
    for (given, has) in [(json!(["auditor"]), true), (json!([]), false)] {
        import(given).await;
        assert_eq!(roles().await.contains(&json!("auditor")), has);
    }
}

#[tokio::test]
async fn a02_who_cannot_do_everything_takes_nothing_out() {
    let admin = Admin::new().await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let management = store.client_by_client_id(&realm.id, "realm-management").await.unwrap().unwrap().id;
    let viewer = store.client_by_client_id(&realm.id, "viewer").await.unwrap().unwrap();
    let account = store.user_of_service_account(&realm.id, &viewer.id).await.unwrap().unwrap().id;
    let own = admin.get(&format!("realms/main/clients/{management}/roles/manage-realm")).await;
    let path = format!("realms/main/users/{account}/role-mappings/clients/{management}");
    admin.must(Method::POST, &path, json!([own])).await;
    for (caller, status) in [("viewer", 403), ("owner", 200)] {
        let token = token(&admin.server, "main", caller).await;
        let reply = admin.as_(&token, Method::POST, "realms/main/partial-export", None).await;
        assert_eq!(reply.status, status, "{caller}: {}", reply.body);
    }
}

#[tokio::test]
async fn o03_what_is_nested_too_deeply_is_refused_and_hurts_nobody() {
    let admin = Admin::new().await;
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let alice = admin.user("main", "alice").await;
    let send = async |path: &str, body: String| {
        let token = token(&admin.server, "master", "admin").await;
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        admin
            .server
            .browser()
            .send(Method::POST, &format!("/admin/realms/main/{path}"), Some(body), &headers)
            .await
    };
    for path in [
        format!("users/{alice}/federated-identity/d"),
        "users".into(),
        "components".into(),
        "partialImport".into(),
    ] {
        let body = format!(r#"{{"userId": "1", "username": "u", "x": {}}}"#, deep(64));
        let reply = send(&path, body).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.body);
    }
    let body = format!(r#"{{"userId": "1", "x": {}}}"#, deep(63));
    let reply = send(&format!("users/{alice}/federated-identity/d"), body).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    let kept = admin.get(&format!("realms/main/users/{alice}/federated-identity")).await;
    assert_eq!(kept, json!([{ "identityProvider": "d", "userId": "1" }]), "no more than an account is");
    admin.get(&format!("realms/main/users/{alice}")).await;
}

#[tokio::test]
async fn a_role_is_left_out_only_where_its_client_has_it() {
    let admin = Admin::new().await;
    let at = "realms/main/partialImport";
    let begin = json!({ "clients": [{ "clientId": "a" }, { "clientId": "b" }], "roles": { "client": { "a": [{ "name": "r" }] } } });
    assert_eq!(admin.ask(Method::POST, at, Some(begin)).await.status, 200);
    let roles = json!({ "policy": "SKIP", "roles": { "client": { "a": [{ "name": "r" }], "b": [{ "name": "r" }] } } });
    let told = admin.ask(Method::POST, at, Some(roles)).await.json();
    assert_eq!((&told["added"], &told["skipped"]), (&json!(1), &json!(1)), "{told}");
    let clients = admin.get("realms/main/clients?clientId=b").await;
    let roles = admin.get(&format!("realms/main/clients/{}/roles", clients[0]["id"].as_str().unwrap())).await;
    assert_eq!(names(&roles, "name"), ["r"]);
}

#[tokio::test]
async fn an_import_asks_what_each_address_asks() {
    let admin = Admin::new().await;
    for (row, body, told) in [
        (
            "roles of nobody",
            json!({ "roles": { "client": { "missing": [{ "name": "r" }] } } }),
            "no such client",
        ),
        ("a group without a name", json!({ "groups": [{ "subGroups": [] }] }), "needs a name"),
        ("a line in a role", json!({ "roles": { "realm": [{ "name": "r\n" }] } }), "control characters"),
        ("a long name", json!({ "users": [{ "username": "x".repeat(600) }] }), "255"),
        ("a line in a name", json!({ "users": [{ "username": "a\r\nb" }] }), "control character"),
        ("a client's name", json!({ "clients": [{ "clientId": "x\u{e9} y" }] }), "ASCII"),
        ("no clientId", json!({ "clients": [{ "name": "x" }] }), "clientId"),
        (
            "another's address",
            json!({ "users": [{ "username": "alice@example.com" }] }),
            "another user's name",
        ),
    ] {
        let reply = admin.ask(Method::POST, "realms/main/partialImport", Some(body)).await;
        assert_eq!(reply.status, 400, "{row}: {}", reply.body);
        assert!(reply.body.contains(told), "{row}: {}", reply.body);
    }
}
