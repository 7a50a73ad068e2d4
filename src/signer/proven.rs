//! Tokens whose signature is proven: remembered for all realms together, within two bounds.
//!
//! Taken apart, a token of a person takes 8 KB, six times its length: a gateway with a thousand people would hold 8 MB, most of
//! it for nothing. To take it apart is 5 µs, to prove it 20 more. So the tokens that are shown most are kept as they were read,
//! and of the rest no more than that they are proven.

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::VerifiedJws;

/// Most bytes that the tokens kept as they were read take, about.
const MOST_BYTES: u64 = 1024 * 1024;
/// What one takes beside its claims, about.
const OVERHEAD: u64 = 512;
/// How much larger claims are in memory than in their token, about.
const UNPACKED: u64 = 6;
/// Most tokens that are known to be proven: some hundred bytes each.
const MOST_KNOWN: usize = 8192;

/// The proven tokens, by their SHA-256. That they are proven says nothing of whose key it was: a ring looks up its own.
#[derive(Debug)]
pub struct ProvenTokens {
    read: Cache<[u8; 32], Remembered, Bytes>,
    known: Cache<[u8; 32], ()>,
}

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
        Self::within(MOST_BYTES, MOST_KNOWN)
    }
}

impl ProvenTokens {
    fn within(bytes: u64, known: usize) -> Self {
        let expected = usize::try_from(bytes / (OVERHEAD * UNPACKED)).unwrap_or(usize::MAX);
        Self { read: Cache::with_weighter(expected, bytes, Bytes), known: Cache::new(known) }
    }

    /// A proven token as it was read, if it is kept.
    pub(super) fn read(&self, tag: &[u8; 32]) -> Option<VerifiedJws> {
        self.read.get(tag).map(|remembered| remembered.verified)
    }

    /// Whether this token is proven already.
    pub(super) fn knows(&self, tag: &[u8; 32]) -> bool {
        self.known.get(tag).is_some()
    }

    /// Remembers that this one is proven.
    pub(super) fn learn(&self, tag: [u8; 32]) {
        self.known.insert(tag, ());
    }

    /// Keeps one that is proven as it was read from a text of so many bytes.
    pub(super) fn keep(&self, tag: [u8; 32], verified: VerifiedJws, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let weight = bytes.saturating_mul(UNPACKED).saturating_add(OVERHEAD);
        self.read.insert(tag, Remembered { verified, weight });
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Forgets what was read, not that it was proven.
    #[cfg(test)]
    pub(super) fn forget_read(&self) {
        self.read.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::jws::Claims;
    use crate::secrets;

    #[test]
    fn large_tokens_leave_room_for_few_and_how_many_are_known_does_not_depend_on_it() {
        let verified = VerifiedJws { kid: "key".into(), typ: None, claims: Claims::default() };
        for (bytes, fewest, most) in [(1_000, 110, 153), (10_000, 10, 16)] {
            let proven = ProvenTokens::within(1_000_000, 1_000);
            let tags: Vec<_> = (0..2_000).map(|token| secrets::sha256(&format!("{bytes} {token}"))).collect();
            for tag in &tags {
                proven.learn(*tag);
                proven.keep(*tag, verified.clone(), bytes);
            }
            assert!((fewest..=most).contains(&proven.read.len()), "{bytes}: {}", proven.read.len());
            let known = tags.iter().filter(|tag| proven.knows(tag)).count();
            assert!((900..=1_100).contains(&known), "{bytes}: {known}");
        }
    }
}
