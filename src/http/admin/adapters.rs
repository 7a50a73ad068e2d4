//! What Keycloak tells apps at their admin URL, for adapters that listen there. This server tells them nothing there: a
//! not-before is looked at where a token is, and the end of a session is told by the logout channels of OpenID Connect.

use serde_json::json;

use super::answer::{AdminError, Answer, told};
use super::call::Call;
use super::clients;

/// Pushes the realm's not-before to nobody.
pub(super) async fn push_of_realm(_: Call) -> Answer {
    nobody()
}

/// Pushes a client's not-before to nobody.
pub(super) async fn push_of_client(call: Call) -> Answer {
    clients::changeable(&call).await?;
    nobody()
}

/// Which nodes of an app answer: none is known.
pub(super) async fn answering(call: Call) -> Answer {
    clients::named(&call).await?;
    nobody()
}

/// A node of an app.
pub(super) async fn add_node(call: Call) -> Answer {
    clients::changeable(&call).await?;
    Err(AdminError::not_implemented("This server calls no nodes of apps: their logout channels are told"))
}

/// No node of an app is known.
pub(super) async fn remove_node(call: Call) -> Answer {
    clients::changeable(&call).await?;
    Err(AdminError::not_found("Client does not have node"))
}

/// Whom a request was sent to, and who did not take it.
fn nobody() -> Answer {
    told(&json!({ "successRequests": [], "failedRequests": [] }))
}
