//! Clients that prove themselves by a token of their own (RFC 7523 §2.2): rows C04, C05 and J01 to J03 of the attack table.

use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Options, Reply, Rp, TestServer};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

struct Scene {
    server: TestServer,
    robot: Rp,
}

impl Scene {
    async fn new() -> Self {
        Self::with("").await
    }

    /// With further settings of the client `robot`.
    async fn with(settings: &str) -> Self {
        let jwks = json!({ "keys": [KEY.public_jwk()] });
        Self::of(&format!("jwks = '{jwks}'\n{settings}")).await
    }

    /// With these settings of the client `robot`.
    async fn of(settings: &str) -> Self {
        let realm = format!(
            r#"
            [realm]
            name = "main"
            [[realm.clients]]
            id = "robot"
            authentication = "private_key_jwt"
            grants = ["client_credentials", "authorization_code", "refresh_token", "password"]
            redirect_uris = ["http://localhost:3000/callback"]
            {settings}
            [[realm.users]]
            username = "alice"
            password = "alice"
            "#
        );
        let server = TestServer::with(Options { realm: Some(realm), ..Options::default() }).await.unwrap();
        let robot = Rp::new(server.issuer("main"), "robot", None);
        Self { server, robot }
    }

    fn now(&self) -> i64 {
        self.server.clock().now().0
    }

    /// Good claims with these changed; `null` takes one away.
    fn claims(&self, changes: &[(&str, Value)]) -> Value {
        let (now, jti) = (self.now(), secrets::random_name());
        let mut claims = json!({
            "iss": "robot", "sub": "robot", "aud": self.robot.issuer, "jti": jti, "iat": now, "exp": now + 60,
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    fn assertion(&self) -> String {
        KEY.sign("JWT", &self.claims(&[])).unwrap()
    }

    async fn post(&self, endpoint: &str, assertion: &str, fields: &[(&str, &str)]) -> Reply {
        let mut all = vec![("client_assertion_type", TYPE), ("client_assertion", assertion)];
        all.extend(fields);
        self.robot.post(&self.server.browser(), endpoint, &all).await
    }

    /// Asks for a token of the client's own.
    async fn ask(&self, assertion: &str) -> Reply {
        self.post("token", assertion, &[("grant_type", "client_credentials")]).await
    }
}

fn assert_refused(reply: &Reply, case: &str) {
    let expected = (401, Some("invalid_client"));
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), expected, "{case}: {}", reply.body);
    assert_eq!(reply.json()["error_description"], "Invalid client or Invalid client credentials", "{case}");
}

#[tokio::test]
async fn c04_an_assertion_proves_once() {
    let scene = Scene::new().await;
    let assertion = scene.assertion();
    assert_eq!(scene.ask(&assertion).await.status, 200);
    assert_refused(&scene.ask(&assertion).await, "the same again");
    assert_refused(&scene.post("token/introspect", &assertion, &[("token", "x")]).await, "elsewhere");
    assert_refused(&scene.post("revoke", &assertion, &[("token", "x")]).await, "at revocation");
    assert_eq!(scene.ask(&scene.assertion()).await.status, 200, "another one");
    scene.server.clock().advance(90);
    assert_refused(&scene.ask(&assertion).await, "after its end");
}

#[tokio::test]
async fn c04_of_twenty_at_once_one_is_served() {
    let scene = Arc::new(Scene::new().await);
    let assertion = scene.assertion();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let (scene, assertion) = (Arc::clone(&scene), assertion.clone());
            tokio::spawn(async move { scene.ask(&assertion).await })
        })
        .collect();
    let mut served = 0;
    for call in calls {
        let reply = call.await.unwrap();
        if reply.status == 200 {
            served += 1;
        } else {
            assert_refused(&reply, "a replay");
        }
    }
    assert_eq!(served, 1);
}

#[tokio::test]
async fn c04_a_refusal_uses_an_assertion_up_too() {
    let scene = Scene::new().await;
    for (case, fields) in [
        ("scope", vec![("grant_type", "client_credentials"), ("scope", "unknown")]),
        ("grant", vec![("grant_type", "unknown")]),
        ("code", vec![("grant_type", "authorization_code"), ("code", "unknown")]),
    ] {
        let assertion = scene.assertion();
        assert_eq!(scene.post("token", &assertion, &fields).await.status, 400, "{case}");
        assert_refused(&scene.ask(&assertion).await, case);
    }
}

/// Who sends a copy is not told what else is wrong with it: of a password, that would be an oracle.
#[tokio::test]
async fn c04_a_replay_hears_that_it_proves_nothing_and_no_more() {
    let scene = Scene::new().await;
    let used = scene.assertion();
    assert_eq!(scene.ask(&used).await.status, 200);
    for (case, fields) in [
        ("grant", vec![("grant_type", "unknown")]),
        ("scope", vec![("grant_type", "client_credentials"), ("scope", "unknown")]),
        ("code", vec![("grant_type", "authorization_code"), ("code", "unknown")]),
        ("refresh token", vec![("grant_type", "refresh_token"), ("refresh_token", "unknown")]),
    ] {
        assert_refused(&scene.post("token", &used, &fields).await, case);
    }
    assert_refused(&scene.post("ext/par/request", &used, &[("scope", "unknown")]).await, "a pushed request");
}

/// Who repeats an assertion learns nothing about what stands beside it, and costs nobody an attempt.
#[tokio::test]
async fn c04_a_replay_tells_nothing_about_a_password() {
    let scene = Scene::new().await;
    let used = scene.assertion();
    assert_eq!(scene.ask(&used).await.status, 200);
    let sign_in = async |assertion: &str, password: &str| {
        let fields = [("grant_type", "password"), ("username", "alice"), ("password", password)];
        scene.post("token", assertion, &fields).await
    };
    for password in ["alice", "wrong", ""] {
        for _ in 0..10 {
            assert_refused(&sign_in(&used, password).await, password);
        }
    }
    let right = scene.assertion();
    assert_eq!(sign_in(&right, "alice").await.status, 200, "no attempt was counted");
    assert_refused(&sign_in(&right, "alice").await, "what a sign-in used up");
    let wrong = scene.assertion();
    assert_eq!(sign_in(&wrong, "wrong").await.json()["error"], "invalid_grant");
    assert_refused(&sign_in(&wrong, "alice").await, "what a wrong password used up");
}

/// What proved the client is used up with the request, whatever was wrong beside it (RFC 9449 §8 excepted).
#[tokio::test]
async fn c04_a_bad_proof_of_possession_uses_an_assertion_up_too() {
    let scene = Scene::new().await;
    let ask = async |endpoint: &str, assertion: &str, proof: &str| {
        let fields = [
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
            ("grant_type", "client_credentials"),
        ];
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", proof)];
        let address = scene.robot.endpoint(endpoint);
        scene.server.browser().send(axum::http::Method::POST, &address, Some(body), &headers).await
    };
    for endpoint in ["token", "ext/par/request"] {
        let assertion = scene.assertion();
        let reply = ask(endpoint, &assertion, "no proof").await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("invalid_dpop_proof")));
        assert_refused(&scene.ask(&assertion).await, endpoint);
    }
    let (assertion, key) = (scene.assertion(), scene.server.proof_key());
    let proof = key.proof("POST", &scene.robot.endpoint("token"), None);
    let reply = scene.post("token", &assertion, &[("grant_type", "unknown")]).await;
    assert_eq!(reply.status, 400);
    assert_refused(&ask("token", &assertion, &proof).await, "a copy");
    assert_eq!(ask("token", &scene.assertion(), &proof).await.status, 200, "a copy used nothing up");
    let reply = ask("token", &scene.assertion(), &proof).await;
    assert_eq!(reply.json()["error"], "invalid_dpop_proof", "a proof is good once");
}

#[tokio::test]
async fn rfc9449_8_who_is_told_a_nonce_may_send_the_assertion_again() {
    let scene = Scene::new().await;
    let app = scene.server.app();
    let mut realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    realm.settings.dpop_nonce = true;
    app.commit(vec![vestibule::store::Change::PutRealm { realm, at: app.clock.now() }]).await.unwrap();
    let key = scene.server.proof_key();
    let (assertion, address) = (scene.assertion(), scene.robot.endpoint("token"));
    let fields = [
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion.as_str()),
        ("grant_type", "client_credentials"),
    ];
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let mut nonce = Value::Null;
    let mut answers = Vec::new();
    for _ in 0..3 {
        let proof = key.proof_with("POST", &address, None, json!({}), json!({ "nonce": nonce }));
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", proof.as_str())];
        let post = axum::http::Method::POST;
        let reply = scene.server.browser().send(post, &address, Some(body.clone()), &headers).await;
        nonce = json!(reply.header("dpop-nonce"));
        answers.push((reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned)));
    }
    let told = |status, error: Option<&str>| (status, error.map(str::to_owned));
    assert_eq!(
        answers,
        [told(400, Some("use_dpop_nonce")), told(200, None), told(401, Some("invalid_client"))]
    );
}

#[tokio::test]
async fn c04_a_replay_spends_neither_code_nor_refresh_token() {
    let scene = Scene::new().await;
    let mut browser = scene.server.browser();
    let code = scene.robot.authorize(&mut browser, "alice", "alice").await.parameter("code").unwrap();
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", "http://localhost:3000/callback"),
        ("code_verifier", scene.robot.verifier.as_str()),
    ];
    let used = scene.assertion();
    assert_eq!(scene.ask(&used).await.status, 200);
    assert_refused(&scene.post("token", &used, &redeem).await, "a code");
    let tokens = scene.post("token", &scene.assertion(), &redeem).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    let rotate =
        [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
    assert_refused(&scene.post("token", &used, &rotate).await, "a refresh token");
    let fresh = scene.assertion();
    assert_eq!(scene.post("token", &fresh, &rotate).await.status, 200);
    assert_refused(&scene.ask(&fresh).await, "what a rotation used up");
}

#[tokio::test]
async fn c05_what_is_not_a_good_assertion_proves_nothing() {
    let scene = Scene::new().await;
    let issuer = &scene.robot.issuer;
    let now = scene.now();
    for (case, name, value) in [
        ("a foreign endpoint", "aud", json!("https://other.example/token")),
        ("b two audiences", "aud", json!([issuer, "https://other.example"])),
        ("c another server", "aud", json!("https://other.example")),
        ("d a slash more", "aud", json!(format!("{issuer}/"))),
        ("e exp too far", "exp", json!(now + 400)),
        ("f no exp", "exp", Value::Null),
        ("f no iat", "iat", Value::Null),
        ("f no jti", "jti", Value::Null),
        ("g nbf a text", "nbf", json!("99999999999")),
        ("nbf a minute ahead", "nbf", json!(now + 70)),
        ("exp five minutes ago", "exp", json!(now - 300)),
        ("h another iss", "iss", json!("other")),
    ] {
        let assertion = KEY.sign("JWT", &scene.claims(&[(name, value)])).unwrap();
        assert_refused(&scene.ask(&assertion).await, case);
    }
    let good = scene.assertion();
    let (input, signature) = good.rsplit_once('.').unwrap();
    let another = scene.assertion();
    let mac = jsonwebtoken::encode(
        &jsonwebtoken::Header { kid: Some(KEY.kid().into()), ..jsonwebtoken::Header::default() },
        &scene.claims(&[]),
        &jsonwebtoken::EncodingKey::from_secret(KEY.public_jwk().to_string().as_bytes()),
    );
    for (case, assertion) in [
        ("i HS256 with the public key", mac.unwrap()),
        ("another's key", OTHER.sign("JWT", &scene.claims(&[])).unwrap()),
        ("another's signature", format!("{input}.{}", another.rsplit_once('.').unwrap().1)),
        ("another's claims", format!("{}.{signature}", another.rsplit_once('.').unwrap().0)),
        ("a proof of possession", KEY.sign("dpop+jwt", &scene.claims(&[])).unwrap()),
    ] {
        assert_refused(&scene.ask(&assertion).await, case);
    }
    assert_eq!(scene.ask(&good).await.status, 200);
    let ahead = KEY.sign("JWT", &scene.claims(&[("nbf", json!(scene.now() + 8))])).unwrap();
    assert_eq!(scene.ask(&ahead).await.status, 200, "a clock that is 8 s ahead");
}

#[tokio::test]
async fn c05_an_ordinary_client_may_name_an_endpoint_and_a_strict_one_may_not() {
    for (settings, endpoint, list) in [("", 200, 200), ("assertion_audience = \"issuer\"", 401, 401)] {
        let scene = Scene::with(settings).await;
        let aud = |aud: Value| KEY.sign("JWT", &scene.claims(&[("aud", aud)])).unwrap();
        let token = scene.robot.endpoint("token");
        assert_eq!(scene.ask(&scene.assertion()).await.status, 200, "{settings}");
        assert_eq!(scene.ask(&aud(json!(token))).await.status, endpoint, "{settings}");
        assert_eq!(scene.ask(&aud(json!([scene.robot.issuer]))).await.status, list, "{settings}");
    }
}

#[tokio::test]
async fn c05_the_registered_algorithm_is_the_only_one() {
    let scene = Scene::with("token_endpoint_auth_signing_alg = \"PS256\"").await;
    assert_refused(&scene.ask(&scene.assertion()).await, "ES256");
}

#[tokio::test]
async fn c01_other_methods_and_other_clients_are_refused_alike() {
    let scene = Scene::new().await;
    let browser = scene.server.browser();
    let grant = [("grant_type", "client_credentials")];
    assert_refused(&scene.robot.post(&browser, "token", &grant).await, "nothing");
    let secret = scene.server.rp("robot", Some("a-secret"));
    assert_refused(&secret.post(&browser, "token", &grant).await, "a secret");
    let nobody = [("iss", json!("nobody")), ("sub", json!("nobody"))];
    let nobody = KEY.sign("JWT", &scene.claims(&nobody)).unwrap();
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", nobody.as_str()),
    ];
    assert_refused(&scene.server.rp("nobody", None).post(&browser, "token", &fields).await, "unknown");
    let both = [("client_secret", "x"), ("grant_type", "client_credentials")];
    let reply = scene.post("token", &scene.assertion(), &both).await;
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (400, Some("invalid_request")));
}

/// Keys at an address of their own.
pub(crate) async fn published(keys: Vec<Value>) -> String {
    published_as(Arc::new(Mutex::new(keys))).await
}

async fn published_as(keys: Arc<Mutex<Vec<Value>>>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/jwks", listener.local_addr().unwrap());
    let answer = move || {
        let body = json!({ "keys": *keys.lock().unwrap() }).to_string();
        async move { body }
    };
    let router = axum::Router::new().route("/jwks", axum::routing::get(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test]
async fn keys_at_an_address_are_fetched_and_follow_a_rotation() {
    let keys = Arc::new(Mutex::new(vec![KEY.public_jwk().clone()]));
    let url = published_as(Arc::clone(&keys)).await;
    let scene = Scene::of(&format!("jwks_uri = \"{url}\"")).await;
    assert_eq!(scene.ask(&scene.assertion()).await.status, 200);
    *keys.lock().unwrap() = vec![OTHER.public_jwk().clone()];
    scene.server.clock().advance(11);
    let rotated = OTHER.sign("JWT", &scene.claims(&[])).unwrap();
    assert_eq!(scene.ask(&rotated).await.status, 200);
    assert_refused(&scene.ask(&scene.assertion()).await, "the old key");
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_are_no_fault_of_the_credentials() {
    let keys = Arc::new(Mutex::new(Vec::new()));
    let url = published_as(Arc::clone(&keys)).await;
    let gone = url.replace("/jwks", "/gone");
    for (case, url) in [("nobody there", "http://127.0.0.1:1/jwks"), ("not found", gone.as_str())] {
        let scene = Scene::of(&format!("jwks_uri = \"{url}\"")).await;
        // The second request comes while the address is not asked again.
        for case in [case, "pausing"] {
            let assertion = scene.assertion();
            let endpoints = ["token", "token/introspect", "revoke", "ext/par/request"];
            for endpoint in endpoints {
                let reply = scene.post(endpoint, &assertion, &[("grant_type", "client_credentials")]).await;
                let found = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
                assert_eq!(found, (503, Some("temporarily_unavailable".into())), "{case} {endpoint}");
                assert_eq!(reply.header("retry-after"), "10", "{case} {endpoint}");
            }
        }
    }
    let scene = Scene::of(&format!("jwks_uri = \"{url}\"")).await;
    assert_refused(&scene.ask(&scene.assertion()).await, "a set without the key says that it is none");
}

/// Any order of requests: an identifier is accepted at most once, wherever it is sent (hardening Z10).
#[tokio::test]
async fn z10_no_identifier_is_accepted_twice() {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let scene = Scene::new().await;
    let step = (0_usize..6, prop::sample::select(vec!["token", "token/introspect", "revoke"]));
    let mut runner = TestRunner::deterministic();
    for round in 0..12 {
        let steps = prop::collection::vec(step.clone(), 1..16).new_tree(&mut runner).unwrap().current();
        let mut accepted = [0; 6];
        for (which, endpoint) in &steps {
            let jti = json!(format!("{round}/{which}"));
            let assertion = KEY.sign("JWT", &scene.claims(&[("jti", jti)])).unwrap();
            let fields = [("grant_type", "client_credentials"), ("token", "x")];
            let reply = scene.post(endpoint, &assertion, &fields).await;
            accepted[*which] += usize::from(reply.status == 200);
        }
        for (which, count) in accepted.into_iter().enumerate() {
            let sent = steps.iter().any(|(sent, _)| *sent == which);
            assert_eq!(count, usize::from(sent), "round {round}, identifier {which} of {steps:?}");
        }
    }
}

/// Of at least 32 bytes, as RFC 7518 §3.2 asks.
const SECRET: &str = "a secret of at least thirty-two bytes";

#[tokio::test]
async fn openid_core_9_a_token_made_with_the_secret_proves_once() {
    let realm = format!(
        r#"
        [realm]
        name = "main"
        [[realm.clients]]
        id = "shared"
        secret = "{SECRET}"
        authentication = "client_secret_jwt"
        grants = ["client_credentials"]
        "#
    );
    let server = TestServer::with_realm(&realm).await.unwrap();
    let (browser, shared, now) = (server.browser(), server.rp("shared", None), server.clock().now().0);
    let made = |algorithm, secret: &str| {
        let claims = json!({
            "iss": "shared", "sub": "shared", "aud": server.issuer("main"), "jti": secrets::random_name(),
            "iat": now, "exp": now + 60,
        });
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::new(algorithm), &claims, &key).unwrap()
    };
    let ask = async |assertion: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ];
        shared.post(&browser, "token", &fields).await
    };
    let good = made(jsonwebtoken::Algorithm::HS256, SECRET);
    assert_eq!(ask(&good).await.status, 200);
    assert_refused(&ask(&good).await, "the same again");
    assert_refused(&ask(&made(jsonwebtoken::Algorithm::HS256, "another")).await, "another secret");
    assert_refused(&ask(&made(jsonwebtoken::Algorithm::HS384, SECRET)).await, "another algorithm");
    let bare = server.rp("shared", Some(SECRET));
    let reply = bare.post(&browser, "token", &[("grant_type", "client_credentials")]).await;
    assert_refused(&reply, "the secret itself");
}
