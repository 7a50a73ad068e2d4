//! How large a realm may be that comes as a body, and in whose hands (row O01).

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};

use super::scene::{Admin, token};

/// A realm whose body has more bytes than this.
fn realm(name: &str, bytes: usize) -> Value {
    json!({ "realm": name, "enabled": false, "attributes": { "filler": "x".repeat(bytes) } })
}

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn o01_a_large_realm_is_taken_from_those_who_make_realms_and_from_nobody_else() {
    let admin = Admin::new().await;
    admin.must(Method::POST, "realms", realm("large", 2 * MIB)).await;
    let part = json!({ "ifResourceExists": "SKIP", "clients": [], "filler": "x".repeat(2 * MIB) });
    assert_eq!(admin.ask(Method::POST, "realms/main/partialImport", Some(part)).await.status, 200);

    let told = admin.refused(Method::POST, "realms", realm("larger", 16 * MIB), 413).await;
    assert_eq!(told["errorMessage"], "The body has more than 16777216 bytes");
    admin.refused(Method::POST, "realms/main/users", realm("user", 300_000), 413).await;
    admin.refused(Method::PUT, "realms/main", realm("main", 300_000), 413).await;

    let nobody = token(&admin.server, "master", "nobody").await;
    let refused = admin.as_(&nobody, Method::POST, "realms", Some(realm("theirs", 2 * MIB))).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
    let refused = admin.as_("x.y.z", Method::POST, "realms", Some(realm("theirs", 2 * MIB))).await;
    assert_eq!(refused.status, 401, "{}", refused.body);
}

/// What is in memory at once is bounded, whoever sends it.
#[tokio::test]
async fn o01_large_realms_come_one_after_another_and_hold_up_no_others() {
    let admin = Admin::new().await;
    let authorization = format!("Bearer {}", token(&admin.server, "master", "admin").await);
    let create = |name: &str, bytes: usize| {
        let (mut browser, authorization) = (admin.server.browser(), authorization.clone());
        let body = realm(name, bytes).to_string();
        let length = body.len().to_string();
        async move {
            let headers = [
                ("authorization", authorization.as_str()),
                ("content-type", "application/json"),
                ("content-length", length.as_str()),
            ];
            browser.send(Method::POST, "/admin/realms", Some(body), &headers).await.status
        }
    };
    let turn = admin.server.app().large_bodies.acquire().await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(300), create("large", 2 * MIB));
    assert!(waits.await.is_err(), "two at once");
    assert_eq!(create("small", 1_000).await, 201);
    drop(turn);
    assert_eq!(create("large", 2 * MIB).await, 201);
}
