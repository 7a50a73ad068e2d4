//! A session as another person, for the browser of whoever asks: in development, with the role `impersonation`.

use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use serde_json::json;

use super::answer::{AdminError, Answer, told};
use super::call::{Call, Operation};
use super::users::manageable;
use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::sign_in::password;
use crate::store::Change;

/// Signs the browser in as the user of the address, who has no more rights than the caller (attacks A02). The audit trail says
/// who did so.
pub(super) async fn begin(call: Call, context: RealmContext, headers: HeaderMap) -> Answer {
    let user = manageable(&call).await?;
    if !call.server.app.rules.strictness.is_development() {
        return Err(AdminError::not_implemented(
            "In production nobody acts as somebody else: exchange a token, or sign in as a test user",
        ));
    }
    if !user.enabled {
        return Err(AdminError::bad("User is disabled"));
    }
    let session = password::fresh_session(&context, &headers, &user, false, call.now());
    let expires_at = session.ends_at(&call.state.realm.settings);
    let (cookie, fingerprint) = cookies::fresh();
    let set = [
        cookies::set(&context, Kind::Session, &cookie, None),
        cookies::set(&context, Kind::State, &session.id, None),
    ];
    let path = format!("users/{}/impersonation", user.id);
    let change = Change::BeginSession { session, fingerprint, expires_at };
    call.commit(vec![change], Operation::Action, "USER", &path).await?;
    let realm = &call.state.realm;
    let mut response = told(&json!({
        "sameRealm": call.server.who.realm_id == realm.id,
        "redirect": format!("{}/realms/{}/account/", call.server.base, realm.name),
    }))?;
    for cookie in set.into_iter().flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
