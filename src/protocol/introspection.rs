//! Token introspection (RFC 7662): who may know about a token, and what the answer says.
//!
//! Owns the members of the answer, in Keycloak's spelling. Leaves to `standing` whether the token still counts, and to
//! `claims` what mappers make of its user.

use serde_json::{Map, Value, json};

use super::access_token::holder;
use super::client::Client;
use super::confirmation::Confirmation;
use super::jws::Claims;
use crate::clock::Timestamp;

/// Claims that an answer takes from the token as they stand: what the token is, not what is known of its user.
const TAKEN: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "typ",
    "azp",
    "client_id",
    "exp",
    "iat",
    "nbf",
    "jti",
    "sid",
    "auth_time",
    "acr",
    "cnf",
    "act",
    "authorization_details",
    "may_act",
];

/// The one answer about anything that is not good, is not known, or is not the caller's to know (RFC 7662 §2.2).
#[must_use]
pub fn inactive() -> Map<String, Value> {
    Map::from_iter([("active".to_owned(), Value::Bool(false))])
}

/// Whether the client `caller` may know what an access token says: it is meant for that client, or was issued to it.
/// Anybody else would learn of people who never came to them (RFC 7662 §4; attacks I02).
#[must_use]
pub fn may_know(caller: &Client, claims: &Claims) -> bool {
    holder(claims) == Some(caller.client_id.as_str())
        || claims.audiences().is_some_and(|audiences| caller.is_among(&audiences))
}

/// The answer about an access token: its own claims, and around them what `mapped` says of the user today. `scope` is
/// what is left of the token's.
#[must_use]
pub fn access_token(
    claims: &Claims,
    username: &str,
    scope: &str,
    mapped: Map<String, Value>,
) -> Map<String, Value> {
    let mut answer = mapped;
    // The audiences are those that the token was issued for; mappers may name others by now.
    answer.remove("aud");
    for name in TAKEN {
        if let Some(value) = claims.value(name) {
            answer.insert(name.to_owned(), value.clone());
        }
    }
    if !scope.is_empty() {
        answer.insert("scope".to_owned(), scope.into());
    }
    active(answer, username)
}

/// The answer about a refresh token: its own claims.
#[must_use]
pub fn refresh_token(claims: Map<String, Value>, username: &str) -> Map<String, Value> {
    active(claims, username)
}

/// `token_type`: the claim `typ` of Keycloak's shape; in that of RFC 9068 what the token is bound to says it.
fn token_type(answer: &Map<String, Value>) -> Value {
    let bound = answer.get("cnf").and_then(|claim| Confirmation::read(claim).ok());
    answer.get("typ").cloned().unwrap_or_else(|| Confirmation::token_type(bound.as_ref()).into())
}

/// The members that RFC 7662 §2.2 names beside the claims.
fn active(mut answer: Map<String, Value>, username: &str) -> Map<String, Value> {
    for (name, value) in [
        ("active", Some(json!(true))),
        ("username", Some(username.into())),
        ("client_id", answer.get("azp").or_else(|| answer.get("client_id")).cloned()),
        ("token_type", Some(token_type(&answer))),
    ] {
        if let Some(value) = value {
            answer.insert(name.to_owned(), value);
        }
    }
    answer
}

/// Header `typ` of a signed answer (RFC 9701 §5).
pub const HEADER_TYP: &str = "token-introspection+jwt";
/// The media type of a signed answer (RFC 9701 §4).
pub const MEDIA_TYPE: &str = "application/token-introspection+jwt";

/// Whether a caller who sends these values of `Accept` asks for a signed answer (RFC 9701 §4): it names its media type,
/// and JSON with no greater weight (RFC 9110 §12.5.1).
pub fn wants_signed<'a>(accept: impl Iterator<Item = &'a str>) -> bool {
    let (mut signed, mut plain) = (0.0_f32, 0.0_f32);
    for range in accept.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .filter_map(|part| part.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
            .map_or(1.0, |(_, weight)| weight.trim().parse().unwrap_or(0.0));
        if name.eq_ignore_ascii_case(MEDIA_TYPE) {
            signed = signed.max(weight);
        } else if name.eq_ignore_ascii_case("application/json") {
            plain = plain.max(weight);
        }
    }
    signed > 0.0 && signed >= plain
}

/// The claims of a signed answer to `caller` (RFC 9701 §5). The token's own claims are apart from the answer's, and
/// neither `sub` nor `exp` stands beside them, so that nobody takes the answer for a token.
#[must_use]
pub fn signed(
    answer: Map<String, Value>,
    caller: &Client,
    issuer: &str,
    now: Timestamp,
) -> Map<String, Value> {
    let claims = [
        ("iss", json!(issuer)),
        ("aud", json!(caller.client_id)),
        ("iat", json!(now.0)),
        ("token_introspection", Value::Object(answer)),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("not an object") };
        members
    }

    fn claims(changes: &[(&str, Value)]) -> Claims {
        let mut members = object(json!({
            "iss": "https://id.example/realms/main", "sub": "user", "aud": ["api", "gateway"], "azp": "web",
            "typ": "Bearer", "exp": 1_300, "iat": 1_000, "jti": "grant.x", "sid": "session", "acr": "1",
            "scope": "openid email profile", "email": "old@example.com", "realm_access": {"roles": ["user"]},
        }));
        for (name, value) in changes {
            members.insert((*name).to_owned(), value.clone());
        }
        Claims::new(members)
    }

    fn client(client_id: &str, resources: &[&str]) -> Client {
        Client {
            id: String::new(),
            realm_id: "realm".into(),
            client_id: client_id.into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                resources: resources.iter().map(|&uri| uri.to_owned()).collect(),
                ..ClientSettings::default()
            },
        }
    }

    #[test]
    fn i02_a_token_is_known_to_those_it_is_for() {
        for (name, caller, claims, expected) in [
            ("an audience", "api", claims(&[]), true),
            ("another audience", "gateway", claims(&[]), true),
            ("the client that holds it", "web", claims(&[]), true),
            ("anybody else", "service", claims(&[]), false),
            ("the only audience", "api", claims(&[("aud", json!("api"))]), true),
            ("a part of an audience", "api", claims(&[("aud", json!("api2"))]), false),
            ("its user is no client", "user", claims(&[]), false),
            ("an audience that is no list of texts", "api", claims(&[("aud", json!(["api", 1]))]), false),
        ] {
            assert_eq!(may_know(&client(caller, &[]), &claims), expected, "{name}");
        }
        let by_resource = claims(&[("aud", json!("https://api.example/"))]);
        assert!(may_know(&client("api", &["https://api.example/"]), &by_resource));
        assert!(!may_know(&client("api", &["https://api.example"]), &by_resource));
    }

    #[test]
    fn rfc7662_2_2_the_answer_has_keycloaks_members() {
        let mapped = object(json!({
            "email": "new@example.com", "realm_access": {"roles": []}, "aud": ["other"], "acr": "9",
        }));
        let answer = access_token(&claims(&[]), "alice", "openid email", mapped);
        let expected = json!({
            "active": true, "username": "alice", "client_id": "web", "token_type": "Bearer",
            "iss": "https://id.example/realms/main", "sub": "user", "aud": ["api", "gateway"], "azp": "web",
            "typ": "Bearer", "exp": 1_300, "iat": 1_000, "jti": "grant.x", "sid": "session", "acr": "1",
            "scope": "openid email", "email": "new@example.com", "realm_access": {"roles": []},
        });
        assert_eq!(Value::Object(answer), expected, "what is said of the user is of today");
    }

    #[test]
    fn a_refresh_token_is_told_by_its_claims() {
        let answer = refresh_token(object(json!({"typ": "Refresh", "azp": "web", "exp": 2_800})), "alice");
        let expected = json!({
            "active": true, "username": "alice", "client_id": "web", "token_type": "Refresh", "typ": "Refresh",
            "azp": "web", "exp": 2_800,
        });
        assert_eq!(Value::Object(answer), expected);
    }

    #[test]
    fn rfc9701_4_a_signed_answer_is_asked_for_by_its_media_type() {
        for (accept, expected) in [
            ("application/token-introspection+jwt", true),
            ("Application/Token-Introspection+JWT;q=0.5", true),
            ("text/html, application/token-introspection+jwt", true),
            ("application/json, application/token-introspection+jwt", true),
            ("application/json;q=0.9, application/token-introspection+jwt;q=0.8", false),
            ("application/json;q=0.8, application/token-introspection+jwt ; Q=0.9", true),
            ("application/token-introspection+jwt;q=0", false),
            ("application/token-introspection+jwt;q=x", false),
            ("application/jwt", false),
            ("application/json", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(wants_signed([accept].into_iter()), expected, "{accept}");
        }
        assert!(wants_signed(["application/json", "application/token-introspection+jwt"].into_iter()));
        assert!(!wants_signed([].into_iter()));
    }

    #[test]
    fn rfc9701_5_the_answer_stands_apart_from_its_envelope() {
        let claims = signed(inactive(), &client("api", &[]), "https://id.example", Timestamp(1_000));
        let expected = json!({
            "iss": "https://id.example", "aud": "api", "iat": 1_000, "token_introspection": { "active": false },
        });
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn what_is_not_good_says_nothing() {
        assert_eq!(serde_json::to_string(&inactive()).unwrap(), r#"{"active":false}"#);
    }
}
