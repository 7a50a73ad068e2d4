//! A key pair that is made for a client and handed to it: nothing here keeps the private half.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::material::{Pair, spki};
use super::{Algorithm, KeyError};
use crate::protocol::jwk::thumbprint;

/// An RSA key pair of 2048 bits.
pub struct ClientKey {
    /// The private key: PKCS#8 (RFC 5208) in DER, as base64 without armour.
    pub private: Zeroizing<String>,
    /// The certificate of the public one, which the key signed itself: DER, as base64 without armour.
    pub certificate: String,
}

impl ClientKey {
    /// A fresh one. It takes as long as [`super::SigningKey::generate`]: away from the runtime's threads, please.
    ///
    /// # Errors
    /// [`KeyError::Primitive`] when the generator fails.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = Pair::generate(Algorithm::RS256)?;
        let info = spki(&pair.public(Algorithm::RS256)?)?;
        let certificate = Certificate::of(&pair, &info, &thumbprint(&pair.members()?))?;
        let private = Zeroizing::new(STANDARD.encode(pair.pkcs8()?.as_slice()));
        Ok(Self { private, certificate: certificate.base64() })
    }
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("ClientKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}
