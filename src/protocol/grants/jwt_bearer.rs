//! A token as an authorization grant (RFC 7523 §2.1): one that the client signed itself, or one of an issuer that the
//! client is registered with, such as the platform that it runs on. Either way the client gets what `client_credentials`
//! would give it. Leaves the signature to `signer`, and using the token's `jti` up to the store.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::client_assertion::{AssertionFault, Server, own_names};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jws::{self, Audience, ClaimFault, Claims, Expect, LEEWAY};
use crate::protocol::spend::{Spend, SpendKind};

/// Seconds that the token of an issuer may have left: platforms give them an hour.
pub const LONGEST: i64 = 3_600;

/// The answer to an assertion that grants nothing, whatever is wrong with it (RFC 7523 §3.1). It is the same for a client
/// that does not exist or may not use the grant, so that it tells nothing about who is registered (attacks C01).
#[must_use]
pub fn not_valid() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "The assertion is not valid")
}

/// Somebody for whom an issuer speaks, and whom a client is as good as.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustedSubject {
    /// `iss`, to the byte.
    pub issuer: String,
    /// `sub`, to the byte.
    pub subject: String,
    /// Where the issuer publishes its keys.
    pub jwks_uri: String,
}

/// Who is to have signed a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer<'a> {
    /// The client itself, with one of its keys.
    Client,
    /// An issuer that it is registered with.
    Issuer(&'a TrustedSubject),
}

/// Who is to have signed `assertion` when `client` shows it, by what it says of itself, unproven.
#[must_use]
pub fn signer<'a>(client: &'a Client, assertion: &str) -> Option<Signer<'a>> {
    let claims = jws::parse(assertion).ok()?.claims;
    let (issuer, subject) = (claims.text("iss")?, claims.text("sub")?);
    if issuer == client.client_id {
        return Some(Signer::Client);
    }
    let named = |trusted: &&TrustedSubject| trusted.issuer == issuer && trusted.subject == subject;
    client.settings.jwt_bearer.iter().find(named).map(Signer::Issuer)
}

/// Checks the header's `typ` and the claims of a token that the issuer of `trusted` signed, and gives the identifier that
/// the request uses up (RFC 7523 §3).
///
/// # Errors
/// [`AssertionFault`].
pub fn check(
    typ: Option<&str>,
    claims: &Claims,
    trusted: &TrustedSubject,
    server: Server<'_>,
    now: Timestamp,
) -> Result<Spend, AssertionFault> {
    let names = own_names(server);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let issuers = [trusted.issuer.as_str()];
    let expect = Expect {
        // An access or ID token of the issuer has another type, or another audience (RFC 8725 §3.11).
        header_types: if typ.is_some() { &["JWT"] } else { &[] },
        audience: Audience::Among(&names),
        needs_jti: true,
        leeway: LEEWAY,
        ..Expect::at(now, &issuers)
    };
    expect.check(typ, claims)?;
    if claims.text("sub") != Some(&trusted.subject) {
        return Err(AssertionFault::Subject);
    }
    let expires = claims.time("exp").ok_or(ClaimFault::Time)?;
    if expires > now.plus(LONGEST) {
        return Err(AssertionFault::TooLong);
    }
    let jti = claims.text("jti").ok_or(ClaimFault::Identifier)?;
    Ok(Spend::new(SpendKind::IssuerAssertion, &trusted.issuer, jti, expires.plus(LEEWAY)))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::client::ClientSettings;

    const NOW: Timestamp = Timestamp(1_000_000);
    const ISSUER: &str = "https://op.example/realms/main";
    const SERVER: Server<'_> = Server { issuer: ISSUER, back_channel: ISSUER, certificates: None };

    fn trusted() -> TrustedSubject {
        TrustedSubject {
            issuer: "https://ci.example".into(),
            subject: "repo:acme/app".into(),
            jwks_uri: "https://ci.example/jwks".into(),
        }
    }

    fn with(name: &str, value: Value) -> Claims {
        let mut claims = json!({
            "iss": "https://ci.example", "sub": "repo:acme/app", "aud": ISSUER, "jti": "j1",
            "iat": NOW.0, "exp": NOW.0 + 600,
        });
        claims[name] = value;
        let mut members = claims.as_object().unwrap().clone();
        members.retain(|_, value| !value.is_null());
        Claims::new(members)
    }

    #[test]
    fn rfc7523_3_one_wrong_claim_is_enough() {
        let checked = |typ, claims: &Claims| check(typ, claims, &trusted(), SERVER, NOW);
        assert!(checked(Some("JWT"), &with("aud", json!(ISSUER))).is_ok());
        assert!(checked(None, &with("exp", json!(NOW.0 + LONGEST))).is_ok());
        assert!(checked(Some("at+jwt"), &with("aud", json!(ISSUER))).is_err());
        for (case, name, value) in [
            ("another issuer", "iss", json!("https://ci.example/")),
            ("another subject", "sub", json!("repo:acme/other")),
            ("no subject", "sub", Value::Null),
            ("another audience", "aud", json!("https://other.example")),
            ("ours and another", "aud", json!([ISSUER, "https://other.example"])),
            ("no audience", "aud", Value::Null),
            ("no identifier", "jti", Value::Null),
            ("no end", "exp", Value::Null),
            ("an end too far", "exp", json!(NOW.0 + LONGEST + 1)),
            ("expired", "exp", json!(NOW.0 - LEEWAY)),
            ("not yet", "nbf", json!(NOW.0 + LEEWAY + 1)),
            ("no beginning", "iat", Value::Null),
        ] {
            assert!(checked(Some("JWT"), &with(name, value)).is_err(), "{case}");
        }
    }

    #[test]
    fn a_client_or_its_issuer_signs_and_nobody_else() {
        let settings = ClientSettings { jwt_bearer: vec![trusted()], ..ClientSettings::default() };
        let client = Client {
            id: "c1".into(),
            realm_id: "r1".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings,
        };
        let token = |iss: &str, sub: &str| {
            let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let (header, claims) = (json!({ "alg": "ES256" }), json!({ "iss": iss, "sub": sub }));
            format!("{}.{}.{}", encode(header), encode(claims), "AAAA")
        };
        for (iss, sub, expected) in [
            ("app", "app", Some(Signer::Client)),
            ("https://ci.example", "repo:acme/app", Some(Signer::Issuer(&trusted()))),
            ("https://ci.example", "repo:acme/other", None),
            ("https://other.example", "repo:acme/app", None),
            ("other", "app", None),
        ] {
            assert_eq!(signer(&client, &token(iss, sub)), expected, "{iss} {sub}");
        }
        assert_eq!(signer(&client, "x.y.z"), None);
    }
}
