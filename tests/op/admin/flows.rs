//! Authentication flows, their steps, and required actions: kept as Keycloak's forms and tools change them.

use axum::http::Method;
use serde_json::{Value, json};

use super::scene::{Admin, names};

const AT: &str = "realms/main/authentication";

/// Sends what must be accepted, with 202.
async fn accepted(admin: &Admin, path: &str, body: Value) {
    let reply = admin.ask(Method::PUT, path, Some(body)).await;
    assert_eq!(reply.status, 202, "{path}: {}", reply.body);
}

#[tokio::test]
async fn flows_of_a_fresh_realm_are_there_and_are_copied_whole() {
    let admin = Admin::new().await;
    let flows = admin.get(&format!("{AT}/flows")).await;
    assert!(names(&flows, "alias").contains(&"browser".to_owned()));
    let browser = flows[0]["id"].as_str().unwrap();
    assert_eq!(admin.get(&format!("{AT}/flows/{browser}")).await, flows[0]);
    let steps = admin.get(&format!("{AT}/flows/browser/executions")).await;
    assert!(names(&steps, "providerId").contains(&"auth-username-password-form".to_owned()));
    let copy =
        admin.must(Method::POST, &format!("{AT}/flows/browser/copy"), json!({ "newName": "mine" })).await;
    let copied = admin.get(&format!("{AT}/flows/mine/executions")).await;
    assert_eq!(names(&copied, "providerId"), names(&steps, "providerId"));
    for (path, body) in
        [("flows", json!({ "alias": "mine" })), ("flows/browser/copy", json!({ "newName": "mine" }))]
    {
        admin.refused(Method::POST, &format!("{AT}/{path}"), body, 409).await;
    }
    admin.refused(Method::DELETE, &format!("{AT}/flows/{browser}"), json!({}), 400).await;
    accepted(&admin, &format!("{AT}/flows/{copy}"), json!({ "alias": "ours" })).await;
    assert_eq!(admin.get(&format!("{AT}/flows/{copy}")).await["alias"], "ours");
    admin.must(Method::DELETE, &format!("{AT}/flows/{copy}"), json!({})).await;
    assert_eq!(names(&admin.get(&format!("{AT}/flows")).await, "alias"), names(&flows, "alias"));
    admin.refused(Method::GET, &format!("{AT}/flows/none/executions"), json!({}), 404).await;
}

#[tokio::test]
async fn steps_are_added_changed_moved_configured_and_taken_away() {
    let admin = Admin::new().await;
    let flow = json!({ "alias": "mine", "providerId": "basic-flow", "topLevel": true, "builtIn": false });
    admin.must(Method::POST, &format!("{AT}/flows"), flow).await;
    let steps = format!("{AT}/flows/mine/executions");
    let add = format!("{steps}/execution");
    let cookie = admin.must(Method::POST, &add, json!({ "provider": "auth-cookie" })).await;
    let redirector =
        admin.must(Method::POST, &add, json!({ "provider": "identity-provider-redirector" })).await;
    let below = json!({ "alias": "mine forms", "type": "basic-flow", "description": "", "provider": "registration-page-form" });
    let below = admin.must(Method::POST, &format!("{steps}/flow"), below).await;
    accepted(&admin, &steps, json!({ "id": redirector, "requirement": "ALTERNATIVE" })).await;
    let shown = admin.get(&steps).await;
    assert_eq!((&shown[1]["requirement"], &shown[2]["flowId"]), (&json!("ALTERNATIVE"), &json!(below)));
    let one = admin.get(&format!("{AT}/executions/{redirector}")).await;
    assert_eq!(one["authenticator"], "identity-provider-redirector");
    admin.must(Method::POST, &format!("{AT}/executions/{redirector}/raise-priority"), json!({})).await;
    assert_eq!(names(&admin.get(&steps).await, "id")[..2], [redirector.clone(), cookie.clone()]);
    admin.must(Method::POST, &format!("{AT}/executions/{redirector}/lower-priority"), json!({})).await;
    assert_eq!(names(&admin.get(&steps).await, "id")[..2], [cookie.clone(), redirector.clone()]);

    let config = json!({ "alias": "to hub", "config": { "defaultProvider": "hub", "secret": "canary" } });
    let at = format!("{AT}/executions/{redirector}/config");
    let config = admin.must(Method::POST, &at, config).await;
    let at = format!("{AT}/config/{config}");
    let told = admin.get(&at).await;
    assert_eq!(told["config"], json!({ "defaultProvider": "hub", "secret": "**********" }), "a06");
    admin.must(Method::PUT, &at, told).await;
    let store = &admin.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let kept = store.keycloak_record(&realm.id, "authenticator-config", &config).await.unwrap().unwrap();
    assert_eq!(kept.content["config"]["secret"], "canary");
    assert_eq!(admin.get(&steps).await[1]["authenticationConfig"], json!(config));
    admin.must(Method::DELETE, &at, json!({})).await;
    admin.refused(Method::GET, &at, json!({}), 404).await;
    admin.must(Method::DELETE, &format!("{AT}/executions/{cookie}"), json!({})).await;
    admin.refused(Method::GET, &format!("{AT}/executions/{cookie}"), json!({}), 404).await;
    for (body, status) in [
        (json!({ "id": redirector, "requirement": "MAYBE" }), 400),
        (json!({ "id": "none", "requirement": "REQUIRED" }), 404),
    ] {
        admin.refused(Method::PUT, &steps, body, status).await;
    }
    let add = format!("{AT}/flows/browser/executions/execution");
    admin.refused(Method::POST, &add, json!({ "provider": "auth-cookie" }), 400).await;
}

#[tokio::test]
async fn required_actions_are_those_of_a_fresh_realm_and_what_is_kept() {
    let admin = Admin::new().await;
    let at = format!("{AT}/required-actions");
    admin.must(Method::PUT, &format!("{at}/VERIFY_EMAIL"), json!({ "enabled": false })).await;
    let action = admin.get(&format!("{at}/VERIFY_EMAIL")).await;
    assert_eq!((&action["enabled"], &action["name"]), (&json!(false), &json!("Verify Email")));
    assert_eq!(admin.get(&at).await.as_array().unwrap().len(), 13);
    admin.refused(Method::PUT, &format!("{at}/NONE"), json!({}), 404).await;
    admin.must(Method::POST, &format!("{at}/VERIFY_EMAIL/raise-priority"), json!({})).await;
    assert_eq!(names(&admin.get(&at).await, "alias")[3..5], ["VERIFY_EMAIL", "UPDATE_PROFILE"]);
    admin.must(Method::POST, &format!("{at}/VERIFY_EMAIL/lower-priority"), json!({})).await;
    assert_eq!(names(&admin.get(&at).await, "alias")[3..5], ["UPDATE_PROFILE", "VERIFY_EMAIL"]);
    admin.must(Method::PUT, &format!("{at}/VERIFY_EMAIL/config"), json!({ "config": { "a": "1" } })).await;
    assert_eq!(admin.get(&format!("{at}/VERIFY_EMAIL/config")).await, json!({ "config": { "a": "1" } }));
    admin.must(Method::DELETE, &format!("{at}/VERIFY_EMAIL"), json!({})).await;
    admin.refused(Method::GET, &format!("{at}/VERIFY_EMAIL"), json!({}), 404).await;
    let free = admin.get(&format!("{AT}/unregistered-required-actions")).await;
    assert_eq!(free, json!([{ "providerId": "VERIFY_EMAIL", "name": "Verify Email" }]));
    let register = format!("{AT}/register-required-action");
    admin.must(Method::POST, &register, free[0].clone()).await;
    assert_eq!(names(&admin.get(&at).await, "alias").last().unwrap(), "VERIFY_EMAIL");
    admin.refused(Method::POST, &register, free[0].clone(), 409).await;
    admin.refused(Method::POST, &register, json!({ "providerId": "NONE" }), 400).await;
}
