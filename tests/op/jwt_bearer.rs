//! Tokens as grants (RFC 7523 §2.1): rows C03 to C05 of the attack table, for a client's own tokens and for an issuer's.

use std::sync::LazyLock;

use serde_json::{Value, json};
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Reply, TestServer, claims};

use crate::client_assertion::published;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CI: &str = "https://ci.example";
const REPO: &str = "repo:acme/app";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());
static CI_KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::EdDSA).unwrap());

struct Scene {
    server: TestServer,
    issuer: String,
}

impl Scene {
    async fn new() -> Self {
        let jwks = json!({ "keys": [KEY.public_jwk()] });
        let ci = published(vec![CI_KEY.public_jwk().clone()]).await;
        let realm = format!(
            r#"
            [realm]
            name = "main"
            [[realm.roles]]
            name = "deployer"
            [[realm.clients]]
            id = "robot"
            secret = "robot-secret"
            grants = ["jwt_bearer"]
            jwks = '{jwks}'
            service_account_roles = ["deployer"]
            [[realm.clients.jwt_bearer]]
            issuer = "{CI}"
            subject = "{REPO}"
            jwks_uri = "{ci}"
            [[realm.clients]]
            id = "keyed"
            authentication = "private_key_jwt"
            grants = ["client_credentials", "jwt_bearer"]
            jwks = '{jwks}'
            [[realm.clients]]
            id = "page"
            public = true
            redirect_uris = ["http://localhost:3000/callback"]
            [[realm.clients]]
            id = "gone"
            enabled = false
            secret = "gone-secret"
            grants = ["jwt_bearer"]
            jwks = '{jwks}'
            [[realm.clients]]
            id = "other"
            secret = "other-secret"
            grants = ["client_credentials"]
            jwks = '{jwks}'
            "#
        );
        let server = TestServer::with_realm(&realm).await.unwrap();
        Self { issuer: server.issuer("main"), server }
    }

    fn claims(&self, iss: &str, sub: &str, changes: &[(&str, Value)]) -> Value {
        let (now, jti) = (self.server.clock().now().0, secrets::random_name());
        let mut claims =
            json!({ "iss": iss, "sub": sub, "aud": self.issuer, "jti": jti, "iat": now, "exp": now + 60 });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        claims
    }

    fn own(&self) -> String {
        KEY.sign("JWT", &self.claims("robot", "robot", &[])).unwrap()
    }

    fn of_ci(&self, changes: &[(&str, Value)]) -> String {
        CI_KEY.sign("JWT", &self.claims(CI, REPO, changes)).unwrap()
    }

    /// Shows `assertion` as the grant of `client_id`, and nothing else.
    async fn show(&self, client_id: &str, assertion: &str) -> Reply {
        let fields = [("grant_type", GRANT), ("assertion", assertion)];
        self.server.rp(client_id, None).post(&self.server.browser(), "token", &fields).await
    }
}

fn assert_refused(reply: &Reply, status: u16, error: &str, case: &str) {
    let found = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
    assert_eq!(found, (status, Some(error.to_owned())), "{case}: {}", reply.body);
}

#[tokio::test]
async fn rfc7523_2_1_a_token_stands_for_the_clients_credentials() {
    let scene = Scene::new().await;
    for (case, assertion) in [("its own", scene.own()), ("an issuer's", scene.of_ci(&[]))] {
        let reply = scene.show("robot", &assertion).await;
        assert_eq!(reply.status, 200, "{case}: {}", reply.body);
        let token = claims(reply.json()["access_token"].as_str().unwrap());
        assert_eq!(token["azp"], "robot", "{case}");
        assert_eq!(token["preferred_username"], "service-account-robot", "{case}");
        let roles = token["realm_access"]["roles"].as_array().unwrap();
        assert!(roles.contains(&json!("deployer")), "{case}");
        assert!(reply.json().get("refresh_token").is_none(), "{case}");
        assert_refused(&scene.show("robot", &assertion).await, 400, "invalid_grant", case);
    }
    let fields = [("grant_type", GRANT), ("assertion", &scene.own())];
    let reply = scene.server.browser().post(&scene.server.rp("robot", None).endpoint("token"), &fields).await;
    assert_eq!(reply.status, 200, "without client_id: {}", reply.body);
}

#[tokio::test]
async fn a_client_that_proves_itself_shows_a_grant_beside() {
    let scene = Scene::new().await;
    let robot = scene.server.rp("robot", Some("robot-secret"));
    let show = async |assertion: &str| {
        let fields = [("grant_type", GRANT), ("assertion", assertion)];
        robot.post(&scene.server.browser(), "token", &fields).await
    };
    let assertion = scene.of_ci(&[]);
    assert_eq!(show(&assertion).await.status, 200);
    assert_refused(&show(&assertion).await, 400, "invalid_grant", "twice");
    let assertion = scene.own();
    let fields = [("grant_type", GRANT), ("assertion", assertion.as_str()), ("scope", "unknown")];
    let reply = robot.post(&scene.server.browser(), "token", &fields).await;
    assert_refused(&reply, 400, "invalid_scope", "a scope that there is not");
    assert_refused(&show(&assertion).await, 400, "invalid_grant", "used up by a refusal");
    assert_refused(&show("x.y.z").await, 400, "invalid_grant", "no token");
    assert_refused(&show("").await, 400, "invalid_request", "nothing");
}

#[tokio::test]
async fn c05_what_is_not_a_good_grant_gives_nothing() {
    let scene = Scene::new().await;
    let now = scene.server.clock().now().0;
    for (case, changes) in [
        ("another subject", ("sub", json!("repo:acme/other"))),
        ("another issuer", ("iss", json!("https://other.example"))),
        ("another audience", ("aud", json!("https://other.example"))),
        ("two audiences", ("aud", json!([scene.issuer, "https://other.example"]))),
        ("no jti", ("jti", Value::Null)),
        ("no exp", ("exp", Value::Null)),
        ("two hours", ("exp", json!(now + 7_200))),
        ("expired", ("exp", json!(now - 60))),
    ] {
        let reply = scene.show("robot", &scene.of_ci(&[changes])).await;
        assert_refused(&reply, 400, "invalid_grant", case);
    }
    let posing = KEY.sign("JWT", &scene.claims(CI, REPO, &[])).unwrap();
    assert_refused(&scene.show("robot", &posing).await, 400, "invalid_grant", "the client as the issuer");
    let posing = CI_KEY.sign("JWT", &scene.claims("robot", "robot", &[])).unwrap();
    assert_refused(&scene.show("robot", &posing).await, 400, "invalid_grant", "the issuer as the client");
    let access = CI_KEY.sign("at+jwt", &scene.claims(CI, REPO, &[])).unwrap();
    assert_refused(&scene.show("robot", &access).await, 400, "invalid_grant", "an access token");
}

#[tokio::test]
async fn c01_an_assertion_tells_nothing_about_who_is_registered() {
    let scene = Scene::new().await;
    let signed = |client: &str| KEY.sign("JWT", &scene.claims(client, client, &[])).unwrap();
    let unknown = scene.show("nobody", &signed("nobody")).await;
    assert_refused(&unknown, 400, "invalid_grant", "unknown");
    for (case, client_id, assertion) in [
        ("another's token", "robot", signed("keyed")),
        ("a client without the grant", "other", signed("other")),
        ("a public client", "page", signed("page")),
        ("a disabled client", "gone", signed("gone")),
        ("no token", "robot", "x.y.z".to_owned()),
    ] {
        let reply = scene.show(client_id, &assertion).await;
        assert_eq!((reply.status, &reply.body), (unknown.status, &unknown.body), "{case}");
    }
    let fields = [("grant_type", GRANT), ("assertion", "x.y.z")];
    let reply = scene.server.browser().post(&scene.server.rp("robot", None).endpoint("token"), &fields).await;
    assert_eq!((reply.status, &reply.body), (unknown.status, &unknown.body), "no token and no client_id");
}

#[tokio::test]
async fn rfc7523_2_1_a_grant_proves_nobody_elsewhere() {
    let scene = Scene::new().await;
    let robot = scene.server.rp("robot", None);
    for endpoint in ["token/introspect", "revoke", "ext/par/request", "auth/device", "logout"] {
        let own = scene.own();
        let fields =
            [("grant_type", GRANT), ("assertion", own.as_str()), ("token", "x"), ("refresh_token", "x")];
        let reply = robot.post(&scene.server.browser(), endpoint, &fields).await;
        assert_refused(&reply, 401, "invalid_client", endpoint);
        assert_eq!(scene.show("robot", &own).await.status, 200, "{endpoint} uses it up");
    }
}

#[tokio::test]
async fn c02_a_client_without_the_grant_is_not_proven_by_it() {
    let scene = Scene::new().await;
    let assertion = KEY.sign("JWT", &scene.claims("other", "other", &[])).unwrap();
    assert_refused(&scene.show("other", &assertion).await, 400, "invalid_grant", "alone");
    let other = scene.server.rp("other", Some("other-secret"));
    let fields = [("grant_type", GRANT), ("assertion", assertion.as_str())];
    let reply = other.post(&scene.server.browser(), "token", &fields).await;
    assert_refused(&reply, 400, "unauthorized_client", "with its secret");
    let fields = [("grant_type", "client_credentials"), ("assertion", &scene.own())];
    let reply = scene.server.rp("robot", None).post(&scene.server.browser(), "token", &fields).await;
    assert_refused(&reply, 401, "invalid_client", "beside another grant");
}

#[tokio::test]
async fn c04_a_token_is_good_once_in_either_part() {
    let scene = Scene::new().await;
    let keyed = scene.server.rp("keyed", None);
    let own = || KEY.sign("JWT", &scene.claims("keyed", "keyed", &[])).unwrap();
    let ask = async |assertion: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        keyed.post(&scene.server.browser(), "token", &fields).await
    };
    let (grant, proof) = (own(), own());
    assert_eq!(scene.show("keyed", &grant).await.status, 200);
    assert_refused(&ask(&grant).await, 401, "invalid_client", "used as a grant before");
    assert_eq!(ask(&proof).await.status, 200);
    assert_refused(&scene.show("keyed", &proof).await, 400, "invalid_grant", "used as a proof before");
}
