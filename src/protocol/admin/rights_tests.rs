use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::protocol::built_in::{FreshRealm, fresh_overseer, fresh_realm};

fn numbered() -> impl FnMut() -> String {
    let mut next = 0;
    move || {
        next += 1;
        format!("{next}")
    }
}

/// Roles of a realm, those of `master` over the realm `main` included, and a client that calls itself an overseer.
fn roles(name: &str) -> Roles {
    let mut id = numbered();
    let FreshRealm { realm, mut clients, mut roles, mut composites, .. } = fresh_realm(name, &mut id);
    if name == MASTER {
        let (client, more, pairs) = fresh_overseer(&realm.id, "main", &mut id);
        clients.push(client);
        roles.extend(more);
        composites.extend(pairs);
    }
    let names: HashMap<String, String> =
        clients.iter().map(|client| (client.id.clone(), client.client_id.clone())).collect();
    let plain = |client: Option<&str>, name: &str| Role {
        id: format!("made {name}"),
        realm_id: realm.id.clone(),
        client: client.map(str::to_owned),
        name: name.to_owned(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    };
    roles.push(plain(None, "boss"));
    roles.push(plain(Some("evil"), "manage-realm"));
    let mut names = names;
    names.insert("evil".to_owned(), "other-realm".to_owned());
    Roles::new(roles, composites, names)
}

/// `admin`, or `main-realm:manage-users`.
fn id(roles: &Roles, spec: &str) -> String {
    let (client, name) = spec.split_once(':').map_or((None, spec), |(client, name)| (Some(client), name));
    let found = roles.iter().find(|role| roles.client_id(role) == client && role.name == name);
    found.unwrap_or_else(|| panic!("{spec}")).id.clone()
}

fn claims(members: Value) -> Claims {
    let Value::Object(members) = members else { panic!("no object") };
    Claims::new(members)
}

fn caller(realm: &str, held: &[&str]) -> Caller {
    let roles = roles(realm);
    let assigned: Vec<String> = held.iter().map(|spec| id(&roles, spec)).collect();
    Caller::new(realm, &roles, &assigned, "admin-cli", &Claims::new(Map::new()))
}

#[test]
fn a01_what_a_role_opens() {
    for (row, realm, held, over, manages, creates) in [
        ("admin of master, over master", "master", vec!["admin"], "master", true, true),
        ("admin of master, over another", "master", vec!["admin"], "main", true, true),
        ("admin of master, over one that is not there yet", "master", vec!["admin"], "new", true, true),
        (
            "a manager of one realm from master",
            "master",
            vec!["main-realm:manage-users"],
            "main",
            true,
            false,
        ),
        ("the same, over master", "master", vec!["main-realm:manage-users"], "master", false, false),
        ("the same, over a third", "master", vec!["main-realm:manage-users"], "other", false, false),
        (
            "a manager of master, over another",
            "master",
            vec!["master-realm:manage-users"],
            "main",
            false,
            false,
        ),
        ("a maker of realms", "master", vec!["create-realm"], "main", false, true),
        ("a viewer", "master", vec!["main-realm:view-users"], "main", false, false),
        (
            "a client of the right name that somebody made",
            "master",
            vec!["other-realm:manage-realm"],
            "other",
            false,
            false,
        ),
        ("the realm's own administrator", "main", vec!["realm-management:realm-admin"], "main", true, false),
        ("a manager of users", "main", vec!["realm-management:manage-users"], "main", true, false),
        (
            "the realm's own administrator, over another",
            "main",
            vec!["realm-management:realm-admin"],
            "other",
            false,
            false,
        ),
        ("nobody", "main", vec!["boss"], "main", false, false),
    ] {
        let caller = caller(realm, &held);
        assert_eq!(caller.over(over).any_of(&["manage-users"]), manages, "{row}");
        assert_eq!(caller.may_create_realms(), creates, "{row}");
    }
    assert!(!caller("main", &["boss"]).is_administrator());
}

#[test]
fn a02_nobody_gives_more_than_they_have() {
    for (row, realm, held, over, given, expected) in [
        ("a plain role", "main", "realm-management:manage-users", "main", "boss", true),
        (
            "their own right",
            "main",
            "realm-management:manage-users",
            "main",
            "realm-management:manage-users",
            true,
        ),
        (
            "another right",
            "main",
            "realm-management:manage-users",
            "main",
            "realm-management:manage-realm",
            false,
        ),
        (
            "all rights",
            "main",
            "realm-management:manage-users",
            "main",
            "realm-management:realm-admin",
            false,
        ),
        (
            "what contains more",
            "main",
            "realm-management:query-users",
            "main",
            "realm-management:view-users",
            false,
        ),
        (
            "all rights, by who has them",
            "main",
            "realm-management:realm-admin",
            "main",
            "realm-management:realm-admin",
            true,
        ),
        (
            "from master: another right",
            "master",
            "main-realm:manage-users",
            "main",
            "realm-management:manage-realm",
            false,
        ),
        (
            "from master: their own",
            "master",
            "main-realm:manage-users",
            "main",
            "realm-management:manage-users",
            true,
        ),
        (
            "from master: all",
            "master",
            "main-realm:manage-users",
            "main",
            "realm-management:realm-admin",
            false,
        ),
        ("from master: all, by admin", "master", "admin", "main", "realm-management:realm-admin", true),
        ("in master: admin", "master", "master-realm:manage-users", "master", "admin", false),
        (
            "in master: over another realm",
            "master",
            "master-realm:manage-users",
            "master",
            "main-realm:manage-users",
            false,
        ),
        ("in master: admin, by admin", "master", "admin", "master", "admin", true),
        (
            "a name that means nothing",
            "main",
            "realm-management:manage-users",
            "main",
            "other-realm:manage-realm",
            true,
        ),
    ] {
        let target = roles(over);
        let role = id(&target, given);
        let covers = caller(realm, &[held]).over(over).covers(over, &target, [role.as_str()]);
        assert_eq!(covers, expected, "{row}");
    }
}

#[test]
fn a01_an_app_opens_what_its_token_carries_for_an_audience_that_it_names() {
    let access = json!({ "main-realm": { "roles": ["manage-users"] } });
    for (row, client_id, members, expected) in [
        ("ours, without roles in it", "admin-cli", json!({}), true),
        ("named and carried", "app", json!({ "aud": ["main-realm"], "resource_access": access }), true),
        ("carried, for another audience", "app", json!({ "aud": "api", "resource_access": access }), false),
        ("named, and not carried", "app", json!({ "aud": "main-realm" }), false),
        (
            "another role carried",
            "app",
            json!({ "aud": "main-realm", "resource_access": { "main-realm": { "roles": ["view-users"] } } }),
            false,
        ),
    ] {
        let roles = roles("master");
        let assigned = [id(&roles, "main-realm:manage-users")];
        let caller = Caller::new("master", &roles, &assigned, client_id, &claims(members));
        assert_eq!(caller.over("main").any_of(&["manage-users"]), expected, "{row}");
    }
    let lost = Caller::new(
        "master",
        &roles("master"),
        &[],
        "app",
        &claims(json!({ "aud": ["main-realm"], "resource_access": access })),
    );
    assert!(
        !lost.is_administrator(),
        "a right that was taken back is not in force because a token still says it"
    );
}

#[test]
fn a01_the_right_to_everything_needs_an_audience_of_ours() {
    let access = json!({ "roles": ["admin", "create-realm"] });
    for (row, members, expected) in [
        ("an overseer", json!({ "aud": ["master-realm", "account"], "realm_access": access }), true),
        ("the account", json!({ "aud": "account", "realm_access": access }), true),
        (
            "the issuer",
            json!({ "aud": "https://op/realms/master", "iss": "https://op/realms/master", "realm_access": access }),
            true,
        ),
        (
            "another service",
            json!({ "aud": "api", "iss": "https://op/realms/master", "realm_access": access }),
            false,
        ),
        ("not carried", json!({ "aud": "account" }), false),
    ] {
        let roles = roles("master");
        let assigned = [id(&roles, "admin")];
        let caller = Caller::new("master", &roles, &assigned, "app", &claims(members));
        assert_eq!(caller.may_create_realms(), expected, "{row}");
    }
}
