//! What binds tokens and codes to the client's key (RFC 9449).

use axum::http::Method;
use serde_json::{Value, json};
use vestibule::testing::{ProofKey, Reply};

use super::scene::{Scene, good, is_error};

#[tokio::test]
async fn access_token_type_header_case_sensitivity() {
    let scene = Scene::new().await;
    let tokens = scene.one.tokens().await;
    let token = tokens.access_token();
    for scheme in ["dpop", "DPOP", "DPoP", "dPOp"] {
        let proof = scene.one.proof.proof("GET", &scene.one.rp.endpoint("userinfo"), Some(token));
        let value = format!("{scheme} {token}");
        let reply = scene.one.userinfo_with(&[("authorization", &value), ("dpop", &proof)]).await;
        assert_eq!(reply.status, 200, "{scheme}");
    }
}

/// Proofs with these claims at every endpoint that takes one.
async fn everywhere(claims: impl Fn(i64) -> Value) {
    let scene = Scene::new().await;
    let (one, key) = (&scene.one, &scene.one.proof);
    let proof = |method: &str, endpoint: &str, token: Option<&str>| {
        key.proof_with(method, &one.rp.endpoint(endpoint), token, json!({}), claims(scene.now()))
    };
    let pushed = one.push_with(&[proof("POST", "ext/par/request", None)], &[]).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let address = one.address(pushed.json()["request_uri"].as_str().unwrap(), &[]);
    let code = one.authorize(&mut scene.server.browser(), &address).await.parameter("code").unwrap();
    let proofs = [proof("POST", "token", None)];
    let tokens = good(one.redeem_with(&code, &one.assertion(json!({})), &proofs, &[]).await);
    let token = tokens.access_token();
    let headers =
        [("authorization", format!("DPoP {token}")), ("dpop", proof("GET", "userinfo", Some(token)))];
    let reply = one.userinfo_with(&headers.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[tokio::test]
async fn check_dpop_proof_nbf_exp() {
    everywhere(|now| json!({ "nbf": now, "exp": now + 60 })).await;
}

#[tokio::test]
async fn ensure_dpopproof_with_iat_10seconds_before_succeeds() {
    everywhere(|now| json!({ "iat": now - 10 })).await;
}

#[tokio::test]
async fn ensure_dpopproof_with_iat_10seconds_after_succeeds() {
    everywhere(|now| json!({ "iat": now + 10 })).await;
}

#[tokio::test]
async fn ensure_mismatched_dpop_jkt_fails() {
    let scene = Scene::new().await;
    let other = scene.server.proof_key().jkt();
    let proofs = scene.one.proof_for("ext/par/request");
    let reply = scene.one.push_with(&proofs, &[("dpop_jkt", Some(&other))]).await;
    is_error(&reply, 400, "invalid_dpop_proof", "a proof by another key than the named one");
}

/// A code for a request that is pushed with these proofs and parameters.
async fn code_for(scene: &Scene, proofs: &[String], changes: &[(&str, Option<&str>)]) -> String {
    let pushed = scene.one.push_with(proofs, changes).await;
    let address = scene.one.address(pushed.json()["request_uri"].as_str().unwrap(), &[]);
    scene.one.authorize(&mut scene.server.browser(), &address).await.parameter("code").unwrap()
}

/// Redeems a code with a proof by this key.
async fn redeem_by(scene: &Scene, key: &ProofKey, code: &str) -> Reply {
    let proofs = [key.proof("POST", &scene.one.rp.endpoint("token"), None)];
    scene.one.redeem_with(code, &scene.one.assertion(json!({})), &proofs, &[]).await
}

#[tokio::test]
async fn ensure_token_endpoint_fails_with_mismatched_dpop_proof_jkt() {
    let scene = Scene::new().await;
    let code = code_for(&scene, &scene.one.proof_for("ext/par/request"), &[]).await;
    let reply = redeem_by(&scene, &scene.server.proof_key(), &code).await;
    is_error(&reply, 400, "invalid_grant", "another key than that of the pushed request");
}

#[tokio::test]
async fn ensure_token_endpoint_fails_with_mismatched_dpop_jkt() {
    let scene = Scene::new().await;
    let code = code_for(&scene, &[], &[("dpop_jkt", Some(&scene.one.proof.jkt()))]).await;
    let reply = redeem_by(&scene, &scene.server.proof_key(), &code).await;
    is_error(&reply, 400, "invalid_grant", "another key than dpop_jkt");
}

#[tokio::test]
async fn ensure_dpopproof_at_par_endpoint_binding_success() {
    let scene = Scene::new().await;
    let code = code_for(&scene, &scene.one.proof_for("ext/par/request"), &[]).await;
    good(redeem_by(&scene, &scene.one.proof, &code).await);
}

#[tokio::test]
async fn ensure_dpop_auth_code_binding_success() {
    let scene = Scene::new().await;
    let code = code_for(&scene, &[], &[("dpop_jkt", Some(&scene.one.proof.jkt()))]).await;
    good(redeem_by(&scene, &scene.one.proof, &code).await);
}

#[tokio::test]
async fn ensure_holder_of_key_required() {
    let scene = Scene::new().await;
    let (one, code) = (&scene.one, scene.one.code().await);
    let reply = one.redeem_with(&code, &one.assertion(json!({})), &[], &[]).await;
    is_error(&reply, 400, "invalid_dpop_proof", "a code without a proof");
    let own = [("grant_type", "client_credentials")];
    let reply = one.send_as("token", &one.assertion(json!({})), &[], &own).await;
    is_error(&reply, 400, "invalid_dpop_proof", "its own token without a proof");
    good(one.redeem(&code).await);
}

/// Each changes one thing of a proof that is good, at a resource.
#[tokio::test]
async fn dpop_negative_tests() {
    let scene = Scene::new().await;
    let (one, key, now) = (&scene.one, &scene.one.proof, scene.now());
    let tokens = one.tokens().await;
    let (token, address) = (tokens.access_token(), one.rp.endpoint("userinfo"));
    let proof = |header: Value, claims: Value| key.proof_with("GET", &address, Some(token), header, claims);
    let header = |name: &str, value: Value| proof(json!({ name: value }), json!({}));
    let claim = |name: &str, value: Value| proof(json!({}), json!({ name: value }));
    let mut private = key.jwk().clone();
    private["d"] = json!("AAAA");
    let rsa = super::scene::RSA.public_jwk().clone();
    let good_one = || proof(json!({}), json!({}));
    let damaged = |proof: String| {
        let (rest, last) = proof.split_at(proof.len() - 4);
        format!("{rest}{}", if last == "AAAA" { "AAAB" } else { "AAAA" })
    };
    let mut refused: Vec<(&str, Vec<String>)> = vec![
        ("no proof", vec![]),
        ("two proofs", vec![good_one(), good_one()]),
        ("in capitals", vec![good_one().to_uppercase()]),
        ("a bad signature", vec![damaged(good_one())]),
        ("another key's", vec![header("jwk", scene.server.proof_key().jwk().clone())]),
        ("a key that the token is not bound to", vec![scene.two.proof.proof("GET", &address, Some(token))]),
        ("signed with RS256", vec![proof(json!({ "alg": "RS256", "jwk": rsa }), json!({}))]),
        ("no ath for a token", vec![key.proof("GET", &address, None)]),
        ("another token's ath", vec![key.proof("GET", &address, Some("another"))]),
    ];
    for (case, name, value) in [
        ("no typ", "typ", json!(null)),
        ("typ JWT", "typ", json!("JWT")),
        ("alg none", "alg", json!("none")),
        ("alg HS256", "alg", json!("HS256")),
        ("no alg", "alg", json!(null)),
        ("no jwk", "jwk", json!(null)),
        ("a private jwk", "jwk", private),
        ("a jwk that is no object", "jwk", json!("key")),
        ("an extension", "crit", json!(["b64"])),
    ] {
        refused.push((case, vec![header(name, value)]));
    }
    for (case, name, value) in [
        ("no jti", "jti", json!(null)),
        ("an empty jti", "jti", json!("")),
        ("no htm", "htm", json!(null)),
        ("another htm", "htm", json!("POST")),
        ("no htu", "htu", json!(null)),
        ("another host", "htu", json!(address.replace("op.example", "evil.example"))),
        ("another path", "htu", json!(one.rp.endpoint("token"))),
        ("another scheme", "htu", json!(address.replace("https", "http"))),
        ("another port", "htu", json!(address.replace("op.example", "op.example:8443"))),
        ("no iat", "iat", json!(null)),
        ("an hour ago", "iat", json!(now - 3_600)),
        ("in an hour", "iat", json!(now + 3_600)),
        ("iat a text", "iat", json!(now.to_string())),
        ("an ath that is none", "ath", json!("x")),
    ] {
        refused.push((case, vec![claim(name, value)]));
    }
    let scheme = format!("DPoP {token}");
    let show = async |authorization: &str, proofs: &[String]| {
        let mut headers = vec![("authorization", authorization)];
        headers.extend(proofs.iter().map(|proof| ("dpop", proof.as_str())));
        one.userinfo_with(&headers).await
    };
    for (case, proofs) in &refused {
        let reply = show(&scheme, proofs).await;
        is_error(&reply, 401, "invalid_dpop_proof", case);
        assert!(reply.header("www-authenticate").starts_with("DPoP error=\"invalid_dpop_proof\""), "{case}");
    }
    is_error(
        &show(&format!("Bearer {token}"), &[good_one()]).await,
        401,
        "invalid_token",
        "as a bearer token",
    );
    for (case, name, value) in [
        ("query and fragment", "htu", json!(format!("{address}?a=b#c"))),
        (
            "scheme and host in capitals",
            "htu",
            json!(address.replace("https://op.example", "HTTPS://OP.EXAMPLE")),
        ),
        ("the default port", "htu", json!(address.replace("op.example", "op.example:443"))),
        ("a member more", "client_id", json!("one")),
    ] {
        assert_eq!(show(&scheme, &[claim(name, value)]).await.status, 200, "{case}");
    }
    let once = [good_one()];
    assert_eq!(show(&scheme, &once).await.status, 200, "a good one at the end");
    is_error(&show(&scheme, &once).await, 401, "invalid_dpop_proof", "the same once more");
}

/// The resource of the plan: userinfo, with the headers of FAPI and never with a token in the address.
#[tokio::test]
async fn the_resource_of_the_plan() {
    let scene = Scene::new().await;
    let tokens = scene.one.tokens().await;
    let (token, address) = (tokens.access_token(), scene.one.rp.endpoint("userinfo"));
    let proof = scene.one.proof.proof("GET", &address, Some(token));
    let headers = [
        ("authorization", format!("DPoP {token}")),
        ("dpop", proof),
        ("x-fapi-interaction-id", "93bac548-d2de-4546-b106-880a5018460d".to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    let reply =
        scene.one.userinfo_with(&headers.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let with_token = format!("{address}?access_token={token}");
    let reply = scene.server.browser().send(Method::GET, &with_token, None, &[]).await;
    is_error(&reply, 400, "invalid_request", "a token in the address");
}
