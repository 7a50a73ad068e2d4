//! What the tests of token exchange begin with.

use vestibule::protocol::client::Client;
use vestibule::store::Change;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens};

pub(super) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(super) const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";
pub(super) const ID: &str = "urn:ietf:params:oauth:token-type:id_token";
pub(super) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// `front` signs people in; `gateway` is an audience of it and may exchange for `api`; `inner` may exchange the result
/// for `db`.
pub(super) const REALM: &str = r#"
[realm]
name = "main"
optional_scopes = ["offline_access", "reports:read", "reports:write"]
[[realm.roles]]
name = "user"
[[realm.roles]]
name = "admin"
[[realm.scopes]]
name = "reports:read"
[[realm.scopes]]
name = "reports:write"
[[realm.clients]]
id = "front"
secret = "secret"
grants = ["authorization_code", "refresh_token"]
redirect_uris = ["http://localhost:3000/callback"]
audiences = ["gateway"]
[[realm.clients]]
id = "elsewhere"
secret = "secret"
grants = ["authorization_code", "refresh_token"]
redirect_uris = ["http://localhost:3000/callback"]
audiences = ["db"]
[[realm.clients]]
id = "gateway"
secret = "secret"
grants = ["token_exchange", "client_credentials", "refresh_token"]
access_token_lifetime = 3600
[[realm.clients.exchange]]
audience = "api"
impersonation = true
delegation = true
id_token = true
refresh_token = true
[[realm.clients.exchange]]
audience = "billing"
impersonation = true
scopes = ["reports:read"]
subject_clients = ["elsewhere"]
[[realm.clients]]
id = "inner"
secret = "secret"
grants = ["token_exchange", "client_credentials"]
[[realm.clients.exchange]]
audience = "db"
delegation = true
subject_clients = ["gateway"]
[[realm.clients]]
id = "idle"
secret = "secret"
grants = ["token_exchange"]
[[realm.clients]]
id = "plain"
secret = "secret"
grants = ["client_credentials"]
audiences = ["gateway"]
[[realm.clients]]
id = "api"
secret = "secret"
grants = []
resources = ["https://api.example/"]
[[realm.clients]]
id = "billing"
secret = "secret"
grants = []
[[realm.clients]]
id = "db"
secret = "secret"
grants = []
[[realm.users]]
username = "alice"
password = "alice"
email = "alice@example.com"
roles = ["user", "admin"]
[[realm.users]]
username = "bob"
password = "bob"
"#;

pub(super) struct Scene {
    pub(super) server: TestServer,
    pub(super) browser: Browser,
    pub(super) front: Rp,
    pub(super) gateway: Rp,
    pub(super) alice: Tokens,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::of(REALM.to_owned()).await
    }

    /// In a realm that has at least what [`REALM`] has.
    pub(super) async fn of(realm: String) -> Self {
        let options = Options {
            realm: Some(realm),
            frozen_at: Some(vestibule::clock::Timestamp(1_800_000_000)),
            ..Options::default()
        };
        let server = TestServer::with(options).await.unwrap();
        let mut browser = server.browser();
        let mut front = server.rp("front", Some("secret"));
        front.scope = "openid email reports:read".into();
        let alice = front.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let gateway = server.rp("gateway", Some("secret"));
        Self { server, browser, front, gateway, alice }
    }

    pub(super) fn rp(&self, client_id: &str) -> Rp {
        self.server.rp(client_id, Some("secret"))
    }

    /// What `requester` is told when it exchanges `token`.
    pub(super) async fn ask(&self, requester: &Rp, token: &str, more: &[(&str, &str)]) -> Reply {
        let mut fields =
            vec![("grant_type", EXCHANGE), ("subject_token", token), ("subject_token_type", ACCESS)];
        fields.extend(more);
        requester.token_request(&self.browser, &fields).await
    }

    pub(super) async fn exchange(&self, requester: &Rp, token: &str, more: &[(&str, &str)]) -> Tokens {
        let reply = self.ask(requester, token, more).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        Tokens { response: reply.json() }
    }

    /// Alice's token for the API.
    pub(super) async fn for_api(&self) -> Tokens {
        self.exchange(&self.gateway, self.alice.access_token(), &[("audience", "api")]).await
    }

    pub(super) async fn own_token(&self, client: &Rp) -> String {
        let tokens = client.tokens(&self.browser, &[("grant_type", "client_credentials")]).await.unwrap();
        tokens.access_token().to_owned()
    }

    pub(super) async fn active(&self, token: &str) -> bool {
        self.rp("api").introspect(&self.browser, token).await.json()["active"] == true
    }

    pub(super) async fn client(&self, client_id: &str) -> Client {
        let store = &self.server.app().store;
        let realm = store.realm_by_name("main").await.unwrap().unwrap();
        store.client_by_client_id(&realm.id, client_id).await.unwrap().unwrap()
    }

    pub(super) async fn put(&self, client: Client) {
        let at = self.server.app().clock.now();
        self.server.app().commit(vec![Change::PutClient { client: Box::new(client), at }]).await.unwrap();
    }

    pub(super) async fn set_enabled(&self, client_id: &str, enabled: bool) {
        self.put(Client { enabled, ..self.client(client_id).await }).await;
    }

    pub(super) async fn set_user_enabled(&self, enabled: bool) {
        let store = &self.server.app().store;
        let realm = store.realm_by_name("main").await.unwrap().unwrap();
        let sub = self.alice.access_claims()["sub"].as_str().unwrap().to_owned();
        let mut user = store.user_by_id(&realm.id, &sub).await.unwrap().unwrap();
        user.enabled = enabled;
        self.server.app().commit(vec![Change::PutUser(Box::new(user))]).await.unwrap();
    }
}

pub(super) fn assert_refused(reply: &Reply, error: &str, row: &str) {
    assert_eq!(
        (reply.status.as_u16(), reply.json()["error"].as_str()),
        (400, Some(error)),
        "{row}: {}",
        reply.body
    );
    assert_eq!(reply.header("cache-control"), "no-store", "{row}");
    assert!(reply.json().get("access_token").is_none(), "{row}");
}
