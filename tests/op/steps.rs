//! What is asked after a right password: a code of a device (RFC 6238), a new password, and what cannot be asked for.

use serde_json::json;
use vestibule::clock::Timestamp;
use vestibule::protocol::credential::Credential;
use vestibule::store::Change;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer};

use crate::common::{attribute, is_error, is_sign_in, user};

const REALM: &str = r#"
    [realm]
    name = "main"
    [[realm.clients]]
    id = "cli"
    public = true
    grants = ["password", "refresh_token"]
    [[realm.clients]]
    id = "web"
    secret = "web-secret"
    redirect_uris = ["http://localhost:3000/callback"]
    [[realm.users]]
    username = "alice"
    password = "wonderland"
    [[realm.users]]
    username = "bob"
    password = "builder"
"#;

/// RFC 6238's key; at this moment its codes are those of appendix B, cut to six digits.
const KEY: &str = "12345678901234567890";
pub(crate) const NOW: i64 = 1_234_567_890;
const CODE: &str = "005924";
const HOTP: [&str; 3] = ["755224", "287082", "359152"];

pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) realm_id: String,
    user_id: String,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(false).await
    }

    async fn with(strict: bool) -> Self {
        let frozen_at = Some(Timestamp(NOW));
        let options = Options { realm: Some(REALM.to_owned()), frozen_at, strict, ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let realm_id = server.app().store.realm_by_name("main").await.unwrap().unwrap().id;
        let user_id = user(&server, "alice").await.id;
        Self { realm_id, user_id, server }
    }

    pub(crate) async fn give_device(&self, data: serde_json::Value) {
        let mut credential = Credential {
            id: "device-1".into(),
            realm_id: self.realm_id.clone(),
            user_id: self.user_id.clone(),
            kind: "otp".into(),
            label: Some("phone".into()),
            secret: String::new(),
            data: data.to_string(),
            priority: 10,
            created_at: Timestamp(NOW),
        };
        let secret = json!({ "value": KEY }).to_string();
        credential.secret = self.server.app().vault.seal(&credential.place(), secret.as_bytes());
        self.server.app().commit(vec![Change::PutCredential(credential)]).await.unwrap();
    }

    pub(crate) async fn devices(&self) -> Vec<Credential> {
        self.server.app().store.credentials_of_user(&self.realm_id, &self.user_id).await.unwrap()
    }

    pub(crate) async fn require(&self, actions: &[&str]) {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        let (realm_id, user_id) = (self.realm_id.clone(), self.user_id.clone());
        let change = Change::SetRequiredActions { realm_id, user_id, actions };
        self.server.app().commit(vec![change]).await.unwrap();
    }

    pub(crate) fn rp(&self) -> Rp {
        self.server.rp("web", Some("web-secret"))
    }

    /// Alice's right password at the form.
    async fn password(&self, browser: &mut Browser) -> Reply {
        self.rp().authorize(browser, "alice", "wonderland").await
    }

    pub(crate) async fn grant(&self, more: &[(&str, &str)]) -> Reply {
        let mut fields = vec![("grant_type", "password"), ("username", "alice"), ("password", "wonderland")];
        fields.extend_from_slice(more);
        self.server.rp("cli", None).token_request(&self.server.browser(), &fields).await
    }
}

#[tokio::test]
async fn rfc6238_a_person_with_a_device_is_asked_for_a_code_and_a_code_counts_once() {
    let scene = Scene::new().await;
    scene.give_device(json!({})).await;
    let mut browser = scene.server.browser();
    let asked = scene.password(&mut browser).await;
    assert_eq!(asked.status, 200);
    assert!(
        asked.body.contains("id=\"kc-otp-login-form\"") && asked.body.contains("name=\"otp\""),
        "{}",
        asked.body
    );
    let wrong = browser.submit(&asked, &[("otp", "000000")]).await;
    assert!(wrong.body.contains("wrong, or was used before") && wrong.parameter("code").is_none());
    let done = browser.submit(&wrong, &[("otp", CODE)]).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);

    let mut other = scene.server.browser();
    let asked = scene.password(&mut other).await;
    let replay = other.submit(&asked, &[("otp", CODE)]).await;
    assert!(replay.body.contains("wrong, or was used before"), "{}", replay.body);
    assert!(scene.grant(&[("totp", CODE)]).await.status == 401, "nor at the token endpoint");
}

#[tokio::test]
async fn a_right_password_alone_signs_nobody_in() {
    let scene = Scene::new().await;
    scene.give_device(json!({})).await;
    let mut browser = scene.server.browser();
    let asked = scene.password(&mut browser).await;
    let silent = scene.rp().authorize_url_with(&[("prompt", Some("none"))]);
    assert_eq!(browser.open(&silent).await.parameter("error").as_deref(), Some("login_required"));
    // The address of the form shows the question again, and is of no use to another browser.
    let again = browser.get(&asked.form_action()).await;
    assert!(again.body.contains("kc-otp-login-form"), "{}", again.body);
    let mut thief = scene.server.browser();
    let stolen = thief.post(&asked.form_action(), &[("otp", CODE)]).await;
    assert_eq!(stolen.status, 400, "{}", stolen.body);
    // A step cannot be left out.
    let skipped =
        browser.submit(&asked, &[("password-new", "new secret"), ("password-confirm", "new secret")]).await;
    assert!(
        skipped.parameter("code").is_none() && skipped.body.contains("kc-otp-login-form"),
        "{}",
        skipped.body
    );
    // Nor does it outlast the password.
    let (realm_id, user_id) = (scene.realm_id.clone(), scene.user_id.clone());
    let change = Change::SetPassword { realm_id, user_id, hash: "$argon2id$x".into() };
    scene.server.app().commit(vec![change]).await.unwrap();
    assert_eq!(browser.submit(&asked, &[("otp", CODE)]).await.status, 400);
}

#[tokio::test]
async fn u02_guesses_of_codes_are_braked() {
    let scene = Scene::new().await;
    scene.give_device(json!({})).await;
    let mut browser = scene.server.browser();
    let mut asked = scene.password(&mut browser).await;
    for _ in 0..4 {
        asked = browser.submit(&asked, &[("otp", "000000")]).await;
        assert!(asked.body.contains("wrong, or was used before"), "{}", asked.body);
    }
    let held = browser.submit(&asked, &[("otp", CODE)]).await;
    assert!(held.body.contains("Too many attempts"), "{}", held.body);
}

#[tokio::test]
async fn rfc4226_a_counter_moves_with_each_code() {
    let scene = Scene::new().await;
    scene.give_device(json!({ "subType": "hotp", "counter": 0 })).await;
    for code in HOTP {
        assert_eq!(scene.grant(&[("totp", code)]).await.status, 200, "{code}");
        is_error(&scene.grant(&[("totp", code)]).await, 401, "invalid_grant", "the same again");
    }
    let mut browser = scene.server.browser();
    let asked = scene.password(&mut browser).await;
    assert!(
        browser.submit(&asked, &[("otp", "969429")]).await.parameter("code").is_some(),
        "the form's next"
    );
    is_error(&scene.grant(&[("totp", "969429")]).await, 401, "invalid_grant", "spent at the form");
}

#[tokio::test]
async fn the_password_grant_asks_for_the_code_and_names_what_is_missing() {
    let scene = Scene::new().await;
    scene.give_device(json!({})).await;
    is_error(&scene.grant(&[]).await, 401, "invalid_grant", "no code");
    is_error(&scene.grant(&[("totp", "000000")]).await, 401, "invalid_grant", "a wrong one");
    let together = tokio::join!(scene.grant(&[("totp", CODE)]), scene.grant(&[("totp", CODE)]));
    let won = [&together.0, &together.1].iter().filter(|reply| reply.status == 200).count();
    assert_eq!(won, 1, "side by side, one spends it: {} {}", together.0.body, together.1.body);
    for action in ["UPDATE_PASSWORD", "VERIFY_EMAIL"] {
        let scene = Scene::new().await;
        scene.require(&[action]).await;
        for _ in 0..8 {
            let reply = scene.grant(&[]).await;
            is_error(&reply, 400, "invalid_grant", action);
            assert_eq!(
                reply.json()["error_description"],
                "Account is not fully set up",
                "no brake: no guess"
            );
        }
    }
}

#[tokio::test]
async fn f06_a_temporary_password_is_replaced_at_the_sign_in_and_who_held_it_is_out() {
    let scene = Scene::new().await;
    let held = scene.grant(&[]).await.json();
    scene.require(&["UPDATE_PASSWORD"]).await;
    let mut browser = scene.server.browser();
    let asked = scene.password(&mut browser).await;
    for id in ["kc-passwd-update-form", "password-new", "password-confirm"] {
        assert!(asked.body.contains(&format!("id=\"{id}\"")), "{id}: {}", asked.body);
    }
    let new = |new, again| [("password-new", new), ("password-confirm", again)];
    for (case, fields, words) in [
        ("different", new("looking glass", "looking"), "are not the same"),
        ("empty", new("", ""), "Type a new password"),
        ("the old one", new("wonderland", "wonderland"), "another password"),
    ] {
        let refused = browser.submit(&asked, &fields).await;
        assert!(refused.body.contains(words), "{case}: {}", refused.body);
        assert!(!refused.body.contains("looking glass"), "{case}: what was typed is not shown");
    }
    let done = browser.submit(&asked, &new("looking glass", "looking glass")).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    assert!(scene.rp().authorize(&mut browser, "", "").await.parameter("code").is_some(), "signed in");

    let cli = scene.server.rp("cli", None);
    let refresh = cli.refresh(&scene.server.browser(), held["refresh_token"].as_str().unwrap()).await;
    assert!(refresh.is_err(), "what the old password got is over");
    is_error(&scene.grant(&[]).await, 401, "invalid_grant", "the old password");
    let mut fresh = scene.server.browser();
    let reply = scene.rp().authorize(&mut fresh, "alice", "looking glass").await;
    assert!(reply.parameter("code").is_some(), "asked once: {}", reply.body);
}

#[tokio::test]
async fn an_account_that_cannot_be_set_up_here_says_what_is_missing_to_its_owner_alone() {
    let scene = Scene::with(true).await;
    scene.require(&["webauthn-register", "UPDATE_PASSWORD"]).await;
    let mut browser = scene.server.browser();
    let wrong = scene.rp().authorize(&mut browser, "alice", "x").await;
    assert!(!wrong.body.contains("webauthn"), "{}", wrong.body);
    let told = scene.password(&mut browser).await;
    assert_eq!(told.status, 403);
    assert!(
        told.body.contains("not fully set up") && told.body.contains("webauthn-register"),
        "{}",
        told.body
    );
    let again = attribute(&told, "#loginRestartLink", "href").unwrap();
    is_sign_in(&browser.open(&again).await, "somebody else signs in instead");
    assert!(
        scene.rp().authorize(&mut browser, "bob", "builder").await.parameter("code").is_some(),
        "bob is not held up"
    );
}
