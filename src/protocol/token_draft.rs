//! A token's claims without those that every issue makes anew: what a service's next token can begin with, since nothing
//! else of it changes as long as the realm does not.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::clock::Timestamp;

/// What each issue makes anew.
const FRESH: [&str; 3] = ["exp", "iat", "jti"];

/// The claims as JSON text, to be finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenDraft {
    /// An object whose closing brace is missing; never an empty one.
    text: String,
    scope: String,
}

impl TokenDraft {
    /// From the claims of a token that was granted `scope`.
    #[must_use]
    pub fn new(mut claims: Map<String, Value>, scope: String) -> Self {
        for name in FRESH {
            claims.remove(name);
        }
        let mut text = Value::Object(claims).to_string();
        text.pop();
        Self { text, scope }
    }

    /// `scope` of the token response.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The claims of a token issued now, as JSON text.
    #[must_use]
    pub fn finish(&self, jti: &str, now: Timestamp, lifetime: i64) -> String {
        let mut text = String::with_capacity(self.text.len() + jti.len() + 64);
        text.push_str(&self.text);
        if self.text.len() > 1 {
            text.push(',');
        }
        let (exp, iat) = (now.plus(lifetime).0, now.0);
        // Writing to a string cannot fail; the name is a text like any other, and is escaped as one.
        let _ = write!(text, r#""exp":{exp},"iat":{iat},"jti":{}}}"#, Value::from(jti));
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(claims: Value) -> TokenDraft {
        let Value::Object(claims) = claims else { panic!("not an object") };
        TokenDraft::new(claims, "email".into())
    }

    #[test]
    fn a_finished_draft_says_what_the_claims_said_but_for_this_issue() {
        for (name, claims) in [
            ("a token", json!({"aud": "api", "exp": 1, "iat": 2, "jti": "old", "sub": "\"quoted\""})),
            ("nothing else", json!({"exp": 1})),
            ("nothing at all", json!({})),
        ] {
            let mut expected = claims.clone();
            for (member, value) in [("exp", json!(1_300)), ("iat", json!(1_000)), ("jti", json!("a\"b"))] {
                expected[member] = value;
            }
            let finished = draft(claims).finish("a\"b", Timestamp(1_000), 300);
            assert_eq!(serde_json::from_str::<Value>(&finished).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn every_member_stands_once() {
        let text = draft(json!({"exp": 1, "jti": "x", "sub": "s"})).finish("y", Timestamp(1), 1);
        assert!(crate::protocol::jws::strict_object(text.as_bytes()).is_ok(), "{text}");
    }
}
