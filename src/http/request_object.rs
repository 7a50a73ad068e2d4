//! Request objects (RFC 9101): finds the token and its keys, verifies, asks the rules.

use super::client_keys;
use super::context::RealmContext;
use crate::protocol::authorize::RequestParameters;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jws;
use crate::protocol::request_object::{self, algorithms, registered};
use crate::realms::ClientEntry;

/// What is asked for at the address of a request object (RFC 9101 §9.1).
const ACCEPT: &str = "application/oauth-authz-req+jwt, application/jwt";

/// The parameters of a request of the client of `entry` that count: those of its request object when it has one.
///
/// # Errors
/// `invalid_request` for two request objects at once, or for none where the client always signs;
/// `request_not_supported` and `request_uri_not_supported` for a client that registered no key or no address;
/// `invalid_request_uri` and `invalid_request_object`; `temporarily_unavailable` while the client's keys are not to be had.
pub(super) async fn resolve(
    context: &RealmContext,
    entry: &ClientEntry,
    parameters: RequestParameters,
) -> Result<RequestParameters, OAuthError> {
    let client = &entry.client;
    let token = match (parameters.get("request"), parameters.get("request_uri")) {
        (None, None) => {
            request_object::not_signed(client)?;
            return Ok(parameters);
        }
        (Some(_), Some(_)) => {
            let why = "Send request or request_uri, not both";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, why));
        }
        (Some(token), None) => {
            if !client_keys::has_keys(client) {
                let why = "The client has registered no key that could verify a request object";
                return Err(OAuthError::new(ErrorCode::RequestNotSupported, why));
            }
            token.to_owned()
        }
        (None, Some(request_uri)) => fetch(context, registered(request_uri, client)?).await?,
    };
    let verified = client_keys::verify(context, entry, &token, &algorithms(client)).await.map_err(|why| {
        tracing::info!(client_id = client.client_id, %why, "a request object was refused");
        if why.is_trouble() {
            return client_keys::unavailable();
        }
        OAuthError::new(ErrorCode::InvalidRequestObject, "The request object's signature cannot be verified")
    })?;
    let (typ, now) = (verified.typ.as_deref(), context.app.clock.now());
    request_object::parameters(typ, &verified.claims, &parameters, client, &context.issuer, now)
}

/// The token at a registered address.
async fn fetch(context: &RealmContext, url: &str) -> Result<String, OAuthError> {
    let refused = || OAuthError::new(ErrorCode::InvalidRequestUri, "Nothing good is at the request_uri");
    let fetched = context.app.fetcher.get(url, ACCEPT).await.map_err(|why| {
        tracing::info!(%why, "a request object cannot be fetched");
        refused()
    })?;
    if fetched.status != 200 || fetched.body.len() > jws::MAX_BYTES {
        return Err(refused());
    }
    String::from_utf8(fetched.body.to_vec()).map(|token| token.trim().to_owned()).map_err(|_| refused())
}
