//! The same for who proves more than a secret, for grants that begin elsewhere, and for what people answer on pages.

use std::sync::LazyLock;

use serde_json::json;
use vestibule::clock::Timestamp;
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

use super::{Meter, cost, ok};
use crate::on_both;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

fn realm() -> String {
    let jwks = json!({ "keys": [KEY.public_jwk()] });
    let callback = "redirect_uris = [\"http://localhost:3000/callback\"]";
    format!(
        r#"
        [realm]
        name = "main"
        [[realm.clients]]
        id = "web"
        secret = "secret"
        grants = ["authorization_code", "refresh_token", "password"]
        {callback}
        audiences = ["gateway"]
        userinfo_signed_response_alg = "RS256"
        [[realm.clients]]
        id = "gateway"
        secret = "secret"
        grants = ["token_exchange", "refresh_token"]
        [[realm.clients.exchange]]
        audience = "api"
        impersonation = true
        refresh_token = true
        [[realm.clients]]
        id = "api"
        secret = "secret"
        grants = []
        [[realm.clients]]
        id = "robot"
        authentication = "private_key_jwt"
        jwks = '{jwks}'
        grants = ["client_credentials", "authorization_code", "refresh_token", "jwt_bearer"]
        {callback}
        [[realm.clients]]
        id = "bank"
        profile = "fapi2"
        authentication = "private_key_jwt"
        jwks = '{jwks}'
        id_token_signed_response_alg = "ES256"
        grants = ["authorization_code", "refresh_token"]
        redirect_uris = ["https://bank.example/callback"]
        [[realm.clients]]
        id = "asks"
        secret = "secret"
        consent = true
        {callback}
        [[realm.clients]]
        id = "tv"
        public = true
        grants = ["device_code"]
        [[realm.users]]
        username = "alice"
        password = "alice"
        "#
    )
}

struct Here {
    server: TestServer,
    /// Alice's.
    browser: Browser,
    web: Rp,
}

impl Here {
    fn rp(&self, client_id: &str) -> Rp {
        self.server.rp(client_id, Some("secret"))
    }

    /// A client without a secret.
    fn keyed(&self, client_id: &str) -> Rp {
        self.server.rp(client_id, None)
    }

    fn assertion(&self, rp: &Rp) -> String {
        let now = self.server.clock().now().0;
        let claims = json!({
            "iss": rp.client_id, "sub": rp.client_id, "aud": rp.issuer, "jti": secrets::random_name(), "iat": now,
            "exp": now + 60,
        });
        KEY.sign("JWT", &claims).unwrap()
    }

    /// A request of a client that proves itself by its key.
    async fn by_key(&self, rp: &Rp, endpoint: &str, fields: &[(&str, &str)]) -> Reply {
        let assertion = self.assertion(rp);
        let mut all = vec![("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
        all.extend(fields);
        rp.post(&self.browser, endpoint, &all).await
    }

    /// The same with the parameters of a good authorization request; gives the address for the browser.
    async fn push_by_key(&self, rp: &Rp) -> String {
        let parameters = rp.parameters();
        let fields = parameters.iter().filter(|(name, _)| name != "client_id");
        let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = self.by_key(rp, "ext/par/request", &fields).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        let reference = reply.json()["request_uri"].as_str().unwrap().to_owned();
        format!("{}?client_id={}&request_uri={reference}", rp.endpoint("auth"), rp.client_id)
    }

    async fn redeem_by_key(&self, rp: &Rp, code: &str) -> Reply {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &rp.redirect_uri),
            ("code_verifier", &rp.verifier),
        ];
        self.by_key(rp, "token", &fields).await
    }
}

fn refresh_token(reply: &Reply) -> String {
    reply.json()["refresh_token"].as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned()
}

async fn keys(here: &Here, meter: &mut Meter<'_>) {
    let robot = here.keyed("robot");
    let own = [("grant_type", "client_credentials")];
    ok(&here.by_key(&robot, "token", &own).await);
    meter.begin();
    ok(&here.by_key(&robot, "token", &own).await);
    meter.end("token, a service by its key", cost(2, 1));
    meter.begin();
    ok(&here.by_key(&robot, "token/introspect", &[("token", "x")]).await);
    meter.end("introspection by a key", cost(1, 1));
    meter.begin();
    let address = here.push_by_key(&robot).await;
    meter.end("pushed request by a key", cost(2, 1));
    let code = here.browser.clone().get(&address).await.parameter("code").unwrap();
    meter.begin();
    let reply = here.redeem_by_key(&robot, &code).await;
    meter.end("token, a code by a key", cost(6, 1));
    let token = refresh_token(&reply);
    meter.begin();
    ok(&here.by_key(&robot, "token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await);
    meter.end("token, refresh by a key", cost(7, 1));
    let assertion = here.assertion(&robot);
    let fields = [("grant_type", BEARER), ("assertion", assertion.as_str())];
    meter.begin();
    ok(&robot.token_request(&here.browser, &fields).await);
    meter.end("token, a token as a grant", cost(2, 1));
    meter.begin();
    let replay = robot.token_request(&here.browser, &fields).await;
    meter.end("the same grant again", cost(3, 2));
    assert_eq!(replay.status, 400, "{}", replay.body);
}

/// With a pushed request, an assertion and a proof, where the refresh token stays the same.
async fn fapi(here: &Here, meter: &mut Meter<'_>) {
    let redirect_uri = "https://bank.example/callback".to_owned();
    let bank = Rp { redirect_uri, dpop: Some(here.server.proof_key()), ..here.keyed("bank") };
    let address = here.push_by_key(&bank).await;
    let code = here.browser.clone().get(&address).await.parameter("code").unwrap();
    meter.begin();
    let reply = here.redeem_by_key(&bank, &code).await;
    meter.end("token, a code under FAPI 2.0", cost(7, 1));
    let token = refresh_token(&reply);
    for _ in 0..2 {
        meter.begin();
        ok(&here.by_key(&bank, "token", &[("grant_type", "refresh_token"), ("refresh_token", &token)]).await);
        meter.end("token, refresh under FAPI 2.0", cost(7, 1));
    }
}

async fn grants(here: &Here, meter: &mut Meter<'_>) {
    let (gateway, mut browser) = (here.rp("gateway"), here.browser.clone());
    let tokens = here.web.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let subject = [
        ("grant_type", EXCHANGE),
        ("subject_token", tokens.access_token()),
        ("subject_token_type", ACCESS),
        ("audience", "api"),
    ];
    ok(&gateway.token_request(&browser, &subject).await);
    meter.begin();
    ok(&gateway.token_request(&browser, &subject).await);
    meter.end("token, exchange", cost(4, 1));
    let fields = [&subject[..], &[("requested_token_type", REFRESH)]].concat();
    meter.begin();
    let reply = gateway.token_request(&browser, &fields).await;
    meter.end("token, exchange for a refresh token", cost(6, 1));
    let token = refresh_token(&reply);
    meter.begin();
    gateway.refresh(&browser, &token).await.unwrap();
    meter.end("token, refresh of an exchanged grant", cost(7, 1));
    let elsewhere = [&subject[..3], &[("audience", "web")]].concat();
    meter.begin();
    let refused = gateway.token_request(&browser, &elsewhere).await;
    meter.end("an exchange that no rule allows", cost(2, 1));
    assert_eq!(refused.status, 400, "{}", refused.body);
    let sign_in = [("grant_type", "password"), ("username", "alice"), ("password", "alice")];
    meter.begin();
    ok(&here.web.token_request(&browser, &sign_in).await);
    meter.end("token, a password", cost(15, 2));
    let wrong = [("grant_type", "password"), ("username", "alice"), ("password", "wrong")];
    meter.begin();
    assert_eq!(here.web.token_request(&browser, &wrong).await.status, 401);
    meter.end("a wrong password", cost(6, 2));
    meter.begin();
    ok(&here.web.userinfo(&browser, tokens.access_token()).await);
    meter.end("userinfo, signed", cost(1, 0));
}

async fn answers(here: &Here, meter: &mut Meter<'_>) {
    let mut browser = here.browser.clone();
    let asks = here.rp("asks");
    let question = browser.open(&asks.authorize_url()).await;
    let fields = question.hidden_fields();
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("accept", "Yes"));
    meter.begin();
    let reply = browser.post(&question.form_action(), &fields).await;
    meter.end("consent", cost(13, 1));
    assert!(reply.parameter("code").is_some(), "{} {}", reply.location(), reply.body);

    let device = here.keyed("tv").device(&browser).await.unwrap();
    meter.begin();
    let question = browser.open(&device.verification_uri_complete).await;
    meter.end("a device's question", cost(6, 1));
    let fields = question.hidden_fields();
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("accept", "Yes"));
    meter.begin();
    ok(&browser.post(&question.form_action(), &fields).await);
    meter.end("a device's yes", cost(11, 1));

    let tokens = here.web.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let address = format!("{}?id_token_hint={}", here.web.endpoint("logout"), tokens.id_token());
    meter.begin();
    ok(&browser.get(&address).await);
    meter.end("sign-out", cost(5, 1));
    let tokens = here.web.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let fields = [("refresh_token", tokens.refresh_token())];
    meter.begin();
    assert_eq!(here.web.post(&browser, "logout", &fields).await.status, 204);
    meter.end("sign-out by a refresh token", cost(5, 1));
}

on_both! {
    async fn what_proofs_grants_and_answers_cost(place) {
        let frozen_at = Some(Timestamp(1_800_000_000));
        let options = Options { frozen_at, realm: Some(realm()), ..place.options() };
        let server = TestServer::with(options).await.unwrap();
        let (web, mut browser) = (server.rp("web", Some("secret")), server.browser());
        web.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let here = Here { server, browser, web };
        let mut meter = Meter { server: &here.server, wrong: Vec::new() };
        keys(&here, &mut meter).await;
        fapi(&here, &mut meter).await;
        grants(&here, &mut meter).await;
        answers(&here, &mut meter).await;
        assert!(meter.wrong.is_empty(), "{}", meter.wrong.join("\n"));
    }
}
