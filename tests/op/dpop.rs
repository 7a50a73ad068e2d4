//! Tokens that are bound to a key (RFC 9449), at each endpoint that issues or takes them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::clock::Timestamp;
use vestibule::testing::{Browser, Options, ProofKey, Reply, Rp, TestServer};

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "spa"
public = true
redirect_uris = ["http://localhost:3000/callback"]
web_origins = ["http://localhost:3000"]
[[realm.clients]]
id = "web"
secret = "web-secret"
redirect_uris = ["http://localhost:3000/callback"]
[[realm.clients]]
id = "bound"
secret = "bound-secret"
redirect_uris = ["http://localhost:3000/callback"]
grants = ["authorization_code", "refresh_token", "client_credentials"]
dpop_bound_access_tokens = true
[[realm.users]]
username = "alice"
password = "alice"
email = "alice@example.com"
"#;

async fn server() -> TestServer {
    TestServer::with_realm(REALM).await.unwrap()
}

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A client with a key of its own.
fn with_key(server: &TestServer, client_id: &str, secret: Option<&str>) -> (Rp, ProofKey) {
    let key = server.proof_key();
    let mut rp = server.rp(client_id, secret);
    rp.dpop = Some(key.clone());
    (rp, key)
}

fn is_error(reply: &Reply, status: u16, code: &str, row: &str) {
    let told = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
    assert_eq!(told, (status, Some(code.to_owned())), "{row}: {}", reply.body);
}

async fn ask_userinfo(server: &TestServer, headers: &[(&str, &str)]) -> Reply {
    let address = server.rp("spa", None).endpoint("userinfo");
    server.browser().send(Method::GET, &address, None, headers).await
}

#[tokio::test]
async fn rfc9449_5_tokens_are_bound_to_the_key_of_the_proof() {
    let server = server().await;
    let (rp, key) = with_key(&server, "spa", None);
    let mut browser = server.browser();
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert_eq!(tokens.text("token_type"), "DPoP");
    assert_eq!(tokens.access_claims()["cnf"], json!({ "jkt": key.jkt() }));
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.json()["email"], "alice@example.com");

    let told = server.rp("web", Some("web-secret")).introspect(&browser, tokens.access_token()).await.json();
    assert_eq!(told, json!({ "active": false }), "it is not for web");
    let (bound, key) = with_key(&server, "bound", Some("bound-secret"));
    let tokens = bound.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let told = bound.introspect(&browser, tokens.access_token()).await.json();
    assert_eq!((&told["cnf"], &told["token_type"]), (&json!({ "jkt": key.jkt() }), &json!("DPoP")));

    let refreshed = bound.refresh(&browser, tokens.refresh_token()).await.unwrap();
    assert_eq!(refreshed.access_claims()["cnf"], json!({ "jkt": key.jkt() }));
    let own = bound.tokens(&browser, &[("grant_type", "client_credentials")]).await.unwrap();
    assert_eq!((own.text("token_type"), &own.access_claims()["cnf"]), ("DPoP", &json!({ "jkt": key.jkt() })));
}

#[tokio::test]
async fn without_a_proof_tokens_are_bearer_tokens() {
    let server = server().await;
    let tokens = server.sign_in("spa", None, "alice", "alice").await.unwrap();
    assert_eq!((tokens.text("token_type"), tokens.access_claims().get("cnf")), ("Bearer", None));
}

/// J07, CVE-2024-49755: the token alone opens nothing.
#[tokio::test]
async fn j07_a_bound_token_is_no_bearer_token() {
    let server = server().await;
    let (rp, key) = with_key(&server, "spa", None);
    let tokens = rp.sign_in(&mut server.browser(), "alice", "alice").await.unwrap();
    let token = tokens.access_token();
    let bearer = format!("Bearer {token}");
    let address = rp.endpoint("userinfo");
    let proof = || key.proof("GET", &address, Some(token));
    for (row, headers) in [
        ("alone", vec![("authorization", bearer.as_str())]),
        ("beside a good proof", vec![("authorization", bearer.as_str()), ("dpop", &proof())]),
    ] {
        let reply = ask_userinfo(&server, &headers).await;
        is_error(&reply, 401, "invalid_token", row);
        assert!(reply.header("www-authenticate").starts_with("DPoP error="), "{row}");
        assert!(reply.header("www-authenticate").contains("algs=\"ES256 EdDSA PS256\""), "{row}");
    }
    let form = server.browser().post(&address, &[("access_token", token)]).await;
    is_error(&form, 401, "invalid_token", "in a form");

    let unbound = server.sign_in("spa", None, "alice", "alice").await.unwrap();
    let token = unbound.access_token();
    let (scheme, proof) = (format!("DPoP {token}"), key.proof("GET", &address, Some(token)));
    let reply = ask_userinfo(&server, &[("authorization", &scheme), ("dpop", &proof)]).await;
    is_error(&reply, 401, "invalid_token", "an unbound token that is said to be bound");

    let nothing = ask_userinfo(&server, &[]).await;
    let challenges: Vec<_> = nothing.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges, ["Bearer", "DPoP algs=\"ES256 EdDSA PS256\""]);
}

/// A token request of `rp` with these proofs.
async fn request_token(browser: &Browser, rp: &Rp, proofs: &[String], fields: &[(&str, &str)]) -> Reply {
    let mut browser = browser.clone();
    browser.headers.extend(proofs.iter().map(|proof| ("dpop".to_owned(), proof.clone())));
    Rp { dpop: None, ..rp.clone() }.token_request(&browser, fields).await
}

#[tokio::test]
async fn j07_the_token_endpoint_judges_proofs() {
    let server = server().await;
    let (rp, key) = with_key(&server, "bound", Some("bound-secret"));
    let (browser, address) = (server.browser(), rp.endpoint("token"));
    let fields = [("grant_type", "client_credentials")];
    let proof = |header: Value, claims: Value| key.proof_with("POST", &address, None, header, claims);
    let good = || proof(json!({}), json!({}));
    let now = server.clock().now().0;
    for (row, proofs) in [
        ("none", vec![]),
        ("two", vec![good(), good()]),
        ("no proof at all", vec!["proof".into()]),
        ("empty", vec![String::new()]),
        ("another method", vec![proof(json!({}), json!({ "htm": "GET" }))]),
        ("another endpoint", vec![proof(json!({}), json!({ "htu": rp.endpoint("userinfo") }))]),
        ("another server", vec![proof(json!({}), json!({ "htu": "https://evil.test/token" }))]),
        ("old", vec![proof(json!({}), json!({ "iat": now - 3_600 }))]),
        ("of the future", vec![proof(json!({}), json!({ "iat": now + 3_600 }))]),
        ("unsigned", vec![proof(json!({ "alg": "none" }), json!({}))]),
        ("a shared secret", vec![proof(json!({ "alg": "HS256" }), json!({}))]),
        ("another key", vec![proof(json!({ "jwk": server.proof_key().jwk() }), json!({}))]),
    ] {
        is_error(&request_token(&browser, &rp, &proofs, &fields).await, 400, "invalid_dpop_proof", row);
    }
    let once = good();
    let first = request_token(&browser, &rp, std::slice::from_ref(&once), &fields).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let again = request_token(&browser, &rp, std::slice::from_ref(&once), &fields).await;
    is_error(&again, 400, "invalid_dpop_proof", "the same once more");
    assert_eq!(again.header("cache-control"), "no-store");
}

#[tokio::test]
async fn j07_of_twenty_requests_with_one_proof_one_is_answered() {
    let server = server().await;
    let (rp, key) = with_key(&server, "spa", None);
    let mut browser = server.browser();
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let token = tokens.access_token().to_owned();
    let (scheme, proof) = (format!("DPoP {token}"), key.proof("GET", &rp.endpoint("userinfo"), Some(&token)));
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (mut browser, address) = (server.browser(), rp.endpoint("userinfo"));
        let headers = [("authorization".to_owned(), scheme.clone()), ("dpop".to_owned(), proof.clone())];
        browser.headers.extend(headers);
        requests.spawn(async move { browser.get(&address).await.status.as_u16() });
    }
    let mut statuses = requests.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 19, "{statuses:?}");
}

#[tokio::test]
async fn f08_a_refresh_needs_the_key_it_is_bound_to() {
    let server = server().await;
    let browser = server.browser();
    for (client_id, secret, other_key) in [("spa", None, 400), ("web", Some("web-secret"), 200)] {
        let (rp, _) = with_key(&server, client_id, secret);
        let tokens = rp.sign_in(&mut server.browser(), "alice", "alice").await.unwrap();
        let without = Rp { dpop: None, ..rp.clone() };
        let refused = without.refresh(&browser, tokens.refresh_token()).await.unwrap_err();
        is_error(&refused, 400, "invalid_dpop_proof", client_id);
        // Neither attempt counts as a use, so the one that holds the key goes on.
        let other = Rp { dpop: Some(server.proof_key()), ..rp.clone() };
        let tokens = match other.refresh(&browser, tokens.refresh_token()).await {
            Ok(tokens) => (200, tokens),
            Err(refused) => {
                is_error(&refused, 400, "invalid_grant", client_id);
                (400, rp.refresh(&browser, tokens.refresh_token()).await.unwrap())
            }
        };
        assert_eq!(tokens.0, other_key, "RFC 9449 §5: {client_id}");
        assert_eq!(tokens.1.text("token_type"), "DPoP");
        assert!(rp.refresh(&browser, tokens.1.refresh_token()).await.is_ok(), "{client_id}");
    }
}

/// Signs in with a code that is bound to `jkt`, and gives the code.
async fn bound_code(server: &TestServer, rp: &Rp, jkt: &str) -> String {
    let mut browser = server.browser();
    let page = browser.open(&rp.authorize_url_with(&[("dpop_jkt", Some(jkt))])).await;
    let reply = browser.submit(&page, &[("username", "alice"), ("password", "alice")]).await;
    reply.parameter("code").unwrap()
}

#[tokio::test]
async fn rfc9449_10_a_code_is_bound_to_the_key_of_its_request() {
    let server = server().await;
    let browser = server.browser();
    let (rp, key) = with_key(&server, "spa", None);
    let code = bound_code(&server, &rp, &key.jkt()).await;
    let without = Rp { dpop: None, ..rp.clone() }.redeem(&browser, &code).await.unwrap_err();
    is_error(&without, 400, "invalid_dpop_proof", "no proof");
    let other =
        Rp { dpop: Some(server.proof_key()), ..rp.clone() }.redeem(&browser, &code).await.unwrap_err();
    is_error(&other, 400, "invalid_grant", "another key");
    let tokens = rp.redeem(&browser, &code).await.unwrap();
    // A thief without the key cannot use the rule against replays to end what the key's holder got.
    let replay =
        Rp { dpop: Some(server.proof_key()), ..rp.clone() }.redeem(&browser, &code).await.unwrap_err();
    is_error(&replay, 400, "invalid_grant", "a thief's replay");
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 200);
    is_error(&rp.redeem(&browser, &code).await.unwrap_err(), 400, "invalid_grant", "a replay");
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 401, "and its grant is revoked");

    let malformed = server.browser().get(&rp.authorize_url_with(&[("dpop_jkt", Some("x"))])).await;
    assert_eq!(malformed.parameter("error").as_deref(), Some("invalid_request"));
}

/// Pushes the request of `rp` with a proof, if it has a key, and gives the answer.
async fn push(server: &TestServer, rp: &Rp, jkt: Option<&str>) -> Reply {
    let parameters = rp.parameters();
    let mut fields: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    fields.retain(|(name, _)| *name != "client_id" || rp.secret.is_none());
    fields.extend(jkt.map(|jkt| ("dpop_jkt", jkt)));
    rp.post(&server.browser(), "ext/par/request", &fields).await
}

#[tokio::test]
async fn rfc9449_10_1_a_proof_binds_the_code_of_a_pushed_request() {
    let server = server().await;
    let (rp, key) = with_key(&server, "web", Some("web-secret"));
    let other = server.proof_key();
    is_error(&push(&server, &rp, Some(&other.jkt())).await, 400, "invalid_dpop_proof", "two keys");
    for jkt in [None, Some(key.jkt())] {
        let kept = push(&server, &rp, jkt.as_deref()).await;
        assert_eq!(kept.status, 201, "{}", kept.body);
        let uri = kept.json()["request_uri"].as_str().unwrap().to_owned();
        let query = [("client_id", "web"), ("request_uri", uri.as_str())];
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let mut browser = server.browser();
        let page = browser.open(&format!("{}?{query}", rp.endpoint("auth"))).await;
        let reply = browser.submit(&page, &[("username", "alice"), ("password", "alice")]).await;
        let code = reply.parameter("code").unwrap();
        let thief = Rp { dpop: Some(other.clone()), ..rp.clone() };
        is_error(&thief.redeem(&browser, &code).await.unwrap_err(), 400, "invalid_grant", "another key");
        assert_eq!(rp.redeem(&browser, &code).await.unwrap().text("token_type"), "DPoP");
    }
    let bound = server.rp("bound", Some("bound-secret"));
    assert_eq!(push(&server, &bound, None).await.status, 201, "no token is issued here");
}

#[tokio::test]
async fn rfc9449_8_a_realm_may_ask_for_nonces() {
    let realm = REALM.replace("name = \"main\"", "name = \"main\"\ndpop_nonce = true");
    let frozen_at = Some(Timestamp(1_800_000_000));
    let options = Options { realm: Some(realm), frozen_at, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let (rp, key) = with_key(&server, "bound", Some("bound-secret"));
    let (browser, address) = (server.browser(), rp.endpoint("token"));
    let fields = [("grant_type", "client_credentials"), ("scope", "openid")];
    let proof = |claims: Value| [key.proof_with("POST", &address, None, json!({}), claims)];

    let refused = request_token(&browser, &rp, &proof(json!({})), &fields).await;
    is_error(&refused, 400, "use_dpop_nonce", "without");
    let nonce = refused.header("dpop-nonce").to_owned();
    let granted = request_token(&browser, &rp, &proof(json!({ "nonce": nonce })), &fields).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let next = granted.header("dpop-nonce");
    assert!(!next.is_empty() && next != nonce, "the next one comes with the answer");
    let off = proof(json!({ "nonce": next, "iat": server.clock().now().0 - 3_600 }));
    assert_eq!(
        request_token(&browser, &rp, &off, &fields).await.status,
        200,
        "the client's clock may be off"
    );
    for made_up in ["x", "AAAA", key.jkt().as_str()] {
        let reply = request_token(&browser, &rp, &proof(json!({ "nonce": made_up })), &fields).await;
        is_error(&reply, 400, "use_dpop_nonce", made_up);
    }
    server.clock().advance(301);
    let late = request_token(&browser, &rp, &proof(json!({ "nonce": nonce })), &fields).await;
    is_error(&late, 400, "use_dpop_nonce", "late");

    let at = late.header("dpop-nonce").to_owned();
    let tokens = request_token(&browser, &rp, &proof(json!({ "nonce": at })), &fields).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let scheme = format!("DPoP {token}");
    let proof = key.proof("GET", &rp.endpoint("userinfo"), Some(token));
    let reply = ask_userinfo(&server, &[("authorization", &scheme), ("dpop", &proof)]).await;
    is_error(&reply, 401, "use_dpop_nonce", "at a resource");
    assert!(reply.header("www-authenticate").starts_with("DPoP error=\"use_dpop_nonce\""));
    assert!(!reply.header("dpop-nonce").is_empty());
}

#[tokio::test]
async fn a_script_may_send_proofs_and_read_nonces() {
    let server = server().await;
    let (rp, _) = with_key(&server, "spa", None);
    let origin = [("origin", "http://localhost:3000")];
    let preflight = server.browser().send(Method::OPTIONS, &rp.endpoint("token"), None, &origin).await;
    assert!(preflight.header("access-control-allow-headers").contains("DPoP"));
    let mut browser = server.browser();
    browser.headers.push(("origin".into(), "http://localhost:3000".into()));
    let reply = rp.token_request(&browser, &[("grant_type", "authorization_code"), ("code", "x")]).await;
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:3000");
    assert!(reply.header("access-control-expose-headers").contains("DPoP-Nonce"));
}

/// Where the logs of this test's thread go.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A replay is the client's doing: it must not fill the log with trouble of ours.
#[tokio::test]
async fn j07_a_replay_beside_another_refusal_is_no_error_of_the_server() {
    let server = server().await;
    let log = Log::default();
    let made = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || made.clone()).finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let (rp, key) = with_key(&server, "bound", Some("bound-secret"));
    let proof = key.proof("POST", &rp.endpoint("token"), None);
    let proofs = std::slice::from_ref(&proof);
    for (code, error) in [("unknown", "invalid_grant"), ("unknown", "invalid_dpop_proof")] {
        let fields = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
        let fields = [&fields[..], &[("redirect_uri", "http://localhost:3000/callback")]].concat();
        let reply = request_token(&server.browser(), &rp, proofs, &fields).await;
        is_error(&reply, 400, error, "the same proof");
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("ERROR"), "{log}");
}
