//! Cross-origin calls from browsers (Fetch §3.2): a client's own origins may call the token and userinfo endpoints.
//! No page, no authorization request and no wildcard with credentials (attacks C08).

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::context::RealmContext;
use crate::protocol::web_origin;

/// The response, readable by the caller's origin if it is one of the client's.
pub async fn allow(
    context: &RealmContext,
    headers: &HeaderMap,
    client_id: Option<&str>,
    mut response: Response,
) -> Response {
    response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    let Some(from) = headers.get(ORIGIN) else { return response };
    let entry = match client_id {
        Some(id) => context.state.client(&context.app.store, id).await.ok().flatten(),
        None => None,
    };
    let strictness = context.app.rules.strictness;
    let allowed = from.to_str().is_ok_and(|from| {
        entry.is_some_and(|entry| {
            let settings = &entry.client.settings;
            web_origin::allows(&settings.web_origins, &settings.redirect_uris, from, strictness)
        })
    });
    if allowed {
        let answer = response.headers_mut();
        grant(answer, from);
        // What a script must read to go on: the next nonce (RFC 9449 §8), why it was refused, and what time it is here.
        answer.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("DPoP-Nonce, WWW-Authenticate, Date"),
        );
    }
    response
}

/// Answers `OPTIONS`: yes for an origin of any client of the realm, since a preflight names no client.
pub async fn preflight(context: RealmContext, headers: HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().append(VARY, HeaderValue::from_static("Origin"));
    let Some(from) = headers.get(ORIGIN) else { return response };
    let Ok(text) = from.to_str() else { return response };
    match context.state.allows_origin(&context.app.store, text, context.app.rules.strictness).await {
        Ok(true) => {
            let answer = response.headers_mut();
            grant(answer, from);
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, OPTIONS"));
            let names = HeaderValue::from_static("Authorization, Content-Type, DPoP, X-Requested-With");
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        }
        Ok(false) => {}
        Err(error) => tracing::warn!(%error, "a preflight could not be decided"),
    }
    response
}

/// Answers `OPTIONS` of a public document.
pub async fn preflight_public() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, OPTIONS"));
    response
}

fn grant(answer: &mut HeaderMap, from: &HeaderValue) {
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, from.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
}
