//! Token introspection (RFC 7662): rows I01 to I03 of the attack table, and the shape of the answer.

use vestibule::clock::Timestamp;
use vestibule::protocol::client::Client;
use vestibule::store::Change;
use vestibule::testing::{Browser, Reply, Rp, TestServer, Tokens, claims};

/// What tells nothing.
const INACTIVE: &str = r#"{"active":false}"#;

/// A server with alice signed in to `web`, whose access tokens are for `api` and `gateway`.
struct Scene {
    server: TestServer,
    browser: Browser,
    web: Rp,
    api: Rp,
    tokens: Tokens,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::start().await.unwrap();
        let mut browser = server.browser();
        let web = server.rp("web", Some("web-secret"));
        let tokens = web.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let api = server.rp("api", Some("api-secret"));
        Self { server, browser, web, api, tokens }
    }

    /// Asks as `api`.
    async fn ask(&self, token: &str) -> Reply {
        self.api.introspect(&self.browser, token).await
    }

    async fn client(&self, client_id: &str) -> Client {
        let store = &self.server.app().store;
        let realm = store.realm_by_name("main").await.unwrap().unwrap();
        store.client_by_client_id(&realm.id, client_id).await.unwrap().unwrap()
    }

    async fn commit(&self, changes: Vec<Change>) {
        self.server.app().commit(changes).await.unwrap();
    }

    fn now(&self) -> Timestamp {
        self.server.app().clock.now()
    }

    /// Neither introspection nor userinfo takes the access token any more.
    async fn assert_dead(&self, case: &str) {
        assert_eq!(self.ask(self.tokens.access_token()).await.body, INACTIVE, "{case}");
        let userinfo = self.web.userinfo(&self.browser, self.tokens.access_token()).await;
        assert_eq!(userinfo.status, 401, "{case}");
        let refresh = self.web.introspect(&self.browser, self.tokens.refresh_token()).await;
        assert_eq!(refresh.body, INACTIVE, "{case}");
    }
}

#[tokio::test]
async fn rfc7662_2_2_an_access_token_is_told_in_keycloaks_shape() {
    let scene = Scene::new().await;
    let reply = scene.ask(scene.tokens.access_token()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("cache-control"), "no-store");
    let answer = reply.json();
    let token = scene.tokens.access_claims();
    for same in ["iss", "sub", "aud", "exp", "iat", "jti", "sid", "azp", "typ", "scope", "realm_access"] {
        assert_eq!(answer[same], token[same], "{same}");
    }
    assert_eq!(answer["active"], true);
    assert_eq!(answer["username"], "alice");
    assert_eq!(answer["client_id"], "web");
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["preferred_username"], "alice");
    assert!(answer["aud"].as_array().unwrap().iter().any(|audience| audience == "api"));
}

#[tokio::test]
async fn i01_only_confidential_clients_may_ask() {
    let scene = Scene::new().await;
    let token = scene.tokens.access_token();
    let (issuer, wrong) = (scene.server.issuer("main"), Some("wrong"));
    let nobody =
        scene.browser.clone().post(&scene.api.endpoint("token/introspect"), &[("token", token)]).await;
    let public = scene.server.rp("spa", None).introspect(&scene.browser, token).await;
    let mistaken = Rp::new(issuer.clone(), "api", wrong).introspect(&scene.browser, token).await;
    let unknown = Rp::new(issuer, "nobody", wrong).introspect(&scene.browser, token).await;
    for (case, reply) in
        [("a nobody", nobody), ("b public", public), ("secret", mistaken), ("unknown", unknown)]
    {
        assert_eq!(reply.status, 401, "{case}");
        assert_eq!(reply.json()["error"], "invalid_client", "{case}");
    }
    let missing = scene.api.post(&scene.browser, "token/introspect", &[]).await;
    assert_eq!((missing.status.as_u16(), missing.json()["error"].as_str()), (400, Some("invalid_request")));
    let twice = [("token", token), ("token", token)];
    assert_eq!(scene.api.post(&scene.browser, "token/introspect", &twice).await.status, 400);
    assert_eq!(scene.browser.clone().get(&scene.api.endpoint("token/introspect")).await.status, 405);
}

#[tokio::test]
async fn i01_what_is_no_token_is_not_active() {
    let mut scene = Scene::new().await;
    let code = scene.browser.get(&scene.web.authorize_url()).await.parameter("code").unwrap();
    let access = scene.tokens.access_token();
    let sid = scene.tokens.access_claims()["sid"].as_str().unwrap().to_owned();
    let cookie = scene.browser.cookies()["main-sid"].clone();
    let (unsigned, long) = (&access[..access.rfind('.').unwrap() + 1], "x".repeat(20_000));
    for (case, token) in [
        ("c a word", "x"),
        ("c dots", "a.b.c"),
        ("c long", &long),
        ("c without its signature", unsigned),
        ("d refresh token of another client", scene.tokens.refresh_token()),
        ("d code", &code),
        ("d session", &sid),
        ("d cookie", &cookie),
        ("ID token", scene.tokens.id_token()),
    ] {
        let reply = scene.ask(token).await;
        assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, INACTIVE), "{case}");
    }
    // Beyond the size of any form the body is not read to its end (attacks O01).
    assert_eq!(scene.ask(&"x".repeat(1_000_000)).await.status, 413);
}

#[tokio::test]
async fn i02_a_token_for_others_is_not_active() {
    let scene = Scene::new().await;
    let access = scene.tokens.access_token();
    for (client, secret, active) in [
        ("api", "api-secret", true),
        ("gateway", "gateway-secret", true),
        ("web", "web-secret", true),
        ("service", "service-secret", false),
        ("third-party", "third-party-secret", false),
    ] {
        let reply = scene.server.rp(client, Some(secret)).introspect(&scene.browser, access).await;
        assert_eq!(reply.body != INACTIVE, active, "{client}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_refresh_token_is_told_to_its_client_until_it_is_used() {
    let scene = Scene::new().await;
    let refresh = scene.tokens.refresh_token();
    let answer = scene.web.introspect(&scene.browser, refresh).await.json();
    assert_eq!(answer["active"], true);
    assert_eq!(answer["token_type"], "Refresh");
    assert_eq!(answer["client_id"], "web");
    assert_eq!(answer["username"], "alice");
    assert_eq!(answer["jti"], claims(refresh)["jti"]);
    let next = scene.web.refresh(&scene.browser, refresh).await.unwrap();
    assert_eq!(scene.web.introspect(&scene.browser, refresh).await.body, INACTIVE);
    assert_eq!(scene.web.introspect(&scene.browser, next.refresh_token()).await.json()["active"], true);
}

#[tokio::test]
async fn a_service_token_is_told_with_its_client() {
    let scene = Scene::new().await;
    let service = scene.server.rp("service", Some("service-secret"));
    let fields = [("grant_type", "client_credentials"), ("scope", "reports:read")];
    let tokens = service.tokens(&scene.browser, &fields).await.unwrap();
    let answer = scene.ask(tokens.access_token()).await.json();
    assert_eq!(answer["active"], true);
    assert_eq!(answer["client_id"], "service");
    assert_eq!(answer["username"], "service-account-service");
    assert!(answer["scope"].as_str().unwrap().contains("reports:read"), "{answer}");
    assert_eq!(answer["realm_access"], tokens.access_claims()["realm_access"]);
}

#[tokio::test]
async fn i03_a_token_dies_with_its_session() {
    let mut scene = Scene::new().await;
    let question = scene.browser.open(&scene.web.endpoint("logout")).await;
    scene.browser.submit(&question, &[("confirmLogout", "1")]).await;
    scene.assert_dead("signed out").await;
}

#[tokio::test]
async fn i03_a_token_dies_with_its_user_and_comes_back_with_it() {
    let scene = Scene::new().await;
    let store = &scene.server.app().store;
    let realm = store.realm_by_name("main").await.unwrap().unwrap();
    let sub = scene.tokens.access_claims()["sub"].as_str().unwrap().to_owned();
    let mut user = store.user_by_id(&realm.id, &sub).await.unwrap().unwrap();
    user.enabled = false;
    scene.commit(vec![Change::PutUser(Box::new(user.clone()))]).await;
    scene.assert_dead("user disabled").await;
    user.enabled = true;
    scene.commit(vec![Change::PutUser(Box::new(user.clone()))]).await;
    assert_eq!(scene.ask(scene.tokens.access_token()).await.json()["active"], true);
    user.not_before = Some(scene.now().plus(1));
    scene.commit(vec![Change::PutUser(Box::new(user))]).await;
    scene.assert_dead("the user's not-before").await;
}

#[tokio::test]
async fn i03_a_token_dies_with_its_client() {
    let scene = Scene::new().await;
    let at = scene.now();
    let mut client = scene.client("web").await;
    client.settings.not_before = Some(at.plus(1));
    scene.commit(vec![Change::PutClient { client: Box::new(client.clone()), at }]).await;
    scene.assert_dead("the client's not-before").await;
    client.settings.not_before = None;
    scene.commit(vec![Change::PutClient { client: Box::new(client.clone()), at }]).await;
    assert_eq!(scene.ask(scene.tokens.access_token()).await.json()["active"], true);
    client.enabled = false;
    scene.commit(vec![Change::PutClient { client: Box::new(client), at }]).await;
    assert_eq!(scene.ask(scene.tokens.access_token()).await.body, INACTIVE);
}

#[tokio::test]
async fn i03_the_realms_not_before_counts_for_every_token() {
    let scene = Scene::new().await;
    let service = scene.server.rp("service", Some("service-secret"));
    let own = service.tokens(&scene.browser, &[("grant_type", "client_credentials")]).await.unwrap();
    let store = &scene.server.app().store;
    let mut realm = store.realm_by_name("main").await.unwrap().unwrap();
    let at = scene.now();
    realm.settings.not_before = Some(at.plus(1));
    scene.commit(vec![Change::PutRealm { realm, at }]).await;
    scene.assert_dead("the realm's not-before").await;
    assert_eq!(scene.ask(own.access_token()).await.body, INACTIVE);
}
