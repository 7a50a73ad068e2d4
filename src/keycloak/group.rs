//! Groups.

use std::collections::BTreeMap;

use super::record::Kept;
use super::representation::GroupRepresentation;
use crate::protocol::role::{Group, Role, Roles};

/// `base` with what `group` says, and what it says beyond. Identifier, parent, path, roles and the groups below are the
/// caller's.
#[must_use]
pub fn from_representation(group: GroupRepresentation, base: Group) -> (Group, Kept) {
    let record = Group {
        name: group.name.filter(|name| !name.is_empty()).unwrap_or(base.name),
        attributes: group.attributes.unwrap_or(base.attributes),
        ..base
    };
    (record, group.kept)
}

/// The representation of `group` with the roles of its members, without the groups below.
#[must_use]
pub fn to_representation(
    group: &Group,
    assigned: &[&Role],
    roles: &Roles,
    kept: Kept,
) -> GroupRepresentation {
    let (realm_roles, client_roles) = by_name(assigned, roles);
    GroupRepresentation {
        attributes: Some(group.attributes.clone()),
        realm_roles: Some(realm_roles),
        client_roles: Some(client_roles),
        ..brief(group, kept)
    }
}

/// As [`to_representation`] without roles and attributes, as lists show it.
#[must_use]
pub fn brief(group: &Group, kept: Kept) -> GroupRepresentation {
    GroupRepresentation {
        id: Some(group.id.clone()),
        name: Some(group.name.clone()),
        path: Some(group.path.clone()),
        parent_id: group.parent.clone(),
        sub_groups: Some(Vec::new()),
        kept,
        ..GroupRepresentation::default()
    }
}

/// Names of realm roles, and names of client roles by `client_id`; sorted.
#[must_use]
pub fn by_name(assigned: &[&Role], roles: &Roles) -> (Vec<String>, BTreeMap<String, Vec<String>>) {
    let mut realm = Vec::new();
    let mut clients: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for role in assigned {
        match (&role.client, roles.client_id(role)) {
            (None, _) => realm.push(role.name.clone()),
            (Some(_), Some(client_id)) => {
                clients.entry(client_id.to_owned()).or_default().push(role.name.clone());
            }
            (Some(_), None) => {}
        }
    }
    realm.sort();
    clients.values_mut().for_each(|names| names.sort());
    (realm, clients)
}
