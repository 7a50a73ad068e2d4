//! Request objects (RFC 9101, OpenID Connect Core §6), in the address, by reference and pushed. The conformance suite's
//! modules that speak of them are named beside their tests.

use std::sync::LazyLock;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use vestibule::protocol::pkce;
use vestibule::signer::{Algorithm, SigningKey};
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(Algorithm::ES256).unwrap());

const CALLBACK: &str = "http://localhost:3000/callback";
const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "alice")];

struct Scene {
    server: TestServer,
    rp: Rp,
    browser: Browser,
}

impl Scene {
    /// With further settings of the client `app`.
    async fn with(settings: &str) -> Self {
        let jwks = json!({ "keys": [KEY.public_jwk()] });
        let realm = format!(
            r#"
            [realm]
            name = "main"
            [[realm.clients]]
            id = "app"
            secret = "app-secret"
            jwks = '{jwks}'
            grants = ["authorization_code"]
            redirect_uris = ["{CALLBACK}", "http://localhost:3000/other"]
            {settings}
            [[realm.clients]]
            id = "keyless"
            secret = "keyless-secret"
            redirect_uris = ["{CALLBACK}"]
            [[realm.users]]
            username = "alice"
            password = "alice"
            "#
        );
        let server = TestServer::with(Options { realm: Some(realm), ..Options::default() }).await.unwrap();
        let mut rp = server.rp("app", Some("app-secret"));
        rp.scope = "openid".into();
        let browser = server.browser();
        Self { server, rp, browser }
    }

    /// A good request as the members of a request object, with these changed; `null` takes one away.
    fn members(&self, changes: &[(&str, Value)]) -> Value {
        let now = self.server.clock().now().0;
        let mut members = json!({
            "iss": "app", "aud": self.server.issuer("main"), "nbf": now, "exp": now + 300, "client_id": "app",
            "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "inside",
            "nonce": "inside", "code_challenge": pkce::s256(&self.rp.verifier), "code_challenge_method": "S256",
        });
        for (name, value) in changes {
            members[*name] = value.clone();
        }
        let mut members = members.as_object().unwrap().clone();
        members.retain(|_, value| !value.is_null());
        Value::Object(members)
    }

    fn signed(&self, changes: &[(&str, Value)]) -> String {
        KEY.sign("oauth-authz-req+jwt", &self.members(changes)).unwrap()
    }

    /// The address of a request with `carried` in it, as the code flow of OpenID Connect asks for.
    fn address(&self, carried: (&str, &str), more: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs([("client_id", "app"), ("response_type", "code"), ("scope", "openid"), carried]);
        query.extend_pairs(more);
        format!("{}?{}", self.rp.endpoint("auth"), query.finish())
    }

    async fn sign_in(&mut self, address: &str) -> Reply {
        let page = self.browser.open(address).await;
        if page.body.contains("kc-form-login") {
            return self.browser.submit(&page, &ALICE).await;
        }
        page
    }
}

fn error(reply: &Reply) -> String {
    reply
        .parameter("error")
        .unwrap_or_else(|| format!("{} {} {}", reply.status, reply.location(), reply.body))
}

/// `oidcc-ensure-request-object-with-redirect-uri`, FAPI `ensure-different-nonce/-state-inside-and-outside`,
/// `state-only-outside-request-object-not-used`.
#[tokio::test]
async fn rfc9101_6_3_what_stands_beside_a_request_object_counts_for_nothing() {
    let mut scene = Scene::with("").await;
    let token = scene.signed(&[("max_age", json!(600)), ("claims", json!({"userinfo": {"email": null}}))]);
    let outside = [
        ("redirect_uri", "http://localhost:3000/other"),
        ("state", "outside"),
        ("nonce", "outside"),
        ("response_mode", "fragment"),
        ("prompt", "none"),
        ("code_challenge", "x"),
    ];
    let address = scene.address(("request", &token), &outside);
    let reply = scene.sign_in(&address).await;
    assert!(reply.location().starts_with(&format!("{CALLBACK}?")), "{} {}", reply.location(), reply.body);
    assert_eq!(reply.parameter("state").as_deref(), Some("inside"));
    let tokens = scene.rp.redeem(&scene.browser, &reply.parameter("code").unwrap()).await.unwrap();
    assert_eq!(tokens.id_claims()["nonce"], "inside");

    let without_state = scene.signed(&[("state", Value::Null), ("prompt", json!("none"))]);
    let reply = scene.browser.get(&scene.address(("request", &without_state), &[("state", "outside")])).await;
    assert!(reply.parameter("code").is_some(), "{}", reply.location());
    assert_eq!(reply.parameter("state"), None, "a state that nobody signed");
}

/// `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported`, J01, P08 (h).
#[tokio::test]
async fn j01_p08_a_request_object_that_its_client_did_not_sign_is_refused() {
    let mut scene = Scene::with("").await;
    let good = scene.signed(&[]);
    let (input, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = input.split_once('.').unwrap();
    let foreign = OTHER.sign("oauth-authz-req+jwt", &scene.members(&[])).unwrap();
    for (case, token) in [
        ("alg none", format!("eyJhbGciOiJub25lIn0.{payload}.")),
        ("no signature", format!("{input}.")),
        ("another's key", foreign),
        ("another payload", format!("{header}.e30.{signature}")),
        ("no token", "hello".to_owned()),
        ("a JWE", format!("{good}.AA.AA")),
        ("an assertion", KEY.sign("client-authentication+jwt", &scene.members(&[])).unwrap()),
        ("another client's", scene.signed(&[("client_id", json!("keyless"))])),
        ("for another server", scene.signed(&[("aud", json!("https://other.example"))])),
        ("expired", scene.signed(&[("exp", json!(1_000))])),
        ("one in another", scene.signed(&[("request_uri", json!("https://x"))])),
    ] {
        let address = scene.address(("request", &token), &[("redirect_uri", CALLBACK), ("state", "outside")]);
        let reply = scene.browser.get(&address).await;
        assert_eq!(error(&reply), "invalid_request_object", "{case}");
        assert!(reply.parameter("code").is_none() && reply.location().starts_with(CALLBACK), "{case}");
        let nowhere = scene.browser.get(&scene.address(("request", &token), &[])).await;
        assert_eq!((nowhere.status.as_u16(), nowhere.location()), (400, ""), "{case}: nowhere to answer");
    }
    let mut keyless = scene.server.rp("keyless", Some("keyless-secret"));
    keyless.redirect_uri = CALLBACK.into();
    for (name, value, expected) in [
        ("request", good.as_str(), "request_not_supported"),
        ("request_uri", "https://evil.test/", "request_uri_not_supported"),
    ] {
        let reply = scene.browser.get(&keyless.authorize_url_with(&[(name, Some(value))])).await;
        assert_eq!(error(&reply), expected);
    }
    let wrong = scene.signed(&[("response_type", json!("code id_token"))]);
    let reply = scene.browser.get(&scene.address(("request", &wrong), &[("redirect_uri", CALLBACK)])).await;
    assert_eq!(error(&reply), "invalid_request", "Core §6.1: response_type outside must agree");
    let unregistered = scene.signed(&[("redirect_uri", json!("https://evil.test/"))]);
    let reply = scene.browser.get(&scene.address(("request", &unregistered), &[])).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""), "R06 holds inside too");
}

#[tokio::test]
async fn rfc9101_10_5_a_client_that_always_signs_is_refused_without() {
    let mut scene =
        Scene::with("require_signed_request_object = true\nrequest_object_signing_alg = \"ES256\"").await;
    assert_eq!(error(&scene.browser.get(&scene.rp.authorize_url()).await), "invalid_request");
    let parameters = scene.rp.parameters();
    let fields: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let pushed = scene.rp.post(&scene.browser, "ext/par/request", &fields).await;
    assert_eq!((pushed.status.as_u16(), &pushed.json()["error"]), (400, &json!("invalid_request")));
    let short = scene.signed(&[]);
    assert!(scene.sign_in(&scene.address(("request", &short), &[])).await.parameter("code").is_some());
    for change in [("nbf", Value::Null), ("exp", Value::Null), ("aud", Value::Null), ("iss", Value::Null)] {
        let token = scene.signed(std::slice::from_ref(&change));
        let reply =
            scene.browser.get(&scene.address(("request", &token), &[("redirect_uri", CALLBACK)])).await;
        assert_eq!(error(&reply), "invalid_request_object", "{change:?}");
    }
    let scene = Scene::with("request_object_signing_alg = \"PS256\"").await;
    let token = scene.signed(&[]);
    let address = scene.address(("request", &token), &[("redirect_uri", CALLBACK)]);
    assert_eq!(
        error(&scene.server.browser().get(&address).await),
        "invalid_request_object",
        "not its algorithm"
    );
}

/// RFC 9126 §3; FAPI 2.0 Message Signing.
#[tokio::test]
async fn rfc9126_3_a_request_object_is_pushed() {
    let mut scene = Scene::with("require_pushed_authorization_requests = true").await;
    let token = scene.signed(&[]);
    let pushed =
        scene.rp.post(&scene.browser, "ext/par/request", &[("request", &token), ("state", "outside")]).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let request_uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
    let reply = scene.sign_in(&scene.address(("request_uri", &request_uri), &[("state", "outside")])).await;
    assert_eq!(reply.parameter("state").as_deref(), Some("inside"), "{}", reply.body);
    assert!(reply.parameter("code").is_some());

    for (case, token, code) in [
        ("none", "eyJhbGciOiJub25lIn0.e30.".to_owned(), "invalid_request_object"),
        ("another's", OTHER.sign("JWT", &scene.members(&[])).unwrap(), "invalid_request_object"),
        ("request_uri inside", scene.signed(&[("request_uri", json!("urn:x"))]), "invalid_request_object"),
        ("no redirect_uri", scene.signed(&[("redirect_uri", Value::Null)]), "invalid_request"),
        ("hybrid", scene.signed(&[("response_type", json!("code id_token"))]), "unsupported_response_type"),
    ] {
        let reply = scene.rp.post(&scene.browser, "ext/par/request", &[("request", &token)]).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (400, &json!(code)),
            "{case}: {}",
            reply.body
        );
    }
    let plain = scene
        .browser
        .get(&scene.address(("request", &scene.signed(&[])), &[("redirect_uri", CALLBACK)]))
        .await;
    assert_eq!(error(&plain), "invalid_request", "signed, but not pushed");
}

/// A web server that gives `body` to everyone, and counts who came. It ends with the test.
async fn serve(body: String, status: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/request.jwt", listener.local_addr().unwrap());
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4_096];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let line = String::from_utf8_lossy(head.get(..read).unwrap_or_default())
                .lines()
                .next()
                .map(str::to_owned);
            let _ = sender.send(line.unwrap_or_default());
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/oauth-authz-req+jwt\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, receiver)
}

/// `oidcc-request-uri-signed-rs256`, whose address has a fragment; N02.
#[tokio::test]
async fn core_6_2_a_request_object_is_fetched_from_a_registered_address() {
    // The token must be made before the realm that names its address: the issuer is known only then.
    let (address, mut asked) = serve(String::new(), "500 Broken").await;
    let scene = Scene::with(&format!("request_uris = [\"{address}#first\"]")).await;
    let broken = scene.address(("request_uri", &address), &[("redirect_uri", CALLBACK)]);
    assert_eq!(
        error(&scene.server.browser().get(&broken).await),
        "invalid_request_uri",
        "what is there is broken"
    );
    assert_eq!(asked.recv().await.as_deref(), Some("GET /request.jwt HTTP/1.1"));
    let foreign = scene.address(("request_uri", &format!("{address}/x")), &[("redirect_uri", CALLBACK)]);
    assert_eq!(error(&scene.server.browser().get(&foreign).await), "invalid_request_uri", "not registered");
    assert!(asked.try_recv().is_err(), "nobody asked for that");

    let verifier = scene.rp.verifier.clone();
    let members = json!({
        "client_id": "app", "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "inside",
        "code_challenge": pkce::s256(&verifier), "code_challenge_method": "S256",
    });
    let (address, mut asked) = serve(format!("{}\n", KEY.sign("JWT", &members).unwrap()), "200 OK").await;
    let mut scene = Scene::with(&format!("request_uris = [\"{address}#first\"]")).await;
    scene.rp.verifier = verifier;
    let opened = scene.address(("request_uri", &format!("{address}#second")), &[]);
    let reply = scene.sign_in(&opened).await;
    assert_eq!(reply.parameter("state").as_deref(), Some("inside"), "{} {}", reply.location(), reply.body);
    scene.rp.redeem(&scene.browser, &reply.parameter("code").unwrap()).await.unwrap();
    assert_eq!(asked.recv().await.as_deref(), Some("GET /request.jwt HTTP/1.1"), "without the fragment");
    assert!(asked.try_recv().is_err(), "and not again for the pages in between");
    let both =
        format!("{}&request=a.b.c", scene.address(("request_uri", &address), &[("redirect_uri", CALLBACK)]));
    assert_eq!(error(&scene.browser.get(&both).await), "invalid_request");
}

#[tokio::test]
async fn discovery_says_what_is_taken() {
    let scene = Scene::with("").await;
    let address = format!("{}/.well-known/openid-configuration", scene.server.issuer("main"));
    let document = scene.server.browser().get(&address).await.json();
    for name in
        ["request_parameter_supported", "request_uri_parameter_supported", "require_request_uri_registration"]
    {
        assert_eq!(document[name], true, "{name}");
    }
    let algorithms = document["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(algorithms.contains(&json!("RS256")) && !algorithms.contains(&json!("none")), "{algorithms:?}");
}
