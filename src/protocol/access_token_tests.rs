//! Tests of the access token's claims.

use std::collections::HashMap;

use serde_json::json;

use super::*;
use crate::protocol::client::ClientSettings;
use crate::protocol::mapper::Mapper;
use crate::protocol::role::Roles;
use crate::protocol::scope::{Scope, ScopeSettings};
use crate::protocol::user::User;

const ISSUER: &str = "https://id.example/realms/main";

fn user(service_account_client: Option<&str>) -> User {
    let username = if service_account_client.is_some() { "service-account-web" } else { "alice" };
    User {
        service_account_client: service_account_client.map(str::to_owned),
        ..User::new("realm", "user-id", username, Timestamp(0))
    }
}

fn mapper(kind: &str, key: &str, value: &str) -> Mapper {
    let config = [(key, value), ("access.token.claim", "true")];
    Mapper {
        kind: kind.into(),
        config: config.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        ..Default::default()
    }
}

fn client(audiences: &[&str], mappers: Vec<Mapper>) -> Client {
    Client {
        id: "web-id".into(),
        realm_id: "realm".into(),
        client_id: "web".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings {
            audiences: audiences.iter().map(|&audience| audience.to_owned()).collect(),
            mappers,
            ..Default::default()
        },
    }
}

fn scope(name: &str, include_in_token: bool) -> Scope {
    let settings = ScopeSettings { include_in_token, ..Default::default() };
    Scope { id: name.into(), realm_id: "realm".into(), name: name.into(), description: None, settings }
}

fn token(user: &User, client: &Client, change: impl Fn(&mut AccessTokenRequest<'_>)) -> Value {
    token_for(user, client, None, change)
}

fn token_for(
    user: &User,
    client: &Client,
    audiences: Option<&[String]>,
    change: impl Fn(&mut AccessTokenRequest<'_>),
) -> Value {
    let roles = Roles::new(vec![], vec![], HashMap::new());
    let subject = Subject { user, roles: vec![], role_names: &roles, groups: &[], ceiling: None };
    let scopes = [scope("basic", false), scope("email", true)];
    let granted = Granted {
        openid: true,
        scopes: scopes.iter().collect(),
        asked: vec![],
        singles: vec![],
        details: vec![],
    };
    let mut request = AccessTokenRequest {
        issuer: ISSUER,
        client,
        subject: &subject,
        granted: &granted,
        facts: Facts {
            sid: Some("session"),
            auth_time: Some(Timestamp(900)),
            acr: Some("1"),
            ..Facts::default()
        },
        jti: "grant.random",
        confirmation: None,
        audiences,
        now: Timestamp(1_000),
        lifetime: 300,
    };
    change(&mut request);
    Value::Object(access_token(&request))
}

#[test]
fn a_persons_token_has_keycloaks_shape() {
    let expected = json!({
        "iss": ISSUER, "sub": "user-id", "aud": "api", "typ": "Bearer", "azp": "web", "iat": 1_000, "exp": 1_300,
        "jti": "grant.random", "sid": "session", "acr": "1", "auth_time": 900, "scope": "openid email",
    });
    assert_eq!(token(&user(None), &client(&["api"], vec![]), |_| ()), expected);
}

#[test]
fn rfc9449_6_1_a_bound_token_says_so() {
    static BOUND: Confirmation = Confirmation::Jkt(String::new());
    let token = token(&user(None), &client(&["api"], vec![]), |request| request.confirmation = Some(&BOUND));
    assert_eq!((&token["cnf"], &token["typ"]), (&json!({ "jkt": "" }), &json!("DPoP")));
}

/// C07: a service's token cannot be taken for a person's.
#[test]
fn a_services_token_names_its_client_and_no_sign_in() {
    let service = |request: &mut AccessTokenRequest<'_>| {
        request.jti = "random";
        request.facts = Facts::default();
    };
    let expected = json!({
        "iss": ISSUER, "sub": "user-id", "aud": "api", "typ": "Bearer", "azp": "web", "iat": 1_000, "exp": 1_300,
        "jti": "random", "scope": "openid email", "client_id": "web",
        "preferred_username": "service-account-web",
    });
    let (user, client) = (user(Some("web-id")), client(&["api"], vec![]));
    assert_eq!(token(&user, &client, service), expected);
    assert_eq!(token(&user, &client, |request| request.jti = "random").get("auth_time"), None);
}

#[test]
fn audiences_come_from_the_client_and_its_mappers_each_once_or_are_those_that_were_asked_for() {
    let asked = ["https://api.example/".to_owned(), "gateway".to_owned()];
    let mapped = || vec![mapper("oidc-audience-mapper", "included.client.audience", "account")];
    for (name, client, asked, expected) in [
        ("none: the issuer alone", client(&[], vec![]), None, json!(ISSUER)),
        ("one is a string", client(&["api"], vec![]), None, json!("api")),
        ("a mapper's", client(&[], mapped()), None, json!("account")),
        ("all of them", client(&["api", "account"], mapped()), None, json!(["api", "account"])),
        ("asked for", client(&["api"], mapped()), Some(&asked[..]), json!(asked)),
        ("one asked for", client(&["api"], mapped()), Some(&asked[..1]), json!(asked[0])),
    ] {
        let token = token_for(&user(None), &client, asked, |_| ());
        assert_eq!(token["aud"], expected, "{name}");
    }
}

/// A03, at the last line of defence: the token's own claims are written after those of mappers.
#[test]
fn mappers_add_and_never_replace() {
    let forged = ["sub", "exp", "azp", "client_id", "scope", "cnf"]
        .map(|name| {
            let mut forged = mapper("oidc-hardcoded-claim-mapper", "claim.name", name);
            forged.config.insert("claim.value".into(), "forged".into());
            forged
        })
        .to_vec();
    let plain = token(&user(None), &client(&["api"], vec![]), |_| ());
    assert_eq!(token(&user(None), &client(&["api"], forged), |_| ()), plain);
}

#[test]
fn a_token_without_visible_scopes_has_no_empty_scope() {
    let granted = Granted { openid: false, scopes: vec![], asked: vec![], singles: vec![], details: vec![] };
    let roles = Roles::default();
    let (user, client) = (user(None), client(&[], vec![]));
    let subject = Subject { user: &user, roles: vec![], role_names: &roles, groups: &[], ceiling: None };
    let token = access_token(&AccessTokenRequest {
        issuer: ISSUER,
        client: &client,
        subject: &subject,
        granted: &granted,
        facts: Facts::default(),
        jti: "random",
        audiences: None,
        confirmation: None,
        now: Timestamp(i64::MAX),
        lifetime: 300,
    });
    assert!(!token.contains_key("scope") && !token.contains_key("sid") && !token.contains_key("acr"));
    assert_eq!(token["exp"], i64::MAX);
}

#[test]
fn a_token_leads_back_to_its_grant() {
    assert_eq!(grant_of(&jti(Some("6f1c-grant"), "random")), Some("6f1c-grant"));
    for name in [jti(None, "random"), ".random".into(), String::new()] {
        assert_eq!(grant_of(&name), None, "{name:?}");
    }
}

#[test]
fn an_exchanged_token_names_all_that_it_came_from() {
    let once = exchanged_jti(&jti(Some("grant"), "a"), "b");
    let twice = exchanged_jti(&once, "c");
    assert_eq!(lineage(&twice).collect::<Vec<_>>(), ["grant.a", "grant.a~b", "grant.a~b~c"]);
    assert_eq!((grant_of(&twice), exchanges(&twice), exchanges("grant.a")), (Some("grant"), 2, 0));
    let of_service = exchanged_jti(&jti(None, "a"), "b");
    assert_eq!((grant_of(&of_service), lineage(&of_service).count()), (None, 2));
}
