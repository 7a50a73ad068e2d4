//! Pushed requests (RFC 9126).

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::Reply;

use super::scene::{Scene, is_error};

#[tokio::test]
async fn par_ensure_reused_request_uri_prior_to_auth_completion_succeeds() {
    let scene = Scene::new().await;
    let address = scene.one.address(&scene.one.push(&[]).await, &[]);
    let mut browser = scene.server.browser();
    assert!(browser.open(&address).await.body.contains("kc-form-login"));
    let answer = scene.one.authorize(&mut browser, &address).await;
    assert!(answer.parameter("code").is_some(), "{}", answer.body);
}

#[tokio::test]
async fn par_attempt_reuse_request_uri() {
    let scene = Scene::new().await;
    let address = scene.one.address(&scene.one.push(&[]).await, &[]);
    let mut browser = scene.server.browser();
    assert!(scene.one.authorize(&mut browser, &address).await.parameter("code").is_some());
    let again = browser.open(&address).await;
    assert_eq!((again.status.as_u16(), again.parameter("code")), (400, None), "{}", again.body);
}

#[tokio::test]
async fn par_attempt_to_use_expired_request_uri() {
    let scene = Scene::new().await;
    let kept = scene.one.push_with(&[], &[]).await.json();
    let expires_in = kept["expires_in"].as_i64().unwrap();
    assert!((5..600).contains(&expires_in), "{expires_in}");
    scene.server.clock().advance(expires_in + 1);
    let address = scene.one.address(kept["request_uri"].as_str().unwrap(), &[]);
    let late = scene.server.browser().open(&address).await;
    assert_eq!((late.status.as_u16(), late.parameter("code")), (400, None), "{}", late.body);
}

#[tokio::test]
async fn par_attempt_to_use_request_uri_for_different_client() {
    let scene = Scene::new().await;
    let address = scene.two.address(&scene.one.push(&[]).await, &[]);
    let answer = scene.server.browser().open(&address).await;
    assert_eq!((answer.status.as_u16(), answer.parameter("code")), (400, None), "{}", answer.body);
}

/// The answer to a push whose assertion has these claims.
async fn push_by(scene: &Scene, claims: Value) -> Reply {
    let parameters = scene.one.rp.parameters();
    let fields: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    scene.one.send_as("ext/par/request", &scene.one.assertion(claims), &[], &fields).await
}

#[tokio::test]
async fn par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted() {
    let scene = Scene::new().await;
    let reply = push_by(&scene, json!({ "nbf": scene.now() + 8 })).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
}

#[tokio::test]
async fn par_ensure_jwt_client_assertions_nbf_over_60_seconds_in_the_future_fails() {
    let scene = Scene::new().await;
    let claims = json!({ "nbf": scene.now() + 65, "exp": scene.now() + 120 });
    is_error(&push_by(&scene, claims).await, 401, "invalid_client", "nbf in 65 s");
}

#[tokio::test]
async fn par_test_array_as_audience_fails() {
    let scene = Scene::new().await;
    let claims = json!({ "aud": [scene.one.rp.issuer] });
    is_error(&push_by(&scene, claims).await, 401, "invalid_client", "a list of audiences");
}

#[tokio::test]
async fn par_test_par_endpoint_url_as_audience_fails() {
    let scene = Scene::new().await;
    let claims = json!({ "aud": scene.one.rp.endpoint("ext/par/request") });
    is_error(&push_by(&scene, claims).await, 401, "invalid_client", "the endpoint as the audience");
}

#[tokio::test]
async fn par_test_token_endpoint_url_as_audience_fails() {
    let scene = Scene::new().await;
    let claims = json!({ "aud": scene.one.rp.endpoint("token") });
    is_error(&push_by(&scene, claims).await, 401, "invalid_client", "the token endpoint as the audience");
}

#[tokio::test]
async fn par_authorization_request_containing_request_uri_form_param() {
    let scene = Scene::new().await;
    let request_uri = scene.one.push(&[]).await;
    let reply = scene.one.push_with(&[], &[("request_uri", Some(&request_uri))]).await;
    is_error(&reply, 400, "invalid_request", "a request_uri in a pushed request");
}

#[tokio::test]
async fn par_attempt_invalid_http_method() {
    let scene = Scene::new().await;
    let address = scene.one.rp.endpoint("ext/par/request");
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        let reply = scene.server.browser().send(method.clone(), &address, None, &[]).await;
        assert_eq!(reply.status, 405, "{method}");
    }
}

#[tokio::test]
async fn par_ensure_pkce_required() {
    let scene = Scene::new().await;
    let without = [("code_challenge", None), ("code_challenge_method", None)];
    is_error(&scene.one.push_with(&[], &without).await, 400, "invalid_request", "no challenge");
}

#[tokio::test]
async fn par_plain_pkce_rejected() {
    let scene = Scene::new().await;
    let plain =
        [("code_challenge", Some(scene.one.rp.verifier.as_str())), ("code_challenge_method", Some("plain"))];
    is_error(&scene.one.push_with(&[], &plain).await, 400, "invalid_request", "plain");
}

#[tokio::test]
async fn par_without_duplicate_parameters() {
    let scene = Scene::new().await;
    let address = scene.one.address(&scene.one.push(&[]).await, &[]);
    assert!(!address.contains("redirect_uri") && !address.contains("scope"), "{address}");
    let answer = scene.one.authorize(&mut scene.server.browser(), &address).await;
    assert!(answer.parameter("code").is_some());
}
