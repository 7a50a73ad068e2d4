//! Where answers may go: rows R03, R04, R05 and R07 of the attack table (R01, R02 and R06 are in `rows.rs`).

use scraper::{Html, Selector};
use vestibule::protocol::outbound::OutboundRules;
use vestibule::realm_file::{self, Format, production_refusals};
use vestibule::testing::{Options, Reply, Rp, TestServer};

use crate::common::{Scene, attribute, is_error, is_page, is_sign_in};

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
grants = ["authorization_code"]
[[realm.clients]]
id = "native"
public = true
native = true
redirect_uris = ["http://127.0.0.1/cb", "http://[::1]/cb"]
grants = ["authorization_code"]
[[realm.clients]]
id = "not-native"
public = true
redirect_uris = ["http://127.0.0.1/cb"]
grants = ["authorization_code"]
"#;

async fn production() -> TestServer {
    let options = Options { realm: Some(REALM.to_owned()), strict: true, ..Options::default() };
    TestServer::with(options).await.unwrap()
}

async fn ask(server: &TestServer, client: &str, redirect_uri: &str) -> Reply {
    let rp = Rp::new(server.issuer("main"), client, None);
    server.browser().get(&rp.authorize_url_with(&[("redirect_uri", Some(redirect_uri))])).await
}

#[tokio::test]
async fn r03_a_host_is_compared_to_its_end_and_a_dot_is_a_dot() {
    let server = production().await;
    is_sign_in(&ask(&server, "app", "https://app.example/cb").await, "the registered one");
    for uri in [
        "https://app.example.evil.test/cb",
        "https://appXexample/cb",
        "https://app.example",
        "https://app.example/cbx",
        "https://app.example/cb/x",
        "https://sub.app.example/cb",
    ] {
        is_page(&ask(&server, "app", uri).await, uri);
    }
}

#[tokio::test]
async fn r04_the_port_alone_is_free_and_only_for_a_native_client() {
    let server = production().await;
    for uri in ["http://127.0.0.1/cb", "http://127.0.0.1:51234/cb", "http://[::1]:51234/cb"] {
        is_sign_in(&ask(&server, "native", uri).await, uri);
    }
    for uri in [
        "http://127.0.0.1:51234/cb?x=1",
        "http://127.0.0.1:51234/other",
        "http://localhost:51234/cb",
        "http://127.0.0.1.evil.test/cb",
        "http://127.1/cb",
        "http://0x7f000001/cb",
        "http://2130706433/cb",
        "https://127.0.0.1:1/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:+1/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:51234/cb#f",
        "http://[::ffff:127.0.0.1]:1/cb",
    ] {
        is_page(&ask(&server, "native", uri).await, uri);
    }
    for (client, uri) in [("app", "http://127.0.0.1/cb"), ("not-native", "http://127.0.0.1:51234/cb")] {
        is_page(&ask(&server, client, uri).await, uri);
    }
}

/// What a realm file may register. A refusal names the field, and production's list is the stricter one.
#[test]
fn r03_r05_what_cannot_be_registered() {
    let refusals = |field: &str, uri: &str| {
        let list = field.ends_with("uris");
        let value = if list { format!("[{uri:?}]") } else { format!("{uri:?}") };
        let toml = format!("[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"app\"\n{field} = {value}\n");
        match realm_file::parse(&toml, Format::Toml, "realm.toml", &|_| None) {
            Err(problems) => (problems.to_string(), true),
            Ok(realms) => {
                let problems = production_refusals(&realms[0], OutboundRules::default());
                (problems.iter().map(|one| one.field.clone()).collect(), false)
            }
        }
    };
    let fields =
        ["redirect_uris", "post_logout_redirect_uris", "client_uri", "logo_uri", "policy_uri", "tos_uri"];
    for field in fields {
        let (problems, _) = refusals(field, "https://app.example/cb");
        assert_eq!(problems, "", "{field}: the good one");
        for uri in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:msgbox(1)",
            "blob:https://app.example/x",
            "file:///etc/passwd",
            "https://user@app.example/cb",
            "//app.example/cb",
            "/cb",
        ] {
            let (problems, everywhere) = refusals(field, uri);
            assert!(everywhere && problems.contains(field), "{field} = {uri:?}: {problems}");
        }
        let (problems, everywhere) = refusals(field, "http://public.example/cb");
        assert!(!everywhere && problems.contains(field), "{field}: plain http in production: {problems}");
    }
    for field in &fields[..2] {
        for uri in [
            "https://app.example/cb#f",
            "https://app.example/cb?code=1",
            "https://app.example/cb?a=1&state=2",
            "https://app.example/cb?iss=x",
            "https://app.example/cb?error=x",
            "https://*.example/cb",
            "https://app.example*",
            "https://app\\.example/.*",
            "https://APP.example/cb",
            "https://app.example/a/../cb",
        ] {
            let (problems, everywhere) = refusals(field, uri);
            assert!(everywhere && problems.contains(field), "{field} = {uri:?}: {problems}");
        }
        for pattern in ["https://app.example/*", "*"] {
            let (problems, everywhere) = refusals(field, pattern);
            assert!(!everywhere && problems.contains(field), "{field} = {pattern} in production: {problems}");
        }
    }
}

#[tokio::test]
async fn r07a_the_redirect_uri_of_the_request_must_come_again() {
    let mut scene = Scene::new().await;
    let code = scene.browser.get(&scene.rp.authorize_url()).await.parameter("code").unwrap();
    let good = scene.rp.redirect_uri.clone();
    for other in [None, Some("http://localhost:3000/other"), Some("http://localhost:3001/callback"), Some("")]
    {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &scene.rp.verifier),
        ];
        fields.extend(other.map(|uri| ("redirect_uri", uri)));
        let reply = scene.rp.token_request(&scene.browser, &fields).await;
        is_error(&reply, 400, "invalid_grant", &format!("R07a {other:?}"));
    }
    scene.rp.redirect_uri = good;
    assert!(scene.rp.redeem(&scene.browser, &code).await.is_ok());
}

#[tokio::test]
async fn r07b_a_state_makes_no_header() {
    let scene = Scene::new().await;
    for state in
        ["x\r\nSet-Cookie: a=b", "x\nLocation: https://evil.test/", "\u{202e}x", "a b+c&d=e#f?g", "ä€"]
    {
        let mut browser = scene.browser.clone();
        let reply = browser.get(&scene.rp.authorize_url_with(&[("state", Some(state))])).await;
        assert_eq!(reply.parameter("state").as_deref(), Some(state));
        assert!(reply.headers.get("set-cookie").is_none(), "{state:?}");
        assert!(reply.location().starts_with("http://localhost:3000/callback?"), "{state:?}");
        assert!(reply.location().is_ascii(), "{state:?}");
    }
    for state in ["\0".to_owned(), "x".repeat(5_000)] {
        let reply = scene.browser.clone().get(&scene.rp.authorize_url_with(&[("state", Some(&state))])).await;
        is_page(&reply, "R07b a state that cannot be read");
    }
}

#[tokio::test]
async fn r07c_a_state_is_only_a_value_in_the_form_that_is_posted() {
    let scene = Scene::new().await;
    let state = "\"><svg onload=1>'</form><script>alert(1)</script>";
    let changes = [("state", Some(state)), ("response_mode", Some("form_post"))];
    let reply = scene.browser.clone().get(&scene.rp.authorize_url_with(&changes)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(attribute(&reply, "form", "action").as_deref(), Some("http://localhost:3000/callback"));
    assert_eq!(attribute(&reply, "form", "method").as_deref(), Some("post"));
    assert_eq!(attribute(&reply, "input[name=state]", "value").as_deref(), Some(state));
    let page = Html::parse_document(&reply.body);
    let scripts = page.select(&Selector::parse("script").unwrap()).collect::<Vec<_>>();
    assert_eq!(scripts.len(), 1, "the one that posts");
    assert!(page.select(&Selector::parse("svg").unwrap()).next().is_none());
    let nonce = scripts[0].value().attr("nonce").unwrap();
    assert!(nonce.len() >= 22);
    assert!(reply.header("content-security-policy").contains(&format!("script-src 'nonce-{nonce}'")));
}

/// A browser that followed 307 would post the password once more, to the client (RFC 9700 §4.12).
#[tokio::test]
async fn r07d_a_form_is_answered_with_303() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("third-party", Some("third-party-secret")), server.browser());
    let page = browser.open(&rp.authorize_url()).await;
    let mut reply = browser.post(&page.form_action(), &[("username", "alice"), ("password", "alice")]).await;
    assert_eq!(reply.status, 303, "sign-in");
    let page = browser.follow(reply).await;
    reply = browser.post(&page.form_action(), &[("accept", "Yes")]).await;
    assert_eq!(reply.status, 303, "consent");
    assert!(reply.parameter("code").is_some());
    let page = browser.open(&format!("{}/account/", rp.issuer)).await;
    let hidden = page.hidden_fields();
    let fields = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>();
    assert_eq!(browser.post(&page.form_action(), &fields).await.status, 303, "account");
    let by_post = browser.clone().post(&rp.endpoint("auth"), &[("client_id", "third-party")]).await;
    assert!(matches!(by_post.status.as_u16(), 303 | 400), "authorization by POST");
}

/// No page takes an address to return to: what a sign-in leads back to is kept by the server.
#[tokio::test]
async fn l03_no_parameter_sends_a_person_elsewhere() {
    let server = TestServer::start().await.unwrap();
    let realm = server.issuer("main");
    for evil in [
        "//evil.test",
        "/%5Cevil.test",
        "/%09/evil.test",
        "/%0d%0aevil.test",
        "https:/evil.test",
        "/..//evil.test",
    ] {
        let names = ["continue", "next", "redirect", "referrer", "referrer_uri", "return_to", "url"];
        let query = names.map(|name| format!("{name}={evil}")).join("&");
        for page in ["account/", "device", "protocol/openid-connect/logout"] {
            let mut browser = server.browser();
            let mut reply = browser.open(&format!("{realm}/{page}?{query}")).await;
            if reply.body.contains("kc-form-login") {
                assert!(!reply.body.contains("evil.test"), "{page} {evil}");
                reply = browser.submit(&reply, &[("username", "alice"), ("password", "alice")]).await;
                assert!(reply.location().is_empty() || reply.location().starts_with(&realm), "{page} {evil}");
            }
            let told = format!("{}{}", reply.location(), reply.body);
            assert!(!told.contains("evil.test"), "{page} {evil}: {told}");
        }
    }
}
