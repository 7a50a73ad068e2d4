//! What Keycloak has and this server has not, said in Keycloak's words, so that programs go on without it.

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

/// The kinds of policies that hold clients who register themselves: there are none. The realm file says who may.
pub(super) async fn registration_policies(_: Call) -> Answer {
    told(&[(); 0])
}
