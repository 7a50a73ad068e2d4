//! How one signed in, and being asked for more (OpenID Connect Core §5.5.1.1, RFC 9470).

use serde_json::json;
use vestibule::clock::Timestamp;
use vestibule::testing::{Options, TestServer};

const REALM: &str = r#"
[realm]
name = "main"
password_acr = "urn:example:password"
recent_acr = "urn:example:recent"
recent_acr_age = "5m"
[[realm.clients]]
id = "web"
secret = "web-secret"
redirect_uris = ["http://localhost:3000/callback"]
grants = ["authorization_code", "refresh_token"]
[[realm.users]]
username = "alice"
password = "alice"
"#;

const ALICE: [(&str, &str); 2] = [("username", "alice"), ("password", "alice")];

async fn server() -> TestServer {
    let frozen_at = Some(Timestamp(1_800_000_000));
    TestServer::with(Options { realm: Some(REALM.to_owned()), frozen_at, ..Options::default() })
        .await
        .unwrap()
}

fn essential(acr: &str) -> String {
    json!({"id_token": {"acr": {"essential": true, "value": acr}}}).to_string()
}

#[tokio::test]
async fn rfc9470_5_a_client_steps_up_and_the_tokens_say_so() {
    let server = server().await;
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let first = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert_eq!(first.access_claims()["acr"], "urn:example:password", "nothing more was asked for");
    server.clock().advance(600);

    let step_up = rp.authorize_url_with(&[("acr_values", Some("urn:example:recent"))]);
    let page = browser.open(&step_up).await;
    assert!(page.body.contains("kc-form-login"), "the password once more");
    let reply = browser.submit(&page, &ALICE).await;
    let tokens = rp.redeem(&browser, &reply.parameter("code").unwrap()).await.unwrap();
    for claims in [tokens.id_claims(), tokens.access_claims()] {
        assert_eq!(claims["acr"], "urn:example:recent");
        assert_eq!(claims["auth_time"], 1_800_000_600);
    }
    let known = rp.introspect(&browser, tokens.access_token()).await.json();
    assert_eq!((&known["acr"], &known["auth_time"]), (&json!("urn:example:recent"), &json!(1_800_000_600)));
    assert!(browser.get(&step_up).await.parameter("code").is_some(), "recent enough for the next one");
}

#[tokio::test]
async fn core_3_1_2_1_a_wish_that_is_not_essential_gets_what_there_is() {
    let server = server().await;
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    server.clock().advance(600);
    for (values, prompt) in [("gold", None), ("1 2", None), ("urn:example:recent", Some("none"))] {
        let reply =
            browser.get(&rp.authorize_url_with(&[("acr_values", Some(values)), ("prompt", prompt)])).await;
        let code = reply.parameter("code").unwrap_or_else(|| panic!("{values}: {}", reply.location()));
        let tokens = rp.redeem(&browser, &code).await.unwrap();
        assert_eq!(tokens.id_claims()["acr"], "urn:example:password", "{values}");
    }
}

#[tokio::test]
async fn unmet_authentication_requirements_2_what_cannot_be_reached_is_an_error() {
    let server = server().await;
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let (gold, recent) = (essential("gold"), essential("urn:example:recent"));
    let reply = browser.get(&rp.authorize_url_with(&[("claims", Some(&gold))])).await;
    let unmet = Some("unmet_authentication_requirements");
    assert_eq!(reply.parameter("error").as_deref(), unmet, "before anybody signs in");
    assert_eq!(reply.parameter("state").as_deref(), Some(rp.state.as_str()));

    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let reply = browser.get(&rp.authorize_url_with(&[("claims", Some(&gold))])).await;
    assert_eq!(reply.parameter("error").as_deref(), unmet);
    server.clock().advance(600);
    let silent = [("claims", Some(recent.as_str())), ("prompt", Some("none"))];
    let reply = browser.get(&rp.authorize_url_with(&silent)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"), "a password would do");
    let page = browser.open(&rp.authorize_url_with(&[("claims", Some(&recent))])).await;
    let reply = browser.submit(&page, &ALICE).await;
    let tokens = rp.redeem(&browser, &reply.parameter("code").unwrap()).await.unwrap();
    assert_eq!(tokens.id_claims()["acr"], "urn:example:recent");
}

#[tokio::test]
async fn discovery_names_what_the_realm_can_do() {
    let server = server().await;
    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let document = server.browser().get(&address).await.json();
    assert_eq!(document["acr_values_supported"], json!(["urn:example:password", "urn:example:recent"]));
    assert_eq!(document["claims_parameter_supported"], true);
}
