//! Z09 for each kind of token that others issue: of a good one, any other value in any one field is refused, unless it
//! says the same within the rules of that kind.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Claims, ISSUED_AHEAD, LEEWAY};
use crate::clock::Timestamp;
use crate::protocol::client::{AssertionAudience, Client, ClientSettings};
use crate::protocol::client_assertion::{self, Server};
use crate::protocol::grants::jwt_bearer::{self, TrustedSubject};
use crate::protocol::trusted_issuer::TrustedIssuer;

const NOW: Timestamp = Timestamp(1_000_000);
const ISSUER: &str = "https://op.example/realms/main";
const SERVER: Server<'_> = Server { issuer: ISSUER, back_channel: ISSUER, certificates: None };
/// The party that signs.
const PARTY: &str = "https://party.example";

/// A kind of token, by the place that takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Assertion(AssertionAudience),
    Grant,
    Foreign,
}

fn client(assertion_audience: AssertionAudience) -> Client {
    let settings = ClientSettings { assertion_audience, ..ClientSettings::default() };
    let (id, realm_id, client_id) = ("c1".into(), "r1".into(), PARTY.into());
    Client { id, realm_id, client_id, enabled: true, secret_hash: None, settings }
}

impl Kind {
    fn accepts(self, typ: Option<&str>, claims: &Claims) -> bool {
        match self {
            Self::Assertion(audience) => {
                client_assertion::check(typ, claims, &client(audience), SERVER, NOW).is_ok()
            }
            Self::Grant => {
                let trusted = TrustedSubject {
                    issuer: PARTY.into(),
                    subject: PARTY.into(),
                    jwks_uri: "https://party.example/jwks".into(),
                };
                jwt_bearer::check(typ, claims, &trusted, SERVER, NOW).is_ok()
            }
            Self::Foreign => {
                let trusted = TrustedIssuer {
                    issuer: PARTY.into(),
                    audience: ISSUER.into(),
                    claims: [("sub".to_owned(), PARTY.to_owned())].into(),
                    ..TrustedIssuer::default()
                };
                trusted.check(typ, claims, NOW).is_ok()
            }
        }
    }

    /// Whether `value` in place of the good one says the same, or something else that is good here. Null: it is left out.
    fn may_say(self, field: &str, value: &Value) -> bool {
        let at_most = |most: i64| value.as_i64().is_some_and(|at| at <= NOW.0 + most);
        match field {
            "nbf" => value.is_null() || at_most(LEEWAY),
            "iat" => at_most(ISSUED_AHEAD),
            // No place but this one holds how long others let their tokens live.
            "exp" => self == Self::Foreign && value.as_i64().is_some_and(|at| at > NOW.0 - LEEWAY),
            "jti" => self == Self::Foreign || value.as_str().is_some_and(|text| !text.is_empty()),
            _ => false,
        }
    }
}

fn kind() -> impl Strategy<Value = Kind> {
    prop::sample::select(vec![
        Kind::Assertion(AssertionAudience::Server),
        Kind::Assertion(AssertionAudience::Issuer),
        Kind::Grant,
        Kind::Foreign,
    ])
}

/// Good claims with `field` changed; null takes it away.
fn with(field: &str, value: Value) -> Claims {
    let mut claims = json!({
        "iss": PARTY, "sub": PARTY, "aud": ISSUER, "jti": "t1", "iat": NOW.0 - 5, "nbf": NOW.0 - 5, "exp": NOW.0 + 60,
    });
    claims[field] = value;
    let Value::Object(mut members) = claims else { unreachable!() };
    members.retain(|_, value| !value.is_null());
    Claims::new(members)
}

proptest! {
    #[test]
    fn z09_a_mutated_field_is_refused_by_every_kind(
        kind in kind(),
        field in prop::sample::select(vec!["iss", "sub", "aud", "jti", "iat", "nbf", "exp"]),
        value in prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop::collection::vec(any::<String>(), 0..3).prop_map(Value::from),
            Just(json!([ISSUER, "https://other.example"])),
            Just(json!([PARTY])),
            Just(json!({})),
        ],
    ) {
        prop_assert!(kind.accepts(Some("JWT"), &with("jti", json!("t2"))), "{:?}: a good one", kind);
        let accepted = kind.accepts(Some("JWT"), &with(field, value.clone()));
        // A list that names others too is good where a foreign issuer's token is taken (RFC 7519 §4.1.3).
        let lists_us = kind == Kind::Foreign && field == "aud" && value[0] == ISSUER;
        prop_assert_eq!(accepted, lists_us || kind.may_say(field, &value), "{:?}: {} = {}", kind, field, value);
    }

    #[test]
    fn z09_another_type_is_refused_by_every_kind(kind in kind(), typ in "[a-zA-Z+/.-]{1,20}") {
        let known = ["jwt", "application/jwt", "at+jwt", "application/at+jwt", "client-authentication+jwt"];
        prop_assume!(!known.contains(&typ.to_ascii_lowercase().as_str()));
        prop_assert!(!kind.accepts(Some(&typ), &with("jti", json!("t2"))), "{:?}: {}", kind, typ);
    }
}
