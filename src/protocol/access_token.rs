//! The access token: a JWT in Keycloak's shape, since the applications to be served read it, or in that of RFC 9068.
//!
//! Owns its claims, and the link from a token back to its grant. Leaves signing to the signer, and the claims that
//! mappers make to `claims`.

mod profile;

use serde_json::{Map, Value, json};

use super::claims::{self, Facts, Subject, Target};
use super::client::{AccessTokenFormat, Client};
use super::confirmation::Confirmation;
use super::jws::Claims;
use super::scope::Granted;
use crate::clock::Timestamp;

/// What the claim `typ` of an access token may be: how it is sent ([`Confirmation::token_type`]).
pub const TYPES: [&str; 2] = ["Bearer", "DPoP"];

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
    /// Its name, which says what it hangs on (see [`jti`] and [`exchanged_jti`]).
    pub jti: &'a str,
    /// The audiences when they were asked for; none = those of the client and its mappers.
    pub audiences: Option<&'a [String]>,
    /// What it is bound to; none for a token that whoever holds it may use.
    pub confirmation: Option<&'a Confirmation>,
    /// When it is issued.
    pub now: Timestamp,
    /// Seconds that it is good for.
    pub lifetime: i64,
}

/// The header's `typ` of access tokens of `client`.
#[must_use]
pub fn header_type(client: &Client) -> &'static str {
    match client.settings.access_token_format {
        AccessTokenFormat::Keycloak => "JWT",
        AccessTokenFormat::Rfc9068 => profile::TYPE,
    }
}

/// What the header's `typ` and the claim `typ` of an access token must be one of, when its header says `typ`: the
/// claim tells the kinds of tokens apart in Keycloak's shape, the header in that of RFC 9068 (§4).
#[must_use]
pub fn kinds(typ: Option<&str>) -> (&'static [&'static str], &'static [&'static str]) {
    if typ == Some(profile::TYPE) { (&[profile::TYPE], &[]) } else { (&["JWT"], &TYPES) }
}

/// Whether the claims are of the shape that the header's `typ` says: one of RFC 9068 has no claim `typ`, so that no other
/// kind of token of this server passes for it by its header alone (RFC 8725 §3.11).
#[must_use]
pub fn is_shaped(typ: Option<&str>, claims: &Claims) -> bool {
    typ != Some(profile::TYPE) || claims.value("typ").is_none()
}

/// The claims of an access token (RFC 9068 §2.2, in Keycloak's spelling unless the client has it otherwise).
///
/// `aud` names the audiences that were asked for (RFC 8707 §2, RFC 8693 §2.1), else the client's and those of its
/// mappers, as one string or as a list. A token that would have none is for the issuer itself, whose UserInfo endpoint
/// is then all that it opens (RFC 9068 §3).
///
/// A service's token is told apart by `client_id` and by the missing `auth_time` (RFC 9700 §4.15).
#[must_use]
pub fn access_token(request: &AccessTokenRequest<'_>) -> Map<String, Value> {
    let AccessTokenRequest { issuer, client, subject, granted, facts, .. } = *request;
    let user = subject.user;
    let target =
        if client.settings.lightweight_access_token { Target::Lightweight } else { Target::AccessToken };
    let mut token = claims::evaluate(target, subject, client, granted, &facts);
    let mapped = token.remove("aud");
    let audiences = match request.audiences {
        Some(asked) => asked.iter().map(String::as_str).collect(),
        None => audiences(client, mapped.as_ref()),
    };
    let audiences = if audiences.is_empty() { vec![issuer] } else { audiences };
    token.insert("aud".into(), one_or_many(&audiences));
    let service = user.service_account_client.is_some();
    if service {
        token.insert("client_id".into(), client.client_id.clone().into());
        if client.settings.access_token_format == AccessTokenFormat::Keycloak {
            token.entry("preferred_username").or_insert_with(|| user.username.clone().into());
        }
        token.remove("auth_time");
    }
    let scope = granted.token_scope();
    let details = (!granted.details.is_empty()).then(|| json!(granted.details));
    for (name, value) in [
        ("iss", Some(issuer.into())),
        ("sub", Some(user.id.clone().into())),
        ("typ", Some(Confirmation::token_type(request.confirmation).into())),
        ("cnf", request.confirmation.map(Confirmation::claim)),
        ("azp", Some(client.client_id.clone().into())),
        ("iat", Some(request.now.0.into())),
        ("exp", Some(request.now.plus(request.lifetime).0.into())),
        ("jti", Some(request.jti.into())),
        ("sid", facts.sid.map(Value::from)),
        ("acr", facts.acr.map(Value::from)),
        ("auth_time", facts.auth_time.filter(|_| !service).map(|at| at.0.into())),
        ("authorization_details", details),
        ("scope", Some(scope).filter(|scope| !scope.is_empty()).map(Value::from)),
    ] {
        if let Some(value) = value {
            token.insert(name.into(), value);
        }
    }
    if client.settings.access_token_format == AccessTokenFormat::Rfc9068 {
        profile::shape(&mut token, &client.client_id);
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

/// The `jti` of a token that was made from another by exchange: that one's and a random name, parted by a tilde. Thus
/// it hangs on the same grant, and names every token that it came from.
#[must_use]
pub fn exchanged_jti(subject: &str, random: &str) -> String {
    format!("{subject}~{random}")
}

/// The random name of a token that has no grant and calls its user by another name than the user's identifier (a pairwise
/// client's, OpenID Connect Core §8.1): the identifier, sealed, so that a live check finds the user.
#[must_use]
pub fn name_of_user(sealed: &str) -> String {
    format!("!{sealed}")
}

/// The sealed identifier that [`name_of_user`] put into the token's own part of this `jti`.
#[must_use]
pub fn sealed_user(jti: &str) -> Option<&str> {
    jti.rsplit('~').next()?.strip_prefix('!')
}

/// The grant that the token with this `jti` hangs on; none for a service's token.
#[must_use]
pub fn grant_of(jti: &str) -> Option<&str> {
    jti.split_once('.').map(|(grant_id, _)| grant_id).filter(|grant_id| !grant_id.is_empty())
}

/// How many exchanges the token with this `jti` went through.
#[must_use]
pub fn exchanges(jti: &str) -> usize {
    jti.matches('~').count()
}

/// The `jti` of the token and of each one that it was made from, the oldest first.
pub fn lineage(jti: &str) -> impl Iterator<Item = &str> {
    let elders = jti.match_indices('~').filter_map(move |(at, _)| jti.get(..at));
    elders.chain(std::iter::once(jti))
}

/// `client_id` of the client that the token was issued to: `azp` in Keycloak's shape, `client_id` in RFC 9068's.
#[must_use]
pub fn holder(claims: &Claims) -> Option<&str> {
    claims.text("azp").or_else(|| claims.text("client_id"))
}

fn audiences<'a>(client: &'a Client, mapped: Option<&'a Value>) -> Vec<&'a str> {
    let mapped = mapped.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut audiences: Vec<&str> = Vec::new();
    for audience in client.settings.audiences.iter().map(String::as_str).chain(mapped) {
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
