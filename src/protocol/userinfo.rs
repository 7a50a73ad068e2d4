//! Userinfo for clients that want it signed (OpenID Connect Core §5.3.2). What is in it is said by [`super::claims`].

use serde_json::{Map, Value};

/// The claims of a signed answer: those of the plain one, from whom and for whom it is. It never says when it ends, as
/// an ID token must, so that it cannot pass for one.
#[must_use]
pub fn signed(mut claims: Map<String, Value>, client_id: &str, issuer: &str) -> Map<String, Value> {
    for name in ["exp", "nonce"] {
        claims.remove(name);
    }
    claims.insert("iss".to_owned(), issuer.into());
    claims.insert("aud".to_owned(), client_id.into());
    claims
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn core_5_3_2_it_says_from_whom_and_for_whom_it_is() {
        let Value::Object(plain) = json!({ "sub": "a", "aud": "of a mapper", "exp": 1, "email": "a@b" })
        else {
            panic!("an object")
        };
        let expected = json!({ "sub": "a", "iss": "https://id.example", "aud": "web", "email": "a@b" });
        assert_eq!(Value::Object(signed(plain, "web", "https://id.example")), expected);
    }
}
