//! Pushed requests: what is kept comes back, and one sign-in of many spends it (attacks N04, reliability I2).

use std::collections::BTreeMap;

use vestibule::protocol::authorize::RequestParameters;
use vestibule::protocol::pushed_request::PushedRequest;
use vestibule::store::{Change, PushRequest, Pushed, StoreError};

use crate::on_both;
use crate::world::{NOW, Tenant, id};

fn request(tenant: &Tenant) -> PushedRequest {
    let parameters = [("client_id", "web"), ("state", "ä \"'\u{1f511}")];
    PushedRequest {
        fingerprint: id(),
        realm_id: tenant.realm.id.clone(),
        client: tenant.client.id.clone(),
        parameters: RequestParameters(parameters.map(|(n, v)| (n.to_owned(), v.to_owned())).into()),
        hinted_subject: Some("somebody".into()),
        pushed_at: NOW,
        good_until: NOW.plus(60),
        spent_at: None,
    }
}

fn push(request: &PushedRequest) -> PushRequest {
    PushRequest {
        request: request.clone(),
        expires_at: NOW.plus(1_860),
        network: "192.0.2.1".into(),
        most: None,
        spends: Vec::new(),
    }
}

fn spend(request: &PushedRequest) -> Change {
    let (realm_id, fingerprint) = (request.realm_id.clone(), request.fingerprint.clone());
    Change::SpendPushedRequest { realm_id, fingerprint, at: NOW.plus(5) }
}

on_both! {
    async fn what_was_pushed_comes_back_to_its_realm(world) {
        let pushed = request(&world.tenant);
        assert_eq!(world.store.push_request(push(&pushed)).await.unwrap(), Pushed::Waiting);
        let found = world.store.pushed_request(&pushed.realm_id, &pushed.fingerprint).await.unwrap();
        assert_eq!(found, Some(pushed.clone()));
        let other = Tenant::new("other", &world.store).await;
        let found = world.store.pushed_request(&other.realm.id, &pushed.fingerprint).await.unwrap();
        assert_eq!(found, None, "another realm");
        let foreign = PushedRequest { client: other.client.id, fingerprint: id(), ..pushed };
        let refused = world.store.push_request(push(&foreign)).await;
        assert!(matches!(refused, Err(StoreError::Conflict { .. })), "a client of another realm: {refused:?}");
    }

    async fn n04_one_of_fifty_spends_a_pushed_request(world) {
        let pushed = request(&world.tenant);
        assert_eq!(world.store.push_request(push(&pushed)).await.unwrap(), Pushed::Waiting);
        let calls = (0..50).map(|_| {
            let (store, change) = (world.store.clone(), spend(&pushed));
            tokio::spawn(async move { store.commit(vec![change]).await })
        });
        let mut outcomes = BTreeMap::new();
        for call in calls.collect::<Vec<_>>() {
            let outcome = match call.await.unwrap() {
                Ok(()) => "spent",
                Err(StoreError::Conflict { .. }) => "too late",
                Err(error) => panic!("{error}"),
            };
            *outcomes.entry(outcome).or_insert(0) += 1;
        }
        assert_eq!(outcomes, BTreeMap::from([("spent", 1), ("too late", 49)]));
        let found = world.store.pushed_request(&pushed.realm_id, &pushed.fingerprint).await.unwrap();
        assert_eq!(found.unwrap().spent_at, Some(NOW.plus(5)));
    }

    async fn c04_a_proof_that_was_used_before_keeps_nothing(world) {
        use vestibule::protocol::spend::{Spend, SpendKind};
        let spends = vec![Spend {
            kind: SpendKind::ClientAssertion,
            fingerprint: "assertion".into(),
            expires_at: NOW.plus(60),
        }];
        let (first, second) = (request(&world.tenant), request(&world.tenant));
        let kept = world.store.push_request(PushRequest { spends: spends.clone(), ..push(&first) }).await;
        assert_eq!(kept.unwrap(), Pushed::Waiting);
        let replayed = world.store.push_request(PushRequest { spends, ..push(&second) }).await;
        assert_eq!(replayed.unwrap(), Pushed::Replayed(SpendKind::ClientAssertion));
        let found = world.store.pushed_request(&second.realm_id, &second.fingerprint).await.unwrap();
        assert_eq!(found, None);
    }

    async fn a_flood_from_one_network_is_bounded(world) {
        let from = async |network: &str, most: Option<i64>| {
            let pushed = request(&world.tenant);
            let push = PushRequest { network: network.into(), most, ..push(&pushed) };
            (world.store.push_request(push).await.unwrap(), pushed)
        };
        let (_, first) = from("a", Some(2)).await;
        assert_eq!(from("a", Some(2)).await.0, Pushed::Waiting);
        assert_eq!(from("a", Some(2)).await.0, Pushed::TooMany(NOW.plus(1_860)));
        assert_eq!(from("b", Some(2)).await.0, Pushed::Waiting, "another network");
        assert_eq!(from("a", None).await.0, Pushed::Waiting, "a client that proves itself");
        world.store.commit(vec![spend(&first)]).await.unwrap();
        assert_eq!(from("a", Some(3)).await.0, Pushed::Waiting, "what was spent waits no more");
    }

    async fn a_pushed_request_is_swept_after_its_time(world) {
        let pushed = request(&world.tenant);
        assert_eq!(world.store.push_request(push(&pushed)).await.unwrap(), Pushed::Waiting);
        for (after, there) in [(1_860, true), (1_860 + 601, false)] {
            world.store.sweep(NOW.plus(after), 90, 100).await.unwrap();
            let found = world.store.pushed_request(&pushed.realm_id, &pushed.fingerprint).await.unwrap();
            assert_eq!(found.is_some(), there, "{after} s later");
        }
    }
}
