//! Metadata, and what an authorization request may hold.

use serde_json::{Value, json};

use super::scene::{ADORNED, CALLBACK, Scene, good, is_error};

#[tokio::test]
async fn discovery_end_point_verification() {
    let scene = Scene::new().await;
    let address = format!("{}/.well-known/openid-configuration", scene.one.rp.issuer);
    let document = scene.server.browser().get(&address).await.json();
    for (name, value) in [
        ("response_types_supported", "code"),
        ("code_challenge_methods_supported", "S256"),
        ("scopes_supported", "openid"),
        ("grant_types_supported", "authorization_code"),
        ("token_endpoint_auth_methods_supported", "private_key_jwt"),
        ("token_endpoint_auth_signing_alg_values_supported", "PS256"),
        ("dpop_signing_alg_values_supported", "ES256"),
        ("id_token_signing_alg_values_supported", "PS256"),
    ] {
        let values = document[name].as_array().unwrap();
        assert!(values.iter().any(|one| one == value), "{name}: {values:?}");
    }
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert!(document["pushed_authorization_request_endpoint"].is_string());
    let dpop = document["dpop_signing_alg_values_supported"].as_array().unwrap();
    assert!(dpop.iter().all(|one| ["PS256", "ES256", "EdDSA"].contains(&one.as_str().unwrap())), "{dpop:?}");
}

#[tokio::test]
async fn happy_flow() {
    let mut scene = Scene::new().await;
    scene.two.rp.redirect_uri = ADORNED.to_owned();
    for client in [&scene.one, &scene.two] {
        let answer = client.answer(&[]).await;
        assert!(answer.location().starts_with(&client.rp.redirect_uri), "{}", answer.location());
        assert_eq!(answer.parameter("iss").as_deref(), Some(client.rp.issuer.as_str()));
        assert_eq!(answer.parameter("state").as_deref(), Some(client.rp.state.as_str()));
        let tokens = good(client.redeem(&answer.parameter("code").unwrap()).await);
        assert_eq!(tokens.text("token_type"), "DPoP");
        let header: Value = header(tokens.id_token());
        assert_eq!(
            (&header["alg"], &tokens.id_claims()["nonce"]),
            (&json!("PS256"), &json!(client.rp.nonce))
        );
        let userinfo = client.userinfo(tokens.access_token()).await;
        assert_eq!(userinfo.json()["sub"], tokens.id_claims()["sub"], "{}", userinfo.body);
        let own = [("grant_type", "client_credentials")];
        let reply =
            client.send_as("token", &client.assertion(json!({})), &client.proof_for("token"), &own).await;
        assert_eq!(good(reply).access_claims()["cnf"], json!({ "jkt": client.proof.jkt() }));
    }
    // Parameters that stand beside `request_uri` once more are no harm.
    let request_uri = scene.one.push(&[]).await;
    let beside = [("response_type", "code"), ("scope", "openid"), ("redirect_uri", CALLBACK)];
    let address = scene.one.address(&request_uri, &beside);
    assert!(scene.one.authorize(&mut scene.server.browser(), &address).await.parameter("code").is_some());
}

fn header(token: &str) -> Value {
    use base64::Engine;
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn user_rejects_authentication() {
    let scene = Scene::new().await;
    let request_uri = scene.one.push(&[("prompt", Some("consent"))]).await;
    let mut browser = scene.server.browser();
    let page = scene.one.authorize(&mut browser, &scene.one.address(&request_uri, &[])).await;
    assert!(page.body.contains("name=\"cancel\""), "{}", page.body);
    let answer = browser.submit(&page, &[("cancel", "No")]).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.parameter("state").as_deref(), Some(scene.one.rp.state.as_str()));
    assert_eq!(answer.parameter("iss").as_deref(), Some(scene.one.rp.issuer.as_str()));
}

#[tokio::test]
async fn ensure_authorization_request_without_state_success() {
    let scene = Scene::new().await;
    let answer = scene.one.answer(&[("state", None)]).await;
    assert_eq!(answer.parameter("state"), None);
    let tokens = good(scene.one.redeem(&answer.parameter("code").unwrap()).await);
    assert_eq!(tokens.id_claims().get("s_hash"), None);
}

/// The nonce of the ID token for a request with this one.
async fn nonce_for(nonce: Option<&str>) -> Option<String> {
    let scene = Scene::new().await;
    let code = scene.one.answer(&[("nonce", nonce)]).await.parameter("code").unwrap();
    let claims = good(scene.one.redeem(&code).await).id_claims();
    claims.get("nonce").map(|nonce| nonce.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn ensure_authorization_request_without_nonce_success() {
    assert_eq!(nonce_for(None).await, None);
}

#[tokio::test]
async fn ensure_authorization_request_with_64_char_nonce_success() {
    let nonce = "n".repeat(64);
    assert_eq!(nonce_for(Some(&nonce)).await, Some(nonce));
}

#[tokio::test]
async fn ensure_authorization_request_with_long_nonce() {
    let nonce = "0123456789ab".repeat(32);
    assert_eq!(nonce.len(), 384);
    assert_eq!(nonce_for(Some(&nonce)).await, Some(nonce));
}

#[tokio::test]
async fn ensure_authorization_request_with_long_state() {
    let scene = Scene::new().await;
    let state = "Aa9-".repeat(250);
    assert_eq!(scene.one.answer(&[("state", Some(&state))]).await.parameter("state"), Some(state));
}

#[tokio::test]
async fn ensure_other_scope_order_succeeds() {
    let scene = Scene::new().await;
    let answer = scene.one.answer(&[("scope", Some("email profile openid"))]).await;
    assert!(answer.parameter("code").is_some(), "{}", answer.location());
}

#[tokio::test]
async fn test_claims_parameter_identity_claims() {
    let scene = Scene::new().await;
    let claims =
        json!({ "userinfo": { "email": null, "name": null }, "id_token": { "email": null, "name": null } });
    let changes = [("claims", Some(claims.to_string())), ("scope", Some("openid".to_owned()))];
    let changes = changes.each_ref().map(|(name, value)| (*name, value.as_deref()));
    let tokens = good(scene.one.redeem(&scene.one.answer(&changes).await.parameter("code").unwrap()).await);
    let userinfo = scene.one.userinfo(tokens.access_token()).await.json();
    for told in [tokens.id_claims(), userinfo] {
        assert_eq!(
            (&told["email"], &told["name"]),
            (&json!("alice@example.com"), &json!("Alice Adams")),
            "{told}"
        );
    }
}

/// What stands in the address beside `request_uri` counts for nothing.
async fn beside_the_request(name: &'static str) {
    let scene = Scene::new().await;
    let request_uri = scene.one.push(&[]).await;
    let address = scene.one.address(&request_uri, &[(name, "another")]);
    let answer = scene.one.authorize(&mut scene.server.browser(), &address).await;
    assert_eq!(answer.parameter("state").as_deref(), Some(scene.one.rp.state.as_str()));
    let tokens = good(scene.one.redeem(&answer.parameter("code").unwrap()).await);
    assert_eq!(tokens.id_claims()["nonce"], scene.one.rp.nonce.as_str());
}

#[tokio::test]
async fn ensure_different_nonce_inside_and_outside_request_object() {
    beside_the_request("nonce").await;
}

#[tokio::test]
async fn ensure_different_state_inside_and_outside_request_object() {
    beside_the_request("state").await;
}

#[tokio::test]
async fn state_only_outside_request_object_not_used() {
    let scene = Scene::new().await;
    let request_uri = scene.one.push(&[("state", None)]).await;
    let address = scene.one.address(&request_uri, &[("state", "outside")]);
    let answer = scene.one.authorize(&mut scene.server.browser(), &address).await;
    assert!(answer.parameter("code").is_some());
    assert_eq!(answer.parameter("state"), None);
}

#[tokio::test]
async fn ensure_request_object_without_redirect_uri_fails() {
    let scene = Scene::new().await;
    let reply = scene.one.push_with(&[], &[("redirect_uri", None)]).await;
    is_error(&reply, 400, "invalid_request", "without a redirect URI");
}

#[tokio::test]
async fn ensure_redirect_uri_in_authorization_request() {
    let scene = Scene::new().await;
    // It cannot come later either, beside the `request_uri`.
    let reply = scene.one.push_with(&[], &[("redirect_uri", Some(""))]).await;
    is_error(&reply, 400, "invalid_request", "with an empty redirect URI");
}

#[tokio::test]
async fn plain_fapi_tolerate_unregistered_redirect_uri() {
    let scene = Scene::new().await;
    let reply = scene.one.push_with(&[], &[("redirect_uri", Some("https://rp.example/other"))]).await;
    is_error(&reply, 400, "invalid_request", "redirect URIs are registered");
}

#[tokio::test]
async fn ensure_unsigned_authorization_request_without_using_par_fails() {
    let scene = Scene::new().await;
    let answer = scene.server.browser().get(&scene.one.rp.authorize_url()).await;
    assert_eq!(answer.parameter("error").as_deref(), Some("invalid_request"), "{}", answer.body);
    assert_eq!(answer.parameter("code"), None);
}

#[tokio::test]
async fn ensure_response_type_code_idtoken_fails() {
    let scene = Scene::new().await;
    let reply = scene.one.push_with(&[], &[("response_type", Some("code id_token"))]).await;
    is_error(&reply, 400, "unsupported_response_type", "code id_token");
}

#[tokio::test]
async fn ensure_response_type_token_fails() {
    let scene = Scene::new().await;
    let reply = scene.one.push_with(&[], &[("response_type", Some("token"))]).await;
    is_error(&reply, 400, "unsupported_response_type", "token");
}
