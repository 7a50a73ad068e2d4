//! What Keycloak has and this server has not, said in Keycloak's words, so that programs go on without it.

use serde_json::json;

use super::answer::{AdminError, Answer, told};
use super::call::Call;

/// Organizations, as Keycloak answers with the feature switched off.
pub(super) async fn organizations(_: Call) -> Answer {
    Err(AdminError::not_found("Organizations not enabled for this realm."))
}

/// A trial of the mail server.
pub(super) async fn mail(_: Call) -> Answer {
    Err(AdminError::not_implemented("This server sends no mail"))
}

/// Policies of clients: there are none.
pub(super) async fn policies(_: Call) -> Answer {
    told(&json!({ "policies": [], "globalPolicies": [] }))
}

/// Profiles of clients: `vestibule.settings` of a client holds this server's.
pub(super) async fn profiles(_: Call) -> Answer {
    told(&json!({ "profiles": [], "globalProfiles": [] }))
}

/// Languages that have texts of the realm's own: none.
pub(super) async fn locales(_: Call) -> Answer {
    told(&json!([]))
}

/// Texts of the realm's own: none.
pub(super) async fn texts(_: Call) -> Answer {
    told(&json!({}))
}
