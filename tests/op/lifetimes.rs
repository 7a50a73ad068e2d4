//! How long refresh tokens and what they hang on last: row F08 of the attack table, by a clock that stands still.

use vestibule::clock::Timestamp;
use vestibule::testing::{Browser, Options, Rp, TestServer, Tokens};

const REALM: &str = r#"
[realm]
name = "main"
[realm.lifetimes]
session_idle = "10m"
session_max = "1h"
offline_idle = "1d"
offline_max = "3d"
[[realm.clients]]
id = "web"
secret = "secret"
redirect_uris = ["http://localhost:3000/callback"]
[[realm.clients]]
id = "bank"
secret = "secret"
redirect_uris = ["http://localhost:3000/callback"]
session_idle = "2m"
session_max = "5m"
offline_idle = "1h"
offline_max = "2h"
[[realm.users]]
username = "alice"
password = "alice"
"#;

struct Scene {
    server: TestServer,
    browser: Browser,
    rp: Rp,
    tokens: Tokens,
}

impl Scene {
    async fn new(client_id: &str, scope: &str) -> Self {
        let frozen_at = Some(Timestamp(1_800_000_000));
        let options = Options { realm: Some(REALM.to_owned()), frozen_at, ..Options::default() };
        let server = TestServer::with(options).await.unwrap();
        let mut browser = server.browser();
        let mut rp = server.rp(client_id, Some("secret"));
        rp.scope = scope.to_owned();
        let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        Self { server, browser, rp, tokens }
    }

    /// Waits, refreshes, and says for how long the new refresh token is good.
    async fn refresh_after(&mut self, seconds: i64) -> Option<i64> {
        self.server.clock().advance(seconds);
        let next = self.rp.refresh(&self.browser, self.tokens.refresh_token()).await;
        self.tokens = next
            .inspect_err(|refused| assert_eq!(refused.json()["error"], "invalid_grant", "{}", refused.body))
            .ok()?;
        self.tokens.response["refresh_expires_in"].as_i64()
    }
}

#[tokio::test]
async fn f08b_refreshing_never_moves_the_end_of_the_session() {
    let mut scene = Scene::new("web", "openid").await;
    for _ in 0..6 {
        assert_eq!(scene.refresh_after(500).await, Some(600));
    }
    assert_eq!(scene.refresh_after(500).await, Some(100), "3500 s of 3600 are over");
    assert_eq!(scene.refresh_after(100).await, None, "an hour is over");
}

#[tokio::test]
async fn f08b_an_unused_refresh_token_ends() {
    let mut scene = Scene::new("web", "openid").await;
    assert_eq!(scene.refresh_after(599).await, Some(600));
    assert_eq!(scene.refresh_after(600).await, None);
}

#[tokio::test]
async fn f08b_a_client_may_have_shorter_limits_of_its_own() {
    let mut scene = Scene::new("bank", "openid").await;
    assert_eq!(scene.refresh_after(110).await, Some(120));
    assert_eq!(scene.refresh_after(110).await, Some(80), "220 s of 300 are over");
    assert_eq!(scene.refresh_after(80).await, None, "five minutes are over");
    let mut idle = Scene::new("bank", "openid").await;
    assert_eq!(idle.refresh_after(120).await, None, "unused for two minutes");

    // The session itself goes on: another sign-in to the same client asks for no password.
    let reply = idle.browser.get(&idle.rp.authorize_url()).await;
    assert!(reply.parameter("code").is_some(), "{}", reply.body);
}

#[tokio::test]
async fn f08b_refreshing_never_moves_the_end_of_an_offline_grant() {
    let mut scene = Scene::new("web", "openid offline_access").await;
    let hours = 3_600;
    for _ in 0..3 {
        assert_eq!(scene.refresh_after(16 * hours).await, Some(24 * hours));
    }
    assert_eq!(scene.refresh_after(16 * hours).await, Some(8 * hours), "64 h of 72 are over");
    assert_eq!(scene.refresh_after(8 * hours).await, None);
    let mut idle = Scene::new("web", "openid offline_access").await;
    assert_eq!(idle.refresh_after(24 * hours).await, None, "unused for a day");
}

#[tokio::test]
async fn f08b_a_client_may_have_other_offline_limits() {
    let mut scene = Scene::new("bank", "openid offline_access").await;
    assert_eq!(scene.refresh_after(3_000).await, Some(3_600));
    assert_eq!(scene.refresh_after(3_000).await, Some(1_200));
    assert_eq!(scene.refresh_after(1_200).await, None, "two hours are over");
}

/// What is configured today counts, for tokens that were issued before as well.
#[tokio::test]
async fn f08b_a_limit_that_is_set_later_holds_at_once() {
    let mut scene = Scene::new("web", "openid offline_access").await;
    let app = scene.server.app();
    let mut realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    realm.settings.offline_max = Some(1_000);
    let at = app.clock.now();
    app.commit(vec![vestibule::store::Change::PutRealm { realm, at }]).await.unwrap();
    assert_eq!(scene.refresh_after(900).await, Some(100));
    assert_eq!(scene.refresh_after(100).await, None);
}
