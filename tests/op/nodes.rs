//! Several nodes on one Postgres: any request at any of them, and what one changes, the others know.

mod once;

use std::time::{Duration, Instant};

use vestibule::protocol::client::Client;
use vestibule::protocol::realm::Realm;
use vestibule::protocol::user::User;
use vestibule::store::Change;
use vestibule::testing::{Rp, TestServer};

use crate::common::{is_error, realm, user};
use crate::database::Place;

/// Within a second, as other nodes are to know what changed.
const KNOWN: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_request_is_answered_at_any_node() {
    let Some(place) = Place::postgres().await else { return };
    let (one, two, three) = (place.start().await, place.start().await, place.start().await);
    let mut browser = one.browser_over(&[&two, &three]);
    // Each round begins at another node than the last, whatever a round's number of requests.
    for round in 0..4 {
        browser.forget_cookies();
        let rp = one.rp("web", Some("web-secret"));
        let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 200, "round {round}");
        let next = rp.refresh(&browser, tokens.refresh_token()).await.unwrap();
        let told = rp.introspect(&browser, next.access_token()).await;
        assert_eq!(told.json()["active"], true, "round {round}: {}", told.body);
        // The session is known wherever the next app asks, and consent given at one node is consent at all.
        let other = Rp { scope: "openid".into(), ..one.rp("third-party", Some("third-party-secret")) };
        other.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let silent = browser.get(&other.authorize_url_with(&[("prompt", Some("none"))])).await;
        assert!(silent.parameter("code").is_some(), "round {round}: {}", silent.location());
        let revoked = rp.post(&browser, "revoke", &[("token", next.refresh_token())]).await;
        assert_eq!(revoked.status, 200, "round {round}: {}", revoked.body);
        assert_eq!(rp.userinfo(&browser, next.access_token()).await.status, 401, "round {round}");
        let refused = rp.refresh(&browser, next.refresh_token()).await.unwrap_err();
        is_error(&refused, 400, "invalid_grant", "after the revocation");
        if round % 2 == 0 {
            browser.get("/").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_whom_one_node_switches_off_is_off_at_the_others() {
    let Some(place) = Place::postgres().await else { return };
    let (one, two) = (place.start().await, place.start().await);
    let rp = one.rp("web", Some("web-secret"));
    let there = two.browser_over(&[]);
    let at_two = Rp { issuer: two.issuer("main"), ..rp.clone() };
    let tokens = at_two.sign_in(&mut there.clone(), "alice", "alice").await.unwrap();
    // What revokes is asked of the database each time: no moment passes.
    let mut alice = user(&one, "alice").await;
    alice.enabled = false;
    one.app().commit(vec![Change::PutUser(Box::new(alice))]).await.unwrap();
    assert_eq!(at_two.userinfo(&there, tokens.access_token()).await.status, 401);
    assert!(at_two.refresh(&there, tokens.refresh_token()).await.is_err());
}

/// Switches a client on or off at a node.
async fn switch(node: &TestServer, client_id: &str, enabled: bool) {
    let realm = realm(node).await;
    let client = node.app().store.client_by_client_id(&realm.id, client_id).await.unwrap().unwrap();
    let client = Box::new(Client { enabled, ..client });
    node.app().commit(vec![Change::PutClient { client, at: node.clock().now() }]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ft14_a_client_that_one_node_switches_off_gets_nothing_at_another_from_that_moment_on() {
    let Some(place) = Place::postgres().await else { return };
    let (one, two) = (place.start().await, place.start().await);
    let browser = two.browser_over(&[]);
    let at_two = |client_id: &str, secret: Option<&str>| Rp {
        issuer: two.issuer("main"),
        ..one.rp(client_id, secret)
    };
    let (web, service) = (at_two("web", Some("web-secret")), at_two("service", Some("service-secret")));
    let (tv, third) = (at_two("tv", None), at_two("third-party", Some("third-party-secret")));
    let grant = [("grant_type", "client_credentials")];
    for round in 0..8 {
        let mut there = browser.clone();
        let tokens = web.sign_in(&mut there, "alice", "alice").await.unwrap();
        let code = there.get(&web.authorize_url()).await.parameter("code").unwrap();
        let device = tv.device(&there).await.unwrap();
        there.clone().approve_device(&device, "alice", "alice").await;
        let own = service.tokens(&there, &grant).await.unwrap();
        for client_id in ["web", "service", "tv"] {
            switch(&one, client_id, false).await;
        }
        // The other node has them in memory as they were, and asks.
        let told = third.introspect(&there, own.access_token()).await;
        assert_eq!(told.json()["active"], false, "round {round}: {}", told.body);
        assert!(service.tokens(&there, &grant).await.is_err(), "round {round}: a token for a service");
        assert!(web.refresh(&there, tokens.refresh_token()).await.is_err(), "round {round}: a refresh");
        assert!(web.redeem(&there, &code).await.is_err(), "round {round}: a code");
        assert!(tv.poll(&there, &device).await.is_err(), "round {round}: a device");
        assert_eq!(web.userinfo(&there, tokens.access_token()).await.status, 401, "round {round}");
        for client_id in ["web", "service", "tv"] {
            switch(&one, client_id, true).await;
        }
        // What is configured, and allows more, is known within a second.
        let begun = Instant::now();
        while service.tokens(&there, &grant).await.is_err()
            || tv.device(&there).await.is_err()
            || web.sign_in(&mut browser.clone(), "alice", "alice").await.is_err()
        {
            assert!(begun.elapsed() < 2 * KNOWN, "the other node does not serve what was switched on");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Many ask the other node at once, so that they share what the database says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ft14_a_service_whose_realm_or_account_one_node_switches_off_gets_nothing_at_another() {
    let Some(place) = Place::postgres().await else { return };
    let (one, two) = (place.start().await, place.start().await);
    let service = Rp { issuer: two.issuer("main"), ..one.rp("service", Some("service-secret")) };
    let realm = realm(&one).await;
    let store = &one.app().store;
    let client = store.client_by_client_id(&realm.id, "service").await.unwrap().unwrap();
    let account = store.user_of_service_account(&realm.id, &client.id).await.unwrap().unwrap();
    let account_is = |enabled| vec![Change::PutUser(Box::new(User { enabled, ..account.clone() }))];
    let at = one.clock().now();
    let realm_is = |enabled| vec![Change::PutRealm { realm: Realm { enabled, ..realm.clone() }, at }];
    let served = async |expected: bool, what: &str| {
        let browser = two.browser_over(&[]);
        let one = || {
            let (service, browser) = (service.clone(), browser.clone());
            async move { service.tokens(&browser, &[("grant_type", "client_credentials")]).await.is_ok() }
        };
        let all: Vec<_> = (0..20).map(|_| tokio::spawn(one())).collect();
        for answer in all {
            assert_eq!(answer.await.unwrap(), expected, "{what}");
        }
    };
    for _ in 0..4 {
        served(true, "nothing is switched off").await;
        one.app().commit(account_is(false)).await.unwrap();
        served(false, "the account is off").await;
        one.app().commit(account_is(true)).await.unwrap();
        tokio::time::sleep(KNOWN).await;
        served(true, "the account is on again").await;
        one.app().commit(realm_is(false)).await.unwrap();
        served(false, "the realm is off").await;
        one.app().commit(realm_is(true)).await.unwrap();
        tokio::time::sleep(KNOWN).await;
    }
    served(true, "before its account is gone").await;
    let (realm_id, id) = (realm.id.clone(), account.id.clone());
    let gone = Change::DeleteUser { realm_id: realm_id.clone(), id, at };
    one.app().commit(vec![gone, Change::Reconfigure { realm_id }]).await.unwrap();
    served(false, "the account is gone").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_asks_here_and_its_person_answers_there() {
    let Some(place) = Place::postgres().await else { return };
    let (one, two) = (place.start().await, place.start().await);
    let mut browser = one.browser_over(&[&two]);
    let rp = one.rp("tv", None);
    let device = rp.device(&browser).await.unwrap();
    browser.approve_device(&device, "alice", "alice").await;
    let tokens = rp.poll(&browser, &device).await.unwrap();
    assert_eq!(rp.userinfo(&browser, tokens.access_token()).await.status, 200);
}
