//! What an app asks of a person who is signed in (`kc_action`, Keycloak's application-initiated actions).

use serde_json::json;
use vestibule::store::Change;
use vestibule::testing::{Browser, Reply, TestServer};

use crate::common::{is_sign_in, user};
use crate::required_actions::{code_of, text};
use crate::steps::Scene;

const NEW: [(&str, &str); 2] = [("password-new", "looking glass"), ("password-confirm", "looking glass")];

async fn signed_in(scene: &Scene) -> Browser {
    let mut browser = scene.server.browser();
    let reply = scene.rp().authorize(&mut browser, "alice", "wonderland").await;
    assert!(reply.parameter("code").is_some(), "{}", reply.body);
    browser
}

/// The page that an app's wish leads to.
async fn asked(scene: &Scene, browser: &mut Browser, action: &str) -> Reply {
    browser.open(&scene.rp().authorize_url_with(&[("kc_action", Some(action))])).await
}

#[track_caller]
fn is_answered(reply: &Reply, action: &str, status: &str) {
    assert!(reply.parameter("code").is_some(), "{}", reply.body);
    assert_eq!(reply.parameter("kc_action_status").as_deref(), Some(status));
    assert_eq!(reply.parameter("kc_action").as_deref(), Some(action));
}

#[tokio::test]
async fn a_new_password_is_chosen_and_signs_out_everywhere_else() {
    let scene = Scene::new().await;
    let (mut browser, mut elsewhere) = (signed_in(&scene).await, signed_in(&scene).await);
    let page = asked(&scene, &mut browser, "UPDATE_PASSWORD").await;
    assert!(text(&page, "#instruction").contains("signs you out everywhere else"), "{}", page.body);
    let again = browser.submit(&page, &[("password-new", "a"), ("password-confirm", "b")]).await;
    assert!(again.body.contains("name=\"cancel-aia\""), "{}", again.body);
    let done = browser.submit(&again, &NEW).await;
    is_answered(&done, "UPDATE_PASSWORD", "success");
    let silent = scene.rp().authorize_url_with(&[("prompt", Some("none"))]);
    assert!(browser.open(&silent).await.parameter("code").is_some(), "who chose it stays");
    assert_eq!(elsewhere.open(&silent).await.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(scene.grant(&[]).await.status, 401, "the old one is none any more");
    let mut anew = scene.server.browser();
    let reply = scene.rp().authorize(&mut anew, "alice", "looking glass").await;
    assert!(reply.parameter("code").is_some(), "{}", reply.body);
}

#[tokio::test]
async fn each_of_them_is_done_and_told() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    let page = asked(&scene, &mut browser, "CONFIGURE_TOTP").await;
    let code = code_of(&text(&page, "#kc-totp-secret-key"));
    is_answered(&browser.submit(&page, &[("totp", &code)]).await, "CONFIGURE_TOTP", "success");
    assert_eq!(scene.devices().await.len(), 1);
    let page = asked(&scene, &mut browser, "UPDATE_PROFILE").await;
    let fields = [("email", "alice@example.com"), ("firstName", "Alice"), ("lastName", "Liddell")];
    is_answered(&browser.submit(&page, &fields).await, "UPDATE_PROFILE", "success");
    assert_eq!(user(&scene.server, "alice").await.email.as_deref(), Some("alice@example.com"));
    let page = asked(&scene, &mut browser, "TERMS_AND_CONDITIONS").await;
    is_answered(&browser.submit(&page, &[("accept", "Accept")]).await, "TERMS_AND_CONDITIONS", "success");
    assert!(user(&scene.server, "alice").await.attributes.contains_key("terms_and_conditions"));
}

#[tokio::test]
async fn it_may_be_left_undone() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    for (action, button) in [
        ("UPDATE_PASSWORD", "cancel-aia"),
        ("CONFIGURE_TOTP", "cancel-aia"),
        ("UPDATE_PROFILE", "cancel-aia"),
        ("TERMS_AND_CONDITIONS", "cancel"),
    ] {
        let page = asked(&scene, &mut browser, action).await;
        assert!(page.body.contains(&format!("name=\"{button}\"")), "{action}: {}", page.body);
        let mut fields = NEW.to_vec();
        fields.extend([(button, "true"), ("accept", "Accept")]);
        is_answered(&browser.submit(&page, &fields).await, action, "cancelled");
    }
    assert_eq!(scene.grant(&[]).await.status, 200, "the password is what it was");
    assert!(scene.devices().await.is_empty());
    assert!(user(&scene.server, "alice").await.attributes.is_empty());
}

/// Whoever finds a browser open, and whoever is not signed in, proves first who they are.
#[tokio::test]
async fn an_old_sign_in_is_proven_again() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    scene.server.clock().advance(301);
    let form = asked(&scene, &mut browser, "UPDATE_PASSWORD").await;
    is_sign_in(&form, "too long ago");
    let page = browser.submit(&form, &[("username", "alice"), ("password", "wonderland")]).await;
    let page = browser.follow(page).await;
    is_answered(&browser.submit(&page, &NEW).await, "UPDATE_PASSWORD", "success");
    let mut nobody = scene.server.browser();
    is_sign_in(&asked(&scene, &mut nobody, "UPDATE_PROFILE").await, "nobody is signed in");
    let silent = [("kc_action", Some("UPDATE_PROFILE")), ("prompt", Some("none"))];
    let reply = browser.open(&scene.rp().authorize_url_with(&silent)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("interaction_required"));
}

/// The page is for the session that it was shown in: neither for who signs in after it, nor for nobody.
#[tokio::test]
async fn s02_a_page_of_another_session_changes_nothing() {
    let scene = Scene::new().await;
    let mut browser = signed_in(&scene).await;
    let page = asked(&scene, &mut browser, "UPDATE_PASSWORD").await;
    let form = browser.open(&scene.rp().authorize_url_with(&[("prompt", Some("select_account"))])).await;
    let bob = browser.submit(&form, &[("username", "bob"), ("password", "builder")]).await;
    assert!(bob.parameter("code").is_some(), "{}", bob.body);
    assert_eq!(browser.submit(&page, &NEW).await.status, 400);
    assert_eq!(browser.get(&page.form_action()).await.status, 400);

    let mut browser = signed_in(&scene).await;
    let page = asked(&scene, &mut browser, "UPDATE_PASSWORD").await;
    let alice = user(&scene.server, "alice").await;
    let end = Change::EndSessionsOfUser {
        realm_id: alice.realm_id,
        user_id: alice.id,
        at: scene.server.clock().now(),
    };
    scene.server.app().commit(vec![end]).await.unwrap();
    assert_eq!(browser.submit(&page, &NEW).await.status, 400);
    assert_eq!(scene.grant(&[]).await.status, 200, "the password is what it was");
}

/// On the account page a person asks for the same.
#[tokio::test]
async fn a_person_changes_what_is_theirs_on_the_account_page() {
    let scene = Scene::new().await;
    let account = format!("{}/account/", scene.server.issuer("main"));
    let change = |what: &str| format!("{account}change/{what}");
    let mut browser = scene.server.browser();
    let form = browser.open(&change("profile")).await;
    let page = browser.submit(&form, &[("username", "alice"), ("password", "wonderland")]).await;
    let fields = [("email", "alice@example.com"), ("firstName", "Alice"), ("lastName", "Liddell")];
    let shown = browser.submit(&page, &fields).await;
    assert!(shown.body.contains("Saved.") && shown.body.contains("Alice Liddell"), "{}", shown.body);
    for what in ["profile", "password", "device"] {
        assert!(shown.body.contains(&format!("/realms/main/account/change/{what}\"")), "{}", shown.body);
        let page = browser.open(&change(what)).await;
        let shown = browser.submit(&page, &[("cancel-aia", "true")]).await;
        assert!(
            shown.body.contains("Alice Liddell") && !shown.body.contains("Saved."),
            "{what}: {}",
            shown.body
        );
    }
    assert_eq!(browser.get(&change("nothing")).await.status, 404);
    let page = browser.open(&change("device")).await;
    let code = code_of(&text(&page, "#kc-totp-secret-key"));
    assert!(browser.submit(&page, &[("totp", &code)]).await.body.contains("Saved."));
    assert_eq!(scene.devices().await.len(), 1);

    scene.server.clock().advance(301);
    let form = browser.open(&change("password")).await;
    is_sign_in(&form, "too long ago");
    let reply = browser.submit(&form, &NEW).await;
    is_sign_in(&reply, "the step's form before the sign-in");
    assert_eq!(user(&scene.server, "alice").await.first_name.as_deref(), Some("Alice"));
}

#[tokio::test]
async fn f06_a_new_password_of_the_account_page_signs_out_everywhere_else() {
    let scene = Scene::new().await;
    let (mut browser, mut elsewhere) = (signed_in(&scene).await, signed_in(&scene).await);
    let page = browser.open(&format!("{}/account/change/password", scene.server.issuer("main"))).await;
    let shown = browser.submit(&page, &NEW).await;
    assert!(shown.body.contains("Saved."), "{}", shown.body);
    let silent = scene.rp().authorize_url_with(&[("prompt", Some("none"))]);
    assert_eq!(elsewhere.open(&silent).await.parameter("error").as_deref(), Some("login_required"));
    assert_eq!(scene.grant(&[]).await.status, 401, "the old one is none any more");
}

/// Keycloak's role `manage-account`, which a realm's file may leave out.
#[tokio::test]
async fn who_may_not_manage_the_account_changes_nothing_of_it() {
    let realm = json!({
        "realm": "bound",
        "users": [{
            "username": "alice", "enabled": true, "realmRoles": [],
            "credentials": [{ "type": "password", "value": "wonderland" }],
        }],
    });
    let server = TestServer::with_realm(&realm.to_string()).await.unwrap();
    let account = format!("{}/account/", server.issuer("bound"));
    let mut browser = server.browser();
    let form = browser.open(&format!("{account}change/password")).await;
    let page = browser.submit(&form, &[("username", "alice"), ("password", "wonderland")]).await;
    for page in [page, browser.open(&format!("{account}change/profile")).await] {
        assert!(page.body.contains("Where you are signed in"), "{}", page.body);
        assert!(!page.body.contains("/account/change/"), "{}", page.body);
    }
}
