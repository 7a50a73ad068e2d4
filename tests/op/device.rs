//! The device authorization grant (RFC 8628): rows D01 to D06 of the attack table, S01 and S04 for its pages, and the way
//! from a device's request to its tokens.

mod bound;
mod details;
mod screen;

use vestibule::clock::Timestamp;
use vestibule::protocol::brake;
use vestibule::protocol::client::{Client, GrantType};
use vestibule::protocol::realm::BruteForce;
use vestibule::protocol::user::User;
use vestibule::store::{Change, Page};
use vestibule::testing::{Browser, Device, Options, Reply, Rp, TestServer};

use crate::common::{attribute, is_sign_in};

const NOW: Timestamp = Timestamp(1_800_000_000);
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A server whose clock stands still, and a device that has asked it.
struct Scene {
    server: TestServer,
    tv: Rp,
    /// The person's.
    browser: Browser,
    device: Device,
}

impl Scene {
    async fn new() -> Self {
        let options = Options { frozen_at: Some(NOW), ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let (tv, browser) = (server.rp("tv", None), server.browser());
        let device = tv.device(&browser).await.unwrap();
        Self { server, tv, browser, device }
    }

    async fn approved() -> Self {
        let mut scene = Self::new().await;
        let done = scene.browser.approve_device(&scene.device, "alice", "alice").await;
        assert!(done.body.contains("Your device is connected"), "{}", done.body);
        scene
    }

    /// The error of a poll.
    async fn refused(&self) -> String {
        let reply = self.tv.poll(&self.browser, &self.device).await.unwrap_err();
        assert_eq!(reply.status, 400, "{}", reply.body);
        assert_eq!(reply.header("cache-control"), "no-store");
        reply.json()["error"].as_str().unwrap().to_owned()
    }

    async fn realm_id(&self) -> String {
        self.server.app().store.realm_by_name("main").await.unwrap().unwrap().id
    }

    async fn alice(&self) -> User {
        let store = &self.server.app().store;
        store.user_by_login(&self.realm_id().await, "alice", false).await.unwrap().unwrap().user
    }

    async fn client(&self) -> Client {
        let store = &self.server.app().store;
        store.client_by_client_id(&self.realm_id().await, "tv").await.unwrap().unwrap()
    }

    async fn commit(&self, change: Change) {
        self.server.app().commit(vec![change]).await.unwrap();
    }

    /// Types a code on the page for it; what is shown in the end.
    async fn type_code(&mut self, code: &str) -> Reply {
        let page = self.browser.open(&self.device.verification_uri).await;
        self.browser.submit(&page, &[("device_user_code", code)]).await
    }
}

fn is_question(reply: &Reply) -> bool {
    reply.body.contains("kc-oauth") && reply.body.contains("Did you start this?")
}

#[tokio::test]
async fn rfc8628_3_a_device_gets_the_tokens_of_who_said_yes() {
    let mut scene = Scene::new().await;
    let (tv, device) = (&scene.tv, &scene.device);
    assert_eq!(device.verification_uri, format!("{}/device", scene.server.issuer("main")));
    assert_eq!(
        device.verification_uri_complete,
        format!("{}?user_code={}", device.verification_uri, device.user_code)
    );
    assert_eq!(scene.refused().await, "authorization_pending");

    let page = scene.browser.open(&device.verification_uri).await;
    assert!(page.body.contains("kc-user-verify-device-user-code-form"), "{}", page.body);
    let typed = device.user_code.to_lowercase().replace('-', " ");
    let sign_in = scene.browser.submit(&page, &[("device_user_code", &typed)]).await;
    assert!(sign_in.body.contains("kc-form-login"), "{}", sign_in.body);
    let question = scene.browser.submit(&sign_in, &[("username", "alice"), ("password", "alice")]).await;
    assert!(is_question(&question), "{}", question.body);
    let done = scene.browser.submit(&question, &[("accept", "Yes")]).await;
    assert!(done.body.contains("Your device is connected"), "{}", done.body);

    // Answered, the device need not wait its interval.
    let tokens = tv.poll(&scene.browser, device).await.unwrap();
    let (access, id) = (tokens.access_claims(), tokens.id_claims());
    assert_eq!(access["azp"], "tv");
    assert_eq!(access["preferred_username"], "alice");
    assert_eq!((&id["aud"], &id["sid"], &id["sub"]), (&"tv".into(), &access["sid"], &access["sub"]));
    assert_eq!(id["auth_time"], NOW.0);
    assert_eq!(tokens.text("session_state"), access["sid"].as_str().unwrap());
    let (realm_id, alice) = (scene.realm_id().await, scene.alice().await);
    let sessions = scene.server.app().store.sessions_of_user(&realm_id, &alice.id, Page::ALL).await.unwrap();
    assert_eq!(access["sid"], sessions[0].id, "the session in which it was approved");
    assert_eq!(tv.userinfo(&scene.browser, tokens.access_token()).await.json()["email"], "alice@example.com");
    let fresh = tv.refresh(&scene.browser, tokens.refresh_token()).await.unwrap();

    // The person finds the device on the account page, and sends it away.
    let account = scene.browser.open(&format!("{}/account/", scene.server.issuer("main"))).await;
    assert!(account.body.contains("TV App"), "{}", account.body);
    scene.browser.submit(&account, &[]).await;
    let gone = tv.refresh(&scene.browser, fresh.refresh_token()).await.unwrap_err();
    assert_eq!(gone.json()["error"], "invalid_grant");
}

#[tokio::test]
async fn rfc8628_3_1_requests_that_are_wrong() {
    let realm = r#"
[realm]
name = "main"
[[realm.clients]]
id = "box"
secret = "box-secret-that-is-long"
grants = ["device_code"]
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
"#;
    let server = TestServer::with_realm(realm).await.unwrap();
    let browser = server.browser();
    let box_ = server.rp("box", Some("box-secret-that-is-long"));
    for (row, rp, fields, status, error) in [
        ("no secret", server.rp("box", None), &[][..], 401, "invalid_client"),
        ("wrong secret", server.rp("box", Some("wrong")), &[], 401, "invalid_client"),
        ("unknown client", server.rp("nobody", None), &[], 401, "invalid_client"),
        (
            "D04 off by default",
            server.rp("app", Some("app-secret-that-is-long")),
            &[],
            400,
            "unauthorized_client",
        ),
        ("unknown scope", box_.clone(), &[("scope", "openid admin")], 400, "invalid_scope"),
        ("O02 twice", box_.clone(), &[("scope", "openid"), ("scope", "email")], 400, "invalid_request"),
    ] {
        let reply = rp.post(&browser, "auth/device", fields).await;
        assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (status, Some(error)), "{row}");
        assert_eq!(reply.header("cache-control"), "no-store", "{row}");
    }
    assert_eq!(browser.clone().get(&box_.endpoint("auth/device")).await.status, 405);

    let good = box_.post(&browser, "auth/device", &[]).await;
    let answer = good.json();
    assert_eq!((&answer["expires_in"], &answer["interval"]), (&600.into(), &5.into()), "{}", good.body);
    assert_eq!(good.header("cache-control"), "no-store");
    assert_eq!(answer["device_code"].as_str().unwrap().len(), 43, "256 bits");

    // The grant is off at the token endpoint too, and a poll names its code.
    let app = server.rp("app", Some("app-secret-that-is-long"));
    let poll = [("grant_type", GRANT), ("device_code", answer["device_code"].as_str().unwrap())];
    assert_eq!(app.token_request(&browser, &poll).await.json()["error"], "unauthorized_client");
    assert_eq!(box_.token_request(&browser, &poll[..1]).await.json()["error"], "invalid_request");
    let garbage = [("grant_type", GRANT), ("device_code", "x")];
    assert_eq!(box_.token_request(&browser, &garbage).await.json()["error"], "invalid_grant");
    let document = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let document = browser.clone().get(&document).await.json();
    assert_eq!(document["device_authorization_endpoint"], box_.endpoint("auth/device"));
    assert!(document["grant_types_supported"].as_array().unwrap().contains(&GRANT.into()));
}

#[tokio::test]
async fn d01_a_code_is_its_clients_and_good_once() {
    let scene = Scene::approved().await;
    let mut other = scene.client().await;
    other.id = uuid::Uuid::now_v7().to_string();
    other.client_id = "radio".into();
    scene.commit(Change::PutClient { client: Box::new(other), at: NOW }).await;
    let radio = scene.server.rp("radio", None);
    let stolen = radio.poll(&scene.browser, &scene.device).await.unwrap_err();
    assert_eq!(stolen.json()["error"], "invalid_grant");

    let polls = (0..20).map(|_| {
        let (tv, browser, device) = (scene.tv.clone(), scene.browser.clone(), scene.device.clone());
        tokio::spawn(async move { tv.poll(&browser, &device).await })
    });
    let mut won = Vec::new();
    for poll in polls.collect::<Vec<_>>() {
        match poll.await.unwrap() {
            Ok(tokens) => won.push(tokens),
            Err(reply) => assert_eq!(reply.json()["error"], "invalid_grant", "{}", reply.body),
        }
    }
    assert_eq!(won.len(), 1);
    assert_eq!(scene.refused().await, "invalid_grant");
    let userinfo = scene.tv.userinfo(&scene.browser, won[0].access_token()).await;
    assert_eq!(userinfo.status, 200, "a device's own retry costs it nothing");
}

#[tokio::test]
async fn d02_a_typed_code_is_forgiven_case_and_separators_alone() {
    let mut scene = Scene::new().await;
    scene.browser.open_device(&scene.device, "alice", "alice").await;
    let code = scene.device.user_code.clone();
    let plain = code.replace('-', "");
    let spaced = plain.chars().map(|letter| format!("{letter} ")).collect::<String>();
    for typed in [code.clone(), code.to_lowercase(), plain.clone(), spaced] {
        assert!(is_question(&scene.type_code(&typed).await), "{typed}");
    }
    let wide: String =
        plain.chars().map(|letter| char::from_u32(u32::from(letter) - 0x41 + 0xff21).unwrap()).collect();
    let long = plain.repeat(400);
    for typed in ["", "' OR 1=1", "BCDF-GHJ", "AEIO-UAEI", &wide, &long, &format!("{code}\u{2028}")] {
        let reply = scene.type_code(typed).await;
        assert_eq!(reply.status, 400, "{typed}");
        assert!(reply.body.contains("id=\"input-error\""), "{typed}: {}", reply.body);
    }
    let reply = scene.type_code(&"x".repeat(10_000)).await;
    assert_eq!(reply.status, 400, "10 kB");
    let address = format!("{}?user_code=%27%20OR%201%3D1", scene.device.verification_uri);
    assert_eq!(scene.browser.open(&address).await.status, 400);
}

#[tokio::test]
async fn d02_wrong_codes_are_braked_by_person_whatever_the_session() {
    let mut scene = Scene::new().await;
    scene.browser.open_device(&scene.device, "alice", "alice").await;
    for _ in 0..20 {
        assert!(
            is_question(&scene.type_code(&scene.device.user_code.clone()).await),
            "a right code costs nothing"
        );
    }
    for wrong in 0..10 {
        let reply = scene.type_code("BCDF-GHJK").await;
        assert_eq!(reply.status, 400, "{wrong}: {}", reply.body);
        assert!(reply.body.contains("id=\"input-error\""), "{wrong}");
    }
    let waiting = scene.type_code(&scene.device.user_code.clone()).await;
    assert_eq!((waiting.status.as_u16(), waiting.header("retry-after")), (429, "60"), "{}", waiting.body);
    scene.browser.forget_cookies();
    let elsewhere = scene.browser.open_device(&scene.device, "alice", "alice").await;
    assert_eq!(elsewhere.status, 429, "another session of the same person");
    scene.browser.forget_cookies();
    assert!(
        is_question(&scene.browser.open_device(&scene.device, "bob", "bob").await),
        "somebody else goes on"
    );

    scene.browser.forget_cookies();
    scene.server.clock().advance(61);
    assert!(is_question(&scene.browser.open_device(&scene.device, "alice", "alice").await), "after the wait");
    assert_eq!(scene.type_code("BCDF-GHJK").await.status, 400, "one more");
    let again = scene.type_code("BCDF-GHJK").await;
    assert_eq!((again.status.as_u16(), again.header("retry-after")), (429, "120"), "and a longer wait");
}

#[tokio::test]
async fn d02_nothing_is_looked_up_for_who_is_not_signed_in() {
    let mut scene = Scene::new().await;
    for code in [scene.device.user_code.clone(), "BCDF-GHJK".to_owned()] {
        let reply = scene.type_code(&code).await;
        assert_eq!(reply.status, 200);
        assert!(reply.body.contains("kc-form-login") && !reply.body.contains("TV App"), "{code}");
    }
}

#[tokio::test]
async fn d03_polls_are_told_to_wait_and_what_was_answered() {
    let mut scene = Scene::new().await;
    let after = [
        (0, "authorization_pending"),
        (5, "authorization_pending"),
        (2, "slow_down"),
        (5, "slow_down"),
        (10, "slow_down"),
        (20, "authorization_pending"),
        (19, "authorization_pending"),
        (1, "slow_down"),
    ];
    for (place, (seconds, expected)) in after.into_iter().enumerate() {
        scene.server.clock().advance(seconds);
        assert_eq!(scene.refused().await, expected, "poll {place}");
    }
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    let done = scene.browser.submit(&question, &[("cancel", "No")]).await;
    assert!(done.body.contains("Nothing was connected"), "{}", done.body);
    assert_eq!(scene.refused().await, "access_denied");
    assert_eq!(scene.refused().await, "access_denied");
    assert_eq!(scene.type_code(&scene.device.user_code.clone()).await.status, 400, "the code is answered");

    let late = scene.tv.device(&scene.browser).await.unwrap();
    scene.device = late;
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    scene.server.clock().advance(599);
    assert_eq!(scene.refused().await, "authorization_pending");
    scene.server.clock().advance(1);
    assert_eq!(scene.refused().await, "expired_token");
    let page = scene.browser.submit(&question, &[("accept", "Yes")]).await;
    assert_eq!(page.status, 400, "{}", page.body);
    assert_eq!(scene.refused().await, "expired_token", "a late yes changes nothing");
}

#[tokio::test]
async fn d04_the_person_sees_who_asks_and_a_get_approves_nothing() {
    let mut scene = Scene::new().await;
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    for part in [
        "TV App",
        "Alice Adams",
        scene.device.user_code.as_str(),
        "Did you start this?",
        "127.0.0.1",
        "15 Jan 2027, 08:00 UTC",
        "id=\"kc-login\"",
        "id=\"kc-cancel\"",
    ] {
        assert!(question.body.contains(part), "{part} in {}", question.body);
    }
    assert!(question.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(question.header("x-frame-options"), "DENY");
    assert_eq!(question.header("cache-control"), "no-store");
    assert_eq!(question.header("referrer-policy"), "no-referrer");
    scene.browser.open(&scene.device.verification_uri_complete).await;
    let action = question.form_action();
    assert_eq!(scene.browser.get(&action).await.status, 303);
    let sealed = question.hidden_fields()[0].1.clone();
    scene.browser.get(&format!("{action}?session_code={sealed}&accept=Yes")).await;
    assert_eq!(scene.refused().await, "authorization_pending");
}

/// On a shared screen the wrong person can do more than say no: somebody else signs in, and is asked the same.
#[tokio::test]
async fn d04_somebody_else_signs_in_and_is_asked_instead() {
    let mut scene = Scene::new().await;
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    let elsewhere = attribute(&question, ".whom a", "href").unwrap();
    let before = scene.browser.cookies().get("main-sid").cloned();
    for _ in 0..2 {
        let page = scene.browser.open(&elsewhere).await;
        is_sign_in(&page, "somebody else");
        assert_eq!(
            scene.browser.cookies().get("main-sid").cloned(),
            before,
            "nobody is signed out by a look"
        );
    }
    let page = scene.browser.open(&elsewhere).await;
    let reply = scene.browser.submit(&page, &[("username", "bob"), ("password", "bob")]).await;
    let question = scene.browser.follow(reply).await;
    assert!(is_question(&question) && question.body.contains("Bob Brown"), "{}", question.body);
    let done = scene.browser.submit(&question, &[("accept", "Yes")]).await;
    assert!(done.body.contains("Your device is connected"), "{}", done.body);
    let tokens = scene.tv.poll(&scene.browser, &scene.device).await.unwrap();
    assert_eq!(tokens.access_claims()["preferred_username"], "bob");
}

#[tokio::test]
async fn s01_d04_foreign_forms_approve_nothing() {
    let mut scene = Scene::new().await;
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    let yes = [("accept", "Yes")];
    for (name, value) in [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")] {
        let mut foreign = scene.browser.clone();
        foreign.headers.push((name.into(), value.into()));
        assert_eq!(foreign.submit(&question, &yes).await.status, 403, "{name}");
        let code = [("device_user_code", scene.device.user_code.as_str())];
        assert_eq!(foreign.post(&scene.device.verification_uri, &code).await.status, 403, "{name}");
    }
    let action = question.form_action();
    assert_eq!(scene.browser.post(&action, &yes).await.status, 403, "no token");
    let forged = [("accept", "Yes"), ("session_code", "AAAA")];
    assert_eq!(scene.browser.post(&action, &forged).await.status, 403, "a token of one's own");

    let mut other = scene.server.browser();
    other.open_device(&scene.device, "bob", "bob").await;
    assert_eq!(other.submit(&question, &yes).await.status, 403, "another session's token");
    let mut nobody = scene.server.browser();
    assert_eq!(nobody.submit(&question, &yes).await.status, 400, "no session");
    let (realm_id, user_id) = (scene.realm_id().await, scene.alice().await.id);
    scene.commit(Change::EndSessionsOfUser { realm_id, user_id, at: NOW }).await;
    assert_eq!(scene.browser.submit(&question, &yes).await.status, 400, "after signing out");
    assert_eq!(scene.refused().await, "authorization_pending");
}

#[tokio::test]
async fn s04_what_others_wrote_stays_text() {
    let mut scene = Scene::new().await;
    let hostile = "\"><img src=x onerror=1>";
    let page = scene.type_code(hostile).await;
    assert!(!page.body.contains("<img") && page.body.contains("&#60;img"), "{}", page.body);
    let mut client = scene.client().await;
    client.settings.name = Some(format!("{hostile}\u{202e}"));
    scene.commit(Change::PutClient { client: Box::new(client), at: NOW }).await;
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    assert!(is_question(&question) && !question.body.contains("<img") && !question.body.contains('\u{202e}'));
    let done = scene.browser.submit(&question, &[("accept", "Yes")]).await;
    assert!(done.body.contains("onerror") && !done.body.contains("<img"), "{}", done.body);
}

#[tokio::test]
async fn d05_a_yes_lapses_with_the_person_who_gave_it() {
    let scene = Scene::approved().await;
    let user = User { enabled: false, ..scene.alice().await };
    scene.commit(Change::PutUser(Box::new(user))).await;
    assert_eq!(scene.refused().await, "invalid_grant", "disabled");

    let scene = Scene::approved().await;
    let (realm_id, rule) = (scene.realm_id().await, BruteForce::default());
    let counter = [brake::Counter { subject: brake::account("alice"), most: 1 }];
    scene.server.app().store.count_attempt(&realm_id, &counter, &rule, NOW).await.unwrap();
    assert_eq!(scene.refused().await, "invalid_grant", "locked");
    scene.server.clock().advance(31);
    assert!(scene.tv.poll(&scene.browser, &scene.device).await.is_ok(), "the lock is over");

    let scene = Scene::approved().await;
    let (realm_id, user_id) = (scene.realm_id().await, scene.alice().await.id);
    scene.commit(Change::EndSessionsOfUser { realm_id, user_id, at: NOW }).await;
    assert_eq!(scene.refused().await, "invalid_grant", "signed out");

    let mut scene = Scene::approved().await;
    let account = scene.browser.open(&format!("{}/account/", scene.server.issuer("main"))).await;
    scene.browser.submit(&account, &[]).await;
    assert_eq!(scene.refused().await, "access_denied", "taken back on the account page");

    let scene = Scene::approved().await;
    let mut client = scene.client().await;
    client.settings.grants.remove(&GrantType::DeviceCode);
    scene.commit(Change::PutClient { client: Box::new(client), at: NOW }).await;
    assert_eq!(scene.refused().await, "unauthorized_client", "the client may not any more");
}

#[tokio::test]
async fn d05_scopes_are_those_that_were_approved() {
    let mut scene = Scene::approved().await;
    let poll = [
        ("grant_type", GRANT),
        ("device_code", scene.device.device_code.as_str()),
        ("scope", "openid address offline_access"),
    ];
    let tokens = scene.tv.tokens(&scene.browser, &poll).await.unwrap();
    assert_eq!(tokens.text("scope"), "openid profile email");

    // A scope that the client lost is not asked for and not given.
    scene.tv.scope = "openid address".into();
    scene.device = scene.tv.device(&scene.browser).await.unwrap();
    let stale = scene.browser.open_device(&scene.device, "alice", "alice").await;
    let mut client = scene.client().await;
    client.settings.optional_scopes = Some(Vec::new());
    scene.commit(Change::PutClient { client: Box::new(client), at: NOW }).await;
    assert_eq!(scene.browser.submit(&stale, &[("accept", "Yes")]).await.status, 400, "another question");
    assert_eq!(scene.refused().await, "authorization_pending");
    scene.browser.approve_device(&scene.device, "alice", "alice").await;
    let tokens = scene.tv.poll(&scene.browser, &scene.device).await.unwrap();
    assert_eq!(tokens.text("scope"), "openid profile email");
}

#[tokio::test]
async fn d06_a_client_has_a_hundred_codes_open_at_an_address() {
    let scene = Scene::new().await;
    for _ in 1..100 {
        scene.tv.device(&scene.browser).await.unwrap();
    }
    let refused = scene.tv.device(&scene.browser).await.unwrap_err();
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "600"), "{}", refused.body);
    assert_eq!(refused.json()["error"], "temporarily_unavailable");
    let mut other = scene.client().await;
    (other.id, other.client_id) = (uuid::Uuid::now_v7().to_string(), "radio".into());
    scene.commit(Change::PutClient { client: Box::new(other), at: NOW }).await;
    assert!(
        scene.server.rp("radio", None).device(&scene.browser).await.is_ok(),
        "another client's do not count"
    );

    let mut person = scene.browser.clone();
    person.approve_device(&scene.device, "alice", "alice").await;
    scene.tv.poll(&person, &scene.device).await.unwrap();
    assert!(scene.tv.device(&scene.browser).await.is_ok(), "one that was used does not count");
    assert!(scene.tv.device(&scene.browser).await.is_err());
    scene.server.clock().advance(600);
    assert!(scene.tv.device(&scene.browser).await.is_ok(), "nor do those that expired");
}

#[tokio::test]
async fn a_button_that_is_pressed_twice_tells_what_the_first_press_did() {
    let mut scene = Scene::new().await;
    let question = scene.browser.open_device(&scene.device, "alice", "alice").await;
    for press in 1..=2 {
        let done = scene.browser.submit(&question, &[("accept", "Yes")]).await;
        assert!(done.body.contains("Your device is connected"), "{press}: {}", done.body);
    }
    let done = scene.browser.submit(&question, &[("cancel", "No")]).await;
    assert!(done.body.contains("Your device is connected"), "a no after the yes is too late: {}", done.body);
    assert!(scene.tv.poll(&scene.browser, &scene.device).await.is_ok());
}

#[tokio::test]
async fn each_step_leaves_an_event() {
    let mut scene = Scene::new().await;
    scene.browser.open_device(&scene.device, "alice", "alice").await;
    scene.type_code("BCDF-GHJK").await;
    scene.browser.approve_device(&scene.device, "alice", "alice").await;
    scene.tv.poll(&scene.browser, &scene.device).await.unwrap();
    let events = scene.server.app().store.audit_events(&scene.realm_id().await, Page::ALL).await.unwrap();
    let found: Vec<(String, Option<&str>)> =
        events.iter().rev().map(|event| (event.kind.name(), event.error.as_deref())).collect();
    let expected = [
        ("OAUTH2_DEVICE_AUTH", None),
        ("LOGIN", None),
        ("OAUTH2_DEVICE_VERIFY_USER_CODE_ERROR", Some("invalid_oauth2_user_code")),
        ("OAUTH2_DEVICE_VERIFY_USER_CODE", None),
        ("OAUTH2_DEVICE_CODE_TO_TOKEN", None),
    ];
    let found: Vec<_> = found.iter().map(|(kind, error)| (kind.as_str(), *error)).collect();
    assert!(found.ends_with(&expected), "{found:?}");
    let metrics = scene.server.app().metrics.text();
    for line in [
        r#"vestibule_devices_total{outcome="asked"} 1"#,
        r#"vestibule_devices_total{outcome="wrong_code"} 1"#,
        r#"vestibule_devices_total{outcome="approved"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(metrics.contains(&format!(r#"vestibule_tokens_issued_total{{grant="{GRANT}"}} 1"#)), "{metrics}");
}

/// RFC 8628 §3.2: a client may have its own lifetime of codes, and its own wait between polls.
#[tokio::test]
async fn rfc8628_3_2_a_client_has_spans_of_its_own() {
    let realm = "[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"tv\"\npublic = true\ngrants = [\"device_code\"]\n\
                 device_code_lifetime = \"2m\"\ndevice_interval = \"20s\"\n";
    let options = Options { frozen_at: Some(NOW), realm: Some(realm.to_owned()), ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let (tv, mut browser) = (server.rp("tv", None), server.browser());
    let told = browser.post(&tv.endpoint("auth/device"), &[("client_id", "tv")]).await.json();
    assert_eq!((&told["expires_in"], &told["interval"]), (&120.into(), &20.into()), "{told}");
    let device = tv.device(&browser).await.unwrap();
    for (seconds, expected) in [
        (0, "authorization_pending"),
        (18, "slow_down"),
        (26, "authorization_pending"),
        (75, "authorization_pending"),
        (1, "expired_token"),
    ] {
        server.clock().advance(seconds);
        let reply = tv.poll(&browser, &device).await.unwrap_err();
        assert_eq!(reply.json()["error"], expected, "{seconds} s later");
    }
}
