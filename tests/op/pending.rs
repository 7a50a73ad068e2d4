//! A request on its way through the pages cannot be changed, read or handed on (attacks R08).

use vestibule::clock::Timestamp;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

use crate::common::{attribute, is_consent, is_page, is_sign_in};

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "alice")];

async fn paused() -> (TestServer, Rp, Browser, Reply) {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let page = browser.open(&rp.authorize_url()).await;
    assert!(page.body.contains("kc-form-login"));
    (server, rp, browser, page)
}

fn session_code(page: &Reply) -> String {
    let action = page.form_action();
    let (_, query) = action.split_once('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "session_code");
    found.unwrap().1.into_owned()
}

#[tokio::test]
async fn r08_a_what_waits_is_taken_as_it_was_or_not_at_all() {
    let (_server, _, mut browser, page) = paused().await;
    let (action, code) = (page.form_action(), session_code(&page));
    let letters: Vec<char> = code.chars().collect();
    for at in (0..letters.len()).step_by(letters.len().div_ceil(24)).chain([letters.len() - 1]) {
        let mut changed = letters.clone();
        changed[at] = if changed[at] == 'A' { 'B' } else { 'A' };
        let changed: String = changed.into_iter().collect();
        let reply = browser.post(&action.replace(&code, &changed), &ALICE).await;
        assert_eq!((reply.status.as_u16(), reply.location()), (400, ""), "letter {at}: {}", reply.body);
    }
    for (case, changed) in
        [("cut", &code[..code.len() - 4]), ("empty", ""), ("doubled", &format!("{code}{code}"))]
    {
        let reply = browser.post(&action.replace(&code, changed), &ALICE).await;
        assert_eq!((reply.status.as_u16(), reply.location()), (400, ""), "{case}");
    }
}

#[tokio::test]
async fn r08_a_what_is_added_on_the_way_counts_for_nothing() {
    let (_server, rp, mut browser, page) = paused().await;
    let added = "response_type=token&redirect_uri=https%3A%2F%2Fevil.test%2F&scope=openid%20offline_access&state=evil\
                 &response_mode=fragment&prompt=none&client_data=eyJydCI6InRva2VuIn0";
    let fields = [
        ("username", "alice"),
        ("password", "alice"),
        ("response_type", "token"),
        ("redirect_uri", "https://evil.test/"),
        ("state", "evil"),
        ("client_data", "eyJydSI6Imh0dHBzOi8vZXZpbC50ZXN0LyJ9"),
    ];
    let answer = browser.post(&format!("{}&{added}", page.form_action()), &fields[..2]).await;
    let page = browser.open(&rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    let by_form = browser.post(&page.form_action(), &fields).await;
    for reply in [answer, by_form] {
        assert!(reply.location().starts_with("http://localhost:3000/callback?code="), "{}", reply.location());
        assert_eq!(reply.parameter("state").as_deref(), Some(rp.state.as_str()));
        let tokens = rp.redeem(&browser, &reply.parameter("code").unwrap()).await.unwrap();
        assert!(!tokens.text("scope").contains("offline_access"));
    }
}

#[tokio::test]
async fn r08_a_a_request_is_of_its_realm_and_of_its_client() {
    let (server, _, mut browser, page) = paused().await;
    let elsewhere = page.form_action().replace("/realms/main/", "/realms/master/");
    let reply = browser.post(&elsewhere, &[("username", "admin"), ("password", "admin")]).await;
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""), "another realm: {}", reply.body);
    let renamed = page.form_action().replace("client_id=web", "client_id=spa");
    let reply = browser.post(&renamed, &ALICE).await;
    let code = reply.parameter("code").unwrap();
    assert!(
        server.rp("spa", None).redeem(&browser, &code).await.is_err(),
        "the name in the address is for people"
    );
}

/// R08 (b): nothing of a request can be read in a cookie or in the address of the form.
#[tokio::test]
async fn r08_b_nothing_of_a_request_can_be_read_on_the_way() {
    let (_server, rp, browser, page) = paused().await;
    for (place, value) in browser.cookies().iter().chain([(&"address".to_owned(), &session_code(&page))]) {
        for part in [rp.state.as_str(), &rp.nonce, "localhost:3000", "openid"] {
            assert!(!value.contains(part), "{part} in {place}");
            use base64::Engine;
            let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(value).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&decoded).contains(part), "{part} encoded in {place}");
        }
    }
}

/// A browser keeps the pages of a request that was answered: whoever comes back to one of them, by the history or by the
/// form, gets no second code, least of all past a `max_age` that is over.
#[tokio::test]
async fn s03_p08_a_request_is_answered_once() {
    let frozen_at = Some(Timestamp(1_800_000_000));
    let server = TestServer::with(Options { frozen_at, ..Options::default() }).await.unwrap();
    let (rp, mut browser) = (server.rp("third-party", Some("third-party-secret")), server.browser());
    let address = rp.authorize_url_with(&[("prompt", Some("login")), ("max_age", Some("1"))]);
    let login = browser.open(&address).await;
    let onward = browser.post(&login.form_action(), &ALICE).await;
    let consent = browser.get(onward.location()).await;
    is_consent(&consent, "asked");
    let answer = browser.post(&consent.form_action(), &[("accept", "Yes")]).await;
    assert!(answer.parameter("code").is_some(), "{}", answer.body);
    server.clock().advance(4);

    for page in [onward.location(), &consent.form_action()] {
        let kept = browser.get(page).await;
        is_page(&kept, page);
        let anew = attribute(&kept, "#loginRestartLink", "href").expect("a way to begin anew");
        is_sign_in(&browser.open(&anew).await, "which asks what was asked");
    }
    for (form, fields) in [(&consent, &[("accept", "Yes")][..]), (&login, &ALICE)] {
        let again = browser.post(&form.form_action(), fields).await;
        assert_eq!((again.status.as_u16(), again.parameter("code")), (303, None), "{}", again.body);
        is_sign_in(&browser.follow(again).await, "the form once more: asked anew");
    }
}

/// A button that is pressed twice sends two forms, and the browser shows what comes of the second.
#[tokio::test]
async fn a_form_that_is_sent_twice_leads_to_a_code() {
    for (client_id, secret) in [("web", "web-secret"), ("third-party", "third-party-secret")] {
        let server = TestServer::start().await.unwrap();
        let (rp, mut browser) = (server.rp(client_id, Some(secret)), server.browser());
        let mut page = browser.open(&rp.authorize_url()).await;
        if client_id == "third-party" {
            page = browser.submit(&page, &ALICE).await;
        }
        let fields = [ALICE[0], ALICE[1], ("accept", "Yes")];
        let first = browser.clone().post(&page.form_action(), &fields).await;
        assert!(first.parameter("code").is_some(), "{client_id}: {}", first.body);
        // Whether the browser has read the first answer's cookies or has not.
        let read = browser.post(&page.form_action(), &fields).await;
        let second = browser.follow(read).await;
        if client_id == "web" {
            let code = second.parameter("code").unwrap();
            assert!(rp.redeem(&browser, &code).await.is_ok());
        } else {
            is_sign_in(&second, "the first answer's cookie was the session's");
        }
    }
}

/// What a pushed request's pages lead to cannot be asked anew in the open.
#[tokio::test]
async fn s03_a_request_that_was_not_in_an_address_is_over() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let hint = [("id_token_hint", Some(tokens.id_token())), ("prompt", Some("login"))];
    let page = browser.open(&rp.authorize_url_with(&hint)).await;
    assert!(browser.post(&page.form_action(), &ALICE).await.parameter("code").is_some());
    let again = browser.post(&page.form_action(), &ALICE).await;
    is_page(&again, "a hint");
    assert_eq!(attribute(&again, "#loginRestartLink", "href"), None);
}
