//! The key pairs themselves, over `aws_lc_rs`: made, read, written, used.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey, RsaKeyPair, RsaParameters,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Algorithm, KeyError};

/// The first byte of an uncompressed point, and the length of each coordinate on P-256 (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
const COORDINATE: usize = 32;

/// Bytes of an RSA modulus: 2048 to 4096 bits. Beyond that a signature takes so long that a token endpoint stands.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// The smallest public exponent accepted (FIPS 186-5 §A.1.1).
const EXPONENT: u64 = 65_537;

/// A parsed private key.
pub(super) enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    /// A fresh key pair for `algorithm`; 2048 bits when it is an RSA one.
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        Ok(match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            Algorithm::ES256 => {
                Self::P256(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)?)
            }
            Algorithm::EdDSA => Self::Ed25519(Ed25519KeyPair::generate()?),
        })
    }

    /// Reads PKCS#8 (RFC 5208, for Ed25519 also RFC 5958), refusing what is too weak or too slow.
    pub(super) fn read(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let rejected = |_: KeyRejected| KeyError::Rejected(algorithm);
        Ok(match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(rejected)?;
                let exponent = pair.public_key().exponent().big_endian_without_leading_zero();
                let exponent = exponent
                    .iter()
                    .try_fold(0_u64, |sum, byte| sum.checked_mul(256).map(|sum| sum | u64::from(*byte)));
                let strong = exponent.is_none_or(|exponent| exponent >= EXPONENT && exponent % 2 == 1);
                if !MODULUS.contains(&pair.public_modulus_len()) || !strong {
                    return Err(KeyError::Weak);
                }
                Self::Rsa(pair)
            }
            Algorithm::ES256 => Self::P256(
                EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(rejected)?,
            ),
            Algorithm::EdDSA => Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(rejected)?),
        })
    }

    /// The private key as PKCS#8.
    pub(super) fn pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let bytes = match self {
            Self::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair)?.as_ref().to_vec(),
            Self::P256(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The signature's length in bytes.
    pub(super) fn signature_len(&self) -> usize {
        match self {
            Self::Rsa(pair) => pair.public_modulus_len(),
            Self::P256(_) | Self::Ed25519(_) => 64,
        }
    }

    /// Signs `message` and hands the signature to `then`.
    pub(super) fn sign<T>(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        then: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Unspecified> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match algorithm {
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut bytes = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut bytes)?;
                Ok(then(&bytes))
            }
            Self::P256(pair) => Ok(then(pair.sign(&random, message)?.as_ref())),
            Self::Ed25519(pair) => Ok(then(pair.try_sign(message)?.as_ref())),
        }
    }

    /// The parsed public key, bound to the one algorithm that it verifies.
    pub(super) fn public(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, KeyRejected> {
        match self {
            Self::Rsa(pair) => {
                let parameters: &'static RsaParameters = match algorithm {
                    Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    _ => &signature::RSA_PKCS1_2048_8192_SHA256,
                };
                ParsedPublicKey::new(parameters, pair.public_key())
            }
            Self::P256(pair) => ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key()),
            Self::Ed25519(pair) => ParsedPublicKey::new(&signature::ED25519, pair.public_key()),
        }
    }

    /// The required members of the public JWK, in the order of RFC 7638 §3.2: what its thumbprint is over.
    pub(super) fn members(&self) -> Result<Value, Unspecified> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        Ok(match self {
            Self::Rsa(pair) => {
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                json!({ "e": e, "kty": "RSA", "n": n })
            }
            Self::P256(pair) => {
                let Some((&UNCOMPRESSED, point)) = pair.public_key().as_ref().split_first() else {
                    return Err(Unspecified);
                };
                let (x, y) = point.split_at_checked(COORDINATE).ok_or(Unspecified)?;
                json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) })
            }
            Self::Ed25519(pair) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(pair.public_key().as_ref()) })
            }
        })
    }
}

/// The SubjectPublicKeyInfo of RFC 5280 §4.1, in DER.
pub(super) fn spki(key: &ParsedPublicKey) -> Result<Vec<u8>, Unspecified> {
    Ok(AsDer::<PublicKeyX509Der<'_>>::as_der(key)?.as_ref().to_vec())
}
