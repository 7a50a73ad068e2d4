//! Sealing with the key-encryption keys: what the database keeps secret, and what a browser carries for us unread.
//!
//! Owns the cipher and the ring of keys; the first key seals, every key opens, so that a key is replaced by putting a
//! new one before it. Leaves what is sealed, and its place (`aad`), to the caller.
//!
//! AES-256-GCM bears about 2³² random nonces under one key, which a sealed authorization request in every sign-in
//! address could reach. So each seal has a key of its own: HKDF (RFC 5869) of the key-encryption key over a random
//! salt and the `aad`. That costs a microsecond, and a value sealed for one place opens nowhere else.
//!
//! Form: base64url without padding of `version (1) ‖ key name (3) ‖ salt (12) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`.

mod file;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{self, HKDF_SHA256, Prk, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub use file::{KeyFileError, KeyFileFault};

use crate::secrets::{certain, random_bytes};

const VERSION: u8 = 1;
const NAME: usize = 3;
const SALT: usize = 12;
const NONCE: usize = 12;
const HEAD: usize = 1 + NAME + SALT + NONCE;
const TAG: usize = 16;

/// The key-encryption keys of one server: the first seals, all open.
pub struct Vault {
    first: Kek,
    others: Vec<Kek>,
}

/// Why a sealed value was not opened. None of them says anything of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// Not something that a vault made.
    #[error("the sealed value is malformed")]
    Malformed,
    /// Sealed under a key-encryption key that this server does not have.
    #[error("the sealed value needs a key-encryption key that is not here")]
    UnknownKey,
    /// Changed since it was sealed, or sealed for another place.
    #[error("the sealed value was changed, or belongs elsewhere")]
    Rejected,
}

/// A list of keys without a key in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a vault needs at least one key")]
pub struct NoKeys;

struct Kek {
    name: [u8; NAME],
    seals: Prk,
}

impl Vault {
    /// A vault with a fresh key that nothing keeps: for servers and tests that leave nothing behind.
    #[must_use]
    pub fn random() -> Self {
        Self { first: Kek::new(&Zeroizing::new(random_bytes::<32>())), others: Vec::new() }
    }

    /// A vault of these keys, the first of which seals.
    ///
    /// # Errors
    /// [`NoKeys`] when the list is empty.
    pub fn from_keys(keys: Vec<[u8; 32]>) -> Result<Self, NoKeys> {
        let keys = Zeroizing::new(keys);
        let mut keys = keys.iter().map(Kek::new);
        let first = keys.next().ok_or(NoKeys)?;
        Ok(Self { first, others: keys.collect() })
    }

    /// Seals `plaintext` for the place named by `aad` (realm, row, column), which must be named again to open it.
    #[must_use]
    pub fn seal(&self, aad: &str, plaintext: &[u8]) -> String {
        let (salt, nonce) = (random_bytes::<SALT>(), random_bytes::<NONCE>());
        let mut sealed = Vec::with_capacity(HEAD + plaintext.len() + TAG);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.first.name);
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let (_, content) = sealed.split_at_mut(HEAD);
        let key = self.first.key(&salt, aad);
        let tag = certain(key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad.as_bytes()),
            content,
        ));
        sealed.extend_from_slice(tag.as_ref());
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens what [`Vault::seal`] made for the same `aad`.
    ///
    /// # Errors
    /// [`VaultError`] says which of form, key and integrity failed.
    pub fn open(&self, aad: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| VaultError::Malformed)?;
        let (version, rest) = bytes.split_first().ok_or(VaultError::Malformed)?;
        let (name, rest) = rest.split_first_chunk::<NAME>().ok_or(VaultError::Malformed)?;
        let (salt, rest) = rest.split_first_chunk::<SALT>().ok_or(VaultError::Malformed)?;
        let (nonce, content) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Malformed)?;
        if *version != VERSION || content.len() < TAG {
            return Err(VaultError::Malformed);
        }
        // Names are short, so two keys may share one: each of them gets its try.
        let mut refusal = VaultError::UnknownKey;
        for kek in self.keys().filter(|kek| kek.name == *name) {
            match kek.open(salt, *nonce, aad, content) {
                Some(plaintext) => return Ok(plaintext),
                None => refusal = VaultError::Rejected,
            }
        }
        Err(refusal)
    }

    /// Whether `sealed` was made under the key that seals now; what was not is to be sealed again after a change of
    /// keys.
    #[must_use]
    pub fn is_current(&self, sealed: &str) -> bool {
        URL_SAFE_NO_PAD.decode(sealed).is_ok_and(|bytes| {
            bytes
                .split_first_chunk::<{ 1 + NAME }>()
                .is_some_and(|([version, name @ ..], _)| *version == VERSION && *name == self.first.name)
        })
    }

    fn keys(&self) -> impl Iterator<Item = &Kek> {
        std::iter::once(&self.first).chain(&self.others)
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Vault").field("keys", &self.keys().count()).finish()
    }
}

impl Kek {
    fn new(key: &[u8; 32]) -> Self {
        let root = Salt::new(HKDF_SHA256, b"vestibule vault 1").extract(key);
        let mut name = [0; NAME];
        certain(root.expand(&[b"name"], Length(NAME)).and_then(|okm| okm.fill(&mut name)));
        let seals = Prk::from(certain(root.expand(&[b"seal"], HKDF_SHA256)));
        Self { name, seals }
    }

    /// The key of one seal. The salt has a fixed length, so salt and place cannot run into each other.
    fn key(&self, salt: &[u8; SALT], aad: &str) -> LessSafeKey {
        let mut key = Zeroizing::new([0; 32]);
        certain(self.seals.expand(&[salt, aad.as_bytes()], Length(32)).and_then(|okm| okm.fill(&mut *key)));
        LessSafeKey::new(certain(UnboundKey::new(&AES_256_GCM, &*key)))
    }

    fn open(
        &self,
        salt: &[u8; SALT],
        nonce: [u8; NONCE],
        aad: &str,
        content: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut content = Zeroizing::new(content.to_vec());
        let length = self
            .key(salt, aad)
            .open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad.as_bytes()), &mut content)
            .ok()?
            .len();
        content.truncate(length);
        Some(content)
    }
}

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: &str = "signing_key/realm-1/key-1/private";

    fn vault(keys: &[u8]) -> Vault {
        Vault::from_keys(keys.iter().map(|key| [*key; 32]).collect()).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_place_only() {
        let vault = vault(&[1]);
        let sealed = vault.seal(PLACE, b"private");
        assert_eq!(vault.open(PLACE, &sealed).unwrap().as_slice(), b"private");
        for (name, place) in [
            ("another realm", "signing_key/realm-2/key-1/private"),
            ("another column", "signing_key/realm-1/key-1/public"),
            ("longer", "signing_key/realm-1/key-1/private2"),
            ("nowhere", ""),
        ] {
            assert_eq!(vault.open(place, &sealed), Err(VaultError::Rejected), "{name}");
        }
    }

    #[test]
    fn sealing_twice_gives_two_values() {
        let vault = vault(&[1]);
        assert_ne!(vault.seal(PLACE, b"same"), vault.seal(PLACE, b"same"));
    }

    #[test]
    fn the_first_key_seals_and_every_key_opens() {
        let (old, both, new) = (vault(&[1]), vault(&[2, 1]), vault(&[2]));
        let before = old.seal(PLACE, b"x");
        assert!(both.open(PLACE, &before).is_ok(), "the old key still opens");
        assert!(!both.is_current(&before));
        let after = both.seal(PLACE, b"x");
        assert!(both.is_current(&after));
        assert!(new.open(PLACE, &after).is_ok(), "the new key seals");
        assert_eq!(old.open(PLACE, &after), Err(VaultError::UnknownKey));
        assert_eq!(new.open(PLACE, &before), Err(VaultError::UnknownKey));
    }

    #[test]
    fn a_vault_without_keys_is_refused() {
        assert_eq!(Vault::from_keys(Vec::new()).err(), Some(NoKeys));
    }

    #[test]
    fn other_forms_are_malformed() {
        let vault = vault(&[1]);
        let sealed = vault.seal(PLACE, b"");
        let mut version_two = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        version_two[0] = 2;
        for (name, text) in [
            ("nothing", String::new()),
            ("not base64url", format!("{sealed}+")),
            ("padding", format!("{sealed}=")),
            ("white space", format!(" {sealed}")),
            ("shorter than a tag", sealed[..sealed.len() - 3].to_owned()),
            ("another version", URL_SAFE_NO_PAD.encode(version_two)),
        ] {
            assert_eq!(vault.open(PLACE, &text), Err(VaultError::Malformed), "{name}");
        }
    }

    /// A database outlives the program: what cannot read this any more strands every one of them. Made by another
    /// implementation of the form (Python's `cryptography`).
    #[test]
    fn a_value_sealed_by_the_first_release_still_opens() {
        let sealed = "AWJuZQABAgMEBQYHCAkKC2RlZmdoaWprbG1ub_3t6v1L1G4dmV_5FTl-yRcDzHim2yo9";
        assert_eq!(vault(&[1]).open(PLACE, sealed).unwrap().as_slice(), b"private");
    }

    #[test]
    fn the_printed_vault_shows_no_key() {
        assert_eq!(format!("{:?}", vault(&[7, 8])), "Vault { keys: 2 }");
    }

    proptest! {
        #[test]
        fn any_content_comes_back(content: Vec<u8>, place: String) {
            let vault = vault(&[3]);
            prop_assert_eq!(vault.open(&place, &vault.seal(&place, &content)).unwrap().to_vec(), content);
        }

        #[test]
        fn any_change_is_noticed(content: Vec<u8>, at: prop::sample::Index, bit in 0..8_u8) {
            let vault = vault(&[3]);
            let mut bytes = URL_SAFE_NO_PAD.decode(vault.seal(PLACE, &content)).unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(vault.open(PLACE, &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text: String) {
            prop_assert!(vault(&[3]).open(PLACE, &text).is_err());
        }
    }
}
