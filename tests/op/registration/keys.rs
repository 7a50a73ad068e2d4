//! Keys that a client registers (RFC 7591 §2): row J05 of the attack table.

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};

use super::{open, own, post, record, register, send, with};
use crate::common::is_error;

/// What cannot prove anybody, or must not be published.
fn unusable() -> Vec<(&'static str, Value)> {
    let number = |bytes: usize| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![0xff; bytes])
    };
    let zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut private = SigningKey::generate(Algorithm::ES256).unwrap().public_jwk().clone();
    private["d"] = json!(zero);
    vec![
        ("a point beside its curve", json!({ "kty": "EC", "crv": "P-256", "x": zero, "y": zero })),
        ("RSA of 1024 bits", json!({ "kty": "RSA", "n": number(128), "e": "AQAB" })),
        ("e = 1", json!({ "kty": "RSA", "n": number(256), "e": "AQ" })),
        ("a shared secret", json!({ "kty": "oct", "k": zero })),
        ("a private key", private),
        ("another curve alone", json!({ "kty": "EC", "crv": "P-192", "x": zero, "y": zero })),
        ("no key at all", json!("key")),
    ]
}

#[tokio::test]
async fn j05_keys_that_cannot_be_used_are_not_registered() {
    let server = open().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let by = |keys: Value| {
        with(json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": keys } }))
    };
    let told = register(&server, &by(json!([key.public_jwk()]))).await;
    let (address, token) = own(&told);
    for (case, bad) in unusable() {
        let alone = by(json!([bad]));
        is_error(&post(&server, None, &alone).await, 400, "invalid_client_metadata", case);
        let mut replaced = alone;
        replaced["client_id"] = told["client_id"].clone();
        let reply = send(&server, Method::PUT, address, Some(token), Some(&replaced)).await;
        is_error(&reply, 400, "invalid_client_metadata", case);
        if case != "another curve alone" {
            let beside = by(json!([key.public_jwk(), bad]));
            is_error(&post(&server, None, &beside).await, 400, "invalid_client_metadata", case);
        }
    }
    let kept = send(&server, Method::GET, address, Some(token), None).await.json();
    assert_eq!(kept["jwks"]["keys"], json!([key.public_jwk()]), "nothing of it was kept");
}

/// RFC 8705: a server that asks nobody for a certificate says so.
#[tokio::test]
async fn rfc8705_2_certificates_are_not_registered_where_nobody_asks_for_them() {
    let server = open().await;
    for said in [
        json!({ "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=robot" }),
        json!({ "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks_uri": "https://app.example/jwks" }),
        json!({ "tls_client_certificate_bound_access_tokens": true }),
    ] {
        let reply = post(&server, None, &with(said.clone())).await;
        is_error(&reply, 400, "invalid_client_metadata", &said.to_string());
        let why = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert!(why.contains("this one does not") || why.contains("asks no client"), "{why}");
    }
}

/// OpenID Connect Core §9: discovery names the method, so it may be registered. The secret is kept sealed.
#[tokio::test]
async fn rfc7591_2_a_client_registers_to_make_tokens_with_its_secret() {
    let server = open().await;
    let said = with(json!({ "token_endpoint_auth_method": "client_secret_jwt" }));
    let told = register(&server, &said).await;
    let (id, secret) = (told["client_id"].as_str().unwrap(), told["client_secret"].as_str().unwrap());
    assert_eq!(told["token_endpoint_auth_method"], "client_secret_jwt");
    let stored = record(&server, id).await.unwrap().secret_hash.unwrap();
    assert!(!stored.contains(secret), "{stored}");
    let prove = async |secret: &str| {
        let now = server.clock().now().0;
        let claims = json!({
            "iss": id, "sub": id, "aud": server.issuer("main"), "jti": secrets::random_name(), "iat": now,
            "exp": now + 60,
        });
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        let header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
        let assertion = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        let fields = [
            ("token", "unknown"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ];
        server.rp(id, None).post(&server.browser(), "revoke", &fields).await.status.as_u16()
    };
    assert_eq!((prove(secret).await, prove("another secret of thirty-two bytes").await), (200, 401));

    let (address, token) = own(&told);
    let replaced = with(json!({
        "token_endpoint_auth_method": "client_secret_jwt", "client_id": id, "client_secret": secret,
        "client_name": "Another name",
    }));
    let reply = send(&server, Method::PUT, address, Some(token), Some(&replaced)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json().get("client_secret"), None, "it is told once");
    assert_eq!(prove(secret).await, 200, "and stays");
}
