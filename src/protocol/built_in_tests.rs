//! Tests of a fresh realm: whole tokens, and that what it names exists.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::*;
use crate::clock::Timestamp;
use crate::protocol::access_token::{AccessTokenRequest, access_token};
use crate::protocol::claims::{Facts, Subject, userinfo};
use crate::protocol::client::{ClientSettings, GrantType};
use crate::protocol::mapper::Kind;
use crate::protocol::role::Roles;
use crate::protocol::scope;
use crate::protocol::user::User;

fn fresh(name: &str) -> FreshRealm {
    let mut count = 0;
    fresh_realm(name, &mut || {
        count += 1;
        format!("id-{count}")
    })
}

fn roles_of(fresh: &FreshRealm) -> Roles {
    let clients = fresh.clients.iter().map(|client| (client.id.clone(), client.client_id.clone()));
    Roles::new(fresh.roles.clone(), fresh.composites.clone(), clients.collect::<HashMap<_, _>>())
}

fn alice() -> User {
    User {
        email: Some("a@b.example".into()),
        email_verified: true,
        first_name: Some("A".into()),
        last_name: Some("B".into()),
        ..User::new("realm", "alice-id", "alice", Timestamp(0))
    }
}

fn client() -> Client {
    Client {
        id: "my-client-id".into(),
        realm_id: "realm".into(),
        client_id: "my-client".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings {
            full_scope_allowed: true,
            web_origins: vec!["http://localhost:3000".into()],
            ..Default::default()
        },
    }
}

/// The access token of keycloak-surface.md 4.6, claim by claim.
#[test]
fn a_token_of_a_fresh_realm_is_keycloaks() {
    let mut fresh = fresh("demo");
    let role = |client: Option<&str>, name: &str| Role {
        id: name.into(),
        realm_id: "realm".into(),
        client: client.map(str::to_owned),
        name: name.into(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    };
    fresh.roles.extend([role(None, "user"), role(Some("my-client-id"), "x")]);
    fresh.clients.push(client());
    let (roles, user, client) = (roles_of(&fresh), alice(), client());
    let default = roles.realm_role("default-roles-demo").unwrap().id.clone();
    let held = roles.effective([default.as_str(), "user", "x"]);
    let subject = Subject { user: &user, roles: held, role_names: &roles, groups: &[], ceiling: None };
    let granted =
        scope::grant(Some("openid profile email"), &client, &fresh.realm.settings, &fresh.scopes).unwrap();
    let token = access_token(&AccessTokenRequest {
        issuer: "http://localhost:8080/realms/demo",
        client: &client,
        subject: &subject,
        granted: &granted,
        facts: Facts {
            sid: Some("sid"),
            auth_time: Some(Timestamp(990)),
            acr: Some("1"),
            ..Facts::default()
        },
        jti: "grant.random",
        audiences: None,
        confirmation: None,
        now: Timestamp(1_000),
        lifetime: fresh.realm.settings.access_token,
    });
    let expected = json!({
        "exp": 1_300, "iat": 1_000, "auth_time": 990, "jti": "grant.random",
        "iss": "http://localhost:8080/realms/demo", "aud": "account", "sub": "alice-id", "typ": "Bearer",
        "azp": "my-client", "sid": "sid", "acr": "1", "allowed-origins": ["http://localhost:3000"],
        "realm_access": {"roles": ["default-roles-demo", "offline_access", "uma_authorization", "user"]},
        "resource_access": {
            "account": {"roles": ["manage-account", "manage-account-links", "view-profile"]},
            "my-client": {"roles": ["x"]},
        },
        "scope": "openid profile email", "email_verified": true, "name": "A B",
        "preferred_username": "alice", "given_name": "A", "family_name": "B", "email": "a@b.example",
    });
    assert_eq!(Value::Object(token), expected);
}

/// OpenID Connect Core §5.4: each scope gives its claims at UserInfo, all of them and well typed, and no other.
#[test]
fn each_scope_gives_its_claims() {
    let fresh = fresh("demo");
    let (roles, client) = (roles_of(&fresh), client());
    let attributes = [
        ("middleName", "M"),
        ("nickname", "Al"),
        ("profile", "https://p.example"),
        ("picture", "https://i.example"),
        ("website", "https://w.example"),
        ("gender", "female"),
        ("birthdate", "1990-01-31"),
        ("zoneinfo", "Europe/Berlin"),
        ("locale", "en"),
        ("updatedAt", "1700000000"),
        ("phoneNumber", "+49 30 1"),
        ("phoneNumberVerified", "true"),
        ("formatted", "1 Main Street"),
        ("country", "DE"),
    ];
    let mut user = alice();
    user.attributes = attributes.map(|(name, value)| (name.to_owned(), vec![value.to_owned()])).into();
    let subject = Subject { user: &user, roles: vec![], role_names: &roles, groups: &[], ceiling: None };
    for (name, expected) in [
        ("basic", json!({"sub": "alice-id"})),
        (
            "profile",
            json!({
                "sub": "alice-id", "name": "A B", "given_name": "A", "family_name": "B", "middle_name": "M",
                "nickname": "Al", "preferred_username": "alice", "profile": "https://p.example",
                "picture": "https://i.example", "website": "https://w.example", "gender": "female",
                "birthdate": "1990-01-31", "zoneinfo": "Europe/Berlin", "locale": "en",
                "updated_at": 1_700_000_000,
            }),
        ),
        ("email", json!({"sub": "alice-id", "email": "a@b.example", "email_verified": true})),
        ("address", json!({"sub": "alice-id", "address": {"formatted": "1 Main Street", "country": "DE"}})),
        ("phone", json!({"sub": "alice-id", "phone_number": "+49 30 1", "phone_number_verified": true})),
        ("roles", json!({"sub": "alice-id"})),
        ("microprofile-jwt", json!({"sub": "alice-id", "upn": "alice"})),
    ] {
        let scope = fresh.scopes.iter().find(|scope| scope.name == name).unwrap();
        let granted = scope::Granted {
            openid: true,
            scopes: vec![scope],
            asked: vec![],
            singles: vec![],
            details: vec![],
        };
        let claims = userinfo(&subject, &client, &granted, &Facts::default());
        assert_eq!(Value::Object(claims), expected, "{name}");
    }
}

#[test]
fn names_are_unique_and_what_is_named_exists() {
    for name in ["demo", MASTER] {
        let fresh = fresh(name);
        let scopes: BTreeSet<&str> = fresh.scopes.iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!(scopes.len(), fresh.scopes.len());
        let settings = &fresh.realm.settings;
        for listed in settings.default_scopes.iter().chain(&settings.optional_scopes) {
            assert!(scopes.contains(listed.as_str()), "{listed}");
        }
        for mapper in fresh.scopes.iter().flat_map(|scope| &scope.settings.mappers) {
            assert!(Kind::parse(&mapper.kind).is_some(), "{}", mapper.kind);
        }
        let clients: BTreeSet<&str> = fresh.clients.iter().map(|client| client.id.as_str()).collect();
        let roles: BTreeSet<&str> = fresh.roles.iter().map(|role| role.id.as_str()).collect();
        let names: BTreeSet<_> = fresh.roles.iter().map(|role| (&role.client, &role.name)).collect();
        assert_eq!((roles.len(), names.len()), (fresh.roles.len(), fresh.roles.len()));
        assert!(fresh.roles.iter().filter_map(|role| role.client.as_deref()).all(|id| clients.contains(id)));
        let pairs: BTreeSet<_> = fresh.composites.iter().collect();
        assert_eq!(pairs.len(), fresh.composites.len());
        assert!(
            pairs.iter().all(|(a, b)| a != b && roles.contains(a.as_str()) && roles.contains(b.as_str()))
        );
    }
}

#[test]
fn no_built_in_client_can_get_a_token_but_by_a_password() {
    for client in fresh("demo").clients {
        let (id, grants) = (client.client_id, client.settings.grants);
        let expected =
            if id == ADMIN_CLI { vec![GrantType::RefreshToken, GrantType::Password] } else { Vec::new() };
        assert_eq!(grants.into_iter().collect::<Vec<_>>(), expected, "{id}");
        assert_eq!(client.secret_hash, None, "{id}");
    }
}

#[test]
fn administrators_hold_every_administrative_role() {
    for (realm, admin_of, admin) in
        [("demo", Some("realm-management"), "realm-admin"), (MASTER, None, ADMIN_ROLE)]
    {
        let fresh = fresh(realm);
        let roles = roles_of(&fresh);
        let id =
            |client_id: &str| fresh.clients.iter().find(|c| c.client_id == client_id).unwrap().id.clone();
        let admin = match admin_of {
            Some(client_id) => roles.client_role(&id(client_id), admin).unwrap(),
            None => roles.realm_role(admin).unwrap(),
        };
        let held: BTreeSet<&str> =
            roles.effective([admin.id.as_str()]).iter().map(|role| role.id.as_str()).collect();
        let management = id(management_client(realm));
        let all = fresh.roles.iter().filter(|role| role.client.as_ref() == Some(&management));
        assert!(all.clone().count() >= 18);
        for role in all {
            assert!(held.contains(role.id.as_str()), "{realm}: {}", role.name);
        }
        let default = roles.realm_role(&fresh.realm.default_role()).unwrap();
        assert!(!held.contains(default.id.as_str()));
        let everyone = roles.effective([default.id.as_str()]);
        assert!(everyone.iter().all(|role| role.client.as_ref() != Some(&management)), "{realm}");
    }
}
