//! `client-description-converter`: what a client says of itself, as the representation that would make it.

use serde_json::{Map, Value};

use super::super::answer::{AdminError, Answer, told};
use super::super::call::Call;
use crate::keycloak::Kept;
use crate::keycloak::client::{begin, to_representation};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::error::OAuthError;
use crate::protocol::register::{self, Metadata, Offer};

/// Converts the metadata of a client (RFC 7591 §2, OpenID Connect Registration 1.0 §2), by the rules by which it could
/// register itself; but an administrator makes it, so nobody is asked. A representation stays what it is.
pub(in super::super) async fn convert(call: Call) -> Answer {
    let body: Map<String, Value> = call.server.json()?;
    if body.get("clientId").is_some_and(Value::is_string) {
        return told(&body);
    }
    let refused = |error: OAuthError| AdminError::bad(error.description.into_owned());
    let metadata = Metadata::read(&body).map_err(refused)?;
    let offer = Offer {
        realm: &call.state.realm.settings,
        signs: &call.state.algorithms,
        certificates: call.server.app.rules.client_certificates.as_ref(),
        outbound: call.server.app.fetcher.rules(),
    };
    let mut settings = register::settings(&metadata, None, offer, call.now()).map_err(refused)?;
    settings.consent = false;
    settings.registered = None;
    let public = settings.authentication == ClientAuthentication::None;
    let client = Client { settings, ..begin(call.realm_id(), "", String::new()) };
    let mut shown = to_representation(&client, None, &call.state.realm.settings, Kept::new());
    shown.id = None;
    shown.client_id = body.get("client_id").and_then(Value::as_str).map(str::to_owned);
    shown.public_client = Some(public);
    told(&shown)
}
