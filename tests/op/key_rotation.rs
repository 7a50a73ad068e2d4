//! New keys for a realm (row FT15, reliability I5): no token ever lacks its key, in whatever order they are asked for.

use vestibule::clock::Timestamp;
use vestibule::realms::{NotForgotten, forgetting, rotation};
use vestibule::store::Change;
use vestibule::testing::{Options, TestServer};

use crate::common::realm;
use crate::database::Place;
use crate::on_both;

const NOW: i64 = 1_800_000_000;

struct Scene {
    server: TestServer,
    /// What was issued: the token, and when it is over.
    issued: Vec<(String, i64)>,
    now: i64,
}

impl Scene {
    async fn new(place: &Place) -> Self {
        let options = Options { frozen_at: Some(Timestamp(NOW)), ..place.options() };
        Self { server: TestServer::with(options).await.unwrap(), issued: Vec::new(), now: NOW }
    }

    async fn rotate(&self, at_once: bool) {
        let app = self.server.app();
        let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
        let rotation = rotation(&state, &app.store, &app.vault, app.clock.now(), at_once).await.unwrap();
        app.commit(rotation.changes).await.unwrap();
    }

    async fn forget(&self, kid: &str) -> Result<(), NotForgotten> {
        let app = self.server.app();
        let state = app.realms.named(&app.store, "main").await.unwrap().unwrap();
        let keys = app.store.keys(&state.realm.id).await.unwrap();
        let changes = forgetting(&state, &keys, &app.vault, app.clock.now(), kid)?;
        app.commit(changes).await.unwrap();
        Ok(())
    }

    async fn set_lifetime(&self, seconds: i64) {
        let mut changed = realm(&self.server).await;
        changed.settings.access_token = seconds;
        let at = self.server.app().clock.now();
        self.server.app().commit(vec![Change::PutRealm { realm: changed, at }]).await.unwrap();
    }

    /// A new token; every token that is not over is good, here and by the key set alone.
    async fn look(&mut self) {
        let rp = self.server.rp("service", Some("service-secret"));
        let mut browser = self.server.browser();
        let reply = rp.token_request(&browser, &[("grant_type", "client_credentials")]).await;
        let (token, lasts) = (reply.json()["access_token"].clone(), reply.json()["expires_in"].as_i64());
        let token = token.as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned();
        self.issued.push((token, self.now + lasts.unwrap()));
        let keys = browser.get(&rp.endpoint("certs")).await.json();
        let published: Vec<_> =
            keys["keys"].as_array().unwrap().iter().filter_map(|key| key["kid"].as_str()).collect();
        let api = self.server.rp("api", Some("api-secret"));
        for (token, until) in self.issued.iter().filter(|(_, until)| *until > self.now) {
            let kid = kid(token);
            let left = until - self.now;
            assert!(published.contains(&kid.as_str()), "{left} s before its end the key of a token is gone");
            let told = api.introspect(&browser, token).await.json();
            assert_eq!(told["active"], true, "{left} s before its end a token is refused");
        }
    }

    async fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds / 30 {
            self.server.clock().advance(30);
            self.now += 30;
            self.look().await;
        }
    }

    fn signer(&self) -> String {
        kid(&self.issued.last().unwrap().0)
    }
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

on_both! {
    async fn ft15_a_new_key_signs_when_everybody_knows_it_and_the_old_one_outlives_its_tokens(place) {
        let mut scene = Scene::new(&place).await;
        scene.look().await;
        let old = scene.signer();
        scene.rotate(false).await;
        scene.pass(330).await;
        assert_eq!(scene.signer(), old, "others have not learned the new one");
        scene.pass(60).await;
        assert_ne!(scene.signer(), old);
        scene.pass(600).await;
    }

    async fn ft15_at_once_after_a_gentle_one_the_newest_stays_the_signer(place) {
        let mut scene = Scene::new(&place).await;
        scene.look().await;
        scene.rotate(false).await;
        scene.pass(30).await;
        scene.rotate(true).await;
        scene.look().await;
        let newest = scene.signer();
        for _ in 0..4 {
            scene.pass(240).await;
            assert_eq!(scene.signer(), newest, "what the gentle one made never takes over");
        }
    }

    async fn ft15_two_gentle_ones_follow_each_other(place) {
        let mut scene = Scene::new(&place).await;
        scene.look().await;
        scene.rotate(false).await;
        scene.pass(120).await;
        scene.rotate(false).await;
        scene.pass(1_200).await;
    }

    async fn ft15_a_longer_life_of_tokens_keeps_the_old_key_that_still_signs(place) {
        let mut scene = Scene::new(&place).await;
        scene.look().await;
        scene.rotate(false).await;
        scene.pass(60).await;
        scene.set_lifetime(1_200).await;
        scene.pass(1_800).await;
    }

    async fn a_key_that_leaked_is_believed_no_more(place) {
        let mut scene = Scene::new(&place).await;
        scene.look().await;
        let (leaked, old) = (scene.signer(), scene.issued.pop().unwrap().0);
        assert_eq!(scene.forget(&leaked).await, Err(NotForgotten::Signs));
        assert_eq!(scene.forget("nothing").await, Err(NotForgotten::Unknown));
        scene.rotate(true).await;
        assert_eq!(scene.forget(&leaked).await, Ok(()));
        scene.look().await;
        let told = scene.server.rp("api", Some("api-secret")).introspect(&scene.server.browser(), &old).await;
        assert_eq!(told.json()["active"], false);
        assert_ne!(scene.signer(), leaked);
    }
}
