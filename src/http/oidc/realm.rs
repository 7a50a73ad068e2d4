//! What a realm says of itself at its own address, `GET /realms/{realm}`, as Keycloak's adapters and Quarkus ask for it.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::certs::document;
use crate::http::context::RealmContext;
use crate::realms::Document;

/// Serves the realm's name, key and addresses.
pub async fn published(context: RealmContext, headers: HeaderMap) -> Response {
    let state = &context.state;
    let key = state.ring.signer(state.algorithm()).map(|key| key.public_spki_base64().to_owned());
    let body = json!({
        "realm": context.realm(),
        "public_key": key,
        "token-service": context.url("/protocol/openid-connect"),
        "account-service": context.url("/account"),
        "tokens-not-before": state.realm.settings.not_before.map_or(0, |at| at.0),
    });
    document(&headers, &Document::new(Bytes::from(body.to_string())))
}
