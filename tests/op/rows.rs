//! Rows of the attack table at the endpoints, by their identifiers. Each changes one thing of a request that is good.

use vestibule::testing::{Options, Rp, TestServer};

use crate::common::{is_error, is_page};

const STRICT: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/bye"]
grants = ["authorization_code", "refresh_token"]
[[realm.clients]]
id = "other"
secret = "other-secret-that-is-long"
redirect_uris = ["https://other.example/cb"]
grants = ["authorization_code", "refresh_token"]
[[realm.users]]
username = "alice"
password = "correct horse"
"#;

async fn strict() -> (TestServer, Rp) {
    let options = Options { realm: Some(STRICT.to_owned()), strict: true, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let mut rp = server.rp("app", Some("app-secret-that-is-long"));
    rp.redirect_uri = "https://app.example/cb".to_owned();
    (server, rp)
}

#[tokio::test]
async fn r01_r02_r06_a_redirect_uri_in_doubt_gets_a_page() {
    let (server, rp) = strict().await;
    let long = format!("https://app.example/{}", "x".repeat(4_100));
    for uri in [
        "https://app.example@evil.test/cb",
        "https://app.example:80@evil.test/cb",
        "https://user:pw@app.example/cb",
        "https://app.example\\@evil.test/cb",
        "https:app.example/cb",
        "https:///app.example/cb",
        "//app.example/cb",
        "https://app.example/CB",
        "https://APP.example/cb",
        "https://app.example:443/cb",
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/cb#f",
        "https://app.example/cb?",
        "https://app.example/a/../cb",
        "https://app.example/cb/..;/x",
        "https://app.example/%63b",
        "https://app.example/cb\t",
        "https://app.example/cb ",
        "https://app.example./cb",
        "https://app。example/cb",
        "https://аpp.example/cb",
        "javascript:alert(1)",
        "https://app.example.evil.test/cb",
        "https://appXexample/cb",
        "https://other.example/cb",
        long.as_str(),
    ] {
        let reply = server.browser().get(&rp.authorize_url_with(&[("redirect_uri", Some(uri))])).await;
        is_page(&reply, uri);
    }
    for (row, changes) in [
        ("R06a none", ("redirect_uri", None)),
        ("R06b empty", ("redirect_uri", Some(""))),
        ("R06d unknown client", ("client_id", Some("nobody"))),
        ("R06d no client", ("client_id", None)),
    ] {
        is_page(&server.browser().get(&rp.authorize_url_with(&[changes])).await, row);
    }
    for twice in ["client_id=app", "redirect_uri=https%3A%2F%2Fapp.example%2Fcb", "state=x", "scope=openid"] {
        is_page(&server.browser().get(&format!("{}&{twice}", rp.authorize_url())).await, twice);
    }
    is_page(&server.browser().get(&format!("{}&x=%ff", rp.authorize_url())).await, "O03 not UTF-8");
    is_page(&server.browser().get(&format!("{}&x=%00", rp.authorize_url())).await, "O03 NUL");
}

#[tokio::test]
async fn p01_p08_refusals_go_to_the_client_with_state_and_issuer() {
    let (server, rp) = strict().await;
    for (row, name, value, error) in [
        ("P01a", "code_challenge", None, "invalid_request"),
        ("P01b", "code_challenge_method", Some("plain"), "invalid_request"),
        ("P01c", "code_challenge_method", None, "invalid_request"),
        ("P08a token", "response_type", Some("token"), "unsupported_response_type"),
        ("P08a hybrid", "response_type", Some("code id_token"), "unsupported_response_type"),
        ("P08b", "prompt", Some("none login"), "invalid_request"),
        ("P08c", "prompt", Some("none"), "login_required"),
        ("P08d", "max_age", Some("-1"), "invalid_request"),
        ("P08f", "scope", Some("openid admin"), "invalid_scope"),
        ("P08h request", "request", Some("e30.e30."), "request_not_supported"),
        ("P08h request_uri", "request_uri", Some("https://evil.test/"), "request_uri_not_supported"),
    ] {
        let reply = server.browser().get(&rp.authorize_url_with(&[(name, value)])).await;
        assert_eq!(reply.status, 303, "{row}: {}", reply.body);
        assert!(reply.location().starts_with("https://app.example/cb?"), "{row}");
        assert_eq!(reply.parameter("error").as_deref(), Some(error), "{row}");
        assert_eq!(reply.parameter("state").as_deref(), Some(rp.state.as_str()), "{row}");
        assert_eq!(reply.parameter("iss"), Some(server.issuer("main")), "{row}");
        assert_eq!(reply.parameter("code"), None, "{row}");
    }
}

#[tokio::test]
async fn p02_p04_p05_a_code_is_bound_and_good_once() {
    let (server, rp) = strict().await;
    let mut browser = server.browser();
    let code = rp.authorize(&mut browser, "alice", "correct horse").await.parameter("code").unwrap();
    let mut other = server.rp("other", Some("other-secret-that-is-long"));
    other.redirect_uri.clone_from(&rp.redirect_uri);
    other.verifier.clone_from(&rp.verifier);
    let by_other = other.redeem(&browser, &code).await.unwrap_err();
    is_error(&by_other, 400, "invalid_grant", "P05a another client");
    let wrong = Rp { verifier: "x".repeat(43), ..rp.clone() }.redeem(&browser, &code).await.unwrap_err();
    is_error(&wrong, 400, "invalid_grant", "P02c wrong verifier");
    let elsewhere = Rp { redirect_uri: "https://app.example/other".into(), ..rp.clone() };
    is_error(&elsewhere.redeem(&browser, &code).await.unwrap_err(), 400, "invalid_grant", "R07a");
    is_error(&rp.redeem(&browser, &format!("{code}x")).await.unwrap_err(), 400, "invalid_grant", "P06b");

    let tokens = rp.redeem(&browser, &code).await.unwrap();
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 200);
    let replay = other.redeem(&browser, &code).await.unwrap_err();
    is_error(&replay, 400, "invalid_grant", "P04b replay by another client");
    assert_eq!(
        rp.userinfo(&browser, tokens.access_token()).await.status,
        200,
        "P04b leaves the family alive"
    );
    is_error(&rp.redeem(&browser, &code).await.unwrap_err(), 400, "invalid_grant", "P04a");
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 401, "P04a ends the family");
    is_error(&rp.refresh(&browser, tokens.refresh_token()).await.unwrap_err(), 400, "invalid_grant", "P04a");
}

#[tokio::test]
async fn p05_a_code_expires_after_a_minute() {
    let frozen_at = Some(vestibule::clock::Timestamp(1_800_000_000));
    let server = TestServer::with(Options { frozen_at, ..Options::default() }).await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let code = rp.authorize(&mut browser, "alice", "alice").await.parameter("code").unwrap();
    server.clock().advance(61);
    is_error(&rp.redeem(&browser, &code).await.unwrap_err(), 400, "invalid_grant", "P05d");
}

#[tokio::test]
async fn c01_c02_token_requests_that_are_wrong_in_form() {
    let server = TestServer::start().await.unwrap();
    let browser = server.browser();
    let rp = server.rp("service", Some("service-secret"));
    let form = &[("grant_type", "client_credentials")][..];
    assert_eq!(rp.token_request(&browser, form).await.status, 200, "the good request");
    for (row, rp, fields, status, code) in [
        ("C01b wrong secret", server.rp("service", Some("wrong")), form, 401, "invalid_client"),
        ("C01c unknown client", server.rp("nobody", Some("x")), form, 401, "invalid_client"),
        ("C01a no secret", server.rp("service", None), form, 401, "invalid_client"),
        ("C02d password", rp.clone(), &[("grant_type", "password")], 400, "unauthorized_client"),
        ("C02e unknown", rp.clone(), &[("grant_type", "dance")], 400, "unsupported_grant_type"),
        (
            "C02f not enabled",
            rp.clone(),
            &[("grant_type", "authorization_code"), ("code", "x")],
            400,
            "unauthorized_client",
        ),
        ("C02g public client", server.rp("spa", None), form, 400, "unauthorized_client"),
        (
            "C03 scope",
            rp.clone(),
            &[("grant_type", "client_credentials"), ("scope", "x")],
            400,
            "invalid_scope",
        ),
        (
            "C01d two ways",
            rp.clone(),
            &[("grant_type", "client_credentials"), ("client_secret", "x")],
            400,
            "invalid_request",
        ),
        (
            "C01e two clients",
            rp.clone(),
            &[("grant_type", "client_credentials"), ("client_id", "x")],
            400,
            "invalid_request",
        ),
        ("no grant type", rp.clone(), &[], 400, "invalid_request"),
        (
            "O02 twice",
            rp.clone(),
            &[("grant_type", "client_credentials"), ("grant_type", "x")],
            400,
            "invalid_request",
        ),
    ] {
        is_error(&rp.token_request(&browser, fields).await, status, code, row);
    }
}

#[tokio::test]
async fn s01_s02_forms_of_others_change_nothing() {
    let server = TestServer::start().await.unwrap();
    let rp = server.rp("web", Some("web-secret"));
    let alice = [("username", "alice"), ("password", "alice")];
    let mut browser = server.browser();
    let page = browser.open(&rp.authorize_url()).await;

    let mut foreign = browser.clone();
    foreign.headers.push(("sec-fetch-site".into(), "cross-site".into()));
    assert_eq!(foreign.submit(&page, &alice).await.status, 403, "S01 Sec-Fetch-Site");
    let mut foreign = browser.clone();
    foreign.headers.push(("origin".into(), "https://evil.test".into()));
    assert_eq!(foreign.submit(&page, &alice).await.status, 403, "S01 Origin");

    let mut victim = server.browser();
    let told = victim.submit(&page, &alice).await;
    is_page(&told, "S02 a link without its cookie");
    assert!(told.body.contains("does not keep cookies for this site"), "{}", told.body);
    assert!(told.body.contains("/realms/main/account/"), "a way onward: {}", told.body);
    let odd = page.form_action().replace("session_code=", "session_code=x");
    let told = victim.post(&odd, &alice).await;
    assert!(
        told.body.contains("does not keep cookies for this site"),
        "whatever the link holds: {}",
        told.body
    );
    assert!(victim.cookies().is_empty());
    let other = victim.open(&rp.authorize_url()).await;
    assert_eq!(other.status, 200);
    let told = victim.submit(&page, &alice).await;
    is_page(&told, "S02 a link with another browser's cookie");
    assert!(told.body.contains("finished in another window"), "{}", told.body);

    let before = browser.cookies().clone();
    assert_eq!(browser.submit(&page, &alice).await.status, 303, "the good form");
    assert_ne!(browser.cookies().get("main-sid"), before.get("main-sid"), "a new session at sign-in");
}

#[tokio::test]
async fn u02_guessing_is_braked_and_unknown_names_look_the_same() {
    let server = TestServer::start().await.unwrap();
    let rp = server.rp("web", Some("web-secret"));
    for name in ["alice", "nobody-has-this-name"] {
        let mut browser = server.browser();
        let mut page = browser.open(&rp.authorize_url()).await;
        for _ in 0..5 {
            page = browser.submit(&page, &[("username", name), ("password", "wrong")]).await;
            assert_eq!(page.status, 200, "{name}");
            assert!(page.body.contains("Invalid username or password."), "{name}");
        }
        let waiting = browser.submit(&page, &[("username", name), ("password", "alice")]).await;
        assert!(
            waiting.body.contains("kc-form-login") && waiting.parameter("code").is_none(),
            "{name} must wait"
        );
    }
}

#[tokio::test]
async fn l01_l02_sign_out_leads_nowhere_unregistered() {
    let (server, rp) = strict().await;
    let mut browser = server.browser();
    let tokens = rp.sign_in(&mut browser, "alice", "correct horse").await.unwrap();
    let logout = |query: &str| format!("{}?{query}", rp.endpoint("logout"));
    for uri in [
        "https%3A%2F%2Fevil.test%2F",
        "https%3A%2F%2Fapp.example%2Fbye%3Fx%3D1",
        "https%3A%2F%2Fapp.example%2Fcb",
    ] {
        let query = format!("id_token_hint={}&post_logout_redirect_uri={uri}", tokens.id_token());
        is_page(&browser.get(&logout(&query)).await, uri);
    }
    let bye = "post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye";
    is_page(&browser.get(&logout(bye)).await, "L01d nobody's address");
    let asked = browser.get(&logout(&format!("client_id=app&{bye}"))).await;
    assert!(asked.body.contains("kc-logout"), "L02 without a hint the person is asked");
    let done = browser.get(&logout(&format!("id_token_hint={}&{bye}&state=a%26b", tokens.id_token()))).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, "https://app.example/bye?state=a%26b"));
    assert!(browser.open(&rp.authorize_url()).await.body.contains("kc-form-login"), "the session has ended");
}

#[tokio::test]
async fn n01_s06_production_answers_for_its_own_name_with_host_bound_cookies() {
    let (server, rp) = strict().await;
    let mut browser = server.browser();
    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let evil = browser.send(axum::http::Method::GET, &address, None, &[("host", "evil.test")]).await;
    assert_eq!(evil.status, 421);
    let forwarded = [("x-forwarded-host", "evil.test"), ("forwarded", "host=evil.test")];
    let document = browser.send(axum::http::Method::GET, &address, None, &forwarded).await;
    assert_eq!(document.json()["issuer"], server.issuer("main"));

    let page = browser.get(&rp.authorize_url()).await;
    let cookie = page.header("set-cookie");
    for part in ["__Host-main-auth=", "; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert!(!page.body.contains("Demo users"), "no demo users in production");
}
