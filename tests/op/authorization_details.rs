//! Rich authorization requests (RFC 9396), from the request to the token.

use serde_json::{Value, json};
use vestibule::testing::{Browser, Reply, Rp, TestServer, Tokens};

const REALM: &str = r#"
[realm]
name = "main"

[[realm.authorization_details_types]]
name = "payment_initiation"
consent_text = "Make this payment"
fields = ["actions", "locations", "instructedAmount", "creditorName"]

[[realm.authorization_details_types]]
name = "files"

[[realm.clients]]
id = "shop"
secret = "shop-secret"
redirect_uris = ["http://localhost:3000/callback"]
grants = ["authorization_code", "refresh_token", "client_credentials"]
authorization_details_types = ["payment_initiation", "files"]
consent = true

[[realm.clients]]
id = "plain"
secret = "plain-secret"
redirect_uris = ["http://localhost:3000/callback"]
grants = ["authorization_code"]

[[realm.users]]
username = "alice"
password = "alice"
"#;

fn payment() -> Value {
    json!({
        "type": "payment_initiation", "actions": ["initiate", "status"],
        "locations": ["https://example.com/payments"],
        "instructedAmount": {"currency": "EUR", "amount": "123.50"}, "creditorName": "Merchant <b>A</b>",
    })
}

async fn shop() -> (TestServer, Rp, Browser) {
    let server = TestServer::with_realm(REALM).await.unwrap();
    let mut rp = server.rp("shop", Some("shop-secret"));
    rp.scope = "openid".into();
    let browser = server.browser();
    (server, rp, browser)
}

async fn ask(rp: &Rp, browser: &mut Browser, details: &Value) -> Reply {
    let details = details.to_string();
    let page = browser.open(&rp.authorize_url_with(&[("authorization_details", Some(&details))])).await;
    if page.body.contains("kc-form-login") {
        browser.submit(&page, &[("username", "alice"), ("password", "alice")]).await
    } else {
        page
    }
}

async fn granted(rp: &Rp, browser: &mut Browser, details: &Value) -> Tokens {
    let page = ask(rp, browser, details).await;
    let reply = browser.submit(&page, &[("accept", "Yes")]).await;
    rp.redeem(browser, &reply.parameter("code").unwrap_or_else(|| panic!("{}", reply.body))).await.unwrap()
}

#[tokio::test]
async fn rfc9396_7_what_a_person_allowed_is_in_the_response_the_token_and_introspection() {
    let (_server, rp, mut browser) = shop().await;
    let asked = json!([payment(), {"type": "files", "actions": ["read"]}]);
    let tokens = granted(&rp, &mut browser, &asked).await;
    assert_eq!(tokens.response["authorization_details"], asked);
    assert_eq!(tokens.access_claims()["authorization_details"], asked);
    assert!(tokens.id_claims().get("authorization_details").is_none());
    let known = rp.introspect(&browser, tokens.access_token()).await.json();
    assert_eq!(known["authorization_details"], asked);

    let refreshed = rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
    assert_eq!(refreshed.access_claims()["authorization_details"], asked, "the grant remembers");
    let fields = |details: &str| {
        [
            ("grant_type".to_owned(), "refresh_token".to_owned()),
            ("refresh_token".to_owned(), refreshed.refresh_token().to_owned()),
            ("authorization_details".to_owned(), details.to_owned()),
        ]
    };
    let more = fields(r#"[{"type":"files","actions":["read","write"]}]"#);
    let more: Vec<(&str, &str)> = more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let refused = rp.token_request(&browser, &more).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["error"]),
        (400, &json!("invalid_authorization_details"))
    );
    let less = fields(r#"[{"type":"files","actions":["read"]}]"#);
    let less: Vec<(&str, &str)> = less.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let narrowed = rp.tokens(&browser, &less).await.unwrap();
    let expected = json!([{"type": "files", "actions": ["read"]}]);
    assert_eq!(narrowed.response["authorization_details"], expected);
    let known = rp.introspect(&browser, narrowed.access_token()).await.json();
    assert_eq!(known["authorization_details"], expected);
}

#[tokio::test]
async fn rfc9396_6_a_code_may_be_redeemed_for_less() {
    let (_server, rp, mut browser) = shop().await;
    let page = ask(&rp, &mut browser, &json!([payment(), {"type": "files", "actions": ["read"]}])).await;
    let reply = browser.submit(&page, &[("accept", "Yes")]).await;
    let code = reply.parameter("code").unwrap();
    let fields = |details| {
        [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", rp.redirect_uri.as_str()),
            ("code_verifier", rp.verifier.as_str()),
            ("authorization_details", details),
        ]
    };
    let refused = rp.token_request(&browser, &fields(r#"[{"type":"files","actions":["write"]}]"#)).await;
    assert_eq!(refused.json()["error"], "invalid_authorization_details", "and the code is not spent");
    let tokens = rp.tokens(&browser, &fields(r#"[{"type":"files","actions":["read"]}]"#)).await.unwrap();
    let read = json!([{"type": "files", "actions": ["read"]}]);
    assert_eq!(tokens.access_claims()["authorization_details"], read);
}

#[tokio::test]
async fn rfc9396_the_consent_page_shows_the_whole_of_it_and_asks_each_time() {
    let (_server, rp, mut browser) = shop().await;
    let page = ask(&rp, &mut browser, &json!([payment()])).await;
    for shown in [
        "Make this payment",
        "instructedAmount.amount",
        "123.50",
        "EUR",
        "initiate, status",
        "https://example.com/payments",
        "Merchant &#60;b&#62;A&#60;/b&#62;",
    ] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    assert!(!page.body.contains("<b>A"), "{}", page.body);
    browser.submit(&page, &[("accept", "Yes")]).await;
    let again = ask(&rp, &mut browser, &json!([payment()])).await;
    assert!(again.body.contains("name=\"accept\""), "a detail is not remembered: {}", again.body);

    let other =
        json!([{"type": "payment_initiation", "instructedAmount": {"currency": "EUR", "amount": "9999"}}]);
    let other_page = ask(&rp, &mut browser, &other).await;
    let details = other.to_string();
    let silent = [("authorization_details", Some(details.as_str())), ("prompt", Some("none"))];
    let reply = browser.get(&rp.authorize_url_with(&silent)).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("consent_required"));
    let denied = browser.submit(&other_page, &[("cancel", "No")]).await;
    assert_eq!(denied.parameter("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn rfc9396_5_what_is_not_known_is_refused_at_the_client() {
    let (server, rp, browser) = shop().await;
    let plain = server.rp("plain", Some("plain-secret"));
    for (case, rp, details) in [
        ("unknown type", &rp, json!([{"type": "loan"}])),
        ("unknown member", &rp, json!([{"type": "files", "amount": 1}])),
        ("no list", &rp, json!({"type": "files"})),
        ("no type", &rp, json!([{}])),
        ("a client without types", &plain, json!([{"type": "files"}])),
    ] {
        let details = details.to_string();
        let reply =
            server.browser().get(&rp.authorize_url_with(&[("authorization_details", Some(&details))])).await;
        let error = reply.parameter("error");
        assert_eq!(error.as_deref(), Some("invalid_authorization_details"), "{case}: {}", reply.body);
        let mut parameters = rp.parameters();
        parameters.push(("authorization_details".into(), details));
        let fields: Vec<(&str, &str)> = parameters.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let reply = rp.post(&browser, "ext/par/request", &fields).await;
        assert_eq!(reply.json()["error"], "invalid_authorization_details", "{case} pushed");
    }
}

#[tokio::test]
async fn rfc9396_3_a_client_asks_for_itself() {
    let (server, rp, browser) = shop().await;
    let form = |details| [("grant_type", "client_credentials"), ("authorization_details", details)];
    let tokens = rp.tokens(&browser, &form(r#"[{"type":"files","actions":["list"]}]"#)).await.unwrap();
    let expected = json!([{"type": "files", "actions": ["list"]}]);
    assert_eq!(tokens.response["authorization_details"], expected);
    let known = rp.introspect(&browser, tokens.access_token()).await.json();
    assert_eq!(known["authorization_details"], expected);
    let refused = rp.token_request(&browser, &form(r#"[{"type":"loan"}]"#)).await;
    assert_eq!(refused.json()["error"], "invalid_authorization_details");

    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let document = server.browser().get(&address).await.json();
    assert_eq!(document["authorization_details_types_supported"], json!(["payment_initiation", "files"]));
}

#[tokio::test]
async fn a_realm_file_names_only_types_that_there_are() {
    let wrong = REALM.replace(r#"["payment_initiation", "files"]"#, r#"["payment_initiation", "loans"]"#);
    let problem = TestServer::with_realm(&wrong).await.unwrap_err().to_string();
    assert!(problem.contains("loans") && problem.contains("authorization_details_types[1]"), "{problem}");
}
