//! Role mappings: which roles users and groups were given, and giving and taking them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::{groups, users};
use crate::keycloak::Kept;
use crate::keycloak::representation::RoleRepresentation;
use crate::keycloak::role::brief;
use crate::protocol::role::Role;
use crate::store::Change;

/// Who has roles.
enum Holder {
    User { id: String, is_service: bool },
    Group { id: String },
}

/// Everything that was given directly.
pub(super) async fn all(call: Call) -> Answer {
    let holder = holder(&call).await?;
    let roles = &call.state.roles;
    let mut realm = Vec::new();
    let mut clients: Map<String, Value> = Map::new();
    for role in known(&call, &direct(&call, &holder).await?) {
        let shown = shown(&call, role);
        let Some((client, client_id)) = role.client.as_ref().zip(roles.client_id(role)) else {
            realm.push(shown);
            continue;
        };
        let entry = clients
            .entry(client_id.to_owned())
            .or_insert_with(|| json!({ "id": client, "client": client_id, "mappings": [] }));
        if let Some(mappings) = entry.get_mut("mappings").and_then(Value::as_array_mut) {
            mappings.push(json!(shown));
        }
    }
    told(&json!({ "realmMappings": realm, "clientMappings": clients }))
}

/// The roles of one container (the realm, or a client) that were given directly.
pub(super) async fn list(call: Call) -> Answer {
    let (holder, container) = (holder(&call).await?, container(&call).await?);
    let direct = direct(&call, &holder).await?;
    let roles = known(&call, &direct).into_iter().filter(|role| role.client == container);
    told(&roles.map(|role| shown(&call, role)).collect::<Vec<_>>())
}

/// Those of the container that could be given: all that were not, and that the caller may give.
pub(super) async fn available(call: Call) -> Answer {
    let (holder, container) = (holder(&call).await?, container(&call).await?);
    let direct: BTreeSet<String> = direct(&call, &holder).await?.into_iter().collect();
    let mut roles: Vec<&Role> = call
        .state
        .roles
        .iter()
        .filter(|role| role.client == container && !direct.contains(&role.id) && grantable(&call, &role.id))
        .collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    told(&roles.into_iter().map(|role| shown(&call, role)).collect::<Vec<_>>())
}

/// Those of the container that the holder has in effect, composites and groups expanded.
pub(super) async fn composite(call: Call) -> Answer {
    let (holder, container) = (holder(&call).await?, container(&call).await?);
    let assigned = match &holder {
        Holder::User { id, .. } => call.store().roles_of_user(call.realm_id(), id).await?.role_ids,
        Holder::Group { id } => call.store().roles_by_group(call.realm_id(), id).await?,
    };
    let effective = call.state.roles.effective(assigned.iter().map(String::as_str));
    let roles = effective.into_iter().filter(|role| role.client == container);
    told(&roles.map(|role| shown(&call, role)).collect::<Vec<_>>())
}

/// Gives roles.
pub(super) async fn add(call: Call) -> Answer {
    change(&call, Operation::Create, |realm_id, holder, role_id| match holder {
        Holder::User { id: user_id, .. } => {
            Change::AddUserRole { realm_id, user_id: user_id.clone(), role_id }
        }
        Holder::Group { id } => Change::AddGroupRole { realm_id, group_id: id.clone(), role_id },
    })
    .await
}

/// Takes roles; all of the container when the body names none.
pub(super) async fn remove(call: Call) -> Answer {
    change(&call, Operation::Delete, |realm_id, holder, role_id| match holder {
        Holder::User { id: user_id, .. } => {
            Change::RemoveUserRole { realm_id, user_id: user_id.clone(), role_id }
        }
        Holder::Group { id } => Change::RemoveGroupRole { realm_id, group_id: id.clone(), role_id },
    })
    .await
}

async fn change(call: &Call, operation: Operation, make: fn(String, &Holder, String) -> Change) -> Answer {
    let (holder, container) = (holder(call).await?, container(call).await?);
    let ids = if call.server.body.is_empty() && matches!(operation, Operation::Delete) {
        let direct = direct(call, &holder).await?;
        let all = known(call, &direct).into_iter().filter(|role| role.client == container);
        all.map(|role| role.id.clone()).collect()
    } else {
        named(call, &container, call.server.json()?)?
    };
    if !ids.iter().all(|id| grantable(call, id)) {
        return Err(AdminError::above("One of the roles"));
    }
    // Of an administrator above the caller, plain roles stay too.
    match &holder {
        Holder::User { id, .. } => users::covered(call, id).await?,
        Holder::Group { id } => groups::covered(call, id).await?,
    }
    let realm_id = call.realm_id().to_owned();
    let mut changes: Vec<Change> = ids.into_iter().map(|id| make(realm_id.clone(), &holder, id)).collect();
    let (path, service) = match &holder {
        Holder::User { id, is_service } => (format!("users/{id}"), *is_service),
        Holder::Group { id } => (format!("groups/{id}"), false),
    };
    if service {
        changes.push(Change::Reconfigure { realm_id });
    }
    let (kind, path) = match &container {
        None => ("REALM_ROLE_MAPPING", format!("{path}/role-mappings/realm")),
        Some(client) => ("CLIENT_ROLE_MAPPING", format!("{path}/role-mappings/clients/{client}")),
    };
    call.commit(changes, operation, kind, &path).await?;
    done()
}

/// The roles that a body names, by identifier, else by name in the container.
pub(super) fn named(
    call: &Call,
    container: &Option<String>,
    body: Vec<RoleRepresentation>,
) -> Result<Vec<String>, AdminError> {
    let roles = &call.state.roles;
    body.into_iter()
        .map(|role| {
            let found = match (&role.id, &role.name) {
                (Some(id), _) => roles.by_id(id).filter(|found| found.client == *container),
                (None, Some(name)) => match container {
                    None => roles.realm_role(name),
                    Some(client) => roles.client_role(client, name),
                },
                (None, None) => None,
            };
            found.map(|role| role.id.clone()).ok_or_else(|| AdminError::not_found("Role not found"))
        })
        .collect()
}

/// Whether the caller may give the role (attacks A02).
pub(super) fn grantable(call: &Call, id: &str) -> bool {
    call.rights.covers(&call.state.realm.name, &call.state.roles, [id])
}

/// The role as lists show it.
pub(super) fn shown(call: &Call, role: &Role) -> RoleRepresentation {
    brief(role, call.state.roles.children(&role.id).next().is_some(), Kept::new())
}

/// The client of the address, when it names one: its roles; else those of the realm.
pub(super) async fn container(call: &Call) -> Result<Option<String>, AdminError> {
    let id = call.part("client");
    if id.is_empty() {
        return Ok(None);
    }
    let client = call.store().client_by_id(call.realm_id(), id).await?;
    let client = client.ok_or_else(|| AdminError::not_found("Could not find client"))?;
    Ok(Some(client.id))
}

async fn holder(call: &Call) -> Result<Holder, AdminError> {
    if call.part("group").is_empty() {
        let user = users::named(call).await?;
        let is_service = user.service_account_client.is_some();
        return Ok(Holder::User { id: user.id, is_service });
    }
    Ok(Holder::Group { id: groups::named(call).await?.id })
}

async fn direct(call: &Call, holder: &Holder) -> Result<Vec<String>, AdminError> {
    Ok(match holder {
        Holder::User { id, .. } => call.store().direct_roles_of_user(call.realm_id(), id).await?,
        Holder::Group { id } => call.store().direct_roles_of_group(call.realm_id(), id).await?,
    })
}

/// The roles with these identifiers, by name.
fn known<'a>(call: &'a Call, ids: &[String]) -> Vec<&'a Role> {
    let mut roles: Vec<&Role> = ids.iter().filter_map(|id| call.state.roles.by_id(id)).collect();
    roles.sort_by(|a, b| (&a.client, &a.name).cmp(&(&b.client, &b.name)));
    roles
}
