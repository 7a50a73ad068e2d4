//! The login status frame (OpenID Connect Session Management 1.0) at Keycloak's addresses. What its script says is
//! tested in a browser, by `tests/interop`.

use vestibule::testing::{Options, TestServer};

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "spa"
public = true
redirect_uris = ["https://app.example/cb"]
web_origins = ["https://spa.example"]
[[realm.users]]
username = "alice"
password = "correct horse"
"#;

async fn strict() -> TestServer {
    let options = Options { realm: Some(REALM.to_owned()), strict: true, ..Options::default() };
    TestServer::with(options).await.unwrap()
}

#[tokio::test]
async fn session_management_3_3_the_frame_may_be_framed_and_does_nothing_else() {
    let server = strict().await;
    let mut browser = server.browser();
    let document = browser.get(&format!("{}/.well-known/openid-configuration", server.issuer("main"))).await;
    let address = server.issuer("main") + "/protocol/openid-connect/login-status-iframe.html";
    assert_eq!(document.json()["check_session_iframe"], address.as_str());
    let cookies = address.replace("login-status-iframe.html", "3p-cookies/step1.html");
    for address in [&address, &cookies] {
        let frame = browser.get(address).await;
        assert_eq!(frame.status, 200);
        assert_eq!(frame.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(frame.header("x-frame-options"), "", "{address}");
        let policy = frame.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(!policy.contains("frame-ancestors") && !policy.contains("unsafe"), "{policy}");
        assert!(frame.body.contains("postMessage") && !frame.body.contains("<form"), "{}", frame.body);
    }
    assert!(browser.get(&address).await.body.contains("data-cookie=\"__Host-main-state\""));
}

#[tokio::test]
async fn only_pages_of_the_client_may_ask() {
    let server = strict().await;
    let mut browser = server.browser();
    let init = server.issuer("main") + "/protocol/openid-connect/login-status-iframe.html/init";
    for (query, status) in [
        ("client_id=spa&origin=https%3A%2F%2Fspa.example", 204),
        ("client_id=spa&origin=https%3A%2F%2Fapp.example", 204),
        ("client_id=spa&origin=https%3A%2F%2Fevil.test", 403),
        ("client_id=spa&origin=null", 403),
        ("client_id=nobody&origin=https%3A%2F%2Fspa.example", 403),
        ("client_id=spa", 403),
        ("origin=https%3A%2F%2Fspa.example", 403),
        ("client_id=spa&client_id=spa&origin=https%3A%2F%2Fspa.example", 403),
        ("", 403),
    ] {
        let reply = browser.get(&format!("{init}?{query}")).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (status, ""), "{query}");
    }
}

#[tokio::test]
async fn the_cookie_that_the_frame_reads_is_the_session_and_no_credential() {
    let server = strict().await;
    let mut browser = server.browser();
    let mut rp = server.rp("spa", None);
    rp.redirect_uri = "https://app.example/cb".to_owned();
    let page = browser.open(&rp.authorize_url()).await;
    let hidden = page.hidden_fields();
    let mut fields: Vec<(&str, &str)> =
        hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.extend([("username", "alice"), ("password", "correct horse")]);
    let signed_in = browser.post(&page.form_action(), &fields).await;
    let cookies: Vec<_> =
        signed_in.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect();
    let (_, state) = cookies.iter().find_map(|cookie| cookie.split_once("__Host-main-state=")).unwrap();
    let (value, attributes) = state.split_once("; ").unwrap();
    assert_eq!(attributes, "Path=/; SameSite=None; Secure");
    assert_eq!(signed_in.parameter("session_state").as_deref(), Some(value), "what the app asks with");
    let others = cookies.iter().filter(|cookie| !cookie.contains("-state="));
    assert!(
        others.clone().count() >= 2
            && others.clone().all(|cookie| cookie.contains("; HttpOnly; SameSite=Lax"))
    );

    let value = value.to_owned();
    let mut thief = server.browser();
    thief.set_cookie("__Host-main-state", &value);
    thief.set_cookie("__Host-main-sid", &value);
    let reply = thief.get(&rp.authorize_url_with(&[("prompt", Some("none"))])).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"));
    let question = browser.get(&rp.endpoint("logout")).await;
    browser.submit(&question, &[]).await;
    assert!(!browser.cookies().contains_key("__Host-main-state"), "gone with the session");
}
