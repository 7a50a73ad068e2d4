//! Tests of the decision.

use serde_json::{Value, json};

use super::*;
use crate::protocol::client::{ClientAuthentication, ClientSettings};
use crate::protocol::scope::{Scope, ScopeSettings};

fn client(client_id: &str, exchange: Vec<ExchangeRule>) -> Client {
    Client {
        id: format!("{client_id}-id"),
        realm_id: "realm".into(),
        client_id: client_id.into(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings { exchange, ..ClientSettings::default() },
    }
}

fn both_ways(audience: &str) -> ExchangeRule {
    ExchangeRule {
        audience: audience.into(),
        impersonation: true,
        delegation: true,
        ..ExchangeRule::default()
    }
}

struct World {
    rule: ExchangeRule,
    subject: Value,
    foreign: Option<&'static str>,
    actor: Option<Value>,
    actor_is_service: bool,
    issue: TokenType,
    bound: bool,
    derived: bool,
    may_refresh: bool,
}

fn good() -> World {
    World {
        rule: both_ways("api"),
        subject: json!({
            "iss": "https://op", "sub": "alice", "azp": "web", "aud": ["api", "gateway"], "jti": "grant.a",
            "exp": 1_300,
        }),
        foreign: None,
        actor: None,
        actor_is_service: true,
        issue: TokenType::AccessToken,
        bound: false,
        derived: false,
        may_refresh: true,
    }
}

fn gateway() -> Option<Value> {
    Some(
        json!({ "iss": "https://op", "sub": "s1", "azp": "gateway", "aud": "api", "jti": "b", "exp": 1_200 }),
    )
}

fn claims(value: &Value) -> Claims {
    Claims::new(value.as_object().unwrap().clone())
}

impl World {
    fn decide(&self) -> Result<Exchange, OAuthError> {
        let mut requester = client("gateway", vec![self.rule.clone()]);
        if self.may_refresh {
            requester.settings.grants.insert(GrantType::RefreshToken);
        }
        let subject = claims(&self.subject);
        let actor = self.actor.as_ref().map(claims);
        decide(&Case {
            requester: &requester,
            rules: &[&self.rule],
            subject: Shown {
                claims: &subject,
                foreign: self.foreign,
                of_service: false,
                of_derived_grant: self.derived,
            },
            actor: actor.as_ref().map(|claims| Shown {
                claims,
                foreign: None,
                of_service: self.actor_is_service,
                of_derived_grant: false,
            }),
            issue: self.issue,
            bound: self.bound,
        })
    }
}

/// An actor chain of this depth.
fn nested(depth: usize) -> Value {
    (1..depth).fold(json!({ "sub": "x" }), |act, _| json!({ "sub": "x", "act": act }))
}

type Change = fn(&mut World);

#[test]
fn what_may_be_exchanged() {
    let rows: [(&str, Change, bool); 41] = [
        ("meant for the requester", |_| {}, true),
        ("X02 not meant for it", |w| w.subject["aud"] = json!("api"), false),
        ("X02 a part of its name", |w| w.subject["aud"] = json!("gateway2"), false),
        ("X02 no audience", |w| w.subject["aud"] = Value::Null, false),
        ("issued to it", |w| (w.subject["aud"], w.subject["azp"]) = (json!("api"), json!("gateway")), true),
        ("issued to it, by RFC 9068", rfc9068, true),
        (
            "X02 a rule says so",
            |w| (w.subject["aud"], w.rule.subject_clients) = (json!("api"), vec!["web".into()]),
            true,
        ),
        (
            "X02 a rule speaks of others",
            |w| (w.subject["aud"], w.rule.subject_clients) = (json!("api"), vec!["spa".into()]),
            false,
        ),
        ("X07c bound to a key", |w| w.subject["cnf"] = json!({ "jkt": "x" }), false),
        ("X07c bound to another key", |w| (w.subject["cnf"], w.bound) = (json!({ "jkt": "x" }), true), true),
        ("X07c bound, for an ID token", bound_for_id_token, false),
        ("X03 a refresh token", |w| w.issue = TokenType::RefreshToken, false),
        ("a refresh token that is allowed", refresh, true),
        (
            "a refresh token without the grant",
            |w| {
                refresh(w);
                w.may_refresh = false
            },
            false,
        ),
        (
            "a refresh token of what was exchanged",
            |w| {
                refresh(w);
                w.subject["jti"] = json!("grant.a~b")
            },
            false,
        ),
        (
            "a refresh token of a derived grant",
            |w| {
                refresh(w);
                w.derived = true
            },
            false,
        ),
        (
            "a refresh token of a service",
            |w| {
                refresh(w);
                w.subject["jti"] = json!("a")
            },
            false,
        ),
        ("an ID token", |w| w.issue = TokenType::IdToken, false),
        ("an ID token that is allowed", |w| (w.issue, w.rule.id_token) = (TokenType::IdToken, true), true),
        ("a jwt", |w| w.issue = TokenType::Jwt, true),
        ("no impersonation", |w| w.rule.impersonation = false, false),
        ("delegation", |w| w.actor = gateway(), true),
        ("delegation alone", |w| (w.actor, w.rule.impersonation) = (gateway(), false), true),
        ("no delegation", |w| (w.actor, w.rule.delegation) = (gateway(), false), false),
        ("X07a a person acts", |w| (w.actor, w.actor_is_service) = (gateway(), false), false),
        ("X07a a person who is named", person_named, true),
        (
            "X07a another is named",
            |w| (w.actor, w.subject["may_act"]) = (gateway(), json!({ "sub": "s2" })),
            false,
        ),
        (
            "X07a named by client",
            |w| (w.actor, w.subject["may_act"]) = (gateway(), json!({ "client_id": "gateway" })),
            true,
        ),
        (
            "X07a of another issuer",
            |w| (w.actor, w.subject["may_act"]) = (gateway(), json!({ "sub": "s1", "iss": "https://x" })),
            false,
        ),
        (
            "X07a the issuer alone",
            |w| (w.actor, w.subject["may_act"]) = (gateway(), json!({ "iss": "https://op" })),
            false,
        ),
        (
            "X07a on a condition not known",
            |w| (w.actor, w.subject["may_act"]) = (gateway(), json!({ "sub": "s1", "on": "sunday" })),
            false,
        ),
        ("X07a a name, no object", |w| (w.actor, w.subject["may_act"]) = (gateway(), json!("s1")), false),
        ("an actor's token that is not its to use", others_actor, false),
        ("an actor that is bound to a key", bound_actor, false),
        ("such an actor with a proof", |w| (bound_actor(w), w.bound = true).0, true),
        ("an actor that is acted for", acted_for_actor, false),
        ("X07b five actors", |w| w.subject["act"] = nested(MOST_ACTORS), true),
        ("X07b six actors", |w| (w.subject["act"], w.actor) = (nested(MOST_ACTORS), gateway()), false),
        ("X07b fifty actors", |w| w.subject["act"] = nested(50), false),
        ("X07b no chain of objects", |w| w.subject["act"] = json!({ "sub": "x", "act": "y" }), false),
        ("exchanged too often", |w| w.subject["jti"] = json!("grant.a~b~c~d~e~f"), false),
    ];
    for (row, change, allowed) in rows {
        let mut world = good();
        change(&mut world);
        let outcome = world.decide();
        assert_eq!(outcome.is_ok(), allowed, "{row}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(error.code, ErrorCode::InvalidRequest, "{row}");
        }
    }
}

fn refresh(world: &mut World) {
    (world.issue, world.rule.refresh_token) = (TokenType::RefreshToken, true);
}

fn rfc9068(world: &mut World) {
    world.subject =
        json!({ "sub": "alice", "client_id": "gateway", "aud": "api", "jti": "g.a", "exp": 1_300 });
}

fn person_named(world: &mut World) {
    (world.actor, world.actor_is_service) = (gateway(), false);
    world.subject["may_act"] = json!({ "sub": "s1" });
}

fn others_actor(world: &mut World) {
    world.actor = gateway();
    world.actor.as_mut().unwrap()["azp"] = json!("service");
    world.subject["may_act"] = json!({ "sub": "s1" });
}

fn bound_for_id_token(world: &mut World) {
    (world.issue, world.rule.id_token, world.bound) = (TokenType::IdToken, true, true);
    world.subject["cnf"] = json!({ "jkt": "x" });
}

fn bound_actor(world: &mut World) {
    world.actor = gateway();
    world.actor.as_mut().unwrap()["cnf"] = json!({ "jkt": "x" });
}

fn acted_for_actor(world: &mut World) {
    world.actor = gateway();
    world.actor.as_mut().unwrap()["act"] = nested(1);
}

#[test]
fn x07d_a_foreign_token_needs_a_rule_that_names_its_issuer() {
    for (row, issuers, allowed) in [
        ("none named", vec![], false),
        ("another named", vec!["https://other.example".to_owned()], false),
        ("named", vec!["https://idp.example".to_owned()], true),
    ] {
        let mut world = foreign();
        world.rule.subject_issuers = issuers;
        assert_eq!(world.decide().is_ok(), allowed, "{row}");
    }
}

/// Its names mean nothing here, whatever they look like.
fn foreign() -> World {
    let mut world = World { foreign: Some("https://idp.example"), ..good() };
    world.rule.subject_issuers = vec!["https://idp.example".to_owned()];
    world.subject =
        json!({ "iss": "https://idp.example", "sub": "17", "aud": "x", "jti": "a.b", "exp": 1_300 });
    world
}

#[test]
fn x07_a_foreign_token_is_worth_less_than_one_of_our_own() {
    let gateway_named: Change =
        |w| (w.actor, w.subject["may_act"]) = (gateway(), json!({ "client_id": "gateway" }));
    let with_issuer: Change = |w| {
        (w.actor, w.subject["may_act"]) = (gateway(), json!({ "client_id": "gateway", "iss": "https://op" }))
    };
    let rows: [(&str, Change, bool); 8] = [
        ("good", |_| {}, true),
        ("a name of many exchanges", |w| w.subject["jti"] = json!("a.b~c~d~e~f~g~h"), true),
        ("delegation", |w| w.actor = gateway(), true),
        ("X07a named without an issuer", gateway_named, false),
        ("X07a named with ours", with_issuer, true),
        ("somebody acts already", |w| w.subject["act"] = nested(1), false),
        ("a refresh token", refresh, false),
        ("an ID token", |w| (w.issue, w.rule.id_token) = (TokenType::IdToken, true), false),
    ];
    for (row, change, allowed) in rows {
        let mut world = foreign();
        change(&mut world);
        assert_eq!(world.decide().is_ok(), allowed, "{row}");
    }
}

/// RFC 8693 §4.1: the current actor stands outside, those before it inside.
#[test]
fn rfc8693_4_1_the_chain_of_actors_grows_outwards() {
    let mut world = World { actor: gateway(), ..good() };
    let exchange = world.decide().unwrap();
    assert_eq!(exchange.act, Some(json!({ "sub": "s1", "client_id": "gateway" })));
    assert_eq!(exchange.ends_at, Timestamp(1_200), "the actor's token ends first");
    world.subject["act"] = json!({ "sub": "https://service77.example.com" });
    world.subject["may_act"] = json!({ "sub": "s1" });
    let exchange = world.decide().unwrap();
    let act = json!({
        "sub": "s1", "client_id": "gateway", "act": { "sub": "https://service77.example.com" },
    });
    assert_eq!((exchange.act, exchange.may_act), (Some(act), Some(json!({ "sub": "s1" }))));
    world.actor = None;
    let exchange = world.decide().unwrap();
    assert_eq!(exchange.act, Some(json!({ "sub": "https://service77.example.com" })), "nobody is forgotten");
    assert_eq!(exchange.ends_at, Timestamp(1_300));
}

#[test]
fn x01_who_may_have_a_token_for_whom() {
    let gateway = client("gateway", vec![both_ways("api")]);
    let api = client("api", vec![]);
    let off = Client { enabled: false, ..client("api", vec![]) };
    let other = client("billing", vec![]);
    assert_eq!(rule(&gateway, Some(&api)).unwrap().audience, "api");
    for (row, service) in [("b not allowed", Some(&other)), ("c disabled", Some(&off)), ("d unknown", None)] {
        assert_eq!(rule(&gateway, service).unwrap_err().code, ErrorCode::InvalidTarget, "{row}");
    }
    assert!(admit(&gateway).is_ok());
    assert_eq!(admit(&api).unwrap_err().code, ErrorCode::UnauthorizedClient, "a");
    let mut public = gateway.clone();
    public.settings.authentication = ClientAuthentication::None;
    assert_eq!(admit(&public).unwrap_err().code, ErrorCode::UnauthorizedClient, "public");
    assert_eq!(only_audience(&gateway), Ok("api"));
    let several = client("gateway", vec![both_ways("api"), both_ways("billing")]);
    assert_eq!(only_audience(&several).unwrap_err().code, ErrorCode::InvalidRequest);
}

#[test]
fn x03_scopes_only_shrink() {
    let scope = |name: &str, shown: bool| Scope {
        id: name.into(),
        realm_id: "realm".into(),
        name: name.into(),
        description: None,
        settings: ScopeSettings { include_in_token: shown, ..ScopeSettings::default() },
    };
    let all = [scope("email", true), scope("reports:read", true), scope("roles", false)];
    let held = Granted {
        openid: true,
        scopes: all.iter().collect(),
        asked: vec![],
        singles: vec![],
        details: vec![],
    };
    let narrow = |names: &[&str]| ExchangeRule {
        scopes: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..both_ways("api")
    };
    let (wide, reports) = (both_ways("api"), narrow(&["reports:read", "roles"]));
    for (row, rules, requested, expected) in [
        ("all that was held", vec![&wide], None, Some("openid email reports:read roles")),
        ("a part", vec![&wide], Some("email"), Some("email roles")),
        ("more than was held", vec![&wide], Some("email reports:write"), None),
        ("what the rule allows", vec![&reports], None, Some("reports:read roles")),
        ("more than the rule allows", vec![&reports], Some("email"), None),
        ("what all rules allow", vec![&reports, &narrow(&["email"])], None, Some("")),
    ] {
        let granted = scopes(&held, &rules, requested);
        assert_eq!(granted.as_ref().ok().map(Granted::stored).as_deref(), expected, "{row}");
        if let Err(error) = granted {
            assert_eq!(error.code, ErrorCode::InvalidScope, "{row}");
        }
    }
}
