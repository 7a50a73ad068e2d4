//! Front-channel logout (OpenID Connect Front-Channel Logout 1.0): the page that lets apps hear of it in the browser.

use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens};

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/bye", "com.example.app:/bye"]
frontchannel_logout_uri = "https://app.example/out?tenant=a%20b"
[[realm.clients]]
id = "second"
secret = "second-secret-that-is-long"
redirect_uris = ["https://second.example:8443/cb"]
frontchannel_logout_uri = "https://second.example:8443/out"
[[realm.clients]]
id = "plain"
secret = "plain-secret-that-is-long"
redirect_uris = ["https://plain.example/cb"]
post_logout_redirect_uris = ["https://plain.example/bye"]
[[realm.users]]
username = "alice"
password = "correct horse"
"#;

async fn strict() -> TestServer {
    let options = Options { realm: Some(REALM.to_owned()), strict: true, ..Options::default() };
    TestServer::with(options).await.unwrap()
}

async fn sign_in(server: &TestServer, browser: &mut Browser, id: &str, callback: &str) -> (Rp, Tokens) {
    let mut rp = server.rp(id, Some(&format!("{id}-secret-that-is-long")));
    rp.redirect_uri = callback.to_owned();
    let tokens = rp.sign_in(browser, "alice", "correct horse").await.unwrap();
    (rp, tokens)
}

fn frames(page: &Reply) -> Vec<String> {
    let tags = page.body.split("<iframe").skip(1);
    let sources = tags.map(|tag| tag.split("src=\"").nth(1).unwrap().split('"').next().unwrap());
    sources.map(|source| source.replace("&amp;", "&")).collect()
}

fn policy<'a>(page: &'a Reply, directive: &str) -> Option<&'a str> {
    let policy = page.header("content-security-policy");
    policy.split("; ").find_map(|part| part.strip_prefix(directive)?.strip_prefix(' '))
}

#[tokio::test]
async fn oidcc_frontchannel_rp_initiated_logout() {
    let server = strict().await;
    let mut browser = server.browser();
    let document = browser.get(&format!("{}/.well-known/openid-configuration", server.issuer("main"))).await;
    for flag in ["frontchannel_logout_supported", "frontchannel_logout_session_supported"] {
        assert_eq!(document.json()[flag], true, "{flag}");
    }
    let (rp, tokens) = sign_in(&server, &mut browser, "app", "https://app.example/cb").await;
    sign_in(&server, &mut browser, "second", "https://second.example:8443/cb").await;
    sign_in(&server, &mut browser, "plain", "https://plain.example/cb").await;
    let state = "s&\"<'> x".repeat(10);
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("id_token_hint", tokens.id_token())
        .append_pair("post_logout_redirect_uri", "https://app.example/bye")
        .append_pair("state", &state)
        .finish();
    let page = browser.get(&format!("{}?{query}", rp.endpoint("logout"))).await;
    assert_eq!((page.status.as_u16(), page.location()), (200, ""), "{}", page.body);

    let claims = tokens.id_claims();
    let added = form_urlencoded::Serializer::new(String::new())
        .append_pair("iss", claims["iss"].as_str().unwrap())
        .append_pair("sid", claims["sid"].as_str().unwrap())
        .finish();
    let expected = [
        format!("https://app.example/out?tenant=a%20b&{added}"),
        format!("https://second.example:8443/out?{added}"),
    ];
    assert_eq!(frames(&page), expected, "each client of the session that wants to hear, iss and sid added");
    assert_eq!(policy(&page, "frame-src"), Some("https://app.example https://second.example:8443"));
    let nonce = policy(&page, "script-src").unwrap().trim_matches('\'').strip_prefix("nonce-").unwrap();
    assert!(page.body.contains(&format!("<script nonce=\"{nonce}\">")), "{}", page.body);

    let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
    let onward = format!("https://app.example/bye?state={state}");
    assert!(page.body.contains(&format!("href=\"{onward}\"")), "a link: {}", page.body);
    assert!(page.body.contains(&format!("content=\"4;url={onward}\"")), "and a way on without JavaScript");
    let again = browser.get(&rp.authorize_url_with(&[("prompt", Some("none"))])).await;
    assert_eq!(again.parameter("error").as_deref(), Some("login_required"), "the session has ended");
}

#[tokio::test]
async fn without_a_way_on_the_page_stays() {
    let server = strict().await;
    let mut browser = server.browser();
    let (rp, _) = sign_in(&server, &mut browser, "app", "https://app.example/cb").await;
    let question = browser.get(&rp.endpoint("logout")).await;
    let page = browser.submit(&question, &[]).await;
    assert_eq!(frames(&page).len(), 1);
    assert_eq!(policy(&page, "script-src"), Some("'none'"));
    assert!(!page.body.contains("http-equiv") && page.body.contains("You can close this page"));
}

#[tokio::test]
async fn the_way_on_may_lead_into_an_app() {
    let server = strict().await;
    let mut browser = server.browser();
    let (rp, tokens) = sign_in(&server, &mut browser, "app", "https://app.example/cb").await;
    let query = format!("id_token_hint={}&post_logout_redirect_uri=com.example.app:/bye", tokens.id_token());
    let page = browser.get(&format!("{}?{query}", rp.endpoint("logout"))).await;
    assert!(page.body.contains("href=\"com.example.app:/bye\""), "{}", page.body);
}

#[tokio::test]
async fn nobody_to_tell_is_no_page() {
    let server = strict().await;
    let mut browser = server.browser();
    let (rp, tokens) = sign_in(&server, &mut browser, "plain", "https://plain.example/cb").await;
    let bye = "post_logout_redirect_uri=https%3A%2F%2Fplain.example%2Fbye";
    let address = format!("{}?id_token_hint={}&{bye}", rp.endpoint("logout"), tokens.id_token());
    let mut elsewhere = server.browser();
    sign_in(&server, &mut elsewhere, "app", "https://app.example/cb").await;
    let done = browser.get(&address).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, "https://plain.example/bye"));
    let (_, of_app) = sign_in(&server, &mut elsewhere, "app", "https://app.example/cb").await;
    let address = format!("{}?id_token_hint={}", rp.endpoint("logout"), of_app.id_token());
    let nobodys = server.browser().get(&address).await;
    assert!(frames(&nobodys).is_empty(), "frames are for the browser whose session it was");
}

#[tokio::test]
async fn the_account_page_lets_apps_hear_too() {
    let server = strict().await;
    let mut browser = server.browser();
    let (_, tokens) = sign_in(&server, &mut browser, "app", "https://app.example/cb").await;
    let account = browser.open(&format!("{}/account/", server.issuer("main"))).await;
    let hidden = account.hidden_fields();
    let csrf = &hidden.iter().find(|(name, _)| name == "csrf").unwrap().1;
    let sid = tokens.id_claims()["sid"].as_str().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("id", sid.as_str())];
    let page = browser.post(&format!("{}/account/end-session", server.issuer("main")), &fields).await;
    assert_eq!(frames(&page).len(), 1, "{}", page.body);
    assert!(!browser.cookies().keys().any(|name| name.ends_with("-sid") || name.ends_with("-state")));
}
