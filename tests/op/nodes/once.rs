//! What is good once is good once over all nodes: rows C04, D01, F02, J07 and P07 of the attack table and pushed requests, each asked
//! of two nodes in turn, for some rounds.

use std::sync::LazyLock;

use serde_json::{Value, json};
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens};

use crate::common::is_error;
use crate::database::Place;

const ROUNDS: usize = 5;
const CALLERS: usize = 16;
const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

/// Three realms with the same clients: a strict one, one with the window for a lost answer, and one that asks for nonces.
fn realms() -> String {
    let jwks = json!({ "keys": [KEY.public_jwk()] });
    let realm = |name: &str, settings: &str| {
        format!(
            r#"
            [[realms]]
            name = "{name}"
            {settings}
            [[realms.clients]]
            id = "robot"
            authentication = "private_key_jwt"
            jwks = '{jwks}'
            grants = ["client_credentials"]
            [[realms.clients]]
            id = "app"
            secret = "app-secret"
            redirect_uris = ["http://localhost:3000/callback"]
            [[realms.clients]]
            id = "tv"
            public = true
            grants = ["device_code"]
            [[realms.users]]
            username = "alice"
            password = "alice"
            "#
        )
    };
    [
        realm("main", "refresh_retry_window = 0"),
        realm("lax", "refresh_retry_window = \"10s\""),
        realm("dated", "dpop_nonce = true"),
    ]
    .concat()
}

/// Two nodes on one database. Requests go to them in turn, all by the name of the first.
struct Nodes {
    one: TestServer,
    two: TestServer,
}

impl Nodes {
    async fn start() -> Option<Self> {
        let place = Place::postgres().await?;
        let options = || Options { realm: Some(realms()), ..place.options() };
        let one = TestServer::with(options()).await.unwrap();
        Some(Self { two: TestServer::with(options()).await.unwrap(), one })
    }

    fn browser(&self) -> Browser {
        self.one.browser_over(&[&self.two])
    }

    fn rp(&self, realm: &str, client_id: &str, secret: Option<&str>) -> Rp {
        Rp::new(self.one.issuer(realm), client_id, secret)
    }
}

/// Asks as many times at once, and gives who was served; the others heard of this refusal.
async fn race<F: Future<Output = Result<Tokens, Box<Reply>>> + Send + 'static>(
    call: impl Fn() -> F,
    refusal: (u16, &str),
    row: &str,
) -> Vec<Tokens> {
    let calls: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(call())).collect();
    let mut served = Vec::new();
    for call in calls {
        match call.await.unwrap() {
            Ok(tokens) => served.push(tokens),
            Err(reply) => is_error(&reply, refusal.0, refusal.1, row),
        }
    }
    served
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn c04_j07_of_assertions_and_proofs_one_is_served_over_two_nodes() {
    let Some(nodes) = Nodes::start().await else { return };
    let (robot, browser) = (nodes.rp("main", "robot", None), nodes.browser());
    let mut app = nodes.rp("main", "app", Some("app-secret"));
    let key = nodes.one.proof_key();
    app.dpop = Some(key.clone());
    let tokens = app.sign_in(&mut browser.clone(), "alice", "alice").await.unwrap();
    let token = tokens.access_token();
    for round in 0..ROUNDS {
        let now = nodes.one.clock().now().0;
        let claims = json!({
            "iss": "robot", "sub": "robot", "aud": robot.issuer, "jti": secrets::random_name(), "iat": now,
            "exp": now + 60,
        });
        let assertion = KEY.sign("JWT", &claims).unwrap();
        let call = || {
            let (robot, browser, assertion) = (robot.clone(), browser.clone(), assertion.clone());
            async move {
                let grant = ("grant_type", "client_credentials");
                let fields = [grant, ("client_assertion_type", TYPE), ("client_assertion", &assertion)];
                robot.tokens(&browser, &fields).await
            }
        };
        assert_eq!(race(call, (401, "invalid_client"), "C04").await.len(), 1, "C04b round {round}");

        let proof = key.proof("GET", &app.endpoint("userinfo"), Some(token));
        let call = || {
            let (mut browser, address, proof) = (browser.clone(), app.endpoint("userinfo"), proof.clone());
            let scheme = ("authorization".to_owned(), format!("DPoP {token}"));
            browser.headers.extend([scheme, ("dpop".to_owned(), proof)]);
            async move {
                let reply = browser.get(&address).await;
                if reply.status == 200 { Ok(Tokens { response: reply.json() }) } else { Err(Box::new(reply)) }
            }
        };
        assert_eq!(race(call, (401, "invalid_dpop_proof"), "J07").await.len(), 1, "J07 round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p07_d01_of_codes_one_is_redeemed_over_two_nodes() {
    let Some(nodes) = Nodes::start().await else { return };
    let mut browser = nodes.browser();
    let (app, tv) = (nodes.rp("main", "app", Some("app-secret")), nodes.rp("main", "tv", None));
    app.sign_in(&mut browser, "alice", "alice").await.unwrap();
    for round in 0..ROUNDS {
        let code = browser.get(&app.authorize_url()).await.parameter("code").unwrap();
        let call = || {
            let (app, browser, code) = (app.clone(), browser.clone(), code.clone());
            async move { app.redeem(&browser, &code).await }
        };
        let served = race(call, (400, "invalid_grant"), "P07").await;
        assert_eq!(served.len(), 1, "P07 round {round}");
        let userinfo = app.userinfo(&browser, served[0].access_token()).await;
        assert_eq!(userinfo.status, 401, "P07 round {round}: the replays ended what the first one got");

        let device = tv.device(&browser).await.unwrap();
        browser.approve_device(&device, "alice", "alice").await;
        let call = || {
            let (tv, browser, device) = (tv.clone(), browser.clone(), device.clone());
            async move { tv.poll(&browser, &device).await }
        };
        let served = race(call, (400, "invalid_grant"), "D01").await;
        assert_eq!(served.len(), 1, "D01 round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_of_refreshes_one_successor_lives_over_two_nodes() {
    let Some(nodes) = Nodes::start().await else { return };
    for (realm, answered, alive) in [("main", 1, 0), ("lax", CALLERS, 1)] {
        let app = nodes.rp(realm, "app", Some("app-secret"));
        let mut browser = nodes.browser();
        for round in 0..ROUNDS {
            let first = app.sign_in(&mut browser, "alice", "alice").await.unwrap();
            let call = || {
                let (app, browser, token) = (app.clone(), browser.clone(), first.refresh_token().to_owned());
                async move { app.refresh(&browser, &token).await }
            };
            let served = race(call, (400, "invalid_grant"), "F02").await;
            assert_eq!(served.len(), answered, "F02 {realm} round {round}");
            let mut live = 0;
            for tokens in &served {
                let told = app.introspect(&browser, tokens.refresh_token()).await.json();
                live += usize::from(told["active"] == true);
            }
            assert_eq!(live, alive, "F02 {realm} round {round}");
        }
    }
}

/// RFC 9449 §8: whichever node a nonce is of, each takes it, and the proof in it is good at one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn j07_a_nonce_of_one_node_is_good_at_the_other() {
    let Some(nodes) = Nodes::start().await else { return };
    let (app, key) = (nodes.rp("dated", "app", Some("app-secret")), nodes.one.proof_key());
    let mut browser = nodes.browser();
    let address = app.endpoint("token");
    let ask = async |browser: &Browser, nonce: Value, code: &str| {
        let proof = key.proof_with("POST", &address, None, json!({}), json!({ "nonce": nonce }));
        let mut browser = browser.clone();
        browser.headers.push(("dpop".to_owned(), proof));
        app.redeem(&browser, code).await
    };
    // A sign-in takes two requests and the next one a single one, so each node is once the first that is asked here.
    for turn in 0..2 {
        let code = app.authorize(&mut browser, "alice", "alice").await.parameter("code").unwrap();
        let refused = ask(&browser, Value::Null, &code).await.unwrap_err();
        is_error(&refused, 400, "use_dpop_nonce", "without one");
        let nonce = json!(refused.header("dpop-nonce"));
        let tokens = ask(&browser, nonce, &code).await.unwrap();
        assert_eq!(tokens.text("token_type"), "DPoP", "turn {turn}");
    }
}

/// RFC 9126 §2.2: of fifty browsers that come with one reference, one gets a code for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rfc9126_2_2_of_a_pushed_request_one_code_comes_over_two_nodes() {
    let Some(nodes) = Nodes::start().await else { return };
    let (app, mut browser) = (nodes.rp("main", "app", Some("app-secret")), nodes.browser());
    app.sign_in(&mut browser, "alice", "alice").await.unwrap();
    for round in 0..ROUNDS {
        let parameters = app.parameters();
        let fields = parameters.iter().filter(|(name, _)| name != "client_id");
        let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let pushed = app.post(&browser, "ext/par/request", &fields).await;
        assert_eq!(pushed.status, 201, "round {round}: {}", pushed.body);
        let reference = pushed.json()["request_uri"].as_str().unwrap().to_owned();
        let address = format!("{}?client_id=app&request_uri={reference}", app.endpoint("auth"));
        let calls: Vec<_> = (0..50)
            .map(|_| {
                let (mut browser, address) = (browser.clone(), address.clone());
                tokio::spawn(async move { browser.get(&address).await })
            })
            .collect();
        let mut codes = Vec::new();
        for call in calls {
            let reply = call.await.unwrap();
            match reply.parameter("code") {
                Some(code) => codes.push(code),
                None => assert!(reply.status.is_client_error(), "round {round}: {}", reply.status),
            }
        }
        assert_eq!(codes.len(), 1, "round {round}");
        app.redeem(&browser, &codes[0]).await.unwrap();
    }
}
