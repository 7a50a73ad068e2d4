//! Groups as administrators see and change them.

mod listing;
mod members;

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::{beside, mappings};
use crate::keycloak::Beside;
use crate::keycloak::group::{from_representation, to_representation};
use crate::keycloak::representation::GroupRepresentation;
use crate::protocol::group_path;
use crate::protocol::group_tree::GroupTree;
use crate::protocol::role::{Group, Role};
use crate::store::Change;

pub(super) use listing::{children, count, list};
pub(super) use members::{
    add_default, count_of_user, defaults, join, leave, members, of_user, remove_default,
};

fn missing() -> AdminError {
    AdminError::not_found("Could not find group by id")
}

/// The group of the address.
pub(super) async fn named(call: &Call) -> Result<Group, AdminError> {
    call.store().group_by_id(call.realm_id(), call.part("group")).await?.ok_or_else(missing)
}

/// Every group of the realm.
async fn tree_of(call: &Call) -> Result<GroupTree, AdminError> {
    Ok(GroupTree::new(call.store().groups(call.realm_id()).await?))
}

/// Whether the caller may make members of the group, or unmake it (attacks A02).
pub(super) async fn covered(call: &Call, group: &str) -> Result<(), AdminError> {
    let roles = call.store().roles_by_group(call.realm_id(), group).await?;
    grantable(call, roles.iter().map(String::as_str))
}

/// The same of a group and all below it.
async fn all_covered(call: &Call, tree: &GroupTree, group: &Group) -> Result<(), AdminError> {
    let above = tree.with_those_above(&group.id);
    let ids: HashSet<&str> =
        above.chain(tree.with_those_below(&group.id)).map(|one| one.id.as_str()).collect();
    let given = call.store().group_roles(call.realm_id()).await?;
    let given = given.iter().filter(|(group, _)| ids.contains(group.as_str()));
    grantable(call, given.map(|(_, role)| role.as_str()))
}

fn grantable<'a>(call: &Call, mut roles: impl Iterator<Item = &'a str>) -> Result<(), AdminError> {
    if roles.all(|role| mappings::grantable(call, role)) {
        Ok(())
    } else {
        Err(AdminError::above("The group"))
    }
}

/// One group with its roles.
pub(super) async fn read(call: Call) -> Answer {
    told(&whole(&call, &named(&call).await?).await?)
}

/// The group at a path.
pub(super) async fn by_path(call: Call) -> Answer {
    let path = written(call.part("path"));
    let found = call.store().group_by_path(call.realm_id(), &path).await?;
    let group = found.ok_or_else(|| AdminError::not_found("Group path does not exist"))?;
    told(&whole(&call, &group).await?)
}

async fn whole(call: &Call, group: &Group) -> Result<GroupRepresentation, AdminError> {
    let given = call.store().direct_roles_of_group(call.realm_id(), &group.id).await?;
    let roles: Vec<&Role> = given.iter().filter_map(|id| call.state.roles.by_id(id)).collect();
    let kept = beside::shown(call, Beside::Group, &group.id).await?;
    let mut shown = to_representation(group, &roles, &call.state.roles, kept);
    shown.sub_group_count = Some(call.store().count_groups_below(call.realm_id(), &group.id).await?);
    Ok(shown)
}

/// Makes a group at the top, or moves the one that the body names to there.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let body: GroupRepresentation = call.server.json()?;
    place(call, None, body).await
}

/// Makes a group below another, or moves the one that the body names to there.
pub(super) async fn create_child(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create_child(call))).await
}

async fn try_create_child(call: &Call) -> Answer {
    let body: GroupRepresentation = call.server.json()?;
    let parent = named(call).await?;
    // Whoever comes to be below a group gets its roles.
    covered(call, &parent.id).await?;
    place(call, Some(&parent), body).await
}

async fn place(call: &Call, parent: Option<&Group>, body: GroupRepresentation) -> Answer {
    if let Some(id) = &body.id
        && let Some(group) = call.store().group_by_id(call.realm_id(), id).await?
    {
        return put_below(call, &group, parent).await;
    }
    let name = name(body.name.as_deref())?;
    let base = Group {
        id: Uuid::new_v4().to_string(),
        realm_id: call.realm_id().to_owned(),
        parent: parent.map(|parent| parent.id.clone()),
        path: path(parent, &name),
        name: name.clone(),
        attributes: Default::default(),
    };
    let (group, kept) = from_representation(body, base);
    let group = Group { name: name.clone(), ..group };
    let id = group.id.clone();
    let mut changes = vec![Change::PutGroup(group)];
    changes.extend(beside::begin(call.realm_id(), Beside::Group, &id, kept));
    if parent.is_some() {
        changes = call.guarded(changes);
    }
    commit(call, changes, Operation::Create, &id, parent, &name).await?;
    call.created(&["groups", &id])
}

/// Moves a group, and those below it along.
async fn put_below(call: &Call, group: &Group, parent: Option<&Group>) -> Answer {
    covered(call, &group.id).await?;
    let tree = tree_of(call).await?;
    if parent.is_some_and(|parent| tree.with_those_above(&parent.id).any(|one| one.id == group.id)) {
        return Err(AdminError::bad("A group cannot be moved below itself"));
    }
    let moved = Group {
        parent: parent.map(|parent| parent.id.clone()),
        path: path(parent, &group.name),
        ..group.clone()
    };
    let changes = call.guarded(renamed(&tree, group, moved));
    commit(call, changes, Operation::Update, &group.id, parent, &group.name).await?;
    done()
}

/// The changes that put `new` in the place of `old`: the paths of those below follow.
fn renamed(tree: &GroupTree, old: &Group, new: Group) -> Vec<Change> {
    let mut paths = HashMap::from([(old.id.clone(), new.path.clone())]);
    let mut changes = vec![Change::PutGroup(new)];
    for one in tree.with_those_below(&old.id).into_iter().skip(1) {
        let above = one.parent.as_ref().and_then(|parent| paths.get(parent));
        let path = group_path::below(above.map(String::as_str).unwrap_or_default(), &one.name);
        paths.insert(one.id.clone(), path.clone());
        if path != one.path {
            changes.push(Change::PutGroup(Group { path, ..one.clone() }));
        }
    }
    changes
}

/// The path that a caller writes, who may leave out the first slash and end with one.
pub(super) fn written(path: &str) -> String {
    let path = path.trim_start_matches('/');
    let end = path.strip_suffix('/').filter(|shorter| !shorter.ends_with('~'));
    format!("/{}", end.unwrap_or(path))
}

fn path(parent: Option<&Group>, name: &str) -> String {
    group_path::below(parent.map(|parent| parent.path.as_str()).unwrap_or_default(), name)
}

/// A name, which is a part of a path.
fn name(name: Option<&str>) -> Result<String, AdminError> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| AdminError::bad("Group name is missing"))?;
    match group_path::name_problem(name) {
        Some(problem) => Err(AdminError::bad(problem)),
        None => Ok(name.to_owned()),
    }
}

async fn commit(
    call: &Call,
    changes: Vec<Change>,
    operation: Operation,
    id: &str,
    parent: Option<&Group>,
    name: &str,
) -> Result<(), AdminError> {
    let made = call.commit(changes, operation, "GROUP", &format!("groups/{id}")).await;
    made.map_err(|error| {
        AdminError::of_conflict(error, |what| match (what, parent) {
            ("group", None) => {
                AdminError::conflict(format!("Top level group named '{name}' already exists."))
            }
            ("group", Some(_)) => {
                AdminError::conflict(format!("Sibling group named '{name}' already exists."))
            }
            _ => AdminError::not_found("Could not find group by id"),
        })
    })
}

/// Changes name and attributes.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let body: GroupRepresentation = call.server.json()?;
    let tree = tree_of(call).await?;
    let old = tree.by_id(call.part("group")).ok_or_else(missing)?;
    let name = name(body.name.as_deref())?;
    // A name is a part of the path that claims, imports and other administrators go by.
    all_covered(call, &tree, old).await?;
    let parent = old.parent.as_deref().and_then(|id| tree.by_id(id));
    let (group, new) = from_representation(body, old.clone());
    let group = Group { path: path(parent, &name), name: name.clone(), ..group };
    let mut changes = renamed(&tree, old, group);
    changes.extend(beside::keep(call, Beside::Group, &old.id, new).await?);
    commit(call, call.guarded(changes), Operation::Update, &old.id, parent, &name).await?;
    done()
}

/// Takes a group away, with those below it.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let tree = tree_of(call).await?;
    let group = tree.by_id(call.part("group")).ok_or_else(missing)?;
    all_covered(call, &tree, group).await?;
    let path = format!("groups/{}", group.id);
    let change = Change::DeleteGroup { realm_id: group.realm_id.clone(), id: group.id.clone() };
    call.commit(call.guarded(vec![change]), Operation::Delete, "GROUP", &path).await?;
    done()
}
