//! Refresh tokens that an exchange gives, where a rule allows it.

use serde_json::json;
use vestibule::testing::{Tokens, claims};

use super::scene::{ACCESS, REFRESH, Scene, assert_refused};

impl Scene {
    /// Alice's tokens for the API, with one to refresh them.
    async fn with_refresh(&self, more: &[(&str, &str)]) -> Tokens {
        let asked = [&[("audience", "api"), ("requested_token_type", REFRESH)], more].concat();
        self.exchange(&self.gateway, self.alice.access_token(), &asked).await
    }
}

#[tokio::test]
async fn rfc8693_2_2_1_a_refresh_token_is_the_requesters_and_for_the_same_audience() {
    let scene = Scene::new().await;
    let actor = scene.own_token(&scene.gateway).await;
    let asked = [("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    let tokens = scene.with_refresh(&asked).await;
    assert_eq!(tokens.response["issued_token_type"], REFRESH);
    assert_eq!(tokens.response["token_type"], "Bearer");
    assert_eq!(tokens.response["expires_in"], 300, "the first token ends with the subject token");
    assert!(tokens.response.get("id_token").is_none(), "an exchange is no sign-in");
    let first = tokens.access_claims();
    let act = json!({ "sub": claims(&actor)["sub"], "client_id": "gateway" });
    assert_eq!((&first["aud"], &first["azp"], &first["act"]), (&json!("api"), &json!("gateway"), &act));
    assert_eq!(first["realm_access"], scene.alice.access_claims()["realm_access"]);

    scene.server.clock().advance(60);
    let next = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.unwrap();
    let second = next.access_claims();
    for same in ["sub", "aud", "azp", "act", "scope", "sid", "auth_time", "realm_access"] {
        assert_eq!(second[same], first[same], "{same}");
    }
    assert_eq!(next.response["expires_in"], 3600, "from then on it is the requester's own");
    assert!(next.response.get("id_token").is_none());
    assert!(scene.active(next.access_token()).await);
    let by_front = scene.front.refresh(&scene.browser, next.refresh_token()).await.unwrap_err();
    assert_refused(&by_front, "invalid_grant", "F04: it is no one else's");
}

#[tokio::test]
async fn x03_a_refresh_token_is_made_of_a_persons_own_sign_in_alone() {
    let scene = Scene::new().await;
    let asked = [("audience", "api"), ("requested_token_type", REFRESH)];
    let (result, tokens) = (scene.for_api().await, scene.with_refresh(&[]).await);
    let service = scene.own_token(&scene.rp("plain")).await;
    for (row, token) in [
        ("of an exchanged token", result.access_token()),
        ("of a token on a grant that an exchange made", tokens.access_token()),
        ("of a service's", service.as_str()),
    ] {
        assert_refused(&scene.ask(&scene.gateway, token, &asked).await, "invalid_request", row);
    }
}

#[tokio::test]
async fn x06_a_refresh_asks_for_the_audience_and_the_rule_again() {
    let scene = Scene::new().await;
    let tokens = scene.with_refresh(&[]).await;
    scene.set_enabled("api", false).await;
    let refused = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.unwrap_err();
    assert_refused(&refused, "invalid_target", "the audience is disabled");
    scene.set_enabled("api", true).await;
    let mut gateway = scene.client("gateway").await;
    gateway.settings.exchange[0].refresh_token = false;
    scene.put(gateway.clone()).await;
    let refused = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.unwrap_err();
    assert_refused(&refused, "invalid_target", "the rule allows it no more");
    gateway.settings.exchange[0].refresh_token = true;
    scene.put(gateway).await;
    scene.set_enabled("front", false).await;
    assert!(!scene.active(tokens.access_token()).await);
    let refused = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.unwrap_err();
    assert_refused(&refused, "invalid_grant", "the client that was signed in to is disabled");
    scene.set_enabled("front", true).await;
    let next = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await;
    assert!(next.is_ok(), "none of that used it up: {next:?}");
}

#[tokio::test]
async fn x06_what_an_exchange_made_ends_with_the_grant_that_it_was_made_from() {
    let scene = Scene::new().await;
    let tokens = scene.with_refresh(&[]).await;
    scene.front.post(&scene.browser, "revoke", &[("token", scene.alice.refresh_token())]).await;
    assert!(!scene.active(tokens.access_token()).await);
    let refused = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.unwrap_err();
    assert_refused(&refused, "invalid_grant", "revoked");

    let scene = Scene::new().await;
    let tokens = scene.with_refresh(&[]).await;
    scene.gateway.post(&scene.browser, "revoke", &[("token", tokens.refresh_token())]).await;
    assert!(!scene.active(tokens.access_token()).await, "its own family goes");
    assert!(scene.front.refresh(&scene.browser, scene.alice.refresh_token()).await.is_ok(), "and no other");
}

/// A service that refreshes all the time does not keep a person signed in who is not there any more.
#[tokio::test]
async fn x03_refreshing_does_not_keep_the_session_alive() {
    let scene = Scene::new().await;
    let mut tokens = scene.with_refresh(&[]).await;
    for _ in 0..2 {
        scene.server.clock().advance(800);
        tokens = scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.unwrap();
    }
    assert_eq!(tokens.response["refresh_expires_in"], 200, "1800 s after the sign-in");
    scene.server.clock().advance(201);
    assert!(scene.gateway.refresh(&scene.browser, tokens.refresh_token()).await.is_err());
}
