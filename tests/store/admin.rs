//! What the admin API asks of the database.

use vestibule::protocol::audit::{AuditEvent, AuditKind};
use vestibule::protocol::brake;
use vestibule::protocol::role::{Group, Role};
use vestibule::protocol::user::User;
use vestibule::store::{Change, EventSearch, Page, UserSearch};

use crate::on_both;
use crate::world::{NOW, Tenant, World, id};

fn named(tenant: &Tenant, username: &str, first: &str, last: &str) -> Change {
    Change::PutUser(Box::new(User {
        id: id(),
        username: username.into(),
        email: None,
        first_name: Some(first.into()),
        last_name: Some(last.into()),
        ..tenant.user.clone()
    }))
}

fn role(tenant: &Tenant, name: &str) -> Role {
    Role {
        id: id(),
        realm_id: tenant.realm.id.clone(),
        client: None,
        name: name.into(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    }
}

fn group(tenant: &Tenant, parent: Option<&Group>, name: &str) -> Group {
    Group {
        id: id(),
        realm_id: tenant.realm.id.clone(),
        parent: parent.map(|group| group.id.clone()),
        name: name.into(),
        path: format!("{}/{name}", parent.map(|group| group.path.as_str()).unwrap_or_default()),
        attributes: Default::default(),
    }
}

fn usernames(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.username.as_str()).collect()
}

const SECOND: Page = Page { first: 1, max: 1 };

on_both! {
    async fn members_of_roles_and_groups_are_people_of_the_realm_page_by_page(world) {
        let World { store, tenant, .. } = &world;
        let realm_id = &tenant.realm.id;
        let other = Tenant::new("other", store).await;
        let (boss, staff) = (role(tenant, "boss"), group(tenant, None, "staff"));
        let board = group(tenant, Some(&staff), "board");
        let service = User {
            id: id(), username: "service-account-web".into(), email: None,
            service_account_client: Some(tenant.client.id.clone()), ..tenant.user.clone()
        };
        let bob = User { id: id(), username: "bob".into(), email: None, ..tenant.user.clone() };
        let mut changes = vec![
            Change::PutRole(boss.clone()), Change::PutGroup(staff.clone()), Change::PutGroup(board.clone()),
            Change::PutUser(Box::new(service.clone())), Change::PutUser(Box::new(bob.clone())),
        ];
        for user in [&tenant.user, &service, &bob] {
            let (realm_id, user_id) = (realm_id.clone(), user.id.clone());
            changes.push(Change::AddUserRole { realm_id: realm_id.clone(), user_id: user_id.clone(), role_id: boss.id.clone() });
            changes.push(Change::AddUserGroup { realm_id, user_id, group_id: staff.id.clone() });
        }
        store.commit(changes).await.unwrap();
        let with_role = |page| store.users_with_role(realm_id, &boss.id, page);
        assert_eq!(usernames(&with_role(Page::ALL).await.unwrap()), ["alice", "bob"], "service accounts are none");
        assert_eq!(usernames(&with_role(SECOND).await.unwrap()), ["bob"]);
        let members = |realm: &str, page| {
            let (realm, staff) = (realm.to_owned(), staff.id.clone());
            async move { store.members_of_group(&realm, &staff, page).await.unwrap() }
        };
        assert_eq!(usernames(&members(realm_id, SECOND).await), ["bob"]);
        assert!(members(&other.realm.id, Page::ALL).await.is_empty(), "a04");
        assert!(store.users_with_role(&other.realm.id, &boss.id, Page::ALL).await.unwrap().is_empty(), "a04");
        assert!(store.members_of_group(realm_id, &board.id, Page::ALL).await.unwrap().is_empty(), "not of those below");
        assert_eq!(store.count_users(realm_id).await.unwrap(), 2);
        assert_eq!(store.groups_of_user(realm_id, &bob.id).await.unwrap(), std::slice::from_ref(&staff.id));
        assert_eq!(store.direct_roles_of_user(realm_id, &bob.id).await.unwrap(), std::slice::from_ref(&boss.id));
        // The same by the list, whatever else is in it.
        let mut ids: Vec<String> = (0..40).map(|_| id()).collect();
        ids.extend([service.id.clone(), bob.id.clone()]);
        assert_eq!(usernames(&store.people_of_ids(realm_id, &ids).await.unwrap()), ["bob"]);
        assert_eq!(usernames(&store.people_of_logins(realm_id, &["bob".into(), "no".into()]).await.unwrap()), ["bob"]);
        assert_eq!(usernames(&store.service_accounts(realm_id).await.unwrap()), ["service-account-web"]);
        let of_bob_and_service = |pairs: Vec<(String, String)>, other: &str| {
            pairs.len() == 2 && pairs.iter().all(|(user, has)| [&bob.id, &service.id].contains(&user) && has == other)
        };
        assert!(of_bob_and_service(store.roles_among(realm_id, &ids).await.unwrap(), &boss.id));
        assert!(of_bob_and_service(store.memberships_among(realm_id, &ids).await.unwrap(), &staff.id));
        assert!(store.roles_among(&other.realm.id, &ids).await.unwrap().is_empty(), "a04");
        assert!(store.memberships_among(&other.realm.id, &ids).await.unwrap().is_empty(), "a04");
        store.commit(vec![Change::DeleteUser { realm_id: realm_id.clone(), id: bob.id, at: NOW }]).await.unwrap();
        assert_eq!(usernames(&with_role(Page::ALL).await.unwrap()), ["alice"]);
    }

    async fn roles_are_composed_of_others_and_of_no_other_realms(world) {
        let World { store, tenant, .. } = &world;
        let realm_id = &tenant.realm.id;
        let (boss, clerk, intern) = (role(tenant, "boss"), role(tenant, "clerk"), role(tenant, "intern"));
        let compose = |parent: &Role, child: &Role| Change::AddComposite {
            realm_id: realm_id.clone(), role_id: parent.id.clone(), child_id: child.id.clone(),
        };
        let mut changes: Vec<Change> = [&boss, &clerk, &intern].map(|role| Change::PutRole(role.clone())).into();
        changes.extend([compose(&boss, &clerk), compose(&clerk, &intern), compose(&boss, &clerk)]);
        store.commit(changes).await.unwrap();
        let effective = |roles: vestibule::protocol::role::Roles| {
            let mut names: Vec<String> = roles.effective([boss.id.as_str()]).iter().map(|role| role.name.clone()).collect();
            names.sort();
            names
        };
        assert_eq!(effective(store.roles(realm_id).await.unwrap()), ["boss", "clerk", "intern"]);
        let apart = Change::RemoveComposite { realm_id: realm_id.clone(), role_id: boss.id.clone(), child_id: clerk.id.clone() };
        store.commit(vec![apart]).await.unwrap();
        assert_eq!(effective(store.roles(realm_id).await.unwrap()), ["boss"]);
        let other = Tenant::new("other", store).await;
        assert_eq!(store.roles(&other.realm.id).await.unwrap().iter().count(), 0, "a04");
    }

    async fn events_are_found_by_each_of_their_facts_newest_first(world) {
        let World { store, tenant, .. } = &world;
        let realm_id = &tenant.realm.id;
        let other = Tenant::new("other", store).await;
        let some = |text: &str| Some(text.to_owned());
        let event = |of: &Tenant, kind, user: Option<&str>, client: Option<&str>| {
            let (user_id, client_id) = (user.map(str::to_owned), client.map(str::to_owned));
            Change::Audit(AuditEvent { kind, user_id, client_id, ..of.event() })
        };
        store.commit(vec![
            event(tenant, AuditKind::Login, Some("a"), Some("web")),
            event(tenant, AuditKind::LoginError, None, Some("web")),
            event(tenant, AuditKind::Login, Some("b"), Some("tv")),
            event(tenant, AuditKind::AdminCreate, None, None),
            event(tenant, AuditKind::AdminUpdate, None, None),
            event(&other, AuditKind::Login, Some("a"), Some("web")),
        ]).await.unwrap();
        let found = |search: EventSearch, page: Page| async move {
            let events = store.search_events(realm_id, &search, page).await.unwrap();
            events.iter().map(|event| event.kind.name().to_owned()).collect::<Vec<_>>()
        };
        for (row, search, expected) in [
            ("of people", EventSearch::default(), vec!["LOGIN", "LOGIN_ERROR", "LOGIN"]),
            ("of a kind", EventSearch { kinds: vec!["LOGIN_ERROR".to_owned()], ..Default::default() }, vec!["LOGIN_ERROR"]),
            ("of a client", EventSearch { client_id: some("web"), ..Default::default() }, vec!["LOGIN_ERROR", "LOGIN"]),
            ("of a user", EventSearch { user_id: some("b"), ..Default::default() }, vec!["LOGIN"]),
            ("of administrators", EventSearch { admin: true, ..Default::default() }, vec!["ADMIN_UPDATE", "ADMIN_CREATE"]),
            ("of no administrator", EventSearch { kinds: vec!["ADMIN_CREATE".to_owned()], ..Default::default() }, vec![]),
        ] {
            assert_eq!(found(search, Page::ALL).await, expected, "{row}");
        }
        assert_eq!(found(EventSearch::default(), SECOND).await, ["LOGIN_ERROR"]);
        store.commit(vec![Change::ClearEvents { realm_id: realm_id.clone(), admin: true }]).await.unwrap();
        assert!(found(EventSearch { admin: true, ..Default::default() }, Page::ALL).await.is_empty());
        assert_eq!(found(EventSearch::default(), Page::ALL).await.len(), 3);
        store.commit(vec![Change::ClearEvents { realm_id: realm_id.clone(), admin: false }]).await.unwrap();
        assert!(found(EventSearch::default(), Page::ALL).await.is_empty());
        let others = store.search_events(&other.realm.id, &EventSearch::default(), Page::ALL).await.unwrap();
        assert_eq!(others.len(), 1, "a04");
    }

    async fn sessions_of_a_client_are_counted_and_listed_while_they_live(world) {
        let World { store, tenant, .. } = &world;
        let (realm_id, client) = (&tenant.realm.id, &tenant.client.id);
        tenant.code(store).await;
        let offline = vestibule::protocol::grant::Grant { offline: true, ..tenant.grant() };
        store.commit(vec![Change::AddGrant { grant: offline.clone(), expires_at: NOW.plus(600) }]).await.unwrap();
        let offline_now = |now| store.offline_grants_of_client(realm_id, client, now, Page::ALL);
        assert_eq!(offline_now(NOW).await.unwrap()[0].username, "alice");
        assert_eq!(store.count_sessions_of_client(realm_id, client, NOW).await.unwrap().1, 1);
        assert!(offline_now(NOW.plus(600)).await.unwrap().is_empty(), "expired");
        let counted = store.sessions_by_client(realm_id, NOW).await.unwrap();
        assert_eq!(counted.iter().map(|(_, name, _, offline)| (name.as_str(), *offline)).collect::<Vec<_>>(), [("web", 1)]);
        store.commit(vec![Change::RevokeGrant { realm_id: realm_id.clone(), id: offline.id, at: NOW }]).await.unwrap();
        assert_eq!(store.count_sessions_of_client(realm_id, client, NOW).await.unwrap().1, 0);
        assert!(store.sessions_of_client(realm_id, "another", NOW, Page::ALL).await.unwrap().is_empty());
    }

    async fn a05_a_search_finds_what_it_says_in_every_spelling_and_no_more(world) {
        let World { store, tenant, .. } = &world;
        let people = [("per_cent", "100%", "A!B"), ("percent", "100", "AB"), ("öst", "Östen", "Ämnes\nRad"), ("anna", "Ann", "Ö")];
        store.commit(people.iter().map(|(name, first, last)| named(tenant, name, first, last)).collect()).await.unwrap();
        let other = Tenant::new("other", store).await;
        store.commit(vec![named(&other, "anna", "Ann", "Ö")]).await.unwrap();
        let some = |text: &str| Some(text.to_owned());
        for (row, search, expected) in [
            ("everybody", UserSearch::default(), vec!["alice", "anna", "per_cent", "percent", "öst"]),
            ("an underscore is none", UserSearch { username: some("r_c"), ..Default::default() }, vec!["per_cent"]),
            ("a per cent sign is none", UserSearch { first_name: some("100%"), ..Default::default() }, vec!["per_cent"]),
            ("the escape itself", UserSearch { last_name: some("!"), ..Default::default() }, vec!["per_cent"]),
            ("letters beyond ASCII", UserSearch { first_name: some("ÖST"), ..Default::default() }, vec!["öst"]),
            ("the whole last name", UserSearch { last_name: some("ö"), exact: true, ..Default::default() }, vec!["anna"]),
            ("a name of two lines", UserSearch { last_name: some("ämnes rad"), exact: true, ..Default::default() }, vec!["öst"]),
            ("no reaching into the next line", UserSearch { username: some("anna\nann"), ..Default::default() }, vec![]),
            ("any, by its beginning", UserSearch { any: some("pe"), ..Default::default() }, vec!["per_cent", "percent"]),
            ("any, as a whole", UserSearch { any: some("\"ö\""), ..Default::default() }, vec!["anna"]),
            ("verified", UserSearch { email_verified: Some(false), ..Default::default() }, vec![]),
        ] {
            let found = store.search_users(&tenant.realm.id, &search, Page::ALL).await.unwrap();
            let found: Vec<_> = found.iter().map(|user| user.username.as_str()).collect();
            assert_eq!(found, expected, "{row}");
            let count = store.count_searched_users(&tenant.realm.id, &search).await.unwrap();
            assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{row}");
        }
        let page = store.search_users(&tenant.realm.id, &UserSearch::default(), Page { first: 1, max: 2 }).await.unwrap();
        assert_eq!(page.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ["anna", "per_cent"]);
    }

    /// Few are found by an index and many in order: one search either way.
    async fn a_search_finds_few_and_many_alike(world) {
        let World { store, tenant, .. } = &world;
        let crowd = |n: usize| named(tenant, &format!("crowd-{n:04}"), &format!("Given {n:04}"), &format!("Family {n:04}"));
        store.commit((0..1_100).map(crowd).collect()).await.unwrap();
        let some = |text: &str| Some(text.to_owned());
        let any = |text: &str| UserSearch { any: some(text), ..Default::default() };
        let exact = |search: UserSearch| UserSearch { exact: true, ..search };
        for (row, search, count, first) in [
            ("few, by user name", any("crowd-007"), 10, Some("crowd-0070")),
            ("few, by first name", any("given 0012"), 1, Some("crowd-0012")),
            ("few, by last name", any("Family 1099"), 1, Some("crowd-1099")),
            ("few, by whole name", any("Given 0012 F"), 1, Some("crowd-0012")),
            ("one, by address", any("alice@"), 1, Some("alice")),
            ("one, quoted", any("\"family 0003\""), 1, Some("crowd-0003")),
            ("a quote that is not closed", any("\"family 0003"), 0, None),
            ("nobody", any("crowd-9"), 0, None),
            ("many, by user name", any("crowd"), 1_100, Some("crowd-0000")),
            ("many, by first name", any("given"), 1_100, Some("crowd-0000")),
            ("anywhere", any("*009*"), 12, Some("crowd-0009")),
            ("exact user name", exact(UserSearch { username: some("CROWD-0001"), ..Default::default() }), 1, Some("crowd-0001")),
            ("exact address", exact(UserSearch { email: some("alice@example.com"), ..Default::default() }), 1, Some("alice")),
            ("exact first name", exact(UserSearch { first_name: some("given 0044"), ..Default::default() }), 1, Some("crowd-0044")),
            ("exact is no part", exact(UserSearch { last_name: some("family"), ..Default::default() }), 0, None),
        ] {
            let page = Page { first: 0, max: 100 };
            let found = store.search_users(&tenant.realm.id, &search, page).await.unwrap();
            assert_eq!(found.len(), usize::try_from(count).unwrap().min(100), "{row}");
            assert_eq!(found.first().map(|user| user.username.as_str()), first, "{row}");
            assert!(found.is_sorted_by_key(|user| &user.username), "{row}");
            assert_eq!(store.count_searched_users(&tenant.realm.id, &search).await.unwrap(), count, "{row}");
        }
        let last = Page { first: 1_095, max: 100 };
        let last = store.search_users(&tenant.realm.id, &any("crowd"), last).await.unwrap();
        assert_eq!(last.iter().map(|user| &user.username[6..]).collect::<Vec<_>>(), ["1095", "1096", "1097", "1098", "1099"]);
    }

    async fn attributes_are_found_as_they_are_written_and_no_other(world) {
        let World { store, tenant, .. } = &world;
        let pairs = [("a", "te_am", "100%"), ("b", "te_am", "100"), ("c", "TE_AM", "100%"), ("d", "quo\"ted", "b\\s!"), ("e", "other", "te_am")];
        let user = |(username, name, value): (&str, &str, &str)| {
            let attributes = [(name.to_owned(), vec!["first".to_owned(), value.to_owned()])].into();
            Change::PutUser(Box::new(User { id: id(), username: username.into(), email: None, attributes, ..tenant.user.clone() }))
        };
        store.commit(pairs.into_iter().map(user).collect()).await.unwrap();
        for (wanted, expected) in [
            (vec![("te_am", "100%")], vec!["a"]),
            (vec![("te_am", "first")], vec!["a", "b"]),
            (vec![("te_am", "first"), ("te_am", "100")], vec!["b"]),
            (vec![("quo\"ted", "b\\s!")], vec!["d"]),
            (vec![("te_am", "te_am")], vec![]),
            (vec![("te%", "100%")], vec![]),
        ] {
            let attributes = wanted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let search = UserSearch { attributes, ..Default::default() };
            let found = store.search_users(&tenant.realm.id, &search, Page::ALL).await.unwrap();
            assert_eq!(usernames(&found), expected, "{wanted:?}");
            let page = store.search_users(&tenant.realm.id, &search, SECOND).await.unwrap();
            assert_eq!(usernames(&page), expected.get(1..).unwrap_or_default(), "{wanted:?}");
            let count = store.count_searched_users(&tenant.realm.id, &search).await.unwrap();
            assert_eq!(usize::try_from(count).unwrap(), expected.len());
        }
    }

    async fn every_session_of_a_realm_ends_and_none_of_another(world) {
        let World { store, tenant, .. } = &world;
        let other = Tenant::new("other", store).await;
        let code = tenant.code(store).await;
        let end = Change::EndSessionsOfRealm { realm_id: tenant.realm.id.clone(), at: NOW };
        store.commit(vec![end]).await.unwrap();
        assert!(store.sessions_of_user(&tenant.realm.id, &tenant.user.id, Page::ALL).await.unwrap().is_empty());
        assert_eq!(store.sessions_of_user(&other.realm.id, &other.user.id, Page::ALL).await.unwrap().len(), 1);
        let (grant, ..) = store.grant_with_user(&tenant.realm.id, &code.grant_id).await.unwrap().unwrap();
        assert_eq!(grant.revoked_at, Some(NOW));
    }

    async fn what_is_counted_against_an_account_is_forgotten_and_no_more(world) {
        let World { store, tenant, .. } = &world;
        let rule = &tenant.realm.settings.brute_force;
        let address = std::net::Ipv4Addr::LOCALHOST.into();
        let realm_id = &tenant.realm.id;
        for name in ["alice", "bob"] {
            let counters = brake::counters(name, address, false, rule);
            store.count_attempt(realm_id, &counters, rule, NOW).await.unwrap();
        }
        let count = |name: &str| {
            let subjects: Vec<String> =
                brake::counters(name, address, false, rule).into_iter().map(|counter| counter.subject).collect();
            async move {
                let mut counts = Vec::new();
                for subject in subjects {
                    counts.push(store.failures(realm_id, &subject).await.unwrap().map_or(0, |found| found.count));
                }
                counts
            }
        };
        assert_eq!(count("alice").await, [1, 2, 1]);
        let forgive = |account| Change::ForgiveAccount { realm_id: realm_id.clone(), account };
        store.commit(vec![forgive(Some(brake::account("alice")))]).await.unwrap();
        assert_eq!((count("alice").await, count("bob").await), (vec![0, 2, 0], vec![1, 2, 1]));
        store.commit(vec![forgive(None)]).await.unwrap();
        assert_eq!(count("bob").await, [0, 2, 0], "an address is no account");
    }

    async fn a_password_goes(world) {
        let World { store, tenant, .. } = &world;
        let (realm_id, user_id) = (tenant.realm.id.clone(), tenant.user.id.clone());
        let set = Change::SetPassword { realm_id: realm_id.clone(), user_id: user_id.clone(), hash: "x".into() };
        store.commit(vec![set]).await.unwrap();
        store.commit(vec![Change::RemovePassword { realm_id: realm_id.clone(), user_id: user_id.clone() }]).await.unwrap();
        assert_eq!(store.password_hash(&realm_id, &user_id).await.unwrap(), None);
    }
}
