//! Scope mappings: the roles that a client, or a client scope, lets through into tokens when not all may be in them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::carrier::Carrier;
use super::mappings::{grantable, named, shown};
use crate::protocol::role::Role;

/// All of them.
pub(super) async fn all(call: Call) -> Answer {
    let carrier = Carrier::named(&call).await?;
    let roles = &call.state.roles;
    let (mut realm, mut clients) = (Vec::new(), Map::new());
    for role in known(&call, carrier.roles()) {
        let Some((client, client_id)) = role.client.as_ref().zip(roles.client_id(role)) else {
            realm.push(shown(&call, role));
            continue;
        };
        let entry = clients
            .entry(client_id.to_owned())
            .or_insert_with(|| json!({ "id": client, "client": client_id, "mappings": [] }));
        if let Some(mappings) = entry.get_mut("mappings").and_then(Value::as_array_mut) {
            mappings.push(json!(shown(&call, role)));
        }
    }
    told(&json!({ "realmMappings": realm, "clientMappings": clients }))
}

/// The client of whose roles the address speaks; none: the realm's.
async fn container(call: &Call) -> Result<Option<String>, AdminError> {
    let id = call.part("of");
    if id.is_empty() {
        return Ok(None);
    }
    let client = call.store().client_by_id(call.realm_id(), id).await?;
    client.map(|client| Some(client.id)).ok_or_else(|| AdminError::not_found("Could not find client"))
}

/// Those of one container (the realm, or a client).
pub(super) async fn list(call: Call) -> Answer {
    let (carrier, container) = (Carrier::named(&call).await?, container(&call).await?);
    let roles = known(&call, carrier.roles()).into_iter().filter(|role| role.client == container);
    told(&roles.map(|role| shown(&call, role)).collect::<Vec<_>>())
}

/// Those of the container that could be added, and that the caller may add.
pub(super) async fn available(call: Call) -> Answer {
    let (carrier, container) = (Carrier::named(&call).await?, container(&call).await?);
    let there = carrier.roles();
    let fits =
        |role: &&Role| role.client == container && !there.contains(&role.id) && grantable(&call, &role.id);
    let mut roles: Vec<&Role> = call.state.roles.iter().filter(fits).collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    told(&roles.into_iter().map(|role| shown(&call, role)).collect::<Vec<_>>())
}

/// Those of the container that are let through in effect: composites expanded, all for a client with full scope.
pub(super) async fn composite(call: Call) -> Answer {
    let (carrier, container) = (Carrier::named(&call).await?, container(&call).await?);
    let roles = &call.state.roles;
    let full = matches!(&carrier, Carrier::Client(client) if client.settings.full_scope_allowed);
    let mut through: Vec<&Role> = if full {
        roles.iter().collect()
    } else {
        roles.effective(carrier.roles().iter().map(String::as_str))
    };
    through.retain(|role| role.client == container);
    through.sort_by(|a, b| a.name.cmp(&b.name));
    told(&through.into_iter().map(|role| shown(&call, role)).collect::<Vec<_>>())
}

/// Adds roles.
pub(super) async fn add(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change(call, true))).await
}

/// Takes roles; all of the container when the body names none.
pub(super) async fn remove(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change(call, false))).await
}

async fn change(call: &Call, added: bool) -> Answer {
    let (carrier, container) = (Carrier::changeable(call).await?, container(call).await?);
    let mut roles = carrier.roles().clone();
    let ids = if call.server.body.is_empty() && !added {
        let of_container = |role: &&Role| role.client == container;
        known(call, &roles).into_iter().filter(of_container).map(|role| role.id.clone()).collect()
    } else {
        named(call, &container, call.server.json()?)?
    };
    if !ids.iter().all(|id| grantable(call, id)) {
        return Err(AdminError::above("One of the roles"));
    }
    for id in ids {
        if added {
            roles.insert(id)
        } else {
            roles.remove(&id)
        };
    }
    let (kind, below) = match &container {
        None => ("REALM_SCOPE_MAPPING", "realm".to_owned()),
        Some(client) => ("CLIENT_SCOPE_MAPPING", format!("clients/{client}")),
    };
    let path = format!("{}/scope-mappings/{below}", carrier.path().join("/"));
    let operation = if added { Operation::Create } else { Operation::Delete };
    let changes = vec![call.unmoved(), carrier.with_roles(roles).put(call)];
    call.commit(changes, operation, kind, &path).await?;
    done()
}

/// The roles with these identifiers, by name.
fn known<'a>(call: &'a Call, ids: &BTreeSet<String>) -> Vec<&'a Role> {
    let mut roles: Vec<&Role> = ids.iter().filter_map(|id| call.state.roles.by_id(id)).collect();
    roles.sort_by(|a, b| (&a.client, &a.name).cmp(&(&b.client, &b.name)));
    roles
}
