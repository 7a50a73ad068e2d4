//! A realm that was deleted: gone at once, and what was in it by and by.

use vestibule::protocol::user::User;
use vestibule::store::{Change, Page, Store};

use crate::on_both;
use crate::world::{NOW, Tenant, id};

const MOST: i64 = 10;

/// People of a realm, each with a grant and a refresh token.
async fn populate(store: &Store, tenant: &Tenant, people: usize) -> Vec<String> {
    let mut grants = Vec::new();
    for number in 0..people {
        let user = User::new(&tenant.realm.id, &id(), &format!("user-{number}"), NOW);
        let of_user = Tenant { user: user.clone(), ..tenant.clone() };
        store.commit(vec![Change::PutUser(Box::new(user))]).await.unwrap();
        for _ in 0..2 {
            grants.push(of_user.code(store).await.grant_id);
        }
    }
    grants
}

async fn delete(store: &Store, realm_id: &str) {
    store.commit(vec![Change::DeleteRealm { realm_id: realm_id.to_owned() }]).await.unwrap();
}

on_both! {
    async fn a_deleted_realm_is_gone_at_once_and_taken_apart_in_bounded_steps(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let other = Tenant::new("other", store).await;
        let grants = populate(store, tenant, 25).await;
        let others = populate(store, &other, 2).await;
        delete(store, &tenant.realm.id).await;
        assert!(store.realm_by_name("main").await.unwrap().is_none());
        assert!(store.realm_by_id(&tenant.realm.id).await.unwrap().is_none());
        assert!(store.realm_by_name(&format!("/{}", tenant.realm.id)).await.unwrap().is_none());
        let names: Vec<String> = store.realms().await.unwrap().into_iter().map(|realm| realm.name).collect();
        assert_eq!(names, ["other"]);
        // The name is free, although most of the rows are still there.
        let same_name = Tenant::new("main", store).await;
        assert!(store.user_by_id(&tenant.realm.id, &tenant.user.id).await.unwrap().is_some());
        let mut steps = 0;
        loop {
            let swept = store.sweep_deleted_realms(MOST).await.unwrap();
            assert!(swept.rows < 2 * u64::try_from(MOST).unwrap(), "{swept:?}");
            if !swept.more {
                break;
            }
            steps += 1;
        }
        assert!(steps > 10, "{steps} steps are not little by little");
        assert_eq!(store.sweep_deleted_realm(&tenant.realm.id, MOST).await.unwrap().rows, 0);
        assert!(store.user_by_id(&tenant.realm.id, &tenant.user.id).await.unwrap().is_none());
        for grant in grants {
            assert!(store.grant_with_user(&tenant.realm.id, &grant).await.unwrap().is_none());
        }
        for (kept, grants) in [(&other, others), (&same_name, Vec::new())] {
            assert!(store.session_by_id(&kept.realm.id, &kept.session.id).await.unwrap().is_some());
            for grant in grants {
                assert!(store.grant_with_user(&kept.realm.id, &grant).await.unwrap().is_some());
            }
        }
    }

    async fn two_nodes_take_one_realm_apart(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        populate(store, tenant, 25).await;
        delete(store, &tenant.realm.id).await;
        let nodes = (0..4).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { while store.sweep_deleted_realms(MOST).await.unwrap().more {} })
        });
        for node in nodes.collect::<Vec<_>>() {
            node.await.unwrap();
        }
        assert!(store.user_by_id(&tenant.realm.id, &tenant.user.id).await.unwrap().is_none());
    }

    async fn the_identifier_of_a_deleted_realm_is_free_when_nothing_is_left(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let again = || Change::AddRealm { realm: tenant.realm.clone(), at: NOW };
        let taken = |result: Result<(), vestibule::store::StoreError>| {
            let error = result.unwrap_err();
            assert!(error.to_string().contains("conflict about the realm"), "{error}");
        };
        taken(store.commit(vec![again()]).await);
        delete(store, &tenant.realm.id).await;
        taken(store.commit(vec![again()]).await);
        taken(store.commit(vec![Change::PutRealm { realm: tenant.realm.clone(), at: NOW }]).await);
        while store.sweep_deleted_realms(100).await.unwrap().more {}
        store.commit(vec![again()]).await.unwrap();
        let found = store.realm_by_name("main").await.unwrap().unwrap();
        assert!(found.enabled && found.version > 0, "{found:?}");
        assert!(store.realm_by_id(&tenant.realm.id).await.unwrap().is_some());
        let page = Page { first: 0, max: 10 };
        assert!(store.users(&tenant.realm.id, page).await.unwrap().is_empty());
    }

    async fn i8_the_events_of_a_deleted_realm_are_kept_under_its_name(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let other = Tenant::new("other", store).await;
        let events: Vec<_> = (0..5).map(|_| tenant.event()).collect();
        let mut changes: Vec<_> = events.iter().cloned().map(Change::Audit).collect();
        changes.push(Change::Audit(other.event()));
        store.commit(changes).await.unwrap();
        delete(store, &tenant.realm.id).await;
        while store.sweep_deleted_realms(2).await.unwrap().more {}
        let kept = store.events_of_deleted_realms(Page::ALL).await.unwrap();
        assert_eq!(kept.len(), events.len(), "{kept:?}");
        for kept in kept {
            assert_eq!(kept.realm, "main");
            assert!(events.contains(&kept.event), "{kept:?}");
        }
        assert_eq!(store.audit_events(&other.realm.id, Page::ALL).await.unwrap().len(), 1, "others stay where they are");
        store.sweep(NOW.plus(91 * 86_400), 90, 100).await.unwrap();
        assert!(store.events_of_deleted_realms(Page::ALL).await.unwrap().is_empty(), "kept as long as any");
    }
}
