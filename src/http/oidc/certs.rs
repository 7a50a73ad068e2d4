//! The key set (RFC 7517 §5): `GET …/protocol/openid-connect/certs`. Bytes made once per ring of keys.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::context::RealmContext;
use crate::protocol::key_rotation::DOCUMENT_MAX_AGE;
use crate::realms::Document;
use crate::server::REQUEST_ID;

/// How long a caller may keep a public document; rotation waits for as long.
static CACHING: LazyLock<HeaderValue> = LazyLock::new(|| {
    let text = format!("public, max-age={DOCUMENT_MAX_AGE}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-cache"))
});

/// The header of a document, but for its tag: a copy costs less than its making.
static HEADER: LazyLock<HeaderMap> = LazyLock::new(|| {
    let mut header = HeaderMap::with_capacity(6);
    header.insert(CACHE_CONTROL, CACHING.clone());
    header.insert(ETAG, HeaderValue::from_static("\"\""));
    header.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    header.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    header.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Replaced by the guard of every answer: without it the copy would have to grow.
    header.insert(REQUEST_ID, HeaderValue::from_static(""));
    header
});

/// Serves the public keys.
pub async fn certs(context: RealmContext, headers: HeaderMap) -> Response {
    document(&headers, &context.state.key_set)
}

/// A public document that anybody may keep for a while.
pub(super) fn document(headers: &HeaderMap, document: &Document) -> Response {
    let is_known =
        |seen: &str| seen.split(',').any(|one| document.tag == one.trim().trim_start_matches("W/"));
    let mut header = HEADER.clone();
    header.insert(ETAG, document.tag.clone());
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(is_known);
    let mut response = if known {
        header.remove(CONTENT_TYPE);
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(document.body.clone()))
    };
    *response.headers_mut() = header;
    response
}
