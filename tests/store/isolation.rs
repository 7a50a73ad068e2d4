//! A realm's rows are invisible to another realm, whatever identifier it brings (attacks A04).

use vestibule::store::{Change, Page};

use crate::on_both;
use crate::world::{NOW, Tenant, World};

on_both! {
    async fn a04_no_read_reaches_into_another_realm(world) {
        let World { store, tenant: mine, .. } = &world;
        let other = Tenant::new("other", store).await;
        let code = mine.code(store).await;
        let realm = &other.realm.id;

        assert!(store.client_by_id(realm, &mine.client.id).await.unwrap().is_none());
        assert!(store.user_by_id(realm, &mine.user.id).await.unwrap().is_none());
        assert!(store.session_by_id(realm, &mine.session.id).await.unwrap().is_none());
        assert!(store.session_by_fingerprint(realm, &mine.fingerprint).await.unwrap().is_none());
        assert!(store.code_by_fingerprint(realm, &code.fingerprint).await.unwrap().is_none());
        assert!(store.grant_with_user(realm, &code.grant_id).await.unwrap().is_none());
        assert!(store.sessions_of_user(realm, &mine.user.id, Page::ALL).await.unwrap().is_empty());
        assert!(store.consents_of_user(realm, &mine.user.id, Page::ALL).await.unwrap().is_empty());
        assert_eq!(store.roles_of_user(realm, &mine.user.id).await.unwrap(), Default::default());
        let (ids, names) = ([mine.user.id.clone()], [mine.user.username.clone()]);
        assert!(store.people_of_ids(realm, &ids).await.unwrap().is_empty());
        assert!(store.password_hashes_among(realm, &ids).await.unwrap().is_empty());
        assert!(store.credentials_among(realm, &ids).await.unwrap().is_empty());
        assert!(store.clients_of_sessions(realm, &mine.user.id, "").await.unwrap().is_empty());
        let logins = store.people_of_logins(realm, &names).await.unwrap();
        assert!(logins.iter().all(|user| user.realm_id == *realm));

        // The same reads find the rows in their own realm, so that the test can fail.
        assert!(store.session_by_fingerprint(&mine.realm.id, &mine.fingerprint).await.unwrap().is_some());
        assert!(store.code_by_fingerprint(&mine.realm.id, &code.fingerprint).await.unwrap().is_some());
        assert!(store.grant_with_user(&mine.realm.id, &code.grant_id).await.unwrap().is_some());
        let names = |realm| async move {
            let clients = store.clients(realm, "", Page::ALL).await.unwrap();
            clients.into_iter().map(|client| client.id).collect::<Vec<_>>()
        };
        assert_eq!(names(&mine.realm.id).await, std::slice::from_ref(&mine.client.id));
    }

    async fn a04_no_write_reaches_into_another_realm(world) {
        let World { store, tenant: mine, .. } = &world;
        let other = Tenant::new("other", store).await;
        let (realm_id, at) = (other.realm.id.clone(), NOW);
        let code = mine.code(store).await;
        for change in [
            Change::DeleteUser { realm_id: realm_id.clone(), id: mine.user.id.clone(), at },
            Change::DeleteClient { realm_id: realm_id.clone(), id: mine.client.id.clone() },
            Change::EndSession { realm_id: realm_id.clone(), id: mine.session.id.clone(), at },
            Change::RevokeGrant { realm_id: realm_id.clone(), id: code.grant_id.clone(), at },
        ] {
            // Refused or without effect: either way the rows of the other realm stand.
            let _ = store.commit(vec![change]).await;
        }
        assert!(store.user_by_id(&mine.realm.id, &mine.user.id).await.unwrap().is_some());
        assert!(store.client_by_id(&mine.realm.id, &mine.client.id).await.unwrap().is_some());
        let (grant, _, session) = store.grant_with_user(&mine.realm.id, &code.grant_id).await.unwrap().unwrap();
        assert_eq!((grant.revoked_at, session.unwrap().ended_at), (None, None));

        let mut stolen = mine.user.clone();
        stolen.realm_id = other.realm.id.clone();
        stolen.username = "mallory".into();
        let _ = store.commit(vec![Change::PutUser(Box::new(stolen))]).await;
        let user = store.user_by_id(&mine.realm.id, &mine.user.id).await.unwrap().unwrap();
        assert_eq!(user.username, "alice", "an identifier of another realm overwrites nobody");
    }
}
