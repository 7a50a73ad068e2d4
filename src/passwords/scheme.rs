//! Stored hashes: their text, their bounds, and checking a password against one.
//!
//! Our own are `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (the PHC string format); imported ones may also be
//! `$pbkdf2-sha1$i=…$salt$hash`, `-sha256`, `-sha512`. Salt and hash are base64 without padding, strictly read.
//!
//! A stored hash decides what checking it costs, so every cost has a ceiling, and it is compared before anything is
//! allocated. The parser is our own because it must refuse, never panic, on any text (RUSTSEC-2026-0199 is a hash
//! parser that did).

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_lc_rs::{constant_time, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use vestibule_argon2id::Params;
use zeroize::Zeroizing;

use super::rooms::Rooms;

/// Most memory that a hash may ask for, in KiB: 128 MiB, twice the second choice of RFC 9106 §4.
const MAX_MEMORY: u32 = 128 * 1024;
/// Most passes over the memory.
const MAX_PASSES: u32 = 16;
/// Most lanes.
const MAX_LANES: u32 = 16;
/// Most memory times passes, in KiB: fourteen times the standard profile, about a quarter of a second.
const MAX_WORK: u64 = 512 * 1024;
/// Most iterations of PBKDF2: above OWASP's 1,300,000 for SHA-1, a second or so.
const MAX_ITERATIONS: u32 = 2_000_000;
/// The longest stored hash that is looked at, in bytes.
const MAX_TEXT: usize = 512;
const SALT: std::ops::RangeInclusive<usize> = 8..=64;
const HASH: std::ops::RangeInclusive<usize> = 16..=64;

/// A stored hash, taken apart and within bounds.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheme {
    /// Argon2id, version 1.3 (RFC 9106).
    Argon2id {
        /// What it costs.
        cost: Cost,
        /// 8 to 64 bytes.
        salt: Vec<u8>,
        /// 16 to 64 bytes.
        hash: Vec<u8>,
    },
    /// PBKDF2 (RFC 8018 §5.2), for imported users only.
    Pbkdf2 {
        /// The hash inside.
        digest: Pbkdf2Digest,
        /// How often.
        iterations: NonZeroU32,
        /// 8 to 64 bytes.
        salt: Vec<u8>,
        /// 16 to 64 bytes.
        hash: Vec<u8>,
    },
}

/// What an Argon2id hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The hash inside PBKDF2's HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pbkdf2Digest {
    /// Keycloak's `pbkdf2`.
    Sha1,
    /// Keycloak's `pbkdf2-sha256`.
    Sha256,
    /// Keycloak's `pbkdf2-sha512`.
    Sha512,
}

/// Why a stored hash cannot be used. None of them shows any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// Not a hash in one of the forms known here.
    #[error("the stored hash has an unknown form")]
    Unknown,
    /// A known form with something missing, doubled or out of place.
    #[error("the stored hash is malformed")]
    Malformed,
    /// Its cost, or a length in it, is out of bounds.
    #[error("the stored hash asks for more than is allowed here, or less than makes sense")]
    OutOfBounds,
    /// It could not be computed.
    #[error("the hash could not be computed")]
    Failed,
}

impl Scheme {
    /// The Argon2id hash of `password`.
    ///
    /// # Errors
    /// [`SchemeError`] when cost or salt are out of bounds, or there is no memory.
    pub(super) fn argon2id(
        cost: Cost,
        salt: &[u8],
        password: &[u8],
        rooms: &Rooms,
    ) -> Result<Self, SchemeError> {
        let scheme = Self::Argon2id { cost, salt: salt.to_vec(), hash: vec![0; 32] }.bounded()?;
        let hash = argon2(cost, salt, password, 32, rooms)?;
        Ok(match scheme {
            Self::Argon2id { cost, salt, .. } => Self::Argon2id { cost, salt, hash: hash.to_vec() },
            other => other,
        })
    }

    /// This scheme, if all its costs and lengths are within bounds: what an importer calls before it stores one.
    ///
    /// # Errors
    /// [`SchemeError::OutOfBounds`].
    pub fn bounded(self) -> Result<Self, SchemeError> {
        let (cost, salt, hash) = match &self {
            Self::Argon2id { cost, salt, hash } => (cost.is_bounded(), salt, hash),
            Self::Pbkdf2 { iterations, salt, hash, .. } => (iterations.get() <= MAX_ITERATIONS, salt, hash),
        };
        if cost && SALT.contains(&salt.len()) && HASH.contains(&hash.len()) {
            Ok(self)
        } else {
            Err(SchemeError::OutOfBounds)
        }
    }

    /// Whether `password` has this hash; the comparison takes the same time for every value.
    ///
    /// # Errors
    /// [`SchemeError::Failed`] when there is no memory.
    pub(super) fn verify(&self, password: &[u8], rooms: &Rooms) -> Result<bool, SchemeError> {
        match self {
            Self::Argon2id { cost, salt, hash } => {
                let computed = argon2(*cost, salt, password, hash.len(), rooms)?;
                Ok(constant_time::verify_slices_are_equal(&computed, hash).is_ok())
            }
            Self::Pbkdf2 { digest, iterations, salt, hash } => {
                Ok(pbkdf2::verify(digest.algorithm(), *iterations, salt, password, hash).is_ok())
            }
        }
    }

    /// Whether this is not as strong as a hash of ours that costs `cost`.
    pub(super) fn is_weaker_than(&self, cost: Cost) -> bool {
        match self {
            Self::Argon2id { cost: own, hash, .. } => {
                own.memory_kib < cost.memory_kib || own.passes < cost.passes || hash.len() < 32
            }
            Self::Pbkdf2 { .. } => true,
        }
    }
}

impl Cost {
    fn is_bounded(self) -> bool {
        let work = u64::from(self.memory_kib) * u64::from(self.passes);
        (1..=MAX_PASSES).contains(&self.passes)
            && (1..=MAX_LANES).contains(&self.lanes)
            && (8 * self.lanes..=MAX_MEMORY).contains(&self.memory_kib)
            && work <= MAX_WORK
    }
}

fn argon2(
    cost: Cost,
    salt: &[u8],
    password: &[u8],
    length: usize,
    rooms: &Rooms,
) -> Result<Zeroizing<Vec<u8>>, SchemeError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(length))
        .map_err(|_| SchemeError::OutOfBounds)?;
    let mut hash = Zeroizing::new(vec![0; length]);
    rooms
        .lend(params.block_count(), |memory| {
            vestibule_argon2id::hash(params, salt, password, memory, &mut hash)
        })
        .and_then(Result::ok)
        .ok_or(SchemeError::Failed)?;
    Ok(hash)
}

impl Pbkdf2Digest {
    fn algorithm(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha1 => pbkdf2::PBKDF2_HMAC_SHA1,
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "pbkdf2-sha1",
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }
}

impl FromStr for Scheme {
    type Err = SchemeError;

    fn from_str(text: &str) -> Result<Self, SchemeError> {
        if text.len() > MAX_TEXT {
            return Err(SchemeError::OutOfBounds);
        }
        let fields: Vec<&str> = text.split('$').collect();
        match fields.as_slice() {
            ["", "argon2id", "v=19", cost, salt, hash] => {
                Self::Argon2id { cost: read_cost(cost)?, salt: decode(salt)?, hash: decode(hash)? }.bounded()
            }
            ["", "argon2id", ..] => Err(SchemeError::Malformed),
            ["", name, rest @ ..] => {
                let digest = [Pbkdf2Digest::Sha1, Pbkdf2Digest::Sha256, Pbkdf2Digest::Sha512]
                    .into_iter()
                    .find(|digest| digest.name() == *name)
                    .ok_or(SchemeError::Unknown)?;
                let [iterations, salt, hash] = rest else { return Err(SchemeError::Malformed) };
                let iterations =
                    NonZeroU32::new(number(iterations, "i=")?).ok_or(SchemeError::OutOfBounds)?;
                Self::Pbkdf2 { digest, iterations, salt: decode(salt)?, hash: decode(hash)? }.bounded()
            }
            _ => Err(SchemeError::Unknown),
        }
    }
}

/// `m=…,t=…,p=…`, in that order, as the PHC format has it.
fn read_cost(text: &str) -> Result<Cost, SchemeError> {
    let fields: Vec<&str> = text.split(',').collect();
    let [memory, passes, lanes] = fields.as_slice() else { return Err(SchemeError::Malformed) };
    Ok(Cost { memory_kib: number(memory, "m=")?, passes: number(passes, "t=")?, lanes: number(lanes, "p=")? })
}

/// A decimal without sign and leading zero, after `name`.
fn number(text: &str, name: &str) -> Result<u32, SchemeError> {
    let digits = text.strip_prefix(name).ok_or(SchemeError::Malformed)?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(SchemeError::Malformed);
    }
    digits.parse().map_err(|_| SchemeError::OutOfBounds)
}

fn decode(text: &str) -> Result<Vec<u8>, SchemeError> {
    STANDARD_NO_PAD.decode(text).map_err(|_| SchemeError::Malformed)
}

impl fmt::Display for Scheme {
    /// The text for the database: it is the hash, so it belongs nowhere else.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
        match self {
            Self::Argon2id { cost: Cost { memory_kib, passes, lanes }, salt, hash } => {
                let (salt, hash) = (encode(salt), encode(hash));
                write!(out, "$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
            }
            Self::Pbkdf2 { digest, iterations, salt, hash } => {
                write!(out, "${}$i={iterations}${}${}", digest.name(), encode(salt), encode(hash))
            }
        }
    }
}

impl fmt::Debug for Scheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Argon2id { .. } => "Argon2id(***)",
            Self::Pbkdf2 { .. } => "Pbkdf2(***)",
        })
    }
}
