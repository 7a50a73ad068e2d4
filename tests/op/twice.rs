//! Row O02 of the attack table: whatever is sent twice is refused everywhere, whichever of the two would have been taken.

use vestibule::testing::{Browser, Reply, TestServer};

use crate::common::{is_error, is_page};

/// What the specifications name, and what the pages' forms send; none may come twice.
const NAMES: [&str; 46] = [
    "acr_values",
    "actor_token",
    "actor_token_type",
    "assertion",
    "authorization_details",
    "claims",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "display",
    "dpop_jkt",
    "grant_type",
    "id_token_hint",
    "login_hint",
    "logout_hint",
    "max_age",
    "nonce",
    "otp",
    "password",
    "password-confirm",
    "password-new",
    "post_logout_redirect_uri",
    "prompt",
    "redirect_uri",
    "refresh_token",
    "request",
    "request_uri",
    "requested_token_type",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "subject_token",
    "subject_token_type",
    "token",
    "token_type_hint",
    "ui_locales",
    "user_code",
    "username",
    "made_up",
];

/// The two parameters that may be repeated, and not without end (RFC 8693 §2.1, RFC 8707 §2).
const REPEATABLE: [&str; 2] = ["audience", "resource"];

#[tokio::test]
async fn o02_no_parameter_comes_twice_at_an_endpoint_for_programs() {
    let server = TestServer::start().await.unwrap();
    let browser = server.browser();
    let rp = server.rp("web", Some("web-secret"));
    for endpoint in ["token", "ext/par/request", "token/introspect", "revoke", "auth/device"] {
        for name in NAMES {
            for values in [["a", "a"], ["a", "b"], ["a", ""], ["", ""]] {
                let fields = values.map(|value| (name, value));
                let reply = rp.post(&browser, endpoint, &fields).await;
                is_error(&reply, 400, "invalid_request", &format!("{endpoint}: {name} as {values:?}"));
            }
        }
        for name in REPEATABLE {
            let reply = rp.post(&browser, endpoint, &[(name, "a"); 11]).await;
            is_error(&reply, 400, "invalid_request", &format!("{endpoint}: {name} eleven times"));
        }
    }
}

#[tokio::test]
async fn o02_no_parameter_comes_twice_at_a_page() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let rp = server.rp("web", Some("web-secret"));
    let realm = rp.issuer.clone();
    for path in ["protocol/openid-connect/auth", "protocol/openid-connect/logout", "device"] {
        for name in NAMES {
            let row = format!("{path}: {name}");
            let address = format!("{realm}/{path}");
            is_page(&browser.get(&format!("{address}?{name}=a&{name}=b")).await, &row);
            is_page(&browser.post(&address, &[(name, "a"), (name, "b")]).await, &row);
        }
    }
    let page = browser.open(&rp.authorize_url()).await;
    for name in NAMES {
        let fields = [("username", "alice"), ("password", "alice"), (name, "a"), (name, "b")];
        is_page(&browser.post(&page.form_action(), &fields).await, name);
        assert!(!browser.cookies().contains_key("main-sid"), "{name}: nobody is signed in");
    }
}

/// What stands in the address is no part of a form: neither is it taken, nor does it stand beside what the form says.
#[tokio::test]
async fn o02_the_address_of_a_form_adds_nothing_to_it() {
    let server = TestServer::start().await.unwrap();
    let browser = server.browser();
    let rp = server.rp("service", Some("service-secret"));
    let form = &[("grant_type", "client_credentials")][..];
    let ask = |query: &'static str, fields| rp.post(&browser, query, fields);
    for (query, fields, row) in [
        ("token?grant_type=client_credentials", &[][..], "in the address alone"),
        ("token?grant_type=password", form, "in both, otherwise"),
        ("token?scope=made-up", form, "one more"),
    ] {
        let reply: Reply = ask(query, fields).await;
        let taken =
            reply.status == 200 && reply.json()["scope"].as_str().is_some_and(|s| s.contains("made-up"));
        assert!(!taken, "{row}: {}", reply.body);
        if fields.is_empty() {
            is_error(&reply, 400, "invalid_request", row);
        }
    }
}

/// Names with brackets are names like others, and no lists.
#[tokio::test]
async fn o02_brackets_make_no_list() {
    let server = TestServer::start().await.unwrap();
    let browser: Browser = server.browser();
    let rp = server.rp("service", Some("service-secret"));
    let fields = [("grant_type[]", "client_credentials")];
    is_error(&rp.post(&browser, "token", &fields).await, 400, "invalid_request", "alone");
    let fields = [("grant_type", "client_credentials"), ("scope[]", "a"), ("scope[]", "b")];
    is_error(&rp.post(&browser, "token", &fields).await, 400, "invalid_request", "twice");
}
