//! A service's own tokens: row C03 of the attack table.

use serde_json::json;
use vestibule::protocol::client::Client;
use vestibule::protocol::mapper::Mapper;
use vestibule::store::Change;
use vestibule::testing::{Reply, Rp, TestServer};

const REALM: &str = r#"
    [realm]
    name = "main"
    optional_scopes = ["read"]
    [[realm.scopes]]
    name = "read"
    [[realm.scopes]]
    name = "admin"
    [[realm.clients]]
    id = "service"
    secret = "service-secret"
    grants = ["client_credentials"]
    optional_scopes = ["read"]
    audiences = ["api"]
    [[realm.clients]]
    id = "api"
    secret = "api-secret"
    grants = []
"#;

struct Scene {
    server: TestServer,
    service: Rp,
}

impl Scene {
    async fn new() -> Self {
        let server = TestServer::with_realm(REALM).await.unwrap();
        let service = server.rp("service", Some("service-secret"));
        Self { server, service }
    }

    async fn ask(&self, scope: Option<&str>) -> Reply {
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(scope.map(|scope| ("scope", scope)));
        self.service.token_request(&self.server.browser(), &fields).await
    }

    async fn active(&self, token: &str) -> bool {
        let api = self.server.rp("api", Some("api-secret"));
        api.introspect(&self.server.browser(), token).await.json()["active"] == true
    }

    async fn edit(&self, change: impl Fn(&mut Client)) {
        let app = self.server.app();
        let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
        let mut client = app.store.client_by_client_id(&realm.id, "service").await.unwrap().unwrap();
        change(&mut client);
        app.commit(vec![Change::PutClient { client: Box::new(client), at: app.clock.now() }]).await.unwrap();
    }
}

fn assert_refused(reply: &Reply, status: u16, error: &str, case: &str) {
    let found = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
    assert_eq!(found, (status, Some(error.to_owned())), "{case}: {}", reply.body);
    assert!(reply.json().get("access_token").is_none(), "{case}");
}

fn token(reply: &Reply) -> String {
    reply.json()["access_token"].as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned()
}

#[tokio::test]
async fn c03_a_service_gets_no_scope_that_is_not_its_own() {
    let scene = Scene::new().await;
    let reply = scene.ask(Some("read")).await;
    let scopes = reply.json()["scope"].as_str().unwrap_or_default().to_owned();
    assert!(scopes.split(' ').any(|scope| scope == "read"), "{}", reply.body);
    for scope in ["read admin", "admin", "unknown", "READ", "read\u{e9}"] {
        assert_refused(&scene.ask(Some(scope)).await, 400, "invalid_scope", scope);
    }
}

#[tokio::test]
async fn c03_a_client_or_account_that_is_off_gets_nothing_and_its_tokens_end() {
    let scene = Scene::new().await;
    let before = token(&scene.ask(None).await);
    assert!(scene.active(&before).await);
    scene.edit(|client| client.enabled = false).await;
    assert_refused(&scene.ask(None).await, 401, "invalid_client", "a disabled client");
    assert!(!scene.active(&before).await, "its token");
    scene.edit(|client| client.enabled = true).await;
    assert!(scene.active(&before).await);

    let app = scene.server.app();
    let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    let client = app.store.client_by_client_id(&realm.id, "service").await.unwrap().unwrap();
    let account = app.store.user_of_service_account(&realm.id, &client.id).await.unwrap().unwrap();
    let mut user = app.store.user_by_id(&realm.id, &account.id).await.unwrap().unwrap();
    user.enabled = false;
    app.commit(vec![Change::PutUser(Box::new(user.clone()))]).await.unwrap();
    assert_refused(&scene.ask(None).await, 401, "invalid_client", "a disabled account");
    assert!(!scene.active(&before).await, "its token");
    user.enabled = true;
    app.commit(vec![Change::PutUser(Box::new(user))]).await.unwrap();
    assert!(scene.active(&before).await);

    let later = app.clock.now().plus(1);
    scene.edit(|client| client.settings.not_before = Some(later)).await;
    assert!(!scene.active(&before).await, "one that was issued before the client's not-before");
    scene.server.clock().advance(1);
    assert!(scene.active(&token(&scene.ask(None).await)).await, "one that was issued after it");
}

/// As Keycloak's scope for services does, which is in every realm, and as exports of before it had in the client itself.
#[tokio::test]
async fn a_token_says_from_where_its_service_asked_where_a_mapper_writes_that() {
    let scene = Scene::new().await;
    let told = |reply: &Reply| {
        let token = vestibule::testing::claims(reply.json()["access_token"].as_str().unwrap());
        ["clientHost", "clientAddress", "clientId"].map(|name| token.get(name).cloned())
    };
    assert_eq!(told(&scene.ask(None).await), [None, None, None], "no mapper");
    let note = |note: &str| Mapper {
        name: note.to_owned(),
        kind: "oidc-usersessionmodel-note-mapper".to_owned(),
        config: [("claim.name", note), ("user.session.note", note), ("access.token.claim", "true")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Mapper::default()
    };
    scene.edit(|client| client.settings.mappers = vec![note("clientAddress"), note("clientId")]).await;
    let here = Some(json!("127.0.0.1"));
    let expected = [None, here.clone(), Some(json!("service"))];
    for round in 0..2 {
        assert_eq!(told(&scene.ask(None).await), expected, "by the client's own mappers, {round}");
    }
    scene
        .edit(|client| {
            client.settings.mappers.clear();
            client.settings.optional_scopes = Some(vec!["service_account".to_owned()]);
        })
        .await;
    assert_eq!(told(&scene.ask(Some("service_account")).await), [here.clone(), here, None], "by the scope");
    assert_eq!(told(&scene.ask(None).await), [None, None, None], "which was not asked for");
}
