use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp(1_000_000);
const ISSUER: &str = "https://op.example/realms/main";

fn expect() -> Expect<'static> {
    Expect {
        header_types: &["JWT"],
        token_types: &["Bearer"],
        audience: Audience::Contains("api"),
        needs_jti: true,
        ..Expect::at(NOW, &[ISSUER])
    }
}

fn claims() -> Claims {
    with(&[])
}

/// The good claims with these changed; `null` takes one away.
fn with(changes: &[(&str, Value)]) -> Claims {
    let good = json!({
        "iss": ISSUER, "aud": ["api", "account"], "typ": "Bearer", "jti": "t1",
        "iat": NOW.0 - 5, "nbf": NOW.0 - 5, "exp": NOW.0 + 300,
    });
    let Value::Object(mut members) = good else { unreachable!() };
    for (name, value) in changes {
        if value.is_null() {
            members.remove(*name)
        } else {
            members.insert((*name).into(), value.clone())
        };
    }
    Claims::new(members)
}

#[test]
fn good_claims_are_accepted() {
    assert_eq!(expect().check(Some("JWT"), &claims()), Ok(()));
    assert_eq!(expect().check(Some("jwt"), &claims()), Ok(()));
    assert_eq!(expect().check(Some("application/JWT"), &claims()), Ok(()));
    assert_eq!(expect().check(Some("JWT"), &with(&[("nbf", Value::Null)])), Ok(()));
    assert_eq!(expect().check(Some("JWT"), &with(&[("aud", json!("api"))])), Ok(()));
}

/// attacks.md J03, one change a row.
#[test]
fn rfc8725_3_8_to_3_11_one_wrong_claim_is_enough() {
    use ClaimFault::{Audience, Expired, Identifier, Issuer, NotYet, Time, Type};
    for (name, claim, value, fault) in [
        ("no typ", "typ", Value::Null, Type),
        ("an ID token", "typ", json!("ID"), Type),
        ("typ in lower case", "typ", json!("bearer"), Type),
        ("typ a list", "typ", json!(["Bearer"]), Type),
        ("no iss", "iss", Value::Null, Issuer),
        ("iss a number", "iss", json!(7), Issuer),
        ("iss a list with ours", "iss", json!(["https://evil.example", ISSUER]), Issuer),
        ("another realm", "iss", json!("https://op.example/realms/other"), Issuer),
        ("iss with a slash more", "iss", json!("https://op.example/realms/main/"), Issuer),
        ("iss in capitals", "iss", json!("https://OP.example/realms/main"), Issuer),
        ("no aud", "aud", Value::Null, Audience),
        ("another aud", "aud", json!("other"), Audience),
        ("empty aud", "aud", json!([]), Audience),
        ("aud with a number", "aud", json!(["api", 7]), Audience),
        ("aud an object", "aud", json!({ "api": true }), Audience),
        ("no exp", "exp", Value::Null, Time),
        ("exp a text", "exp", json!("1000300"), Time),
        ("exp a fraction", "exp", json!(1_000_300.5), Time),
        ("exp a float", "exp", json!(1e300), Time),
        ("exp beyond 64 bits", "exp", json!(u64::MAX), Time),
        ("exp now", "exp", json!(NOW.0), Expired),
        ("exp 59 s ago", "exp", json!(NOW.0 - 59), Expired),
        ("exp negative", "exp", json!(-1), Expired),
        ("exp at the start of time", "exp", json!(i64::MIN), Expired),
        ("no iat", "iat", Value::Null, Time),
        ("iat a text", "iat", json!("1"), Time),
        ("iat 61 s ahead", "iat", json!(NOW.0 + 61), NotYet),
        ("iat at the end of time", "iat", json!(i64::MAX), NotYet),
        ("nbf a text", "nbf", json!("1"), Time),
        ("nbf ahead", "nbf", json!(NOW.0 + 1), NotYet),
        ("no jti", "jti", Value::Null, Identifier),
        ("empty jti", "jti", json!(""), Identifier),
        ("jti a number", "jti", json!(1), Identifier),
    ] {
        assert_eq!(expect().check(Some("JWT"), &with(&[(claim, value)])), Err(fault), "{name}");
    }
}

#[test]
fn rfc8725_3_11_the_headers_type() {
    for (name, typ) in [("none", None), ("empty", Some("")), ("another", Some("logout+jwt"))] {
        assert_eq!(expect().check(typ, &claims()), Err(ClaimFault::Type), "{name}");
    }
    let unasked = Expect { header_types: &[], ..expect() };
    assert_eq!(unasked.check(None, &claims()), Ok(()));
}

#[test]
fn times_at_their_borders() {
    let loose = Expect { leeway: LEEWAY, ..expect() };
    let looser = Expect { leeway: 3600, ..expect() };
    for (name, expect, claim, at, accepted) in [
        ("last second", expect(), "exp", 1, true),
        ("first second after", expect(), "exp", 0, false),
        ("within leeway", loose, "exp", -9, true),
        ("leeway over", loose, "exp", -10, false),
        ("leeway is held at 10 s", looser, "exp", -10, false),
        ("begins now", expect(), "nbf", 0, true),
        ("begins within leeway", loose, "nbf", 10, true),
        ("begins after leeway", loose, "nbf", 11, false),
        ("begins after leeway held at 10 s", looser, "nbf", 11, false),
        ("another node's clock ahead", expect(), "iat", 60, true),
        ("too far ahead", looser, "iat", 61, false),
    ] {
        let outcome = expect.check(Some("JWT"), &with(&[(claim, json!(NOW.0 + at))]));
        assert_eq!(outcome.is_ok(), accepted, "{name}");
    }
}

#[test]
fn an_expired_token_passes_where_the_place_allows_it_but_never_without_exp() {
    let hint = Expect { expired_too: true, ..expect() };
    assert_eq!(hint.check(Some("JWT"), &with(&[("exp", json!(1))])), Ok(()));
    assert_eq!(hint.check(Some("JWT"), &with(&[("exp", Value::Null)])), Err(ClaimFault::Time));
}

#[test]
fn audiences() {
    let only = Audience::Only(&["a", "b"]);
    for (name, audience, aud, met) in [
        ("any, none there", Audience::Any, Value::Null, true),
        ("contains", Audience::Contains("a"), json!(["x", "a"]), true),
        ("contains a part of a name", Audience::Contains("a"), json!("ab"), false),
        ("sole text", only, json!("b"), true),
        ("sole in a list", only, json!(["a"]), true),
        ("both", only, json!(["a", "b"]), false),
        ("with another", only, json!(["a", "x"]), false),
        ("none there", only, Value::Null, false),
    ] {
        assert_eq!(audience.is_met(&with(&[("aud", aud)])), met, "{name}");
    }
}

#[test]
fn without_issuers_nothing_is_accepted() {
    assert_eq!(Expect::at(NOW, &[]).check(None, &claims()), Err(ClaimFault::Issuer));
}

proptest! {
    /// Z09: any other value in any one field is refused, unless it says the same within the rules.
    #[test]
    fn a_mutated_field_is_refused(
        field in prop::sample::select(vec!["iss", "aud", "typ", "jti", "iat", "nbf", "exp"]),
        value in prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop::collection::vec(any::<String>(), 0..3).prop_map(Value::from),
        ],
    ) {
        prop_assume!(!value.is_null());
        let harmless = field == "jti" && value.as_str().is_some_and(|text| !text.is_empty());
        let outcome = expect().check(Some("JWT"), &with(&[(field, value)]));
        prop_assert_eq!(outcome.is_ok(), harmless);
    }

    #[test]
    fn any_times_are_compared_without_overflow(now: i64, exp: i64, iat: i64, nbf: i64) {
        let expect = Expect { now: Timestamp(now), leeway: LEEWAY, ..expect() };
        let claims = with(&[("exp", json!(exp)), ("iat", json!(iat)), ("nbf", json!(nbf))]);
        let wide = |at: i64| i128::from(at);
        let inside = wide(now) < wide(exp) + 10 && wide(iat) <= wide(now) + 60 && wide(nbf) <= wide(now) + 10;
        if expect.check(Some("JWT"), &claims).is_ok() {
            prop_assert!(inside);
        } else if now.abs() < i64::MAX / 2 && exp.abs() < i64::MAX / 2 {
            prop_assert!(!inside);
        }
    }
}
