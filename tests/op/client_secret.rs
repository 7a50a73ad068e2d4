//! Guessing at client secrets (row C06 of the attack table).

use vestibule::testing::{Browser, Reply, TestServer};

const REALM: &str = r#"
    [realm]
    name = "main"
    [[realm.clients]]
    id = "chosen"
    secret = "a few words"
    grants = ["client_credentials"]
    [[realm.clients]]
    id = "other"
    secret = "some other words"
    grants = ["client_credentials"]
    [[realm.clients]]
    id = "keyed"
    authentication = "private_key_jwt"
    jwks_uri = "http://127.0.0.1:1/jwks"
    grants = ["client_credentials"]
"#;

struct Scene {
    server: TestServer,
    attacker: Browser,
    elsewhere: Browser,
}

impl Scene {
    /// `hashed`: secrets as `serve` keeps them, which cost a hash; else as `dev` does, to be read again.
    async fn new(hashed: bool) -> Self {
        let server = TestServer::with_realm(REALM).await.unwrap();
        if hashed {
            hash_secrets(&server).await;
        }
        let from = |address: &str| {
            let mut browser = server.browser();
            browser.address = address.parse().ok();
            browser
        };
        let (attacker, elsewhere) = (from("192.0.2.1"), from("192.0.2.2"));
        Self { server, attacker, elsewhere }
    }

    async fn try_as(&self, browser: &Browser, client: &str, secret: &str) -> Reply {
        let rp = self.server.rp(client, Some(secret));
        rp.token_request(browser, &[("grant_type", "client_credentials")]).await
    }
}

async fn hash_secrets(server: &TestServer) {
    use vestibule::passwords::Profile;
    use vestibule::store::Change;
    let app = server.app();
    let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    for (id, secret) in [("chosen", "a few words"), ("other", "some other words")] {
        let mut client = app.store.client_by_client_id(&realm.id, id).await.unwrap().unwrap();
        let hash = app.client_secrets.hash_chosen(Profile::Development, secret.into()).await.unwrap();
        client.secret_hash = Some(hash);
        app.commit(vec![Change::PutClient { client: Box::new(client), at: app.clock.now() }]).await.unwrap();
    }
}

fn assert_waits(reply: &Reply, case: &str) {
    assert_eq!(reply.status, 429, "{case}: {}", reply.body);
    assert_eq!(reply.json()["error"], "temporarily_unavailable", "{case}");
    let seconds: i64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{case}: {seconds}");
}

#[tokio::test]
async fn c06_a_network_that_guesses_waits_and_nobody_else_does() {
    for hashed in [true, false] {
        let scene = Scene::new(hashed).await;
        assert_eq!(scene.try_as(&scene.attacker, "other", "some other words").await.status, 200);
        for guess in 0..20 {
            let reply = scene.try_as(&scene.attacker, "chosen", &format!("guess {guess}")).await;
            assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (401, &"invalid_client".into()));
        }
        assert_waits(&scene.try_as(&scene.attacker, "chosen", "guess 20").await, "one more");
        let right = scene.try_as(&scene.attacker, "chosen", "a few words").await;
        assert_waits(&right, "the right one, guessed");
        let reply = scene.try_as(&scene.elsewhere, "chosen", "a few words").await;
        assert_eq!(reply.status, 200, "from elsewhere: {}", reply.body);
        let reply = scene.try_as(&scene.attacker, "chosen", "a few words").await;
        assert_eq!(reply.status, 200, "a secret that was proven goes on from everywhere: {}", reply.body);
        assert_waits(&scene.try_as(&scene.attacker, "chosen", "guess 21").await, "and no other");
        let reply = scene.try_as(&scene.attacker, "other", "some other words").await;
        assert_eq!(reply.status, 200, "another client behind the same address: {}", reply.body);
        scene.server.clock().advance(60);
        assert_eq!(scene.try_as(&scene.attacker, "chosen", "guess 22").await.status, 401, "after the wait");
    }
}

#[tokio::test]
async fn c06_a_client_that_is_not_there_counts_alike() {
    let scene = Scene::new(true).await;
    for client in ["nobody", "keyed"] {
        for guess in 0..20 {
            let reply = scene.try_as(&scene.attacker, client, &format!("guess {guess}")).await;
            assert_eq!(reply.status, 401, "{client}");
        }
        assert_waits(&scene.try_as(&scene.attacker, client, "guess 20").await, client);
    }
}

#[tokio::test]
async fn c06_right_secrets_are_never_counted() {
    for hashed in [true, false] {
        let scene = Scene::new(hashed).await;
        for round in 0..60 {
            let reply = scene.try_as(&scene.attacker, "chosen", "a few words").await;
            assert_eq!(reply.status, 200, "round {round}");
        }
    }
}

#[tokio::test]
async fn c06_an_app_that_was_switched_off_does_not_hold_its_network() {
    for hashed in [true, false] {
        let scene = Scene::new(hashed).await;
        set_enabled(&scene.server, false).await;
        for round in 0..40 {
            let reply = scene.try_as(&scene.attacker, "chosen", "a few words").await;
            assert_eq!(reply.status, 401, "round {round}: {}", reply.body);
        }
        set_enabled(&scene.server, true).await;
        let reply = scene.try_as(&scene.attacker, "chosen", "a few words").await;
        assert_eq!(reply.status, 200, "switched on again: {}", reply.body);
    }
}

async fn set_enabled(server: &TestServer, enabled: bool) {
    use vestibule::store::Change;
    let app = server.app();
    let realm = app.store.realm_by_name("main").await.unwrap().unwrap();
    let mut client = app.store.client_by_client_id(&realm.id, "chosen").await.unwrap().unwrap();
    client.enabled = enabled;
    app.commit(vec![Change::PutClient { client: Box::new(client), at: app.clock.now() }]).await.unwrap();
}

#[tokio::test]
async fn a_secret_that_is_too_long_is_a_wrong_one() {
    let scene = Scene::new(true).await;
    for client in ["chosen", "nobody"] {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", &"x".repeat(2_000)),
        ];
        let token = scene.server.rp("chosen", None).endpoint("token");
        let reply = scene.attacker.clone().post(&token, &fields).await;
        assert_eq!(
            (reply.status.as_u16(), &reply.json()["error"]),
            (401, &"invalid_client".into()),
            "{client}"
        );
    }
}
