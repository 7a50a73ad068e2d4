//! Userinfo and introspection, signed for the client that asks.

use serde_json::{Value, json};
use vestibule::testing::{Reply, claims};

use crate::common::Scene;

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "web"
secret = "secret"
redirect_uris = ["http://localhost:3000/callback"]
audiences = ["api"]
userinfo_signed_response_alg = "ES256"
[[realm.clients]]
id = "api"
secret = "secret"
[[realm.clients]]
id = "ledger"
secret = "secret"
introspection_signed_response_alg = "EdDSA"
[[realm.users]]
username = "alice"
password = "alice"
email = "alice@example.com"
"#;

const SIGNED: &str = "application/token-introspection+jwt";

/// Header and claims of a token, after its signature was verified by the realm's published keys.
async fn verified(scene: &Scene, token: &str) -> (Value, Value) {
    let app = scene.server.app();
    let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
    let verified = state.ring.verify(token, app.clock.now()).unwrap();
    let header = token.split('.').next().unwrap();
    (claims(&format!(".{header}.")), verified.claims.into_value())
}

/// Introspects a token as `client`, with this `Accept`.
async fn ask(scene: &Scene, client: &str, token: &str, accept: &str) -> Reply {
    let mut browser = scene.browser.clone();
    browser.headers.push(("accept".to_owned(), accept.to_owned()));
    scene.server.rp(client, Some("secret")).introspect(&browser, token).await
}

#[tokio::test]
async fn core_5_3_2_userinfo_is_signed_for_a_client_that_asked_for_it() {
    let scene = Scene::in_realm(REALM).await;
    let reply = scene.rp.userinfo(&scene.browser, scene.tokens.access_token()).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/jwt"));
    assert_eq!(reply.header("cache-control"), "no-store");
    let (header, told) = verified(&scene, &reply.body).await;
    assert_eq!(header["alg"], "ES256");
    assert_eq!((&told["iss"], &told["aud"]), (&json!(scene.server.issuer("main")), &json!("web")));
    assert_eq!(
        (&told["sub"], &told["email"]),
        (&scene.tokens.id_claims()["sub"], &json!("alice@example.com"))
    );
    assert!(told.get("nonce").is_none() && told.get("exp").is_none());
    // What is signed with the realm's keys must be of use nowhere else.
    let as_token = scene.rp.userinfo(&scene.browser, &reply.body).await;
    assert_eq!(as_token.status, 401, "as an access token");
    let as_hint = [("prompt", Some("none")), ("id_token_hint", Some(reply.body.as_str()))];
    let hinted = scene.browser.clone().get(&scene.rp.authorize_url_with(&as_hint)).await;
    assert_eq!(hinted.parameter("code"), None, "as an ID token: {}", hinted.location());
    let document = format!("{}/.well-known/openid-configuration", scene.server.issuer("main"));
    let document = scene.browser.clone().get(&document).await.json();
    for name in ["userinfo_signing_alg_values_supported", "introspection_signing_alg_values_supported"] {
        assert_eq!(document[name], json!(["RS256", "ES256", "EdDSA"]), "{name}");
    }
}

#[tokio::test]
async fn rfc9701_5_introspection_is_signed_for_its_caller_when_asked() {
    let scene = Scene::in_realm(REALM).await;
    let token = scene.tokens.access_token();
    let plain = ask(&scene, "api", token, "application/json").await;
    assert_eq!(plain.header("content-type"), "application/json");
    let reply = ask(&scene, "api", token, SIGNED).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, SIGNED));
    assert_eq!(reply.header("cache-control"), "no-store");
    let (header, told) = verified(&scene, &reply.body).await;
    assert_eq!((&header["typ"], &header["alg"]), (&json!("token-introspection+jwt"), &json!("RS256")));
    assert_eq!((&told["iss"], &told["aud"]), (&json!(scene.server.issuer("main")), &json!("api")));
    assert!(told["iat"].is_i64() && told.get("sub").is_none() && told.get("exp").is_none(), "{told}");
    assert_eq!(told["token_introspection"], plain.json());

    // §5: a caller that the token is not for learns nothing, and its own algorithm signs that.
    let reply = ask(&scene, "ledger", token, SIGNED).await;
    let (header, told) = verified(&scene, &reply.body).await;
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!((&told["aud"], &told["token_introspection"]), (&json!("ledger"), &json!({ "active": false })));
    let again = ask(&scene, "api", &reply.body, SIGNED).await;
    assert_eq!(verified(&scene, &again.body).await.1["token_introspection"], json!({ "active": false }));

    // §4: what fails is JSON, as everywhere.
    let mut browser = scene.browser.clone();
    browser.headers.push(("accept".to_owned(), SIGNED.to_owned()));
    let refused = scene.server.rp("api", Some("wrong")).introspect(&browser, token).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (401, &json!("invalid_client")));
}
