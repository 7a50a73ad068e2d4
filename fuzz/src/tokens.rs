//! Tokens and keys, before anything believes them.

use serde_json::Value;
use vestibule::clock::Timestamp;
use vestibule::protocol::dpop::{self, Signed};
use vestibule::protocol::jwk::{Jwk, JwkSet, MAX_BYTES, MAX_KEYS};
use vestibule::protocol::jws;

/// Z08: three parts, within bounds, and a second reader of JSON reads the same header and claims.
pub fn jws(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(token) = jws::parse(text) else { return };
    assert!(text.len() <= jws::MAX_BYTES && text.split('.').count() == 3);
    assert!(!token.signature.is_empty() && text.starts_with(token.signing_input));
    let claims = Value::Object(token.claims.members().clone());
    let again: Value = serde_json::from_str(&claims.to_string()).expect("claims are JSON");
    assert_eq!(again, claims);
}

/// Z11: no more keys than allowed, and each of them reads again from what its thumbprint covers.
pub fn key_set(bytes: &[u8]) {
    let Ok(set) = JwkSet::parse(bytes) else { return };
    assert!(bytes.len() <= MAX_BYTES && set.keys.len() <= MAX_KEYS);
    for key in &set.keys {
        let Value::Object(members) = key.required_members() else { panic!("{key:?}") };
        let again = Jwk::read(&members).expect("what was accepted is accepted again");
        assert_eq!(again.thumbprint(), key.thumbprint());
    }
}

/// Z12: a proof that is good is for this request and by a key that is fit for it.
pub fn dpop_proof(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let addresses = ["https://op.example/realms/main/protocol/openid-connect/token".to_owned()];
    let request = dpop::Request {
        method: "POST",
        addresses: &addresses,
        access_token: None,
        nonces: None,
        now: Timestamp(1_800_000_000),
    };
    let signed = |signature: dpop::Signature<'_>| match Jwk::read(signature.jwk) {
        Ok(key) if key.fits(signature.algorithm) => Signed::By(key.thumbprint()),
        _ => Signed::NoKey,
    };
    if let Ok(proof) = dpop::check(text, &request, signed) {
        assert!(dpop::is_thumbprint(&proof.jkt) && !proof.jti.is_empty());
        let claims = jws::parse(text).expect("it was read").claims;
        assert_eq!(claims.text("htm"), Some("POST"));
    }
}
