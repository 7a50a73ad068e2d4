//! What a user holds, as it comes with what a token hangs on.

use vestibule::protocol::role::{Group, Role};
use vestibule::store::Change;

use crate::on_both;
use crate::world::{World, id};

fn role(world: &World, id: &str) -> Change {
    Change::PutRole(Role {
        id: id.to_owned(),
        realm_id: world.tenant.realm.id.clone(),
        client: None,
        name: id.to_owned(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    })
}

on_both! {
    async fn a_token_brings_the_roles_that_its_user_holds_whatever_they_are_called(world) {
        let (store, realm_id, user_id) = (&world.store, &world.tenant.realm.id, &world.tenant.user.id);
        let read = async || {
            let found = store.user_of_token(realm_id, &world.tenant.client.id, user_id, &["jti"]).await.unwrap();
            let (_, roles) = found.unwrap();
            assert_eq!(roles, store.roles_of_user(realm_id, user_id).await.unwrap());
            roles
        };
        assert_eq!(read().await, Default::default());
        for (role_id, held) in [
            ("b", vec!["b"]),
            ("a", vec!["a", "b"]),
            (" ", vec![" ", "a", "b"]),
            ("c a", vec![" ", "a", "b", "c a"]),
        ] {
            let given = Change::AddUserRole {
                realm_id: realm_id.clone(),
                user_id: user_id.clone(),
                role_id: role_id.to_owned(),
            };
            store.commit(vec![role(&world, role_id), given]).await.unwrap();
            assert_eq!(read().await.role_ids, held);
        }
        let (group_id, path) = (id(), "/staff".to_owned());
        let group =
            Group { id: group_id.clone(), realm_id: realm_id.clone(), path, name: "staff".into(), parent: None, attributes: Default::default() };
        let joins = Change::AddUserGroup {
            realm_id: realm_id.clone(),
            user_id: user_id.clone(),
            group_id: group_id.clone(),
        };
        let has = Change::AddGroupRole { realm_id: realm_id.clone(), group_id, role_id: "d".into() };
        store.commit(vec![role(&world, "d"), Change::PutGroup(group), joins, has]).await.unwrap();
        let roles = read().await;
        assert_eq!((roles.role_ids, roles.group_paths), ([" ", "a", "b", "c a", "d"].map(str::to_owned).into(), vec!["/staff".into()]));
    }
}
