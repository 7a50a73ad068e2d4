//! How a client proves who it is, and what its registration must say.

use serde_json::{Value, json};
use vestibule::testing::{Options, Reply, TestServer};

use super::scene::{RSA, Scene, good, is_error};

/// The answer to a request for the first client's own token with this assertion.
async fn ask(scene: &Scene, assertion: &str) -> Reply {
    let own = [("grant_type", "client_credentials")];
    scene.one.send_as("token", assertion, &scene.one.proof_for("token"), &own).await
}

async fn ask_with(scene: &Scene, claims: Value) -> Reply {
    ask(scene, &scene.one.assertion(claims)).await
}

#[tokio::test]
async fn ensure_client_id_in_token_endpoint() {
    let scene = Scene::new().await;
    let one = &scene.one;
    let fields = [("grant_type", "client_credentials"), ("client_id", "two")];
    let reply = one.send_as("token", &one.assertion(json!({})), &one.proof_for("token"), &fields).await;
    is_error(&reply, 401, "invalid_client", "another client_id");
}

#[tokio::test]
async fn ensure_signed_client_assertion_with_rs256_fails() {
    let scene = Scene::new().await;
    let reply = ask(&scene, &scene.one.assertion_by(&RSA, json!({}))).await;
    is_error(&reply, 401, "invalid_client", "RS256");
    good(ask_with(&scene, json!({})).await);
}

#[tokio::test]
async fn ensure_client_assertion_in_token_endpoint() {
    let scene = Scene::new().await;
    let fields = [("grant_type", "client_credentials"), ("client_id", "one")];
    let reply = scene.one.send("token", &scene.one.proof_for("token"), &fields).await;
    is_error(&reply, 401, "invalid_client", "no assertion");
}

#[tokio::test]
async fn ensure_client_assertion_with_exp_is_5_minutes_in_past_fails() {
    let scene = Scene::new().await;
    let now = scene.now();
    let reply = ask_with(&scene, json!({ "iat": now - 360, "exp": now - 300 })).await;
    is_error(&reply, 401, "invalid_client", "over for five minutes");
}

#[tokio::test]
async fn ensure_client_assertion_with_wrong_aud_fails() {
    let scene = Scene::new().await;
    for aud in ["https://other.example/realms/main", "https://op.example/realms/main/", "https://op.example"]
    {
        is_error(&ask_with(&scene, json!({ "aud": aud })).await, 401, "invalid_client", aud);
    }
}

#[tokio::test]
async fn ensure_client_assertion_with_no_sub_fails() {
    let scene = Scene::new().await;
    is_error(&ask_with(&scene, json!({ "sub": null })).await, 401, "invalid_client", "no sub");
}

/// A client that cannot meet the profile is told so when it is written down, with the field to change.
#[tokio::test]
async fn a_client_that_cannot_meet_the_profile_is_a_problem() {
    let jwks = json!({ "keys": [RSA.public_jwk()] });
    let good = format!(
        "profile = \"fapi2\"\nauthentication = \"private_key_jwt\"\njwks = '{jwks}'\n\
         id_token_signed_response_alg = \"PS256\"\nredirect_uris = [\"https://rp.example/cb\"]\n"
    );
    let with = |from: &str, to: &str| good.replace(from, to);
    for (case, client, told) in [
        ("good", good.clone(), None),
        ("the loopback", with("https://rp.example/cb", "http://localhost:3000/cb"), None),
        ("a shared secret", with("authentication = \"private_key_jwt\"\n", ""), Some("authentication")),
        ("public", with("authentication = \"private_key_jwt\"\n", "public = true\n"), Some("public")),
        ("no PKCE", format!("{good}pkce = \"optional\"\n"), Some("pkce")),
        (
            "RS256 assertions",
            format!("{good}token_endpoint_auth_signing_alg = \"RS256\"\n"),
            Some("token_endpoint_auth_signing_alg"),
        ),
        ("RS256 ID tokens", with("\"PS256\"", "\"RS256\""), Some("id_token_signed_response_alg")),
        (
            "the realm's RS256",
            with("id_token_signed_response_alg = \"PS256\"\n", ""),
            Some("id_token_signed_response_alg"),
        ),
        ("http", with("https://rp.example/cb", "http://rp.example/cb"), Some("redirect_uris")),
    ] {
        let client = client.replace(
            &format!("jwks = '{jwks}'\n"),
            &match told {
                Some("authentication" | "public") => String::new(),
                _ => format!("jwks = '{jwks}'\n"),
            },
        );
        let realm = format!("[realm]\nname = \"main\"\n[[realm.clients]]\nid = \"one\"\n{client}");
        let started = TestServer::with(Options { realm: Some(realm), ..Options::default() }).await;
        match (started, told) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => panic!("{case}: it was taken"),
            (Err(error), told) => {
                let (error, told) = (error.to_string(), told.unwrap_or("nothing"));
                assert!(error.contains(&format!("realm.clients[0].{told}")), "{case}: {error}");
                assert!(error.contains("the profile fapi2"), "{case}: {error}");
            }
        }
    }
}

/// A client's own algorithms: the realm makes keys for them, and says so.
#[tokio::test]
async fn a_client_may_have_its_tokens_signed_otherwise() {
    let realm = r#"
        [realm]
        name = "main"
        [[realm.clients]]
        id = "web"
        secret = "web-secret"
        redirect_uris = ["http://localhost:3000/callback"]
        signature_algorithm = "ES256"
        id_token_signed_response_alg = "EdDSA"
        [[realm.clients]]
        id = "plain"
        secret = "plain-secret"
        redirect_uris = ["http://localhost:3000/callback"]
        [[realm.users]]
        username = "alice"
        password = "alice"
    "#;
    let server = TestServer::with_realm(realm).await.unwrap();
    let header = |token: &str| {
        use base64::Engine;
        let part = token.split('.').next().unwrap();
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()
    };
    for (client, secret, access, id) in
        [("web", "web-secret", "ES256", "EdDSA"), ("plain", "plain-secret", "RS256", "RS256")]
    {
        let tokens = server.sign_in(client, Some(secret), "alice", "alice").await.unwrap();
        let signed = (header(tokens.access_token()), header(tokens.id_token()));
        assert_eq!((&signed.0["alg"], &signed.1["alg"]), (&json!(access), &json!(id)), "{client}");
        let rp = server.rp(client, Some(secret));
        assert_eq!(rp.userinfo(&server.browser(), tokens.access_token()).await.status, 200, "{client}");
    }
    let issuer = server.issuer("main");
    let get = async |path: &str| server.browser().get(&format!("{issuer}{path}")).await.json();
    let document = get("/.well-known/openid-configuration").await;
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["RS256", "ES256", "EdDSA"]));
    let keys = get("/protocol/openid-connect/certs").await;
    let algorithms: Vec<&Value> = keys["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(algorithms, ["RS256", "ES256", "EdDSA"]);
}
