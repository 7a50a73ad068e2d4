//! The ID token (OpenID Connect Core §2): what the client learns of the sign-in.
//!
//! Owns its claims. Leaves the hash that ties it to its access token to `jws`, signing to the signer, and the claims that
//! mappers make to `claims`.

use serde_json::{Map, Value};

use super::access_token::one_or_many;
use super::claims::{self, Facts, Subject, Target};
use super::client::Client;
use super::scope::Granted;
use crate::clock::Timestamp;

/// The claim `typ` of an ID token.
pub const TYP: &str = "ID";

/// What an ID token is made of.
#[derive(Clone, Debug)]
pub struct IdTokenRequest<'a> {
    /// Issuer identifier of the realm.
    pub issuer: &'a str,
    /// The client it is issued to.
    pub client: &'a Client,
    /// Who signed in.
    pub subject: &'a Subject<'a>,
    /// What was granted.
    pub granted: &'a Granted<'a>,
    /// The sign-in.
    pub facts: Facts<'a>,
    /// `nonce` of the authorization request.
    pub nonce: Option<&'a str>,
    /// The [`half_hash`](super::jws::half_hash) of the access token that comes with it (§3.1.3.6).
    pub at_hash: Option<&'a str>,
    /// When it is issued.
    pub now: Timestamp,
    /// Seconds that it is good for.
    pub lifetime: i64,
    /// A fresh random name.
    pub jti: &'a str,
}

/// The claims of an ID token. `aud` is the client (and what audience mappers for ID tokens add).
#[must_use]
pub fn id_token(request: &IdTokenRequest<'_>) -> Map<String, Value> {
    let IdTokenRequest { client, subject, granted, facts, .. } = *request;
    let mut token = claims::evaluate(Target::IdToken, subject, client, granted, &facts);
    let mapped = token.remove("aud");
    let mapped = mapped.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let client_id = client.client_id.as_str();
    let audiences: Vec<&str> =
        std::iter::once(client_id).chain(mapped.filter(|id| *id != client_id)).collect();
    for (name, value) in [
        ("iss", Some(request.issuer.into())),
        ("sub", Some(subject.user.id.clone().into())),
        ("aud", Some(one_or_many(&audiences))),
        ("azp", Some(client_id.into())),
        ("typ", Some(TYP.into())),
        ("iat", Some(request.now.0.into())),
        ("exp", Some(request.now.plus(request.lifetime).0.into())),
        ("jti", Some(request.jti.into())),
        ("nonce", request.nonce.filter(|nonce| !nonce.is_empty()).map(Value::from)),
        ("sid", facts.sid.map(Value::from)),
        ("acr", facts.acr.map(Value::from)),
        ("auth_time", facts.auth_time.map(|at| at.0.into())),
        ("at_hash", request.at_hash.map(Value::from)),
    ] {
        if let Some(value) = value {
            token.insert(name.into(), value);
        }
    }
    token
}

#[cfg(test)]
#[path = "id_token_tests.rs"]
mod tests;
