//! Sessions as administrators see and end them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::users;
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::store::Change;

/// The live sessions of a user, newest first, with the clients that each signed in to.
pub(super) async fn of_user(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let page = call.server.page(i64::MAX)?;
    let mut sessions = call.store().sessions_of_user(call.realm_id(), &user.id, page).await?;
    let (settings, now) = (&call.state.realm.settings, call.now());
    sessions.retain(|session| session.is_live(settings, now));
    let Some(oldest) = sessions.last() else { return told(&[(); 0]) };
    let mut clients: HashMap<String, Map<String, Value>> = HashMap::new();
    for (session, id, client_id) in
        call.store().clients_of_sessions(call.realm_id(), &user.id, &oldest.id).await?
    {
        clients.entry(session).or_default().insert(id, client_id.into());
    }
    let shown = sessions
        .iter()
        .map(|session| representation(session, &user, clients.remove(&session.id).unwrap_or_default()));
    told(&shown.collect::<Vec<_>>())
}

pub(super) fn representation(session: &Session, user: &User, clients: Map<String, Value>) -> Value {
    json!({
        "id": session.id,
        "username": user.username,
        "userId": user.id,
        "ipAddress": session.address,
        "start": session.started_at.0.saturating_mul(1_000),
        "lastAccess": session.last_seen_at.0.saturating_mul(1_000),
        "rememberMe": session.remembered,
        "clients": clients,
        "transientUser": false,
    })
}

/// The offline grants that a user gave a client.
pub(super) async fn offline(call: Call) -> Answer {
    let user = users::named(&call).await?;
    let client = call.store().client_by_id(call.realm_id(), call.part("client")).await?;
    let client = client.ok_or_else(|| AdminError::not_found("Could not find client"))?;
    let grants = call.store().offline_grants(call.realm_id(), &user.id, &client.id, call.now()).await?;
    let clients = Map::from_iter([(client.id.clone(), Value::from(client.client_id.clone()))]);
    let shown = grants.into_iter().map(|(id, given, used)| {
        json!({
            "id": id,
            "username": user.username,
            "userId": user.id,
            "start": given.saturating_mul(1_000),
            "lastAccess": used.saturating_mul(1_000),
            "clients": clients,
        })
    });
    told(&shown.collect::<Vec<_>>())
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

/// Ends one session; with `isOffline`, takes back one offline grant.
pub(super) async fn end(call: Call) -> Answer {
    if call.server.flag("isOffline")? == Some(true) {
        return take_back(&call).await;
    }
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

async fn take_back(call: &Call) -> Answer {
    let (realm_id, id) = (call.realm_id().to_owned(), call.part("session").to_owned());
    let found = call.store().grant_with_user(&realm_id, &id).await?;
    let found = found.filter(|(grant, ..)| grant.offline && grant.revoked_at.is_none());
    let (_, user, _) = found.ok_or_else(|| AdminError::not_found("Session not found"))?;
    users::covered(call, &user.id).await?;
    let path = format!("sessions/{id}");
    let change = Change::RevokeGrant { realm_id, id, at: call.now() };
    call.commit(vec![change], Operation::Delete, "USER_SESSION", &path).await?;
    done()
}

/// Ends every session of the realm.
pub(super) async fn end_all(call: Call) -> Answer {
    let end = Change::EndSessionsOfRealm { realm_id: call.realm_id().to_owned(), at: call.now() };
    call.commit(vec![end], Operation::Action, "REALM", "logout-all").await?;
    told(&json!({ "successRequests": [], "failedRequests": [] }))
}

/// How many sessions each client of the realm has.
pub(super) async fn by_client(call: Call) -> Answer {
    let counted = call.store().sessions_by_client(call.realm_id(), call.now()).await?;
    let shown = counted.into_iter().map(|(id, client_id, active, offline)| {
        json!({ "id": id, "clientId": client_id, "active": active.to_string(), "offline": offline.to_string() })
    });
    told(&shown.collect::<Vec<_>>())
}
