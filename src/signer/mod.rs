//! Signing keys, and the tokens signed with them: the one place that knows private keys.
//!
//! Owns key pairs ([`SigningKey`]), the realm's own MAC key ([`MacKey`]), the set of them that a realm uses at a moment
//! ([`KeyRing`]), and verifying with the public keys of others ([`KeySet`]). Leaves the form of tokens and the rules of claims to [`crate::protocol::jws`], sealing to
//! [`crate::vault`], and when keys are made, begin and end to the store and its callers.
//!
//! Both directions work on key pairs parsed once. `jsonwebtoken` parses the private key again for each signature,
//! which costs more than half of what one core signs; its `crypto::verify` parses the public key again, decodes the
//! signature again and copies the key, for each token. So signing and verifying go to `aws_lc_rs` directly, and
//! `jsonwebtoken` is the second opinion of the tests.

mod certificate;
mod client_key;
mod foreign;
mod key;
mod mac;
mod material;
mod proven;
mod ring;
mod shared;

pub use client_key::ClientKey;
pub use foreign::{DAMAGED, KeySet, PublicKey};
pub use key::{KeyError, SigningKey};
pub use mac::MacKey;
pub use proven::ProvenTokens;
pub use ring::{KeyRing, RingKey, TokenError, VerifiedJws};
pub use shared::{SHARED_ALGORITHM, SHORTEST, SharedKey};

pub use crate::protocol::jws::Algorithm;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Why a token was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims cannot be written as JSON.
    #[error("the claims cannot be written as JSON")]
    Claims(#[from] serde_json::Error),
    /// The primitive failed.
    #[error("the signature could not be made")]
    Primitive,
    /// No key of the realm's algorithm signs at this moment.
    #[error("the realm has no key that signs")]
    NoKey,
}

/// The encoded protected header of a token of type `typ`.
fn encoded_header(alg: &str, typ: &str, kid: &str) -> String {
    // A type is a text of ours, but this is no place to trust that: serde_json escapes it.
    let header = serde_json::json!({ "alg": alg, "typ": typ, "kid": kid });
    URL_SAFE_NO_PAD.encode(header.to_string())
}

/// `header.payload`, with room for a signature of `signature` bytes.
fn signing_input(header: &str, payload: &[u8], signature: usize) -> String {
    let mut token = String::with_capacity(header.len() + (payload.len() + signature + 4) / 3 * 4 + 4);
    token.push_str(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    token
}

/// Appends the signature to a signing input.
fn append(mut token: String, signature: &[u8]) -> String {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

#[cfg(test)]
mod tests;
