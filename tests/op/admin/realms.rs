//! Realms: seen, changed, renamed, taken away.

use axum::http::Method;
use serde_json::json;

use super::scene::{Admin, names, token};

#[tokio::test]
async fn a_realm_is_seen_and_changed() {
    let admin = Admin::new().await;
    let realm = admin.get("realms/main").await;
    for (name, expected) in [
        ("realm", json!("main")),
        ("enabled", json!(true)),
        ("accessTokenLifespan", json!(300)),
        ("ssoSessionMaxLifespan", json!(36_000)),
        ("sslRequired", json!("external")),
    ] {
        assert_eq!(realm[name], expected, "{name}");
    }
    assert_eq!(realm["defaultRole"]["name"], "default-roles-main");
    let body = json!({
        "accessTokenLifespan": 60, "displayName": "Main", "attributes": { "de.adorsys.keycloak.config.x": "1" },
        "smtpServer": { "host": "mail", "password": "canary-smtp" }, "somethingNew": 1,
    });
    admin.must(Method::PUT, "realms/main", body).await;
    let reply = admin.ask(Method::GET, "realms/main", None).await;
    let realm = reply.json();
    assert_eq!((&realm["accessTokenLifespan"], &realm["displayName"]), (&json!(60), &json!("Main")));
    assert_eq!(realm["attributes"]["de.adorsys.keycloak.config.x"], "1");
    assert_eq!(realm["somethingNew"], 1);
    assert!(!reply.body.contains("canary-smtp"), "a06");
    assert_eq!(realm["smtpServer"]["password"], "**********");
    admin.must(Method::PUT, "realms/main", realm).await;
    let store = &admin.server.app().store;
    let id = store.realm_by_name("main").await.unwrap().unwrap().id;
    let kept = store.keycloak_record(&id, "realm", &id).await.unwrap().unwrap().content;
    assert_eq!(kept["smtpServer"]["password"], "canary-smtp", "a mask that comes back takes nothing away");
    admin.must(Method::PUT, "realms/main", json!({ "attributes": { "other": "2" } })).await;
    let attributes = admin.get("realms/main").await["attributes"].clone();
    assert_eq!(
        (&attributes["other"], &attributes["de.adorsys.keycloak.config.x"]),
        (&json!("2"), &json!(null)),
        "attributes that are left out are gone"
    );
    admin.must(Method::PUT, "realms/main", json!({ "displayName": "Main" })).await;
    assert_eq!(admin.get("realms/main").await["attributes"]["other"], "2", "no attributes take none away");
    for body in [json!({ "accessTokenLifespan": i64::MAX }), json!({ "accessCodeLifespan": 601 })] {
        admin.refused(Method::PUT, "realms/main", body, 400).await;
    }
    let brief = admin.get("realms?briefRepresentation=true").await;
    assert_eq!(brief[0]["accessTokenLifespan"], json!(null));
}

#[tokio::test]
async fn who_administrates_a_part_learns_the_name() {
    let admin = Admin::new().await;
    let viewer = token(&admin.server, "main", "viewer").await;
    let reply = admin.as_(&viewer, Method::GET, "realms/main", None).await;
    assert_eq!(reply.json(), json!({ "realm": "main" }));
}

#[tokio::test]
async fn a_realm_is_disabled_renamed_and_taken_away() {
    let admin = Admin::new().await;
    admin.must(Method::PUT, "realms/main", json!({ "enabled": false })).await;
    let discovery = "/realms/main/.well-known/openid-configuration";
    assert_eq!(admin.server.browser().get(discovery).await.status, 404);
    assert_eq!(admin.get("realms/main").await["enabled"], false, "whoever looks after it still sees it");
    admin.must(Method::PUT, "realms/main", json!({ "enabled": true })).await;
    let told = admin.refused(Method::PUT, "realms/main", json!({ "realm": "other" }), 409).await;
    assert_eq!(told["errorMessage"], "Conflict detected. See logs for details");
    for (realm, name) in [("main", "a/b"), ("main", "master"), ("master", "x")] {
        admin.refused(Method::PUT, &format!("realms/{realm}"), json!({ "realm": name }), 400).await;
    }
    admin.must(Method::PUT, "realms/main", json!({ "realm": "chief" })).await;
    assert_eq!(admin.server.browser().get(discovery).await.status, 404);
    assert_eq!(names(&admin.get("realms").await, "realm"), ["chief", "master", "other"]);
    let user = admin.must(Method::POST, "realms/chief/users", json!({ "username": "new" })).await;
    let mapped = admin.get(&format!("realms/chief/users/{user}/role-mappings/realm")).await;
    assert_eq!(names(&mapped, "name"), ["default-roles-chief"]);
    admin.must(Method::DELETE, "realms/chief", json!({})).await;
    assert_eq!(admin.ask(Method::GET, "realms/chief", None).await.status, 404);
    admin.refused(Method::DELETE, "realms/master", json!({}), 400).await;
    let store = &admin.server.app().store;
    let master = store.realm_by_name("master").await.unwrap().unwrap();
    let overseers = store.clients(&master.id, "-realm", vestibule::store::Page::ALL).await.unwrap();
    let overseers: Vec<_> = overseers.into_iter().map(|client| client.client_id).collect();
    assert_eq!(overseers, ["master-realm", "other-realm"], "what oversaw it went along");
}

/// A03: which scopes all clients have is changed by addresses of its own, which ask for the scope.
#[tokio::test]
async fn a03_a_realm_s_body_gives_its_clients_no_scopes() {
    let admin = Admin::new().await;
    let before = ["default", "optional"].map(|list| format!("realms/main/default-{list}-client-scopes"));
    let (default, optional) = (admin.get(&before[0]).await, admin.get(&before[1]).await);
    let body = json!({
        "defaultDefaultClientScopes": ["basic", "nowhere"], "defaultOptionalClientScopes": [], "displayName": "M",
    });
    admin.must(Method::PUT, "realms/main", body).await;
    assert_eq!((admin.get(&before[0]).await, admin.get(&before[1]).await), (default, optional));
    assert_eq!(admin.get("realms/main").await["displayName"], "M");
}
