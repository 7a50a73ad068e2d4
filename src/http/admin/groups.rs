//! Groups as administrators see and change them.

use std::collections::BTreeMap;

use serde::Deserialize;
use uuid::Uuid;

use super::answer::{AdminError, Answer, done};
use super::call::{Call, Operation};
use crate::protocol::role::Group;
use crate::store::Change;

/// What a body says of a group.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    name: Option<String>,
    attributes: Option<BTreeMap<String, Vec<String>>>,
}

/// Makes a group at the top.
pub(super) async fn create(call: Call) -> Answer {
    let body: Body = call.server.json()?;
    let name = name(body.name)?;
    let group = Group {
        id: Uuid::new_v4().to_string(),
        realm_id: call.realm_id().to_owned(),
        parent: None,
        path: format!("/{name}"),
        name,
        attributes: body.attributes.unwrap_or_default(),
    };
    let (id, path) = (group.id.clone(), format!("groups/{}", group.id));
    let taken = format!("Top level group named '{}' already exists.", group.name);
    let made = call.commit(vec![Change::PutGroup(group)], Operation::Create, "GROUP", &path).await;
    made.map_err(|error| AdminError::of_conflict(error, |_| AdminError::conflict(taken)))?;
    call.created(&["groups", &id])
}

fn name(name: Option<String>) -> Result<String, AdminError> {
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.ok_or_else(|| AdminError::bad("Group name is missing"))
}

/// Changes a group's attributes.
pub(super) async fn update(call: Call) -> Answer {
    let body: Body = call.server.json()?;
    let group = named(&call).await?;
    let attributes = body.attributes.unwrap_or_else(|| group.attributes.clone());
    let path = format!("groups/{}", group.id);
    let change = Change::PutGroup(Group { attributes, ..group });
    call.commit(vec![change], Operation::Update, "GROUP", &path).await?;
    done()
}

/// Takes a group away, with those below it.
pub(super) async fn delete(call: Call) -> Answer {
    let group = named(&call).await?;
    let path = format!("groups/{}", group.id);
    let change = Change::DeleteGroup { realm_id: group.realm_id, id: group.id };
    call.commit(vec![change], Operation::Delete, "GROUP", &path).await?;
    done()
}

/// The group of the address.
async fn named(call: &Call) -> Result<Group, AdminError> {
    let groups = call.store().groups(call.realm_id()).await?;
    let id = call.part("group");
    let found = groups.into_iter().find(|group| group.id == id);
    found.ok_or_else(|| AdminError::not_found("Could not find group by id"))
}
