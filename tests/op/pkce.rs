//! Proof Key for Code Exchange at the endpoints (RFC 7636): rows P01 to P03 of the attack table, for a client that must
//! use it and for one that may.

use vestibule::testing::{Browser, Options, Rp, TestServer};

use crate::common::is_error;

const REALM: &str = r#"
[realm]
name = "main"
[[realm.clients]]
id = "must"
secret = "must-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
[[realm.clients]]
id = "may"
secret = "may-secret-that-is-long"
redirect_uris = ["https://app.example/cb"]
pkce = "optional"
[[realm.users]]
username = "alice"
password = "correct horse"
"#;

/// The client that must and the one that may, at a server in production, with alice signed in.
async fn scene() -> (TestServer, Browser, [Rp; 2]) {
    let options = Options { realm: Some(REALM.to_owned()), strict: true, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let mut browser = server.browser();
    let both = ["must", "may"].map(|id| {
        let rp = server.rp(id, Some(&format!("{id}-secret-that-is-long")));
        Rp { redirect_uri: "https://app.example/cb".into(), scope: "openid".into(), ..rp }
    });
    both[0].sign_in(&mut browser, "alice", "correct horse").await.unwrap();
    (server, browser, both)
}

/// The code of a request with these changes.
async fn code(browser: &mut Browser, rp: &Rp, changes: &[(&str, Option<&str>)]) -> String {
    let reply = browser.get(&rp.authorize_url_with(changes)).await;
    reply.parameter("code").unwrap_or_else(|| panic!("{} {}", reply.location(), reply.body))
}

const WITHOUT: [(&str, Option<&str>); 2] = [("code_challenge", None), ("code_challenge_method", None)];

#[tokio::test]
async fn p01_a_challenge_is_whole_and_by_s256_or_the_request_is_refused() {
    let (_server, mut browser, both) = scene().await;
    let (short, long) = ("x".repeat(42), "x".repeat(129));
    let one_of = |letter: &str| format!("{}{letter}", "x".repeat(42));
    let [padded, plus, slash, tilde] = ["=", "+", "/", "~"].map(one_of);
    for rp in &both {
        for (row, name, value) in [
            ("b plain", "code_challenge_method", Some("plain")),
            ("c no method", "code_challenge_method", None),
            ("d S512", "code_challenge_method", Some("S512")),
            ("d lower case", "code_challenge_method", Some("s256")),
            ("e 42 characters", "code_challenge", Some(short.as_str())),
            ("e 129 characters", "code_challenge", Some(&long)),
            ("e padded", "code_challenge", Some(&padded)),
            ("e +", "code_challenge", Some(&plus)),
            ("e /", "code_challenge", Some(&slash)),
            ("e ~", "code_challenge", Some(&tilde)),
            ("f a method alone", "code_challenge", None),
        ] {
            let reply = browser.get(&rp.authorize_url_with(&[(name, value)])).await;
            let row = format!("P01{row} of {}", rp.client_id);
            assert_eq!(reply.parameter("error").as_deref(), Some("invalid_request"), "{row}");
            assert_eq!(reply.parameter("state").as_deref(), Some(rp.state.as_str()), "{row}");
            assert_eq!(reply.parameter("code"), None, "{row}");
        }
    }
    let [must, may] = &both;
    let bare = browser.get(&must.authorize_url_with(&WITHOUT)).await;
    assert_eq!(bare.parameter("error").as_deref(), Some("invalid_request"), "P01a: {}", bare.location());
    code(&mut browser, may, &WITHOUT).await;
}

/// Who may leave PKCE out may not leave out half of it (CVE-2023-48228, CVE-2024-23647).
#[tokio::test]
async fn p02_p03_a_verifier_comes_with_a_challenge_and_never_without() {
    let (_server, mut browser, [_, may]) = scene().await;
    let ask = async |browser: &Browser, code: &str, verifier: Option<&str>| {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", may.redirect_uri.as_str()),
        ];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        may.token_request(browser, &fields).await
    };
    let bare = code(&mut browser, &may, &WITHOUT).await;
    for verifier in [may.verifier.as_str(), &"x".repeat(43)] {
        is_error(&ask(&browser, &bare, Some(verifier)).await, 400, "invalid_request", "P03");
    }
    assert_eq!(ask(&browser, &bare, None).await.status, 200, "D2: that burnt nothing");

    let proven = code(&mut browser, &may, &[]).await;
    let challenge = vestibule::protocol::pkce::s256(&may.verifier);
    for (row, verifier) in [
        ("a none", None),
        ("c wrong", Some("x".repeat(43))),
        ("d the challenge", Some(challenge)),
        ("e too long", Some("x".repeat(129))),
    ] {
        let reply = ask(&browser, &proven, verifier.as_deref()).await;
        is_error(&reply, 400, "invalid_grant", &format!("P02{row}"));
    }
    assert_eq!(ask(&browser, &proven, Some(&may.verifier)).await.status, 200);
}
