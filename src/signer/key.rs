//! One signing key: its name, its public face, and signing with it.

use std::fmt;

use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::signature::ParsedPublicKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::material::{Pair, spki};
use super::{Algorithm, SignError, append, encoded_header, signing_input};
use crate::protocol::jwk::thumbprint;
use crate::vault::{Vault, VaultError};

/// The type that most tokens carry in their header, and so the one whose header is encoded ahead.
const COMMON_TYPE: &str = "JWT";

/// Why there is no key. None of them shows a byte of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is not one PEM block `PRIVATE KEY` (RFC 7468 §10).
    #[error("not a PKCS#8 private key in PEM: {0}")]
    Pem(&'static str),
    /// Not PKCS#8, damaged, or the key of another algorithm.
    #[error("not a usable private key for {0}")]
    Rejected(Algorithm),
    /// An RSA key of under 2048 or over 4096 bits, or with a public exponent under 65537 (RFC 7518 §3.3).
    #[error("an RSA key must have 2048 to 4096 bits and an odd public exponent of at least 65537")]
    Weak,
    /// It was not opened.
    #[error(transparent)]
    Sealed(#[from] VaultError),
    /// The primitive failed.
    #[error("the key could not be made or written")]
    Primitive,
    /// A realm that has none, or asks for an algorithm that is not known.
    #[error("there is no key of the algorithm that is asked for")]
    Missing,
}

impl From<Unspecified> for KeyError {
    fn from(_: Unspecified) -> Self {
        Self::Primitive
    }
}

impl From<KeyRejected> for KeyError {
    fn from(_: KeyRejected) -> Self {
        Self::Primitive
    }
}

/// A private key, parsed once, with everything that follows from it made once.
pub struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    public: ParsedPublicKey,
    kid: String,
    jwk: Value,
    spki: String,
    certificate: Option<String>,
    common_header: String,
}

impl SigningKey {
    /// A fresh key. An RSA pair has 2048 bits and takes some 60 ms, at times four times as long: away from the
    /// runtime's threads, please.
    ///
    /// # Errors
    /// [`KeyError::Primitive`] when the generator fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::new(algorithm, Pair::generate(algorithm)?)
    }

    /// The key in a PKCS#8 document in DER (RFC 5208).
    ///
    /// # Errors
    /// [`KeyError`] when it is not one for `algorithm`, or a weak one.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        Self::new(algorithm, Pair::read(algorithm, der)?)
    }

    /// The key in the only block of a PEM text, `PRIVATE KEY` (RFC 7468 §10): unencrypted PKCS#8, which
    /// `openssl pkcs8 -topk8 -nocrypt` makes of every other form.
    ///
    /// # Errors
    /// [`KeyError`] when the text is something else, the key is not one for `algorithm`, or a weak one.
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(algorithm, &unarmour(pem)?)
    }

    /// Opens what [`SigningKey::seal`] made.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] when the vault does not open it for `aad`, another one when it is no key for `algorithm`.
    pub fn unseal(algorithm: Algorithm, sealed: &str, vault: &Vault, aad: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(algorithm, &vault.open(aad, sealed)?)
    }

    /// The private key for the database, sealed for the place `aad` (realm, row, column).
    ///
    /// # Errors
    /// [`KeyError::Primitive`] when the key cannot be written.
    pub fn seal(&self, vault: &Vault, aad: &str) -> Result<String, KeyError> {
        Ok(vault.seal(aad, &self.pair.pkcs8()?))
    }

    fn new(algorithm: Algorithm, pair: Pair) -> Result<Self, KeyError> {
        let public = pair.public(algorithm)?;
        let mut jwk = pair.members()?;
        let kid = thumbprint(&jwk);
        let info = spki(&public)?;
        let certificate = match algorithm {
            Algorithm::RS256 => Some(Certificate::of(&pair, &info, &kid)?),
            _ => None,
        };
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".into(), kid.clone().into());
            members.insert("use".into(), "sig".into());
            members.insert("alg".into(), algorithm.name().into());
            if let Some(certificate) = &certificate {
                certificate.tell(members);
            }
        }
        Ok(Self {
            algorithm,
            spki: STANDARD.encode(info),
            certificate: certificate.map(|certificate| certificate.base64()),
            common_header: encoded_header(algorithm.name(), COMMON_TYPE, &kid),
            pair,
            public,
            kid,
            jwk,
        })
    }

    /// The key's name: the SHA-256 thumbprint of its public JWK (RFC 7638).
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The one algorithm that this key signs and verifies with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public key as a JWK (RFC 7517): `kty` and its members, `kid`, `use`, `alg`, of an RS256 key its certificate; no
    /// private member.
    #[must_use]
    pub fn public_jwk(&self) -> &Value {
        &self.jwk
    }

    /// The public key as base64 of its SubjectPublicKeyInfo, which is how Keycloak's realm document shows it.
    #[must_use]
    pub fn public_spki_base64(&self) -> &str {
        &self.spki
    }

    /// The certificate of an RS256 key, which it signed itself: DER as base64, the same for ever.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Signs `claims` as a compact JWS (RFC 7515 §7.1) whose header holds `alg`, `typ` and `kid`.
    ///
    /// # Errors
    /// [`SignError`] when the claims are not JSON, or the primitive fails.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, SignError> {
        self.sign_payload(typ, &serde_json::to_vec(claims)?)
    }

    /// As [`SigningKey::sign`], of claims that are JSON text already.
    ///
    /// # Errors
    /// [`SignError::Primitive`].
    pub fn sign_json(&self, typ: &str, claims: &str) -> Result<String, SignError> {
        self.sign_payload(typ, claims.as_bytes())
    }

    fn sign_payload(&self, typ: &str, payload: &[u8]) -> Result<String, SignError> {
        let length = self.pair.signature_len();
        let token = if typ == COMMON_TYPE {
            signing_input(&self.common_header, payload, length)
        } else {
            signing_input(&encoded_header(self.algorithm.name(), typ, &self.kid), payload, length)
        };
        let signature = self
            .pair
            .sign(self.algorithm, token.as_bytes(), <[u8]>::to_vec)
            .map_err(|_| SignError::Primitive)?;
        Ok(append(token, &signature))
    }

    /// The key pair, for tests that sign what [`SigningKey::sign`] never would.
    #[cfg(test)]
    pub(super) fn pair(&self) -> &Pair {
        &self.pair
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

fn unarmour(pem: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    const BEGIN: &str = "-----BEGIN ";
    let (_, block) = pem.split_once(BEGIN).ok_or(KeyError::Pem("there is no PEM block"))?;
    let (label, rest) =
        block.split_once("-----").ok_or(KeyError::Pem("the block does not begin properly"))?;
    match label {
        "PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Pem("the key is encrypted; decrypt it first")),
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
            return Err(KeyError::Pem("an older form; `openssl pkcs8 -topk8 -nocrypt` makes PKCS#8 of it"));
        }
        _ => return Err(KeyError::Pem("the block is no private key")),
    }
    let (body, after) =
        rest.split_once("-----END PRIVATE KEY-----").ok_or(KeyError::Pem("the block does not end"))?;
    if after.contains(BEGIN) {
        return Err(KeyError::Pem("there is more than one block"));
    }
    let body: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect());
    STANDARD.decode(&*body).map(Zeroizing::new).map_err(|_| KeyError::Pem("the block is not base64"))
}
