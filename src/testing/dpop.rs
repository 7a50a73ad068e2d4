//! A key that a test proves to hold (RFC 9449).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::protocol::dpop::ath;
use crate::protocol::jwk::thumbprint;
use crate::secrets::{certain, random_name};

/// A fresh ES256 key with which a client signs DPoP proofs.
#[derive(Clone)]
pub struct ProofKey {
    pair: Arc<EcdsaKeyPair>,
    jwk: Value,
    clock: Clock,
}

impl ProofKey {
    pub(super) fn new(clock: Clock) -> Self {
        let pair = certain(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING));
        let coordinates = pair.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = coordinates.split_at_checked(32).unwrap_or_default();
        let [x, y] = [x, y].map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        Self { pair: Arc::new(pair), jwk: json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y }), clock }
    }

    /// The public key.
    #[must_use]
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    /// The thumbprint that tokens are bound to (RFC 9449 §6.1).
    #[must_use]
    pub fn jkt(&self) -> String {
        thumbprint(&self.jwk)
    }

    /// A fresh proof for a request with this method to this address; `access_token` when it carries one.
    #[must_use]
    pub fn proof(&self, method: &str, address: &str, access_token: Option<&str>) -> String {
        self.proof_with(method, address, access_token, json!({}), json!({}))
    }

    /// The same with members of the header and of the claims changed: a value replaces, `null` removes.
    #[must_use]
    pub fn proof_with(
        &self,
        method: &str,
        address: &str,
        access_token: Option<&str>,
        header: Value,
        claims: Value,
    ) -> String {
        let now = self.clock.now().0;
        let good_header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let good_claims = json!({
            "jti": random_name(), "htm": method, "htu": address, "iat": now, "ath": access_token.map(ath),
        });
        self.sign(&changed(good_header, header), &changed(good_claims, claims))
    }

    /// Any JWT, signed by this key whatever its header says.
    #[must_use]
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = certain(self.pair.sign(&SystemRandom::new(), message.as_bytes()));
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn changed(good: Value, changes: Value) -> Value {
    let members = |value| if let Value::Object(members) = value { members } else { Map::new() };
    let mut members_of_good = members(good);
    members_of_good.extend(members(changes));
    members_of_good.retain(|_, value| !value.is_null());
    Value::Object(members_of_good)
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ProofKey").field("jkt", &self.jkt()).finish_non_exhaustive()
    }
}
