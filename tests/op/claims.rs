//! Claims: the standard ones by scope (OpenID Connect Core §5.4), and one by one (§5.5).

use serde_json::{Value, json};
use vestibule::testing::{Browser, Rp, TestServer, Tokens};

async fn sign_in_with(rp: &Rp, browser: &mut Browser, changes: &[(&str, Option<&str>)]) -> Tokens {
    let reply = browser.open(&rp.authorize_url_with(changes)).await;
    let reply = if reply.body.contains("kc-form-login") {
        browser.submit(&reply, &[("username", "alice"), ("password", "alice")]).await
    } else {
        reply
    };
    let reply = if reply.body.contains("name=\"accept\"") {
        browser.submit(&reply, &[("accept", "Yes")]).await
    } else {
        reply
    };
    let code = reply.parameter("code").unwrap_or_else(|| panic!("{} {}", reply.location(), reply.body));
    rp.redeem(browser, &code).await.unwrap()
}

async fn userinfo(rp: &Rp, browser: &Browser, tokens: &Tokens) -> Value {
    rp.userinfo(browser, tokens.access_token()).await.json()
}

fn no_empty_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty() && items.iter().all(no_empty_value),
        Value::Object(members) => !members.is_empty() && members.values().all(no_empty_value),
        _ => true,
    }
}

/// Conformance modules oidcc-scope-profile, -email, -address, -phone and -all.
#[tokio::test]
async fn core_5_4_each_scope_brings_its_claims_in_their_types() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let scope = Some("openid profile email address phone");
    let tokens = sign_in_with(&rp, &mut browser, &[("scope", scope)]).await;
    let claims = userinfo(&rp, &browser, &tokens).await;
    for name in [
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "email",
        "phone_number",
    ] {
        assert!(claims[name].is_string(), "{name} in {claims}");
    }
    assert!(claims["updated_at"].is_i64(), "{claims}");
    assert_eq!((&claims["email_verified"], &claims["phone_number_verified"]), (&json!(true), &json!(true)));
    for name in ["formatted", "street_address", "locality", "region", "postal_code", "country"] {
        assert!(claims["address"][name].is_string(), "{name} in {claims}");
    }
    assert!(no_empty_value(&claims), "{claims}");

    // bob has no such attributes: what is not known is left out.
    let mut bobs = server.browser();
    let page = bobs.open(&rp.authorize_url_with(&[("scope", scope)])).await;
    let reply = bobs.submit(&page, &[("username", "bob"), ("password", "bob")]).await;
    let tokens = rp.redeem(&bobs, &reply.parameter("code").unwrap()).await.unwrap();
    let claims = userinfo(&rp, &bobs, &tokens).await;
    assert!(claims.get("address").is_none() && claims.get("phone_number").is_none(), "{claims}");
    assert!(no_empty_value(&claims), "{claims}");
}

/// Conformance module oidcc-claims-essential, with a claim that the client's default scopes do not bring.
#[tokio::test]
async fn core_5_5_a_claim_is_asked_for_by_its_name() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let wish = r#"{"userinfo":{"phone_number":{"essential":true},"unheard_of":null},
                   "id_token":{"address":null,"email":{"value":"somebody@else.example"}}}"#;
    let changes = [("scope", Some("openid")), ("claims", Some(wish))];
    let tokens = sign_in_with(&rp, &mut browser, &changes).await;
    let (claims, id_token) = (userinfo(&rp, &browser, &tokens).await, tokens.id_claims());
    assert_eq!(claims["phone_number"], "+49 30 123456");
    assert_eq!(id_token["address"]["locality"], "Berlin");
    assert_eq!(id_token["email"], "alice@example.com", "a claim says what is");
    for absent in ["address", "phone_number_verified", "unheard_of"] {
        assert!(claims.get(absent).is_none(), "{absent} was not asked for at userinfo");
    }
    assert!(id_token.get("phone_number").is_none() && tokens.access_claims().get("phone_number").is_none());

    let refreshed = rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
    assert_eq!(refreshed.id_claims()["address"]["locality"], "Berlin", "the grant remembers");
    let plain = sign_in_with(&rp, &mut browser, &[("scope", Some("openid"))]).await;
    assert!(userinfo(&rp, &browser, &plain).await.get("phone_number").is_none(), "the next request does not");
}

#[tokio::test]
async fn core_5_5_consent_covers_single_claims() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("third-party", Some("third-party-secret")), server.browser());
    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let wish = Some(r#"{"userinfo":{"phone_number":null}}"#);
    let page = browser.open(&rp.authorize_url_with(&[("claims", wish)])).await;
    assert!(page.body.contains("See your phone number"), "asked for: {}", page.body);
    let silent = [("claims", wish), ("prompt", Some("none"))];
    let reply = browser.get(&rp.authorize_url_with(&silent)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("consent_required"));
    browser.submit(&page, &[("accept", "Yes")]).await;
    assert!(browser.get(&rp.authorize_url_with(&silent)).await.parameter("code").is_some());
}

#[tokio::test]
async fn core_5_5_1_only_the_subject_that_was_asked_for() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let alice = tokens.id_claims()["sub"].as_str().unwrap().to_owned();
    let silent = |subject: &str| json!({"id_token": {"sub": {"value": subject}}}).to_string();
    for (subject, expected) in [(alice.as_str(), None), ("somebody-else", Some("login_required"))] {
        let wish = silent(subject);
        let changes = [("claims", Some(wish.as_str())), ("prompt", Some("none"))];
        let reply = browser.get(&rp.authorize_url_with(&changes)).await;
        assert_eq!(reply.parameter("error").as_deref(), expected, "{subject}");
    }
    let bobs = silent("b0b00000-0000-4000-8000-000000000002");
    let page = browser.open(&rp.authorize_url_with(&[("claims", Some(&bobs))])).await;
    assert!(page.body.contains("kc-form-login"), "bob may sign in");
    let reply = browser.submit(&page, &[("username", "alice"), ("password", "alice")]).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("login_required"), "alice is not bob");
}

#[tokio::test]
async fn core_5_5_a_malformed_parameter_is_refused_at_the_client() {
    let server = TestServer::start().await.unwrap();
    let rp = server.rp("web", Some("web-secret"));
    for wish in ["name", "[]", r#"{"userinfo":{"name":true}}"#, r#"{"userinfo":{},"userinfo":{}}"#] {
        let reply = server.browser().get(&rp.authorize_url_with(&[("claims", Some(wish))])).await;
        assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{wish}");
        assert_eq!(reply.parameter("state").as_deref(), Some(rp.state.as_str()), "{wish}");
    }
}

/// Conformance modules oidcc-display-page, -display-popup, -ui-locales, -claims-locales, -login-hint and
/// -ensure-request-with-unknown-parameter-succeeds.
#[tokio::test]
async fn core_3_1_2_1_parameters_that_change_nothing_are_no_error() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    for (name, value) in [
        ("display", "page"),
        ("display", "popup"),
        ("ui_locales", "se"),
        ("claims_locales", "se"),
        ("login_hint", "buffy@op.example"),
        ("extra", "foobar"),
    ] {
        let reply = browser.get(&rp.authorize_url_with(&[(name, Some(value))])).await;
        assert!(reply.parameter("code").is_some(), "{name}={value}: {} {}", reply.location(), reply.body);
    }
}
