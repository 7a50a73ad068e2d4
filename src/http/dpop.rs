//! DPoP at our endpoints (RFC 9449): the proof that a request brings, and the nonces that proofs may have to carry.
//!
//! Owns reading headers and dating nonces. The rule is [`crate::protocol::dpop`]'s; that a proof is good once is the
//! store's, to which its identifier travels with the rest of the request.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use super::bearer::BearerError;
use super::client_auth::Authenticated;
use super::context::RealmContext;
use crate::clock::Timestamp;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::dpop::{self, NonceDate, Proof, ProofError, Request, Signature, Signed};
use crate::protocol::jwk::Jwk;
use crate::protocol::spend::{Spend, SpendKind};
use crate::signer::PublicKey;

/// The request header that carries a proof.
const PROOF: HeaderName = HeaderName::from_static("dpop");

/// The response header that carries a nonce.
pub const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Notes the key that `caller` proves to hold, if it does. The proof is used up with what proved the client.
///
/// # Errors
/// `invalid_dpop_proof` or `use_dpop_nonce`.
pub fn show(
    context: &RealmContext,
    headers: &HeaderMap,
    caller: &mut Authenticated,
) -> Result<(), ProofError> {
    if let Some(proof) = shown(context, headers, None)? {
        caller.spends.push(spend(&proof));
        caller.confirmation = Some(proof.confirmation());
    }
    Ok(())
}

/// As [`show`], where tokens are issued, which are then bound to the key: a client that may have no others must bring a
/// proof (RFC 9449 §5).
///
/// # Errors
/// `invalid_dpop_proof` or `use_dpop_nonce`.
pub fn bind(
    context: &RealmContext,
    headers: &HeaderMap,
    caller: &mut Authenticated,
) -> Result<(), ProofError> {
    show(context, headers, caller)?;
    if caller.confirmation.is_none() && caller.entry.client.must_bind_tokens() {
        return Err(ProofError::Missing);
    }
    Ok(())
}

/// Proves that who sends `access_token` holds the key that it is bound to (RFC 9449 §7.1), and uses the proof up.
///
/// # Errors
/// `invalid_dpop_proof`, `use_dpop_nonce`, or trouble with the database.
pub(super) async fn prove(
    context: &RealmContext,
    headers: &HeaderMap,
    access_token: &str,
    bound: &Confirmation,
) -> Result<(), BearerError> {
    let proof = shown(context, headers, Some(access_token))?.ok_or(ProofError::Missing)?;
    if proof.confirmation() != *bound {
        return Err(ProofError::OtherKey.into());
    }
    match context.app.store.spend(&context.state.realm.id, &[spend(&proof)]).await? {
        None => Ok(()),
        Some(_) => Err(ProofError::Replayed.into()),
    }
}

/// The good proof of this request, if it brings one. It is not used up yet.
fn shown(
    context: &RealmContext,
    headers: &HeaderMap,
    access_token: Option<&str>,
) -> Result<Option<Proof>, ProofError> {
    let values = headers.get_all(PROOF);
    let Some(text) = dpop::only(values.iter().map(|value| value.to_str().ok()))? else { return Ok(None) };
    let addresses = context.requested();
    let made_at = |nonce: &str| made_at(context, nonce);
    let nonces: Option<NonceDate<'_>> =
        if context.state.realm.settings.dpop_nonce { Some(&made_at) } else { None };
    let request = Request {
        method: context.method.as_str(),
        addresses: &addresses,
        access_token,
        nonces,
        now: context.app.clock.now(),
    };
    dpop::check(text, &request, verify).map(Some)
}

/// Whether the key of a proof's header signed it.
fn verify(signed: Signature<'_>) -> Signed {
    let Signature { jwk, algorithm, message, signature } = signed;
    let Ok(jwk) = Jwk::read(jwk) else { return Signed::NoKey };
    if !jwk.fits(algorithm) {
        return Signed::NoKey;
    }
    match PublicKey::from_jwk(&jwk) {
        Ok(key) if key.verifies(algorithm, message, signature) => Signed::By(jwk.thumbprint()),
        Ok(_) => Signed::Not,
        Err(_) => Signed::NoKey,
    }
}

fn spend(proof: &Proof) -> Spend {
    Spend::new(SpendKind::DpopProof, &proof.jkt, &proof.jti, proof.good_until)
}

/// The answer with a new nonce, where proofs must carry one and the request brings a proof (RFC 9449 §8): so that a
/// client that keeps the last one is never refused for it.
pub fn with_nonce(context: &RealmContext, headers: &HeaderMap, mut response: Response) -> Response {
    if context.state.realm.settings.dpop_nonce && headers.contains_key(PROOF) {
        let now = context.app.clock.now().0.to_be_bytes();
        if let Ok(nonce) = HeaderValue::try_from(context.app.vault.seal(&aad(context), &now)) {
            response.headers_mut().insert(NONCE, nonce);
        }
    }
    response
}

/// When a nonce was made by a node of ours; none for one that was not.
fn made_at(context: &RealmContext, nonce: &str) -> Option<Timestamp> {
    let time = context.app.vault.open(&aad(context), nonce).ok()?;
    Some(Timestamp(i64::from_be_bytes(time.as_slice().try_into().ok()?)))
}

fn aad(context: &RealmContext) -> String {
    format!("dpop nonce/{}", context.state.realm.id)
}
