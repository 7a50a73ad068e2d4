//! Several nodes on one Postgres: any request at any of them, and what one changes, the others know.

mod once;

use std::time::{Duration, Instant};

use vestibule::store::Change;
use vestibule::testing::Rp;

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
async fn what_one_node_changes_the_others_know() {
    let Some(place) = Place::postgres().await else { return };
    let (one, two) = (place.start().await, place.start().await);
    let rp = one.rp("web", Some("web-secret"));
    let there = two.browser_over(&[]);
    let at_two = Rp { issuer: two.issuer("main"), ..rp.clone() };
    let tokens = at_two.sign_in(&mut there.clone(), "alice", "alice").await.unwrap();
    let service = Rp { issuer: two.issuer("main"), ..one.rp("service", Some("service-secret")) };
    let grant = [("grant_type", "client_credentials")];
    service.tokens(&there, &grant).await.unwrap();
    // What revokes is asked of the database each time: no moment passes.
    let mut alice = user(&one, "alice").await;
    alice.enabled = false;
    one.app().commit(vec![Change::PutUser(Box::new(alice))]).await.unwrap();
    assert_eq!(at_two.userinfo(&there, tokens.access_token()).await.status, 401);
    assert!(at_two.refresh(&there, tokens.refresh_token()).await.is_err());
    // What is configured is read anew within a second.
    let realm = realm(&one).await;
    let mut client = one.app().store.client_by_client_id(&realm.id, "service").await.unwrap().unwrap();
    client.enabled = false;
    let at = one.clock().now();
    one.app().commit(vec![Change::PutClient { client: Box::new(client), at }]).await.unwrap();
    let begun = Instant::now();
    while service.tokens(&there, &grant).await.is_ok() {
        assert!(begun.elapsed() < 2 * KNOWN, "the other node still serves a client that is switched off");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
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
