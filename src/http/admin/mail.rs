//! What Keycloak does by mail. This server sends none, and says so as Keycloak does whose mail server is not configured. In
//! development a person is asked at the next sign-in instead, for what can be asked there.

use super::answer::{AdminError, Answer, done};
use super::call::{Call, Operation};
use super::users::manageable;
use crate::protocol::sign_in_step::{ASKED, ASKED_ELSEWHERE, UPDATE_PASSWORD};
use crate::protocol::user::User;
use crate::store::Change;

/// Asks a person to do what the body lists.
pub(super) async fn execute_actions(call: Call) -> Answer {
    let actions: Vec<String> = if call.server.body.is_empty() { Vec::new() } else { call.server.json()? };
    if !actions.iter().all(|action| ASKED.iter().chain(&ASKED_ELSEWHERE).any(|known| action == known)) {
        return Err(AdminError::bad("Provided invalid required actions"));
    }
    ask(&call, &actions).await
}

/// Asks a person for a new password.
pub(super) async fn reset_password(call: Call) -> Answer {
    ask(&call, &[UPDATE_PASSWORD.to_owned()]).await
}

async fn ask(call: &Call, actions: &[String]) -> Answer {
    let user = reached(call).await?;
    let are_asked = actions.iter().all(|action| ASKED.contains(&action.as_str())) && !actions.is_empty();
    if !call.server.app.rules.strictness.is_development() || !are_asked {
        return Err(AdminError::unsent("Failed to send execute actions email"));
    }
    let mut required = user.required_actions;
    for action in actions {
        if !required.contains(action) {
            required.push(action.clone());
        }
    }
    let (realm_id, user_id) = (call.realm_id().to_owned(), user.id);
    let path = format!("users/{user_id}/execute-actions-email");
    let change = Change::SetRequiredActions { realm_id, user_id, actions: required };
    call.commit(vec![change], Operation::Action, "USER", &path).await?;
    done()
}

/// Asks a person to prove the own address.
pub(super) async fn verify(call: Call) -> Answer {
    reached(&call).await?;
    Err(AdminError::unsent("Failed to send verify email"))
}

/// The user of the address, who has one to send something to; and the client that the mail would lead back to is there.
async fn reached(call: &Call) -> Result<User, AdminError> {
    let user = manageable(call).await?;
    if user.email.is_none() {
        return Err(AdminError::bad("User email missing"));
    }
    if !user.enabled {
        return Err(AdminError::bad("User is disabled"));
    }
    let asked = |name: &str| call.server.query.get(name).filter(|value| !value.is_empty());
    match (asked("client_id"), asked("redirect_uri")) {
        (None, Some(_)) => Err(AdminError::bad("Client id missing")),
        (None, None) => Ok(user),
        (Some(client), _) => match call.store().client_by_client_id(call.realm_id(), client).await? {
            Some(_) => Ok(user),
            None => Err(AdminError::bad("Client doesn't exist")),
        },
    }
}
