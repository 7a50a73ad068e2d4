//! The whole authorization code flow (OpenID Connect Core §3.1), as a person and a client go through it.

use vestibule::testing::TestServer;

#[tokio::test]
async fn alice_signs_in_to_the_web_app() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let rp = server.rp("web", Some("web-secret"));
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();

    let access = tokens.access_claims();
    assert_eq!(access["iss"], server.issuer("main"));
    assert_eq!(access["azp"], "web");
    assert_eq!(access["typ"], "Bearer");
    assert_eq!(access["preferred_username"], "alice");
    let roles = access["realm_access"]["roles"].as_array().unwrap();
    for role in ["user", "admin", "default-roles-main", "offline_access"] {
        assert!(roles.iter().any(|one| one == role), "{role} in {roles:?}");
    }
    let id = tokens.id_claims();
    assert_eq!(id["nonce"], rp.nonce.as_str());
    assert_eq!(id["aud"], "web");
    assert_eq!(id["sid"], access["sid"]);

    let userinfo = rp.userinfo(&browser, tokens.access_token()).await;
    assert_eq!(userinfo.json()["email"], "alice@example.com", "{}", userinfo.body);
    assert_eq!(userinfo.json()["sub"], id["sub"]);
}

#[tokio::test]
async fn a_session_signs_in_to_the_next_client_without_a_page() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    server.rp("web", Some("web-secret")).sign_in(&mut browser, "alice", "alice").await.unwrap();
    let reply = browser.get(&server.rp("spa", None).authorize_url()).await;
    assert_eq!(reply.status, 303);
    assert!(reply.parameter("code").is_some(), "{}", reply.location());
}

#[tokio::test]
async fn refresh_rotates_and_a_replay_ends_the_family() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let rp = server.rp("web", Some("web-secret"));
    let first = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let second = rp.refresh(&browser, first.refresh_token()).await.unwrap();
    let third = rp.refresh(&browser, second.refresh_token()).await.unwrap();
    let replay = rp.refresh(&browser, first.refresh_token()).await.unwrap_err();
    assert_eq!(replay.json()["error"], "invalid_grant");
    let dead = rp.refresh(&browser, third.refresh_token()).await.unwrap_err();
    assert_eq!(dead.json()["error"], "invalid_grant");
    assert_eq!(rp.userinfo(&browser, third.access_token()).await.status, 401);
}

#[tokio::test]
async fn consent_is_asked_once_and_can_be_withdrawn() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let rp = server.rp("third-party", Some("third-party-secret"));
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert!(browser.get(&rp.authorize_url()).await.parameter("code").is_some());

    let page = browser.open(&format!("{}/account/", server.issuer("main"))).await;
    assert!(page.body.contains("/account/withdraw"), "{}", page.body);
    let done = browser.submit(&page, &[]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(rp.refresh(&browser, tokens.refresh_token()).await.is_err(), "the grant went with the consent");
    assert!(browser.open(&rp.authorize_url()).await.body.contains("name=\"accept\""), "asked again");
}

#[tokio::test]
async fn signing_out_asks_and_ends_the_session() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let rp = server.rp("web", Some("web-secret"));
    let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let question = browser.open(&rp.endpoint("logout")).await;
    assert!(question.body.contains("kc-logout"), "{}", question.body);
    let done = browser.submit(&question, &[("confirmLogout", "1")]).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(rp.refresh(&browser, tokens.refresh_token()).await.is_err());
    assert!(browser.open(&rp.authorize_url()).await.body.contains("kc-form-login"));
}
