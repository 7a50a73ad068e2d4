//! What Keycloak has and this server has not: answers that are true, and let programs go on.

use axum::http::Method;
use serde_json::json;

use super::scene::{Admin, token};

#[tokio::test]
async fn permissions_on_single_records_are_off() {
    let admin = Admin::new().await;
    let web = admin.client("main", "web").await;
    let group = admin.must(Method::POST, "realms/main/groups", json!({ "name": "g" })).await;
    let role = admin.get("realms/main/roles/tester").await["id"].as_str().unwrap().to_owned();
    let provider = json!({ "alias": "hub", "providerId": "oidc" });
    admin.must(Method::POST, "realms/main/identity-provider/instances", provider).await;
    for path in [
        format!("clients/{web}/management/permissions"),
        format!("groups/{group}/management/permissions"),
        "roles/tester/management/permissions".to_owned(),
        format!("roles-by-id/{role}/management/permissions"),
        "identity-provider/instances/hub/management/permissions".to_owned(),
        "users-management-permissions".to_owned(),
    ] {
        let path = format!("realms/main/{path}");
        assert_eq!(admin.get(&path).await, json!({ "enabled": false }), "{path}");
        let reply = admin.ask(Method::PUT, &path, Some(json!({ "enabled": false }))).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, json!({ "enabled": false })), "{path}");
        admin.refused(Method::PUT, &path, json!({ "enabled": true }), 501).await;
    }
    for path in ["clients", "groups", "roles", "roles-by-id", "identity-provider/instances"] {
        let path = format!("realms/other/{path}/{web}/management/permissions");
        admin.refused(Method::GET, &path, json!({}), 404).await;
    }
}

#[tokio::test]
async fn nothing_is_pushed_to_apps() {
    let admin = Admin::new().await;
    let web = admin.client("main", "web").await;
    let nobody = json!({ "successRequests": [], "failedRequests": [] });
    for (method, path) in [
        (Method::POST, "push-revocation".to_owned()),
        (Method::POST, format!("clients/{web}/push-revocation")),
        (Method::GET, format!("clients/{web}/test-nodes-available")),
    ] {
        let reply = admin.ask(method, &format!("realms/main/{path}"), None).await;
        assert_eq!((reply.status.as_u16(), reply.json()), (200, nobody.clone()), "{path}");
    }
    let nodes = format!("realms/main/clients/{web}/nodes");
    admin.refused(Method::POST, &nodes, json!({ "node": "a.example" }), 501).await;
    admin.refused(Method::DELETE, &format!("{nodes}/a.example"), json!({}), 404).await;
    let elsewhere = format!("realms/other/clients/{web}/push-revocation");
    admin.refused(Method::POST, &elsewhere, json!({}), 404).await;
}

#[tokio::test]
async fn what_is_not_there_has_no_parts_either() {
    let admin = Admin::new().await;
    for (method, path) in [
        (Method::GET, "organizations/x"),
        (Method::POST, "organizations/x/members"),
        (Method::PUT, "organizations/x"),
        (Method::DELETE, "organizations/x/members/y"),
    ] {
        let told = admin.refused(method, &format!("realms/main/{path}"), json!({}), 404).await;
        assert_eq!(told["error"], "Organizations not enabled for this realm.", "{path}");
    }
    assert_eq!(admin.get("realms/main/client-registration-policy/providers").await, json!([]));
    admin.must(Method::POST, "realms/main/clear-crl-cache", json!({})).await;
}

#[tokio::test]
async fn a_group_takes_and_loses_members_at_its_own_address() {
    let admin = Admin::new().await;
    let group = admin.must(Method::POST, "realms/main/groups", json!({ "name": "g" })).await;
    let alice = admin.user("main", "alice").await;
    let path = format!("realms/main/groups/{group}/members");
    admin.must(Method::PUT, &format!("{path}/{alice}"), json!({})).await;
    assert_eq!(admin.get(&path).await[0]["username"], "alice");
    admin.must(Method::DELETE, &format!("{path}/{alice}"), json!({})).await;
    assert_eq!(admin.get(&path).await, json!([]));
}

#[tokio::test]
async fn attributes_that_the_profile_does_not_name_are_told_apart() {
    let admin = Admin::new().await;
    let alice = admin.user("main", "alice").await;
    let path = format!("realms/main/users/{alice}");
    admin.must(Method::PUT, &path, json!({ "attributes": { "desk": ["7"], "badge": ["x"] } })).await;
    let shown = admin.get(&format!("{path}/unmanagedAttributes")).await;
    assert_eq!(shown, json!({ "desk": ["7"], "badge": ["x"] }));
    let mut profile = admin.get("realms/main/users/profile").await;
    profile["attributes"].as_array_mut().unwrap().push(json!({ "name": "badge" }));
    let reply = admin.ask(Method::PUT, "realms/main/users/profile", Some(profile)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(admin.get(&format!("{path}/unmanagedAttributes")).await, json!({ "desk": ["7"] }));
}

#[tokio::test]
async fn an_offline_grant_is_taken_back_by_its_own_name() {
    let admin = Admin::new().await;
    let mut rp = admin.server.rp("web", Some("web-secret"));
    rp.scope = "openid offline_access".to_owned();
    let tokens = rp.sign_in(&mut admin.server.browser(), "alice", "alice").await.unwrap();
    let (alice, web) = (admin.user("main", "alice").await, admin.client("main", "web").await);
    let listed = format!("realms/main/users/{alice}/offline-sessions/{web}");
    let grant = admin.get(&listed).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("realms/main/sessions/{grant}");
    admin.refused(Method::DELETE, &path, json!({}), 404).await;
    let elsewhere = format!("realms/other/sessions/{grant}?isOffline=true");
    admin.refused(Method::DELETE, &elsewhere, json!({}), 404).await;
    let viewer = token(&admin.server, "main", "viewer").await;
    assert_eq!(admin.as_(&viewer, Method::DELETE, &format!("{path}?isOffline=true"), None).await.status, 403);
    admin.must(Method::DELETE, &format!("{path}?isOffline=true"), json!({})).await;
    assert_eq!(admin.get(&listed).await, json!([]));
    assert!(
        rp.refresh(&admin.server.browser(), tokens.refresh_token()).await.is_err(),
        "its tokens are gone"
    );
    admin.refused(Method::DELETE, &format!("{path}?isOffline=true"), json!({}), 404).await;
}
