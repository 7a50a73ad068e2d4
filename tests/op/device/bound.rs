//! A device that proves a key (RFC 9449 §5), from its codes to userinfo.

use super::Scene;

#[tokio::test]
async fn rfc9449_5_a_device_that_proves_a_key_gets_tokens_for_that_key_alone() {
    let mut scene = Scene::new().await;
    let (key, other) = (scene.server.proof_key(), scene.server.proof_key());
    scene.tv.dpop = Some(key.clone());
    scene.device = scene.tv.device(&scene.browser).await.unwrap();
    scene.browser.approve_device(&scene.device, "alice", "alice").await;
    let tokens = scene.tv.poll(&scene.browser, &scene.device).await.unwrap();
    assert_eq!(tokens.text("token_type"), "DPoP");
    assert_eq!(tokens.access_claims()["cnf"]["jkt"], key.jkt());
    let known = scene.tv.userinfo(&scene.browser, tokens.access_token()).await;
    assert_eq!(known.json()["email"], "alice@example.com");

    let mut thief = scene.tv.clone();
    for proof in [None, Some(other)] {
        thief.dpop = proof;
        let reply = thief.userinfo(&scene.browser, tokens.access_token()).await;
        assert_eq!(reply.status, 401, "{}", reply.body);
        let refused = thief.refresh(&scene.browser, tokens.refresh_token()).await.unwrap_err();
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    let fresh = scene.tv.refresh(&scene.browser, tokens.refresh_token()).await.unwrap();
    assert_eq!(fresh.access_claims()["cnf"]["jkt"], key.jkt());
}
