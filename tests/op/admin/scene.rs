//! A server with administrators of all kinds.

use axum::http::Method;
use serde_json::Value;
use vestibule::testing::{Reply, Rp, TestServer};

/// Realms `master`, `main` and `other`. Each caller is a service account, named after what it may do.
pub(crate) const REALMS: &str = r#"
[[realms]]
name = "master"
[[realms.clients]]
id = "admin"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["admin"]
[[realms.clients]]
id = "creator"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["create-realm"]
[[realms.clients]]
id = "nobody"
secret = "s"
grants = ["client_credentials"]

[[realms]]
name = "main"
[[realms.roles]]
name = "tester"
[[realms.clients]]
id = "web"
secret = "web-secret"
redirect_uris = ["http://localhost:3000/callback"]
web_origins = ["http://localhost:3000"]
[[realms.clients]]
id = "owner"
secret = "s"
grants = ["client_credentials"]
web_origins = ["https://console.example"]
service_account_roles = ["realm-management:realm-admin"]
[[realms.clients]]
id = "helpdesk"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["realm-management:manage-users", "realm-management:view-realm", "realm-management:query-users"]
[[realms.clients]]
id = "clerk"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["realm-management:view-clients"]
[[realms.clients]]
id = "keeper"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["realm-management:manage-clients"]
[[realms.clients]]
id = "viewer"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["realm-management:view-users"]
[[realms.clients]]
id = "aimed"
secret = "s"
grants = ["client_credentials"]
default_scopes = []
audiences = ["web"]
service_account_roles = ["realm-management:realm-admin"]
[[realms.clients]]
id = "nobody"
secret = "s"
grants = ["client_credentials"]
[[realms.users]]
username = "alice"
password = "alice"
email = "alice@example.com"
first_name = "Alice"
last_name = "Liddell"
roles = ["tester"]
[[realms.users]]
username = "boss"
password = "boss"
roles = ["realm-management:realm-admin"]

[[realms]]
name = "other"
[[realms.clients]]
id = "owner"
secret = "s"
grants = ["client_credentials"]
service_account_roles = ["realm-management:realm-admin"]
[[realms.users]]
username = "olaf"
password = "olaf"
"#;

/// A server and one who calls it.
pub(crate) struct Admin {
    pub(crate) server: TestServer,
    token: String,
}

impl Admin {
    /// The administrator of everything.
    pub(crate) async fn new() -> Self {
        Self::on(TestServer::with_realm(REALMS).await.unwrap()).await
    }

    /// The administrator of everything on `server`, which has [`REALMS`].
    pub(crate) async fn on(server: TestServer) -> Self {
        let token = token(&server, "master", "admin").await;
        Self { server, token }
    }

    /// The identifier of a user.
    pub(crate) async fn user(&self, realm: &str, name: &str) -> String {
        let store = &self.server.app().store;
        let realm = store.realm_by_name(realm).await.unwrap().unwrap();
        store.user_by_login(&realm.id, name, false).await.unwrap().unwrap().user.id
    }

    /// The identifier of a client.
    pub(crate) async fn client(&self, realm: &str, name: &str) -> String {
        let store = &self.server.app().store;
        let realm = store.realm_by_name(realm).await.unwrap().unwrap();
        store.client_by_client_id(&realm.id, name).await.unwrap().unwrap().id
    }

    /// The administrator of everything asks.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.as_(&self.token, method, path, body).await
    }

    /// The bearer of `token` asks.
    pub(crate) async fn as_(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let path = format!("/admin/{path}");
        self.server.browser().send(method, &path, body.map(|body| body.to_string()), &headers).await
    }

    /// The administrator of everything sends plain text.
    pub(crate) async fn plain(&self, method: Method, path: &str, text: &str) -> Reply {
        self.sent(method, path, text, "text/plain").await
    }

    /// The administrator of everything sends a body of any type.
    pub(crate) async fn sent(&self, method: Method, path: &str, body: &str, media: &str) -> Reply {
        let authorization = format!("Bearer {}", self.token);
        let headers = [("authorization", authorization.as_str()), ("content-type", media)];
        self.server.browser().send(method, &format!("/admin/{path}"), Some(body.to_owned()), &headers).await
    }

    /// What must succeed: 201 or 204. Gives the last part of `Location`.
    pub(crate) async fn must(&self, method: Method, path: &str, body: Value) -> String {
        let reply = self.ask(method, path, Some(body)).await;
        assert!([201, 204].contains(&reply.status.as_u16()), "{path}: {} {}", reply.status, reply.body);
        assert_eq!(reply.body, "", "{path}");
        reply.location().rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// What must be refused, with this status; gives the answer.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: Value, status: u16) -> Value {
        let reply = self.ask(method, path, Some(body)).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        reply.json()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let reply = self.ask(Method::GET, path, None).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.json()
    }
}

/// A token of a service account.
pub(crate) async fn token(server: &TestServer, realm: &str, client_id: &str) -> String {
    let rp = Rp { issuer: server.issuer(realm), ..server.rp(client_id, Some("s")) };
    let fields = [("grant_type", "client_credentials")];
    rp.tokens(&server.browser(), &fields).await.unwrap().access_token().to_owned()
}

/// The members called `name` of a list.
pub(crate) fn names(list: &Value, name: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[name].as_str().unwrap_or_default().to_owned()).collect()
}
