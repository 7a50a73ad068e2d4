//! Who is in a group, and in which groups new users are.

use std::collections::HashMap;

use serde_json::json;

use super::super::answer::{AdminError, Answer, done, told};
use super::super::call::{Call, Operation};
use super::super::users;
use super::{covered, named};
use crate::keycloak::Kept;
use crate::keycloak::group::brief;
use crate::keycloak::representation::GroupRepresentation;
use crate::protocol::role::Group;
use crate::store::Change;

/// The people in a group.
pub(in super::super) async fn members(call: Call) -> Answer {
    let (group, page) = (named(&call).await?, call.server.page(users::USUAL)?);
    let people = call.store().members_of_group(call.realm_id(), &group.id, page).await?;
    users::listed(&call, &people)
}

/// The groups that a user is a member of.
pub(in super::super) async fn of_user(call: Call) -> Answer {
    let (found, page) = (groups_of_user(&call).await?, call.server.page(i64::MAX)?);
    let whole = call.server.flag("briefRepresentation")? == Some(false);
    let shown = page.of(found).into_iter().map(|group| GroupRepresentation {
        attributes: whole.then(|| group.attributes.clone()),
        ..brief(&group, Kept::new())
    });
    told(&shown.collect::<Vec<_>>())
}

/// How many those are.
pub(in super::super) async fn count_of_user(call: Call) -> Answer {
    told(&json!({ "count": groups_of_user(&call).await?.len() }))
}

async fn groups_of_user(call: &Call) -> Result<Vec<Group>, AdminError> {
    let user = users::named(call).await?;
    let ids = call.store().groups_of_user(call.realm_id(), &user.id).await?;
    let search = call.server.query.get("search").map(str::to_lowercase).unwrap_or_default();
    let mut groups = call.store().groups_among(call.realm_id(), &ids).await?;
    groups.retain(|group| group.name.to_lowercase().contains(&search));
    Ok(groups)
}

/// Makes a user a member.
pub(in super::super) async fn join(call: Call) -> Answer {
    member(&call, true).await
}

/// Ends a membership.
pub(in super::super) async fn leave(call: Call) -> Answer {
    member(&call, false).await
}

async fn member(call: &Call, joins: bool) -> Answer {
    let (user, group) = (users::manageable(call).await?, named(call).await?);
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
pub(in super::super) async fn defaults(call: Call) -> Answer {
    let ids = &call.state.realm.settings.default_groups;
    let groups = call.store().groups_among(call.realm_id(), ids).await?;
    let by_id: HashMap<&str, &Group> = groups.iter().map(|group| (group.id.as_str(), group)).collect();
    let shown = ids.iter().filter_map(|id| by_id.get(id.as_str())).map(|group| brief(group, Kept::new()));
    told(&shown.collect::<Vec<_>>())
}

/// Makes a group one of those.
pub(in super::super) async fn add_default(call: Call) -> Answer {
    call.repeated(|call| Box::pin(change_defaults(call, true))).await
}

/// Makes it none of them.
pub(in super::super) async fn remove_default(call: Call) -> Answer {
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
