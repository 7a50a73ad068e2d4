//! A secret that this server shares with one client, for the tokens that the client makes with it (`client_secret_jwt`).

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};

use super::ring::{TokenError, VerifiedJws, take_apart};
use crate::secrets::Secret;

/// The one algorithm for shared secrets (RFC 7518 §3.2). It is no [`super::Algorithm`]: no public key can be mixed up
/// with it.
pub const SHARED_ALGORITHM: &str = "HS256";

/// Bytes that a secret must have to be used so (RFC 7518 §3.2).
pub const SHORTEST: usize = 32;

/// The secret, ready to verify.
pub struct SharedKey(Key);

impl SharedKey {
    /// Makes a secret ready.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(Key::new(HMAC_SHA256, secret.expose().as_bytes()))
    }

    /// Takes a token apart and proves that whoever made it knows the secret. A shared secret has no name, so neither
    /// has the key in the outcome, whatever `kid` says. The claims are still to be checked.
    ///
    /// # Errors
    /// [`TokenError`] says why it is not believed.
    pub fn verify(&self, token: &str) -> Result<VerifiedJws, TokenError> {
        let jws = take_apart(token)?;
        if jws.header.alg != SHARED_ALGORITHM {
            return Err(TokenError::Algorithm);
        }
        hmac::verify(&self.0, jws.signing_input.as_bytes(), &jws.signature)
            .map_err(|_| TokenError::Signature)?;
        Ok(VerifiedJws { kid: String::new(), typ: jws.header.typ, claims: jws.claims })
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SharedKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::signer::{append, encoded_header, signing_input};

    const SECRET: &str = "a secret of at least thirty-two bytes";

    fn token(alg: &str, secret: &str) -> String {
        let claims = json!({ "sub": "app" }).to_string();
        let input = signing_input(&encoded_header(alg, "JWT", "k"), claims.as_bytes(), 32);
        let mac = hmac::sign(&Key::new(HMAC_SHA256, secret.as_bytes()), input.as_bytes());
        append(input, mac.as_ref())
    }

    /// RFC 7519 §3.1, whose key is that of RFC 7515 §A.1; and §6.1, the same claims without a signature.
    #[test]
    fn rfc7519_3_1_is_believed_and_6_1_is_not() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = SharedKey(Key::new(HMAC_SHA256, &URL_SAFE_NO_PAD.decode(key).unwrap()));
        let claims =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let signed = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.{signature}");
        let verified = key.verify(&signed).unwrap();
        assert_eq!((verified.claims.text("iss"), verified.typ.as_deref()), (Some("joe"), Some("JWT")));
        assert_eq!(verified.claims.value("exp"), Some(&json!(1_300_819_380)));
        assert_eq!(verified.claims.value("http://example.com/is_root"), Some(&json!(true)));
        assert!(key.verify(&format!("eyJhbGciOiJub25lIn0.{claims}.")).is_err());
        assert_eq!(
            key.verify(&format!("eyJhbGciOiJub25lIn0.{claims}.{signature}")),
            Err(TokenError::Algorithm)
        );
    }

    /// What another library makes of a secret that is text.
    #[test]
    fn rfc7518_3_2_a_strangers_token_is_verified() {
        let header = jsonwebtoken::Header::default();
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&header, &json!({ "sub": "app" }), &key).unwrap();
        let verified = SharedKey::new(&SECRET.into()).verify(&token).unwrap();
        assert_eq!(verified.claims.text("sub"), Some("app"));
    }

    #[test]
    fn j01_only_the_secret_and_its_algorithm_prove_anything() {
        let key = SharedKey::new(&SECRET.into());
        assert!(key.verify(&token("HS256", SECRET)).is_ok());
        for (case, token, refusal) in [
            ("another secret", token("HS256", "another"), TokenError::Signature),
            ("another algorithm", token("HS384", SECRET), TokenError::Algorithm),
            ("none", token("none", SECRET), TokenError::Algorithm),
            ("a signature's", token("ES256", SECRET), TokenError::Algorithm),
        ] {
            assert_eq!(key.verify(&token), Err(refusal), "{case}");
        }
        assert_eq!(format!("{key:?}"), "SharedKey(***)");
    }
}
