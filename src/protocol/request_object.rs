//! Request objects (RFC 9101, OpenID Connect Core §6): an authorization request as a token that its client signs.
//!
//! Owns what such a token must say, and how its members become parameters. Only they count then: what stands beside
//! the token in the address is not looked at (RFC 9101 §6.3), but for `client_id`, which leads to the keys, and
//! `response_type`, which must not disagree (Core §6.1). Leaves keys and signatures to `signer`, fetching to `http`.

use serde_json::Value;

use super::authorize::RequestParameters;
use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::jws::{Algorithm, Claims, ISSUED_AHEAD, LEEWAY};
use crate::clock::Timestamp;

/// Header types that are no other kind of token (RFC 8725 §3.11; RFC 9101 §10.8).
const TYPES: [&str; 2] = ["JWT", "oauth-authz-req+jwt"];

/// For a client that always signs: the most seconds between `nbf` and `exp`, and the most that `nbf` may lie behind
/// (FAPI 2.0 Message Signing §5.3.1).
const LONGEST: i64 = 3_600;

/// The algorithms by which `client` may sign: the one that it registered, else any. `none` is no algorithm.
#[must_use]
pub fn algorithms(client: &Client) -> Vec<Algorithm> {
    match &client.settings.request_object_signing_alg {
        Some(name) => name.parse().into_iter().collect(),
        None => Algorithm::ALL.to_vec(),
    }
}

/// Refuses a request that no token signs, where the client always signs (RFC 9101 §10.5).
///
/// # Errors
/// `invalid_request`.
pub fn not_signed(client: &Client) -> Result<(), OAuthError> {
    if client.settings.require_signed_request_object {
        let why = "The request must be signed: send it as a request object";
        return Err(OAuthError::new(ErrorCode::InvalidRequest, why));
    }
    Ok(())
}

/// The registered address that `request_uri` names. A fragment only tells versions of what is there apart, so it is not
/// compared (Core §6.2).
///
/// # Errors
/// `request_uri_not_supported` for a client that registered none, `invalid_request_uri` for one that is not registered.
pub fn registered<'a>(request_uri: &str, client: &'a Client) -> Result<&'a str, OAuthError> {
    let registered = &client.settings.request_uris;
    if registered.is_empty() {
        let why = "The client has registered no request_uris";
        return Err(OAuthError::new(ErrorCode::RequestUriNotSupported, why));
    }
    let bare = |uri: &'a str| uri.split('#').next().unwrap_or_default();
    let asked = request_uri.split('#').next().unwrap_or_default();
    registered.iter().map(|uri| bare(uri)).find(|uri| *uri == asked).ok_or_else(|| {
        OAuthError::new(ErrorCode::InvalidRequestUri, "request_uri is not registered for the client")
    })
}

/// The parameters that a verified token with this header `typ` and these claims says, for a request that came with
/// `outer` beside it.
///
/// # Errors
/// `invalid_request_object` (RFC 9101 §6.1, §6.2), `invalid_request` when `response_type` outside is another.
pub fn parameters(
    typ: Option<&str>,
    claims: &Claims,
    outer: &RequestParameters,
    client: &Client,
    issuer: &str,
    now: Timestamp,
) -> Result<RequestParameters, OAuthError> {
    if typ.is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(bare_type(typ)))) {
        return Err(refused("The request object is another type of token"));
    }
    parties(claims, client, issuer)?;
    times(claims, client.settings.require_signed_request_object, now)?;
    let inner = members(claims)?;
    if let (Some(outside), Some(inside)) = (outer.get("response_type"), inner.get("response_type"))
        && outside != inside
    {
        let why = "response_type is not that of the request object";
        return Err(OAuthError::new(ErrorCode::InvalidRequest, why));
    }
    Ok(inner)
}

fn bare_type(typ: &str) -> &str {
    let prefix = "application/";
    match typ.get(..prefix.len()) {
        Some(start) if start.eq_ignore_ascii_case(prefix) => typ.get(prefix.len()..).unwrap_or_default(),
        _ => typ,
    }
}

/// Who made it for whom. `iss` and `aud` may be missing (RFC 9101 §4 recommends them), but not for a client that always
/// signs.
fn parties(claims: &Claims, client: &Client, issuer: &str) -> Result<(), OAuthError> {
    let strict = client.settings.require_signed_request_object;
    let own = client.client_id.as_str();
    if claims.text("client_id") != Some(own) {
        return Err(refused("client_id of the request object is not that of the request"));
    }
    let issued_here = claims.text("iss") == Some(own) || (!strict && claims.value("iss").is_none());
    if !issued_here {
        return Err(refused("iss of the request object is not the client"));
    }
    let meant_for_us = claims.audiences().is_some_and(|audiences| audiences.contains(&issuer))
        || (!strict && claims.value("aud").is_none());
    if !meant_for_us {
        return Err(refused("aud of the request object is not this issuer"));
    }
    // With such a `sub` it could prove the client elsewhere (RFC 9101 §10.8).
    if claims.text("sub") == Some(own) {
        return Err(refused("sub of the request object is the client, as in a token that proves a client"));
    }
    Ok(())
}

fn times(claims: &Claims, strict: bool, now: Timestamp) -> Result<(), OAuthError> {
    let malformed = || refused("A time of the request object is no whole number");
    let time = |name| match claims.value(name) {
        None => Ok(None),
        Some(_) => claims.time(name).map(Some).ok_or_else(malformed),
    };
    let (expires, begins, issued) = (time("exp")?, time("nbf")?, time("iat")?);
    if expires.is_some_and(|expires| now >= expires.plus(LEEWAY)) {
        return Err(refused("The request object has expired"));
    }
    let ahead = |at: Option<Timestamp>, by| at.is_some_and(|at: Timestamp| at > now.plus(by));
    if ahead(begins, LEEWAY) || ahead(issued, ISSUED_AHEAD) {
        return Err(refused("The request object is not valid yet"));
    }
    match (strict, begins, expires) {
        (false, ..) => Ok(()),
        (true, Some(begins), Some(expires))
            if expires.since(begins) > LONGEST || now.since(begins) > LONGEST =>
        {
            Err(refused("The request object must end within 60 minutes after its nbf, and that not be older"))
        }
        (true, Some(_), Some(_)) => Ok(()),
        (true, ..) => Err(refused("The request object needs nbf and exp")),
    }
}

/// The members that are parameters, as they would stand in an address. Others are claims of the token, or unknown and
/// ignored (RFC 6749 §3.1).
fn members(claims: &Claims) -> Result<RequestParameters, OAuthError> {
    if ["request", "request_uri"].iter().any(|name| claims.value(name).is_some()) {
        return Err(refused("A request object holds no other request object"));
    }
    let mut inner = RequestParameters::default();
    for &name in RequestParameters::KNOWN {
        let value = match (name, claims.value(name)) {
            (_, None) => continue,
            (_, Some(Value::String(text))) => text.clone(),
            ("max_age", Some(Value::Number(seconds))) => seconds.to_string(),
            ("claims", Some(value @ Value::Object(_))) => value.to_string(),
            ("authorization_details", Some(value @ Value::Array(_))) => value.to_string(),
            // Several, as the parameter would be repeated (RFC 8707 §2).
            ("resource", Some(Value::Array(items))) => {
                let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                texts.ok_or_else(|| refused("resource of the request object is no list of texts"))?.join(" ")
            }
            _ => return Err(refused("A member of the request object is of the wrong kind")),
        };
        if value.contains('\0') {
            return Err(refused("A member of the request object holds a NUL character"));
        }
        if !value.is_empty() {
            inner.0.insert(name.to_owned(), value);
        }
    }
    Ok(inner)
}

fn refused(why: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, why)
}

#[cfg(test)]
#[path = "request_object_tests.rs"]
mod tests;
