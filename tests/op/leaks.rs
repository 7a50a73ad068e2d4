//! What gets out: logs hold no credential (G01), a stolen database opens nothing (G02), and strangers fill no cache
//! (O04).

mod grants;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Method;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use vestibule::testing::{Options, Rp, TestServer};

use crate::common::{is_sign_in, realm};
use crate::on_both;

/// Everything that is logged in this process from the moment on at which it was made.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "app"
secret = "canary-client-secret"
redirect_uris = ["http://localhost:3000/callback"]
post_logout_redirect_uris = ["http://localhost:3000/bye"]
grants = ["authorization_code", "refresh_token", "client_credentials"]
consent = true
[[realm.users]]
username = "carol"
password = "canary-password"
"#;

/// A person and an app do what they can, rightly and wrongly. Gives every credential that was used.
async fn scenario(server: &TestServer) -> Vec<(&'static str, String)> {
    let mut canaries = Vec::new();
    let (rp, mut browser) = (server.rp("app", Some("canary-client-secret")), server.browser());
    let page =
        browser.open(&rp.authorize_url_with(&[("login_hint", Some("canary\r\n\u{1b}[31mforged"))])).await;
    canaries
        .push(("sealed request", page.form_action().split("session_code=").nth(1).unwrap()[..60].to_owned()));
    for (name, password) in [
        ("carol", "canary-wrong-password"),
        ("nobody\r\nlevel=ERROR forged line", "canary-password"),
        ("canary-password-in-the-name-field", ""),
    ] {
        browser.post(&page.form_action(), &[("username", name), ("password", password)]).await;
    }
    let answer = browser.submit(&page, &[("username", "carol"), ("password", "canary-password")]).await;
    let answer = browser.submit(&answer, &[("accept", "Yes")]).await;
    let code = answer.parameter("code").unwrap();
    for wrong in [
        Rp { secret: Some("canary-wrong-secret".into()), ..rp.clone() },
        Rp { client_id: "canary\nforged".into(), ..rp.clone() },
        Rp { verifier: "canary-wrong-verifier-canary-wrong-verifier".into(), ..rp.clone() },
    ] {
        assert!(wrong.redeem(&browser, &code).await.is_err());
    }
    let tokens = rp.redeem(&browser, &code).await.unwrap();
    let next = rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
    for token in [tokens.access_token(), next.access_token(), "canary-bearer"] {
        rp.userinfo(&browser, token).await;
        rp.introspect(&browser, token).await;
    }
    let service = rp.tokens(&browser, &[("grant_type", "client_credentials")]).await.unwrap();
    rp.post(&browser, "revoke", &[("token", service.access_token())]).await;
    let in_address = format!("{}?access_token=canary-in-the-address", rp.endpoint("userinfo"));
    browser.get(&in_address).await;
    browser.get(&format!("{}?client_secret=canary-in-the-address", rp.endpoint("token"))).await;
    browser
        .send(Method::POST, &rp.endpoint("token"), Some("%ff".into()), &[("authorization", "Basic canary")])
        .await;
    canaries.extend(grants::scenario(server, &rp, &mut browser).await);
    browser.open(&format!("{}/account/", rp.issuer)).await;
    let hint = format!("{}?id_token_hint={}", rp.endpoint("logout"), tokens.id_token());
    browser.get(&hint).await;
    rp.refresh(&browser, tokens.refresh_token()).await.unwrap_err();
    // A fault of ours, whose cause is logged.
    for (name, value) in browser.cookies() {
        canaries.push(("cookie", format!("{value:.40}")));
        assert!(!name.is_empty());
    }
    server.app().store.close().await;
    rp.refresh(&browser, next.refresh_token()).await.unwrap_err();
    rp.introspect(&browser, next.access_token()).await;
    canaries.extend([
        ("code", code),
        ("verifier", rp.verifier.clone()),
        ("nonce", rp.nonce.clone()),
        ("access token", middle(tokens.access_token())),
        ("access token", middle(next.access_token())),
        ("service's token", middle(service.access_token())),
        ("refresh token", middle(tokens.refresh_token())),
        ("refresh token", middle(next.refresh_token())),
        ("ID token", middle(tokens.id_token())),
    ]);
    canaries
}

/// Of a signed token the beginning of its signature, of another value its own.
fn middle(token: &str) -> String {
    token.split('.').nth(2).unwrap_or(token).chars().take(40).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g01_logs_hold_no_credential() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish()
        .with("vestibule=trace,warn".parse::<Targets>().unwrap());
    // For the whole process: work is done on threads that no test chooses. Other tests log too; the canaries are ours.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let server = TestServer::with_realm(&format!("{REALM}{}", grants::clients())).await.unwrap();
    let canaries = scenario(&server).await;
    let log = String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(log.contains("client authentication failed"), "the log is written");
    for (what, canary) in &canaries {
        assert!(!log.contains(canary.as_str()), "{what} {canary} is in the log");
    }
    for fixed in
        ["canary-password", "canary-client-secret", "canary-wrong", "canary-in-the-address", "canary-bearer"]
    {
        let line = log.lines().find(|line| line.contains(fixed));
        assert!(line.is_none(), "{fixed} in {line:?}");
    }
    for forged in ["\nforged", "\nlevel=ERROR forged", "\u{1b}["] {
        assert!(!log.contains(forged), "a line of somebody else's making");
    }
    for private in ["PRIVATE KEY", "Basic ", "Bearer e", "Cookie", "cookie="] {
        assert!(!log.contains(private), "{private}");
    }
}

on_both! {
    /// Whoever has the database, and not the key file, has nothing that opens a door.
    async fn g02_nothing_in_the_database_is_a_credential(place) {
        let options = Options { realm: Some(REALM.to_owned()), ..place.options() };
        let server = TestServer::with(options).await.unwrap();
        let (rp, mut browser) = (server.rp("app", Some("canary-client-secret")), server.browser());
        // Live sessions, grants and codes, so that there is something to steal.
        let tokens = rp.sign_in(&mut browser, "carol", "canary-password").await.unwrap();
        rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
        let unspent = browser.get(&rp.authorize_url()).await.parameter("code").unwrap();
        let question = browser.open(&rp.authorize_url_with(&[("prompt", Some("consent"))])).await;
        assert!(question.body.contains("kc-oauth"));
        let values = place.values().await;
        assert!(values.len() > 100, "{} values", values.len());
        let dump = values.join("\n");
        for secret in [
            unspent.as_str(),
            tokens.access_token(),
            tokens.refresh_token(),
            &browser.cookies()["main-sid"],
            &browser.cookies()["main-auth"],
            "canary-password",
            "canary-client-secret",
            "PRIVATE KEY",
        ] {
            assert!(!dump.contains(secret), "{secret:.30} is in the database");
        }
        for value in values.iter().filter(|value| value.len() <= 4_000 && !value.contains('\0')) {
            tries(&server, &rp, value).await;
        }
        assert!(rp.redeem(&browser, &unspent).await.is_ok(), "and none of the tries spent what they tried to guess");
    }
}

async fn tries(server: &TestServer, rp: &Rp, value: &str) {
    let browser = server.browser();
    assert!(rp.redeem(&browser, value).await.is_err(), "as code: {value:.60}");
    assert!(rp.refresh(&browser, value).await.is_err(), "as refresh token: {value:.60}");
    assert_ne!(rp.userinfo(&browser, value).await.status, 200, "as access token: {value:.60}");
    if rp.introspect(&browser, value).await.status == 200 {
        assert_eq!(rp.introspect(&browser, value).await.body, r#"{"active":false}"#, "{value:.60}");
    }
    let thief = Rp { secret: Some(value.to_owned()), ..rp.clone() };
    let reply = thief.token_request(&browser, &[("grant_type", "client_credentials")]).await;
    assert_ne!(reply.status, 200, "as client secret: {value:.60}");
    for cookie in ["main-sid", "main-auth", "main-user"] {
        let mut browser = server.browser();
        browser.set_cookie(cookie, value);
        let reply = browser.get(&rp.authorize_url_with(&[("prompt", Some("none"))])).await;
        assert!(reply.parameter("code").is_none(), "as {cookie}: {value:.60}");
    }
    let realm = realm(server).await;
    let carol = server.app().store.user_by_login(&realm.id, "carol", false).await.unwrap().unwrap();
    let verdict =
        server.app().passwords.verify(carol.password_hash.as_deref(), &value.to_owned().into()).await;
    assert!(!verdict.is_ok_and(|verdict| verdict.matches), "as password: {value:.60}");
}

/// Nothing that a stranger can make up is kept: the caches hold what is there, and each miss asks anew.
#[tokio::test]
async fn o04_strangers_fill_no_cache() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    is_sign_in(&browser.open(&rp.authorize_url()).await, "what is there is in memory");
    for realm in ["main", "master"] {
        browser.get(&format!("{}/.well-known/openid-configuration", server.issuer(realm))).await;
    }
    let named = |name| server.app().realms.named(&server.app().store, name);
    // Its keys may still be in the making, and a realm without them is not kept.
    assert!(named("master").await.unwrap().is_some());
    let state = named("main").await.unwrap().unwrap();
    let kept = || (server.app().realms.kept(), state.clients_kept(), state.documents.len());
    let before = kept();
    for n in 0..150 {
        let word = format!("made-up-{n}");
        browser.get(&rp.authorize_url_with(&[("client_id", Some(&word))])).await;
        browser
            .get(&rp.authorize_url_with(&[("ui_locales", Some(&word)), ("claims_locales", Some(&word))]))
            .await;
        Rp { client_id: word.clone(), ..rp.clone() }.introspect(&browser, "x").await;
        let realm = format!("{}/realms/{word}", server.origin());
        browser.get(&format!("{realm}/.well-known/openid-configuration")).await;
        let discovery = format!("{}/.well-known/openid-configuration", rp.issuer);
        let headers = [("origin", format!("https://{word}.test")), ("accept-language", word.clone())];
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        browser.send(Method::GET, &discovery, None, &headers).await;
        browser.send(Method::OPTIONS, &rp.endpoint("token"), None, &headers).await;
        browser.send(Method::GET, &discovery, None, &[("host", &format!("{word}.test"))]).await;
        rp.userinfo(&browser, &format!("eyJhbGciOiJSUzI1NiIsImtpZCI6Im{n}In0.e30.AA")).await;
    }
    assert_eq!(kept(), before);
    // A key that is not ours is looked for in memory alone.
    let _ = server.app().store.traffic();
    for n in 0..50 {
        let header = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            format!(r#"{{"alg":"RS256","typ":"JWT","kid":"unknown-{n}"}}"#),
        );
        assert_eq!(rp.userinfo(&browser, &format!("{header}.e30.AA")).await.status, 401);
    }
    let asked = server.app().store.traffic().statements;
    assert!(asked.iter().all(|sql| crate::statements::is_clockwork(sql)), "the clockwork alone: {asked:?}");
}
