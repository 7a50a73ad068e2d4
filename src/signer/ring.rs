//! The keys of a realm at a moment: which one signs, which ones are published, which ones verify.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use quick_cache::sync::Cache;
use serde::Serialize;

use super::{Algorithm, MacKey, SignError, SigningKey};
use crate::clock::Timestamp;
use crate::protocol::jws::{self, Claims, Jws, JwsError};
use crate::secrets;

/// A signing key with its time.
#[derive(Clone, Debug)]
pub struct RingKey {
    /// The key.
    pub key: Arc<SigningKey>,
    /// When it may begin to sign. It is published before, so that others know it by then.
    pub signs_from: Timestamp,
    /// When it stops being published and believed; `None` while no end is set.
    pub served_until: Option<Timestamp>,
}

/// A token whose signature is proven. Its claims are still to be checked ([`jws::Expect`]).
#[derive(Clone, Debug, PartialEq)]
pub struct VerifiedJws {
    /// The name of the key that signed it.
    pub kid: String,
    /// The header's `typ`.
    pub typ: Option<String>,
    /// The payload's members.
    pub claims: Claims,
}

/// Why a token is not believed. To a caller outside they are all one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is not a token that we would read.
    #[error(transparent)]
    Form(#[from] JwsError),
    /// Its header brings a key or points to one (RFC 8725 §3.10).
    #[error("the token brings its own key")]
    BringsKey,
    /// It names no key, one that is not known, or one whose time is over.
    #[error("the token names no key that is known")]
    UnknownKey,
    /// Its `alg` is not the one of the key that it names (RFC 8725 §3.1).
    #[error("the token names another algorithm than its key's")]
    Algorithm,
    /// The key did not sign it.
    #[error("the token's signature is wrong")]
    Signature,
}

/// How many proven tokens are remembered.
const REMEMBERED: usize = 512;

/// The keys of one realm, as of one moment; another is made when the keys change or [`KeyRing::changes_at`] comes.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<RingKey>,
    by_kid: HashMap<String, usize>,
    signers: HashMap<Algorithm, Arc<SigningKey>>,
    jwks: Bytes,
    changes_at: Option<Timestamp>,
    mac: MacKey,
    proven: Cache<[u8; 32], VerifiedJws>,
}

impl KeyRing {
    /// The ring of these keys as of `now`. Keys whose time is over are left out.
    #[must_use]
    pub fn new(mut keys: Vec<RingKey>, mac: MacKey, now: Timestamp) -> Self {
        keys.retain(|key| key.is_served(now));
        // Newest first, and the same order on every node whatever order the keys were read in. Of two that begin together
        // (two rotations in one second) the one with an end gives way.
        keys.sort_by(|a, b| {
            let ends = a.served_until.is_some().cmp(&b.served_until.is_some());
            b.signs_from.cmp(&a.signs_from).then(ends).then_with(|| a.key.kid().cmp(b.key.kid()))
        });
        let mut signers = HashMap::new();
        for key in keys.iter().filter(|key| key.signs_from <= now) {
            signers.entry(key.key.algorithm()).or_insert_with(|| Arc::clone(&key.key));
        }
        let by_kid = keys.iter().enumerate().map(|(at, key)| (key.key.kid().to_owned(), at)).collect();
        let changes_at = keys
            .iter()
            .flat_map(|key| [Some(key.signs_from), key.served_until])
            .flatten()
            .filter(|at| *at > now)
            .min();
        let proven = Cache::new(REMEMBERED);
        Self { jwks: document(&keys, &signers), keys, by_kid, signers, changes_at, mac, proven }
    }

    /// The key that signs with `algorithm`: the newest one of it that may sign already.
    #[must_use]
    pub fn signer(&self, algorithm: Algorithm) -> Option<&SigningKey> {
        self.signers.get(&algorithm).map(AsRef::as_ref)
    }

    /// The JWK Set (RFC 7517 §5) as bytes made once: every key that is published, also before it signs.
    #[must_use]
    pub fn jwks(&self) -> &Bytes {
        &self.jwks
    }

    /// The published keys, newest first.
    #[must_use]
    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// When this ring is no longer right and another is to be made; `None` while no key has such a moment ahead.
    #[must_use]
    pub fn changes_at(&self) -> Option<Timestamp> {
        self.changes_at
    }

    /// Takes a token apart and proves that a key of this ring signed it, with that key's algorithm whatever the
    /// header says. The claims are still to be checked.
    ///
    /// A token is shown many times, by a gateway with each request, and its signature says the same each time: proven ones
    /// are remembered by their SHA-256, as long as their key is served. Nothing that was not proven gets there.
    ///
    /// # Errors
    /// [`TokenError`] says why it is not believed.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<VerifiedJws, TokenError> {
        if token.len() > jws::MAX_BYTES {
            return Err(JwsError::TooLong.into());
        }
        let tag = secrets::sha256(token);
        if let Some(proven) = self.proven.get(&tag) {
            return self.served(&proven.kid, now).map(|_| proven);
        }
        let jws = take_apart(token)?;
        let kid = jws.header.kid.as_deref().ok_or(TokenError::UnknownKey)?;
        let key = self.served(kid, now)?;
        if jws.header.alg != key.algorithm().name() {
            return Err(TokenError::Algorithm);
        }
        if !key.verifies(jws.signing_input.as_bytes(), &jws.signature) {
            return Err(TokenError::Signature);
        }
        let verified = VerifiedJws { kid: kid.to_owned(), typ: jws.header.typ, claims: jws.claims };
        self.proven.insert(tag, verified.clone());
        Ok(verified)
    }

    fn served(&self, kid: &str, now: Timestamp) -> Result<&SigningKey, TokenError> {
        let key = self.by_kid.get(kid).and_then(|at| self.keys.get(*at)).ok_or(TokenError::UnknownKey)?;
        if key.is_served(now) { Ok(&key.key) } else { Err(TokenError::UnknownKey) }
    }

    /// Signs `claims` for this server's own eyes, with [`MacKey::sign`].
    ///
    /// # Errors
    /// [`SignError::Claims`] when they are not JSON.
    pub fn mac_sign(&self, claims: &impl Serialize) -> Result<String, SignError> {
        self.mac.sign(claims)
    }

    /// Whether `token` begins as all that [`KeyRing::mac_sign`] makes: what does not is not worth taking apart.
    #[must_use]
    pub fn bears_mac(&self, token: &str) -> bool {
        self.mac.heads(token)
    }

    /// Takes apart and proves what [`KeyRing::mac_sign`] made, with [`MacKey::verify`].
    ///
    /// # Errors
    /// [`TokenError`] says why it is not believed.
    pub fn mac_verify(&self, token: &str) -> Result<VerifiedJws, TokenError> {
        self.mac.verify(token)
    }
}

impl RingKey {
    fn is_served(&self, now: Timestamp) -> bool {
        self.served_until.is_none_or(|until| until > now)
    }
}

/// The keys that sign come first, in the order of [`Algorithm::ALL`]: some applications take the first key they see.
fn document(keys: &[RingKey], signers: &HashMap<Algorithm, Arc<SigningKey>>) -> Bytes {
    let first = Algorithm::ALL.iter().filter_map(|algorithm| signers.get(algorithm)).map(AsRef::as_ref);
    let signs = |key: &SigningKey| signers.get(&key.algorithm()).is_some_and(|one| one.kid() == key.kid());
    let rest = keys.iter().map(|key| key.key.as_ref()).filter(|key| !signs(key));
    let all: Vec<_> = first.chain(rest).map(SigningKey::public_jwk).collect();
    Bytes::from(serde_json::json!({ "keys": all }).to_string())
}

/// Reads the form, and refuses a header that brings a key: no token that this server issues does.
pub(super) fn take_apart(token: &str) -> Result<Jws<'_>, TokenError> {
    let jws = jws::parse(token)?;
    if jws.header.brings_key { Err(TokenError::BringsKey) } else { Ok(jws) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn proven_tokens_are_remembered_while_their_key_is_served_and_others_never() {
        let key = Arc::new(SigningKey::generate(Algorithm::ES256).unwrap());
        let (now, end) = (Timestamp(1_000), Timestamp(1_100));
        let served = RingKey { key: Arc::clone(&key), signs_from: now, served_until: Some(end) };
        let ring = KeyRing::new(vec![served], MacKey::generate(), now);
        let token = key.sign("JWT", &json!({ "sub": "alice" })).unwrap();
        let stranger = SigningKey::generate(Algorithm::ES256).unwrap();
        for wrong in [
            token.replace('.', "_"),
            format!("{token}A"),
            stranger.sign("JWT", &json!({})).unwrap(),
            "x".repeat(9_000),
        ] {
            assert!(ring.verify(&wrong, now).is_err());
        }
        assert_eq!(ring.proven.len(), 0, "strangers fill nothing");
        let first = ring.verify(&token, now).unwrap();
        assert_eq!((ring.proven.len(), ring.verify(&token, now)), (1, Ok(first)), "the same again");
        assert!(ring.verify(&format!("{token}A"), now).is_err(), "almost the same is another one");
        assert_eq!(ring.verify(&token, end), Err(TokenError::UnknownKey), "its key is over");
    }
}
