//! Tokens whose signature is proven: remembered for all realms together, within one bound.

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::VerifiedJws;

/// Most bytes that the remembered tokens of a server take, about.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// What one takes beside its claims, about.
const OVERHEAD: u64 = 512;
/// How much larger claims are in memory than in their token, about.
const UNPACKED: u64 = 3;

/// The proven tokens, by their SHA-256. That they are proven says nothing of whose key it was: a ring looks up its own.
#[derive(Debug)]
pub struct ProvenTokens(Cache<[u8; 32], Remembered, Bytes>);

#[derive(Clone, Debug)]
struct Remembered {
    verified: VerifiedJws,
    weight: u64,
}

#[derive(Clone, Debug)]
struct Bytes;

impl Weighter<[u8; 32], Remembered> for Bytes {
    fn weight(&self, _: &[u8; 32], remembered: &Remembered) -> u64 {
        remembered.weight
    }
}

impl Default for ProvenTokens {
    fn default() -> Self {
        Self::within(MOST_BYTES)
    }
}

impl ProvenTokens {
    fn within(bytes: u64) -> Self {
        let expected = usize::try_from(bytes / (OVERHEAD * UNPACKED)).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(expected, bytes, Bytes))
    }

    pub(super) fn get(&self, tag: &[u8; 32]) -> Option<VerifiedJws> {
        self.0.get(tag).map(|remembered| remembered.verified)
    }

    /// Keeps one that came as a text of so many bytes.
    pub(super) fn keep(&self, tag: [u8; 32], verified: VerifiedJws, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let weight = bytes.saturating_mul(UNPACKED).saturating_add(OVERHEAD);
        self.0.insert(tag, Remembered { verified, weight });
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jws::Claims;
    use crate::secrets;

    #[test]
    fn large_tokens_leave_room_for_few() {
        let verified = VerifiedJws { kid: "key".into(), typ: None, claims: Claims::default() };
        for (bytes, fewest, most) in [(1_000, 200, 285), (10_000, 20, 33)] {
            let proven = ProvenTokens::within(1_000_000);
            for token in 0..2_000 {
                let tag = secrets::sha256(&format!("{bytes} {token}"));
                proven.keep(tag, verified.clone(), bytes);
            }
            assert!((fewest..=most).contains(&proven.len()), "{bytes}: {}", proven.len());
        }
    }
}
