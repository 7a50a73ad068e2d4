//! The sign-in and consent pages: whose answer counts, who may sign in, and who can be locked out.

use vestibule::protocol::audit::AuditKind;
use vestibule::protocol::brake;
use vestibule::store::Page;
use vestibule::testing::{Browser, Reply, Rp, TestServer};

use crate::common::{Scene, attribute, is_consent, is_page, is_sign_in, realm, text, user};

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "alice")];
const BOB: [(&str, &str); 2] = [("username", "bob"), ("password", "bob")];
const YES: [(&str, &str); 1] = [("accept", "Yes")];
const NO: [(&str, &str); 1] = [("cancel", "No")];

/// A browser whose person looks at the consent page of `third-party`.
async fn at_consent(server: &TestServer) -> (Browser, Rp, Reply) {
    let (rp, mut browser) = (server.rp("third-party", Some("third-party-secret")), server.browser());
    let page = browser.open(&rp.authorize_url()).await;
    let page = browser.submit(&page, &ALICE).await;
    is_consent(&page, "alice is asked");
    (browser, rp, page)
}

/// Somebody else signs in to another app in the same browser.
async fn bob_takes_over(server: &TestServer, browser: &mut Browser) {
    let web = server.rp("web", Some("web-secret"));
    let page = browser.open(&web.authorize_url_with(&[("prompt", Some("select_account"))])).await;
    assert!(browser.submit(&page, &BOB).await.parameter("code").is_some());
}

#[tokio::test]
async fn s01_an_answer_on_the_consent_page_counts_for_the_session_that_saw_it() {
    let server = TestServer::start().await.unwrap();
    for (case, answer) in [("yes", YES), ("no", NO)] {
        let (mut browser, rp, page) = at_consent(&server).await;
        bob_takes_over(&server, &mut browser).await;
        let reply = browser.submit(&page, &answer).await;
        is_consent(&reply, case);
        assert_eq!(text(&reply, ".whom bdi").as_deref(), Some("Bob Brown"), "{case}: bob is asked himself");
        let (realm, bob) = (realm(&server).await, user(&server, "bob").await);
        let consents = server.app().store.consents_of_user(&realm.id, &bob.id, Page::ALL).await.unwrap();
        assert!(consents.is_empty(), "{case}: alice's answer is not bob's");

        let code = browser.submit(&reply, &YES).await.parameter("code").unwrap();
        assert_eq!(rp.redeem(&browser, &code).await.unwrap().id_claims()["sub"], bob.id.as_str(), "{case}");
        // The next round begins with nobody's consent.
        let realm_id = realm.id.clone();
        let client = server.app().store.client_by_client_id(&realm_id, "third-party").await.unwrap().unwrap();
        let at = server.app().clock.now();
        let withdraw =
            vestibule::store::Change::WithdrawConsent { realm_id, user_id: bob.id, client: client.id, at };
        server.app().commit(vec![withdraw]).await.unwrap();
    }
}

#[tokio::test]
async fn s01_an_answer_after_the_session_ended_leads_to_the_sign_in_page() {
    let server = TestServer::start().await.unwrap();
    let (mut browser, rp, page) = at_consent(&server).await;
    let question = browser.open(&rp.endpoint("logout")).await;
    browser.submit(&question, &[("confirmLogout", "1")]).await;
    is_sign_in(&browser.submit(&page, &YES).await, "nobody could consent");
}

#[tokio::test]
async fn core_3_1_2_1_select_account_lets_the_person_choose() {
    let scene = Scene::new().await;
    let mut browser = scene.browser.clone();
    let address = scene.rp.authorize_url_with(&[("prompt", Some("select_account"))]);
    let page = browser.open(&address).await;
    is_sign_in(&page, "asked although alice is signed in");
    assert_eq!(attribute(&page, "#username", "readonly"), None);
    let page = browser.submit(&page, &[("username", "bob"), ("password", "wrong")]).await;
    assert_eq!(attribute(&page, "#username", "readonly"), None, "also after a wrong password");
    assert_eq!(attribute(&page, "#username", "value").as_deref(), Some("bob"));
    let code = browser.submit(&page, &BOB).await.parameter("code").unwrap();
    let tokens = scene.rp.redeem(&browser, &code).await.unwrap();
    assert_eq!(tokens.access_claims()["preferred_username"], "bob");
    // One browser, one person: alice's session there is over (attacks F08d).
    assert!(scene.rp.refresh(&browser, scene.tokens.refresh_token()).await.is_err());
}

#[tokio::test]
async fn who_must_sign_in_again_may_be_somebody_else() {
    let mut scene = Scene::new().await;
    let page = scene.browser.open(&scene.rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    assert_eq!(attribute(&page, "#username", "readonly").as_deref(), Some(""));
    assert_eq!(attribute(&page, "#username", "value").as_deref(), Some("alice"));
    let elsewhere = attribute(&page, ".aside a", "href").expect("a way for somebody else");
    let page = scene.browser.open(&elsewhere).await;
    is_sign_in(&page, "the same request, for anybody");
    assert_eq!(attribute(&page, "#username", "readonly"), None);
    let answer = scene.browser.submit(&page, &BOB).await;
    assert_eq!(answer.parameter("state").as_deref(), Some(scene.rp.state.as_str()));
    let tokens = scene.rp.redeem(&scene.browser, &answer.parameter("code").unwrap()).await.unwrap();
    assert_eq!(tokens.access_claims()["preferred_username"], "bob");
}

#[tokio::test]
async fn who_is_asked_for_consent_may_be_somebody_else() {
    let server = TestServer::start().await.unwrap();
    let (mut browser, rp, page) = at_consent(&server).await;
    let page = browser.open(&attribute(&page, ".whom a", "href").unwrap()).await;
    is_sign_in(&page, "not alice");
    let page = browser.submit(&page, &BOB).await;
    is_consent(&page, "bob is asked");
    let code = browser.submit(&page, &YES).await.parameter("code").unwrap();
    assert_eq!(rp.redeem(&browser, &code).await.unwrap().access_claims()["preferred_username"], "bob");
}

#[tokio::test]
async fn a_long_request_survives_the_pages() {
    let server = TestServer::start().await.unwrap();
    let mut rp = server.rp("third-party", Some("third-party-secret"));
    // Quotes are the worst that a state can be filled with: twice as long when they are sealed.
    for state in ["s".repeat(3_900), "\"".repeat(2_200)] {
        rp.state = state;
        let answer = rp.authorize(&mut server.browser(), "alice", "alice").await;
        assert!(answer.parameter("state") == Some(rp.state.clone()), "{}", answer.body);
    }
    // What cannot be carried to the end is refused at the beginning.
    rp.state = "\"".repeat(3_900);
    is_page(&server.browser().get(&rp.authorize_url()).await, "too long to be sealed");
}

#[tokio::test]
async fn u04_guesses_of_others_lock_nobody_out_of_a_known_browser() {
    let scene = Scene::new().await;
    let (mut known, mut next_door) = (scene.browser.clone(), scene.server.browser());
    // Next door: another browser behind the same address.
    let page = next_door.open(&scene.rp.authorize_url()).await;
    for _ in 0..6 {
        next_door.submit(&page, &[("username", "alice"), ("password", "wrong")]).await;
    }
    is_sign_in(&next_door.submit(&page, &ALICE).await, "who guesses must wait, with the right password too");

    // From everywhere: the account waits for browsers that nobody has seen before.
    guess_from_everywhere(&scene, "alice").await;
    let mut fresh = scene.server.browser();
    is_sign_in(&scene.rp.authorize(&mut fresh, "alice", "alice").await, "an unknown browser waits");

    let page = known.open(&scene.rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    is_sign_in(&page, "asked again");
    assert!(known.submit(&page, &ALICE).await.parameter("code").is_some(), "the known browser is let in");
}

/// F06b asks that a locked account gets no new tokens, U04 that nobody can lock a person out. The brake is set off by
/// strangers, so what it holds back is guessing; an account that an operator disabled is locked for everything.
#[tokio::test]
async fn f06b_u04_the_brake_holds_back_passwords_and_ends_no_session() {
    let scene = Scene::new().await;
    guess_from_everywhere(&scene, "alice").await;
    let next = scene.rp.refresh(&scene.browser, scene.tokens.refresh_token()).await.unwrap();
    assert_eq!(scene.rp.userinfo(&scene.browser, next.access_token()).await.status, 200);
    assert!(scene.browser.clone().get(&scene.rp.authorize_url()).await.parameter("code").is_some());
}

/// A known browser has its own count: whoever stole its cookie can guess no longer than others.
#[tokio::test]
async fn u02_a_known_browser_may_not_guess_without_end() {
    let mut scene = Scene::new().await;
    let page = scene.browser.open(&scene.rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    for _ in 0..5 {
        let page = scene.browser.submit(&page, &[("username", "alice"), ("password", "wrong")]).await;
        assert_eq!(text(&page, "#input-error").as_deref(), Some("Invalid username or password."));
    }
    let page = scene.browser.submit(&page, &ALICE).await;
    is_sign_in(&page, "must wait");
    assert_ne!(text(&page, "#input-error").as_deref(), Some("Invalid username or password."));
}

/// Who must wait pays nothing for asking: the wait is told once, by an event that names the account.
#[tokio::test]
async fn u02_whoever_asks_while_waiting_fills_no_table() {
    let scene = Scene::new().await;
    let mut browser = scene.server.browser();
    let page = browser.open(&scene.rp.authorize_url()).await;
    for _ in 0..12 {
        browser.submit(&page, &[("username", "bob"), ("password", "wrong")]).await;
    }
    let form = [("grant_type", "password"), ("username", "bob"), ("password", "wrong")];
    let cli = scene.server.rp("admin-cli", None);
    for _ in 0..7 {
        assert_eq!(cli.token_request(&browser, &form).await.status, 401);
    }
    let store = &scene.server.app().store;
    let events = store.audit_events(&scene.realm().await.id, Page::ALL).await.unwrap();
    let of = |kind| events.iter().filter(move |event| event.kind == kind).collect::<Vec<_>>();
    assert_eq!(of(AuditKind::LoginError).len(), 5);
    let waits = of(AuditKind::UserDisabledByTemporaryLockout);
    assert_eq!(waits.len(), 1);
    assert!(waits.iter().all(|event| event.user_id.is_some() && event.address.is_some()));
}

async fn guess_from_everywhere(scene: &Scene, name: &str) {
    let (store, realm) = (&scene.server.app().store, scene.realm().await);
    let rule = &realm.settings.brute_force;
    for n in 0..=rule.max_account_failures {
        let address = std::net::IpAddr::from([198, 51, 100, u8::try_from(n).unwrap()]);
        let counters = brake::counters(name, address, false, rule);
        store.count_attempt(&realm.id, &counters, rule, scene.server.app().clock.now()).await.unwrap();
    }
}

/// Whoever comes too late, or from an address that is not the app's, finds the way back to it.
#[tokio::test]
async fn where_nothing_can_go_on_the_page_leads_back_to_the_app() {
    let toml = r#"
[realm]
name = "main"
[[realm.clients]]
id = "web"
name = "Web App"
secret = "web-secret"
client_uri = "https://app.example/"
redirect_uris = ["https://app.example/callback"]
"#;
    let server = TestServer::with_realm(toml).await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let expired = format!("{}/login-actions/authenticate?session_code=x&client_id=", rp.issuer);
    for (case, address, shown) in [
        ("expired", format!("{expired}web"), Some("Back to Web App")),
        ("of no client", format!("{expired}nobody"), None),
        (
            "unregistered",
            rp.authorize_url_with(&[("redirect_uri", Some("https://evil.test/"))]),
            Some("Back to Web App"),
        ),
        ("no address", rp.authorize_url_with(&[("redirect_uri", None)]), Some("Back to Web App")),
        ("unknown client", rp.authorize_url_with(&[("client_id", Some("nobody"))]), None),
    ] {
        let page = browser.open(&address).await;
        assert_eq!(page.status, 400, "{case}");
        assert_eq!(text(&page, "#backToApplication").as_deref(), shown, "{case}");
        let home = shown.map(|_| "https://app.example/");
        assert_eq!(attribute(&page, "#backToApplication", "href").as_deref(), home, "{case}");
    }
}
