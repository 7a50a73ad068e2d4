//! Public keys of others as they publish them: a JWK (RFC 7517), alone or in a set (§5), read strictly.
//!
//! Owns the form, the bounds and the name of a key (RFC 7638). Leaves verifying with it to `signer::foreign`, and where
//! keys come from to their readers. What a set holds beyond what is known here is left out of it (§5); a secret never
//! is: a set with a private member or a shared secret is refused whole, so that its owner learns of it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::jws::{Algorithm, JsonFault, strict_object};

/// The longest key or set that is read, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The most keys that a set may hold, those that are left out among them.
pub const MAX_KEYS: usize = 32;

/// Members that a public key does not have (RFC 7518 §6.2.2, §6.3.2, §6.4).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Bits of an RSA modulus: below is weak (RFC 7518 §3.3), above makes each verification a burden.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Public exponents: odd ones from F4 on (FIPS 186-5 §A.1.1) that fit in 32 bits, since a long one makes each
/// verification as slow as a signature.
const EXPONENT: std::ops::RangeInclusive<u64> = 65_537..=0xffff_ffff;

/// Bytes of a coordinate on P-256, and of a public key of Ed25519.
const COORDINATE: usize = 32;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    /// The name that its owner gave it (§4.5).
    pub kid: Option<String>,
    /// The algorithm that it is for, as written (§4.4); none when it does not say.
    pub alg: Option<String>,
    /// Whether it may verify signatures, as `use` and `key_ops` say (§4.2, §4.3).
    pub verifies: bool,
    /// The key itself.
    pub material: Material,
}

/// The numbers of a public key. Whether a point lies on its curve shows when the key is made ready to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// Modulus and exponent (RFC 7518 §6.3.1), big-endian without leading zeros.
    Rsa {
        /// `n`.
        modulus: Vec<u8>,
        /// `e`.
        exponent: Vec<u8>,
    },
    /// A point on P-256 (RFC 7518 §6.2.1).
    P256 {
        /// `x`.
        x: [u8; COORDINATE],
        /// `y`.
        y: [u8; COORDINATE],
    },
    /// A public key of Ed25519 (RFC 8037 §2).
    Ed25519([u8; COORDINATE]),
}

/// Why a text is no key or set that we would use. None of them shows a byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkFault {
    /// Over [`MAX_BYTES`].
    #[error("the key set is longer than 64 KiB")]
    TooLong,
    /// Not one strict JSON object.
    #[error("the key set {0}")]
    Json(#[from] JsonFault),
    /// `keys` is missing or not a list of objects, or there are more than [`MAX_KEYS`].
    #[error("the key set must have a list \"keys\" of at most 32 objects")]
    Keys,
    /// A private member: what everybody may read is not to hold one.
    #[error("a key holds a private member; publish the public half alone")]
    Private,
    /// `oct`: a shared secret is no public key.
    #[error("a key is a shared secret (\"oct\")")]
    Symmetric,
    /// A member is missing, of the wrong type, or not base64url of the right length.
    #[error("a key's member {0:?} is missing or malformed")]
    Member(&'static str),
    /// An RSA key of under 2048 or over 8192 bits, or with an exponent that is even, under 65537 or over 32 bits.
    #[error("an RSA key must have 2048 to 8192 bits and an odd exponent from 65537 to 32 bits")]
    Weak,
    /// A type or a curve that is not known here.
    #[error("a key's type is not known here; RSA, EC on P-256 and Ed25519 are")]
    Unknown,
}

impl Jwk {
    /// Reads the members of one key.
    ///
    /// # Errors
    /// [`JwkFault`] says the first thing that is wrong with it.
    pub fn read(members: &Map<String, Value>) -> Result<Self, JwkFault> {
        let kty = text(members, "kty")?.ok_or(JwkFault::Member("kty"))?;
        if kty == "oct" {
            return Err(JwkFault::Symmetric);
        }
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(JwkFault::Private);
        }
        let material = match (kty, text(members, "crv")?) {
            ("RSA", _) => rsa(members)?,
            ("EC", Some("P-256")) => {
                Material::P256 { x: coordinate(members, "x")?, y: coordinate(members, "y")? }
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519(coordinate(members, "x")?),
            ("EC" | "OKP", None) => return Err(JwkFault::Member("crv")),
            _ => return Err(JwkFault::Unknown),
        };
        let signs = text(members, "use")?.is_none_or(|purpose| purpose == "sig");
        Ok(Self {
            kid: text(members, "kid")?.map(str::to_owned),
            alg: text(members, "alg")?.map(str::to_owned),
            verifies: signs && may_verify(members)?,
            material,
        })
    }

    /// Whether signatures of `algorithm` may be verified with this key: it is of the algorithm's type, and says nothing
    /// against it (RFC 8725 §3.1).
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::RS256 | Algorithm::PS256 => matches!(self.material, Material::Rsa { .. }),
            Algorithm::ES256 => matches!(self.material, Material::P256 { .. }),
            Algorithm::EdDSA => matches!(self.material, Material::Ed25519(_)),
        };
        // RFC 9864 gives EdDSA on Ed25519 a name of its own, which keys begin to carry.
        let named =
            |alg: &str| alg == algorithm.name() || (algorithm == Algorithm::EdDSA && alg == "Ed25519");
        kind && self.verifies && self.alg.as_deref().is_none_or(named)
    }

    /// The members that make the key what it is, `kty` among them and nothing else (RFC 7638 §3.2).
    #[must_use]
    pub fn required_members(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.material {
            Material::Rsa { modulus, exponent } => {
                json!({ "e": encode(exponent), "kty": "RSA", "n": encode(modulus) })
            }
            Material::P256 { x, y } => json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) }),
            Material::Ed25519(x) => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(x) }),
        }
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url: the same for every spelling of the same key.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.required_members())
    }
}

/// The SHA-256 thumbprint over the required members of a public key (RFC 7638 §3): sorted by name and without white
/// space. `serde_json` keeps an object sorted and writes none; a test holds it to that with the RFC's own example.
#[must_use]
pub fn thumbprint(required_members: &Value) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, required_members.to_string().as_bytes()))
}

/// A set of public keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JwkSet {
    /// The keys that are known here, in their order.
    pub keys: Vec<Jwk>,
    /// How many were left out, being of a type or a curve that is not known here (§5).
    pub left_out: usize,
}

impl JwkSet {
    /// Reads a document.
    ///
    /// # Errors
    /// [`JwkFault`]; one weak, malformed or private key is enough.
    pub fn parse(text: &[u8]) -> Result<Self, JwkFault> {
        if text.len() > MAX_BYTES {
            return Err(JwkFault::TooLong);
        }
        Self::read(&strict_object(text)?)
    }

    /// Reads the members of a set, as it stands inside of another document.
    ///
    /// # Errors
    /// [`JwkFault`], as for [`JwkSet::parse`].
    pub fn read(members: &Map<String, Value>) -> Result<Self, JwkFault> {
        let Some(Value::Array(keys)) = members.get("keys") else { return Err(JwkFault::Keys) };
        if keys.len() > MAX_KEYS {
            return Err(JwkFault::Keys);
        }
        let mut set = Self::default();
        for key in keys {
            match Jwk::read(key.as_object().ok_or(JwkFault::Keys)?) {
                Ok(key) => set.keys.push(key),
                Err(JwkFault::Unknown) => set.left_out = set.left_out.saturating_add(1),
                Err(fault) => return Err(fault),
            }
        }
        Ok(set)
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, JwkFault> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwkFault::Member(name)),
    }
}

fn may_verify(members: &Map<String, Value>) -> Result<bool, JwkFault> {
    match members.get("key_ops") {
        None => Ok(true),
        Some(Value::Array(operations)) => Ok(operations.iter().any(|operation| operation == "verify")),
        Some(_) => Err(JwkFault::Member("key_ops")),
    }
}

fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkFault> {
    let text = text(members, name)?.ok_or(JwkFault::Member(name))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwkFault::Member(name))
}

fn coordinate(members: &Map<String, Value>, name: &'static str) -> Result<[u8; COORDINATE], JwkFault> {
    bytes(members, name)?.try_into().map_err(|_| JwkFault::Member(name))
}

/// A number without leading zeros (Base64urlUInt, RFC 7518 §2).
fn number(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, JwkFault> {
    let bytes = bytes(members, name)?;
    if bytes.first().is_none_or(|first| *first == 0) { Err(JwkFault::Member(name)) } else { Ok(bytes) }
}

fn rsa(members: &Map<String, Value>) -> Result<Material, JwkFault> {
    let (modulus, exponent) = (number(members, "n")?, number(members, "e")?);
    let leading = modulus.first().map_or(0, |first| first.leading_zeros());
    let bits = modulus.len().saturating_mul(8).saturating_sub(usize::try_from(leading).unwrap_or_default());
    let value = exponent
        .iter()
        .try_fold(0_u64, |sum, byte| sum.checked_mul(256).map(|sum| sum | u64::from(*byte)))
        .filter(|value| EXPONENT.contains(value) && value % 2 == 1);
    if !MODULUS_BITS.contains(&bits) || value.is_none() {
        return Err(JwkFault::Weak);
    }
    Ok(Material::Rsa { modulus, exponent })
}

#[cfg(test)]
#[path = "jwk_tests.rs"]
mod tests;
