//! The grants at the token endpoint: each loads its records, asks its rule in `protocol::grants`, commits, and has
//! the tokens signed.

pub mod audiences;
pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod jwt_bearer;
pub mod password;
pub mod refresh_token;
mod refused;
pub mod token_exchange;

pub use refused::Refused;

use super::context::RealmContext;
use super::error::ApiError;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::grant::Grant;
use crate::store::Change;

/// An event about `client` and, when it is known, the grant.
fn event(context: &RealmContext, kind: AuditKind, client: &Client, grant: Option<&Grant>) -> AuditEvent {
    AuditEvent {
        client_id: Some(client.client_id.clone()),
        user_id: grant.map(|grant| grant.user_id.clone()),
        session_id: grant.and_then(|grant| grant.session_id.clone()),
        ..super::sign_in::audit(context, kind)
    }
}

/// A refusal that is to be told of.
fn refused(
    context: &RealmContext,
    kind: AuditKind,
    client: &Client,
    grant: Option<&Grant>,
    error: impl Into<ApiError>,
) -> Refused {
    let error = error.into();
    let event = event(context, kind, client, grant);
    let event = AuditEvent { error: Some(error.code().wire().into()), ..event };
    Refused::from(error).leaving(Change::Audit(event))
}
