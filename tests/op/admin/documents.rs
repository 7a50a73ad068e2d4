//! What is kept without effect, what happened, and what is not there.

use axum::http::Method;
use serde_json::json;

use super::scene::{Admin, names, token};

#[tokio::test]
async fn components_are_the_keys_and_what_is_kept() {
    let admin = Admin::new().await;
    // A realm's keys are made when it first signs something.
    token(&admin.server, "main", "owner").await;
    let at = "realms/main/components";
    let keys = admin.get(&format!("{at}?type=org.keycloak.keys.KeyProvider")).await;
    let kid = keys[0]["id"].as_str().unwrap().to_owned();
    let told = admin.get("realms/main/keys").await;
    assert!(names(&told["keys"], "kid").contains(&kid), "the keys that there are");
    assert_eq!(admin.get(&format!("{at}/{kid}")).await, keys[0]);
    admin.refused(Method::DELETE, &format!("{at}/{kid}"), json!({}), 400).await;
    let body = json!({ "name": "own", "providerId": "rsa", "providerType": "x", "config": { "privateKey": ["canary"], "priority": ["1"] } });
    let own = admin.must(Method::POST, at, body).await;
    let reply = admin.ask(Method::GET, &format!("{at}/{own}"), None).await;
    assert!(!reply.body.contains("canary"), "a06: {}", reply.body);
    let mut component = reply.json();
    component["config"]["priority"] = json!(["2"]);
    admin.must(Method::PUT, &format!("{at}/{own}"), component).await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let kept = store.keycloak_record(&realm.id, "component", &own).await.unwrap().unwrap().content;
    assert_eq!(kept["config"], json!({ "privateKey": ["canary"], "priority": ["2"] }));
    assert_eq!(names(&admin.get(&format!("{at}?name=own")).await, "id"), [own.as_str()]);
    admin.must(Method::DELETE, &format!("{at}/{own}"), json!({})).await;
    admin.refused(Method::GET, &format!("{at}/{own}"), json!({}), 404).await;
    for body in [json!({}), json!({ "providerId": "rsa" })] {
        admin.refused(Method::POST, at, body, 400).await;
    }
}

#[tokio::test]
async fn identity_providers_are_kept_with_their_mappers() {
    let admin = Admin::new().await;
    let at = "realms/main/identity-provider/instances";
    let body = json!({ "alias": "hub", "providerId": "oidc", "enabled": true, "config": { "clientId": "a", "clientSecret": "canary" } });
    assert_eq!(admin.must(Method::POST, at, body.clone()).await, "hub");
    let told = admin.refused(Method::POST, at, body, 409).await;
    assert_eq!(told["errorMessage"], "Identity Provider hub already exists");
    let reply = admin.ask(Method::GET, at, None).await;
    assert!(!reply.body.contains("canary"), "a06");
    let mapper = json!({ "name": "m", "identityProviderMapper": "oidc-username-idp-mapper", "config": {} });
    let id = admin.must(Method::POST, &format!("{at}/hub/mappers"), mapper.clone()).await;
    admin.refused(Method::POST, &format!("{at}/hub/mappers"), mapper, 409).await;
    admin.must(Method::PUT, &format!("{at}/hub"), json!({ "alias": "lab" })).await;
    admin.refused(Method::GET, &format!("{at}/hub"), json!({}), 404).await;
    let provider = admin.get(&format!("{at}/lab")).await;
    assert_eq!(
        (&provider["config"]["clientId"], &provider["config"]["clientSecret"]),
        (&json!("a"), &json!("**********"))
    );
    let mapper = admin.get(&format!("{at}/lab/mappers/{id}")).await;
    assert_eq!(mapper["identityProviderAlias"], "lab", "mappers follow the new alias");
    admin.must(Method::PUT, &format!("{at}/lab/mappers/{id}"), json!({ "name": "n" })).await;
    assert_eq!(names(&admin.get(&format!("{at}/lab/mappers")).await, "name"), ["n"]);
    admin.must(Method::DELETE, &format!("{at}/lab"), json!({})).await;
    assert_eq!(admin.get(at).await, json!([]));
    admin.refused(Method::GET, "realms/other/identity-provider/instances/lab", json!({}), 404).await;
}

#[tokio::test]
async fn events_tell_what_happened_and_stay() {
    let admin = Admin::new().await;
    admin.server.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    let alice = admin.user("main", "alice").await;
    let events = admin.get(&format!("realms/main/events?type=LOGIN&user={alice}")).await;
    assert_eq!((&events[0]["type"], &events[0]["userId"]), (&json!("LOGIN"), &json!(alice)));
    assert_eq!(admin.get("realms/main/events?user=nobody").await, json!([]));
    let role = admin.must(Method::POST, "realms/main/roles", json!({ "name": "new" })).await;
    assert_eq!(role, "new");
    let events = admin.get("realms/main/admin-events?operationTypes=CREATE").await;
    assert_eq!(
        (&events[0]["operationType"], &events[0]["resourceType"]),
        (&json!("CREATE"), &json!("REALM_ROLE"))
    );
    assert!(!names(&admin.get("realms/main/events").await, "type").contains(&"ADMIN_CREATE".to_owned()));
    admin.refused(Method::DELETE, "realms/main/admin-events", json!({}), 501).await;
    admin
        .must(Method::PUT, "realms/main/events/config", json!({ "eventsEnabled": false, "smtpServer": {} }))
        .await;
    assert_eq!(admin.get("realms/main/events/config").await["eventsEnabled"], false);
}

#[tokio::test]
async fn tokens_for_registration_are_shown_once() {
    let admin = Admin::new().await;
    let at = "realms/main/clients-initial-access";
    let made = admin.ask(Method::POST, at, Some(json!({ "expiration": 60, "count": 2 }))).await.json();
    let token = made["token"].as_str().unwrap();
    let reply = admin.ask(Method::GET, at, None).await;
    assert!(!reply.body.contains(token), "a06");
    assert_eq!((&reply.json()[0]["remainingCount"], &reply.json()[0]["expiration"]), (&json!(2), &json!(60)));
    admin.must(Method::DELETE, &format!("{at}/{}", made["id"].as_str().unwrap()), json!({})).await;
    assert_eq!(admin.get(at).await, json!([]));
    for body in [json!({ "count": 0 }), json!({ "expiration": -1 })] {
        admin.refused(Method::POST, at, body, 400).await;
    }
}

#[tokio::test]
async fn what_is_not_there_says_so() {
    let admin = Admin::new().await;
    admin.refused(Method::GET, "realms/main/organizations", json!({}), 404).await;
    admin.refused(Method::POST, "realms/main/testSMTPConnection", json!({}), 501).await;
    assert_eq!(admin.get("realms/main/client-policies/policies").await["policies"], json!([]));
    assert_eq!(admin.get("realms/main/localization/de").await, json!({}));
}
