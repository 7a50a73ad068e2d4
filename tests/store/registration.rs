//! Registration: a token is good for so many clients, a realm takes so many, and a change is made from what is there.

use vestibule::protocol::client::Client;
use vestibule::protocol::register::InitialToken;
use vestibule::store::{Change, NO_INITIAL_TOKEN, REGISTRATION_CHANGED, REGISTRATION_LIMIT, StoreError};

use crate::on_both;
use crate::world::{NOW, World, id};

impl World {
    async fn token(&self, uses_left: i64) -> String {
        let fingerprint = id();
        let realm_id = self.tenant.realm.id.clone();
        let token = InitialToken {
            id: id(),
            realm_id,
            created_at: NOW,
            expires_at: NOW.plus(60),
            uses: 10,
            uses_left,
        };
        let add = Change::AddRegistrationToken { token, fingerprint: fingerprint.clone() };
        self.store.commit(vec![add]).await.unwrap();
        fingerprint
    }

    fn spend(&self, fingerprint: &str) -> Change {
        let (realm_id, fingerprint) = (self.tenant.realm.id.clone(), fingerprint.to_owned());
        Change::SpendRegistrationToken { realm_id, fingerprint, at: NOW }
    }

    /// A new client, and its registration as one of at most `limit`.
    fn registration(&self, limit: i64) -> (Client, Vec<Change>) {
        let client = Client { id: id(), client_id: id(), ..self.tenant.client.clone() };
        let add = Change::AddRegistration {
            realm_id: client.realm_id.clone(),
            client: client.id.clone(),
            fingerprint: "token".into(),
            at: NOW,
            limit,
        };
        (client.clone(), vec![Change::PutClient { client: Box::new(client), at: NOW }, add])
    }

    async fn version(&self) -> i64 {
        self.store.realm_by_id(&self.tenant.realm.id).await.unwrap().unwrap().version
    }

    fn touch(&self, client: &Client, fingerprint: &str, version: i64) -> Change {
        Change::TouchRegistration {
            realm_id: client.realm_id.clone(),
            client: client.id.clone(),
            fingerprint: fingerprint.into(),
            version,
            at: NOW,
        }
    }
}

fn conflict(result: Result<(), StoreError>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(StoreError::Conflict { what }) => what,
        Err(error) => panic!("{error}"),
    }
}

/// Commits all at once, and gives what became of each.
async fn together(world: &World, all: Vec<Vec<Change>>) -> Vec<&'static str> {
    let calls = all.into_iter().map(|changes| {
        let store = world.store.clone();
        tokio::spawn(async move { conflict(store.commit(changes).await) })
    });
    let mut outcomes = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

fn count(outcomes: &[&str], what: &str) -> usize {
    outcomes.iter().filter(|one| **one == what).count()
}

on_both! {
    async fn a07_fifty_callers_get_what_the_token_is_good_for(world) {
        let token = world.token(3).await;
        let all = (0..50).map(|_| {
            let mut changes = vec![world.spend(&token)];
            changes.extend(world.registration(1_000).1);
            changes
        });
        let outcomes = together(&world, all.collect()).await;
        assert_eq!((count(&outcomes, "done"), count(&outcomes, NO_INITIAL_TOKEN)), (3, 47), "{outcomes:?}");
        assert!(world.store.registration_tokens(&world.tenant.realm.id, NOW).await.unwrap().is_empty());
    }

    async fn a_token_is_of_its_realm_and_time(world) {
        let token = world.token(9).await;
        let other = crate::world::Tenant::new("other", &world.store).await;
        let foreign =
            Change::SpendRegistrationToken { realm_id: other.realm.id, fingerprint: token.clone(), at: NOW };
        assert_eq!(conflict(world.store.commit(vec![foreign]).await), NO_INITIAL_TOKEN);
        let realm_id = world.tenant.realm.id.clone();
        let late = Change::SpendRegistrationToken { realm_id, fingerprint: token.clone(), at: NOW.plus(60) };
        assert_eq!(conflict(world.store.commit(vec![late]).await), NO_INITIAL_TOKEN);
        assert_eq!(conflict(world.store.commit(vec![world.spend(&token)]).await), "done");
        let left = world.store.registration_tokens(&world.tenant.realm.id, NOW).await.unwrap();
        assert_eq!(left.iter().map(|token| (token.uses, token.uses_left)).collect::<Vec<_>>(), [(10, 8)]);
    }

    async fn fifty_callers_fill_a_realm_to_its_limit(world) {
        let all = (0..50).map(|_| world.registration(5).1).collect();
        let outcomes = together(&world, all).await;
        assert_eq!((count(&outcomes, "done"), count(&outcomes, REGISTRATION_LIMIT)), (5, 45), "{outcomes:?}");
        let clients = world.store.clients(&world.tenant.realm.id, "", vestibule::store::Page::ALL).await.unwrap();
        assert_eq!(clients.len(), 6, "who was refused left no client");
    }

    async fn a07_a_change_holds_only_against_what_it_was_made_from(world) {
        let (client, changes) = world.registration(5);
        world.store.commit(changes).await.unwrap();
        let version = world.version().await;
        assert_eq!(world.store.registration(&client.realm_id, &client.id).await.unwrap().as_deref(), Some("token"));
        for (row, change) in [
            ("another token", world.touch(&client, "x", version)),
            ("an older version", world.touch(&client, "token", version - 1)),
            ("another client", world.touch(&world.tenant.client, "token", version)),
        ] {
            assert_eq!(conflict(world.store.commit(vec![change]).await), REGISTRATION_CHANGED, "{row}");
        }
        let put = |enabled| Change::PutClient { client: Box::new(Client { enabled, ..client.clone() }), at: NOW };
        let change = vec![world.touch(&client, "token", version), put(true)];
        assert_eq!(conflict(world.store.commit(change).await), "done");
        let version = world.version().await;
        world.store.commit(vec![put(false)]).await.unwrap();
        for version in [version, world.version().await] {
            let change = vec![world.touch(&client, "token", version), put(true)];
            assert_eq!(conflict(world.store.commit(change).await), REGISTRATION_CHANGED, "it was disabled");
        }
        let client = world.store.client_by_id(&client.realm_id, &client.id).await.unwrap().unwrap();
        assert!(!client.enabled);
    }
}
