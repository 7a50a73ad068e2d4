//! Codes and refresh tokens.

use serde_json::json;

use super::scene::{Scene, good, is_error};

#[tokio::test]
async fn ensure_authorization_code_is_bound_to_client() {
    let scene = Scene::new().await;
    let code = scene.one.code().await;
    let (two, verifier) = (&scene.two, Some(scene.one.rp.verifier.as_str()));
    let stolen = [("code_verifier", verifier)];
    let reply = two.redeem_with(&code, &two.assertion(json!({})), &two.proof_for("token"), &stolen).await;
    is_error(&reply, 400, "invalid_grant", "another client's code");
    good(scene.one.redeem(&code).await);
}

#[tokio::test]
async fn attempt_reuse_authorization_code_after_one_second() {
    let scene = Scene::new().await;
    let code = scene.one.code().await;
    let tokens = good(scene.one.redeem(&code).await);
    scene.server.clock().advance(1);
    is_error(&scene.one.redeem(&code).await, 400, "invalid_grant", "once more");
    assert_eq!(
        scene.one.userinfo(tokens.access_token()).await.status,
        401,
        "what the first one got is revoked"
    );
}

/// The realm's codes live longer; the profile's do not.
#[tokio::test]
async fn ensure_token_endpoint_fails_with_expired_auth_code() {
    let scene = Scene::new().await;
    let (late, in_time) = (scene.one.code().await, scene.two.code().await);
    scene.server.clock().advance(59);
    good(scene.two.redeem(&in_time).await);
    scene.server.clock().advance(2);
    is_error(&scene.one.redeem(&late).await, 400, "invalid_grant", "after 61 s");
}

#[tokio::test]
async fn ensure_pkce_code_verifier_required() {
    let scene = Scene::new().await;
    let (one, code) = (&scene.one, scene.one.code().await);
    let without = [("code_verifier", None)];
    let reply = one.redeem_with(&code, &one.assertion(json!({})), &one.proof_for("token"), &without).await;
    is_error(&reply, 400, "invalid_grant", "no verifier");
}

#[tokio::test]
async fn incorrect_pkce_code_verifier_rejected() {
    let scene = Scene::new().await;
    let (one, code) = (&scene.one, scene.one.code().await);
    let wrong = "x".repeat(43);
    let wrong = [("code_verifier", Some(wrong.as_str()))];
    let reply = one.redeem_with(&code, &one.assertion(json!({})), &one.proof_for("token"), &wrong).await;
    is_error(&reply, 400, "invalid_grant", "a wrong verifier");
}

/// FAPI 2.0 §5.3.2.1: refresh tokens are not rotated.
#[tokio::test]
async fn refresh_token() {
    let scene = Scene::new().await;
    let (one, two) = (&scene.one, &scene.two);
    let tokens = one.tokens().await;
    let token = tokens.refresh_token();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let unproven = [("client_id", "one"), fields[0], fields[1]];
    is_error(
        &one.send("token", &one.proof_for("token"), &unproven).await,
        401,
        "invalid_client",
        "by nobody",
    );
    let reply = one.send_as("token", &one.assertion(json!({})), &[], &fields).await;
    is_error(&reply, 400, "invalid_dpop_proof", "without a proof");
    let reply = two.send_as("token", &two.assertion(json!({})), &two.proof_for("token"), &fields).await;
    is_error(&reply, 400, "invalid_grant", "by another client");

    for wait in [0, 1, 30, 600, 1_700] {
        scene.server.clock().advance(wait);
        let reply = one.send_as("token", &one.assertion(json!({})), &one.proof_for("token"), &fields).await;
        let fresh = good(reply);
        assert_eq!(fresh.refresh_token(), token, "the same after {wait} s");
        assert_eq!(one.userinfo(fresh.access_token()).await.status, 200, "after {wait} s");
    }
    // Used together, it is good for each.
    let (a, b) = (one.assertion(json!({})), one.assertion(json!({})));
    let (p, q) = (one.proof_for("token"), one.proof_for("token"));
    let (a, b) = tokio::join!(one.send_as("token", &a, &p, &fields), one.send_as("token", &b, &q, &fields));
    assert_eq!((a.status.as_u16(), b.status.as_u16()), (200, 200), "{} {}", a.body, b.body);

    scene.server.clock().advance(1_801);
    let reply = one.send_as("token", &one.assertion(json!({})), &one.proof_for("token"), &fields).await;
    is_error(&reply, 400, "invalid_grant", "it ends when it is not used");
}
