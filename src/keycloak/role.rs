//! Roles.

use super::filled;
use super::record::Kept;
use super::representation::{Composites, RoleRepresentation};
use crate::protocol::role::{Role, Roles};

/// `base` with what `role` says, and what it says beyond. Its identifier, its client and its parts are the caller's.
#[must_use]
pub fn from_representation(role: RoleRepresentation, base: Role) -> (Role, Kept) {
    let description = match role.description {
        Some(text) => filled(Some(&text)),
        None => base.description,
    };
    let record = Role {
        name: role.name.filter(|name| !name.is_empty()).unwrap_or(base.name),
        description,
        attributes: role.attributes.unwrap_or(base.attributes),
        ..base
    };
    (record, role.kept)
}

/// The representation of `role`; `roles` knows its parts.
#[must_use]
pub fn to_representation(role: &Role, roles: &Roles, kept: Kept) -> RoleRepresentation {
    let parts: Vec<&Role> = roles.children(&role.id).filter_map(|id| roles.by_id(id)).collect();
    RoleRepresentation {
        composites: composites(&parts, roles),
        attributes: Some(role.attributes.clone()),
        ..brief(role, !parts.is_empty(), kept)
    }
}

/// As [`to_representation`] without parts and attributes, as lists show it.
#[must_use]
pub fn brief(role: &Role, composite: bool, kept: Kept) -> RoleRepresentation {
    RoleRepresentation {
        id: Some(role.id.clone()),
        name: Some(role.name.clone()),
        description: role.description.clone(),
        composite: Some(composite),
        composites: None,
        client_role: Some(role.client.is_some()),
        container_id: Some(role.client.as_ref().unwrap_or(&role.realm_id).clone()),
        attributes: None,
        kept,
    }
}

/// Roles by name, sorted; none when there are none.
fn composites(parts: &[&Role], roles: &Roles) -> Option<Composites> {
    let (realm, client) = super::group::by_name(parts, roles);
    let composites = Composites {
        realm: Some(realm).filter(|names| !names.is_empty()),
        client: Some(client).filter(|names| !names.is_empty()),
    };
    (!parts.is_empty()).then_some(composites)
}
