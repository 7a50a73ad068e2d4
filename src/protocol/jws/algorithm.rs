//! The signature algorithms that this server knows by name.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{self, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// A signature algorithm of RFC 7518 §3.1 or RFC 8037 §3.1 that a realm's tokens may be signed with. No MAC and no
/// `none` is among them: a key whose algorithm is one of these can never be taken for a shared secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what OpenID Connect Core §15.1 asks of every provider, so the default.
    #[default]
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

/// A name that is no [`Algorithm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a signature algorithm known here; one of RS256, PS256, ES256, EdDSA is")]
pub struct UnknownAlgorithm;

impl Algorithm {
    /// Every one, the default first: the order in which metadata lists them.
    pub const ALL: [Self; 4] = [Self::RS256, Self::PS256, Self::ES256, Self::EdDSA];

    /// The name in `alg`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name).ok_or(UnknownAlgorithm)
    }
}

/// The left half of the hash of `value`, base64url: `at_hash` and `c_hash` of an ID token signed with `algorithm`
/// (OpenID Connect Core §3.1.3.6, §3.3.2.11). The hash is the one in the algorithm; for Ed25519 that is SHA-512
/// (RFC 8032 §5.1).
#[must_use]
pub fn half_hash(algorithm: Algorithm, value: &str) -> String {
    let by = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => &digest::SHA256,
        Algorithm::EdDSA => &digest::SHA512,
    };
    let hash = digest(by, value.as_bytes());
    let (half, _) = hash.as_ref().split_at(by.output_len() / 2);
    URL_SAFE_NO_PAD.encode(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_in_every_form() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
            assert_eq!(serde_json::to_value(algorithm).unwrap(), algorithm.name());
            assert_eq!(serde_json::from_value::<Algorithm>(algorithm.name().into()).unwrap(), algorithm);
        }
        assert_eq!(Algorithm::default(), Algorithm::RS256);
    }

    #[test]
    fn other_names_are_unknown() {
        for name in ["", "none", "None", "HS256", "rs256", "RS256 ", "ES384"] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name:?}");
        }
    }

    /// The examples of OpenID Connect Core §A.3, §A.4 and §A.6.
    #[test]
    fn openid_core_half_hashes() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(half_hash(Algorithm::RS256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        assert_eq!(half_hash(Algorithm::RS256, code), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn the_half_has_half_the_length_of_the_hash() {
        for (algorithm, bytes) in
            [(Algorithm::RS256, 16), (Algorithm::PS256, 16), (Algorithm::ES256, 16), (Algorithm::EdDSA, 32)]
        {
            assert_eq!(
                URL_SAFE_NO_PAD.decode(half_hash(algorithm, "x")).unwrap().len(),
                bytes,
                "{algorithm}"
            );
        }
    }
}
