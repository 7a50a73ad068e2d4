//! The keys of a realm at a moment: which one signs, which ones are published, which ones verify, and which ones of the
//! past still vouch for a hint.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use serde::Serialize;

use super::{Algorithm, MacKey, ProvenTokens, SignError, SigningKey};
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

/// How many keys whose time is over are kept for hints, the last ones.
const PAST_KEYS: usize = 32;

/// The keys of one realm, as of one moment; another is made when the keys change or [`KeyRing::changes_at`] comes.
#[derive(Debug)]
pub struct KeyRing {
    keys: Vec<RingKey>,
    past: Vec<RingKey>,
    hints_for: i64,
    by_kid: HashMap<String, usize>,
    signers: HashMap<Algorithm, Arc<SigningKey>>,
    jwks: Bytes,
    changes_at: Option<Timestamp>,
    mac: MacKey,
    proven: Arc<ProvenTokens>,
}

impl KeyRing {
    /// The ring of these keys as of `now`. Keys whose time is over sign and verify nothing, and are kept for `hints_for`
    /// seconds more to know an ID token of theirs when it comes back ([`KeyRing::verify_hint`]).
    #[must_use]
    pub fn new(keys: Vec<RingKey>, mac: MacKey, hints_for: i64, now: Timestamp) -> Self {
        let (mut keys, mut past): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| key.is_served(now));
        past.retain(|key| key.vouches(now, hints_for));
        past.sort_by_key(|key| std::cmp::Reverse(key.served_until));
        past.truncate(PAST_KEYS);
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
        let proven = Arc::default();
        Self {
            jwks: document(&keys, &signers),
            keys,
            past,
            hints_for,
            by_kid,
            signers,
            changes_at,
            mac,
            proven,
        }
    }

    /// The same, which remembers what it has verified among others' tokens.
    #[must_use]
    pub fn remembering(self, proven: Arc<ProvenTokens>) -> Self {
        Self { proven, ..self }
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
        if let Some(read) = self.proven.read(&tag) {
            return self.served(&read.kid, now).map(|_| read);
        }
        let verified = if self.proven.knows(&tag) {
            let (jws, key) = named_key(token, |kid| self.served(kid, now))?;
            VerifiedJws::of(jws, key)
        } else {
            let verified = prove(token, |kid| self.served(kid, now))?;
            self.proven.learn(tag);
            verified
        };
        self.proven.keep(tag, verified.clone(), token.len());
        Ok(verified)
    }

    /// Takes apart and proves an ID token that comes back as a hint (RP-Initiated Logout 1.0 §2): what
    /// [`KeyRing::verify`] believes, or what a key signed whose time has been over for no longer than the sessions that
    /// its tokens name can live.
    ///
    /// # Errors
    /// [`TokenError`] says why it is not believed.
    pub fn verify_hint(&self, token: &str, now: Timestamp) -> Result<VerifiedJws, TokenError> {
        match self.verify(token, now) {
            Err(TokenError::UnknownKey) => prove(token, |kid| {
                let mut known = self.past.iter().chain(&self.keys);
                let key = known.find(|key| key.key.kid() == kid && key.vouches(now, self.hints_for));
                key.map(|key| key.key.as_ref()).ok_or(TokenError::UnknownKey)
            }),
            answer => answer,
        }
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

    /// Whether it is served, or its time has been over for less than `seconds`.
    fn vouches(&self, now: Timestamp, seconds: i64) -> bool {
        self.served_until.is_none_or(|until| until.plus(seconds) > now)
    }
}

impl VerifiedJws {
    /// What `key` signed.
    fn of(jws: Jws<'_>, key: &SigningKey) -> Self {
        Self { kid: key.kid().to_owned(), typ: jws.header.typ, claims: jws.claims }
    }
}

/// Takes a token apart and proves that the key which `find` knows by its `kid` signed it.
fn prove<'k>(
    token: &str,
    find: impl FnOnce(&str) -> Result<&'k SigningKey, TokenError>,
) -> Result<VerifiedJws, TokenError> {
    let (jws, key) = named_key(token, find)?;
    if !key.verifies(jws.signing_input.as_bytes(), &jws.signature) {
        return Err(TokenError::Signature);
    }
    Ok(VerifiedJws::of(jws, key))
}

/// Takes a token apart and gives the key that it names by its `kid`. That this key signed it is not proven by that.
fn named_key<'t, 'k>(
    token: &'t str,
    find: impl FnOnce(&str) -> Result<&'k SigningKey, TokenError>,
) -> Result<(Jws<'t>, &'k SigningKey), TokenError> {
    let jws = take_apart(token)?;
    let key = find(jws.header.kid.as_deref().ok_or(TokenError::UnknownKey)?)?;
    if jws.header.alg == key.algorithm().name() { Ok((jws, key)) } else { Err(TokenError::Algorithm) }
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
        let ring = KeyRing::new(vec![served], MacKey::generate(), 50, now);
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
        for row in ["as it was read", "as its text says"] {
            assert_eq!((ring.proven.len(), ring.verify(&token, now)), (1, Ok(first.clone())), "{row}");
            assert!(ring.verify(&format!("{token}A"), now).is_err(), "almost the same is another one, {row}");
            ring.proven.forget_read();
            assert_eq!(ring.verify(&token, end), Err(TokenError::UnknownKey), "its key is over, {row}");
        }
    }

    #[test]
    fn a_key_whose_time_is_over_vouches_for_hints_for_a_while_and_is_not_published() {
        let key = Arc::new(SigningKey::generate(Algorithm::ES256).unwrap());
        let (start, end) = (Timestamp(1_000), Timestamp(1_100));
        let row = RingKey { key: Arc::clone(&key), signs_from: start, served_until: Some(end) };
        let token = key.sign("JWT", &json!({ "sub": "alice" })).unwrap();
        let (head, signature) = token.rsplit_once('.').unwrap();
        let reversed: String = signature.chars().rev().collect();
        let tampered = format!("{head}.{reversed}");
        for (made, row_name) in [(start, "before"), (end, "after"), (end.plus(49), "at the last moment")] {
            let ring = KeyRing::new(vec![row.clone()], MacKey::generate(), 50, made);
            assert!(ring.verify_hint(&token, end.plus(49)).is_ok(), "{row_name}");
            assert_eq!(ring.verify(&token, end.plus(49)), Err(TokenError::UnknownKey), "{row_name}");
            assert_eq!(ring.verify_hint(&token, end.plus(50)), Err(TokenError::UnknownKey), "{row_name}");
            assert!(ring.verify_hint(&tampered, end).is_err(), "{row_name}");
            let published = String::from_utf8_lossy(ring.jwks()).contains(key.kid());
            assert_eq!(published, made < end, "{row_name}");
        }
        assert!(KeyRing::new(vec![row], MacKey::generate(), 50, end.plus(50)).past.is_empty());
        let many = (0..40).map(|at| RingKey {
            key: Arc::clone(&key),
            signs_from: start,
            served_until: Some(start.plus(at)),
        });
        let ring = KeyRing::new(many.collect(), MacKey::generate(), 500, end);
        assert_eq!(ring.past.len(), PAST_KEYS);
        assert_eq!(ring.past[0].served_until, Some(start.plus(39)), "the last ones");
    }
}
