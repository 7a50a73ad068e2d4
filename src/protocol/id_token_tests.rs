//! Tests of the ID token's claims.

use serde_json::json;

use super::*;
use crate::protocol::client::ClientSettings;
use crate::protocol::mapper::Mapper;
use crate::protocol::role::Roles;
use crate::protocol::user::User;

fn mapper(kind: &str, config: &[(&str, &str)]) -> Mapper {
    let config = config.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Mapper { kind: kind.into(), config, ..Default::default() }
}

fn token(mappers: Vec<Mapper>, change: impl Fn(&mut IdTokenRequest<'_>)) -> Value {
    let user =
        User { first_name: Some("Alice".into()), ..User::new("realm", "user-id", "alice", Timestamp(0)) };
    let client = Client {
        id: "web-id".into(),
        realm_id: "realm".into(),
        client_id: "web".into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings { mappers, audiences: vec!["api".into()], ..Default::default() },
    };
    let roles = Roles::default();
    let subject = Subject { user: &user, roles: vec![], role_names: &roles, groups: &[], ceiling: None };
    let granted = Granted { openid: true, scopes: vec![], asked: vec![], singles: vec![], details: vec![] };
    let mut request = IdTokenRequest {
        issuer: "https://id.example/realms/main",
        client: &client,
        subject: &subject,
        granted: &granted,
        facts: Facts {
            sid: Some("session"),
            auth_time: Some(Timestamp(900)),
            acr: Some("1"),
            ..Facts::default()
        },
        nonce: Some("n-0S6"),
        at_hash: Some("hash"),
        now: Timestamp(1_000),
        lifetime: 300,
        jti: "random",
    };
    change(&mut request);
    Value::Object(id_token(&request))
}

fn plain() -> Value {
    json!({
        "iss": "https://id.example/realms/main", "sub": "user-id", "aud": "web", "azp": "web", "typ": "ID",
        "iat": 1_000, "exp": 1_300, "jti": "random", "nonce": "n-0S6", "sid": "session", "acr": "1",
        "auth_time": 900, "at_hash": "hash",
    })
}

#[test]
fn it_is_for_the_client_and_tells_of_the_sign_in() {
    assert_eq!(token(vec![], |_| ()), plain());
}

#[test]
fn what_the_request_did_not_have_is_absent_and_not_empty() {
    for (name, nonce) in [("no nonce", None), ("an empty nonce", Some(""))] {
        let token = token(vec![], |request| {
            request.nonce = nonce;
            request.at_hash = None;
        });
        assert_eq!((token.get("nonce"), token.get("at_hash")), (None, None), "{name}");
    }
}

#[test]
fn only_mappers_for_id_tokens_write() {
    let mappers = vec![
        mapper("oidc-full-name-mapper", &[("id.token.claim", "true")]),
        mapper(
            "oidc-hardcoded-claim-mapper",
            &[("claim.name", "access"), ("claim.value", "x"), ("access.token.claim", "true")],
        ),
        mapper(
            "oidc-hardcoded-claim-mapper",
            &[("claim.name", "nonce"), ("claim.value", "forged"), ("id.token.claim", "true")],
        ),
    ];
    let mut expected = plain();
    expected["name"] = "Alice".into();
    assert_eq!(token(mappers, |_| ()), expected);
}

#[test]
fn an_audience_mapper_for_id_tokens_joins_the_client() {
    for (audience, expected) in [("other", json!(["web", "other"])), ("web", json!("web"))] {
        let config = [("included.client.audience", audience), ("id.token.claim", "true")];
        assert_eq!(
            token(vec![mapper("oidc-audience-mapper", &config)], |_| ())["aud"],
            expected,
            "{audience}"
        );
    }
}
