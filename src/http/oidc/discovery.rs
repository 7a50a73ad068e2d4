//! Metadata (OpenID Connect Discovery §4, RFC 8414 §3): `GET …/.well-known/openid-configuration` and
//! `…/oauth-authorization-server`. Bytes made once per issuer.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;

use super::certs::document;
use crate::http::context::Described;
use crate::protocol::discovery;
use crate::realms::Document;

/// Serves the metadata document.
pub async fn metadata(Described(context): Described, headers: HeaderMap) -> Response {
    let documents = &context.state.documents;
    let body = documents.get(&context.issuer).unwrap_or_else(|| {
        let state = &context.state;
        let (issuer, password) = (&context.issuer, context.app.rules.password_grant);
        let value = discovery::metadata(issuer, &state.realm, &state.scopes, &state.algorithms, password);
        let document = Document::new(Bytes::from(value.to_string()));
        documents.insert(context.issuer.clone(), document.clone());
        document
    });
    document(&headers, &body)
}
