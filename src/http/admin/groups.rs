//! Groups as administrators see and change them.

use std::collections::{BTreeSet, HashMap};

use serde_json::json;
use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::{beside, mappings, users};
use crate::keycloak::group::{brief, from_representation, to_representation};
use crate::keycloak::representation::GroupRepresentation;
use crate::keycloak::{Beside, Kept};
use crate::protocol::role::{Group, Role};
use crate::store::Change;

/// Every group of the realm, by path.
pub(super) async fn all(call: &Call) -> Result<Vec<Group>, AdminError> {
    Ok(call.store().groups(call.realm_id()).await?)
}

/// The group of the address.
pub(super) async fn named(call: &Call) -> Result<Group, AdminError> {
    of(&all(call).await?, call.part("group")).cloned()
}

fn of<'a>(groups: &'a [Group], id: &str) -> Result<&'a Group, AdminError> {
    let found = groups.iter().find(|group| group.id == id);
    found.ok_or_else(|| AdminError::not_found("Could not find group by id"))
}

/// Identifiers of the roles that a member of the group has by it: its own and those of the groups above it.
pub(super) async fn roles_of(call: &Call, group: &str) -> Result<Vec<String>, AdminError> {
    let (groups, given) = (all(call).await?, call.store().group_roles(call.realm_id()).await?);
    let above: BTreeSet<&str> = lineage(&groups, group).map(|group| group.id.as_str()).collect();
    Ok(given.into_iter().filter(|(group, _)| above.contains(group.as_str())).map(|(_, role)| role).collect())
}

/// A group and those above it.
fn lineage<'a>(groups: &'a [Group], id: &str) -> impl Iterator<Item = &'a Group> {
    let by_id = |id: &str| groups.iter().find(|group| group.id == id);
    // No longer than there are groups, should two be above each other.
    std::iter::successors(by_id(id), move |group| by_id(group.parent.as_deref()?)).take(groups.len())
}

/// Whether the caller may make members of the group, or unmake it (attacks A02).
pub(super) async fn covered(call: &Call, group: &str) -> Result<(), AdminError> {
    let roles = roles_of(call, group).await?;
    if roles.iter().all(|role| mappings::grantable(call, role)) {
        Ok(())
    } else {
        Err(AdminError::above("The group"))
    }
}

/// The groups at the top; with `search`, the paths to groups whose name fits. Those below are in the list of their parent
/// unless the search led to them.
pub(super) async fn list(call: Call) -> Answer {
    let (groups, page) = (all(&call).await?, call.server.page(i64::MAX)?);
    let found = found(&call, &groups)?;
    let flat = call.server.flag("populateHierarchy")? == Some(false);
    // A group that was found brings those above it.
    let found = found.map(|found| if flat { found } else { with_those_above(&groups, &found) });
    let within = |group: &&Group| match &found {
        None => group.parent.is_none(),
        Some(found) => (flat || group.parent.is_none()) && found.contains(group.id.as_str()),
    };
    let mut shown = Vec::new();
    for group in page.of(groups.iter().filter(within).collect()) {
        shown.push(tree(&call, &groups, group, found.as_ref().filter(|_| !flat))?);
    }
    told(&shown)
}

/// Identifiers of the groups that `search` and `q` find; none when neither is asked.
fn found<'a>(call: &Call, groups: &'a [Group]) -> Result<Option<BTreeSet<&'a str>>, AdminError> {
    let (search, q) = (call.server.query.get("search"), call.server.query.get("q"));
    if search.is_none() && q.is_none() {
        return Ok(None);
    }
    let exact = call.server.flag("exact")? == Some(true);
    let (search, q) = (search.unwrap_or_default().to_lowercase(), users::attributes(q.unwrap_or_default())?);
    let fits = |group: &&Group| {
        let name = group.name.to_lowercase();
        (if exact { search.is_empty() || name == search } else { name.contains(&search) })
            && q.iter().all(|(key, value)| {
                group.attributes.get(key).is_some_and(|values| values.iter().any(|own| own == value))
            })
    };
    Ok(Some(groups.iter().filter(fits).map(|group| group.id.as_str()).collect()))
}

fn with_those_above<'a>(groups: &'a [Group], found: &BTreeSet<&str>) -> BTreeSet<&'a str> {
    found.iter().flat_map(|id| lineage(groups, id)).map(|group| group.id.as_str()).collect()
}

/// A group and all below it, each after its parent.
fn below<'a>(groups: &'a [Group], top: &'a Group) -> Vec<&'a Group> {
    let mut children: HashMap<&str, Vec<&Group>> = HashMap::new();
    for group in groups.iter().filter(|group| group.id != top.id) {
        if let Some(parent) = group.parent.as_deref() {
            children.entry(parent).or_default().push(group);
        }
    }
    let (mut found, mut next) = (Vec::new(), vec![top]);
    while let Some(group) = next.pop() {
        found.push(group);
        next.extend(children.remove(group.id.as_str()).unwrap_or_default());
    }
    found
}

/// A group as lists show it, with those below it that a search led to.
fn tree(
    call: &Call,
    groups: &[Group],
    group: &Group,
    found: Option<&BTreeSet<&str>>,
) -> Result<GroupRepresentation, AdminError> {
    let children: Vec<&Group> =
        groups.iter().filter(|one| one.parent.as_deref() == Some(group.id.as_str())).collect();
    let mut shown = brief(group, Kept::new());
    if call.server.flag("briefRepresentation")? == Some(false) {
        shown.attributes = Some(group.attributes.clone());
    }
    shown.sub_group_count = i64::try_from(children.len()).ok();
    let mut led_to = Vec::new();
    if let Some(found) = found {
        for child in children.into_iter().filter(|child| found.contains(child.id.as_str())) {
            led_to.push(tree(call, groups, child, Some(found))?);
        }
    }
    shown.sub_groups = Some(led_to);
    Ok(shown)
}

/// How many groups there are; with `top`, at the top.
pub(super) async fn count(call: Call) -> Answer {
    let groups = all(&call).await?;
    let found = found(&call, &groups)?;
    let top = call.server.flag("top")? == Some(true);
    let counted = groups.iter().filter(|group| {
        found.as_ref().is_none_or(|found| found.contains(group.id.as_str()))
            && !(top && group.parent.is_some())
    });
    told(&json!({ "count": counted.count() }))
}

/// One group with its roles.
pub(super) async fn read(call: Call) -> Answer {
    let groups = all(&call).await?;
    told(&whole(&call, &groups, of(&groups, call.part("group"))?).await?)
}

/// The group at a path.
pub(super) async fn by_path(call: Call) -> Answer {
    let groups = all(&call).await?;
    let path = format!("/{}", call.part("path").trim_matches('/'));
    let found = groups.iter().find(|group| group.path == path);
    let group = found.ok_or_else(|| AdminError::not_found("Group path does not exist"))?;
    told(&whole(&call, &groups, group).await?)
}

async fn whole(call: &Call, groups: &[Group], group: &Group) -> Result<GroupRepresentation, AdminError> {
    let given = call.store().direct_roles_of_group(call.realm_id(), &group.id).await?;
    let roles: Vec<&Role> = given.iter().filter_map(|id| call.state.roles.by_id(id)).collect();
    let kept = beside::shown(call, Beside::Group, &group.id).await?;
    let mut shown = to_representation(group, &roles, &call.state.roles, kept);
    let children = groups.iter().filter(|one| one.parent.as_deref() == Some(group.id.as_str())).count();
    shown.sub_group_count = i64::try_from(children).ok();
    Ok(shown)
}

/// The groups directly below one.
pub(super) async fn children(call: Call) -> Answer {
    let (groups, page) = (all(&call).await?, call.server.page(users::USUAL)?);
    let parent = of(&groups, call.part("group"))?;
    let search = call.server.query.get("search").map(str::to_lowercase).unwrap_or_default();
    let fits = |group: &&Group| {
        group.parent.as_deref() == Some(parent.id.as_str()) && group.name.to_lowercase().contains(&search)
    };
    let mut shown = Vec::new();
    for group in page.of(groups.iter().filter(fits).collect()) {
        shown.push(tree(&call, &groups, group, None)?);
    }
    told(&shown)
}

/// Makes a group at the top, or moves the one that the body names to there.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let body: GroupRepresentation = call.server.json()?;
    let groups = all(call).await?;
    place(call, &groups, None, body).await
}

/// Makes a group below another, or moves the one that the body names to there.
pub(super) async fn create_child(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create_child(call))).await
}

async fn try_create_child(call: &Call) -> Answer {
    let body: GroupRepresentation = call.server.json()?;
    let groups = all(call).await?;
    let parent = of(&groups, call.part("group"))?;
    // Whoever comes to be below a group gets its roles.
    covered(call, &parent.id).await?;
    place(call, &groups, Some(parent), body).await
}

async fn place(call: &Call, groups: &[Group], parent: Option<&Group>, body: GroupRepresentation) -> Answer {
    let there = body.id.as_ref().and_then(|id| groups.iter().find(|group| group.id == *id));
    if let Some(group) = there {
        return put_below(call, groups, group, parent).await;
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
async fn put_below(call: &Call, groups: &[Group], group: &Group, parent: Option<&Group>) -> Answer {
    covered(call, &group.id).await?;
    if parent.is_some_and(|parent| below(groups, group).iter().any(|one| one.id == parent.id)) {
        return Err(AdminError::bad("A group cannot be moved below itself"));
    }
    let moved = Group {
        parent: parent.map(|parent| parent.id.clone()),
        path: path(parent, &group.name),
        ..group.clone()
    };
    let changes = call.guarded(renamed(groups, group, moved));
    commit(call, changes, Operation::Update, &group.id, parent, &group.name).await?;
    done()
}

/// The changes that put `new` in the place of `old`: the paths of those below follow.
fn renamed(groups: &[Group], old: &Group, new: Group) -> Vec<Change> {
    let mut paths = HashMap::from([(old.id.clone(), new.path.clone())]);
    let mut changes = vec![Change::PutGroup(new)];
    for one in below(groups, old).into_iter().filter(|one| one.id != old.id) {
        let above = one.parent.as_ref().and_then(|parent| paths.get(parent));
        let path = format!("{}/{}", above.map(String::as_str).unwrap_or_default(), one.name);
        paths.insert(one.id.clone(), path.clone());
        if path != one.path {
            changes.push(Change::PutGroup(Group { path, ..one.clone() }));
        }
    }
    changes
}

fn path(parent: Option<&Group>, name: &str) -> String {
    format!("{}/{name}", parent.map(|parent| parent.path.as_str()).unwrap_or_default())
}

/// A name, which is a part of a path.
fn name(name: Option<&str>) -> Result<String, AdminError> {
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| AdminError::bad("Group name is missing"))?;
    if name.contains('/') || name.chars().any(char::is_control) {
        return Err(AdminError::bad("A group's name must not hold a slash: it parts the names of a path"));
    }
    Ok(name.to_owned())
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
    let groups = all(call).await?;
    let old = of(&groups, call.part("group"))?;
    let name = name(body.name.as_deref())?;
    let parent = old.parent.as_deref().and_then(|id| groups.iter().find(|group| group.id == id));
    let (group, new) = from_representation(body, old.clone());
    let group = Group { path: path(parent, &name), name: name.clone(), ..group };
    let mut changes = renamed(&groups, old, group);
    changes.extend(beside::keep(call, Beside::Group, &old.id, new).await?);
    commit(call, call.guarded(changes), Operation::Update, &old.id, parent, &name).await?;
    done()
}

/// Takes a group away, with those below it.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let groups = all(call).await?;
    let group = of(&groups, call.part("group"))?;
    for one in below(&groups, group) {
        covered(call, &one.id).await?;
    }
    let path = format!("groups/{}", group.id);
    let change = Change::DeleteGroup { realm_id: group.realm_id.clone(), id: group.id.clone() };
    call.commit(call.guarded(vec![change]), Operation::Delete, "GROUP", &path).await?;
    done()
}

/// The people in a group.
pub(super) async fn members(call: Call) -> Answer {
    let (group, page) = (named(&call).await?, call.server.page(users::USUAL)?);
    let people = call.store().members_of_group(call.realm_id(), &group.id, page).await?;
    users::listed(&call, &people)
}

/// The groups that a user is a member of.
pub(super) async fn of_user(call: Call) -> Answer {
    let (found, page) = (groups_of_user(&call).await?, call.server.page(i64::MAX)?);
    let whole = call.server.flag("briefRepresentation")? == Some(false);
    let shown = page.of(found).into_iter().map(|group| GroupRepresentation {
        attributes: whole.then(|| group.attributes.clone()),
        ..brief(&group, Kept::new())
    });
    told(&shown.collect::<Vec<_>>())
}

/// How many those are.
pub(super) async fn count_of_user(call: Call) -> Answer {
    told(&json!({ "count": groups_of_user(&call).await?.len() }))
}

async fn groups_of_user(call: &Call) -> Result<Vec<Group>, AdminError> {
    let user = users::named(call).await?;
    let ids: BTreeSet<String> =
        call.store().groups_of_user(call.realm_id(), &user.id).await?.into_iter().collect();
    let search = call.server.query.get("search").map(str::to_lowercase).unwrap_or_default();
    let groups = all(call).await?.into_iter();
    Ok(groups
        .filter(|group| ids.contains(&group.id) && group.name.to_lowercase().contains(&search))
        .collect())
}

/// Makes a user a member.
pub(super) async fn join(call: Call) -> Answer {
    member(&call, true).await
}

/// Ends a membership.
pub(super) async fn leave(call: Call) -> Answer {
    member(&call, false).await
}

async fn member(call: &Call, joins: bool) -> Answer {
    let (user, group) = (users::named(call).await?, named(call).await?);
    covered(call, &group.id).await?;
    let (realm_id, user_id, group_id) = (call.realm_id().to_owned(), user.id.clone(), group.id.clone());
    let (change, operation) = if joins {
        (Change::AddUserGroup { realm_id, user_id, group_id }, Operation::Create)
    } else {
        (Change::RemoveUserGroup { realm_id, user_id, group_id }, Operation::Delete)
    };
    let mut changes = vec![change];
    if user.service_account_client.is_some() {
        changes.push(Change::Reconfigure { realm_id: call.realm_id().to_owned() });
    }
    let path = format!("users/{}/groups/{}", user.id, group.id);
    call.commit(changes, operation, "GROUP_MEMBERSHIP", &path).await?;
    done()
}

/// The groups that new users become members of.
pub(super) async fn defaults(call: Call) -> Answer {
    let groups = all(&call).await?;
    let by_id: HashMap<&str, &Group> = groups.iter().map(|group| (group.id.as_str(), group)).collect();
    let ids = &call.state.realm.settings.default_groups;
    let shown = ids.iter().filter_map(|id| by_id.get(id.as_str())).map(|group| brief(group, Kept::new()));
    told(&shown.collect::<Vec<_>>())
}

/// Makes a group one of those.
pub(super) async fn add_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_defaults(call, true))).await
}

/// Makes it none of them.
pub(super) async fn remove_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_defaults(call, false))).await
}

async fn change_defaults(call: &Call, added: bool) -> Answer {
    let group = named(call).await?;
    if added {
        covered(call, &group.id).await?;
    }
    let mut realm = call.state.realm.clone();
    realm.settings.default_groups.retain(|id| *id != group.id);
    if added {
        realm.settings.default_groups.push(group.id.clone());
    }
    let changes = vec![call.unmoved(), Change::PutRealm { realm, at: call.now() }];
    let operation = if added { Operation::Create } else { Operation::Delete };
    call.commit(changes, operation, "GROUP", &format!("default-groups/{}", group.id)).await?;
    done()
}
