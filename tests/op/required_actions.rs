//! What an account asks of its person at the sign-in: a device, the terms, the profile; and what is passed over.

use aws_lc_rs::hmac;
use scraper::{Html, Selector};
use serde_json::json;
use vestibule::keycloak::KeycloakRecord;
use vestibule::protocol::user::User;
use vestibule::store::Change;
use vestibule::testing::{Browser, Reply, TestServer};

use crate::common::{is_sign_in, user};
use crate::steps::{NOW, Scene};

/// The code that an authenticator app shows at [`NOW`] (RFC 6238 §4).
pub(crate) fn code_of(key: &str) -> String {
    let mut bits = String::new();
    for letter in key.chars().filter(|letter| *letter != ' ') {
        let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).unwrap();
        bits.push_str(&format!("{value:05b}"));
    }
    let bytes: Vec<u8> =
        (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[at * 8..at * 8 + 8], 2).unwrap()).collect();
    let step = (NOW / 30).to_be_bytes();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes), &step);
    let tag = tag.as_ref();
    let at = usize::from(tag[19] & 0x0f);
    let four = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", four % 1_000_000)
}

pub(crate) fn text(reply: &Reply, selector: &str) -> String {
    let page = Html::parse_document(&reply.body);
    let found = page.select(&Selector::parse(selector).unwrap()).next();
    found.unwrap_or_else(|| panic!("{selector}: {}", reply.body)).text().collect()
}

/// Alice's right password at the form, and the page after it.
async fn password(scene: &Scene, browser: &mut Browser) -> Reply {
    let form = browser.open(&scene.rp().authorize_url()).await;
    browser.submit(&form, &[("username", "alice"), ("password", "wonderland")]).await
}

async fn alice(scene: &Scene) -> User {
    user(&scene.server, "alice").await
}

#[tokio::test]
async fn a_device_is_set_up_at_the_sign_in_and_asked_for_from_then_on() {
    let scene = Scene::new().await;
    scene.require(&["CONFIGURE_TOTP"]).await;
    let mut browser = scene.server.browser();
    let asked = password(&scene, &mut browser).await;
    let key = text(&asked, "#kc-totp-secret-key");
    assert_eq!(key.replace(' ', "").len(), 32, "{key}");
    assert!(!asked.form_action().contains(&key.replace(' ', "")), "the address does not tell it");
    for (case, fields) in [
        ("a wrong code", &[("totp", "000000")][..]),
        ("no code", &[("totp", "")]),
        ("another step's form", &[("accept", "Accept")]),
        ("the form of the step before", &[("otp", "000000")]),
    ] {
        let again = browser.submit(&asked, fields).await;
        assert_eq!(text(&again, "#kc-totp-secret-key"), key, "{case}");
        assert!(again.body.contains("That code is wrong"), "{case}");
    }
    assert!(scene.devices().await.is_empty(), "nothing is kept before it is proven");
    assert_eq!(scene.grant(&[]).await.status, 400, "the password grant has no page for it");
    let done = browser.submit(&asked, &[("totp", &code_of(&key)), ("userLabel", " phone\u{7} ")]).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    let devices = scene.devices().await;
    assert_eq!((devices.len(), devices[0].label.as_deref()), (1, Some("phone")));
    assert!(!devices[0].secret.contains(&key.replace(' ', "")), "sealed");
    assert_eq!(alice(&scene).await.required_actions, Vec::<String>::new());

    let mut other = scene.server.browser();
    let asked = password(&scene, &mut other).await;
    let replay = other.submit(&asked, &[("otp", &code_of(&key))]).await;
    assert!(replay.body.contains("wrong, or was used before"), "u08: {}", replay.body);
}

#[tokio::test]
async fn a_second_device_comes_after_a_code_of_the_first() {
    let scene = Scene::new().await;
    scene.give_device(json!({})).await;
    scene.require(&["CONFIGURE_TOTP"]).await;
    let mut browser = scene.server.browser();
    let asked = password(&scene, &mut browser).await;
    assert!(asked.body.contains("kc-otp-login-form"), "s03: {}", asked.body);
    let asked = browser.submit(&asked, &[("otp", "005924")]).await;
    let key = text(&asked, "#kc-totp-secret-key");
    let done = browser.submit(&asked, &[("totp", &code_of(&key))]).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    assert_eq!(scene.devices().await.len(), 2);
}

#[tokio::test]
async fn the_terms_are_read_and_accepted_or_nobody_is_signed_in() {
    let scene = Scene::new().await;
    scene.require(&["TERMS_AND_CONDITIONS"]).await;
    let mut browser = scene.server.browser();
    let asked = password(&scene, &mut browser).await;
    assert!(text(&asked, "#kc-terms-text").contains("ask you to accept their terms"), "{}", asked.body);
    let id = scene.realm_id.clone();
    let content = json!({ "localizationTexts": { "en": { "termsText": "Be kind.\n<b>Always.</b>" } } });
    let record = KeycloakRecord {
        realm_id: id.clone(),
        kind: "realm".into(),
        id,
        parent: String::new(),
        name: String::new(),
        content: content.as_object().unwrap().clone(),
    };
    scene.server.app().commit(vec![Change::PutKeycloakRecord(record)]).await.unwrap();
    let asked = password(&scene, &mut browser).await;
    assert_eq!(text(&asked, "#kc-terms-text"), "Be kind.\n<b>Always.</b>", "s04: as text");
    for (case, fields) in [
        ("a no", &[("cancel", "Decline")][..]),
        ("both", &[("accept", "Accept"), ("cancel", "Decline")]),
        ("neither", &[]),
        ("another step's form", &[("password-new", "looking glass"), ("password-confirm", "looking glass")]),
    ] {
        let refused = browser.submit(&asked, fields).await;
        assert_eq!(refused.parameter("error").as_deref(), Some("access_denied"), "{case}: {}", refused.body);
    }
    let silent = scene.rp().authorize_url_with(&[("prompt", Some("none"))]);
    assert_eq!(browser.open(&silent).await.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(alice(&scene).await.required_actions, ["TERMS_AND_CONDITIONS"]);
    let done = browser.submit(&asked, &[("accept", "Accept")]).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    let alice = alice(&scene).await;
    assert_eq!(alice.attributes["terms_and_conditions"], [NOW.to_string()]);
    assert!(alice.required_actions.is_empty());
}

#[tokio::test]
async fn a_no_to_the_terms_for_no_app_leads_back_to_the_sign_in() {
    let scene = Scene::new().await;
    scene.require(&["TERMS_AND_CONDITIONS"]).await;
    let mut browser = scene.server.browser();
    let form = browser.open(&format!("{}/account/", scene.server.issuer("main"))).await;
    let asked = browser.submit(&form, &[("username", "alice"), ("password", "wonderland")]).await;
    is_sign_in(&browser.submit(&asked, &[("cancel", "Decline")]).await, "back at the form");
}

#[tokio::test]
async fn a_profile_is_completed() {
    let scene = Scene::new().await;
    scene.require(&["UPDATE_PROFILE"]).await;
    let bob = User { email: Some("bob@example.com".into()), ..user(&scene.server, "bob").await };
    scene.server.app().commit(vec![Change::PutUser(Box::new(bob))]).await.unwrap();
    let mut browser = scene.server.browser();
    let asked = password(&scene, &mut browser).await;
    let fields = |first, last, email| [("firstName", first), ("lastName", last), ("email", email)];
    for (case, fields, field, words) in [
        ("no name", fields("", "Adams", "a@example.com"), "firstName", "Please fill this in."),
        ("no address", fields("Alice", "Adams", "a"), "email", "This is no email address."),
        (
            "bob's",
            fields("Alice", "Adams", "Bob@example.com"),
            "email",
            "Somebody else has this email address.",
        ),
    ] {
        let again = browser.submit(&asked, &fields).await;
        assert_eq!(text(&again, &format!("#input-error-{field}")), words, "{case}");
        assert!(again.body.contains("value=\"Adams\""), "{case}: what was typed stays");
    }
    let more = [("username", "root"), ("emailVerified", "true"), ("roles", "admin")];
    let all: Vec<_> = fields("Alice", "Adams", "alice@example.com").into_iter().chain(more).collect();
    let done = browser.submit(&asked, &all).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    let alice = alice(&scene).await;
    assert_eq!(
        (alice.first_name.as_deref(), alice.last_name.as_deref(), alice.email.as_deref()),
        (Some("Alice"), Some("Adams"), Some("alice@example.com"))
    );
    assert!(!alice.email_verified && alice.username == "alice", "u08: nothing else of the form counts");
}

#[tokio::test]
async fn s03_each_is_done_before_the_next_is_asked() {
    let scene = Scene::new().await;
    scene.require(&["UPDATE_PASSWORD", "UPDATE_PROFILE", "TERMS_AND_CONDITIONS", "CONFIGURE_TOTP"]).await;
    let mut browser = scene.server.browser();
    let device = password(&scene, &mut browser).await;
    let key = text(&device, "#kc-totp-secret-key");
    let terms = browser.submit(&device, &[("totp", &code_of(&key))]).await;
    assert!(terms.body.contains("kc-terms-text"), "{}", terms.body);
    let profile = browser.submit(&terms, &[("accept", "Accept")]).await;
    let names = [("firstName", "Alice"), ("lastName", "Adams"), ("email", "alice@example.com")];
    let password = browser.submit(&profile, &names).await;
    assert!(password.body.contains("kc-passwd-update-form"), "{}", password.body);
    // What is done stays done, and a form of before asks for what is still missing.
    let again = browser.submit(&terms, &[("accept", "Accept")]).await;
    assert!(again.body.contains("kc-passwd-update-form") || again.body.contains("kc-otp-login-form"));
    let new = [("password-new", "looking glass"), ("password-confirm", "looking glass")];
    let done = browser.submit(&password, &new).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    assert!(alice(&scene).await.required_actions.is_empty());
}

#[tokio::test]
async fn f06_a_step_does_not_outlast_the_password() {
    for (action, fields) in [
        ("TERMS_AND_CONDITIONS", &[("accept", "Accept")][..]),
        ("UPDATE_PROFILE", &[("firstName", "A"), ("lastName", "B"), ("email", "a@example.com")]),
    ] {
        let scene = Scene::new().await;
        scene.require(&[action]).await;
        let mut browser = scene.server.browser();
        let asked = password(&scene, &mut browser).await;
        let (realm_id, user_id) = (scene.realm_id.clone(), alice(&scene).await.id);
        let change = Change::SetPassword { realm_id, user_id, hash: "$argon2id$x".into() };
        scene.server.app().commit(vec![change]).await.unwrap();
        assert_eq!(browser.submit(&asked, fields).await.status, 400, "{action}");
        assert_eq!(alice(&scene).await.required_actions, [action], "nothing of it lasts");
    }
}

#[tokio::test]
async fn development_passes_over_what_it_has_no_page_for() {
    let scene = Scene::new().await;
    scene.require(&["VERIFY_EMAIL", "webauthn-register"]).await;
    let mut browser = scene.server.browser();
    let done = password(&scene, &mut browser).await;
    assert!(done.parameter("code").is_some(), "{}", done.body);
    assert_eq!(alice(&scene).await.required_actions, ["VERIFY_EMAIL", "webauthn-register"], "they stay");
}

/// A realm file of ours says what the first sign-in asks for, as Keycloak's does.
#[tokio::test]
async fn a_realm_file_asks_for_a_new_password_at_the_first_sign_in() {
    let text = "[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"web\"\nsecret = \"web-secret\"\n\
                redirect_uris = [\"http://localhost:3000/callback\"]\n[[realm.users]]\nusername = \"new\"\n\
                password = \"first\"\nfirst_name = \"Nora\"\nrequired_actions = [\"UPDATE_PASSWORD\"]\n";
    let server = TestServer::with_realm(text).await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let page = browser.open(&rp.authorize_url()).await;
    let asked = browser.submit(&page, &[("username", "new"), ("password", "first")]).await;
    assert!(asked.body.contains("Choose a new password"), "{}", asked.body);
    assert!(
        asked.body.contains("Nora") && asked.body.contains("to continue to "),
        "who, and to what: {}",
        asked.body
    );
    let fields = [("password-new", "second"), ("password-confirm", "second")];
    assert!(browser.submit(&asked, &fields).await.parameter("code").is_some());
    let page = server.browser().open(&rp.authorize_url()).await;
    assert!(page.body.contains("kc-form-login"));
    assert!(rp.sign_in(&mut server.browser(), "new", "second").await.is_ok(), "asked once");
}
