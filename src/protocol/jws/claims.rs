//! The rules of claims: what a token must say of itself to be believed here (RFC 7519 §4.1, RFC 8725 §3.8 to §3.11).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::Timestamp;

/// The most seconds by which another party's clock may differ when `exp` and `nbf` are compared.
pub const LEEWAY: i64 = 10;

/// Seconds that `iat` may lie ahead: nodes whose clocks differ by up to a minute accept each other's tokens, and what
/// lies further ahead is refused (FAPI 2.0 Security Profile §5.3.2.1).
pub const ISSUED_AHEAD: i64 = 60;

/// The members of a payload. Clones share them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Arc<Map<String, Value>>);

/// What is expected of a token's claims. Start from [`Expect::at`] and name what the place asks for: an empty list of
/// issuers accepts none.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The issuers of which `iss` must be one, to the byte.
    pub issuers: &'a [&'a str],
    /// What the header's `typ` must be one of (letters of either case, `application/` left out, RFC 7515 §4.1.9);
    /// empty when the place does not ask.
    pub header_types: &'a [&'a str],
    /// What the claim `typ` must be one of, as Keycloak's tokens tell their kinds apart: `Bearer`, `ID`, `Refresh`;
    /// empty when the place does not ask.
    pub token_types: &'a [&'a str],
    /// Whom the token must be meant for.
    pub audience: Audience<'a>,
    /// Whether `jti` must be there.
    pub needs_jti: bool,
    /// Whether a token past its `exp` is accepted, as a hint of who someone was may be (OpenID Connect RP-Initiated
    /// Logout §2).
    pub expired_too: bool,
    /// Seconds, 0 to [`LEEWAY`], by which the issuer's clock may differ: none for our own tokens, whose end is a
    /// promise (`expires_in`); some for what others issue.
    pub leeway: i64,
    /// Now.
    pub now: Timestamp,
}

/// The audience that a token must have (RFC 7519 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience<'a> {
    /// Anything, also none.
    Any,
    /// Anybody, but somebody: for our own tokens, which always say whom they are for.
    Named,
    /// This one, perhaps among others.
    Contains(&'a str),
    /// One of these and nothing else.
    Only(&'a [&'a str]),
    /// One or several of these and nothing else: names of ours, when the token may not be good elsewhere too.
    Among(&'a [&'a str]),
    /// This one as a text, not in a list (FAPI 2.0 Security Profile §5.3.2.1).
    Exactly(&'a str),
}

/// The first rule that a token's claims broke. None of them shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimFault {
    /// The header's `typ` or the claim `typ` is another, or missing.
    #[error("the token is of another type")]
    Type,
    /// `iss` is missing, not a text, or another.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` is missing, malformed, or names others.
    #[error("the token is meant for others")]
    Audience,
    /// `exp`, `iat` or `nbf` is missing (the first two) or no whole number.
    #[error("the token's time is missing or malformed")]
    Time,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYet,
    /// `jti` is missing, empty, or not a text.
    #[error("the token has no identifier")]
    Identifier,
}

impl Claims {
    /// The claims of this object.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self(Arc::new(members))
    }

    /// The claim `name`, whatever it is.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The claim `name` if it is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The claim `name` if it is a whole number of seconds since 1970 (a `NumericDate` of RFC 7519 §2; fractions are
    /// refused).
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.0.get(name)?.as_i64().map(Timestamp)
    }

    /// The audiences: a text or a list of texts. `None` when `aud` is missing, empty or anything else.
    #[must_use]
    pub fn audiences(&self) -> Option<Vec<&str>> {
        match self.0.get("aud")? {
            Value::String(one) => Some(vec![one]),
            Value::Array(many) if !many.is_empty() => many.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All members, to be read into a record.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(Arc::unwrap_or_clone(self.0))
    }
}

impl<'a> Expect<'a> {
    /// Of one of these issuers, valid now, with `iat` and `exp`; of any type and for any audience.
    #[must_use]
    pub fn at(now: Timestamp, issuers: &'a [&'a str]) -> Self {
        Self {
            issuers,
            header_types: &[],
            token_types: &[],
            audience: Audience::Any,
            needs_jti: false,
            expired_too: false,
            leeway: 0,
            now,
        }
    }

    /// Checks a token with this header `typ` and these claims.
    ///
    /// # Errors
    /// The first [`ClaimFault`], in the order of its variants.
    pub fn check(&self, typ: Option<&str>, claims: &Claims) -> Result<(), ClaimFault> {
        self.check_type(typ, claims)?;
        if !claims.text("iss").is_some_and(|issuer| self.issuers.contains(&issuer)) {
            return Err(ClaimFault::Issuer);
        }
        if !self.audience.is_met(claims) {
            return Err(ClaimFault::Audience);
        }
        self.check_times(claims)?;
        if self.needs_jti && claims.text("jti").is_none_or(str::is_empty) {
            return Err(ClaimFault::Identifier);
        }
        Ok(())
    }

    fn check_type(&self, typ: Option<&str>, claims: &Claims) -> Result<(), ClaimFault> {
        let bare = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.strip_prefix("application/").map(ToOwned::to_owned).unwrap_or(name)
        };
        let header = self.header_types.is_empty()
            || typ.is_some_and(|typ| self.header_types.iter().any(|known| bare(known) == bare(typ)));
        let claim = self.token_types.is_empty()
            || claims.text("typ").is_some_and(|typ| self.token_types.contains(&typ));
        if header && claim { Ok(()) } else { Err(ClaimFault::Type) }
    }

    fn check_times(&self, claims: &Claims) -> Result<(), ClaimFault> {
        let expires = claims.time("exp").ok_or(ClaimFault::Time)?;
        let issued = claims.time("iat").ok_or(ClaimFault::Time)?;
        let begins = match claims.value("nbf") {
            None => None,
            Some(_) => Some(claims.time("nbf").ok_or(ClaimFault::Time)?),
        };
        let leeway = self.leeway.clamp(0, LEEWAY);
        if !self.expired_too && self.now >= expires.plus(leeway) {
            return Err(ClaimFault::Expired);
        }
        if issued > self.now.plus(ISSUED_AHEAD) || begins.is_some_and(|begins| begins > self.now.plus(leeway))
        {
            return Err(ClaimFault::NotYet);
        }
        Ok(())
    }
}

impl Audience<'_> {
    fn is_met(&self, claims: &Claims) -> bool {
        match self {
            Self::Any => true,
            Self::Named => claims.audiences().is_some(),
            Self::Contains(one) => claims.audiences().is_some_and(|all| all.contains(one)),
            Self::Only(known) => {
                matches!(claims.audiences().as_deref(), Some([one]) if known.contains(one))
            }
            Self::Among(known) => {
                claims.audiences().is_some_and(|all| all.iter().all(|one| known.contains(one)))
            }
            Self::Exactly(one) => claims.text("aud") == Some(one),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

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
}
