//! The key set (RFC 7517 §5): `GET …/protocol/openid-connect/certs`. Bytes made once per ring of keys.

use axum::body::Bytes;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::context::RealmContext;
use crate::protocol::key_rotation::DOCUMENT_MAX_AGE;
use crate::secrets;

/// Serves the public keys.
pub async fn certs(context: RealmContext, headers: HeaderMap) -> Response {
    document(&headers, context.state.ring.jwks().clone())
}

/// A public document that anybody may keep for a while.
pub(super) fn document(headers: &HeaderMap, body: Bytes) -> Response {
    let tag = format!("\"{}\"", secrets::fingerprint(&String::from_utf8_lossy(&body)));
    let caching = [
        (CACHE_CONTROL, format!("public, max-age={DOCUMENT_MAX_AGE}")),
        (ETAG, tag.clone()),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
    ];
    let unchanged = headers
        .get(IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|seen| seen.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    if unchanged {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let fixed = [(CONTENT_TYPE, "application/json"), (axum::http::header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (caching, fixed, body).into_response()
}
