//! X05 and X06: what this realm signs and is no access token of it is no token to exchange, whatever it is said to be.

use serde_json::json;
use vestibule::protocol::brake;
use vestibule::protocol::realm::BruteForce;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::Rp;

use super::scene::{ACCESS, EXCHANGE, JWT, REALM, Scene, assert_refused};
use crate::common::realm;
use crate::hearing::Hearing;

/// The realm of these tests twice, where `front` hears of logouts, has a key, and is told of users in signed form.
fn two_realms(hearing: &Hearing, key: &SigningKey) -> String {
    let jwks = json!({ "keys": [key.public_jwk()] });
    let more = format!(
        "audiences = [\"gateway\"]\nbackchannel_logout_uri = \"{}\"\njwks = '{jwks}'\n\
         userinfo_signed_response_alg = \"RS256\"\n",
        hearing.address
    );
    let main = REALM.replacen("audiences = [\"gateway\"]\n", &more, 1);
    let main = main.replace("[realm]", "[[realms]]").replace("[[realm.", "[[realms.");
    let other = main.replace("name = \"main\"", "name = \"other\"");
    format!("{main}{other}")
}

/// One token of each kind, each good at its own place.
async fn tokens(scene: &Scene, hearing: &Hearing, key: &SigningKey) -> Vec<(&'static str, String)> {
    let Scene { server, front, gateway, alice, .. } = scene;
    let mut browser = server.browser();
    let gone = front.sign_in(&mut browser, "alice", "alice").await.unwrap();
    browser.get(&format!("{}?id_token_hint={}", front.endpoint("logout"), gone.id_token())).await;
    let jarm = front.authorize_url_with(&[("response_mode", Some("jwt"))]);
    let jarm = scene.browser.clone().get(&jarm).await.parameter("response").unwrap();
    let mut asks = scene.browser.clone();
    asks.headers.push(("accept".into(), "application/token-introspection+jwt".into()));
    let introspected = gateway.introspect(&asks, alice.access_token()).await;
    let there = Rp { issuer: server.issuer("other"), ..front.clone() };
    let elsewhere = there.sign_in(&mut server.browser(), "alice", "alice").await.unwrap();
    let now = server.clock().now().0;
    let by_client = |typ: &str, iss: &str| {
        let claims = json!({
            "iss": iss, "sub": alice.access_claims()["sub"], "aud": front.issuer, "client_id": "front", "azp": "front",
            "jti": "one", "iat": now, "exp": now + 60, "response_type": "code", "scope": "openid",
        });
        key.sign(typ, &claims).unwrap()
    };
    vec![
        ("a logout token", hearing.logout_token(1).await),
        ("a signed authorization response", jarm),
        ("signed userinfo", front.userinfo(&scene.browser, alice.access_token()).await.body),
        ("a signed introspection answer", introspected.body),
        ("a client assertion", by_client("JWT", "front")),
        ("a client assertion in the realm's name", by_client("JWT", &front.issuer)),
        ("an access token that a client made", by_client("at+jwt", &front.issuer)),
        ("a request object", by_client("oauth-authz-req+jwt", "front")),
        ("another realm's", elsewhere.access_token().to_owned()),
    ]
}

#[tokio::test]
async fn x05_no_other_kind_of_token_is_exchanged_or_acts() {
    let hearing = Hearing::start().await;
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let scene = Scene::of(two_realms(&hearing, &key)).await;
    for (row, token) in tokens(&scene, &hearing, &key).await {
        assert_eq!(token.split('.').count(), 3, "{row} is signed: {token}");
        for kind in [ACCESS, JWT] {
            let fields = [
                ("grant_type", EXCHANGE),
                ("subject_token", token.as_str()),
                ("subject_token_type", kind),
                ("audience", "api"),
            ];
            let reply = scene.gateway.token_request(&scene.browser, &fields).await;
            assert_refused(&reply, "invalid_request", &format!("{row} as {kind}"));
            let acts = [("audience", "api"), ("actor_token", token.as_str()), ("actor_token_type", kind)];
            let reply = scene.ask(&scene.gateway, scene.alice.access_token(), &acts).await;
            assert_refused(&reply, "invalid_request", &format!("{row} as {kind} of an actor"));
        }
    }
    scene.for_api().await;
}

#[tokio::test]
async fn x06_for_a_user_who_is_held_up_nothing_is_exchanged() {
    let scene = Scene::new().await;
    let (realm, store) = (realm(&scene.server).await, &scene.server.app().store);
    let counter = [brake::Counter { subject: brake::account("alice"), most: 1 }];
    let now = scene.server.clock().now();
    store.count_attempt(&realm.id, &counter, &BruteForce::default(), now).await.unwrap();
    let reply = scene.ask(&scene.gateway, scene.alice.access_token(), &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "too many wrong passwords");
    scene.server.clock().advance(31);
    scene.for_api().await;
}
