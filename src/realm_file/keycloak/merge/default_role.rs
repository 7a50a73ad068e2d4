//! The role that every user has goes by a name of its own here; files may have another one for it.

use crate::keycloak::representation::{
    Composites, GroupRepresentation, RealmRepresentation, RoleRepresentation,
};

/// Whether the default role of `file` goes by another name than ours.
pub(super) fn is_other(file: &RealmRepresentation, ours: &str) -> bool {
    let name = file.default_role.as_ref().and_then(|role| role.name.as_deref());
    name.is_some_and(|name| !name.is_empty() && name != ours)
}

/// `file` with our name for its default role. Where it has another role of that name, that one gets what its default
/// role gives.
pub(super) fn named(mut file: RealmRepresentation, ours: &str) -> RealmRepresentation {
    let theirs = file.default_role.as_ref().and_then(|role| role.name.clone());
    let Some(theirs) = theirs.filter(|name| !name.is_empty() && name != ours) else { return file };
    let is_taken = |role: &RoleRepresentation| role.name.as_deref() == Some(ours);
    if file.roles.iter().flat_map(|roles| roles.realm.iter().flatten()).any(is_taken) {
        file.default_role = None;
        file.default_roles.get_or_insert_default().push(theirs);
        return file;
    }
    let names = |names: &mut Vec<String>| {
        names.iter_mut().filter(|name| **name == theirs).for_each(|name| ours.clone_into(name));
    };
    let role = |role: &mut RoleRepresentation| {
        if let Some(Composites { realm: Some(parts), .. }) = &mut role.composites {
            names(parts);
        }
    };
    let own = |one: &mut RoleRepresentation| {
        if one.name.as_deref() == Some(theirs.as_str()) {
            one.name = Some(ours.to_owned());
        }
        role(one);
    };
    if let Some(roles) = &mut file.roles {
        roles.realm.iter_mut().flatten().for_each(own);
        roles.client.iter_mut().flatten().flat_map(|(_, list)| list).for_each(role);
    }
    file.default_role.iter_mut().for_each(own);
    file.default_roles.iter_mut().for_each(names);
    file.users.iter_mut().flatten().filter_map(|user| user.realm_roles.as_mut()).for_each(names);
    file.groups.iter_mut().flatten().for_each(|group| below(group, &names));
    file.scope_mappings.iter_mut().flatten().filter_map(|mapping| mapping.roles.as_mut()).for_each(names);
    file
}

fn below(group: &mut GroupRepresentation, names: &dyn Fn(&mut Vec<String>)) {
    group.realm_roles.iter_mut().for_each(names);
    group.sub_groups.iter_mut().flatten().for_each(|group| below(group, names));
}
