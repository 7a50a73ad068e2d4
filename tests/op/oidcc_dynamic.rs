//! The modules of the conformance suite's Dynamic plan that a registration alone does not show, from the registration to
//! what comes of it, each under its own name. What registers well or badly is in `registration.rs`.

mod party;
mod rotate;

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::clock::Timestamp;
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens, claims};

use crate::common::is_error;
use party::Party;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const CALLBACK: &str = "https://rp.example/cb";

struct Scene {
    server: TestServer,
    party: Party,
    browser: Browser,
}

impl Scene {
    /// A realm where anybody registers, with further settings of it.
    async fn with(settings: &str) -> Self {
        let party = Party::start().await;
        let realm = format!(
            "[realm]\nname = \"main\"\nregistration = \"open\"\n{settings}\n\
             [[realm.users]]\nusername = \"alice\"\npassword = \"alice\"\nemail = \"alice@example.com\"\n"
        );
        let options = Options {
            realm: Some(realm),
            frozen_at: Some(Timestamp(1_800_000_000)),
            ca_files: vec![party.authority.clone()],
            ..Options::default()
        };
        let server = TestServer::with(options).await.unwrap();
        Self { browser: server.browser(), server, party }
    }

    /// The answer to a registration of a good client with these members beside.
    async fn post(&self, more: Value) -> Reply {
        let mut members = json!({
            "client_name": "The suite", "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
        });
        members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let address = format!("{}/clients-registrations/openid-connect", self.server.issuer("main"));
        let headers = [("content-type", "application/json")];
        self.browser.clone().send(Method::POST, &address, Some(members.to_string()), &headers).await
    }

    async fn register(&self, more: Value) -> Rp {
        let reply = self.post(more).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let told = reply.json();
        let mut rp = self.server.rp(told["client_id"].as_str().unwrap(), told["client_secret"].as_str());
        rp.redirect_uri = told["redirect_uris"][0].as_str().unwrap().to_owned();
        rp
    }

    async fn sign_in(&mut self, rp: &Rp) -> Tokens {
        rp.sign_in(&mut self.browser, "alice", "alice").await.unwrap()
    }

    async fn metadata(&self) -> Value {
        let address = format!("{}/.well-known/openid-configuration", self.server.issuer("main"));
        self.browser.clone().get(&address).await.json()
    }

    /// A token request of a client that proves itself by `key`.
    async fn ask_by(&self, key: &SigningKey, rp: &Rp, fields: &[(&str, &str)]) -> Reply {
        let now = self.server.clock().now().0;
        let assertion = json!({
            "iss": rp.client_id, "sub": rp.client_id, "aud": rp.issuer, "jti": secrets::random_name(), "iat": now,
            "exp": now + 60,
        });
        let assertion = key.sign("JWT", &assertion).unwrap();
        let mut all = vec![("client_assertion_type", TYPE), ("client_assertion", assertion.as_str())];
        all.extend(fields);
        rp.token_request(&self.browser, &all).await
    }

    /// Signs in to a client that registered the address of its keys and proves itself by `key`.
    async fn sign_in_by(&mut self, key: &SigningKey) -> (Rp, Tokens) {
        *self.party.keys.lock().unwrap() = vec![key.public_jwk().clone()];
        let by_keys = json!({
            "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": format!("{}/jwks", self.party.origin),
        });
        let rp = self.register(by_keys).await;
        assert_eq!(rp.secret, None, "who has keys gets no secret");
        let answer = rp.authorize(&mut self.browser, "alice", "alice").await;
        let code = answer.parameter("code").unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &rp.redirect_uri),
            ("code_verifier", &rp.verifier),
        ];
        let reply = self.ask_by(key, &rp, &fields).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        (rp, Tokens { response: reply.json() })
    }
}

fn header(token: &str) -> Value {
    claims(&format!(".{}.", token.split('.').next().unwrap()))
}

/// Also `oidcc-server` of this plan and `oidcc-ensure-client-assertion-with-iss-aud-succeeds`.
#[tokio::test]
async fn oidcc_registration_jwks_uri() {
    let mut scene = Scene::with("").await;
    let (key, other) = (key(), key());
    let (rp, tokens) = scene.sign_in_by(&key).await;
    assert_eq!(tokens.id_claims()["aud"], rp.client_id.as_str());
    let userinfo = rp.userinfo(&scene.browser, tokens.access_token()).await;
    assert_eq!(userinfo.json()["sub"], tokens.id_claims()["sub"], "{}", userinfo.body);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh_token())];
    is_error(&scene.ask_by(&other, &rp, &refresh).await, 401, "invalid_client", "another key");
    is_error(&rp.token_request(&scene.browser, &refresh).await, 401, "invalid_client", "no key");
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::ES256).unwrap()
}

#[tokio::test]
async fn oidcc_refresh_token_rp_key_rotation() {
    let mut scene = Scene::with("").await;
    let (old, new) = (key(), key());
    let (rp, tokens) = scene.sign_in_by(&old).await;
    let refresh =
        |token: &str| [("grant_type", "refresh_token".to_owned()), ("refresh_token", token.to_owned())];
    let ask = async |scene: &Scene, key: &SigningKey, token: &str| {
        let fields = refresh(token);
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        scene.ask_by(key, &rp, &fields).await
    };
    *scene.party.keys.lock().unwrap() = vec![new.public_jwk().clone()];
    // The suite waits for a minute.
    scene.server.clock().advance(60);
    let reply = ask(&scene, &new, tokens.refresh_token()).await;
    assert_eq!(reply.status, 200, "by the new key: {}", reply.body);
    let next = Tokens { response: reply.json() };
    assert_eq!(next.id_claims()["sub"], tokens.id_claims()["sub"]);
    let reply = ask(&scene, &old, next.refresh_token()).await;
    is_error(&reply, 401, "invalid_client", "by the old one, which it has taken away");
    assert_eq!(ask(&scene, &new, next.refresh_token()).await.status, 200, "and that used nothing up");
}

#[tokio::test]
async fn oidcc_registration_sector_uri() {
    let mut scene = Scene::with("").await;
    let two = ["https://one.example/cb", "https://two.example/cb"];
    *scene.party.sector.lock().unwrap() = two.map(str::to_owned).to_vec();
    let said = |uris: &[&str]| {
        json!({
            "redirect_uris": uris, "subject_type": "pairwise",
            "sector_identifier_uri": format!("{}/sector.json", scene.party.origin),
        })
    };
    let three = said(&[two[0], two[1], "https://three.example/cb"]);
    is_error(&scene.post(three).await, 400, "invalid_client_metadata", "one that the list lacks");
    let (both, second) = (said(&two), said(&two[1..]));
    let (both, second) = (scene.register(both).await, scene.register(second).await);
    let alone = scene.register(json!({ "subject_type": "pairwise" })).await;
    let public = scene.register(json!({})).await;
    let mut subs = Vec::new();
    for rp in [both, second, alone, public] {
        let tokens = scene.sign_in(&rp).await;
        let sub = tokens.id_claims()["sub"].clone();
        assert_eq!(rp.userinfo(&scene.browser, tokens.access_token()).await.json()["sub"], sub);
        subs.push(sub);
    }
    assert_eq!(subs[0], subs[1], "one sector, one name");
    assert!(subs[1] != subs[2] && subs[1] != subs[3] && subs[2] != subs[3], "{subs:?}");
}

#[tokio::test]
async fn oidcc_userinfo_rs256() {
    let mut scene = Scene::with("").await;
    let offered = scene.metadata().await["userinfo_signing_alg_values_supported"].clone();
    assert!(offered.as_array().unwrap().contains(&json!("RS256")), "{offered}");
    let rp = scene.register(json!({ "userinfo_signed_response_alg": "RS256" })).await;
    let tokens = scene.sign_in(&rp).await;
    let reply = rp.userinfo(&scene.browser, tokens.access_token()).await;
    assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, "application/jwt"));
    assert_eq!(header(&reply.body)["alg"], "RS256");
    let app = scene.server.app();
    let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
    let told = state.ring.verify(&reply.body, app.clock.now()).unwrap().claims.into_value();
    for (name, expected) in [
        ("iss", json!(rp.issuer)),
        ("aud", json!(rp.client_id)),
        ("sub", tokens.id_claims()["sub"].clone()),
        ("nonce", Value::Null),
    ] {
        assert_eq!(told[name], expected, "{name}");
    }
}

#[tokio::test]
async fn oidcc_idtoken_rs256() {
    let mut scene = Scene::with("").await;
    for more in [json!({ "id_token_signed_response_alg": "RS256" }), json!({})] {
        let rp = scene.register(more).await;
        let header = header(scene.sign_in(&rp).await.id_token());
        assert_eq!(header["alg"], "RS256", "{header}");
    }
}

/// All but one of the plan's modules send no PKCE, so the realm must say that this is good enough for confidential
/// clients; a public one must send it all the same.
#[tokio::test]
async fn oidcc_server_without_pkce_where_the_realm_lets_it_be() {
    for (settings, good) in [("registration_pkce = \"optional\"", true), ("", false)] {
        let mut scene = Scene::with(settings).await;
        let without = [("code_challenge", None), ("code_challenge_method", None)];
        let rp = scene.register(json!({})).await;
        // Signed in by another client, so that the answer comes at once.
        let first = scene.register(json!({})).await;
        scene.sign_in(&first).await;
        let mut reply = scene.browser.open(&rp.authorize_url_with(&without)).await;
        if reply.body.contains("name=\"accept\"") {
            reply = scene.browser.submit(&reply, &[("accept", "Yes")]).await;
        }
        if !good {
            assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{}", reply.location());
            continue;
        }
        let code = reply.parameter("code").unwrap();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &rp.redirect_uri),
        ];
        let tokens = rp.tokens(&scene.browser, &fields).await.unwrap();
        assert_eq!(tokens.id_claims()["nonce"], rp.nonce.as_str());
        let public = scene.register(json!({ "token_endpoint_auth_method": "none" })).await;
        let reply = scene.browser.get(&public.authorize_url_with(&without)).await;
        assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "public");
    }
}
