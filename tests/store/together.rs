//! Many changes of one kind in one commit, which go to Postgres together: nothing of it is to be seen.

use vestibule::keycloak::{Kept, KeycloakRecord};
use vestibule::protocol::client::Client;
use vestibule::protocol::credential::Credential;
use vestibule::protocol::role::{Group, Role};
use vestibule::protocol::scope::{Scope, ScopeSettings};
use vestibule::protocol::user::User;
use vestibule::store::{Change, Page, StoreError};

use crate::on_both;
use crate::world::{NOW, World, id};

fn role(world: &World, id: &str, name: &str) -> Role {
    Role {
        id: id.to_owned(),
        realm_id: world.tenant.realm.id.clone(),
        client: None,
        name: name.to_owned(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    }
}

fn person(world: &World, nth: usize) -> User {
    User { id: id(), username: format!("user-{nth:03}"), email: None, ..world.tenant.user.clone() }
}

async fn role_name(world: &World, id: &str) -> Option<String> {
    let roles = world.store.roles(&world.tenant.realm.id).await.unwrap();
    roles.by_id(id).map(|role| role.name.clone())
}

/// Two changes of each kind that come in runs, in an order in which they can be.
fn pairs(world: &World) -> Vec<(&'static str, [Change; 2])> {
    let realm_id = || world.tenant.realm.id.clone();
    let names = ["a", "b"];
    let users = [person(world, 1), person(world, 2)];
    let user_ids = || users.each_ref().map(|user| user.id.clone());
    let client = |name: &str| Client { id: id(), client_id: name.into(), ..world.tenant.client.clone() };
    let scope = |name: &str| {
        let (name, settings) = (name.to_owned(), ScopeSettings::default());
        Scope { id: id(), realm_id: realm_id(), name, description: None, settings }
    };
    let group = |name: &str| {
        let (id, path) = (name.to_owned(), format!("/{name}"));
        Group {
            id,
            realm_id: realm_id(),
            parent: None,
            name: name.into(),
            path,
            attributes: Default::default(),
        }
    };
    let record = |name: &str| {
        let (kind, parent, content) = ("identity-provider".into(), String::new(), Kept::new());
        KeycloakRecord { realm_id: realm_id(), kind, id: id(), parent, name: name.into(), content }
    };
    let credential = |user_id| {
        let (kind, label, created_at) = ("otp".into(), None, NOW);
        let (secret, data, priority) = ("sealed".into(), "{}".into(), 7);
        Credential {
            id: id(),
            realm_id: realm_id(),
            user_id,
            kind,
            label,
            secret,
            data,
            priority,
            created_at,
        }
    };
    let part = |name: &str| (realm_id(), name.to_owned(), "c".to_owned());
    vec![
        ("scopes", names.map(|name| Change::PutScope(scope(name)))),
        ("clients", names.map(|name| Change::PutClient { client: Box::new(client(name)), at: NOW })),
        ("roles", names.map(|name| Change::PutRole(role(world, name, name)))),
        ("roles that are parts", ["c", "d"].map(|name| Change::PutRole(role(world, name, name)))),
        (
            "composites",
            names.map(part).map(|(realm_id, role_id, child_id)| Change::AddComposite {
                realm_id,
                role_id,
                child_id,
            }),
        ),
        ("groups", names.map(|name| Change::PutGroup(group(name)))),
        (
            "roles of groups",
            names.map(part).map(|(realm_id, group_id, role_id)| Change::AddGroupRole {
                realm_id,
                group_id,
                role_id,
            }),
        ),
        ("users", users.each_ref().map(|user| Change::PutUser(Box::new(user.clone())))),
        ("users as they were read", users.each_ref().map(|user| Change::ExpectUser(Box::new(user.clone())))),
        (
            "passwords",
            user_ids().map(|user_id| Change::SetPassword { realm_id: realm_id(), user_id, hash: "x".into() }),
        ),
        (
            "roles of users",
            user_ids().map(|user_id| Change::AddUserRole {
                realm_id: realm_id(),
                user_id,
                role_id: "a".into(),
            }),
        ),
        (
            "members",
            user_ids().map(|user_id| Change::AddUserGroup {
                realm_id: realm_id(),
                user_id,
                group_id: "a".into(),
            }),
        ),
        ("credentials", user_ids().map(|user_id| Change::PutCredential(credential(user_id)))),
        ("records", names.map(|name| Change::PutKeycloakRecord(record(name)))),
    ]
}

on_both! {
    /// The server takes the one statement that a run comes to: else a second transaction would send them one by one.
    async fn every_kind_that_comes_in_runs_is_taken_at_once(world) {
        drop(world.store.traffic());
        for (kind, pair) in pairs(&world) {
            world.store.commit(pair.into()).await.unwrap();
            assert_eq!(world.store.traffic().writes, 1, "{kind}");
        }
    }

    async fn everything_is_there_and_each_has_what_was_given(world) {
        let (store, realm_id) = (&world.store, world.tenant.realm.id.clone());
        let users: Vec<User> = (0..77).map(|nth| person(&world, nth)).collect();
        let mut changes: Vec<Change> =
            (0..3).map(|nth| Change::PutRole(role(&world, &format!("r{nth}"), &format!("role {nth}")))).collect();
        changes.extend(users.iter().map(|user| Change::PutUser(Box::new(user.clone()))));
        changes.extend(users.iter().map(|user| Change::SetPassword {
            realm_id: realm_id.clone(), user_id: user.id.clone(), hash: format!("hash of {}", user.username),
        }));
        // Some twice, in one run.
        changes.extend(users.iter().flat_map(|user| ["r0", "r1", "r0"].map(|role_id| Change::AddUserRole {
            realm_id: realm_id.clone(), user_id: user.id.clone(), role_id: role_id.to_owned(),
        })));
        store.commit(changes).await.unwrap();
        let ids: Vec<String> = users.iter().map(|user| user.id.clone()).collect();
        let hashes = store.password_hashes_among(&realm_id, &ids).await.unwrap();
        let own = |user: &User| hashes.contains(&(user.id.clone(), format!("hash of {}", user.username)));
        assert!(hashes.len() == users.len() && users.iter().all(own));
        for user in &users {
            let mut roles = store.direct_roles_of_user(&realm_id, &user.id).await.unwrap();
            roles.sort();
            assert_eq!(roles, ["r0", "r1"]);
        }
    }

    /// Of two changes of one record the later holds, and names are handed on in the order of the changes.
    async fn the_order_is_kept(world) {
        let put = |id: &str, name: &str| Change::PutRole(role(&world, id, name));
        world.store.commit(vec![put("a", "first"), put("b", "second"), put("c", "third")]).await.unwrap();
        let handed_on = vec![put("a", "fourth"), put("b", "first"), put("c", "second"), put("c", "fifth")];
        world.store.commit(handed_on).await.unwrap();
        let names = [role_name(&world, "a").await, role_name(&world, "b").await, role_name(&world, "c").await];
        assert_eq!(names, ["fourth", "first", "fifth"].map(|name| Some(name.to_owned())));
    }

    /// One that cannot be is told by its own name, and takes all others back.
    async fn i9_a_conflict_among_many_is_told_as_if_it_were_alone(world) {
        let realm_id = world.tenant.realm.id.clone();
        let users: Vec<User> = (0..40).map(|nth| person(&world, nth)).collect();
        let twice = User { id: id(), username: "user-007".into(), email: None, ..world.tenant.user.clone() };
        let puts = |more: Option<&User>| -> Vec<Change> {
            users.iter().chain(more).map(|user| Change::PutUser(Box::new(user.clone()))).collect()
        };
        let told = world.store.commit(puts(Some(&twice))).await;
        assert!(matches!(told, Err(StoreError::Conflict { what: "user name" })), "{told:?}");
        let mut changes = puts(None);
        changes.extend(users.iter().chain([&twice]).map(|user| Change::SetPassword {
            realm_id: realm_id.clone(), user_id: user.id.clone(), hash: "x".into(),
        }));
        let told = world.store.commit(changes).await;
        assert!(matches!(told, Err(StoreError::Conflict { what: "reference" })), "{told:?}");
        assert_eq!(world.store.users(&realm_id, Page::ALL).await.unwrap().len(), 1, "alice alone");
    }
}
