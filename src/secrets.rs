//! Random values, fingerprints of secrets, comparison without a timing trace, and the type that holds a secret.
//!
//! Owns what every secret shares. Leaves sealing to [`crate::vault`], signing to [`crate::signer`] and the hashing
//! of what people choose to [`crate::passwords`].

use std::fmt;

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

/// What stands before the fingerprint of a generated client secret in its stored form.
pub const GENERATED_PREFIX: &str = "sha256:";

/// What stands before a client secret in a stored form that this server can read again.
pub const SEALED_PREFIX: &str = "sealed:";

/// What stands before a sealed client secret that the client sends as it is, in development.
pub const SHARED_PREFIX: &str = "shared:";

/// `N` bytes from the operating system's generator.
///
/// # Panics
/// When the generator fails: nothing that follows could be trusted.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    certain(SystemRandom::new().fill(&mut bytes));
    bytes
}

/// A fresh opaque value of 256 bits, as 43 characters of base64url without padding. Codes, session identifiers and
/// generated secrets are made of it.
#[must_use]
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(Zeroizing::new(random_bytes::<32>()))
}

/// The SHA-256 of `secret` as base64url without padding: what the database keeps of a random value, and finds it by.
/// Fit for values of full entropy alone; what a person chose belongs in [`crate::passwords`].
#[must_use]
pub fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(secret))
}

/// The SHA-256 of a text.
pub(crate) fn sha256(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    bytes
}

/// 128 random bits as base64url: a name that cannot be guessed and is no secret, such as `jti`.
#[must_use]
pub fn random_name() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<16>())
}

/// The stored form of a client secret that this server generated: `sha256:` and its [`fingerprint`].
#[must_use]
pub fn hash_generated(secret: &str) -> String {
    format!("{GENERATED_PREFIX}{}", fingerprint(secret))
}

/// Whether both are equal, in time that depends on their lengths alone.
#[must_use]
pub fn same(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

/// The value of a cryptographic operation that fails only when the machine is broken.
///
/// # Panics
/// When it failed all the same: the request ends, and nothing goes out in the place of what should be secret.
#[track_caller]
pub(crate) fn certain<T>(result: Result<T, Unspecified>) -> T {
    #[expect(
        clippy::panic,
        reason = "going on without randomness or a cipher would be worse than ending a request"
    )]
    result.unwrap_or_else(|_| panic!("a cryptographic primitive failed on valid input"))
}

/// A password, a client secret, a key in text: erased from memory when dropped; `Debug` and `Serialize` give `***`.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The value itself, for the one place that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(Zeroizing::new(value))
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self(Zeroizing::new(value.to_owned()))
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        same(self.expose(), other.expose())
    }
}

impl Eq for Secret {}

impl Zeroize for Secret {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_token_has_256_bits_in_base64url_and_is_never_the_same() {
        let (one, two) = (random_token(), random_token());
        assert_ne!(one, two);
        assert_eq!(URL_SAFE_NO_PAD.decode(one).unwrap().len(), 32);
    }

    #[test]
    fn random_bytes_fill_the_whole_array() {
        // Each position must be other than zero at least once in 64 draws (2⁻⁵¹² a position otherwise).
        let mut seen = [0; 40];
        for _ in 0..64 {
            for (all, byte) in seen.iter_mut().zip(random_bytes::<40>()) {
                *all |= byte;
            }
        }
        assert!(seen.iter().all(|byte| *byte != 0));
    }

    #[test]
    fn fingerprints_are_sha_256_in_base64url() {
        // FIPS 180-2 appendix B.1, "abc".
        assert_eq!(fingerprint("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(hash_generated("abc"), "sha256:ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }

    #[test]
    fn only_equal_texts_are_the_same() {
        for (name, a, b, equal) in [
            ("equal", "abc", "abc", true),
            ("both empty", "", "", true),
            ("last byte", "abc", "abd", false),
            ("prefix", "abc", "abcd", false),
            ("empty and not", "", "a", false),
        ] {
            assert_eq!(same(a, b), equal, "{name}");
            assert_eq!(Secret::from(a) == Secret::from(b), equal, "{name}");
        }
    }

    #[test]
    fn a_secret_shows_itself_only_when_asked() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(secret.expose(), "hunter2");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(format!("{:#?}", Some(&secret)), "Some(\n    ***,\n)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
    }
}
