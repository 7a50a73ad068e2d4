//! Access tokens by RFC 9068, for clients that are set to it, and every place that takes one: row J04 of the attack
//! table.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::common::Scene;

const REALM: &str = r#"
[realm]
name = "main"
[[realm.roles]]
name = "user"
[[realm.clients]]
id = "web"
secret = "secret"
redirect_uris = ["http://localhost:3000/callback"]
post_logout_redirect_uris = ["+"]
audiences = ["api", "gateway"]
access_token_format = "rfc9068"
[[realm.clients.roles]]
name = "editor"
[[realm.clients]]
id = "service"
secret = "secret"
grants = ["client_credentials"]
audiences = ["api"]
access_token_format = "rfc9068"
[[realm.clients]]
id = "gateway"
secret = "secret"
grants = ["token_exchange"]
[[realm.clients.exchange]]
audience = "api"
impersonation = true
[[realm.clients]]
id = "api"
secret = "secret"
grants = []
[[realm.users]]
username = "alice"
password = "alice"
email = "alice@example.com"
roles = ["user", "web:editor"]
"#;

async fn scene() -> Scene {
    Scene::in_realm(REALM).await
}

fn header(token: &str) -> Value {
    let part = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn rfc9068_2_the_token_of_a_person() {
    let scene = scene().await;
    let access = scene.tokens.access_token();
    assert_eq!(header(access)["typ"], "at+jwt");
    assert_eq!(header(scene.tokens.id_token())["typ"], "JWT");
    let claims = scene.tokens.access_claims();
    assert_eq!(claims["iss"], scene.server.issuer("main"));
    assert_eq!(claims["client_id"], "web");
    assert_eq!(claims["sub"], scene.tokens.id_claims()["sub"]);
    assert_eq!(claims["scope"], scene.tokens.text("scope"));
    for name in ["exp", "iat", "auth_time"] {
        assert!(claims[name].is_i64(), "{name}");
    }
    assert!(claims["acr"].is_string() && claims["jti"].is_string());
    assert!(claims["aud"].as_array().unwrap().contains(&json!("api")));
    let roles = claims["roles"].as_array().unwrap();
    assert!(roles.contains(&json!("user")) && roles.contains(&json!("web:editor")), "{roles:?}");
    for name in ["azp", "typ", "sid", "realm_access", "resource_access", "allowed-origins"] {
        assert!(claims.get(name).is_none(), "{name}");
    }
}

#[tokio::test]
async fn rfc9068_2_2_the_token_of_a_service() {
    let scene = scene().await;
    let service = scene.server.rp("service", Some("secret"));
    let fields = [("grant_type", "client_credentials")];
    for round in ["first", "from the draft"] {
        let tokens = service.tokens(&scene.browser, &fields).await.unwrap();
        assert_eq!(header(tokens.access_token())["typ"], "at+jwt", "{round}");
        let claims = tokens.access_claims();
        assert_eq!(claims["client_id"], "service", "{round}");
        for name in ["auth_time", "acr", "azp", "typ"] {
            assert!(claims.get(name).is_none(), "{round}: {name}");
        }
        let known = scene
            .server
            .rp("api", Some("secret"))
            .introspect(&scene.browser, tokens.access_token())
            .await
            .json();
        assert_eq!((&known["active"], &known["client_id"]), (&json!(true), &json!("service")), "{round}");
    }
}

#[tokio::test]
async fn every_place_that_takes_an_access_token_takes_it() {
    let scene = scene().await;
    let access = scene.tokens.access_token();
    let userinfo = scene.rp.userinfo(&scene.browser, access).await;
    assert_eq!(userinfo.json()["email"], "alice@example.com", "{}", userinfo.body);

    let known = scene.server.rp("api", Some("secret")).introspect(&scene.browser, access).await.json();
    assert_eq!((&known["active"], &known["client_id"]), (&json!(true), &json!("web")));
    assert_eq!((&known["token_type"], &known["username"]), (&json!("Bearer"), &json!("alice")));
    assert!(known.get("azp").is_none() && known.get("typ").is_none(), "its own claims: {known}");

    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", access),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let result = scene.server.rp("gateway", Some("secret")).tokens(&scene.browser, &exchange).await.unwrap();
    let claims = result.access_claims();
    assert_eq!(header(result.access_token())["typ"], "JWT", "the requester's own form");
    let roles = claims["realm_access"]["roles"].as_array().unwrap();
    assert!(roles.contains(&json!("user")), "{claims}");
    assert_eq!(claims["resource_access"]["web"]["roles"], json!(["editor"]), "held by name, in either form");

    let revoked = scene.rp.post(&scene.browser, "revoke", &[("token", access)]).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(scene.rp.userinfo(&scene.browser, access).await.status, 401);
}

#[tokio::test]
async fn j04_tokens_of_other_kinds_are_not_taken_for_one_another() {
    let scene = scene().await;
    let id_token = scene.tokens.id_token();
    assert_eq!(scene.rp.userinfo(&scene.browser, id_token).await.status, 401, "an ID token as Bearer");
    let known = scene.server.rp("api", Some("secret")).introspect(&scene.browser, id_token).await;
    assert_eq!(known.body, r#"{"active":false}"#);

    // As a hint, an access token names nobody who could be signed in.
    let access = scene.tokens.access_token();
    let silent = [("prompt", Some("none")), ("id_token_hint", Some(access))];
    let reply = scene.browser.clone().get(&scene.rp.authorize_url_with(&silent)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"));
    let silent = [("prompt", Some("none")), ("id_token_hint", Some(id_token))];
    let reply = scene.browser.clone().get(&scene.rp.authorize_url_with(&silent)).await;
    assert!(reply.parameter("code").is_some(), "{}", reply.location());
}
