//! What several files of this binary need: realms, scenes, and what an answer must look like.

use scraper::{Html, Selector};
use vestibule::protocol::client::Client;
use vestibule::protocol::realm::Realm;
use vestibule::protocol::user::User;
use vestibule::store::Change;
use vestibule::testing::{Browser, Options, Reply, Rp, TestServer, Tokens};

/// A server with somebody signed in to an app.
pub(crate) struct Scene {
    pub(crate) server: TestServer,
    pub(crate) browser: Browser,
    pub(crate) rp: Rp,
    pub(crate) tokens: Tokens,
}

impl Scene {
    /// Alice, in `web` of the demo realm.
    pub(crate) async fn new() -> Self {
        Self::with(Options::default(), "openid profile email").await
    }

    /// Alice, in `web` of the demo realm, with these scopes.
    pub(crate) async fn with(options: Options, scope: &str) -> Self {
        let server = TestServer::with(options).await.unwrap();
        let mut browser = server.browser();
        let rp = Rp { scope: scope.to_owned(), ..server.rp("web", Some("web-secret")) };
        let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        Self { server, browser, rp, tokens }
    }

    /// Alice, in `web` of this realm, whose clients all have the secret `secret`.
    pub(crate) async fn in_realm(toml: &str) -> Self {
        let server = TestServer::with_realm(toml).await.unwrap();
        let mut browser = server.browser();
        let rp = server.rp("web", Some("secret"));
        let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        Self { server, browser, rp, tokens }
    }

    pub(crate) async fn realm(&self) -> Realm {
        realm(&self.server).await
    }

    pub(crate) async fn client(&self, client_id: &str) -> Client {
        let realm = self.realm().await;
        self.server.app().store.client_by_client_id(&realm.id, client_id).await.unwrap().unwrap()
    }

    pub(crate) async fn user(&self, name: &str) -> User {
        user(&self.server, name).await
    }

    pub(crate) async fn commit(&self, changes: Vec<Change>) {
        self.server.app().commit(changes).await.unwrap();
    }
}

pub(crate) async fn realm(server: &TestServer) -> Realm {
    server.app().store.realm_by_name("main").await.unwrap().unwrap()
}

pub(crate) async fn user(server: &TestServer, name: &str) -> User {
    let realm = realm(server).await;
    server.app().store.user_by_login(&realm.id, name, false).await.unwrap().unwrap().user
}

/// A page that leads nowhere: what is answered while client or redirect URI is in doubt.
#[track_caller]
pub(crate) fn is_page(reply: &Reply, row: &str) {
    assert_eq!(reply.status, 400, "{row}: {}", reply.body);
    assert_eq!(reply.location(), "", "{row}");
    assert!(reply.header("content-type").starts_with("text/html"), "{row}");
    assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"), "{row}");
}

/// A refusal in JSON that nobody keeps.
#[track_caller]
pub(crate) fn is_error(reply: &Reply, status: u16, code: &str, row: &str) {
    let told = (reply.status.as_u16(), reply.json()["error"].as_str().map(str::to_owned));
    assert_eq!(told, (status, Some(code.to_owned())), "{row}: {}", reply.body);
    assert_eq!(reply.header("cache-control"), "no-store", "{row}");
}

/// The sign-in page.
#[track_caller]
pub(crate) fn is_sign_in(reply: &Reply, row: &str) {
    assert_eq!(reply.status, 200, "{row}: {}", reply.body);
    assert!(attribute(reply, "form#kc-form-login", "action").is_some(), "{row}: {}", reply.body);
}

/// The consent page.
#[track_caller]
pub(crate) fn is_consent(reply: &Reply, row: &str) {
    assert_eq!(reply.status, 200, "{row}: {}", reply.body);
    assert!(attribute(reply, "form#kc-oauth", "action").is_some(), "{row}: {}", reply.body);
}

/// An attribute of the first element that `selector` finds on a page.
pub(crate) fn attribute(reply: &Reply, selector: &str, name: &str) -> Option<String> {
    let page = Html::parse_document(&reply.body);
    let element = page.select(&Selector::parse(selector).unwrap()).next()?;
    element.value().attr(name).map(str::to_owned)
}

/// The text of the first element that `selector` finds on a page.
pub(crate) fn text(reply: &Reply, selector: &str) -> Option<String> {
    let page = Html::parse_document(&reply.body);
    let element = page.select(&Selector::parse(selector).unwrap()).next()?;
    Some(element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" "))
}
