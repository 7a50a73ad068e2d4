//! The realm's MAC key: tokens that only this server reads, its refresh tokens, cost a hash instead of a signature.

use std::fmt;

use aws_lc_rs::hmac::{self, HMAC_SHA512, Key};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use zeroize::Zeroizing;

use super::ring::{TokenError, VerifiedJws, take_apart};
use super::{KeyError, SignError, append, encoded_header, signing_input};
use crate::secrets::random_bytes;
use crate::vault::{Vault, VaultError};

/// The algorithm's name (RFC 7518 §3.2). It is no [`super::Algorithm`]: no public key can be mixed up with it.
const ALG: &str = "HS512";

/// As long as the hash, which RFC 7518 §3.2 asks for.
const LENGTH: usize = 64;

/// A key for HMAC with SHA-512 that never leaves the realm, not even as a public half.
pub struct MacKey {
    bytes: Zeroizing<[u8; LENGTH]>,
    key: Key,
    kid: String,
    header: String,
}

impl MacKey {
    /// A fresh key.
    #[must_use]
    pub fn generate() -> Self {
        Self::new(Zeroizing::new(random_bytes()))
    }

    /// Opens what [`MacKey::seal`] made.
    ///
    /// # Errors
    /// [`KeyError::Sealed`] when the vault does not open it for `aad`, or it is no such key.
    pub fn unseal(sealed: &str, vault: &Vault, aad: &str) -> Result<Self, KeyError> {
        let bytes = vault.open(aad, sealed)?;
        let bytes = bytes.as_slice().try_into().map_err(|_| VaultError::Malformed)?;
        Ok(Self::new(Zeroizing::new(bytes)))
    }

    /// The key for the database, sealed for the place `aad`.
    #[must_use]
    pub fn seal(&self, vault: &Vault, aad: &str) -> String {
        vault.seal(aad, &*self.bytes)
    }

    fn new(bytes: Zeroizing<[u8; LENGTH]>) -> Self {
        let key = Key::new(HMAC_SHA512, &*bytes);
        // A name must not be a plain hash of the key: this one is as hard to go back from as any other MAC of it.
        let name = hmac::sign(&key, b"vestibule key name");
        let (name, _) = name.as_ref().split_at(16);
        let kid = URL_SAFE_NO_PAD.encode(name);
        Self { header: encoded_header(ALG, "JWT", &kid), bytes, key, kid }
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The keyed hash of `text`, as base64url: the same for the same text, and no way back.
    #[must_use]
    pub fn digest(&self, text: &str) -> String {
        let mac = hmac::sign(&self.key, text.as_bytes());
        let (half, _) = mac.as_ref().split_at(LENGTH / 2);
        URL_SAFE_NO_PAD.encode(half)
    }

    /// Signs `claims` as a compact JWS of type `JWT`.
    ///
    /// # Errors
    /// [`SignError::Claims`] when they are not JSON.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        let token = signing_input(&self.header, &serde_json::to_vec(claims)?, LENGTH);
        let mac = hmac::sign(&self.key, token.as_bytes());
        Ok(append(token, mac.as_ref()))
    }

    /// Whether a token has the header that [`MacKey::sign`] writes.
    pub(super) fn heads(&self, token: &str) -> bool {
        token.strip_prefix(self.header.as_str()).is_some_and(|rest| rest.starts_with('.'))
    }

    /// Takes a token apart and proves that this key signed it. The claims are still to be checked.
    ///
    /// # Errors
    /// [`TokenError`] says why it is not believed.
    pub fn verify(&self, token: &str) -> Result<VerifiedJws, TokenError> {
        let jws = take_apart(token)?;
        if jws.header.kid.as_deref() != Some(self.kid()) {
            return Err(TokenError::UnknownKey);
        }
        if jws.header.alg != ALG {
            return Err(TokenError::Algorithm);
        }
        hmac::verify(&self.key, jws.signing_input.as_bytes(), &jws.signature)
            .map_err(|_| TokenError::Signature)?;
        Ok(VerifiedJws { kid: self.kid.clone(), typ: jws.header.typ, claims: jws.claims })
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("MacKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
