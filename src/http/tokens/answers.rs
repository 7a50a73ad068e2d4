//! Answers that are signed for the eyes of the client that asked.

use serde_json::{Map, Value};

use super::signer;
use crate::http::context::RealmContext;
use crate::protocol::client::Client;
use crate::protocol::{introspection, userinfo};
use crate::signer::{Algorithm, SignError};

/// Signs an authorization response to `client` (JARM §2.1).
///
/// # Errors
/// [`SignError`], or when the realm has no key.
pub fn sign_response(
    context: &RealmContext,
    client: &Client,
    claims: &Map<String, Value>,
) -> Result<String, SignError> {
    signer(context, client.authorization_response_algorithm(context.state.algorithm()))?.sign("JWT", claims)
}

/// Signs what userinfo tells `client`, by the algorithm that it asked for (OpenID Connect Core §5.3.2).
///
/// # Errors
/// [`SignError`], or when the realm has no key.
pub fn sign_userinfo(
    context: &RealmContext,
    client: &Client,
    claims: Map<String, Value>,
    algorithm: Algorithm,
) -> Result<String, SignError> {
    signer(context, algorithm)?.sign("JWT", &userinfo::signed(claims, &client.client_id, &context.issuer))
}

/// Signs what introspection tells `caller` (RFC 9701 §5).
///
/// # Errors
/// [`SignError`], or when the realm has no key.
pub fn sign_introspection(
    context: &RealmContext,
    caller: &Client,
    answer: Map<String, Value>,
) -> Result<String, SignError> {
    let key = signer(context, caller.introspection_algorithm(context.state.algorithm()))?;
    let claims = introspection::signed(answer, caller, &context.issuer, context.app.clock.now());
    key.sign(introspection::HEADER_TYP, &claims)
}
