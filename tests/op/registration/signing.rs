//! What a client registers about signatures: its own requests, and its ID tokens.

use axum::http::Method;
use serde_json::json;
use vestibule::signer::{Algorithm, SigningKey};

use super::{application, open, own, post, realm, register, send, sign_in, with};
use crate::common::is_error;

/// OpenID Connect Registration 1.0 §2: any algorithm that discovery names. Nobody who registers makes the realm a key.
#[tokio::test]
async fn oidcc_an_id_token_is_signed_as_its_client_registered() {
    let other = "[[realm.clients]]\nid = \"other\"\nsecret = \"a-secret-that-is-long\"\n\
                 id_token_signed_response_alg = \"ES256\"\nredirect_uris = [\"https://other.example/cb\"]";
    let server = realm(&format!("registration = \"open\"\n{other}")).await;
    let mut browser = server.browser();
    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let document = browser.get(&address).await.json();
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256"]));
    for algorithm in ["RS256", "ES256"] {
        let told = register(&server, &with(json!({ "id_token_signed_response_alg": algorithm }))).await;
        assert_eq!(told["id_token_signed_response_alg"], algorithm);
        let tokens = sign_in(&application(&server, &told), &mut browser).await;
        let header = vestibule::protocol::jws::parse(tokens.id_token()).unwrap().header;
        assert_eq!(header.alg, algorithm);
    }
    for algorithm in ["PS256", "HS256", "none"] {
        let reply = post(&server, None, &with(json!({ "id_token_signed_response_alg": algorithm }))).await;
        is_error(&reply, 400, "invalid_client_metadata", algorithm);
    }
}

/// RFC 9101 §10.5, RFC 9126 §6: what a client registers is held against it, until it says otherwise.
#[tokio::test]
async fn rfc9101_10_5_a_client_that_registers_to_sign_its_requests_must_sign_them() {
    let server = open().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let said = with(json!({
        "require_signed_request_object": true, "request_object_signing_alg": "ES256",
        "jwks": { "keys": [key.public_jwk()] }, "request_uris": ["https://app.example/request.jwt"],
    }));
    let told = register(&server, &said).await;
    for name in ["require_signed_request_object", "request_object_signing_alg", "request_uris"] {
        assert_eq!(told[name], said[name], "{name}");
    }
    let (mut browser, rp) = (server.browser(), application(&server, &told));
    let refused = browser.get(&rp.authorize_url()).await;
    assert_eq!(refused.parameter("error").as_deref(), Some("invalid_request"), "{}", refused.location());

    let mut claims: serde_json::Map<_, _> =
        rp.parameters().into_iter().map(|(name, value)| (name, json!(value))).collect();
    let now = server.clock().now().0;
    for (name, value) in [
        ("iss", json!(rp.client_id)),
        ("aud", json!(rp.issuer)),
        ("nbf", json!(now)),
        ("exp", json!(now + 60)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    let token = key.sign("oauth-authz-req+jwt", &serde_json::Value::Object(claims)).unwrap();
    let address = format!("{}?client_id={}&request={token}", rp.endpoint("auth"), rp.client_id);
    let page = browser.open(&address).await;
    assert!(page.body.contains("kc-form-login"), "{}", page.body);

    let (address, registration) = own(&told);
    let mut less = with(json!({ "client_id": told["client_id"] }));
    less.as_object_mut().unwrap().remove("jwks");
    let replaced = send(&server, Method::PUT, address, Some(registration), Some(&less)).await;
    assert_eq!(replaced.status, 200, "{}", replaced.body);
    assert_eq!(replaced.json()["require_signed_request_object"], false);
    assert!(browser.open(&rp.authorize_url()).await.body.contains("kc-form-login"));
}
