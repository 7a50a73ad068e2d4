//! Token exchange (RFC 8693): what it gives. What it refuses are the `rows`.

use serde_json::json;
use vestibule::protocol::subject::SubjectType;
use vestibule::store::Page;
use vestibule::testing::{TestServer, Tokens, claims};

mod foreign;
mod kinds;
mod refresh;
mod rows;
mod scene;
mod standard;

use scene::{ACCESS, EXCHANGE, ID, JWT, Scene, assert_refused};

/// The answer has the members of RFC 8693 §2.2.1, and the token is the person's, for the service, and no longer.
#[tokio::test]
async fn rfc8693_2_2_1_the_answer_and_the_token() {
    let scene = Scene::new().await;
    scene.server.clock().advance(100);
    let reply = scene.ask(&scene.gateway, scene.alice.access_token(), &[("audience", "api")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store");
    let answer = reply.json();
    assert_eq!(answer["issued_token_type"], ACCESS);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 200, "the gateway's hour is cut to what is left of the subject token");
    assert_eq!(answer["scope"], scene.alice.access_claims()["scope"]);
    assert!(answer.get("refresh_token").is_none() && answer.get("id_token").is_none());

    let (before, token) = (scene.alice.access_claims(), Tokens { response: answer }.access_claims());
    for same in ["iss", "sub", "sid", "acr", "auth_time", "exp", "scope", "email", "realm_access"] {
        assert_eq!(token[same], before[same], "{same}");
    }
    assert_eq!(
        (&token["aud"], &token["azp"], &token["typ"]),
        (&json!("api"), &json!("gateway"), &json!("Bearer"))
    );
    assert!(token.get("act").is_none(), "nobody acts: the token is as if the person had come herself");
    assert_ne!(token["jti"], before["jti"]);
}

#[tokio::test]
async fn rfc8693_2_1_the_kinds_that_may_be_asked_for() {
    let scene = Scene::new().await;
    let token = scene.alice.access_token();
    for (kind, token_type) in [(ACCESS, "Bearer"), (JWT, "Bearer"), (ID, "N_A")] {
        let asked = [("audience", "api"), ("requested_token_type", kind)];
        let answer = scene.exchange(&scene.gateway, token, &asked).await.response;
        assert_eq!(answer["issued_token_type"], kind);
        assert_eq!(answer["token_type"], token_type, "{kind}");
    }
    let asked = [("audience", "api"), ("requested_token_type", ID)];
    let tokens = scene.exchange(&scene.gateway, token, &asked).await;
    let id = tokens.access_claims();
    assert_eq!((&id["typ"], &id["aud"], &id["azp"]), (&json!("ID"), &json!("api"), &json!("gateway")));
    assert_eq!(id["sub"], scene.alice.access_claims()["sub"]);
    let opened = scene.front.userinfo(&scene.browser, tokens.access_token()).await;
    assert_eq!(opened.status, 401, "an ID token opens nothing");
    // As a JWT, the subject token is the same token.
    let as_jwt = [("subject_token_type", JWT), ("audience", "api")];
    let mut fields = vec![("grant_type", EXCHANGE), ("subject_token", token)];
    fields.extend(as_jwt);
    assert_eq!(scene.gateway.token_request(&scene.browser, &fields).await.status, 200);
}

#[tokio::test]
async fn rfc8693_2_1_a_resource_is_an_audience_by_its_address() {
    let scene = Scene::new().await;
    let asked = [("resource", "https://api.example/"), ("audience", "api")];
    let tokens = scene.exchange(&scene.gateway, scene.alice.access_token(), &asked).await;
    assert_eq!(tokens.access_claims()["aud"], json!(["api", "https://api.example/"]));
    let tokens = scene.exchange(&scene.gateway, scene.alice.access_token(), &asked[..1]).await;
    assert_eq!(tokens.access_claims()["aud"], "https://api.example/");
    assert!(scene.active(tokens.access_token()).await, "the API knows itself by its address");
    for (row, resource) in [
        ("unknown", "https://other.example/"),
        ("a slash less", "https://api.example"),
        ("a fragment", "https://api.example/#x"),
    ] {
        let reply = scene.ask(&scene.gateway, scene.alice.access_token(), &[("resource", resource)]).await;
        assert_refused(&reply, "invalid_target", row);
    }
}

#[tokio::test]
async fn rfc8693_4_1_act_names_who_acts_and_introspection_shows_it() {
    let scene = Scene::new().await;
    let actor = scene.own_token(&scene.gateway).await;
    let asked = [("audience", "api"), ("actor_token", actor.as_str()), ("actor_token_type", ACCESS)];
    let tokens = scene.exchange(&scene.gateway, scene.alice.access_token(), &asked).await;
    let token = tokens.access_claims();
    let service = claims(&actor)["sub"].clone();
    assert_eq!(token["act"], json!({ "sub": service, "client_id": "gateway" }));
    assert_eq!(token["sub"], scene.alice.access_claims()["sub"]);
    let known = scene.rp("api").introspect(&scene.browser, tokens.access_token()).await.json();
    assert_eq!(
        (&known["active"], &known["act"], &known["client_id"]),
        (&json!(true), &token["act"], &json!("gateway"))
    );
    assert_eq!(known["username"], "alice");

    // The next service acts in turn: those before it stand inside.
    let inner = scene.rp("inner");
    let actor = scene.own_token(&inner).await;
    let asked = [("audience", "db"), ("actor_token", actor.as_str()), ("actor_token_type", JWT)];
    let next = scene.exchange(&inner, tokens.access_token(), &asked).await.access_claims();
    let act = json!({ "sub": claims(&actor)["sub"], "client_id": "inner", "act": token["act"] });
    assert_eq!((&next["act"], &next["aud"], &next["azp"]), (&act, &json!("db"), &json!("inner")));
    // It may not leave out that somebody acts.
    let reply = scene.ask(&inner, tokens.access_token(), &[("audience", "db")]).await;
    assert_refused(&reply, "invalid_request", "delegation alone is allowed");
}

#[tokio::test]
async fn a_service_may_be_the_subject() {
    let scene = Scene::new().await;
    let plain = scene.rp("plain");
    let own = scene.own_token(&plain).await;
    let result = scene.exchange(&scene.gateway, &own, &[("audience", "api")]).await;
    let token = result.access_claims();
    assert_eq!((&token["sub"], &token["azp"]), (&claims(&own)["sub"], &json!("gateway")));
    assert!(scene.active(result.access_token()).await);
    plain.post(&scene.browser, "revoke", &[("token", &own)]).await;
    assert!(!scene.active(result.access_token()).await, "it went with the token that it was made from");
}

#[tokio::test]
async fn an_exchange_leaves_one_event() {
    let scene = Scene::new().await;
    scene.for_api().await;
    scene.ask(&scene.gateway, scene.alice.access_token(), &[("audience", "db")]).await;
    let store = &scene.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let events = store.audit_events(&realm.id, Page::ALL).await.unwrap();
    let of = |name: &str| events.iter().filter(|event| event.kind.name() == name).collect::<Vec<_>>();
    let (told, refused) = (of("TOKEN_EXCHANGE"), of("TOKEN_EXCHANGE_ERROR"));
    assert_eq!((told.len(), refused.len()), (1, 1));
    assert_eq!(told[0].client_id.as_deref(), Some("gateway"));
    assert_eq!(told[0].user_id.as_deref(), scene.alice.access_claims()["sub"].as_str());
    assert_eq!(told[0].detail["audience"], json!(["api"]));
    assert_eq!(told[0].detail["subject_client"], "front");
    assert_eq!(refused[0].error.as_deref(), Some("invalid_target"));
}

/// Interface: in the demo realm `gateway` exchanges people's tokens for `api`, without naming it.
#[tokio::test]
async fn the_demo_realms_gateway_exchanges() {
    let server = TestServer::start().await.unwrap();
    let tokens = server.sign_in("spa", None, "alice", "alice").await.unwrap();
    let fields =
        [("grant_type", EXCHANGE), ("subject_token", tokens.access_token()), ("subject_token_type", ACCESS)];
    let gateway = server.rp("gateway", Some("gateway-secret"));
    let token = gateway.tokens(&server.browser(), &fields).await.unwrap().access_claims();
    assert_eq!((&token["aud"], &token["preferred_username"]), (&json!("api"), &json!("alice")));
}

/// X07c: what is made of a bound token is bound to the key of who made it, and nothing is made without one.
#[tokio::test]
async fn x07_a_bound_token_is_exchanged_for_a_bound_one() {
    let mut scene = Scene::new().await;
    let key = scene.server.proof_key();
    scene.front.dpop = Some(scene.server.proof_key());
    let bound = scene.front.sign_in(&mut scene.server.browser(), "alice", "alice").await.unwrap();
    let reply = scene.ask(&scene.gateway, bound.access_token(), &[("audience", "api")]).await;
    assert_refused(&reply, "invalid_request", "without a proof");

    scene.gateway.dpop = Some(key.clone());
    for (row, token) in [("of a bound one", &bound), ("of any", &scene.alice)] {
        let tokens = scene.exchange(&scene.gateway, token.access_token(), &[("audience", "api")]).await;
        assert_eq!(tokens.text("token_type"), "DPoP", "{row}");
        assert_eq!(tokens.access_claims()["cnf"], json!({ "jkt": key.jkt() }), "{row}");
    }
    let asked = [("audience", "api"), ("requested_token_type", ID)];
    let reply = scene.ask(&scene.gateway, bound.access_token(), &asked).await;
    assert_refused(&reply, "invalid_request", "an ID token is bound to nothing");
}

#[tokio::test]
async fn core_8_1_a_pairwise_client_reads_no_id_token_of_another_sector() {
    let scene = Scene::new().await;
    let mut client = scene.client("gateway").await;
    client.settings.subject_type = SubjectType::Pairwise;
    client.settings.sector_identifier_uri = Some("https://gateway.example/sector.json".into());
    scene.put(client).await;
    let token = scene.alice.access_token();
    let asked = [("audience", "api"), ("requested_token_type", ID)];
    let reply = scene.ask(&scene.gateway, token, &asked).await;
    assert_refused(&reply, "invalid_request", "the service knows the person by the real name");

    let sector = |uri: &str| Some(uri.to_owned());
    let mut api = scene.client("api").await;
    api.settings.subject_type = SubjectType::Pairwise;
    api.settings.sector_identifier_uri = sector("https://api.example/sector.json");
    scene.put(api.clone()).await;
    let reply = scene.ask(&scene.gateway, token, &asked).await;
    assert_refused(&reply, "invalid_request", "the service is of another sector");

    api.settings.sector_identifier_uri = sector("https://gateway.example/sector.json");
    scene.put(api).await;
    let id = scene.exchange(&scene.gateway, token, &asked).await.access_claims();
    let known = scene.exchange(&scene.gateway, token, &[("audience", "api")]).await.access_claims();
    assert_eq!(id["sub"], known["sub"], "of the same sector it is the name that the client knows");
    assert_ne!(id["sub"], scene.alice.access_claims()["sub"]);
}
