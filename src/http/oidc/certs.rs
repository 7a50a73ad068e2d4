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

/// How long a caller may keep a public document; rotation waits for as long.
static CACHING: LazyLock<HeaderValue> = LazyLock::new(|| {
    let text = format!("public, max-age={DOCUMENT_MAX_AGE}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("no-cache"))
});

/// Serves the public keys.
pub async fn certs(context: RealmContext, headers: HeaderMap) -> Response {
    document(&headers, &context.state.key_set)
}

/// A public document that anybody may keep for a while.
pub(super) fn document(headers: &HeaderMap, document: &Document) -> Response {
    let is_known =
        |seen: &str| seen.split(',').any(|one| document.tag == one.trim().trim_start_matches("W/"));
    if headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(is_known) {
        return with_caching(StatusCode::NOT_MODIFIED.into_response(), document);
    }
    let mut response = with_caching(Response::new(Body::from(document.body.clone())), document);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn with_caching(mut response: Response, document: &Document) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, CACHING.clone());
    headers.insert(ETAG, document.tag.clone());
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
