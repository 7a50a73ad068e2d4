//! The grants at the token endpoint: each loads its records, asks its rule in `protocol::grants`, commits, and has
//! the tokens signed.

pub mod audiences;
pub mod authorization_code;
pub mod client_credentials;
pub mod device_code;
pub mod jwt_bearer;
pub mod password;
pub mod refresh_token;
pub mod token_exchange;

use super::context::RealmContext;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::error::OAuthError;
use crate::protocol::grant::Grant;
use crate::store::{Change, StoreError};

/// An event about `client` and, when it is known, the grant.
fn event(context: &RealmContext, kind: AuditKind, client: &Client, grant: Option<&Grant>) -> AuditEvent {
    AuditEvent {
        client_id: Some(client.client_id.clone()),
        user_id: grant.map(|grant| grant.user_id.clone()),
        session_id: grant.and_then(|grant| grant.session_id.clone()),
        ..super::sign_in::audit(context, kind)
    }
}

/// Keeps an event about a refusal.
async fn note_refusal(
    context: &RealmContext,
    kind: AuditKind,
    client: &Client,
    grant: Option<&Grant>,
    error: &OAuthError,
) -> Result<(), StoreError> {
    let event = AuditEvent { error: Some(error.code.wire().into()), ..event(context, kind, client, grant) };
    context.app.commit(vec![Change::Audit(event)]).await
}
