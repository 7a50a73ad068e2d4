//! Signed authorization responses (JARM: JWT Secured Authorization Response Mode).

use serde_json::Value;
use vestibule::clock::Timestamp;
use vestibule::testing::{Options, Reply, TestServer};

const NOW: i64 = 1_800_000_000;

async fn server() -> TestServer {
    let frozen_at = Some(Timestamp(NOW));
    TestServer::with(Options { frozen_at, ..Options::default() }).await.unwrap()
}

/// The claims of the one parameter `response`, after its signature was verified by the realm's published keys.
async fn response(server: &TestServer, response: &str) -> Value {
    let app = server.app();
    let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
    let verified = state.ring.verify(response, app.clock.now()).unwrap();
    assert_eq!(verified.typ.as_deref(), Some("JWT"));
    verified.claims.into_value()
}

fn names(reply: &Reply) -> Vec<String> {
    let (_, after) = reply.location().split_once(['?', '#']).unwrap();
    form_urlencoded::parse(after.as_bytes()).map(|(name, _)| name.into_owned()).collect()
}

#[tokio::test]
async fn jarm_2_3_each_mode_carries_one_signed_response() {
    let server = server().await;
    let (mut rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    for (mode, start) in [
        ("jwt", "http://localhost:3000/callback?"),
        ("query.jwt", "http://localhost:3000/callback?"),
        ("fragment.jwt", "http://localhost:3000/callback#"),
    ] {
        rp.state = format!("state of {mode}");
        let reply = browser.get(&rp.authorize_url_with(&[("response_mode", Some(mode))])).await;
        assert!(reply.location().starts_with(start), "{mode}: {}", reply.location());
        assert_eq!(names(&reply), ["response"], "{mode}");
        let claims = response(&server, &reply.parameter("response").unwrap()).await;
        assert_eq!(claims["iss"], server.issuer("main"), "{mode}");
        assert_eq!((&claims["aud"], &claims["state"]), (&"web".into(), &rp.state.clone().into()), "{mode}");
        let lifetime = claims["exp"].as_i64().unwrap() - NOW;
        assert!((1..=600).contains(&lifetime), "{mode}: {lifetime}");
        rp.redeem(&browser, claims["code"].as_str().unwrap()).await.unwrap();
    }
    let reply = browser.get(&rp.authorize_url_with(&[("response_mode", Some("form_post.jwt"))])).await;
    let [(name, value)] = &reply.hidden_fields()[..] else { panic!("one field: {}", reply.body) };
    assert_eq!((name.as_str(), reply.form_action().as_str()), ("response", "http://localhost:3000/callback"));
    let claims = response(&server, value).await;
    rp.redeem(&browser, claims["code"].as_str().unwrap()).await.unwrap();
}

#[tokio::test]
async fn jarm_2_1_a_refusal_travels_the_same_way() {
    let server = server().await;
    let rp = server.rp("web", Some("web-secret"));
    let changes = [("response_mode", Some("jwt")), ("prompt", Some("none"))];
    let reply = server.browser().get(&rp.authorize_url_with(&changes)).await;
    assert_eq!(names(&reply), ["response"]);
    let claims = response(&server, &reply.parameter("response").unwrap()).await;
    assert_eq!(claims["error"], "login_required");
    assert_eq!(claims["state"], rp.state.as_str());
    assert!(claims.get("code").is_none());
}

/// RFC 8725 §3.11: a signed response is no token of another kind.
#[tokio::test]
async fn j04_a_signed_response_opens_nothing() {
    let server = server().await;
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let reply = browser.get(&rp.authorize_url_with(&[("response_mode", Some("jwt"))])).await;
    let response = reply.parameter("response").unwrap();
    assert_eq!(rp.userinfo(&browser, &response).await.status, 401, "no access token");
    assert_eq!(rp.introspect(&browser, &response).await.json(), serde_json::json!({"active": false}));
    assert!(rp.refresh(&browser, &response).await.is_err(), "no refresh token");
    let hint = [("id_token_hint", Some(response.as_str())), ("prompt", Some("none"))];
    let reply = browser.get(&rp.authorize_url_with(&hint)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"), "no ID token");
}

#[tokio::test]
async fn jarm_4_discovery_names_modes_and_algorithms() {
    let server = server().await;
    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let document = server.browser().get(&address).await.json();
    let modes = document["response_modes_supported"].as_array().unwrap();
    for mode in ["query", "fragment", "form_post", "query.jwt", "fragment.jwt", "form_post.jwt", "jwt"] {
        assert!(modes.iter().any(|one| one == mode), "{mode}");
    }
    assert_eq!(document["authorization_signing_alg_values_supported"], serde_json::json!(["RS256"]));
    let rp = server.rp("web", Some("web-secret"));
    for wrong in ["jwt.jwt", "queryjwt", ".jwt", "smoke.jwt", "query.jwt.jwt"] {
        let reply = server.browser().get(&rp.authorize_url_with(&[("response_mode", Some(wrong))])).await;
        assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{wrong}");
    }
}

/// JARM §3: a client may have them signed otherwise than its ID tokens.
#[tokio::test]
async fn jarm_3_the_algorithm_is_the_clients_to_choose() {
    let realm = r#"
        [realm]
        name = "main"
        [[realm.clients]]
        id = "web"
        secret = "web-secret"
        redirect_uris = ["http://localhost:3000/callback"]
        authorization_signed_response_alg = "ES256"
        [[realm.users]]
        username = "alice"
        password = "alice"
    "#;
    let server = TestServer::with_realm(realm).await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let reply = browser.get(&rp.authorize_url_with(&[("response_mode", Some("jwt"))])).await;
    let signed = reply.parameter("response").unwrap();
    response(&server, &signed).await;
    let algorithm = |token: &str| vestibule::protocol::jws::parse(token).unwrap().header.alg;
    assert_eq!((algorithm(&signed), algorithm(tokens.id_token())), ("ES256".into(), "RS256".into()));
}
