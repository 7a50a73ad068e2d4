//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): whatever ends a session, its clients are told.

use base64::Engine;
use serde_json::{Value, json};
use vestibule::clock::Timestamp;
use vestibule::protocol::audit::AuditKind;
use vestibule::realm_file::{Format, PlanOptions, apply_spec, parse};
use vestibule::store::{Change, Page};
use vestibule::testing::{Browser, Options, Rp, TestServer, Tokens, claims};

use crate::hearing::Hearing;

const START: Timestamp = Timestamp(1_800_000_000);

fn realm(hearing: &Hearing) -> String {
    format!(
        r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
secret = "app-secret-that-is-long"
redirect_uris = ["http://localhost:3000/callback"]
post_logout_redirect_uris = ["http://localhost:3000/bye"]
backchannel_logout_uri = "{}"
[[realm.clients]]
id = "deaf"
secret = "deaf-secret-that-is-long"
redirect_uris = ["http://localhost:3000/callback"]
[[realm.users]]
username = "alice"
password = "correct horse"
[[realm.users]]
username = "bob"
password = "battery staple"
"#,
        hearing.address
    )
}

/// Alice, signed in to `app`, which hears of logouts.
struct SignedIn {
    hearing: Hearing,
    server: TestServer,
    browser: Browser,
    rp: Rp,
    tokens: Tokens,
}

impl SignedIn {
    async fn new() -> Self {
        let hearing = Hearing::start().await;
        let options = Options { realm: Some(realm(&hearing)), frozen_at: Some(START), ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let rp = server.rp("app", Some("app-secret-that-is-long"));
        let mut browser = server.browser();
        let tokens = rp.sign_in(&mut browser, "alice", "correct horse").await.unwrap();
        Self { hearing, server, browser, rp, tokens }
    }

    async fn sign_out(&mut self) {
        let address = format!("{}?id_token_hint={}", self.rp.endpoint("logout"), self.tokens.id_token());
        assert_eq!(self.browser.get(&address).await.status, 200);
    }

    /// The post number `count` tells of the end of this very session.
    async fn hears(&self, count: usize) {
        let told = claims(&self.hearing.logout_token(count).await);
        let id = self.tokens.id_claims();
        assert_eq!((&told["sid"], &told["sub"]), (&id["sid"], &id["sub"]));
    }

    async fn realm_id(&self) -> String {
        self.server.app().store.realm_by_name("main").await.unwrap().unwrap().id
    }

    /// Applies a realm file, as `vestibule apply` does beside a running server.
    async fn apply(&self, toml: &str, prune: bool) {
        let spec = parse(toml, Format::Toml, "realm.toml", &|_| None).unwrap().remove(0);
        let app = self.server.app();
        let options = PlanOptions { prune, ..PlanOptions::default() };
        apply_spec(&app.store, &app.client_secrets, &spec, options, app.clock.now()).await.unwrap();
    }
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let mut here = SignedIn::new().await;
    let address = format!("{}/.well-known/openid-configuration", here.server.issuer("main"));
    let document = here.server.browser().get(&address).await.json();
    for flag in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        assert_eq!(document[flag], true, "{flag}");
    }
    here.sign_out().await;
    let (headers, _) = here.hearing.post(1).await;
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    let token = here.hearing.logout_token(1).await;

    let header =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("RS256")));
    let state = here.server.app().realms.named(&here.server.app().store, "main").await.unwrap().unwrap();
    assert!(state.ring.verify(&token, START).is_ok(), "signed by a key of the key set");

    let (told, id) = (claims(&token), here.tokens.id_claims());
    for (name, expected) in [
        ("iss", &id["iss"]),
        ("sub", &id["sub"]),
        ("sid", &id["sid"]),
        ("aud", &json!("app")),
        ("iat", &json!(START.0)),
        ("exp", &json!(START.0 + 120)),
        ("events", &json!({ "http://schemas.openid.net/event/backchannel-logout": {} })),
    ] {
        assert_eq!(&told[name], expected, "{name}");
    }
    assert!(told["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
    assert_eq!(told.get("nonce"), None);
    here.hearing.nothing_after(1).await;
}

#[tokio::test]
async fn j04_x05_a_logout_token_is_no_other_token() {
    let mut here = SignedIn::new().await;
    here.sign_out().await;
    let token = here.hearing.logout_token(1).await;
    let mut browser = here.server.browser();
    let tokens = here.rp.sign_in(&mut browser, "alice", "correct horse").await.unwrap();
    assert_eq!(here.rp.userinfo(&browser, &token).await.status, 401);
    assert_eq!(here.rp.introspect(&browser, &token).await.json(), json!({ "active": false }));
    assert!(here.rp.refresh(&browser, &token).await.is_err());
    let question = browser.get(&format!("{}?id_token_hint={token}", here.rp.endpoint("logout"))).await;
    assert!(question.body.contains("kc-logout"), "no hint");
    assert!(here.rp.refresh(&browser, tokens.refresh_token()).await.is_ok());
}

#[tokio::test]
async fn whatever_ends_the_session_is_told() {
    let mut here = SignedIn::new().await;
    let endpoint = here.rp.endpoint("logout");
    let question = here.browser.get(&endpoint).await;
    here.browser.submit(&question, &[("confirmLogout", "1")]).await;
    here.hears(1).await;

    let mut here = SignedIn::new().await;
    let fields = [("refresh_token", here.tokens.refresh_token())];
    assert_eq!(here.rp.post(&here.browser, "logout", &fields).await.status, 204);
    here.hears(1).await;

    for action in ["end-session", "end-all"] {
        here = SignedIn::new().await;
        let page = here.browser.open(&format!("{}/account/", here.server.issuer("main"))).await;
        let (csrf, sid) = (page.hidden_fields(), here.tokens.id_claims()["sid"].clone());
        let csrf = csrf.iter().find(|(name, _)| name == "csrf").unwrap();
        let address = format!("{}/account/{action}", here.server.issuer("main"));
        let fields = [("csrf", csrf.1.as_str()), ("id", sid.as_str().unwrap())];
        let done = here.browser.post(&address, &fields).await;
        assert!(done.body.contains("You are signed out"), "{action}: {}", done.body);
        here.hears(1).await;
        assert!(here.rp.refresh(&here.browser, here.tokens.refresh_token()).await.is_err(), "I03 {action}");
        assert_eq!(here.rp.userinfo(&here.browser, here.tokens.access_token()).await.status, 401, "I03");
        let told = here.rp.introspect(&here.browser, here.tokens.access_token()).await;
        assert_eq!(told.json(), json!({ "active": false }), "I03 {action}");
    }

    let mut here = SignedIn::new().await;
    let page = here.browser.open(&here.rp.authorize_url_with(&[("prompt", Some("login"))])).await;
    here.browser.submit(&page, &[("username", "bob"), ("password", "battery staple")]).await;
    here.hears(1).await;
}

#[tokio::test]
async fn whatever_a_realm_file_ends_is_told() {
    let users = "[realm]\nname = \"main\"\n[[realm.users]]\nusername = \"alice\"\n";
    for (row, file, prune) in [
        ("disabled", format!("{users}enabled = false\n"), false),
        ("a new password", format!("{users}password = \"another one\"\n"), false),
        ("deleted", "[realm]\nname = \"main\"\n[[realm.users]]\nusername = \"bob\"\n".to_owned(), true),
    ] {
        let here = SignedIn::new().await;
        here.apply(&file, prune).await;
        here.hears(1).await;
        assert!(here.rp.refresh(&here.browser, here.tokens.refresh_token()).await.is_err(), "{row}");
    }
}

#[tokio::test]
async fn only_clients_of_the_session_are_told() {
    let mut here = SignedIn::new().await;
    let deaf = here.server.rp("deaf", Some("deaf-secret-that-is-long"));
    deaf.sign_in(&mut here.browser, "alice", "correct horse").await.unwrap();
    let mut bobs = here.server.browser();
    let of_bob = deaf.sign_in(&mut bobs, "bob", "battery staple").await.unwrap();
    bobs.get(&format!("{}?id_token_hint={}", deaf.endpoint("logout"), of_bob.id_token())).await;
    here.hearing.nothing_after(0).await;
    here.sign_out().await;
    here.hears(1).await;
    here.hearing.nothing_after(1).await;
}

#[tokio::test]
async fn backchannel_logout_2_8_a_failure_is_tried_again_and_in_the_end_given_up() {
    let mut here = SignedIn::new().await;
    here.hearing.answer(503);
    here.sign_out().await;
    let first = claims(&here.hearing.logout_token(1).await);
    here.hearing.nothing_after(1).await;
    here.server.clock().advance(5);
    let second = claims(&here.hearing.logout_token(2).await);
    assert_eq!((&first["sid"], &second["iat"]), (&second["sid"], &json!(START.0 + 5)), "signed anew");
    assert_ne!(first["jti"], second["jti"]);
    here.hearing.answer(200);
    // What became of an attempt is noted after the client has heard of it.
    here.hearing.nothing_after(2).await;
    here.server.clock().advance(15);
    here.hears(3).await;
    here.hearing.nothing_after(3).await;
    here.server.clock().advance(3_600);
    here.hearing.nothing_after(3).await;

    let mut here = SignedIn::new().await;
    here.hearing.answer(400);
    here.sign_out().await;
    here.hears(1).await;
    here.hearing.nothing_after(1).await;
    here.server.clock().advance(3_601);
    here.hears(2).await;
    here.hearing.nothing_after(2).await;
    let events = here.server.app().store.audit_events(&here.realm_id().await, Page::ALL).await.unwrap();
    let given_up = events.iter().find(|event| event.kind == AuditKind::BackchannelLogoutError).unwrap();
    assert_eq!(given_up.client_id.as_deref(), Some("app"));
    assert_eq!(given_up.session_id.as_deref(), here.tokens.id_claims()["sid"].as_str());
    assert_eq!(given_up.error.as_deref(), Some("it answered 400"));
    here.server.clock().advance(3_600);
    here.hearing.nothing_after(2).await;
}

/// A runtime of its own stands for a process: what runs in it is gone with it, wherever it was.
struct Process(Option<tokio::runtime::Runtime>);

impl Process {
    fn start() -> Self {
        Self(Some(
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        ))
    }

    fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.0.as_ref().unwrap().block_on(work)
    }

    fn kill(mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

#[test]
fn i1_a_logout_outlives_the_process_that_took_it() {
    let outside = Process::start();
    let hearing = outside.run(Hearing::start());
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("vestibule.db").display());
    let options = |at: Timestamp| Options {
        realm: Some(realm(&hearing)),
        frozen_at: Some(at),
        database: Some(database.clone()),
        key_file: Some(folder.path().join("keys")),
        ..Options::default()
    };

    // Killed while the client is being told: it does not answer, and nobody hears what became of it.
    hearing.answer(0);
    let first = Process::start();
    let (server, sid) = first.run(async {
        let server = TestServer::with(options(START)).await.unwrap();
        let rp = server.rp("app", Some("app-secret-that-is-long"));
        let mut browser = server.browser();
        let tokens = rp.sign_in(&mut browser, "alice", "correct horse").await.unwrap();
        let hint = format!("{}?id_token_hint={}", rp.endpoint("logout"), tokens.id_token());
        assert_eq!(browser.get(&hint).await.status, 200);
        (server, tokens.id_claims()["sid"].clone())
    });
    outside.run(hearing.post(1));
    first.kill();
    drop(server);

    // Killed between the commit and the first attempt: here nobody is there to make it.
    hearing.answer(200);
    let second = Process::start();
    let another = second.run(async {
        let options = vestibule::store::StoreOptions::new(database.clone());
        let vault = std::sync::Arc::new(vestibule::vault::Vault::random());
        let store = vestibule::store::Store::open(&options, vault).await.unwrap();
        let realm_id = store.realm_by_name("main").await.unwrap().unwrap().id;
        let session = store.session_by_id(&realm_id, sid.as_str().unwrap()).await.unwrap().unwrap();
        let client = store.client_by_client_id(&realm_id, "app").await.unwrap().unwrap();
        let id = "0199a3f2-6c1e-7b42-9d0e-2f6a51c8b0d4".to_owned();
        let session = vestibule::protocol::session::Session { id: id.clone(), ended_at: None, ..session };
        let begin = vec![
            Change::BeginSession { session, fingerprint: "another".into(), expires_at: START.plus(60) },
            Change::SignInToClient {
                realm_id: realm_id.clone(),
                session_id: id.clone(),
                client: client.id,
                issuer: "http://localhost/realms/main".into(),
            },
        ];
        store.commit(begin).await.unwrap();
        store.commit(vec![Change::EndSession { realm_id, id: id.clone(), at: START }]).await.unwrap();
        id
    });
    second.kill();

    let third = Process::start();
    let server = third.run(async { TestServer::with(options(START.plus(31))).await.unwrap() });
    let told: Vec<_> = [2, 3]
        .map(|count| claims(&outside.run(hearing.logout_token(count)))["sid"].as_str().unwrap().to_owned())
        .into();
    assert!(told.contains(&another) && told.iter().any(|told| *told == sid.as_str().unwrap()), "{told:?}");
    outside.run(hearing.nothing_after(3));
    drop(server);
    third.kill();
    outside.kill();
}
