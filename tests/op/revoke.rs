//! Token revocation (RFC 7009): row I04 of the attack table.

use vestibule::store::Page;
use vestibule::testing::{Browser, Reply, Rp, TestServer, Tokens};

struct Scene {
    server: TestServer,
    browser: Browser,
    web: Rp,
    tokens: Tokens,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await.unwrap();
        let mut browser = server.browser();
        let web = server.rp("web", Some("web-secret"));
        let tokens = web.sign_in(&mut browser, "alice", "alice").await.unwrap();
        Self { server, browser, web, tokens }
    }

    async fn revoke(&self, client: &Rp, token: &str) -> Reply {
        client.post(&self.browser, "revoke", &[("token", token)]).await
    }

    /// Whether the access token still opens something.
    async fn is_live(&self) -> bool {
        self.web.userinfo(&self.browser, self.tokens.access_token()).await.status == 200
    }

    async fn assert_dead(&self) {
        assert!(!self.is_live().await, "the access token lives");
        let refreshed = self.web.refresh(&self.browser, self.tokens.refresh_token()).await;
        assert_eq!(refreshed.unwrap_err().json()["error"], "invalid_grant");
    }
}

fn assert_done(reply: &Reply, case: &str) {
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""), "{case}");
    assert_eq!(reply.header("cache-control"), "no-store", "{case}");
}

fn assert_refused(reply: &Reply, status: u16, error: &str, case: &str) {
    assert_eq!((reply.status.as_u16(), reply.json()["error"].as_str()), (status, Some(error)), "{case}");
}

#[tokio::test]
async fn i04_a_refresh_token_takes_its_family_along() {
    let scene = Scene::new().await;
    let refresh = scene.tokens.refresh_token();
    let other = scene.server.rp("gateway", Some("gateway-secret"));
    assert_refused(&scene.revoke(&other, refresh).await, 400, "invalid_grant", "as B");
    assert!(scene.is_live().await, "B must not hurt A");
    assert_done(&scene.revoke(&scene.web, refresh).await, "as A");
    scene.assert_dead().await;
    assert_done(&scene.revoke(&scene.web, refresh).await, "again");
}

#[tokio::test]
async fn i04_a_refresh_token_that_was_used_still_ends_its_family() {
    let scene = Scene::new().await;
    let next = scene.web.refresh(&scene.browser, scene.tokens.refresh_token()).await.unwrap();
    assert_done(&scene.revoke(&scene.web, scene.tokens.refresh_token()).await, "used before");
    assert!(scene.web.refresh(&scene.browser, next.refresh_token()).await.is_err());
}

#[tokio::test]
async fn i04_an_access_token_takes_its_family_along() {
    let scene = Scene::new().await;
    let access = scene.tokens.access_token();
    let audience = scene.server.rp("api", Some("api-secret"));
    assert_refused(&scene.revoke(&audience, access).await, 400, "invalid_grant", "an audience");
    assert!(scene.is_live().await);
    assert_done(&scene.revoke(&scene.web, access).await, "as A");
    scene.assert_dead().await;
}

#[tokio::test]
async fn i04_what_is_no_token_is_as_good_as_revoked() {
    let scene = Scene::new().await;
    let forged = format!("{}x", scene.tokens.refresh_token());
    let long = "x".repeat(20_000);
    for (case, token) in [
        ("a word", "x"),
        ("dots", "a.b.c"),
        ("another signature", forged.as_str()),
        ("long", &long),
        ("ID token", scene.tokens.id_token()),
    ] {
        assert_done(&scene.revoke(&scene.web, token).await, case);
    }
    assert!(scene.is_live().await);
}

#[tokio::test]
async fn a_services_token_goes_alone() {
    let scene = Scene::new().await;
    let service = scene.server.rp("service", Some("service-secret"));
    let api = scene.server.rp("api", Some("api-secret"));
    let grant = [("grant_type", "client_credentials")];
    let [gone, stays] = [(); 2].map(|()| service.tokens(&scene.browser, &grant));
    let (gone, stays) = (gone.await.unwrap(), stays.await.unwrap());
    assert_refused(&scene.revoke(&scene.web, gone.access_token()).await, 400, "invalid_grant", "as B");
    for case in ["first", "again"] {
        assert_done(&scene.revoke(&service, gone.access_token()).await, case);
        let answer = api.introspect(&scene.browser, gone.access_token()).await;
        assert_eq!(answer.body, r#"{"active":false}"#, "{case}");
    }
    assert_eq!(api.introspect(&scene.browser, stays.access_token()).await.json()["active"], true);
}

#[tokio::test]
async fn a_public_client_revokes_by_its_name_and_from_its_origin() {
    let server = TestServer::start().await.unwrap();
    let mut browser = server.browser();
    let spa = server.rp("spa", None);
    let tokens = spa.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let preflight = axum_method("OPTIONS");
    let origin = [("origin", "http://localhost:3000"), ("access-control-request-method", "POST")];
    let reply = browser.send(preflight, &spa.endpoint("revoke"), None, &origin).await;
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:3000");

    browser.headers.push(("origin".into(), "http://localhost:3000".into()));
    let reply = spa.post(&browser, "revoke", &[("token", tokens.refresh_token())]).await;
    assert_done(&reply, "public");
    assert_eq!(reply.header("access-control-allow-origin"), "http://localhost:3000");
    assert!(spa.refresh(&browser, tokens.refresh_token()).await.is_err());
}

fn axum_method(name: &str) -> axum::http::Method {
    name.parse().unwrap()
}

#[tokio::test]
async fn the_form_of_the_request() {
    let scene = Scene::new().await;
    let token = scene.tokens.refresh_token();
    let wrong = scene.server.rp("web", Some("wrong"));
    assert_refused(&scene.revoke(&wrong, token).await, 401, "invalid_client", "wrong secret");
    let missing = scene.web.post(&scene.browser, "revoke", &[]).await;
    assert_refused(&missing, 400, "invalid_request", "no token");
    let twice = scene.web.post(&scene.browser, "revoke", &[("token", token), ("token", token)]).await;
    assert_refused(&twice, 400, "invalid_request", "two tokens");
    assert_eq!(scene.browser.clone().get(&scene.web.endpoint("revoke")).await.status, 405);
    assert!(scene.is_live().await);
}

#[tokio::test]
async fn a_revocation_leaves_one_event() {
    let scene = Scene::new().await;
    let token = scene.tokens.refresh_token();
    scene.revoke(&scene.web, token).await;
    scene.revoke(&scene.web, token).await;
    let store = &scene.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let events = store.audit_events(&realm.id, Page::ALL).await.unwrap();
    let told = events.iter().filter(|event| event.kind.name() == "REVOKE_GRANT").collect::<Vec<_>>();
    assert_eq!(told.len(), 1, "the second call changed nothing");
    assert_eq!(told[0].client_id.as_deref(), Some("web"));
    assert_eq!(told[0].user_id.as_deref(), scene.tokens.access_claims()["sub"].as_str());
}

/// RFC 7009 §2.2.1: the client must know that its token may still be good.
#[tokio::test]
async fn d7_without_a_database_nothing_is_claimed() {
    let scene = Scene::new().await;
    scene.server.app().store.close().await;
    for (case, token) in [("refresh", scene.tokens.refresh_token()), ("access", scene.tokens.access_token())]
    {
        let reply = scene.revoke(&scene.web, token).await;
        assert_refused(&reply, 503, "temporarily_unavailable", case);
        assert_eq!(reply.header("retry-after"), "1", "{case}");
        let reply = scene.web.introspect(&scene.browser, token).await;
        assert_refused(&reply, 503, "temporarily_unavailable", case);
    }
}
