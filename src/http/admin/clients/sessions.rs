//! Sessions that signed in to a client.

use serde_json::{Map, Value, json};

use super::super::answer::{Answer, told};
use super::super::call::Call;
use super::super::users::USUAL;
use super::cover;

/// The live ones, newest first.
pub(in super::super) async fn list(call: Call) -> Answer {
    let (client, page) = (cover::named(&call).await?, call.server.page(USUAL)?);
    let now = call.now();
    let sessions = call.store().sessions_of_client(call.realm_id(), &client.id, now, page).await?;
    let clients = Map::from_iter([(client.id.clone(), Value::from(client.client_id.clone()))]);
    let shown = sessions
        .iter()
        .map(|(session, user)| super::super::sessions::representation(session, user, clients.clone()));
    told(&shown.collect::<Vec<_>>())
}

/// How many there are.
pub(in super::super) async fn count(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let (live, _) = call.store().count_sessions_of_client(call.realm_id(), &client.id, call.now()).await?;
    told(&json!({ "count": live }))
}

/// The offline grants, newest first.
pub(in super::super) async fn offline(call: Call) -> Answer {
    let (client, page) = (cover::named(&call).await?, call.server.page(USUAL)?);
    let now = call.now();
    let grants = call.store().offline_grants_of_client(call.realm_id(), &client.id, now, page).await?;
    let clients = Map::from_iter([(client.id.clone(), Value::from(client.client_id.clone()))]);
    let shown = grants.into_iter().map(|grant| {
        json!({
            "id": grant.id,
            "username": grant.username,
            "userId": grant.user_id,
            "start": grant.created_at.0.saturating_mul(1_000),
            "lastAccess": grant.last_used_at.0.saturating_mul(1_000),
            "clients": clients,
        })
    });
    told(&shown.collect::<Vec<_>>())
}

/// How many there are.
pub(in super::super) async fn offline_count(call: Call) -> Answer {
    let client = cover::named(&call).await?;
    let (_, offline) = call.store().count_sessions_of_client(call.realm_id(), &client.id, call.now()).await?;
    told(&json!({ "count": offline }))
}
