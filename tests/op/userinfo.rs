//! The userinfo endpoint: row I05 of the attack table.

use axum::http::Method;

use crate::common::Scene;

#[tokio::test]
async fn i05_how_a_token_may_be_shown() {
    let scene = Scene::new().await;
    let (address, token) = (scene.rp.endpoint("userinfo"), scene.tokens.access_token());
    let mut nobody = scene.server.browser();
    let in_query = nobody.get(&format!("{address}?access_token={token}")).await;
    assert!(matches!(in_query.status.as_u16(), 400 | 401), "a in the address: {}", in_query.status);
    let by_form = nobody.post(&address, &[("access_token", token)]).await;
    assert_eq!((by_form.status.as_u16(), by_form.json()["sub"].is_string()), (200, true), "b in a form");
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        for method in [Method::GET, Method::POST] {
            let value = format!("{scheme} {token}");
            let reply = nobody.send(method, &address, None, &[("authorization", &value)]).await;
            assert_eq!(reply.status, 200, "e {scheme}");
            assert_eq!(reply.header("cache-control"), "no-store");
        }
    }
    let value = format!("Bearer {token}");
    let twice = [("authorization", value.as_str()), ("authorization", value.as_str())];
    assert_eq!(nobody.send(Method::GET, &address, None, &twice).await.status, 400, "d two headers");
    for (case, value) in [
        ("another scheme", format!("Basic {token}")),
        ("no scheme", token.to_owned()),
        ("nothing", "Bearer ".to_owned()),
        ("DPoP for what is bound to no key", format!("DPoP {token}")),
    ] {
        let reply = nobody.send(Method::GET, &address, None, &[("authorization", &value)]).await;
        assert_eq!(reply.status, 401, "{case}");
        let scheme = if case.starts_with("DPoP") { "DPoP" } else { "Bearer" };
        assert!(reply.header("www-authenticate").starts_with(scheme), "{case}");
    }
    let both = [("authorization", value.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let reply = nobody.send(Method::POST, &address, Some(format!("access_token={token}")), &both).await;
    assert_eq!(reply.status, 400, "RFC 6750 §2: one way at a time");
}

#[tokio::test]
async fn i05c_without_openid_there_is_nothing_to_tell() {
    let mut scene = Scene::new().await;
    scene.rp.scope = "profile".to_owned();
    let code = scene.browser.get(&scene.rp.authorize_url()).await.parameter("code").unwrap();
    let tokens = scene.rp.redeem(&scene.browser, &code).await.unwrap();
    assert_eq!(tokens.id_token(), "");
    let reply = scene.rp.userinfo(&scene.browser, tokens.access_token()).await;
    assert_eq!(reply.status, 403);
    let challenge = reply.header("www-authenticate");
    assert!(
        challenge.contains("insufficient_scope") && challenge.contains("scope=\"openid\""),
        "{challenge}"
    );
    let service = scene.server.rp("service", Some("service-secret"));
    let own = service.tokens(&scene.browser, &[("grant_type", "client_credentials")]).await.unwrap();
    let reply = scene.rp.userinfo(&scene.browser, own.access_token()).await;
    assert!(matches!(reply.status.as_u16(), 401 | 403), "C07b a service is nobody: {}", reply.status);
}
