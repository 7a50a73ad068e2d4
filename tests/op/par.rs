//! Pushed authorization requests (RFC 9126). The rows of the conformance suite's FAPI 2.0 plan that speak of them are
//! named beside their tests.

use axum::http::Method;
use serde_json::json;
use vestibule::clock::Timestamp;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

const REALM: &str = r#"
[realm]
name = "main"
lifetimes = { pushed_request = "90s" }
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
grants = ["authorization_code", "refresh_token"]
require_pushed_authorization_requests = true
[[realm.clients]]
id = "other"
secret = "other-secret-that-is-long"
redirect_uris = ["https://other.example/cb"]
grants = ["authorization_code"]
[[realm.clients]]
id = "spa"
public = true
redirect_uris = ["https://spa.example/cb"]
web_origins = ["+"]
grants = ["authorization_code"]
[[realm.users]]
username = "alice"
password = "correct horse"
"#;

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "correct horse")];

async fn server() -> TestServer {
    let realm = Some(REALM.to_owned());
    let frozen_at = Some(Timestamp(1_800_000_000));
    TestServer::with(Options { realm, frozen_at, strict: true, ..Options::default() }).await.unwrap()
}

fn app(server: &TestServer) -> Rp {
    let mut rp = server.rp("app", Some("app-secret-that-is-long"));
    rp.redirect_uri = "https://app.example/cb".to_owned();
    rp.scope = "openid".to_owned();
    rp
}

async fn push(rp: &Rp, browser: &Browser, changes: &[(&str, Option<&str>)]) -> Reply {
    let mut parameters = rp.parameters();
    for (name, value) in changes {
        parameters.retain(|(own, _)| own != name);
        parameters.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    let fields: Vec<(&str, &str)> = parameters
        .iter()
        .filter(|(name, _)| rp.secret.is_some() || name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    rp.post(browser, "ext/par/request", &fields).await
}

/// The address that a browser is sent to.
fn opening(rp: &Rp, request_uri: &str, more: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", &rp.client_id).append_pair("request_uri", request_uri).extend_pairs(more);
    format!("{}?{}", rp.endpoint("auth"), query.finish())
}

async fn pushed(rp: &Rp, browser: &Browser) -> String {
    let reply = push(rp, browser, &[]).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.json()["request_uri"].as_str().unwrap().to_owned()
}

fn is_error(reply: &Reply, status: u16, code: &str, case: &str) {
    let found = (reply.status.as_u16(), reply.json()["error"].as_str().unwrap_or_default().to_owned());
    assert_eq!(found, (status, code.to_owned()), "{case}: {}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store", "{case}");
}

fn is_page(reply: &Reply, case: &str) {
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""), "{case}: {}", reply.body);
    assert!(reply.header("content-type").starts_with("text/html"), "{case}");
}

/// `happy-flow`, `par-without-duplicate-parameters`.
#[tokio::test]
async fn rfc9126_2_2_a_request_is_pushed_opened_and_answered() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let reply = push(&rp, &browser, &[]).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(
        (reply.header("content-type"), reply.header("cache-control")),
        ("application/json", "no-store")
    );
    assert_eq!(reply.json()["expires_in"], 90);
    let request_uri = reply.json()["request_uri"].as_str().unwrap().to_owned();
    let random = request_uri.strip_prefix("urn:ietf:params:oauth:request_uri:").unwrap();
    assert!(random.len() >= 43, "256 bits in {random}");

    let page = browser.open(&opening(&rp, &request_uri, &[])).await;
    let reply = browser.submit(&page, &ALICE).await;
    assert!(reply.location().starts_with("https://app.example/cb?"), "{}", reply.location());
    assert_eq!(reply.parameter("state").as_deref(), Some(rp.state.as_str()));
    assert_eq!(reply.parameter("iss"), Some(server.issuer("main")));
    let tokens = rp.redeem(&browser, &reply.parameter("code").unwrap()).await.unwrap();
    assert_eq!(tokens.id_claims()["nonce"], rp.nonce.as_str());
}

/// N04; `ensure-different-nonce/-state-inside-and-outside`, `state-only-outside-request-object-not-used`, `happy-flow`
/// with duplicated parameters.
#[tokio::test]
async fn n04_what_stands_outside_of_a_pushed_request_is_ignored() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let reply = push(&rp, &browser, &[("state", None), ("nonce", Some("inside"))]).await;
    let request_uri = reply.json()["request_uri"].as_str().unwrap().to_owned();
    let outside = [
        ("state", "outside"),
        ("nonce", "outside"),
        ("redirect_uri", "https://evil.test/"),
        ("response_type", "token"),
        ("scope", "openid offline_access"),
        ("response_mode", "fragment"),
        ("prompt", "none"),
        ("request", "e30.e30."),
    ];
    let page = browser.open(&opening(&rp, &request_uri, &outside)).await;
    let reply = browser.submit(&page, &ALICE).await;
    assert!(reply.location().starts_with("https://app.example/cb?"), "{}", reply.location());
    assert_eq!(reply.parameter("state"), None);
    let tokens = rp.redeem(&browser, &reply.parameter("code").unwrap()).await.unwrap();
    assert_eq!(tokens.id_claims()["nonce"], "inside");
    assert!(!tokens.text("scope").contains("offline_access"));
}

/// N04; `par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`, `par-attempt-reuse-request_uri`.
#[tokio::test]
async fn n04_a_reference_is_good_until_a_code_was_issued_for_it() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let request_uri = pushed(&rp, &browser).await;
    let address = opening(&rp, &request_uri, &[]);
    let first = browser.open(&address).await;
    let second = browser.open(&address).await;
    assert!(first.body.contains("kc-form-login") && second.body.contains("kc-form-login"), "a reload");
    assert!(browser.submit(&second, &ALICE).await.parameter("code").is_some());
    is_page(&browser.get(&address).await, "opened again");
    is_page(&browser.submit(&first, &ALICE).await, "the other tab");
    let mut stranger = server.browser();
    is_page(&stranger.get(&address).await, "opened in another browser");
}

/// N04; `par-attempt-to-use-expired-request_uri`.
#[tokio::test]
async fn n04_a_reference_ends() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let request_uri = pushed(&rp, &browser).await;
    let address = opening(&rp, &request_uri, &[]);
    server.clock().advance(89);
    let page = browser.open(&address).await;
    assert!(page.body.contains("kc-form-login"));
    server.clock().advance(1);
    is_page(&browser.get(&address).await, "after expires_in");
    server.clock().advance(600);
    let reply = browser.submit(&page, &ALICE).await;
    assert!(reply.parameter("code").is_some(), "who came in time may take time: {}", reply.body);
}

/// N04; `par-attempt-to-use-request_uri-for-different-client`.
#[tokio::test]
async fn n04_a_reference_is_its_clients() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let request_uri = pushed(&rp, &browser).await;
    let mut other = server.rp("other", Some("other-secret-that-is-long"));
    other.redirect_uri = "https://other.example/cb".to_owned();
    is_page(&browser.get(&opening(&other, &request_uri, &[])).await, "another client");
    let nobody = server.rp("nobody", None);
    is_page(&browser.get(&opening(&nobody, &request_uri, &[])).await, "no client");
    let without = format!("{}?request_uri={request_uri}", rp.endpoint("auth"));
    is_page(&browser.get(&without).await, "no client_id");
    is_page(&browser.get(&opening(&rp, &format!("{request_uri}x"), &[])).await, "altered");
    let page = browser.open(&opening(&rp, &request_uri, &[])).await;
    assert!(page.body.contains("kc-form-login"), "its own client is not hurt by that");
}

/// N04; `ensure-unsigned-authorization-request-without-using-par-fails`.
#[tokio::test]
async fn rfc9126_6_a_client_that_must_push_is_refused_without() {
    let server = server().await;
    let rp = app(&server);
    let reply = server.browser().get(&rp.authorize_url()).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{}", reply.location());
    assert_eq!(reply.parameter("code"), None);
}

#[tokio::test]
async fn rfc9126_5_a_realm_that_must_push_says_so() {
    let realm = REALM.replace("lifetimes", "require_pushed_authorization_requests = true\nlifetimes");
    let server =
        TestServer::with(Options { realm: Some(realm), strict: true, ..Options::default() }).await.unwrap();
    let mut rp = server.rp("other", Some("other-secret-that-is-long"));
    rp.redirect_uri = "https://other.example/cb".to_owned();
    let mut browser = server.browser();
    let reply = browser.get(&rp.authorize_url()).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"));
    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let document = browser.get(&address).await.json();
    assert_eq!(document["require_pushed_authorization_requests"], true);
    assert_eq!(document["pushed_authorization_request_endpoint"], rp.endpoint("ext/par/request"));
}

/// `par-authorization-request-containing-request_uri-form-param`, `par-ensure-pkce-required`, `par-plain-pkce-rejected`,
/// `ensure-request-object-without-redirect-uri-fails`, `ensure-redirect-uri-in-authorization-request`,
/// `plain-fapi-tolerate-unregistered-redirect-uri`, `ensure-response-type-code-idtoken-fails`,
/// `ensure-response-type-token-fails`.
#[tokio::test]
async fn rfc9126_2_3_what_is_wrong_is_refused_when_it_is_pushed() {
    let server = server().await;
    let (rp, browser) = (app(&server), server.browser());
    for (case, change, code) in [
        ("request_uri", ("request_uri", Some("urn:ietf:params:oauth:request_uri:x")), "invalid_request"),
        ("no redirect_uri", ("redirect_uri", None), "invalid_request"),
        ("unregistered", ("redirect_uri", Some("https://evil.test/")), "invalid_request"),
        ("no PKCE", ("code_challenge", None), "invalid_request"),
        ("plain PKCE", ("code_challenge_method", Some("plain")), "invalid_request"),
        ("token", ("response_type", Some("token")), "unsupported_response_type"),
        ("hybrid", ("response_type", Some("code id_token")), "unsupported_response_type"),
        ("scope", ("scope", Some("openid admin")), "invalid_scope"),
        ("claims", ("claims", Some("[]")), "invalid_request"),
        ("prompt", ("prompt", Some("none login")), "invalid_request"),
        ("another client_id", ("client_id", Some("other")), "invalid_request"),
    ] {
        is_error(&push(&rp, &browser, &[change]).await, 400, code, case);
    }
    let twice = rp.post(&browser, "ext/par/request", &[("state", "a"), ("state", "b")]).await;
    is_error(&twice, 400, "invalid_request", "O02 twice");
}

/// `par-attempt-invalid-http-method`; C01 at this endpoint.
#[tokio::test]
async fn rfc9126_2_a_client_proves_itself_by_post() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        let reply = browser.send(method.clone(), &rp.endpoint("ext/par/request"), None, &[]).await;
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.header("allow").contains("POST"), "{method}: {}", reply.header("allow"));
    }
    for (case, rp) in [
        ("wrong secret", Rp { secret: Some("wrong".into()), ..rp.clone() }),
        ("no secret", Rp { secret: None, ..rp.clone() }),
        ("unknown client", Rp { client_id: "nobody".into(), ..rp.clone() }),
    ] {
        is_error(&push(&rp, &browser, &[]).await, 401, "invalid_client", case);
    }
}

#[tokio::test]
async fn rfc9126_2_public_clients_push_too_and_from_a_browser() {
    let server = server().await;
    let mut rp = server.rp("spa", None);
    rp.redirect_uri = "https://spa.example/cb".to_owned();
    let mut browser = server.browser();
    browser.headers.push(("origin".into(), "https://spa.example".into()));
    let reply = push(&rp, &browser, &[]).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.header("access-control-allow-origin"), "https://spa.example");
}

/// As D06 asks of devices: a public client proves nothing, so what it leaves here is bounded.
#[tokio::test]
async fn a_flood_of_pushed_requests_is_bounded() {
    let server = server().await;
    let mut rp = server.rp("spa", None);
    rp.redirect_uri = "https://spa.example/cb".to_owned();
    let browser = server.browser();
    let mut refused = None;
    for count in 0..=500 {
        let reply = push(&rp, &browser, &[]).await;
        if reply.status != 201 {
            refused = Some((count, reply));
            break;
        }
    }
    let (count, reply) = refused.unwrap();
    assert_eq!(count, 500);
    is_error(&reply, 429, "temporarily_unavailable", "flood");
    assert_eq!(reply.header("retry-after"), "1890");
    assert_eq!(push(&app(&server), &browser, &[]).await.status, 201, "a client that proves itself");
}

/// R08 (b): what was pushed reaches no cookie and no address.
#[tokio::test]
async fn r08_a_pushed_request_stays_on_the_server() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let request_uri = pushed(&rp, &browser).await;
    let page = browser.open(&opening(&rp, &request_uri, &[])).await;
    for value in browser.cookies().values().chain([&page.form_action()]) {
        for secret in [rp.state.as_str(), &rp.nonce, "app.example", &request_uri] {
            assert!(!value.contains(secret), "{secret} in {value}");
        }
    }
}

/// A push of everything that the endpoint takes at once, longer than an address may be.
#[tokio::test]
async fn long_requests_are_pushed() {
    let server = server().await;
    let (rp, mut browser) = (app(&server), server.browser());
    let names: serde_json::Map<String, serde_json::Value> =
        (0..220).map(|n| (format!("claim{n:03}"), json!(null))).collect();
    let (claims, state) = (json!({ "userinfo": names }).to_string(), "s".repeat(3_900));
    assert!(claims.len() + state.len() > 7_000);
    let reply = push(&rp, &browser, &[("claims", Some(&claims)), ("state", Some(&state))]).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let request_uri = reply.json()["request_uri"].as_str().unwrap().to_owned();
    let page = browser.open(&opening(&rp, &request_uri, &[])).await;
    let reply = browser.submit(&page, &ALICE).await;
    assert_eq!(reply.parameter("state").as_deref(), Some(state.as_str()), "{}", reply.body);
}
