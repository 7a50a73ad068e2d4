//! Roles of the realm and of its clients, as administrators see and change them.

use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::mappings::{container, grantable, named as named_roles, shown};
use super::{beside, users};
use crate::keycloak::representation::{Composites, RoleRepresentation};
use crate::keycloak::role::{from_representation, to_representation};
use crate::keycloak::{Beside, group};
use crate::protocol::admin::Permission;
use crate::protocol::role::Role;
use crate::store::Change;

/// The roles of the container, by name.
pub(super) async fn list(call: Call) -> Answer {
    let container = container(&call).await?;
    let page = call.server.page(i64::MAX)?;
    let whole = call.server.flag("briefRepresentation")? == Some(false);
    let search = call.server.query.get("search").map(str::to_lowercase).unwrap_or_default();
    let fits = |role: &&Role| {
        let description = role.description.as_deref().unwrap_or_default();
        role.client == container
            && [&role.name, description].iter().any(|text| text.to_lowercase().contains(&search))
    };
    let mut roles: Vec<&Role> = call.state.roles.iter().filter(fits).collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    let told_of = page.of(roles).into_iter().map(|role| RoleRepresentation {
        attributes: whole.then(|| role.attributes.clone()),
        ..shown(&call, role)
    });
    told(&told_of.collect::<Vec<_>>())
}

/// Makes a role, with the parts that the body names.
pub(super) async fn create(call: Call) -> Answer {
    let container = container(&call).await?;
    let body: RoleRepresentation = call.server.json()?;
    let name = name(body.name.as_deref())?;
    let base = Role {
        id: Uuid::new_v4().to_string(),
        realm_id: call.realm_id().to_owned(),
        client: container.clone(),
        name: name.clone(),
        description: None,
        attributes: Default::default(),
        built_in: false,
    };
    let parts = parts(&call, body.composites.as_ref()).await?;
    let (role, kept) = from_representation(body, base);
    let role = Role { name: name.clone(), ..role };
    let id = role.id.clone();
    let mut changes = vec![Change::PutRole(role)];
    changes.extend(parts.into_iter().map(|part| composite(&call, &id, part, true)));
    changes.extend(beside::begin(call.realm_id(), Beside::Role, &id, kept));
    let kind = if container.is_some() { "CLIENT_ROLE" } else { "REALM_ROLE" };
    let path = format!("roles-by-id/{id}");
    commit(&call, changes, Operation::Create, kind, &path, &name).await?;
    match &container {
        None => call.created(&["roles", &name]),
        Some(client) => call.created(&["clients", client, "roles", &name]),
    }
}

fn name(name: Option<&str>) -> Result<String, AdminError> {
    let name = name.map(str::trim).filter(|name| !name.is_empty() && !name.chars().any(char::is_control));
    name.map(str::to_owned).ok_or_else(|| AdminError::bad("role has no name"))
}

async fn commit(
    call: &Call,
    changes: Vec<Change>,
    operation: Operation,
    kind: &str,
    path: &str,
    name: &str,
) -> Result<(), AdminError> {
    let done = call.commit(changes, operation, kind, path).await;
    done.map_err(|error| {
        AdminError::of_conflict(error, |what| match what {
            "role" => AdminError::conflict(format!("Role with name {name} already exists")),
            _ => AdminError::not_found("Could not find role"),
        })
    })
}

/// The roles that a new one is made of, by name.
async fn parts(call: &Call, composites: Option<&Composites>) -> Result<Vec<String>, AdminError> {
    let Some(composites) = composites else { return Ok(Vec::new()) };
    let roles = &call.state.roles;
    let mut parts = Vec::new();
    for name in composites.realm.iter().flatten() {
        parts.push(roles.realm_role(name));
    }
    for (client_id, names) in composites.client.iter().flatten() {
        let client = call.store().client_by_client_id(call.realm_id(), client_id).await?;
        let id = client.map(|client| client.id).unwrap_or_default();
        parts.extend(names.iter().map(|name| roles.client_role(&id, name)));
    }
    let ids: Option<Vec<String>> = parts.into_iter().map(|part| part.map(|role| role.id.clone())).collect();
    let ids = ids.ok_or_else(|| AdminError::not_found("Could not find composite role"))?;
    composable(call, &ids)?;
    Ok(ids)
}

/// Whether the caller may make a role of these: of roles that they look after, and that are not above them.
fn composable(call: &Call, parts: &[String]) -> Result<(), AdminError> {
    let roles = &call.state.roles;
    if !parts.iter().filter_map(|id| roles.by_id(id)).all(|part| call.may(manages(part))) {
        return Err(AdminError::forbidden());
    }
    if parts.iter().all(|id| grantable(call, id)) {
        Ok(())
    } else {
        Err(AdminError::above("One of the roles"))
    }
}

/// Who looks after a role looks after its container.
fn manages(role: &Role) -> Permission {
    if role.client.is_some() { Permission::ManageClients } else { Permission::ManageRealm }
}

/// The role of the address: by identifier, else by name in the container.
pub(super) async fn named(call: &Call) -> Result<Role, AdminError> {
    let roles = &call.state.roles;
    let id = call.part("role_id");
    let found = if id.is_empty() {
        let name = call.part("role");
        match container(call).await? {
            None => roles.realm_role(name),
            Some(client) => roles.client_role(&client, name),
        }
    } else {
        roles.by_id(id)
    };
    found.cloned().ok_or_else(|| AdminError::not_found("Could not find role"))
}

/// The role of the address, if the caller may change it: one that makes administrators is for those who have it.
async fn changeable(call: &Call) -> Result<Role, AdminError> {
    let role = named(call).await?;
    if !call.may(manages(&role)) {
        return Err(AdminError::forbidden());
    }
    if grantable(call, &role.id) { Ok(role) } else { Err(AdminError::above("The role")) }
}

/// One role.
pub(super) async fn read(call: Call) -> Answer {
    let role = named(&call).await?;
    let kept = beside::shown(&call, Beside::Role, &role.id).await?;
    told(&to_representation(&role, &call.state.roles, kept))
}

/// Changes name, description and attributes. A role that came with the realm keeps its name, by which it is known.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let old = changeable(call).await?;
    let body: RoleRepresentation = call.server.json()?;
    let name = body.name.as_deref().map_or(Ok(old.name.clone()), |text| name(Some(text)))?;
    if old.built_in && name != old.name {
        return Err(AdminError::bad(format!("Role {} comes with the realm and keeps its name", old.name)));
    }
    let (role, new) = from_representation(body, old);
    let role = Role { name: name.clone(), ..role };
    let (id, kind) = (role.id.clone(), kind(&role));
    let mut changes = vec![call.unmoved(), Change::PutRole(role)];
    changes.extend(beside::keep(call, Beside::Role, &id, new).await?);
    commit(call, changes, Operation::Update, kind, &format!("roles-by-id/{id}"), &name).await?;
    done()
}

fn kind(role: &Role) -> &'static str {
    if role.client.is_some() { "CLIENT_ROLE" } else { "REALM_ROLE" }
}

/// Takes a role away, and it from all who have it.
pub(super) async fn delete(call: Call) -> Answer {
    let role = changeable(&call).await?;
    if role.built_in {
        return Err(AdminError::bad(format!("{} comes with the realm and cannot be removed.", role.name)));
    }
    let path = format!("roles-by-id/{}", role.id);
    let change = Change::DeleteRole { realm_id: role.realm_id.clone(), id: role.id.clone() };
    call.commit(vec![change], Operation::Delete, kind(&role), &path).await?;
    done()
}

/// What a role is made of; of one client's roles alone when the address names it.
pub(super) async fn composites(call: Call) -> Answer {
    let of = call.part("of").to_owned();
    composed(&call, |part| of.is_empty() || part.client.as_deref() == Some(of.as_str())).await
}

/// What a role is made of, of the realm's roles.
pub(super) async fn realm_composites(call: Call) -> Answer {
    composed(&call, |part| part.client.is_none()).await
}

async fn composed(call: &Call, counts: impl Fn(&Role) -> bool) -> Answer {
    let role = named(call).await?;
    let roles = &call.state.roles;
    let parts = roles.children(&role.id).filter_map(|id| roles.by_id(id));
    let mut parts: Vec<&Role> = parts.filter(|part| counts(part)).collect();
    parts.sort_by(|a, b| (&a.client, &a.name).cmp(&(&b.client, &b.name)));
    told(&parts.into_iter().map(|part| shown(call, part)).collect::<Vec<_>>())
}

/// Adds parts to a role.
pub(super) async fn add_composites(call: Call) -> Answer {
    change_composites(&call, true).await
}

/// Takes parts from a role.
pub(super) async fn remove_composites(call: Call) -> Answer {
    change_composites(&call, false).await
}

async fn change_composites(call: &Call, added: bool) -> Answer {
    let role = changeable(call).await?;
    let body: Vec<RoleRepresentation> = call.server.json()?;
    let ids = body.into_iter().map(|part| by_id_or_name(call, part)).collect::<Result<Vec<_>, _>>()?;
    composable(call, &ids)?;
    let changes = ids.into_iter().map(|part| composite(call, &role.id, part, added)).collect();
    let operation = if added { Operation::Create } else { Operation::Delete };
    call.commit(changes, operation, kind(&role), &format!("roles-by-id/{}/composites", role.id)).await?;
    done()
}

fn by_id_or_name(call: &Call, part: RoleRepresentation) -> Result<String, AdminError> {
    let container = match &part.id {
        Some(id) => call.state.roles.by_id(id).and_then(|role| role.client.clone()),
        None => part.container_id.clone().filter(|_| part.client_role == Some(true)),
    };
    let mut ids = named_roles(call, &container, vec![part])?;
    ids.pop().ok_or_else(|| AdminError::not_found("Could not find composite role"))
}

fn composite(call: &Call, role_id: &str, child_id: String, added: bool) -> Change {
    let (realm_id, role_id) = (call.realm_id().to_owned(), role_id.to_owned());
    if added {
        Change::AddComposite { realm_id, role_id, child_id }
    } else {
        Change::RemoveComposite { realm_id, role_id, child_id }
    }
}

/// The people to whom the role was given directly.
pub(super) async fn users(call: Call) -> Answer {
    let (role, page) = (named(&call).await?, call.server.page(users::USUAL)?);
    let people = call.store().users_with_role(call.realm_id(), &role.id, page).await?;
    users::listed(&call, &people)
}

/// The groups whose members have the role.
pub(super) async fn groups(call: Call) -> Answer {
    let (role, page) = (named(&call).await?, call.server.page(users::USUAL)?);
    let groups = call.store().groups_with_role(call.realm_id(), &role.id).await?;
    let shown = page.of(groups).into_iter().map(|one| group::brief(&one, Default::default()));
    told(&shown.collect::<Vec<_>>())
}
