//! Sessions as administrators see and end them.

use serde_json::{Map, Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::users;
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::Change;

/// The live sessions of a user, newest first.
pub(super) async fn of_user(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let sessions = call.store().sessions_of_user(call.realm_id(), &user.id).await?;
    let (settings, now) = (&call.state.realm.settings, call.now());
    let live = sessions.iter().filter(|session| session.is_live(settings, now));
    told(&live.map(|session| representation(session, &user)).collect::<Vec<_>>())
}

fn representation(session: &Session, user: &User) -> Value {
    json!({
        "id": session.id,
        "username": user.username,
        "userId": user.id,
        "ipAddress": session.address,
        "start": session.started_at.0.saturating_mul(1_000),
        "lastAccess": session.last_seen_at.0.saturating_mul(1_000),
        "rememberMe": session.remembered,
        "clients": Map::new(),
        "transientUser": false,
    })
}

/// Ends every session of a user, and takes back what was issued in them.
pub(super) async fn sign_out(call: Call) -> Answer {
    let user = users::manageable(&call).await?;
    let (realm_id, user_id, at) = (call.realm_id().to_owned(), user.id.clone(), call.now());
    let end = Change::EndSessionsOfUser { realm_id, user_id, at };
    let path = format!("users/{}/logout", user.id);
    call.commit(vec![end], Operation::Action, "USER", &path).await?;
    done()
}

/// Ends one session.
pub(super) async fn end(call: Call) -> Answer {
    let id = call.part("session").to_owned();
    let session = call.store().session_by_id(call.realm_id(), &id).await?;
    let session = session.filter(|session| session.ended_at.is_none());
    let session = session.ok_or_else(|| AdminError::not_found("Session not found"))?;
    users::covered(&call, &session.user_id).await?;
    let path = format!("sessions/{id}");
    let end = Change::EndSession { realm_id: call.realm_id().to_owned(), id, at: call.now() };
    call.commit(vec![end], Operation::Delete, "USER_SESSION", &path).await?;
    done()
}
