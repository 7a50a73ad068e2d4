//! What a client's own token must say to prove who it is: `client_assertion` (RFC 7523 §2.2 and §3, OpenID Connect Core
//! §9). Leaves the signature to `signer`, and using its `jti` up to the store.

use super::client::{AssertionAudience, Client};
use super::jws::{self, Audience, ClaimFault, Claims, Expect, LEEWAY};
use super::spend::{Spend, SpendKind};
use crate::clock::Timestamp;

/// The one `client_assertion_type` that is known (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Seconds that an assertion may have left: its `jti` is kept as long.
pub const LONGEST: i64 = 300;

/// Header types that are no other kind of token (RFC 8725 §3.11).
const TYPES: [&str; 2] = ["JWT", "client-authentication+jwt"];

/// Addresses below the issuer that clients authenticate at, and may name as the audience (RFC 7523 §3, RFC 9126 §2).
const ENDPOINTS: [&str; 5] = ["/token", "/token/introspect", "/revoke", "/ext/par/request", "/auth/device"];

/// Why an assertion proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// A claim that every token has.
    #[error(transparent)]
    Claim(#[from] ClaimFault),
    /// `sub` is not the client.
    #[error("the token's subject is not the client")]
    Subject,
    /// `exp` lies further ahead than [`LONGEST`].
    #[error("the token lives for more than 300 s")]
    TooLong,
}

/// The client that an assertion says it is from, unproven: the way to its keys when the request does not name it.
#[must_use]
pub fn subject(assertion: &str) -> Option<String> {
    jws::parse(assertion).ok()?.claims.text("sub").map(str::to_owned)
}

/// The server as a request found it.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// The realm's issuer.
    pub issuer: &'a str,
    /// The realm's base under which the request came: the issuer, or another name of the server.
    pub back_channel: &'a str,
    /// The realm's base at which the server asks for certificates, when that is another (`mtls_endpoint_aliases`).
    pub certificates: Option<&'a str>,
}

/// The names of this server: the issuer, and the endpoints that such tokens are sent to.
#[must_use]
pub fn own_names(server: Server<'_>) -> Vec<String> {
    let Server { issuer, back_channel, certificates } = server;
    let others = [Some(back_channel), certificates.filter(|base| *base != back_channel)];
    let bases = std::iter::once(issuer).chain(others.into_iter().flatten().filter(|base| *base != issuer));
    let endpoints = bases
        .flat_map(|base| ENDPOINTS.iter().map(move |path| format!("{base}/protocol/openid-connect{path}")));
    std::iter::once(issuer.to_owned()).chain(endpoints).collect()
}

/// Checks the header's `typ` and the claims of an assertion that `client` signed, and gives the identifier that the
/// request uses up.
///
/// # Errors
/// [`AssertionFault`].
pub fn check(
    typ: Option<&str>,
    claims: &Claims,
    client: &Client,
    server: Server<'_>,
    now: Timestamp,
) -> Result<Spend, AssertionFault> {
    let names = own_names(server);
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let issuers = [client.client_id.as_str()];
    let expect = Expect {
        header_types: if typ.is_some() { &TYPES } else { &[] },
        audience: match client.assertion_audience() {
            AssertionAudience::Server => Audience::Among(&known),
            AssertionAudience::Issuer => Audience::Exactly(server.issuer),
        },
        needs_jti: true,
        leeway: LEEWAY,
        ..Expect::at(now, &issuers)
    };
    expect.check(typ, claims)?;
    if claims.text("sub") != Some(&client.client_id) {
        return Err(AssertionFault::Subject);
    }
    let expires = claims.time("exp").ok_or(ClaimFault::Time)?;
    if expires > now.plus(LONGEST) {
        return Err(AssertionFault::TooLong);
    }
    let jti = claims.text("jti").ok_or(ClaimFault::Identifier)?;
    Ok(Spend::new(SpendKind::ClientAssertion, &client.id, jti, expires.plus(LEEWAY)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::client::ClientSettings;
    use crate::protocol::jws::Algorithm;

    const NOW: Timestamp = Timestamp(1_000_000);
    const ISSUER: &str = "https://op.example/realms/main";
    const SERVER: Server<'_> = Server {
        issuer: ISSUER,
        back_channel: "http://op:8080/realms/main",
        certificates: Some("https://mtls.example/realms/main"),
    };

    fn client(assertion_audience: AssertionAudience) -> Client {
        let settings = ClientSettings { assertion_audience, ..ClientSettings::default() };
        let (id, realm_id, client_id) = ("c1".into(), "r1".into(), "app".into());
        Client { id, realm_id, client_id, enabled: true, secret_hash: None, settings }
    }

    /// Good claims with one changed; `null` takes it away.
    fn with(name: &str, value: Value) -> Claims {
        let mut claims = json!({
            "iss": "app", "sub": "app", "aud": ISSUER, "jti": "j1", "iat": NOW.0, "exp": NOW.0 + 60,
        });
        claims[name] = value;
        let mut members = claims.as_object().unwrap().clone();
        members.retain(|_, value| !value.is_null());
        Claims::new(members)
    }

    fn checked(claims: &Claims) -> Result<Spend, AssertionFault> {
        check(Some("JWT"), claims, &client(AssertionAudience::Server), SERVER, NOW)
    }

    #[test]
    fn c05_one_wrong_claim_is_enough() {
        use AssertionFault::{Subject, TooLong};
        let claim = AssertionFault::Claim;
        for (case, name, value, fault) in [
            (
                "a another server's endpoint",
                "aud",
                json!("https://other.example/token"),
                claim(ClaimFault::Audience),
            ),
            (
                "b ours and another's",
                "aud",
                json!([ISSUER, "https://other.example"]),
                claim(ClaimFault::Audience),
            ),
            ("c another server", "aud", json!("https://other.example"), claim(ClaimFault::Audience)),
            ("d a slash more", "aud", json!(format!("{ISSUER}/")), claim(ClaimFault::Audience)),
            (
                "the name that asks for certificates, which is no issuer",
                "aud",
                json!("https://mtls.example/realms/main"),
                claim(ClaimFault::Audience),
            ),
            ("no aud", "aud", Value::Null, claim(ClaimFault::Audience)),
            ("empty aud", "aud", json!([]), claim(ClaimFault::Audience)),
            ("another realm", "aud", json!("https://op.example/realms/other"), claim(ClaimFault::Audience)),
            (
                "the sign-in page",
                "aud",
                json!(format!("{ISSUER}/protocol/openid-connect/auth")),
                claim(ClaimFault::Audience),
            ),
            ("e exp too far", "exp", json!(NOW.0 + LONGEST + 1), TooLong),
            ("f no exp", "exp", Value::Null, claim(ClaimFault::Time)),
            ("f no iat", "iat", Value::Null, claim(ClaimFault::Time)),
            ("f no jti", "jti", Value::Null, claim(ClaimFault::Identifier)),
            ("f empty jti", "jti", json!(""), claim(ClaimFault::Identifier)),
            ("g nbf a text", "nbf", json!("99999999999"), claim(ClaimFault::Time)),
            ("h another iss", "iss", json!("other"), claim(ClaimFault::Issuer)),
            ("h no iss", "iss", Value::Null, claim(ClaimFault::Issuer)),
            ("h another sub", "sub", json!("other"), Subject),
            ("h no sub", "sub", Value::Null, Subject),
            ("expired", "exp", json!(NOW.0 - LEEWAY), claim(ClaimFault::Expired)),
            ("iat ahead", "iat", json!(NOW.0 + 61), claim(ClaimFault::NotYet)),
            ("nbf ahead", "nbf", json!(NOW.0 + LEEWAY + 1), claim(ClaimFault::NotYet)),
        ] {
            assert_eq!(checked(&with(name, value)), Err(fault), "{case}");
        }
    }

    #[test]
    fn rfc7523_3_good_assertions_are_good() {
        let endpoint = |path: &str| json!(format!("{ISSUER}/protocol/openid-connect{path}"));
        for (case, name, value) in [
            ("the issuer", "aud", json!(ISSUER)),
            ("the issuer in a list", "aud", json!([ISSUER])),
            ("the name asked by", "aud", json!("http://op:8080/realms/main/protocol/openid-connect/token")),
            (
                "the name that asks for certificates",
                "aud",
                json!("https://mtls.example/realms/main/protocol/openid-connect/token"),
            ),
            ("the token endpoint", "aud", endpoint("/token")),
            ("the introspection endpoint", "aud", endpoint("/token/introspect")),
            ("both", "aud", json!([ISSUER, endpoint("/token")])),
            ("five minutes", "exp", json!(NOW.0 + LONGEST)),
            ("a clock that is ahead", "nbf", json!(NOW.0 + LEEWAY)),
            ("a clock that is behind", "exp", json!(NOW.0 - LEEWAY + 1)),
        ] {
            assert!(checked(&with(name, value)).is_ok(), "{case}");
        }
    }

    /// FAPI 2.0 Security Profile §5.3.2.1, which rfc7523bis follows.
    #[test]
    fn c05_a_strict_client_names_the_issuer_and_nothing_else() {
        let strict = client(AssertionAudience::Issuer);
        let token = json!(format!("{ISSUER}/protocol/openid-connect/token"));
        for (aud, good) in [(json!(ISSUER), true), (json!([ISSUER]), false), (token, false)] {
            let result = check(Some("JWT"), &with("aud", aud.clone()), &strict, SERVER, NOW);
            assert_eq!(result.is_ok(), good, "{aud}");
        }
    }

    #[test]
    fn rfc8725_3_11_other_kinds_of_token_prove_nothing() {
        let client = client(AssertionAudience::Server);
        for (typ, good) in [
            (None, true),
            (Some("JWT"), true),
            (Some("client-authentication+jwt"), true),
            (Some("dpop+jwt"), false),
            (Some("at+jwt"), false),
            (Some("oauth-authz-req+jwt"), false),
        ] {
            let result = check(typ, &with("aud", json!(ISSUER)), &client, SERVER, NOW);
            assert_eq!(result.is_ok(), good, "{typ:?}");
        }
    }

    #[test]
    fn an_identifier_is_kept_as_long_as_its_assertion_is_good() {
        let spend = checked(&with("exp", json!(NOW.0 + 60))).unwrap();
        let last = NOW.plus(60 + LEEWAY - 1);
        assert!(spend.expires_at > last);
        let claims = with("exp", json!(NOW.0 + 60));
        let client = client(AssertionAudience::Server);
        assert!(check(None, &claims, &client, SERVER, last).is_ok());
        assert!(check(None, &claims, &client, SERVER, spend.expires_at).is_err());
    }

    #[test]
    fn the_registered_algorithm_is_the_only_one() {
        let with = |name: Option<&str>| {
            let mut client = client(AssertionAudience::Server);
            client.settings.token_endpoint_auth_signing_alg = name.map(str::to_owned);
            client.assertion_algorithms()
        };
        assert_eq!(with(None), Algorithm::ALL);
        assert_eq!(with(Some("PS256")), [Algorithm::PS256]);
        for name in ["HS256", "none", ""] {
            assert_eq!(with(Some(name)), [], "{name:?}");
        }
    }
}
