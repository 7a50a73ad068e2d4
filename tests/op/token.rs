//! The token endpoint, whatever the grant: rows C01, C02 and C07 of the attack table.

use axum::http::Method;
use vestibule::protocol::client::Client;
use vestibule::store::Change;
use vestibule::testing::{Reply, TestServer};

use crate::common::{Scene, is_error};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const GOOD: &str = "grant_type=client_credentials&client_id=service&client_secret=service-secret";

/// A request to the token endpoint, with `query` at the end of its address.
async fn send(
    server: &TestServer,
    method: Method,
    query: &str,
    body: Option<&str>,
    headers: &[(&str, &str)],
) -> Reply {
    let address = format!("{}{query}", server.rp("service", None).endpoint("token"));
    server.browser().send(method, &address, body.map(str::to_owned), headers).await
}

#[tokio::test]
async fn c01_a_secret_is_neither_empty_nor_in_the_address() {
    let server = TestServer::start().await.unwrap();
    let good = send(&server, Method::POST, "", Some(GOOD), &[FORM]).await;
    assert_eq!(good.status, 200, "{}", good.body);
    let bare = "grant_type=client_credentials&client_id=service";
    let empty = format!("{bare}&client_secret=");
    // `service:` and nothing.
    let basic = ("authorization", "Basic c2VydmljZTo=");
    for (row, query, body, headers, status, code) in [
        ("f alone", "?client_secret=service-secret", bare, vec![FORM], 400, "invalid_request"),
        ("f beside the form's", "?client_secret=service-secret", GOOD, vec![FORM], 400, "invalid_request"),
        ("g in the form", "", empty.as_str(), vec![FORM], 401, "invalid_client"),
        ("g in the header", "", "grant_type=client_credentials", vec![FORM, basic], 401, "invalid_client"),
    ] {
        let reply = send(&server, Method::POST, query, Some(body), &headers).await;
        is_error(&reply, status, code, &format!("C01{row}"));
        assert!(!reply.body.contains("service-secret"), "{row}: {}", reply.body);
    }
}

#[tokio::test]
async fn c02_a_token_request_is_a_form_by_post() {
    let server = TestServer::start().await.unwrap();
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let reply = send(&server, method.clone(), &format!("?{GOOD}"), None, &[]).await;
        assert_eq!(reply.status, 405, "C02a {method}: {}", reply.body);
        assert!(reply.header("allow").contains("POST"), "C02a {method}: {}", reply.header("allow"));
    }
    let json =
        r#"{"grant_type":"client_credentials","client_id":"service","client_secret":"service-secret"}"#;
    for (row, body, headers) in [
        ("b JSON", json, vec![("content-type", "application/json")]),
        ("b a form that is called JSON", GOOD, vec![("content-type", "application/json")]),
        ("c no content type", GOOD, vec![]),
        ("c text", GOOD, vec![("content-type", "text/plain")]),
        ("c parts", GOOD, vec![("content-type", "multipart/form-data; boundary=x")]),
    ] {
        let reply = send(&server, Method::POST, "", Some(body), &headers).await;
        is_error(&reply, 400, "invalid_request", &format!("C02{row}"));
    }
}

/// A client that is called as a user is identified is not that user.
#[tokio::test]
async fn c07a_the_name_of_a_client_is_nobodys_identifier() {
    let scene = Scene::new().await;
    let sub = scene.tokens.id_claims()["sub"].as_str().unwrap().to_owned();
    // With the service account of `service`, under alice's identifier as `client_id`.
    let service = scene.client("service").await;
    let posing = Client { client_id: sub.clone(), ..service };
    let secrets = &scene.server.app().client_secrets;
    let secret_hash = secrets.store(&posing, &"service-secret".into()).await.unwrap();
    let posing = Client { secret_hash: Some(secret_hash), ..posing };
    let at = scene.server.app().clock.now();
    scene.commit(vec![Change::PutClient { client: Box::new(posing), at }]).await;
    let rp = scene.server.rp(&sub, Some("service-secret"));
    let own = rp.tokens(&scene.browser, &[("grant_type", "client_credentials")]).await.unwrap();
    let claims = own.access_claims();
    assert_eq!(claims["azp"], sub.as_str(), "it got a token by that name");
    assert_ne!(claims["sub"], sub.as_str(), "which speaks for its service account");
    assert!(claims.get("auth_time").is_none(), "RFC 9068 §2.2: nobody signed in");
    let told = rp.userinfo(&scene.browser, own.access_token()).await;
    assert!(matches!(told.status.as_u16(), 401 | 403), "C07: {}", told.body);
    assert!(!told.body.contains("alice"), "{}", told.body);
}
