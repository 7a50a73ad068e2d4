//! G01 for what the other grants carry: codes of a device, handles of pushed requests, assertions, proofs, exchanged
//! tokens, and the tokens of a registration.

use std::sync::LazyLock;

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::protocol::register::InitialToken;
use vestibule::secrets;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::store::Change;
use vestibule::testing::{Browser, Rp, TestServer};

use super::middle;
use crate::common::realm;

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

/// Clients beside those of the realm file, as the end of it.
pub(super) fn clients() -> String {
    let jwks = json!({ "keys": [KEY.public_jwk()] });
    format!(
        r#"
        [[realm.clients]]
        id = "robot"
        authentication = "private_key_jwt"
        jwks = '{jwks}'
        grants = ["client_credentials"]
        audiences = ["gateway"]
        [[realm.clients]]
        id = "gateway"
        secret = "canary-client-secret"
        grants = ["token_exchange"]
        [[realm.clients.exchange]]
        audience = "robot"
        impersonation = true
        [[realm.clients]]
        id = "tv"
        public = true
        grants = ["device_code", "refresh_token"]
        "#
    )
}

/// Credentials with what they are.
type Canaries = Vec<(&'static str, String)>;

/// What a person who is signed in and some clients do, rightly and wrongly. Gives every credential that was used.
pub(super) async fn scenario(server: &TestServer, app: &Rp, browser: &mut Browser) -> Canaries {
    let mut canaries = device(server, browser).await;
    canaries.extend(pushed(app, browser).await);
    canaries.extend(keys(server).await);
    canaries.extend(registration(server).await);
    canaries
}

async fn device(server: &TestServer, browser: &mut Browser) -> Canaries {
    let tv = server.rp("tv", None);
    let device = tv.device(browser).await.unwrap();
    tv.poll(browser, &device).await.unwrap_err();
    let thief = server.rp("app", Some("canary-client-secret"));
    thief.poll(browser, &device).await.unwrap_err();
    let page = browser.open(&device.verification_uri).await;
    browser.submit(&page, &[("device_user_code", "CNRX-WRNG")]).await;
    browser.approve_device(&device, "carol", "canary-password").await;
    let tokens = tv.poll(browser, &device).await.unwrap();
    tv.poll(browser, &device).await.unwrap_err();
    let letters = device.user_code.replace('-', "");
    vec![
        ("device code", device.device_code),
        ("user code", device.user_code),
        ("user code", letters),
        ("wrong user code", "CNRX-WRNG".into()),
        ("wrong user code", "CNRXWRNG".into()),
        ("device's token", middle(tokens.access_token())),
        ("device's token", middle(tokens.refresh_token())),
    ]
}

async fn pushed(app: &Rp, browser: &mut Browser) -> Canaries {
    let parameters = app.parameters();
    let fields = parameters.iter().filter(|(name, _)| name != "client_id");
    let fields: Vec<_> = fields.map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let reply = app.post(browser, "ext/par/request", &fields).await;
    let handle = reply.json()["request_uri"].as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned();
    let address = format!("{}?client_id={}&request_uri={handle}", app.endpoint("auth"), app.client_id);
    for _ in 0..2 {
        browser.open(&address).await;
    }
    let wrong = format!("{}?client_id=tv&request_uri={handle}", app.endpoint("auth"));
    browser.open(&wrong).await;
    let handle = handle.rsplit(':').next().unwrap().to_owned();
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    vec![("handle of a pushed request", encoded(&handle)), ("handle of a pushed request", handle)]
}

async fn keys(server: &TestServer) -> Canaries {
    let (robot, browser, now) = (server.rp("robot", None), server.browser(), server.clock().now().0);
    let signed = |typ: &str, aud: &str| {
        let claims = json!({
            "iss": "robot", "sub": "robot", "aud": aud, "jti": secrets::random_name(), "iat": now, "exp": now + 60,
        });
        KEY.sign(typ, &claims).unwrap()
    };
    let ask = async |assertion: &str, proof: &str| {
        let mut browser = browser.clone();
        browser.headers.push(("dpop".to_owned(), proof.to_owned()));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", assertion),
        ];
        robot.token_request(&browser, &fields).await
    };
    let key = server.proof_key();
    let [good, elsewhere] = [&robot.issuer, "https://elsewhere.example"].map(|aud| signed("JWT", aud));
    let proofs = [(); 2].map(|()| key.proof("POST", &robot.endpoint("token"), None));
    let reply = ask(&good, &proofs[0]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let bound = reply.json()["access_token"].as_str().unwrap().to_owned();
    for (assertion, proof) in [(&good, &proofs[1]), (&elsewhere, &proofs[1])] {
        assert_eq!(ask(assertion, proof).await.status, 401);
    }
    assert_eq!(ask(&signed("JWT", &robot.issuer), &proofs[0]).await.status, 400, "a proof twice");
    let mut canaries = vec![("bound token", middle(&bound))];
    canaries.extend([&good, &elsewhere].map(|token| ("assertion", middle(token))));
    canaries.extend(proofs.iter().map(|proof| ("proof", middle(proof))));
    canaries.extend(exchange(server, &browser, &signed("JWT", &robot.issuer)).await);
    canaries
}

async fn exchange(server: &TestServer, browser: &Browser, assertion: &str) -> Canaries {
    let (robot, gateway) = (server.rp("robot", None), server.rp("gateway", Some("canary-client-secret")));
    let own = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", assertion),
    ];
    let own = robot.tokens(browser, &own).await.unwrap();
    let ask = async |token: &str| {
        let fields = [
            ("grant_type", EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", ACCESS),
            ("audience", "robot"),
        ];
        gateway.token_request(browser, &fields).await.json()["access_token"].as_str().map(str::to_owned)
    };
    let made = ask(own.access_token()).await;
    assert_eq!(ask(assertion).await, None, "an assertion is not exchanged");
    let mut canaries = vec![
        ("subject token", middle(own.access_token())),
        ("assertion for a subject token", middle(assertion)),
    ];
    canaries.extend(made.map(|token| ("exchanged token", middle(&token))));
    assert_eq!(canaries.len(), 3, "a token was made");
    canaries
}

async fn registration(server: &TestServer) -> Canaries {
    let (realm_id, initial, now) =
        (realm(server).await.id, secrets::random_token(), server.app().clock.now());
    let token = InitialToken {
        uses: 1,
        id: secrets::random_name(),
        realm_id,
        created_at: now,
        expires_at: now.plus(600),
        uses_left: 1,
    };
    let fingerprint = secrets::fingerprint(&initial);
    server.app().commit(vec![Change::AddRegistrationToken { token, fingerprint }]).await.unwrap();
    let address = format!("{}/clients-registrations/openid-connect", server.issuer("main"));
    let said = json!({ "client_name": "One", "redirect_uris": ["https://one.example/cb"] }).to_string();
    let send = async |method: Method, address: &str, token: &str, body: Option<String>| {
        let bearer = format!("Bearer {token}");
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        server.browser().send(method, address, body, &headers).await
    };
    let told = send(Method::POST, &address, &initial, Some(said.clone())).await;
    assert_eq!(told.status, 201, "{}", told.body);
    assert_eq!(send(Method::POST, &address, &initial, Some(said)).await.status, 401, "it was for one");
    let told = told.json();
    let text = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("{name}: {told}")).to_owned();
    let (own, access) = (text("registration_client_uri"), text("registration_access_token"));
    for (token, status) in [(access.as_str(), 200), (initial.as_str(), 401)] {
        assert_eq!(send(Method::GET, &own, token, None).await.status, status);
    }
    let wrong = json!({ "client_id": told["client_id"], "client_secret": "canary-wrong-registered-secret" });
    send(Method::PUT, &own, &access, Some(Value::to_string(&wrong))).await;
    vec![
        ("initial access token", initial),
        ("registration access token", access),
        ("registered secret", text("client_secret")),
    ]
}
