//! Who is told of the end of a session: everybody once, by one node at a time.

use vestibule::protocol::backchannel_logout::Notice;
use vestibule::protocol::client::Client;
use vestibule::store::{Change, Page};

use crate::on_both;
use crate::world::{NOW, World, id};

const ISSUER: &str = "https://id.example/realms/main";

impl World {
    /// Further clients that want to be told, all signed in to in the session.
    async fn clients(&self, count: usize) -> Vec<Client> {
        let mut clients = Vec::new();
        for number in 0..count {
            let mut client =
                Client { id: id(), client_id: format!("app-{number}"), ..self.tenant.client.clone() };
            client.settings.backchannel_logout_uri = Some("https://app.example/logout".into());
            let change = Change::PutClient { client: Box::new(client.clone()), at: NOW };
            self.store.commit(vec![change, self.sign_in(&client.id)]).await.unwrap();
            clients.push(client);
        }
        clients
    }

    fn sign_in(&self, client: &str) -> Change {
        Change::SignInToClient {
            realm_id: self.tenant.realm.id.clone(),
            session_id: self.tenant.session.id.clone(),
            client: client.to_owned(),
            issuer: ISSUER.into(),
        }
    }

    async fn end(&self) {
        let (realm_id, id) = (self.tenant.realm.id.clone(), self.tenant.session.id.clone());
        self.store.commit(vec![Change::EndSession { realm_id, id, at: NOW }]).await.unwrap();
    }
}

on_both! {
    async fn the_end_of_a_session_concerns_who_signed_in_and_wants_to_hear(world) {
        let clients = world.clients(2).await;
        // One that does not want to hear, and one signed in to twice.
        let twice = vec![world.sign_in(&world.tenant.client.id), world.sign_in(&clients[0].id)];
        world.store.commit(twice).await.unwrap();
        let (realm, session) = (&world.tenant.realm.id, &world.tenant.session.id);
        assert_eq!(world.store.clients_of_session(realm, session).await.unwrap().len(), 3);
        assert!(world.store.claim_logout_notices(NOW, 10).await.unwrap().is_empty(), "nothing ended");
        world.end().await;
        world.end().await;
        let mut told = world.store.claim_logout_notices(NOW, 10).await.unwrap();
        told.sort_by(|a, b| a.client.cmp(&b.client));
        let notice = |client: &Client| Notice {
            realm_id: realm.clone(),
            session_id: session.clone(),
            client: client.id.clone(),
            user_id: world.tenant.user.id.clone(),
            issuer: ISSUER.into(),
            created_at: NOW,
            attempts: 1,
        };
        assert_eq!(told, [notice(&clients[0]), notice(&clients[1])]);
        assert!(world.store.claim_logout_notices(NOW, 10).await.unwrap().is_empty(), "each has a taker");
    }

    async fn fifty_nodes_take_each_notice_once(world) {
        world.clients(20).await;
        world.end().await;
        let calls = (0..50).map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move { store.claim_logout_notices(NOW, 3).await.unwrap() })
        });
        let mut taken = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            taken.extend(call.await.unwrap());
        }
        // Takers that met at the same rows go away with nothing, and come again.
        while let Some(more) = Some(world.store.claim_logout_notices(NOW, 3).await.unwrap()).filter(|m| !m.is_empty()) {
            taken.extend(more);
        }
        let mut clients: Vec<_> = taken.iter().map(|notice| notice.client.clone()).collect();
        clients.sort();
        clients.dedup();
        assert_eq!((taken.len(), clients.len()), (20, 20));
    }

    async fn a_notice_comes_back_until_it_is_settled(world) {
        world.clients(1).await;
        world.end().await;
        let first = world.store.claim_logout_notices(NOW, 10).await.unwrap().remove(0);
        assert!(world.store.claim_logout_notices(NOW.plus(29), 10).await.unwrap().is_empty());
        let second = world.store.claim_logout_notices(NOW.plus(30), 10).await.unwrap().remove(0);
        assert_eq!((first.attempts, second.attempts), (1, 2), "its taker died");
        // The first taker was only slow: what it says comes too late.
        world.store.logout_notice_done(&first).await.unwrap();
        world.store.postpone_logout_notice(&first, NOW, false).await.unwrap();
        assert!(world.store.claim_logout_notices(NOW.plus(31), 10).await.unwrap().is_empty());
        world.store.postpone_logout_notice(&second, NOW.plus(100), false).await.unwrap();
        assert!(world.store.claim_logout_notices(NOW.plus(99), 10).await.unwrap().is_empty());
        let third = world.store.claim_logout_notices(NOW.plus(100), 10).await.unwrap().remove(0);
        let event = world.tenant.event();
        world.store.give_up_logout_notice(&third, &event).await.unwrap();
        assert!(world.store.claim_logout_notices(NOW.plus(9_999), 10).await.unwrap().is_empty());
        let events = world.store.audit_events(&world.tenant.realm.id, Page::ALL).await.unwrap();
        assert!(events.iter().any(|kept| kept.id == event.id));
    }

    async fn a_notice_that_was_not_sent_counts_for_nothing(world) {
        world.clients(1).await;
        world.end().await;
        let first = world.store.claim_logout_notices(NOW, 10).await.unwrap().remove(0);
        world.store.return_logout_notice(&first, NOW.plus(7)).await.unwrap();
        assert!(world.store.claim_logout_notices(NOW.plus(6), 10).await.unwrap().is_empty());
        let second = world.store.claim_logout_notices(NOW.plus(7), 10).await.unwrap().remove(0);
        assert_eq!(second, first);
    }

    async fn a_silent_client_holds_up_nobody_else(world) {
        let clients = world.clients(2).await;
        world.end().await;
        let mut silent = world.store.claim_logout_notices(NOW, 10).await.unwrap();
        silent.retain(|notice| notice.client == clients[0].id);
        let (mut other, user_id) = (world.tenant.session.clone(), world.tenant.user.id.clone());
        other.id = id();
        let begin = Change::BeginSession { session: other.clone(), fingerprint: id(), expires_at: NOW.plus(60) };
        let of = |client: &Client| Change::SignInToClient {
            realm_id: other.realm_id.clone(),
            session_id: other.id.clone(),
            client: client.id.clone(),
            issuer: ISSUER.into(),
        };
        let end = Change::EndSessionsOfUser { realm_id: other.realm_id.clone(), user_id, at: NOW };
        world.store.commit(vec![begin, of(&clients[0]), of(&clients[1]), end]).await.unwrap();
        world.store.postpone_logout_notice(&silent[0], NOW.plus(5), true).await.unwrap();
        let now = world.store.claim_logout_notices(NOW, 10).await.unwrap();
        assert_eq!(now.iter().map(|notice| &notice.client).collect::<Vec<_>>(), [&clients[1].id]);
        assert_eq!(world.store.claim_logout_notices(NOW.plus(5), 10).await.unwrap().len(), 2);
    }

    async fn a_notice_outlives_the_user_but_not_the_client(world) {
        let clients = world.clients(2).await;
        let (realm_id, user) = (world.tenant.realm.id.clone(), world.tenant.user.id.clone());
        let gone = Change::DeleteClient { realm_id: realm_id.clone(), id: clients[0].id.clone() };
        world.store.commit(vec![Change::DeleteUser { realm_id, id: user, at: NOW }, gone]).await.unwrap();
        let told = world.store.claim_logout_notices(NOW, 10).await.unwrap();
        assert_eq!(told.iter().map(|notice| &notice.client).collect::<Vec<_>>(), [&clients[1].id]);
        assert_eq!(told[0].user_id, world.tenant.user.id);
    }
}
