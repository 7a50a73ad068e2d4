//! Other issuers whose tokens a realm takes in exchange (RFC 8693 §2.1), each by what was configured about it alone.
//!
//! Owns what a token of theirs must say, and the name by which its user is looked up here. Leaves keys and signatures to
//! the signer, and which client may exchange whose tokens to `grants::token_exchange`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jws::{Algorithm, Audience, ClaimFault, Claims, Expect, LEEWAY};
use super::user::{User, canonical};
use crate::clock::Timestamp;

/// An issuer as it is configured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrustedIssuer {
    /// `iss` of its tokens, compared to the byte.
    pub issuer: String,
    /// Whether its tokens are not taken for now.
    #[serde(skip_serializing_if = "is_off")]
    pub disabled: bool,
    /// Its keys (RFC 7517 §5); none when they are at `jwks_uri`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Where it publishes its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// What `aud` of its tokens must name.
    pub audience: String,
    /// Algorithms that its tokens may be signed with; empty = every one that is known here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub algorithms: Vec<String>,
    /// Claims that must be there with exactly this text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
    /// How its users are found here.
    pub user_by: UserBy,
    /// The claim that holds the name; none = `preferred_username` or `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_claim: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(switch: &bool) -> bool {
    !switch
}

/// How a foreign user is found among our own. Nobody is made who is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserBy {
    /// By user name.
    #[default]
    Username,
    /// By e-mail address, which both sides must have proven.
    Email,
}

impl TrustedIssuer {
    /// The algorithms that its tokens may be signed with.
    #[must_use]
    pub fn algorithms(&self) -> Vec<Algorithm> {
        if self.algorithms.is_empty() {
            return Algorithm::ALL.to_vec();
        }
        self.algorithms.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// Whether a token with this header `typ` and these claims, whose signature is proven, may stand for its user.
    ///
    /// # Errors
    /// [`ClaimFault`].
    pub fn check(&self, typ: Option<&str>, claims: &Claims, now: Timestamp) -> Result<(), ClaimFault> {
        let header_types: &[&str] = if typ.is_none() { &[] } else { &["JWT", "at+jwt"] };
        let issuers = [self.issuer.as_str()];
        let expect = Expect {
            header_types,
            audience: Audience::Contains(&self.audience),
            leeway: LEEWAY,
            ..Expect::at(now, &issuers)
        };
        expect.check(typ, claims)?;
        // Tokens that tell of events, such as logout tokens, say nothing of who is there now (attacks X05).
        let of_event = claims.value("events").is_some();
        let as_configured = |(name, text): (&String, &String)| claims.text(name) == Some(text);
        if of_event || !self.claims.iter().all(as_configured) {
            return Err(ClaimFault::Type);
        }
        Ok(())
    }

    /// The name by which the token's user is to be looked up; none when the token does not say, or has an address that
    /// was not proven. It is taken as it is spelt but for the case of its ASCII letters: what else this server folds into
    /// one account may be two elsewhere.
    #[must_use]
    pub fn name_of_user(&self, claims: &Claims) -> Option<String> {
        let standard = match self.user_by {
            UserBy::Username => "preferred_username",
            UserBy::Email => "email",
        };
        let name = claims.text(self.user_claim.as_deref().unwrap_or(standard))?;
        let proven = claims.value("email_verified") == Some(&Value::Bool(true));
        let usable = self.user_by == UserBy::Username || proven;
        let spelt = name.to_ascii_lowercase();
        Some(spelt).filter(|name| usable && !name.is_empty() && *name == canonical(name))
    }

    /// Whether `user`, found by `name`, is who is meant: an address that is somebody's user name does not make it theirs.
    #[must_use]
    pub fn is_meant(&self, user: &User, name: &str) -> bool {
        let of_person = user.service_account_client.is_none();
        let by_name = match self.user_by {
            UserBy::Username => user.username == name,
            UserBy::Email => {
                user.email_verified && user.email.as_deref().map(canonical).as_deref() == Some(name)
            }
        };
        of_person && by_name
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn issuer() -> TrustedIssuer {
        TrustedIssuer {
            issuer: "https://idp.example".into(),
            audience: "vestibule".into(),
            claims: BTreeMap::from([("tenant".to_owned(), "acme".to_owned())]),
            ..TrustedIssuer::default()
        }
    }

    fn claims(changes: &[(&str, Value)]) -> Claims {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": ["vestibule", "other"], "sub": "17", "iat": 990, "exp": 1_300,
            "tenant": "acme", "preferred_username": "Alice", "email": "Alice@Example.com", "email_verified": true,
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        Claims::new(claims.as_object().unwrap().clone())
    }

    #[test]
    fn x05_x07d_what_a_foreign_token_must_say() {
        for (row, typ, changes, good) in [
            ("good", Some("JWT"), &[][..], true),
            ("an access token", Some("at+jwt"), &[], true),
            ("no type", None, &[], true),
            ("a logout token by its type", Some("logout+jwt"), &[], false),
            ("a logout token by its claim", Some("JWT"), &[("events", json!({}))], false),
            ("another issuer", Some("JWT"), &[("iss", json!("https://idp.example/"))], false),
            ("another audience", Some("JWT"), &[("aud", json!("other"))], false),
            ("no audience", Some("JWT"), &[("aud", Value::Null)], false),
            ("expired", Some("JWT"), &[("exp", json!(990))], false),
            ("just expired, by another clock", Some("JWT"), &[("exp", json!(995))], true),
            ("not yet", Some("JWT"), &[("nbf", json!(1_100))], false),
            ("no end", Some("JWT"), &[("exp", Value::Null)], false),
            ("another tenant", Some("JWT"), &[("tenant", json!("evil"))], false),
            ("no tenant", Some("JWT"), &[("tenant", Value::Null)], false),
            ("tenants in a list", Some("JWT"), &[("tenant", json!(["acme"]))], false),
        ] {
            assert_eq!(issuer().check(typ, &claims(changes), NOW).is_ok(), good, "{row}");
        }
    }

    #[test]
    fn a_foreign_user_is_looked_up_by_a_name_that_was_proven() {
        let by_email = TrustedIssuer { user_by: UserBy::Email, ..issuer() };
        let by_claim = TrustedIssuer { user_claim: Some("login".into()), ..issuer() };
        let unproven = [("email_verified", json!(false))];
        for (row, issuer, changes, expected) in [
            ("user name", &issuer(), &[][..], Some("alice")),
            ("no user name", &issuer(), &[("preferred_username", Value::Null)], None),
            ("empty", &issuer(), &[("preferred_username", json!(""))], None),
            ("a look-alike", &issuer(), &[("preferred_username", json!("\u{ff41}lice"))], None),
            (
                "an address in capitals",
                &by_email,
                &[("email", json!("ALICE@Example.com"))],
                Some("alice@example.com"),
            ),
            ("a look-alike address", &by_email, &[("email", json!("\u{ff41}lice@example.com"))], None),
            ("a claim that is named", &by_claim, &[("login", json!("bob"))], Some("bob")),
            ("a claim that is not there", &by_claim, &[], None),
            ("address", &by_email, &[], Some("alice@example.com")),
            ("address that was not proven", &by_email, &unproven, None),
            ("address that says it in words", &by_email, &[("email_verified", json!("true"))], None),
        ] {
            assert_eq!(issuer.name_of_user(&claims(changes)).as_deref(), expected, "{row}");
        }
    }

    #[test]
    fn a_user_name_that_looks_like_an_address_is_not_that_address() {
        let user = |username: &str, email: Option<&str>, verified: bool| User {
            email: email.map(str::to_owned),
            email_verified: verified,
            ..User::new("r", "u", username, Timestamp(0))
        };
        let by_email = TrustedIssuer { user_by: UserBy::Email, ..issuer() };
        let address = "alice@example.com";
        assert!(by_email.is_meant(&user("alice", Some("Alice@example.com"), true), address));
        assert!(!by_email.is_meant(&user("alice", Some(address), false), address), "not proven here");
        assert!(!by_email.is_meant(&user(address, Some("eve@example.com"), true), address));
        assert!(issuer().is_meant(&user("alice", None, false), "alice"));
        let service =
            User { service_account_client: Some("c".into()), ..user("service-account-c", None, false) };
        assert!(!issuer().is_meant(&service, "service-account-c"));
    }
}
