//! The account's address as an app asks it: the profile in JSON, by a token.

use serde_json::json;
use vestibule::testing::{Browser, Reply, Rp, TestServer, Tokens};

async fn ask(browser: &Browser, rp: &Rp, token: &str, accept: &str, origin: &str) -> Reply {
    let mut app = browser.clone();
    app.forget_cookies();
    for (name, value) in [("accept", accept), ("origin", origin)] {
        app.headers.push((name.into(), value.into()));
    }
    if !token.is_empty() {
        app.headers.push(("authorization".into(), format!("Bearer {token}")));
    }
    app.get(&format!("{}/account", rp.issuer)).await
}

async fn signed_in(server: &TestServer, rp: &Rp) -> Tokens {
    rp.sign_in(&mut server.browser(), "alice", "alice").await.unwrap()
}

#[tokio::test]
async fn an_app_loads_the_profile_from_its_own_origin() {
    let server = TestServer::start().await.unwrap();
    let (rp, browser) = (server.rp("spa", None), server.browser());
    let tokens = signed_in(&server, &rp).await;
    let reply = ask(&browser, &rp, tokens.access_token(), "application/json", "http://localhost:3000").await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let profile = reply.json();
    assert_eq!(profile["id"], tokens.access_claims()["sub"]);
    assert_eq!(
        (&profile["username"], &profile["email"], &profile["emailVerified"], &profile["firstName"]),
        (&json!("alice"), &json!("alice@example.com"), &json!(true), &json!("Alice")),
    );
    assert!(profile["attributes"].is_object(), "{profile}");
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:3000");
    assert_eq!(reply.header("access-control-allow-credentials"), "true");
    let strange = ask(&browser, &rp, tokens.access_token(), "application/json", "https://evil.example").await;
    assert_eq!(strange.header("access-control-allow-origin"), "", "another origin reads nothing");
}

#[tokio::test]
async fn the_profile_needs_a_token_with_the_role() {
    let server = TestServer::start().await.unwrap();
    let (rp, browser) = (server.rp("spa", None), server.browser());
    let tokens = signed_in(&server, &rp).await;
    for (case, token, status) in [
        ("none", "", 401),
        ("nonsense", "x", 401),
        ("a refresh token", tokens.refresh_token(), 401),
        ("an ID token", tokens.id_token(), 401),
    ] {
        let reply = ask(&browser, &rp, token, "application/json", "http://localhost:3000").await;
        assert_eq!(reply.status, status, "{case}: {}", reply.body);
        assert!(!reply.body.contains("alice@example.com"), "{case}");
    }
    let page = ask(&browser, &rp, tokens.access_token(), "text/html,application/json", "x").await;
    assert!(page.body.contains("kc-form-login"), "a browser gets the page, whatever token it sends");
}

async fn change(browser: &Browser, rp: &Rp, token: &str, media: &str, body: &str) -> Reply {
    let mut app = browser.clone();
    app.forget_cookies();
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("content-type", media), ("origin", "http://localhost:3000")];
    if !token.is_empty() {
        headers.push(("authorization", bearer.as_str()));
    }
    let address = format!("{}/account", rp.issuer);
    app.send(axum::http::Method::POST, &address, Some(body.to_owned()), &headers).await
}

#[tokio::test]
async fn a_person_changes_their_own_profile_and_no_more_than_that() {
    let server = TestServer::start().await.unwrap();
    let (rp, browser) = (server.rp("spa", None), server.browser());
    let tokens = signed_in(&server, &rp).await;
    let token = tokens.access_token();
    let json = "application/json";
    let body = json!({
        "username": "alice", "firstName": "Ann", "lastName": "Lee", "email": "ann@example.com",
        "emailVerified": true, "enabled": false, "attributes": { "level": ["9"] }
    });
    let reply = change(&browser, &rp, token, json, &body.to_string()).await;
    assert_eq!(reply.status, 204, "{}", reply.body);
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:3000");
    let profile = ask(&browser, &rp, token, json, "http://localhost:3000").await.json();
    let shown = ["firstName", "lastName", "email", "emailVerified"].map(|name| profile[name].clone());
    assert_eq!(shown, [json!("Ann"), json!("Lee"), json!("ann@example.com"), json!(false)]);
    assert!(profile["attributes"].get("level").is_none(), "claims are made of attributes: {profile}");
    for (case, media, body, status, message) in [
        ("a name", json, r#"{"username": "root"}"#, 400, "error-user-attribute-read-only"),
        ("no address", json, r#"{"email": "ann"}"#, 400, "error-invalid-email"),
        ("another's address", json, r#"{"email": "BOB@example.com"}"#, 409, "emailExistsMessage"),
        ("no object", json, "[]", 400, "JSON object"),
        ("a form", "application/x-www-form-urlencoded", "firstName=x", 415, "JSON object"),
    ] {
        let reply = change(&browser, &rp, token, media, body).await;
        assert_eq!(reply.status, status, "{case}: {}", reply.body);
        assert!(reply.json()["errors"][0]["errorMessage"].as_str().unwrap().contains(message), "{case}");
    }
    for (case, token) in
        [("none", ""), ("a refresh token", tokens.refresh_token()), ("an ID token", tokens.id_token())]
    {
        assert_eq!(change(&browser, &rp, token, json, "{}").await.status, 401, "{case}");
    }
    let store = &server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let user = store.user_by_login(&realm.id, "alice", false).await.unwrap().unwrap().user;
    assert!(user.enabled, "nobody switches themselves off by it");
}

#[tokio::test]
async fn a_realm_publishes_itself() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let issuer = server.issuer("main");
    let reply = browser.get(&issuer).await;
    let told = reply.json();
    assert_eq!((reply.status.as_u16(), &told["realm"]), (200, &json!("main")));
    assert_eq!(told["token-service"], format!("{issuer}/protocol/openid-connect"));
    assert_eq!(told["account-service"], format!("{issuer}/account"));
    assert_eq!(told["tokens-not-before"], 0);
    // SubjectPublicKeyInfo of a 2048 bit RSA key in base64 begins like this.
    assert!(told["public_key"].as_str().unwrap().starts_with("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"), "{told}");
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let missing = browser.get(&server.issuer("nothing")).await;
    assert_eq!((missing.status.as_u16(), missing.json()), (404, json!({ "error": "Realm does not exist" })));
}

#[tokio::test]
async fn what_is_not_offered_says_so_and_leads_to_the_sign_in() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("spa", None), server.browser());
    for name in ["registrations", "forgot-credentials"] {
        let address = rp.authorize_url().replace("/auth?", &format!("/{name}?"));
        let page = browser.get(&address).await;
        assert_eq!(page.status, 404, "{name}");
        assert!(page.body.contains("/protocol/openid-connect/auth?"), "{name}: {}", page.body);
        assert!(page.body.contains("who run this server can give you"), "{name}: {}", page.body);
    }
    // Where no app asked, there is nothing to go on to.
    for name in ["login-actions/registration", "login-actions/reset-credentials?client_id=spa"] {
        let page = browser.get(&format!("{}/{name}", rp.issuer)).await;
        assert_eq!(page.status, 404, "{name}");
        assert!(page.body.contains("who run this server can give you"), "{name}: {}", page.body);
        assert!(!page.body.contains("loginRestartLink"), "{name}: {}", page.body);
    }
}

/// What an app asks of the person and no page here does: the app is told.
#[tokio::test]
async fn an_action_without_a_page_is_answered_by_its_status() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("spa", None), server.browser());
    rp.authorize(&mut browser, "alice", "alice").await;
    for (action, status) in [("webauthn-register", Some("error")), ("<script>", None), ("", None)] {
        let address = rp.authorize_url_with(&[("kc_action", Some(action)), ("kc_idp_hint", Some("google"))]);
        let reply = browser.open(&address).await;
        assert!(reply.parameter("code").is_some(), "{action}: {}", reply.body);
        assert_eq!(reply.parameter("kc_action_status").as_deref(), status, "{action}");
        assert_eq!(reply.parameter("kc_action").as_deref(), status.map(|_| action), "{action}");
    }
}

/// U08: an address that is another's name would sign in as neither of the two.
#[tokio::test]
async fn u08_nobody_takes_anothers_name_for_their_address() {
    let server = TestServer::start().await.unwrap();
    let (rp, browser) = (server.rp("spa", None), server.browser());
    let tokens = signed_in(&server, &rp).await;
    let store = &server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let id = uuid::Uuid::new_v4().to_string();
    let carl =
        vestibule::protocol::user::User::new(&realm.id, &id, "carl@example.com", server.app().clock.now());
    store.commit(vec![vestibule::store::Change::PutUser(Box::new(carl))]).await.unwrap();
    let body = r#"{"email": "Carl@example.com"}"#;
    let reply = change(&browser, &rp, tokens.access_token(), "application/json", body).await;
    assert_eq!(reply.status, 409, "{}", reply.body);
    assert_eq!(reply.json()["errors"][0]["errorMessage"], "emailExistsMessage");
}

/// keycloak-js' `accountManagement()`: the page leads back to the app, and to no address that is not the app's.
#[tokio::test]
async fn the_page_leads_back_to_the_app_that_sent_the_person() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("spa", None), server.browser());
    let address = |client: &str, uri: &str| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair("referrer", client).append_pair("referrer_uri", uri).finish();
        format!("{}/account?{query}", rp.issuer)
    };
    let own = format!("{}?a=1&b=2", rp.redirect_uri);
    let form = browser.open(&address("spa", &own)).await;
    let page = browser.submit(&form, &[("username", "alice"), ("password", "alice")]).await;
    let link = format!("<a href=\"{}\" id=\"referrer\">Back to ", own.replace('&', "&amp;"));
    assert!(page.body.contains(&link), "after the sign-in: {}", page.body);
    for (case, client, uri) in [
        ("l03 another's address", "spa", "https://evil.test/"),
        ("a script", "spa", "javascript:alert(1)"),
        ("an app that is none", "nobody", &own),
        ("no address of it", "spa", ""),
    ] {
        let page = browser.open(&address(client, uri)).await;
        assert!(page.body.contains("Alice"), "{case}: {}", page.body);
        assert!(!page.body.contains("id=\"referrer\""), "{case}: {}", page.body);
    }
    assert!(browser.open(&address("spa", &own)).await.body.contains(&link), "signed in already");
}

/// What Keycloak's older adapters call when a node of an app comes and goes.
#[tokio::test]
async fn a_node_of_an_app_is_noted_for_the_app_alone() {
    let server = TestServer::start().await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    for name in ["register-node", "unregister-node"] {
        let address = format!("{}/clients-managements/{name}", rp.issuer);
        let form = [("client_id", "web"), ("client_cluster_host", "10.0.0.1")];
        let mut with_secret = form.to_vec();
        with_secret.push(("client_secret", "web-secret"));
        assert_eq!(browser.post(&address, &with_secret).await.status, 204, "{name}");
        assert_eq!(browser.post(&address, &form).await.status, 401, "{name}");
    }
    for path in ["default", "default/web"] {
        let reply = browser.get(&format!("{}/clients-registrations/{path}", rp.issuer)).await;
        assert_eq!(reply.status, 501, "{}", reply.body);
        assert!(reply.body.contains("clients-registrations/openid-connect"), "{}", reply.body);
    }
}
