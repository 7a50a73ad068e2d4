//! What is kept of Keycloak's representations, and credentials beside the password.

use serde_json::{Map, Value, json};
use vestibule::keycloak::{Beside, KeycloakRecord};
use vestibule::protocol::credential::Credential;
use vestibule::protocol::otp::Moved;
use vestibule::protocol::role::{Group, Role};
use vestibule::store::{Change, StoreError};

use crate::on_both;
use crate::world::{NOW, Tenant, World, id};

fn content(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn provider(realm_id: &str, alias: &str) -> KeycloakRecord {
    KeycloakRecord {
        realm_id: realm_id.into(),
        kind: "identity-provider".into(),
        id: format!("{alias}-id"),
        parent: String::new(),
        name: alias.into(),
        content: content(json!({ "alias": alias })),
    }
}

fn otp(tenant: &Tenant, priority: i64) -> Credential {
    Credential {
        id: id(),
        realm_id: tenant.realm.id.clone(),
        user_id: tenant.user.id.clone(),
        kind: "otp".into(),
        label: Some("phone".into()),
        secret: "sealed".into(),
        data: "{}".into(),
        priority,
        created_at: NOW,
    }
}

on_both! {
    async fn records_are_found_by_kind_parent_and_identifier(world) {
        let World { store, tenant, .. } = &world;
        let realm_id = &tenant.realm.id;
        let mut mapper = provider(realm_id, "m");
        (mapper.kind, mapper.parent) = ("identity-provider-mapper".into(), "google".into());
        let records = [provider(realm_id, "google"), provider(realm_id, "azure"), mapper.clone()];
        store.commit(records.iter().cloned().map(Change::PutKeycloakRecord).collect()).await.unwrap();

        let found = store.keycloak_records_of_kind(realm_id, "identity-provider").await.unwrap();
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["azure", "google"]);
        let below = store.keycloak_records_below(realm_id, "identity-provider-mapper", "google").await.unwrap();
        assert_eq!(below, std::slice::from_ref(&mapper));
        assert!(store.keycloak_records_below(realm_id, "identity-provider-mapper", "azure").await.unwrap().is_empty());
        assert_eq!(store.keycloak_records(realm_id).await.unwrap().len(), 3);

        let other = KeycloakRecord { content: content(json!({ "alias": "google", "x": 1 })), ..records[0].clone() };
        store.commit(vec![Change::PutKeycloakRecord(other.clone())]).await.unwrap();
        let kind = other.kind.as_str();
        assert_eq!(store.keycloak_record(realm_id, kind, &other.id).await.unwrap(), Some(other.clone()));
        let gone = Change::DeleteKeycloakRecord {
            realm_id: realm_id.clone(), kind: other.kind.clone(), id: other.id.clone(),
        };
        store.commit(vec![gone]).await.unwrap();
        assert_eq!(store.keycloak_record(realm_id, kind, &other.id).await.unwrap(), None);
    }

    async fn what_stands_beside_a_record_goes_with_it(world) {
        let World { store, tenant, .. } = &world;
        let realm_id = tenant.realm.id.clone();
        let role = Role {
            id: id(), realm_id: realm_id.clone(), client: Some(tenant.client.id.clone()), name: "x".into(),
            description: None, attributes: [("a".to_owned(), vec!["1".to_owned()])].into(), built_in: false,
        };
        let top = Group {
            id: id(), realm_id: realm_id.clone(), parent: None, name: "a".into(), path: "/a".into(),
            attributes: Default::default(),
        };
        let below = Group { id: id(), parent: Some(top.id.clone()), path: "/a/a".into(), ..top.clone() };
        let kept = content(json!({ "x": 1 }));
        let beside = [
            (Beside::Client, &tenant.client.id), (Beside::Role, &role.id), (Beside::Group, &top.id),
            (Beside::Group, &below.id), (Beside::User, &tenant.user.id), (Beside::Realm, &realm_id),
        ];
        let mut changes = vec![
            Change::PutRole(role.clone()), Change::PutGroup(top.clone()), Change::PutGroup(below.clone()),
        ];
        changes.extend(beside.map(|(kind, id)| Change::PutKeycloakRecord(kind.record(&realm_id, id, kept.clone()))));
        store.commit(changes).await.unwrap();
        assert_eq!(store.roles(&realm_id).await.unwrap().by_id(&role.id), Some(&role), "attributes are kept");
        assert_eq!(store.keycloak_records(&realm_id).await.unwrap().len(), 6);
        store.commit(vec![
            Change::DeleteClient { realm_id: realm_id.clone(), id: tenant.client.id.clone() },
            Change::DeleteGroup { realm_id: realm_id.clone(), id: top.id.clone() },
            Change::DeleteUser { realm_id: realm_id.clone(), id: tenant.user.id.clone(), at: NOW },
        ]).await.unwrap();
        let left = store.keycloak_records(&realm_id).await.unwrap();
        assert_eq!(left.iter().map(|one| one.kind.as_str()).collect::<Vec<_>>(), ["realm"]);
    }

    async fn a_user_has_credentials_in_their_order(world) {
        let World { store, tenant, .. } = &world;
        let (second, first) = (otp(tenant, 20), otp(tenant, 10));
        let put = [second.clone(), first.clone()].map(Change::PutCredential).to_vec();
        store.commit(put).await.unwrap();
        let read = store.credentials_of_user(&tenant.realm.id, &tenant.user.id).await.unwrap();
        assert_eq!(read, [first.clone(), second.clone()]);
        assert_eq!(store.credentials(&tenant.realm.id).await.unwrap(), read);
        store.commit(vec![Change::DeleteCredential {
            realm_id: first.realm_id.clone(), user_id: first.user_id.clone(), id: first.id.clone(),
        }]).await.unwrap();
        let read = store.credentials_of_user(&tenant.realm.id, &tenant.user.id).await.unwrap();
        assert_eq!(read, [second]);
    }

    async fn a_credential_that_went_comes_back_by_no_label_place_or_counter(world) {
        let World { store, tenant, .. } = &world;
        let device = otp(tenant, 10);
        let Credential { realm_id, user_id, id, .. } = device.clone();
        let label = Change::LabelCredential {
            realm_id: realm_id.clone(), user_id: user_id.clone(), id: id.clone(), label: Some("slate".into()),
        };
        let place = Change::PlaceCredential { realm_id: realm_id.clone(), user_id: user_id.clone(), id: id.clone(), priority: 20 };
        let advance = |data: &str, before: &str| {
            let credential = Credential { data: data.into(), ..device.clone() };
            Change::AdvanceCredential(Moved { credential, before: before.into() })
        };
        store.commit(vec![Change::PutCredential(device.clone())]).await.unwrap();
        store.commit(vec![label.clone(), place.clone(), advance("{\"counter\":1}", "{}")]).await.unwrap();
        let kept = store.credentials_of_user(&realm_id, &user_id).await.unwrap();
        let expected = Credential {
            label: Some("slate".into()), priority: 20, data: "{\"counter\":1}".into(), ..device.clone()
        };
        assert_eq!(kept, [expected]);
        let late = store.commit(vec![advance("{\"counter\":2}", "{}")]).await;
        assert!(matches!(late, Err(StoreError::Conflict { what: "credential" })), "somebody was quicker");
        let gone = Change::DeleteCredential { realm_id: realm_id.clone(), user_id: user_id.clone(), id };
        store.commit(vec![gone]).await.unwrap();
        for change in [label, place, advance("{\"counter\":2}", "{\"counter\":1}")] {
            let late = store.commit(vec![change]).await;
            assert!(matches!(late, Err(StoreError::Conflict { what: "credential" })));
        }
        assert!(store.credentials_of_user(&realm_id, &user_id).await.unwrap().is_empty());
    }

    async fn a_user_has_required_actions(world) {
        let World { store, tenant, .. } = &world;
        let mut user = tenant.user.clone();
        for actions in [vec!["UPDATE_PASSWORD".to_owned(), "TERMS".to_owned()], vec![]] {
            user.required_actions = actions;
            store.commit(vec![Change::PutUser(Box::new(user.clone()))]).await.unwrap();
            assert_eq!(store.user_by_id(&user.realm_id, &user.id).await.unwrap(), Some(user.clone()));
        }
    }

    async fn a04_credentials_and_records_stay_in_their_realm(world) {
        let World { store, tenant: mine, .. } = &world;
        let other = Tenant::new("other", store).await;
        let credential = otp(mine, 1);
        let record = provider(&mine.realm.id, "google");
        store.commit(vec![
            Change::PutCredential(credential.clone()), Change::PutKeycloakRecord(record.clone()),
        ]).await.unwrap();
        let realm = &other.realm.id;
        assert!(store.credentials_of_user(realm, &mine.user.id).await.unwrap().is_empty());
        assert!(store.keycloak_record(realm, &record.kind, &record.id).await.unwrap().is_none());
        for change in [
            Change::DeleteCredential {
                realm_id: realm.clone(), user_id: mine.user.id.clone(), id: credential.id.clone(),
            },
            Change::DeleteKeycloakRecord { realm_id: realm.clone(), kind: record.kind.clone(), id: record.id.clone() },
            Change::PutCredential(Credential { realm_id: realm.clone(), ..credential.clone() }),
            Change::PutCredential(Credential {
                realm_id: realm.clone(), user_id: other.user.id.clone(), secret: "theirs".into(), ..credential.clone()
            }),
        ] {
            let _ = store.commit(vec![change]).await;
        }
        let read = store.credentials_of_user(&mine.realm.id, &mine.user.id).await.unwrap();
        assert_eq!(read, [credential]);
        assert_eq!(store.keycloak_records(&mine.realm.id).await.unwrap(), [record]);
    }
}
