//! The DPoP proof (RFC 9449 §4): a client shows with each request that it holds the key which its tokens are bound to.
//!
//! Owns what a proof must say ([`check`]) and what follows for a token ([`Proof::confirmation`]). Leaves the signature
//! to who knows primitives, and that a proof is good once to the store.

mod address;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use super::confirmation::Confirmation;
use super::error::{ErrorCode, OAuthError};
use super::jws::{self, Algorithm, Claims, JwsError, LEEWAY};
use crate::clock::Timestamp;

pub use address::same_address;

/// The algorithms that a proof may be signed with, in the order of metadata. RS256 is not among them: FAPI 2.0 §5.4
/// forbids it, and no client needs it that makes a key for this purpose.
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256];

/// The header's `typ` (RFC 9449 §4.2).
const TYP: &str = "dpop+jwt";

/// Seconds that a proof may be old. Longer would only mean more identifiers to remember.
pub const OLDEST: i64 = 60;

/// Seconds that a proof may lie ahead, for a client whose clock is fast. Not more: who gets hold of a client for a
/// moment could have it sign for later (RFC 9449 §11.2).
pub const AHEAD: i64 = LEEWAY;

/// Seconds that a nonce of ours is good for.
pub const NONCE_LIFE: i64 = 300;

/// Bytes that a `jti` may have: more than any library makes, and no more than one would want to read in a log.
const LONGEST_JTI: usize = 512;

/// When a nonce was made by a server of ours; none for one that was not.
pub type NonceDate<'a> = &'a dyn Fn(&str) -> Option<Timestamp>;

/// The request that a proof came with.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Its method.
    pub method: &'a str,
    /// The addresses, without query, that it may have been sent to: one per name that the server has.
    pub addresses: &'a [String],
    /// The access token that it carries; none at an endpoint that issues them.
    pub access_token: Option<&'a str>,
    /// Dates nonces, where proofs must carry one (RFC 9449 §8).
    pub nonces: Option<NonceDate<'a>>,
    /// Now.
    pub now: Timestamp,
}

/// A proof that is good, if it was not shown before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key that signed it (RFC 7638).
    pub jkt: String,
    /// Its identifier, unique among those of the key.
    pub jti: String,
    /// From when on it is refused for its age alone, so that its identifier need not be remembered longer.
    pub good_until: Timestamp,
}

impl Proof {
    /// What a token is bound to that is issued for it.
    #[must_use]
    pub fn confirmation(&self) -> Confirmation {
        Confirmation::Jkt(self.jkt.clone())
    }
}

/// The first rule that a proof breaks. The client hears it: whoever signs a proof knows what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// There is none where one is needed.
    #[error("Send a DPoP proof: the token is bound to a key")]
    Missing,
    /// More than one, or bytes that are no text.
    #[error("Send one DPoP header with one proof")]
    Several,
    /// Not a JWT that we would read.
    #[error("The DPoP proof cannot be read: {0}")]
    Form(JwsError),
    /// Another `typ`.
    #[error("The DPoP proof's typ is not dpop+jwt")]
    Type,
    /// `none`, a MAC, RS256 or something unknown.
    #[error("The DPoP proof's alg is none of ES256, EdDSA, PS256")]
    Algorithm,
    /// `jwk` is missing, private, weak or for another algorithm.
    #[error("The DPoP proof's jwk is not a public key for its alg")]
    Key,
    /// The key did not sign it.
    #[error("The DPoP proof's signature is wrong")]
    Signature,
    /// `jti` is missing, empty, too long or no text.
    #[error("The DPoP proof's jti is missing or malformed")]
    Identifier,
    /// `htm` is missing or another.
    #[error("The DPoP proof's htm is not the method of this request")]
    Method,
    /// `htu` is missing or another.
    #[error("The DPoP proof's htu is not the address of this request")]
    Address,
    /// `iat` is missing, or a time is no whole number.
    #[error("The DPoP proof's iat is missing or malformed")]
    Time,
    /// Too old.
    #[error("The DPoP proof is too old: compare the client's clock with the header Date")]
    Old,
    /// From the future.
    #[error("The DPoP proof lies ahead: compare the client's clock with the header Date")]
    Ahead,
    /// No nonce, or one that is not of now.
    #[error("The DPoP proof needs the nonce of the header DPoP-Nonce")]
    Nonce,
    /// `ath` is missing or of another token.
    #[error("The DPoP proof's ath is not the hash of the access token")]
    AccessToken,
    /// It was shown before.
    #[error("The DPoP proof was used before")]
    Replayed,
    /// Its key is another than the one that the token is bound to.
    #[error("The DPoP proof's key is not the one that the token is bound to")]
    OtherKey,
}

impl From<ProofError> for OAuthError {
    fn from(error: ProofError) -> Self {
        let code = match error {
            ProofError::Nonce => ErrorCode::UseDpopNonce,
            _ => ErrorCode::InvalidDpopProof,
        };
        Self::new(code, error.to_string())
    }
}

/// The one proof among the values of `DPoP` headers (RFC 9449 §4.3, check 1); none when the request brings none.
///
/// # Errors
/// [`ProofError::Several`].
pub fn only<'a>(mut headers: impl Iterator<Item = Option<&'a str>>) -> Result<Option<&'a str>, ProofError> {
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(Some(proof)), None) => Ok(Some(proof)),
        _ => Err(ProofError::Several),
    }
}

/// What `verify` says about a public key in a proof's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// The key, whose thumbprint this is, signed the message.
    By(String),
    /// It did not.
    Not,
    /// It is no public key for the algorithm.
    NoKey,
}

/// A signature to be verified.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// The key that the header brings.
    pub jwk: &'a Map<String, Value>,
    /// The algorithm, which the key must be for.
    pub algorithm: Algorithm,
    /// What was signed.
    pub message: &'a [u8],
    /// The signature's bytes.
    pub signature: &'a [u8],
}

/// Checks a proof (RFC 9449 §4.3, checks 2 to 12). That it was not shown before, and that its key is the one that a
/// token is bound to, is left to the caller.
///
/// # Errors
/// The first [`ProofError`].
pub fn check(
    proof: &str,
    request: &Request<'_>,
    verify: impl FnOnce(Signature<'_>) -> Signed,
) -> Result<Proof, ProofError> {
    let token = jws::parse(proof).map_err(ProofError::Form)?;
    if !token.header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYP)) {
        return Err(ProofError::Type);
    }
    let algorithm = token.header.alg.parse().map_err(|_| ProofError::Algorithm)?;
    if !ALGORITHMS.contains(&algorithm) {
        return Err(ProofError::Algorithm);
    }
    let jwk = token.header.jwk.as_ref().ok_or(ProofError::Key)?;
    let message = token.signing_input.as_bytes();
    let jkt = match verify(Signature { jwk, algorithm, message, signature: &token.signature }) {
        Signed::By(thumbprint) => thumbprint,
        Signed::Not => return Err(ProofError::Signature),
        Signed::NoKey => return Err(ProofError::Key),
    };
    let claims = &token.claims;
    let jti = claims.text("jti").filter(|jti| (1..=LONGEST_JTI).contains(&jti.len()));
    let jti = jti.ok_or(ProofError::Identifier)?.to_owned();
    if claims.text("htm") != Some(request.method) {
        return Err(ProofError::Method);
    }
    let htu = claims.text("htu").ok_or(ProofError::Address)?;
    if !request.addresses.iter().any(|address| same_address(htu, address)) {
        return Err(ProofError::Address);
    }
    let good_until = times(claims, request)?;
    if let Some(access_token) = request.access_token
        && claims.text("ath") != Some(ath(access_token).as_str())
    {
        return Err(ProofError::AccessToken);
    }
    Ok(Proof { jkt, jti, good_until })
}

/// Until when the proof is good, if it is now: by its nonce where one is asked for, which our own clock dates, else by `iat`
/// (RFC 9449 §4.3, checks 10 and 11). `exp` and `nbf`, which a proof need not have, are honoured.
fn times(claims: &Claims, request: &Request<'_>) -> Result<Timestamp, ProofError> {
    let now = request.now;
    let time = |name: &str| match claims.value(name) {
        None => Ok(None),
        Some(_) => claims.time(name).map(Some).ok_or(ProofError::Time),
    };
    let issued = time("iat")?.ok_or(ProofError::Time)?;
    if time("exp")?.is_some_and(|expires| now >= expires.plus(LEEWAY)) {
        return Err(ProofError::Old);
    }
    if time("nbf")?.is_some_and(|begins| begins > now.plus(AHEAD)) {
        return Err(ProofError::Ahead);
    }
    if let Some(made_at) = request.nonces {
        let made_at = claims.text("nonce").and_then(made_at).ok_or(ProofError::Nonce)?;
        // A node whose clock is ahead of ours may have made it.
        if !(-jws::ISSUED_AHEAD..=NONCE_LIFE).contains(&now.since(made_at)) {
            return Err(ProofError::Nonce);
        }
        return Ok(made_at.plus(NONCE_LIFE + 1));
    }
    match now.since(issued) {
        age if age > OLDEST => Err(ProofError::Old),
        age if age < -AHEAD => Err(ProofError::Ahead),
        _ => Ok(issued.plus(OLDEST + 1)),
    }
}

/// The hash of an access token that a proof carries beside it (RFC 9449 §4.2).
#[must_use]
pub fn ath(access_token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, access_token.as_bytes()))
}

/// Whether `value` can be a thumbprint, as `dpop_jkt` must be (RFC 9449 §10): SHA-256 in base64url.
#[must_use]
pub fn is_thumbprint(value: &str) -> bool {
    URL_SAFE_NO_PAD.decode(value).is_ok_and(|bytes| bytes.len() == SHA256.output_len())
}

#[cfg(test)]
#[path = "dpop/tests.rs"]
mod tests;
