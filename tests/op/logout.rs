//! The end-session endpoint. Tests that begin with `oidcc` are named after the modules of the OpenID Foundation's
//! suite (conformance.md §2.5), and ask for what those ask for.

use vestibule::clock::Timestamp;
use vestibule::protocol::client::Client;
use vestibule::protocol::jws;
use vestibule::realms::{forgetting, rotation};
use vestibule::store::Change;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens, claims};

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
name = "The App"
secret = "app-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
post_logout_redirect_uris = ["https://app.example/bye"]
client_uri = "https://app.example/"
[[realm.clients]]
id = "other"
secret = "other-secret-that-is-long"
redirect_uris = ["https://other.example/cb"]
post_logout_redirect_uris = ["https://other.example/bye"]
[[realm.users]]
username = "alice"
password = "correct horse"
[[realm.users]]
username = "bob"
password = "battery staple"
"#;

const BYE: &str = "https://app.example/bye";

/// Alice, signed in to `app` in a browser.
struct SignedIn {
    server: TestServer,
    browser: Browser,
    rp: Rp,
    tokens: Tokens,
}

impl SignedIn {
    async fn new() -> Self {
        let options = Options {
            realm: Some(REALM.to_owned()),
            strict: true,
            frozen_at: Some(Timestamp(1_800_000_000)),
            ..Options::default()
        };
        let server = TestServer::with(options).await.unwrap();
        let mut rp = server.rp("app", Some("app-secret-that-is-long"));
        rp.redirect_uri = "https://app.example/cb".to_owned();
        let mut browser = server.browser();
        let tokens = rp.sign_in(&mut browser, "alice", "correct horse").await.unwrap();
        Self { server, browser, rp, tokens }
    }

    fn address(&self, parameters: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{}?{query}", self.rp.endpoint("logout"))
    }

    async fn get(&mut self, parameters: &[(&str, &str)]) -> Reply {
        let address = self.address(parameters);
        self.browser.get(&address).await
    }

    /// Sends `parameters`, and says yes where the person is asked.
    async fn sign_out(&mut self, parameters: &[(&str, &str)]) -> Reply {
        let reply = self.get(parameters).await;
        if is_question(&reply) { self.browser.submit(&reply, &[("confirmLogout", "1")]).await } else { reply }
    }

    fn hint(&self) -> String {
        self.tokens.id_token().to_owned()
    }

    /// Whether `prompt=none` still gets a code.
    async fn is_signed_in(&mut self) -> bool {
        let address = self.rp.authorize_url_with(&[("prompt", Some("none"))]);
        let reply = self.browser.get(&address).await;
        assert!(
            reply.parameter("code").is_some()
                || reply.parameter("error").as_deref() == Some("login_required")
        );
        reply.parameter("code").is_some()
    }

    async fn disable(&self, client_id: &str) {
        let app = self.server.app();
        let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
        let client = app.store.client_by_client_id(&realm.id, client_id).await.unwrap().unwrap();
        let client = Box::new(Client { enabled: false, ..client });
        app.commit(vec![Change::PutClient { client, at: app.clock.now() }]).await.unwrap();
    }
}

fn is_question(reply: &Reply) -> bool {
    reply.status == 200 && reply.body.contains("id=\"kc-logout\"")
}

fn is_goodbye(reply: &Reply) -> bool {
    reply.status == 200 && reply.body.contains("You are signed out")
}

/// A page that tells of a mistake, and leads nowhere.
fn is_page(reply: &Reply, row: &str) {
    assert_eq!((reply.status.as_u16(), reply.location()), (400, ""), "{row}: {}", reply.body);
    assert!(!reply.body.contains("<form") && !reply.body.contains("http-equiv"), "{row}");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let here = SignedIn::new().await;
    let address = format!("{}/.well-known/openid-configuration", here.server.issuer("main"));
    let document = here.server.browser().get(&address).await.json();
    assert_eq!(document["end_session_endpoint"], here.rp.endpoint("logout"));
    assert!(here.rp.endpoint("logout").starts_with("https://"));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let mut here = SignedIn::new().await;
    let (hint, state) = (here.hint(), "~.-_&=+ %".repeat(14) + "ab");
    assert_eq!(state.len(), 128);
    let done =
        here.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE), ("state", &state)]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let (address, query) = done.location().split_once('?').unwrap();
    let parameters: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    assert_eq!((address, parameters), (BYE, vec![("state".into(), state.into())]));
    assert!(!here.is_signed_in().await, "the session has ended");
    assert!(here.rp.refresh(&here.browser, here.tokens.refresh_token()).await.is_err(), "and its grants");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    let done = here.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, BYE));
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    let done = here.sign_out(&[("id_token_hint", &hint), ("state", "x")]).await;
    assert!(is_goodbye(&done), "{}", done.body);
    assert!(done.body.contains("href=\"https://app.example/\""), "the app's home page is one click away");
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let mut here = SignedIn::new().await;
    assert!(is_question(&here.get(&[]).await) && here.is_signed_in().await, "asked, and not ended yet");
    let done = here.sign_out(&[]).await;
    assert!(is_goodbye(&done), "{}", done.body);
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let mut here = SignedIn::new().await;
    let done = here.sign_out(&[("state", "only")]).await;
    assert!(is_goodbye(&done), "{}", done.body);
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let mut here = SignedIn::new().await;
    is_page(&here.get(&[("post_logout_redirect_uri", BYE), ("state", "x")]).await, "no hint");
    assert!(here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    for uri in [
        "https://evil.test/",
        "https://other.example/bye",
        "https://app.example/cb",
        "https://app.example/BYE",
        "https://app.example:443/bye",
        "https://app.example@evil.test/bye",
        "https://app.example/bye#x",
        "//app.example/bye",
        "javascript:alert(1)",
    ] {
        let reply = here.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", uri)]).await;
        is_page(&reply, uri);
    }
    assert!(here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let mut here = SignedIn::new().await;
    let (hint, uri) = (here.hint(), format!("{BYE}?foo=bar"));
    is_page(&here.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &uri)]).await, "query added");
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    let mut parts = hint.split('.');
    let (header, payload) = (parts.next().unwrap(), parts.next().unwrap());
    // {"alg":"none"}
    for (row, forged) in [
        ("alg none", format!("eyJhbGciOiJub25lIn0.{payload}.")),
        ("signature gone", format!("{header}.{payload}.")),
        ("no token", "x".to_owned()),
        ("an access token", here.tokens.access_token().to_owned()),
    ] {
        let forged = [("id_token_hint", forged.as_str())];
        assert!(is_question(&here.get(&forged).await), "{row}: the person is asked");
        is_page(&here.get(&[forged[0], ("post_logout_redirect_uri", BYE)]).await, row);
    }
    assert!(here.is_signed_in().await);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let mut here = SignedIn::new().await;
    // Tests of one process share their keys, so another realm's key stands for a foreign one by its kid alone; the
    // issuer is wrong as well.
    let foreign = TestServer::start().await.unwrap();
    let hint = foreign.sign_in("web", Some("web-secret"), "alice", "alice").await.unwrap();
    let reply = here.get(&[("id_token_hint", hint.id_token()), ("post_logout_redirect_uri", BYE)]).await;
    is_page(&reply, "another server's ID token");
    assert!(here.is_signed_in().await);
}

#[tokio::test]
async fn rp_initiated_logout_2_an_expired_hint_is_good() {
    let mut here = SignedIn::new().await;
    here.server.clock().advance(600);
    let hint = here.hint();
    assert!(claims(&hint)["exp"].as_i64().unwrap() < here.server.clock().now().0);
    let done = here.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, BYE));
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn rp_initiated_logout_2_get_and_post() {
    let mut here = SignedIn::new().await;
    let (endpoint, hint) = (here.rp.endpoint("logout"), here.hint());
    let form = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let done = here.browser.post(&endpoint, &form).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, "https://app.example/bye?state=s"));
    assert!(!here.is_signed_in().await);
}

#[tokio::test]
async fn l02_a_form_of_another_site_signs_nobody_out_unasked() {
    let mut here = SignedIn::new().await;
    let endpoint = here.rp.endpoint("logout");
    // SameSite=Lax: a form of another site comes without the cookie.
    let bare = here.server.browser().post(&endpoint, &[("state", "s"), ("ui_locales", "de")]).await;
    assert_eq!(bare.status, 303, "{}", bare.body);
    assert_eq!(bare.location(), format!("{endpoint}?state=s&ui_locales=de"), "the same request by GET");
    assert_eq!(bare.header("set-cookie"), "", "and the cookie stays");
    assert!(is_question(&here.browser.open(bare.location()).await), "which has the cookie, and asks");
    assert!(here.is_signed_in().await);

    let nobody = here.server.browser().get(&endpoint).await;
    assert!(is_goodbye(&nobody) && nobody.header("set-cookie").is_empty(), "an image of another site");
}

#[tokio::test]
async fn l02_who_is_asked() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    let mut elsewhere = here.server.browser();
    let other_session = here.rp.sign_in(&mut elsewhere, "alice", "correct horse").await.unwrap();
    let mut bobs = here.server.browser();
    let of_bob = here.rp.sign_in(&mut bobs, "bob", "battery staple").await.unwrap();
    for (row, parameters) in [
        ("nothing", vec![]),
        ("client_id alone", vec![("client_id", "app"), ("post_logout_redirect_uri", BYE)]),
        ("hint of another session", vec![("id_token_hint", other_session.id_token())]),
        ("hint of another person", vec![("id_token_hint", of_bob.id_token())]),
        ("logout_hint", vec![("logout_hint", "alice"), ("ui_locales", "de fr")]),
    ] {
        assert!(is_question(&here.get(&parameters).await), "{row}");
    }
    assert!(here.is_signed_in().await);
    let differ = here.get(&[("id_token_hint", &hint), ("client_id", "other")]).await;
    is_page(&differ, "L01e client_id of another client");
    let hints = [("id_token_hint", hint.as_str()), ("logout_hint", "alice"), ("ui_locales", "de fr")];
    assert!(is_goodbye(&here.get(&hints).await), "hints change nothing");
}

#[tokio::test]
async fn l02_the_hint_of_a_client_that_is_switched_off_is_none() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    let question = here.get(&[("client_id", "app"), ("post_logout_redirect_uri", BYE)]).await;
    here.disable("app").await;
    assert!(is_question(&here.get(&[("id_token_hint", &hint)]).await), "the person is asked");
    for parameters in [
        [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", BYE)],
        [("client_id", "app"), ("post_logout_redirect_uri", BYE)],
    ] {
        is_page(&here.get(&parameters).await, "nobody is sent to it");
    }
    is_page(&here.browser.submit(&question, &[]).await, "nor by a question that was asked before");
    assert!(here.server.browser().get(&here.address(&[("id_token_hint", &hint)])).await.status == 200);
    assert!(here.browser.open(&here.rp.endpoint("logout")).await.body.contains("kc-logout"), "nothing ended");
}

#[tokio::test]
async fn s01_the_confirmation_takes_our_own_page_alone() {
    let mut here = SignedIn::new().await;
    let question = here.get(&[]).await;
    let mut foreign = here.browser.clone();
    foreign.headers.push(("sec-fetch-site".into(), "cross-site".into()));
    assert_eq!(foreign.submit(&question, &[]).await.status, 403, "another site's form");
    let forged = [("session_code", "x")];
    assert_eq!(here.browser.post(&question.form_action(), &forged).await.status, 403, "a forged code");
    let mut other = here.server.browser();
    here.rp.sign_in(&mut other, "alice", "correct horse").await.unwrap();
    assert_eq!(other.submit(&question, &[]).await.status, 403, "the page of another session");
    assert!(here.is_signed_in().await);
}

/// As `vestibule key rotate --at-once`, and so much later that the old key is not served any more.
async fn rotate(server: &TestServer) {
    let app = server.app();
    let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
    let now = app.clock.now();
    let rotation = rotation(&state, &app.store, &app.vault, now, true).await.unwrap();
    app.commit(rotation.changes).await.unwrap();
    server.clock().advance(rotation.times.old_served_until.since(now));
}

fn kid(token: &str) -> String {
    jws::parse(token).unwrap().header.kid.unwrap()
}

/// L02, RP-Initiated Logout 1.0 §2: a genuine hint counts as long as its session lives, whatever became of the key.
#[tokio::test]
async fn l02_an_id_token_of_a_key_that_was_replaced_is_a_hint_while_its_session_lives() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    rotate(&here.server).await;
    let published = here.browser.get(&here.rp.endpoint("certs")).await;
    assert!(!published.body.contains(&kid(&hint)), "the old key is not published any more");
    let renewed = here.rp.refresh(&here.browser, here.tokens.refresh_token()).await.unwrap();
    assert!(published.body.contains(&kid(renewed.id_token())));

    let silent = here.rp.authorize_url_with(&[("prompt", Some("none")), ("id_token_hint", Some(&hint))]);
    let reply = here.browser.get(&silent).await;
    assert!(reply.parameter("code").is_some(), "{}", reply.location());
    let done = here.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!((done.status.as_u16(), done.location()), (303, BYE), "{}", done.body);
    assert!(!here.is_signed_in().await);
}

/// Whoever has a key that leaked signs as we did: once it is forgotten, nothing of it proves anything.
#[tokio::test]
async fn l02_an_id_token_of_a_key_that_was_forgotten_is_no_hint() {
    let mut here = SignedIn::new().await;
    let hint = here.hint();
    rotate(&here.server).await;
    let app = here.server.app();
    let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
    let keys = app.store.keys(&state.realm.id).await.unwrap();
    app.commit(forgetting(&state, &keys, &app.vault, app.clock.now(), &kid(&hint)).unwrap()).await.unwrap();
    let question = here.get(&[("id_token_hint", &hint)]).await;
    assert!(is_question(&question), "{}", question.body);
    assert!(here.is_signed_in().await);
}
