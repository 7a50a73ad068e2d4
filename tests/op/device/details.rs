//! What a device asks for in detail (RFC 9396 §4: in any authorization request).

use serde_json::{Value, json};
use vestibule::testing::{Browser, Device, Reply, Rp, TestServer};

use super::GRANT;

const REALM: &str = r#"
[realm]
name = "main"

[[realm.authorization_details_types]]
name = "files"
consent_text = "Work with these files"

[[realm.authorization_details_types]]
name = "payment"

[[realm.clients]]
id = "box"
public = true
grants = ["device_code", "refresh_token"]
authorization_details_types = ["files"]

[[realm.users]]
username = "alice"
password = "alice"
"#;

async fn server() -> (TestServer, Rp, Browser) {
    let server = TestServer::with_realm(REALM).await.unwrap();
    let (mut rp, browser) = (server.rp("box", None), server.browser());
    rp.scope = "openid".into();
    (server, rp, browser)
}

async fn ask(rp: &Rp, browser: &Browser, details: &Value) -> Reply {
    let details = details.to_string();
    rp.post(browser, "auth/device", &[("scope", "openid"), ("authorization_details", &details)]).await
}

fn codes(reply: &Reply) -> Device {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let text = |name: &str| reply.json()[name].as_str().unwrap().to_owned();
    Device {
        device_code: text("device_code"),
        user_code: text("user_code"),
        verification_uri: text("verification_uri"),
        verification_uri_complete: text("verification_uri_complete"),
    }
}

fn files() -> Value {
    json!([{ "type": "files", "actions": ["read", "write"], "locations": ["https://files.example.com/<2026>"] }])
}

#[tokio::test]
async fn rfc9396_4_a_person_sees_the_whole_of_it_and_tokens_say_what_was_allowed() {
    let (_server, rp, mut browser) = server().await;
    let device = codes(&ask(&rp, &browser, &files()).await);
    let question = browser.open_device(&device, "alice", "alice").await;
    for shown in ["Work with these files", "read, write", "https://files.example.com/&#60;2026&#62;"] {
        assert!(question.body.contains(shown), "{shown} in {}", question.body);
    }
    browser.submit(&question, &[("accept", "Yes")]).await;

    let poll = |details: &'static str| {
        let device_code = device.device_code.clone();
        let (rp, browser) = (rp.clone(), browser.clone());
        async move {
            let fields =
                [("grant_type", GRANT), ("device_code", &device_code), ("authorization_details", details)];
            rp.token_request(&browser, &fields).await
        }
    };
    let more =
        poll(r#"[{"type":"files","actions":["delete"],"locations":["https://files.example.com/<2026>"]}]"#)
            .await;
    assert_eq!((more.status.as_u16(), &more.json()["error"]), (400, &json!("invalid_authorization_details")));
    let less = r#"[{"type":"files","actions":["read"],"locations":["https://files.example.com/<2026>"]}]"#;
    let narrowed = poll(less).await.json();
    assert_eq!(narrowed["authorization_details"], serde_json::from_str::<Value>(less).unwrap());
    let fresh = rp.refresh(&browser, narrowed["refresh_token"].as_str().unwrap()).await.unwrap();
    assert_eq!(
        fresh.access_claims()["authorization_details"],
        files(),
        "the grant is for all that was allowed"
    );
}

#[tokio::test]
async fn rfc9396_5_details_that_the_device_may_not_ask_for_are_refused_at_once() {
    let (_server, rp, browser) = server().await;
    for (row, details) in [
        ("a type for others", json!([{ "type": "payment" }])),
        ("a type that nobody knows", json!([{ "type": "admin" }])),
        ("a member that the type does not know", json!([{ "type": "files", "role": "admin" }])),
        ("no list", json!({ "type": "files" })),
        ("nothing", json!([])),
    ] {
        let reply = ask(&rp, &browser, &details).await;
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status.as_u16(), error), (400, json!("invalid_authorization_details")), "{row}");
    }
}
