//! Metadata (OpenID Connect Discovery §4, RFC 8414 §3): `GET …/.well-known/openid-configuration` and
//! `…/oauth-authorization-server`. Bytes made once per issuer and name.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;

use super::certs::document;
use crate::http::context::{Described, RealmContext};
use crate::protocol::discovery::{self, Certificates, Published};
use crate::realms::Document;

/// Serves the metadata document.
pub async fn metadata(Described(context): Described, headers: HeaderMap) -> Response {
    let (state, back_channel) = (&context.state, context.back_channel_issuer());
    let key = match &context.back_channel {
        None => context.issuer.clone(),
        Some(_) => format!("{} {back_channel}", context.issuer),
    };
    let body = state.documents.get(&key).unwrap_or_else(|| {
        let certificates = certificates(&context);
        let server = Published {
            issuer: &context.issuer,
            back_channel: &back_channel,
            algorithms: &state.algorithms,
            password: context.app.rules.password_grant,
            certificates: certificates.as_ref(),
        };
        let value = discovery::metadata(server, &state.realm, &state.scopes);
        let document = Document::new(Bytes::from(value.to_string()));
        state.documents.insert(key, document.clone());
        document
    });
    document(&headers, &body)
}

/// How clients are asked for certificates, as told about this realm.
fn certificates(context: &RealmContext) -> Option<Certificates> {
    let asked = context.app.rules.client_certificates.as_ref()?;
    Some(Certificates { authorities: asked.authorities, below: context.certificates_issuer() })
}
