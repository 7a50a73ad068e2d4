//! The access token: a JWT in Keycloak's shape, since the applications to be served read it.
//!
//! Owns its claims, and the link from a token back to its grant. Leaves signing (header `typ` "JWT") to the signer,
//! and the claims that mappers make to `claims`.

use serde_json::{Map, Value};

use super::claims::{self, Facts, Subject, Target};
use super::client::Client;
use super::scope::Granted;
use crate::clock::Timestamp;

/// The claim `typ` of an access token.
pub const TYP: &str = "Bearer";

/// What an access token is made of.
#[derive(Clone, Debug)]
pub struct AccessTokenRequest<'a> {
    /// Issuer identifier of the realm.
    pub issuer: &'a str,
    /// The client it is issued to.
    pub client: &'a Client,
    /// Whom it speaks for.
    pub subject: &'a Subject<'a>,
    /// What was granted.
    pub granted: &'a Granted<'a>,
    /// The sign-in it rests on; all empty for a service.
    pub facts: Facts<'a>,
    /// The grant it hangs on; none for a service's token, which stands alone.
    pub grant_id: Option<&'a str>,
    /// Audiences beyond those of the client and its mappers.
    pub audiences: &'a [String],
    /// When it is issued.
    pub now: Timestamp,
    /// Seconds that it is good for.
    pub lifetime: i64,
    /// A fresh random name without dots (see [`jti`]).
    pub random: &'a str,
}

/// The claims of an access token (RFC 9068 §2.2, in Keycloak's spelling).
///
/// `aud` names the client's audiences and those of its mappers, as one string or as a list. A token that would have
/// none is for the issuer itself, whose UserInfo endpoint is then all that it opens (RFC 9068 §3).
///
/// A service's token is told apart by `client_id` and by the missing `auth_time` (RFC 9700 §4.15).
#[must_use]
pub fn access_token(request: &AccessTokenRequest<'_>) -> Map<String, Value> {
    let AccessTokenRequest { issuer, client, subject, granted, facts, .. } = *request;
    let user = subject.user;
    let mut token = claims::evaluate(Target::AccessToken, subject, client, granted, &facts);
    let mapped = token.remove("aud");
    let audiences = audiences(client, request.audiences, mapped.as_ref());
    let audiences = if audiences.is_empty() { vec![issuer] } else { audiences };
    token.insert("aud".into(), one_or_many(&audiences));
    let service = user.service_account_client.is_some();
    if service {
        token.insert("client_id".into(), client.client_id.clone().into());
        token.entry("preferred_username").or_insert_with(|| user.username.clone().into());
        token.remove("auth_time");
    }
    let scope = granted.token_scope();
    for (name, value) in [
        ("iss", Some(issuer.into())),
        ("sub", Some(user.id.clone().into())),
        ("typ", Some(TYP.into())),
        ("azp", Some(client.client_id.clone().into())),
        ("iat", Some(request.now.0.into())),
        ("exp", Some(request.now.plus(request.lifetime).0.into())),
        ("jti", Some(jti(request.grant_id, request.random).into())),
        ("sid", facts.sid.map(Value::from)),
        ("acr", facts.acr.map(Value::from)),
        ("auth_time", facts.auth_time.filter(|_| !service).map(|at| at.0.into())),
        ("scope", Some(scope).filter(|scope| !scope.is_empty()).map(Value::from)),
    ] {
        if let Some(value) = value {
            token.insert(name.into(), value);
        }
    }
    token
}

/// The `jti` of an access token: the grant it hangs on and a random name, parted by a dot, so that a live check finds
/// the grant without a table of tokens. The identifier of a grant is no credential.
#[must_use]
pub fn jti(grant_id: Option<&str>, random: &str) -> String {
    match grant_id {
        Some(grant_id) => format!("{grant_id}.{random}"),
        None => random.to_owned(),
    }
}

/// The grant that the token with this `jti` hangs on; none for a service's token.
#[must_use]
pub fn grant_of(jti: &str) -> Option<&str> {
    jti.split_once('.').map(|(grant_id, _)| grant_id).filter(|grant_id| !grant_id.is_empty())
}

fn audiences<'a>(client: &'a Client, further: &'a [String], mapped: Option<&'a Value>) -> Vec<&'a str> {
    let mapped = mapped.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut audiences: Vec<&str> = Vec::new();
    for audience in client.settings.audiences.iter().chain(further).map(String::as_str).chain(mapped) {
        if !audiences.contains(&audience) {
            audiences.push(audience);
        }
    }
    audiences
}

/// `aud` of RFC 7519 §4.1.3: a single audience is a string, as Keycloak writes it.
pub(super) fn one_or_many(audiences: &[&str]) -> Value {
    match audiences {
        [only] => Value::from(*only),
        many => Value::from(many.to_vec()),
    }
}

#[cfg(test)]
#[path = "access_token_tests.rs"]
mod tests;
