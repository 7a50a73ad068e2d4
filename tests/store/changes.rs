//! Commits: all or nothing, versions, uniqueness, odd text, sweeping.

use std::time::Duration;

use vestibule::protocol::realm::Realm;
use vestibule::protocol::user::User;
use vestibule::store::{Change, Notices, Page, PasswordProof, REALM_CHANGED, StoreError, UserSearch};

use crate::on_both;
use crate::spends::CALLERS;
use crate::world::{NOW, id};

on_both! {
    async fn i9_a_failing_change_takes_the_others_back(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let bob = User { id: id(), username: "bob".into(), email: None, ..tenant.user.clone() };
        let second_alice = User { id: id(), email: None, ..tenant.user.clone() };
        let changes = vec![Change::PutUser(Box::new(bob.clone())), Change::PutUser(Box::new(second_alice))];
        assert!(matches!(store.commit(changes).await, Err(StoreError::Conflict { .. })));
        assert!(store.user_by_id(&tenant.realm.id, &bob.id).await.unwrap().is_none());
    }

    /// U08: where people sign in by both, nobody's name is another's address, also of two who come at once.
    async fn u08_of_fifty_names_and_addresses_that_are_the_same_one_is_given(world) {
        let realm_id = world.tenant.realm.id.clone();
        let calls = (0..CALLERS).map(|nth| {
            let (name, fresh) = (format!("p{}@example.com", nth / 2), id());
            let mut user = User { id: fresh.clone(), username: fresh, email: None, ..world.tenant.user.clone() };
            if nth % 2 == 0 { user.username = name } else { user.email = Some(name) }
            let expected = Change::ExpectOwnLogins { realm_id: realm_id.clone(), user_id: user.id.clone() };
            let (store, changes) = (world.store.clone(), vec![Change::PutUser(Box::new(user)), expected]);
            (nth, tokio::spawn(async move { store.commit(changes).await }))
        });
        let mut given = vec![0; CALLERS.div_ceil(2)];
        for (nth, call) in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(()) => given[nth / 2] += 1,
                Err(StoreError::Conflict { what }) => assert_eq!(what, "user name"),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(given, vec![1; CALLERS.div_ceil(2)]);
    }

    async fn a_change_of_configuration_takes_the_next_version(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let before = store.configuration_version().await.unwrap();
        store.commit(vec![Change::PutUser(Box::new(tenant.user.clone()))]).await.unwrap();
        assert_eq!(store.configuration_version().await.unwrap(), before, "a user is no configuration");
        let client = Box::new(tenant.client.clone());
        store.commit(vec![Change::PutClient { client, at: NOW }]).await.unwrap();
        let after = store.configuration_version().await.unwrap();
        assert!(after > before);
        let realm = store.realm_by_name("main").await.unwrap().unwrap();
        assert_eq!(realm.version, after);
    }

    /// A02: nobody's realm becomes another's by its identifier or its name.
    async fn a02_of_fifty_new_realms_with_one_identifier_or_name_one_comes_to_be(world) {
        for (row, other_id, other_name) in [("identifier", false, true), ("name", true, false)] {
            let calls = (0..CALLERS).map(|nth| {
                let mut realm = world.tenant.realm.clone();
                realm.id = if other_id { id() } else { format!("one-{row}") };
                realm.name = if other_name { format!("{row}-{nth}") } else { format!("one-{row}") };
                let store = world.store.clone();
                tokio::spawn(async move { store.commit(vec![Change::AddRealm { realm, at: NOW }]).await })
            });
            let mut made = 0;
            for call in calls.collect::<Vec<_>>() {
                match call.await.unwrap() {
                    Ok(()) => made += 1,
                    Err(StoreError::Conflict { what }) => assert_eq!(what, "realm", "{row}"),
                    Err(error) => panic!("{row}: {error}"),
                }
            }
            assert_eq!(made, 1, "{row}");
        }
        let main = world.tenant.realm.clone();
        let change = Change::AddRealm { realm: Realm { name: "taken-over".into(), ..main.clone() }, at: NOW };
        assert!(world.store.commit(vec![change]).await.is_err());
        assert_eq!(world.store.realm_by_id(&main.id).await.unwrap().unwrap().name, main.name);
    }

    /// Of fifty who write a user anew from what they read, one does.
    async fn a_user_who_was_changed_is_not_written_over(world) {
        let (store, old) = (&world.store, &world.tenant.user);
        let old = User {
            attributes: [("a".to_owned(), vec!["b".to_owned(), "\"ü\"".to_owned()])].into(),
            required_actions: vec!["UPDATE_PASSWORD".into()],
            ..store.user_by_id(&old.realm_id, &old.id).await.unwrap().unwrap()
        };
        store.commit(vec![Change::PutUser(Box::new(old.clone()))]).await.unwrap();
        let calls = (0..CALLERS).map(|nth| {
            let new = User { first_name: Some(format!("n{nth}")), ..old.clone() };
            let (store, old) = (store.clone(), old.clone());
            let changes = vec![Change::ExpectUser(Box::new(old)), Change::PutUser(Box::new(new))];
            tokio::spawn(async move { store.commit(changes).await })
        });
        let mut done = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(()) => done += 1,
                Err(StoreError::Conflict { what }) => assert_eq!(what, REALM_CHANGED),
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(done, 1);
        let now = store.user_by_id(&old.realm_id, &old.id).await.unwrap().unwrap();
        for (row, read, expected) in [
            ("as it is", now.clone(), true),
            ("enabled", User { enabled: !now.enabled, ..now.clone() }, false),
            ("e-mail", User { email: None, ..now.clone() }, false),
            ("verified", User { email_verified: !now.email_verified, ..now.clone() }, false),
            ("first name", User { first_name: None, ..now.clone() }, false),
            ("last name", User { last_name: Some("x".into()), ..now.clone() }, false),
            ("attributes", User { attributes: Default::default(), ..now.clone() }, false),
            ("required actions", User { required_actions: Vec::new(), ..now.clone() }, false),
            ("not before", User { not_before: Some(NOW), ..now.clone() }, false),
            ("another realm", User { realm_id: id(), ..now.clone() }, false),
        ] {
            assert_eq!(store.commit(vec![Change::ExpectUser(Box::new(read))]).await.is_ok(), expected, "{row}");
        }
    }

    /// On Postgres the other nodes are told at once; a file has no others.
    async fn a_change_of_configuration_is_told_to_other_nodes(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let mut notices = store.notices();
        let heard = async |notices: &mut Notices, patience| {
            tokio::time::timeout(Duration::from_millis(patience), notices.next()).await.is_ok()
        };
        let several_nodes = world.is_postgres();
        let patience = if several_nodes { 5_000 } else { 50 };
        assert_eq!(heard(&mut notices, patience).await, several_nodes, "listening from now on");
        store.commit(vec![Change::PutUser(Box::new(tenant.user.clone()))]).await.unwrap();
        assert!(!heard(&mut notices, 200).await, "a user is no configuration");
        let client = Box::new(tenant.client.clone());
        store.commit(vec![Change::PutClient { client, at: NOW }]).await.unwrap();
        assert_eq!(heard(&mut notices, patience).await, several_nodes);
    }

    async fn names_are_one_account_however_they_are_spelt(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let find = async |name: &str, with_email| {
            let name = vestibule::protocol::user::canonical(name);
            store.user_by_login(&tenant.realm.id, &name, with_email).await.unwrap().is_some()
        };
        assert!(find("ALICE", false).await);
        assert!(find("alice@EXAMPLE.com", true).await);
        assert!(!find("alice@example.com", false).await);
        assert!(!find("alic", true).await);
    }

    /// Where a realm lets people share an address both are found by it, and nobody signs in by what is another's.
    async fn an_address_is_shared_where_the_realm_says_so_and_nowhere_else(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let twin = User { id: id(), username: "twin".into(), email: Some("ALICE@example.com".into()), ..tenant.user.clone() };
        let put = async |user: &User| store.commit(vec![Change::PutUser(Box::new(user.clone()))]).await;
        let refused = put(&twin).await;
        assert!(matches!(refused, Err(StoreError::Conflict { what: "email" })), "{refused:?}");

        let mut realm = tenant.realm.clone();
        realm.settings.duplicate_emails = true;
        store.commit(vec![Change::PutRealm { realm: realm.clone(), at: NOW }]).await.unwrap();
        for round in 0..2 {
            put(&twin).await.unwrap();
            put(&tenant.user).await.unwrap();
            store.commit(vec![Change::ChangeProfile(Box::new(twin.clone()))]).await.unwrap();
            let sought = UserSearch { email: Some("alice@EXAMPLE.com".into()), exact: true, ..UserSearch::default() };
            let found = store.search_users(&realm.id, &sought, Page::ALL).await.unwrap();
            let names: Vec<&str> = found.iter().map(|user| user.username.as_str()).collect();
            assert_eq!(names, ["alice", "twin"], "round {round}");
            assert!(found.iter().all(|user| user.email.is_some()));
        }
        let found = store.user_by_login(&realm.id, "alice@example.com", true).await.unwrap().unwrap();
        assert_eq!(found.user.username, "alice", "whose it was first");

        realm.settings.duplicate_emails = false;
        store.commit(vec![Change::PutRealm { realm: realm.clone(), at: NOW }]).await.unwrap();
        let third = User { id: id(), username: "third".into(), ..twin.clone() };
        let refused = put(&third).await;
        assert!(matches!(refused, Err(StoreError::Conflict { what: "email" })), "{refused:?}");
    }

    /// Who changes their own profile undoes nothing that an administrator did meanwhile.
    async fn a_profile_is_changed_while_the_account_is_as_it_was_read(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let changed = |user: &User, name: &str| {
            Change::ChangeProfile(Box::new(User { first_name: Some(name.into()), ..user.clone() }))
        };
        let read = async || store.user_by_id(&tenant.realm.id, &tenant.user.id).await.unwrap().unwrap();
        store.commit(vec![changed(&tenant.user, "Ann")]).await.unwrap();
        assert_eq!(read().await.first_name.as_deref(), Some("Ann"));
        let promoted = User { attributes: [("level".to_owned(), vec!["9".to_owned()])].into(), ..read().await };
        store.commit(vec![Change::PutUser(Box::new(promoted))]).await.unwrap();
        store.commit(vec![changed(&tenant.user, "Bea")]).await.unwrap();
        let there = read().await;
        assert_eq!((there.first_name.as_deref(), there.attributes.len()), (Some("Bea"), 1));
        for gone in [User { enabled: false, ..there.clone() }, User { username: "alicia".into(), ..there.clone() }] {
            store.commit(vec![Change::PutUser(Box::new(gone))]).await.unwrap();
            let refused = store.commit(vec![changed(&there, "Cleo")]).await;
            assert!(matches!(refused, Err(StoreError::Conflict { what: "user" })), "{refused:?}");
        }
        assert_eq!(read().await.first_name.as_deref(), Some("Bea"));
    }

    /// A sign-in that began before a reset or a lock-out does not overtake it.
    async fn a_password_counts_while_it_is_the_users_and_the_user_is_enabled(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let (realm_id, user_id) = (tenant.realm.id.clone(), tenant.user.id.clone());
        let set = |hash: &str| Change::SetPassword {
            realm_id: realm_id.clone(),
            user_id: user_id.clone(),
            hash: hash.into(),
        };
        let proof = async |kept: Option<&str>| {
            let found = store.user_by_login(&realm_id, "alice", false).await.unwrap().unwrap();
            PasswordProof {
                realm_id: realm_id.clone(),
                user_id: user_id.clone(),
                changes: found.password_changes,
                kept: kept.map(str::to_owned),
            }
        };
        let counts = async |proof: PasswordProof| match store.commit(vec![Change::ProvePassword(proof)]).await {
            Ok(()) => true,
            Err(StoreError::Conflict { what: "password" }) => false,
            Err(error) => panic!("{error}"),
        };
        let stored = async || store.password_hash(&realm_id, &user_id).await.unwrap();
        store.commit(vec![set("first")]).await.unwrap();
        let (one, two) = (proof(None).await, proof(Some("first, made anew")).await);
        assert!(counts(two).await);
        assert_eq!(stored().await.as_deref(), Some("first, made anew"));
        assert!(counts(one).await, "the same password in a better form is the same password");
        assert_eq!(stored().await.as_deref(), Some("first, made anew"));
        let late = proof(Some("old")).await;
        store.commit(vec![set("reset")]).await.unwrap();
        assert!(!counts(late).await, "a reset wins");
        assert_eq!(stored().await.as_deref(), Some("reset"));
        let late = proof(None).await;
        let disabled = User { enabled: false, ..tenant.user.clone() };
        store.commit(vec![Change::PutUser(Box::new(disabled))]).await.unwrap();
        assert!(!counts(late).await, "a lock-out wins");
    }

    async fn o03_text_that_one_database_could_not_keep_is_refused_by_both(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let user = |name: &str| User {
            id: id(),
            username: "carol".into(),
            email: None,
            first_name: Some(name.into()),
            ..tenant.user.clone()
        };
        let refused = store.commit(vec![Change::PutUser(Box::new(user("a\0b")))]).await;
        assert!(matches!(refused, Err(StoreError::Unstorable)), "{refused:?}");
        let odd = user("\u{202e}ᚠ 𝔘 e\u{301} ' \" \\ %_");
        store.commit(vec![Change::PutUser(Box::new(odd.clone()))]).await.unwrap();
        let kept = store.user_by_id(&tenant.realm.id, &odd.id).await.unwrap().unwrap();
        assert_eq!(kept.first_name, odd.first_name);
    }

    async fn i4_ending_a_session_revokes_its_grants_and_no_offline_one(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let (online, mut offline) = (tenant.grant(), tenant.grant());
        offline.offline = true;
        let expires_at = NOW.plus(600);
        let add = |grant: &vestibule::protocol::grant::Grant| Change::AddGrant { grant: grant.clone(), expires_at };
        store.commit(vec![add(&online), add(&offline)]).await.unwrap();
        let (realm_id, id) = (tenant.realm.id.clone(), tenant.session.id.clone());
        store.commit(vec![Change::EndSession { realm_id, id, at: NOW.plus(1) }]).await.unwrap();
        let revoked = async |grant: &str| {
            let (grant, ..) = store.grant_with_user(&tenant.realm.id, grant).await.unwrap().unwrap();
            grant.revoked_at.is_some()
        };
        assert!(revoked(&online.id).await);
        assert!(!revoked(&offline.id).await);
    }

    async fn x06_a_grant_made_from_another_ends_with_it(world) {
        use vestibule::protocol::grant::Parent;
        let (store, tenant) = (&world.store, &world.tenant);
        let (person, other) = (tenant.grant(), tenant.grant());
        let mut derived = tenant.grant();
        let ends = NOW.plus(600);
        derived.parent = Some(Parent { id: person.id.clone(), expires_at: ends });
        let [person_id, derived_id] = [&person, &derived].map(|grant| grant.id.clone());
        let add = |grant| Change::AddGrant { grant, expires_at: ends };
        store.commit(vec![add(person), add(other), add(derived.clone())]).await.unwrap();
        let kept = async || store.grant_with_user(&tenant.realm.id, &derived_id).await.unwrap().unwrap().0;
        assert_eq!(kept().await, derived, "with the end of the one that it was made from");
        let (realm_id, at) = (tenant.realm.id.clone(), NOW.plus(1));
        store.commit(vec![Change::RevokeGrant { realm_id, id: person_id, at }]).await.unwrap();
        assert_eq!(kept().await.revoked_at, Some(at));

        let mut orphan = tenant.grant();
        orphan.parent = Some(Parent { id: id(), expires_at: ends });
        let orphan_id = orphan.id.clone();
        store.commit(vec![add(orphan)]).await.unwrap();
        let (orphan, ..) = store.grant_with_user(&tenant.realm.id, &orphan_id).await.unwrap().unwrap();
        assert!(orphan.revoked_at.is_some(), "what it was made from is gone");
    }

    async fn f06_taking_back_every_grant_of_a_user_takes_the_offline_ones_and_nobody_elses(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let bob = User { id: id(), username: "bob".into(), email: None, ..tenant.user.clone() };
        let (online, mut offline, mut bobs) = (tenant.grant(), tenant.grant(), tenant.grant());
        offline.offline = true;
        bobs.user_id.clone_from(&bob.id);
        let grants = [&online, &offline, &bobs].map(|grant| grant.id.clone());
        let mut changes = vec![Change::PutUser(Box::new(bob))];
        for grant in [online, offline, bobs] {
            changes.push(Change::AddGrant { grant, expires_at: NOW.plus(600) });
        }
        store.commit(changes).await.unwrap();
        let (realm_id, user_id, at) = (tenant.realm.id.clone(), tenant.user.id.clone(), NOW.plus(1));
        store.commit(vec![Change::RevokeGrantsOfUser { realm_id, user_id, at }]).await.unwrap();
        for (grant, revoked_at) in grants.iter().zip([Some(at), Some(at), None]) {
            let (grant, ..) = store.grant_with_user(&tenant.realm.id, grant).await.unwrap().unwrap();
            assert_eq!(grant.revoked_at, revoked_at);
        }
    }

    async fn a_sweep_removes_what_expired_in_bounded_steps(world) {
        let (store, tenant) = (&world.store, &world.tenant);
        let mut codes = Vec::new();
        let mut grants = Vec::new();
        for _ in 0..5 {
            let code = tenant.code(store).await;
            codes.push(code.fingerprint);
            grants.push(code.grant_id);
        }
        let kept = store.sweep(NOW.plus(61), 90, 100).await.unwrap();
        assert_eq!(kept.rows, 0, "a code is kept for a while, so that a late replay is known for one");
        let long_after = NOW.plus(2_000);
        let first = store.sweep(long_after, 90, 2).await.unwrap();
        assert!(first.more && first.rows > 0, "{first:?}");
        for grant in &grants {
            let found = store.grant_with_user(&tenant.realm.id, grant).await.unwrap();
            assert!(found.is_some(), "a grant went before what hangs on it, and took more than two codes along");
        }
        while store.sweep(long_after, 90, 2).await.unwrap().more {}
        for grant in &grants {
            assert!(store.grant_with_user(&tenant.realm.id, grant).await.unwrap().is_none());
        }
        for code in codes {
            assert!(store.code_by_fingerprint(&tenant.realm.id, &code).await.unwrap().is_none());
        }
        assert!(store.session_by_id(&tenant.realm.id, &tenant.session.id).await.unwrap().is_some(), "not expired yet");
    }
}
