//! Rows X01 to X07 of the attack table. Each changes one thing of an exchange that is good.

use serde_json::{Value, json};
use vestibule::testing::TestServer;

use super::scene::{ACCESS, EXCHANGE, ID, REALM, REFRESH, Scene, assert_refused};

#[tokio::test]
async fn x01_without_a_rule_nothing_is_exchanged() {
    let scene = Scene::new().await;
    let token = scene.alice.access_token();
    for (row, client) in [("a no rule", "idle"), ("a no grant", "plain")] {
        let reply = scene.ask(&scene.rp(client), token, &[("audience", "api")]).await;
        assert_refused(&reply, "unauthorized_client", row);
    }
    for (row, audience) in [("b not allowed", "db"), ("b itself", "gateway"), ("d unknown", "nobody")] {
        let reply = scene.ask(&scene.gateway, token, &[("audience", audience)]).await;
        assert_refused(&reply, "invalid_target", row);
    }
    let reply = scene.ask(&scene.gateway, token, &[("audience", "api"), ("audience", "db")]).await;
    assert_refused(&reply, "invalid_target", "b one of two not allowed");
    let reply = scene.ask(&scene.gateway, token, &[]).await;
    assert_refused(&reply, "invalid_request", "two rules, none named");
    scene.set_enabled("api", false).await;
    let reply = scene.ask(&scene.gateway, token, &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_target", "c disabled");
}

#[tokio::test]
async fn x02_a_token_that_is_meant_for_others_is_not_the_clients_to_exchange() {
    let scene = Scene::new().await;
    let elsewhere = scene.rp("elsewhere");
    let tokens = elsewhere.sign_in(&mut scene.browser.clone(), "bob", "bob").await.unwrap();
    let reply = scene.ask(&scene.gateway, tokens.access_token(), &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "neither audience nor holder");
    let reply = scene.ask(&scene.gateway, tokens.access_token(), &[("audience", "billing")]).await;
    assert_eq!(reply.status, 200, "a rule says so: {}", reply.body);
    let both = [("audience", "billing"), ("audience", "api")];
    let reply = scene.ask(&scene.gateway, tokens.access_token(), &both).await;
    assert_refused(&reply, "invalid_request", "every audience's rule must say so");
}

#[tokio::test]
async fn x03_the_result_is_never_wider() {
    let scene = Scene::new().await;
    let token = scene.alice.access_token();
    for (row, audience, scope) in [
        ("not in the subject token", "api", "reports:write"),
        ("unknown", "api", "root"),
        ("not in the rule", "billing", "email"),
    ] {
        let asked = [("audience", audience), ("scope", scope)];
        assert_refused(&scene.ask(&scene.gateway, token, &asked).await, "invalid_scope", row);
    }
    let asked = [("audience", "billing"), ("requested_token_type", REFRESH)];
    assert_refused(&scene.ask(&scene.gateway, token, &asked).await, "invalid_request", "a refresh token");
    let asked = [("audience", "billing"), ("requested_token_type", ID)];
    assert_refused(&scene.ask(&scene.gateway, token, &asked).await, "invalid_request", "an ID token");

    let narrow =
        scene.exchange(&scene.gateway, token, &[("audience", "api"), ("scope", "reports:read")]).await;
    assert_eq!(narrow.response["scope"], "reports:read");
    let asked = [("audience", "api"), ("scope", "email")];
    let reply = scene.ask(&scene.gateway, narrow.access_token(), &asked).await;
    assert_refused(&reply, "invalid_scope", "what was given up does not come back");
    let ruled = scene.exchange(&scene.gateway, token, &[("audience", "billing")]).await.access_claims();
    assert_eq!(ruled["scope"], "reports:read");
    assert!(ruled.get("realm_access").is_none() && ruled.get("email").is_none(), "{ruled}");
}

/// The gateway may see every role of a user, the application only its own: an exchange does not lead around that.
#[tokio::test]
async fn x03_a_result_has_no_role_that_the_subject_token_lacks() {
    let scene = Scene::new().await;
    let mut front = scene.client("front").await;
    front.settings.full_scope_allowed = false;
    scene.put(front).await;
    let mut gateway = scene.client("gateway").await;
    gateway.settings.mappers.push(vestibule::protocol::mapper::Mapper {
        name: "authorities".into(),
        kind: "oidc-usermodel-realm-role-mapper".into(),
        config: [("claim.name", "authorities"), ("access.token.claim", "true")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        ..Default::default()
    });
    scene.put(gateway).await;
    let tokens = scene.front.refresh(&scene.browser, scene.alice.refresh_token()).await.unwrap();
    let result = scene.exchange(&scene.gateway, tokens.access_token(), &[("audience", "api")]).await;
    let token = result.access_claims();
    let roles = |claims: &Value| claims["realm_access"]["roles"].as_array().cloned().unwrap_or_default();
    assert_eq!(roles(&tokens.access_claims()), Vec::<Value>::new());
    assert_eq!(roles(&token), Vec::<Value>::new());
    let shown = |claims: &Value| claims["authorities"].as_array().cloned().unwrap_or_default();
    assert_eq!(shown(&token), Vec::<Value>::new(), "under another name neither");
    let known = scene.rp("api").introspect(&scene.browser, result.access_token()).await.json();
    assert_eq!((&known["active"], roles(&known), shown(&known)), (&json!(true), Vec::new(), Vec::new()));
    let all = scene.exchange(&scene.gateway, scene.alice.access_token(), &[("audience", "api")]).await;
    assert!(!shown(&all.access_claims()).is_empty(), "what the subject token has is shown under that name");
}

#[tokio::test]
async fn x04_a_request_that_is_not_whole_gives_no_token_of_another_kind() {
    let scene = Scene::new().await;
    let token = scene.alice.access_token();
    let (long, longer) = ("x".repeat(5_000), "x".repeat(20_000));
    let kind = ("subject_token_type", ACCESS);
    for (row, fields) in [
        ("a 5 kB", vec![("subject_token", long.as_str()), kind]),
        ("a 20 kB", vec![("subject_token", longer.as_str()), kind]),
        ("b empty", vec![("subject_token", ""), kind]),
        ("c twice", vec![("subject_token", token), ("subject_token", token), kind]),
        ("d absent", vec![kind]),
        ("e unknown type", vec![("subject_token", token), ("subject_token_type", "jwt")]),
        ("e no type", vec![("subject_token", token)]),
    ] {
        let fields = [vec![("grant_type", EXCHANGE), ("audience", "api")], fields].concat();
        assert_refused(&scene.gateway.token_request(&scene.browser, &fields).await, "invalid_request", row);
    }
    let huge = "x".repeat(1_000_000);
    let reply = scene.ask(&scene.gateway, &huge, &[("audience", "api")]).await;
    assert_eq!(
        (reply.status.as_u16(), reply.json()["error"].as_str()),
        (413, Some("invalid_request")),
        "a 1 MB"
    );
}

#[tokio::test]
async fn x05_only_a_good_access_token_of_this_realm_is_exchanged() {
    let scene = Scene::new().await;
    let access = scene.alice.access_token();
    let (head, signature) = access.rsplit_once('.').unwrap();
    let (header, payload) = head.split_once('.').unwrap();
    let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
    let other_payload = format!("{header}.{}.{signature}", payload.replace('a', "b"));
    for (row, token) in [
        ("an ID token", scene.alice.id_token()),
        ("a refresh token", scene.alice.refresh_token()),
        ("unsigned", &unsigned),
        ("another payload under the same kid", &other_payload),
        ("without its signature", head),
        ("a word", "x"),
    ] {
        let reply = scene.ask(&scene.gateway, token, &[("audience", "api")]).await;
        assert_refused(&reply, "invalid_request", row);
    }
    let fields = [
        ("grant_type", EXCHANGE),
        ("subject_token", scene.alice.id_token()),
        ("subject_token_type", ID),
        ("audience", "api"),
    ];
    let reply = scene.gateway.token_request(&scene.browser, &fields).await;
    assert_refused(&reply, "invalid_request", "an ID token that says so");

    let elsewhere = TestServer::with_realm(REALM).await.unwrap();
    let foreign = elsewhere.rp("front", Some("secret"));
    let foreign = foreign.sign_in(&mut elsewhere.browser(), "alice", "alice").await.unwrap();
    let reply = scene.ask(&scene.gateway, foreign.access_token(), &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "another server's");

    let next = scene.front.refresh(&scene.browser, scene.alice.refresh_token()).await.unwrap();
    scene.front.post(&scene.browser, "revoke", &[("token", next.refresh_token())]).await;
    let reply = scene.ask(&scene.gateway, next.access_token(), &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "revoked");
    let plain = scene.own_token(&scene.rp("plain")).await;
    scene.server.clock().advance(301);
    let reply = scene.ask(&scene.gateway, &plain, &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "expired");
}

#[tokio::test]
async fn x06_what_the_subject_token_hangs_on_is_asked() {
    let mut scene = Scene::new().await;
    let result = scene.for_api().await;
    let again = [("audience", "api")];
    assert!(scene.active(result.access_token()).await);
    scene.set_user_enabled(false).await;
    assert!(!scene.active(result.access_token()).await, "the user is disabled");
    let reply = scene.ask(&scene.gateway, scene.alice.access_token(), &again).await;
    assert_refused(&reply, "invalid_request", "the user is disabled");
    scene.set_user_enabled(true).await;
    scene.set_enabled("front", false).await;
    assert!(!scene.active(result.access_token()).await, "the client that was signed in to is disabled");
    scene.set_enabled("front", true).await;
    scene.set_enabled("gateway", false).await;
    assert!(!scene.active(result.access_token()).await, "its holder is disabled");
    scene.set_enabled("gateway", true).await;
    assert!(scene.active(result.access_token()).await, "all of that can be undone");

    let question = scene.browser.open(&scene.front.endpoint("logout")).await;
    scene.browser.submit(&question, &[("confirmLogout", "1")]).await;
    assert!(!scene.active(result.access_token()).await, "signed out");
    let reply = scene.ask(&scene.gateway, scene.alice.access_token(), &again).await;
    assert_refused(&reply, "invalid_request", "signed out");
}

#[tokio::test]
async fn x06_a_result_goes_with_the_grant_and_can_go_alone() {
    let scene = Scene::new().await;
    let (gone, stays) = (scene.for_api().await, scene.for_api().await);
    let inner = scene.rp("inner");
    let actor = scene.own_token(&inner).await;
    let asked = [("audience", "db"), ("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    let made_of_it = scene.exchange(&inner, gone.access_token(), &asked).await;
    let db = scene.rp("db");
    let known = async |token: &str| db.introspect(&scene.browser, token).await.json()["active"] == true;
    assert!(known(made_of_it.access_token()).await);

    let reply = scene.front.post(&scene.browser, "revoke", &[("token", gone.access_token())]).await;
    assert_refused(&reply, "invalid_grant", "it is not the application's");
    let reply = scene.gateway.post(&scene.browser, "revoke", &[("token", gone.access_token())]).await;
    assert_eq!(reply.status, 200);
    assert!(!scene.active(gone.access_token()).await);
    assert!(!known(made_of_it.access_token()).await, "what was made of it went along");
    assert!(scene.active(stays.access_token()).await);
    assert_eq!(scene.front.userinfo(&scene.browser, scene.alice.access_token()).await.status, 200);

    scene.front.post(&scene.browser, "revoke", &[("token", scene.alice.refresh_token())]).await;
    assert!(!scene.active(stays.access_token()).await, "the grant is gone");
}

#[tokio::test]
async fn x07a_nobody_acts_who_may_not() {
    let scene = Scene::new().await;
    let token = scene.alice.access_token();
    let bob = scene.front.sign_in(&mut scene.server.browser(), "bob", "bob").await.unwrap();
    let plain = scene.own_token(&scene.rp("plain")).await;
    for (row, actor) in [
        ("another person", bob.access_token()),
        ("another service", plain.as_str()),
        ("an ID token", bob.id_token()),
        ("a word", "x"),
    ] {
        let asked = [("audience", "api"), ("actor_token", actor), ("actor_token_type", ACCESS)];
        assert_refused(&scene.ask(&scene.gateway, token, &asked).await, "invalid_request", row);
    }
    let actor = scene.own_token(&scene.gateway).await;
    let asked = [("audience", "billing"), ("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    let reply = scene.ask(&scene.gateway, token, &asked).await;
    assert_refused(&reply, "invalid_request", "the rule knows no delegation");
}

#[tokio::test]
async fn x07a_may_act_names_who_may() {
    let scene = Scene::new().await;
    let bob = scene.front.sign_in(&mut scene.server.browser(), "bob", "bob").await.unwrap();
    let bob_sub = bob.access_claims()["sub"].as_str().unwrap().to_owned();
    let mut front = scene.client("front").await;
    let config = [
        ("claim.name", "may_act"),
        ("claim.value", &json!({ "sub": bob_sub }).to_string()),
        ("jsonType.label", "JSON"),
        ("access.token.claim", "true"),
    ];
    front.settings.mappers.push(vestibule::protocol::mapper::Mapper {
        name: "may-act".into(),
        kind: "oidc-hardcoded-claim-mapper".into(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Default::default()
    });
    scene.put(front).await;
    let alice = scene.front.refresh(&scene.browser, scene.alice.refresh_token()).await.unwrap();
    let asked = [("audience", "api"), ("actor_token", bob.access_token()), ("actor_token_type", ACCESS)];
    let token = scene.exchange(&scene.gateway, alice.access_token(), &asked).await.access_claims();
    assert_eq!(token["act"], json!({ "sub": bob_sub, "client_id": "front" }));
    assert_eq!(token["may_act"], json!({ "sub": bob_sub }), "the next one is bound by it too");
    let service = scene.own_token(&scene.gateway).await;
    let asked = [("audience", "api"), ("actor_token", service.as_str()), ("actor_token_type", ACCESS)];
    let reply = scene.ask(&scene.gateway, alice.access_token(), &asked).await;
    assert_refused(&reply, "invalid_request", "the client's own account is not named");
}

#[tokio::test]
async fn x07b_a_token_does_not_go_through_too_many_hands() {
    let scene = Scene::new().await;
    let mut token = scene.alice.access_token().to_owned();
    let actor = scene.own_token(&scene.gateway).await;
    let asked = [("audience", "api"), ("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    for _ in 0..5 {
        token = scene.exchange(&scene.gateway, &token, &asked).await.access_token().to_owned();
    }
    assert!(scene.active(&token).await);
    assert_refused(&scene.ask(&scene.gateway, &token, &asked).await, "invalid_request", "a sixth actor");
    let reply = scene.ask(&scene.gateway, &token, &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "a sixth exchange");
}

#[tokio::test]
async fn x07e_x07f_what_would_be_ignored_elsewhere_is_refused() {
    let scene = Scene::new().await;
    let token = scene.alice.access_token();
    for (name, value) in
        [("requested_subject", "admin"), ("subject_issuer", "google"), ("requested_issuer", "google")]
    {
        let reply = scene.ask(&scene.gateway, token, &[("audience", "api"), (name, value)]).await;
        assert_refused(&reply, "invalid_request", name);
    }
    let details = [("audience", "api"), ("authorization_details", "[{\"type\":\"payment\"}]")];
    let reply = scene.ask(&scene.gateway, token, &details).await;
    assert_refused(&reply, "invalid_authorization_details", "RFC 9396 §6: details");
    for name in ["audience", "resource"] {
        for count in [11, 200] {
            let reply = scene.ask(&scene.gateway, token, &vec![(name, "api"); count]).await;
            assert_refused(&reply, "invalid_request", name);
        }
    }
    let reply = scene.ask(&scene.gateway, token, &[("audience", "api"); 10]).await;
    assert_eq!(reply.status, 200, "ten are allowed, and once is as good: {}", reply.body);
    let fields = [("grant_type", EXCHANGE), ("grant_type", EXCHANGE), ("subject_token", token)];
    let reply = scene.gateway.token_request(&scene.browser, &fields).await;
    assert_refused(&reply, "invalid_request", "nothing else repeats");
}
