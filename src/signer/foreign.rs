//! Keys of others, ready to verify what they sign: a client's assertion, a proof of possession, another issuer's token.
//!
//! Owns the choice of the key and of the algorithm. The header of a token chooses neither: its `kid` picks among the
//! keys that the caller brought, its `alg` must be one that the caller allows and that the key fits (RFC 8725 §3.1).

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents,
};

use super::ring::{TokenError, VerifiedJws, take_apart};
use super::{Algorithm, KeyError};
use crate::protocol::jwk::{Jwk, JwkSet, Material};

/// A public key of somebody else, parsed once for each algorithm that it fits.
#[derive(Clone)]
pub struct PublicKey {
    kid: String,
    thumbprint: String,
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
}

impl PublicKey {
    /// Makes a key ready.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] when it is no key after all, such as a point beside its curve; [`KeyError::Missing`] when
    /// it fits no algorithm that is known here.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let mut parsed = Vec::new();
        for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| jwk.fits(*algorithm)) {
            parsed.push((algorithm, parse(algorithm, &jwk.material)?));
        }
        if parsed.is_empty() {
            return Err(KeyError::Missing);
        }
        let thumbprint = jwk.thumbprint();
        Ok(Self { kid: jwk.kid.clone().unwrap_or_else(|| thumbprint.clone()), thumbprint, parsed })
    }

    /// The name that its owner gave it, else its thumbprint (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Whether `signature` is this key's over `message` by `algorithm`; never when the key does not fit it.
    #[must_use]
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.parsed(algorithm).is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }

    fn parsed(&self, algorithm: Algorithm) -> Option<&ParsedPublicKey> {
        self.parsed.iter().find(|(fits, _)| *fits == algorithm).map(|(_, key)| key)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<_> = self.parsed.iter().map(|(algorithm, _)| algorithm).collect();
        out.debug_struct("PublicKey").field("kid", &self.kid).field("algorithms", &algorithms).finish()
    }
}

fn parse(algorithm: Algorithm, material: &Material) -> Result<ParsedPublicKey, KeyError> {
    let rejected = |_| KeyError::Rejected(algorithm);
    match material {
        Material::Rsa { modulus, exponent } => {
            let parameters = match algorithm {
                Algorithm::PS256 => &RSA_PSS_2048_8192_SHA256,
                _ => &RSA_PKCS1_2048_8192_SHA256,
            };
            let components = RsaPublicKeyComponents { n: modulus, e: exponent };
            components.to_parsed_public_key(parameters).map_err(rejected)
        }
        Material::P256 { x, y } => {
            // An uncompressed point (SEC 1 §2.3.3).
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(rejected)
        }
        Material::Ed25519(x) => ParsedPublicKey::new(&ED25519, x).map_err(rejected),
    }
}

/// What is wrong with a set that [`KeySet::is_damaged`].
pub const DAMAGED: &str = "a key is damaged: its numbers make no key";

/// Every key of somebody else that verifies.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<PublicKey>,
}

impl KeySet {
    /// The keys of `set` that fit an algorithm known here. One that is no key after all is left out: it can verify
    /// nothing, and its neighbours are none the worse.
    #[must_use]
    pub fn new(set: &JwkSet) -> Self {
        Self { keys: set.keys.iter().filter_map(|key| PublicKey::from_jwk(key).ok()).collect() }
    }

    /// Whether a key of `set` is no key after all, such as a point beside its curve: whoever registers it is told.
    #[must_use]
    pub fn is_damaged(set: &JwkSet) -> bool {
        set.keys.iter().any(|key| matches!(PublicKey::from_jwk(key), Err(KeyError::Rejected(_))))
    }

    /// Whether a key is called `kid`: when none is, its owner may have published others since.
    #[must_use]
    pub fn knows(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid == kid)
    }

    /// Whether the key with this thumbprint (RFC 7638) is among them.
    #[must_use]
    pub fn holds(&self, thumbprint: &str) -> bool {
        self.keys.iter().any(|key| key.thumbprint == thumbprint)
    }

    /// Takes a token apart and proves that a key of this set signed it, by one of the `allowed` algorithms. It is the key
    /// that the token names; a token that names none may come from the only key that fits its algorithm. The claims are
    /// still to be checked.
    ///
    /// # Errors
    /// [`TokenError`] says why it is not believed; [`TokenError::UnknownKey`] when a newer set may hold its key.
    pub fn verify(&self, token: &str, allowed: &[Algorithm]) -> Result<VerifiedJws, TokenError> {
        let jws = take_apart(token)?;
        let algorithm = allowed
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == jws.header.alg)
            .ok_or(TokenError::Algorithm)?;
        let kid = jws.header.kid.as_deref();
        let named = |key: &&PublicKey| kid.is_none_or(|kid| key.kid == kid);
        if !self.keys.iter().any(|key| named(&key)) {
            return Err(TokenError::UnknownKey);
        }
        let fitting = || self.keys.iter().filter(named).filter(|key| key.parsed(algorithm).is_some());
        match (kid, fitting().count()) {
            (Some(_), 0) => return Err(TokenError::Algorithm),
            (None, count) if count != 1 => return Err(TokenError::UnknownKey),
            _ => {}
        }
        let signs = |key: &&PublicKey| key.verifies(algorithm, jws.signing_input.as_bytes(), &jws.signature);
        // Keys of different types may share a name (RFC 7517 §4.5).
        let key = fitting().find(signs).ok_or(TokenError::Signature)?;
        Ok(VerifiedJws { kid: key.kid.clone(), typ: jws.header.typ, claims: jws.claims })
    }
}

#[cfg(test)]
#[path = "foreign_tests.rs"]
mod tests;
