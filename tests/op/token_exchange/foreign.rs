//! Tokens of another issuer in exchange: row X07d of the attack table, and what is made of them.

use std::sync::LazyLock;

use serde_json::{Value, json};
use vestibule::protocol::subject::SubjectType;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::store::{Change, Page};
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens};

use super::scene::{ACCESS, EXCHANGE, ID, JWT, REFRESH, assert_refused};
use crate::hearing::Hearing;

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

const ISSUER: &str = "https://idp.example";
const NOW: i64 = 1_800_000_000;

struct Scene {
    server: TestServer,
    browser: Browser,
    gateway: Rp,
}

impl Scene {
    async fn new() -> Self {
        let jwks = json!({ "keys": [KEY.public_jwk()] });
        Self::with(&format!("jwks = '{jwks}'")).await
    }

    /// With these keys of the issuer.
    async fn with(keys: &str) -> Self {
        let realm = format!(
            r#"
            [realm]
            name = "main"
            optional_scopes = ["offline_access", "reports:read"]
            [[realm.roles]]
            name = "user"
            [[realm.scopes]]
            name = "reports:read"
            [[realm.trusted_issuers]]
            issuer = "{ISSUER}"
            audience = "vestibule"
            algorithms = ["ES256"]
            user_by = "username"
            {keys}
            [realm.trusted_issuers.claims]
            tenant = "acme"
            [[realm.clients]]
            id = "gateway"
            secret = "secret"
            grants = ["token_exchange", "client_credentials", "refresh_token"]
            [[realm.clients.exchange]]
            audience = "api"
            impersonation = true
            delegation = true
            refresh_token = true
            id_token = true
            subject_issuers = ["{ISSUER}"]
            [[realm.clients.exchange]]
            audience = "db"
            impersonation = true
            [[realm.clients]]
            id = "api"
            secret = "secret"
            grants = []
            [[realm.clients]]
            id = "db"
            secret = "secret"
            grants = []
            [[realm.users]]
            username = "alice"
            password = "alice"
            email = "alice@example.com"
            roles = ["user"]
            "#
        );
        let frozen_at = Some(vestibule::clock::Timestamp(NOW));
        let options = Options { realm: Some(realm), frozen_at, ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let (browser, gateway) = (server.browser(), server.rp("gateway", Some("secret")));
        Self { server, browser, gateway }
    }

    async fn ask(&self, token: &str, more: &[(&str, &str)]) -> Reply {
        let mut fields =
            vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", JWT)];
        fields.extend(more);
        self.gateway.token_request(&self.browser, &fields).await
    }

    async fn active(&self, token: &str) -> bool {
        let api = self.server.rp("api", Some("secret"));
        api.introspect(&self.browser, token).await.json()["active"] == true
    }

    async fn edit_realm(&self, change: impl Fn(&mut vestibule::protocol::realm::Realm)) {
        let app = self.server.app();
        let mut realm = app.store.realm_by_name("main").await.unwrap().unwrap();
        change(&mut realm);
        app.commit(vec![Change::PutRealm { realm, at: app.clock.now() }]).await.unwrap();
    }
}

/// Good claims with these changed; `null` takes one away.
fn claims(changes: &[(&str, Value)]) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "aud": ["vestibule"], "sub": "4711", "iat": NOW, "exp": NOW + 120, "jti": "x.y~z",
        "tenant": "acme", "preferred_username": "Alice",
    });
    for (name, value) in changes {
        claims[*name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn good() -> String {
    KEY.sign("JWT", &claims(&[])).unwrap()
}

#[tokio::test]
async fn a_token_of_a_trusted_issuer_becomes_one_of_ours_for_the_same_person() {
    let scene = Scene::new().await;
    let reply = scene.ask(&good(), &[("audience", "api"), ("scope", "email reports:read")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let tokens = Tokens { response: reply.json() };
    assert_eq!(tokens.response["expires_in"], 120, "no longer than the token that it was made from");
    let token = tokens.access_claims();
    assert_eq!(token["iss"], scene.server.issuer("main"));
    assert_eq!((&token["aud"], &token["azp"]), (&json!("api"), &json!("gateway")));
    assert_eq!((&token["preferred_username"], &token["email"]), (&Value::Null, &json!("alice@example.com")));
    assert_ne!(token["sub"], "4711", "the person's name here");
    assert!(
        token["realm_access"]["roles"].as_array().unwrap().contains(&json!("user")),
        "and her roles here"
    );
    assert!(token.get("sid").is_none() && token.get("auth_time").is_none(), "nobody signed in here");
    assert!(scene.active(tokens.access_token()).await);

    let store = &scene.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let events = store.audit_events(&realm.id, Page::ALL).await.unwrap();
    let told = events.iter().find(|event| event.kind.name() == "TOKEN_EXCHANGE").unwrap();
    assert_eq!(told.detail["subject_issuer"], ISSUER);
    assert_eq!(told.user_id.as_deref(), token["sub"].as_str());
}

#[tokio::test]
async fn core_8_1_a_pairwise_clients_token_is_good_and_names_nobody() {
    let scene = Scene::new().await;
    let app = scene.server.app();
    let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    let alice = app.store.user_by_login(&realm.id, "alice", true).await.unwrap().unwrap().user.id;
    let mut client = app.store.client_by_client_id(&realm.id, "gateway").await.unwrap().unwrap();
    client.settings.subject_type = SubjectType::Pairwise;
    app.commit(vec![Change::PutClient { client: Box::new(client), at: app.clock.now() }]).await.unwrap();
    let asked = [("audience", "api"), ("scope", "openid email")];
    let first = Tokens { response: scene.ask(&good(), &asked).await.json() };
    let own = [("subject_token_type", ACCESS), ("audience", "api")];
    let mut fields = vec![("grant_type", EXCHANGE), ("subject_token", first.access_token())];
    fields.extend(own);
    let second = scene.gateway.token_request(&scene.browser, &fields).await;
    assert_eq!(second.status, 200, "{}", second.body);
    let second = Tokens { response: second.json() };
    let api = scene.server.rp("api", Some("secret"));
    for tokens in [&first, &second] {
        let claims = tokens.access_claims();
        assert!(!claims.to_string().contains(&alice), "{claims}");
        let reply = scene.gateway.userinfo(&scene.browser, tokens.access_token()).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["sub"]),
            (200, &claims["sub"]),
            "{claims} {}",
            reply.body
        );
        let known = api.introspect(&scene.browser, tokens.access_token()).await.json();
        assert_eq!((&known["active"], &known["sub"]), (&json!(true), &claims["sub"]));
        let (_, name) = claims["jti"].as_str().unwrap().rsplit_once('!').unwrap();
        assert!(name.len() > 60 && !name.contains('.'), "the user's name is sealed: {name}");
    }
    let mut alice = app.store.user_by_id(&realm.id, &alice).await.unwrap().unwrap();
    alice.enabled = false;
    app.commit(vec![Change::PutUser(Box::new(alice))]).await.unwrap();
    assert!(!scene.active(second.access_token()).await, "the person's account is asked");
}

#[tokio::test]
async fn x07d_who_is_not_trusted_or_not_granted_is_refused() {
    let scene = Scene::new().await;
    assert_refused(&scene.ask(&good(), &[("audience", "db")]).await, "invalid_request", "not this audience");
    let both = [("audience", "api"), ("audience", "db")];
    assert_refused(&scene.ask(&good(), &both).await, "invalid_request", "one of two");
    let unknown = KEY.sign("JWT", &claims(&[("iss", json!("https://other.example"))])).unwrap();
    assert_refused(&scene.ask(&unknown, &[("audience", "api")]).await, "invalid_request", "not trusted");
    scene.edit_realm(|realm| realm.settings.trusted_issuers[0].disabled = true).await;
    assert_refused(&scene.ask(&good(), &[("audience", "api")]).await, "invalid_request", "disabled");
}

#[tokio::test]
async fn x05_j01_j03_one_wrong_thing_is_enough() {
    let scene = Scene::new().await;
    let signed = |changes: &[(&str, Value)]| KEY.sign("JWT", &claims(changes)).unwrap();
    let token = good();
    let (head, _) = token.rsplit_once('.').unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    for (row, token) in [
        ("another key", OTHER.sign("JWT", &claims(&[])).unwrap()),
        ("unsigned", format!("eyJhbGciOiJub25lIn0.{payload}.")),
        ("without its signature", head.to_owned()),
        ("a logout token", KEY.sign("logout+jwt", &claims(&[])).unwrap()),
        ("a logout token by its claim", signed(&[("events", json!({}))])),
        ("another audience", signed(&[("aud", json!("api"))])),
        ("no audience", signed(&[("aud", Value::Null)])),
        ("another tenant", signed(&[("tenant", json!("evil"))])),
        ("expired", signed(&[("exp", json!(NOW - 11))])),
        ("without an end", signed(&[("exp", Value::Null)])),
        ("from the future", signed(&[("iat", json!(NOW + 61))])),
        ("an unknown user", signed(&[("preferred_username", json!("mallory"))])),
        ("a service's account", signed(&[("preferred_username", json!("service-account-gateway"))])),
        ("no user", signed(&[("preferred_username", Value::Null)])),
        ("somebody acts already", signed(&[("act", json!({ "sub": "x" }))])),
        ("bound to a key", signed(&[("cnf", json!({ "jkt": "x" }))])),
        ("our own issuer, another's key", signed(&[("iss", json!(scene.server.issuer("main")))])),
    ] {
        assert_refused(&scene.ask(&token, &[("audience", "api")]).await, "invalid_request", row);
    }
    for (row, kind) in [("a refresh token", REFRESH), ("an ID token", ID)] {
        let asked = [("audience", "api"), ("requested_token_type", kind)];
        assert_refused(&scene.ask(&good(), &asked).await, "invalid_request", row);
    }
    let asked = [("audience", "api"), ("scope", "root")];
    assert_refused(&scene.ask(&good(), &asked).await, "invalid_scope", "a scope that there is not");
}

#[tokio::test]
async fn x06_the_person_must_be_good_here() {
    let scene = Scene::new().await;
    let reply = scene.ask(&good(), &[("audience", "api")]).await;
    let tokens = Tokens { response: reply.json() };
    let app = scene.server.app();
    let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    let sub = tokens.access_claims()["sub"].as_str().unwrap().to_owned();
    let mut alice = app.store.user_by_id(&realm.id, &sub).await.unwrap().unwrap();
    alice.enabled = false;
    app.commit(vec![Change::PutUser(Box::new(alice.clone()))]).await.unwrap();
    assert!(!scene.active(tokens.access_token()).await);
    assert_refused(&scene.ask(&good(), &[("audience", "api")]).await, "invalid_request", "disabled");
    alice.enabled = true;
    alice.not_before = Some(app.clock.now().plus(1));
    app.commit(vec![Change::PutUser(Box::new(alice))]).await.unwrap();
    assert_refused(&scene.ask(&good(), &[("audience", "api")]).await, "invalid_request", "not-before");
}

#[tokio::test]
async fn what_was_made_can_be_taken_back_and_acted_with() {
    let scene = Scene::new().await;
    let own = scene.gateway.tokens(&scene.browser, &[("grant_type", "client_credentials")]).await.unwrap();
    let actor = [("actor_token", own.access_token()), ("actor_token_type", ACCESS), ("audience", "api")];
    let tokens = Tokens { response: scene.ask(&good(), &actor).await.json() };
    assert_eq!(tokens.access_claims()["act"]["client_id"], "gateway");
    scene.gateway.post(&scene.browser, "revoke", &[("token", tokens.access_token())]).await;
    assert!(!scene.active(tokens.access_token()).await);
}

/// The keys are fetched where the issuer publishes them, and only for who may have its tokens exchanged.
#[tokio::test]
async fn keys_are_fetched_for_those_who_may_exchange() {
    let published = Hearing::of_keys(json!({ "keys": [KEY.public_jwk()] })).await;
    let scene = Scene::with(&format!("jwks_uri = \"{}\"", published.address)).await;
    assert_refused(&scene.ask(&good(), &[("audience", "db")]).await, "invalid_request", "not granted");
    assert_eq!(published.count(), 0);
    let reply = scene.ask(&good(), &[("audience", "api")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(scene.ask(&good(), &[("audience", "api")]).await.status, 200);
    assert_eq!(published.count(), 1, "kept");

    let nobody = Scene::with("jwks_uri = \"http://127.0.0.1:9/jwks\"").await;
    let reply = nobody.ask(&good(), &[("audience", "api")]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (503, &json!("temporarily_unavailable")));
    assert!(!reply.body.contains("127.0.0.1"), "the cause is for the log");
}
