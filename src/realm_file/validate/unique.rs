//! What must be named once.

use std::collections::BTreeMap;

use super::super::places::Notes;
use super::super::spec::{GroupSpec, RealmSpec};
use crate::protocol::user::canonical;

pub(super) fn rules(spec: &RealmSpec, notes: &mut Notes<'_>) {
    let fields = |list: &str, field: &str, names: Vec<String>| {
        let named = names.into_iter().enumerate();
        named.map(|(index, name)| (format!("{list}[{index}].{field}"), name)).collect::<Vec<_>>()
    };
    once(fields("roles", "name", spec.roles.iter().map(|role| role.name.clone()).collect()), notes);
    once(fields("scopes", "name", spec.scopes.iter().map(|scope| scope.name.clone()).collect()), notes);
    once(fields("clients", "id", spec.clients.iter().map(|client| client.id.clone()).collect()), notes);
    for (index, client) in spec.clients.iter().enumerate() {
        let names = client.roles.iter().map(|role| role.name.clone()).collect();
        once(fields(&format!("clients[{index}].roles"), "name", names), notes);
    }
    once(
        fields("users", "username", spec.users.iter().map(|user| canonical(&user.username)).collect()),
        notes,
    );
    let optional = |field: &str, values: Vec<Option<String>>| {
        let named = values.into_iter().enumerate();
        named
            .filter_map(|(index, value)| Some((format!("users[{index}].{field}"), value?)))
            .filter(|(_, value)| !value.is_empty())
            .collect::<Vec<_>>()
    };
    if spec.duplicate_emails == Some(true) {
        if spec.login_with_email != Some(false) {
            notes.add(
                "duplicate_emails",
                "it needs `login_with_email = false`: who would sign in by a shared address?",
            );
        }
    } else {
        once(
            optional("email", spec.users.iter().map(|user| user.email.as_deref().map(canonical)).collect()),
            notes,
        );
    }
    once(optional("id", spec.users.iter().map(|user| user.id.clone()).collect()), notes);
    siblings(&spec.groups, "groups", notes);
}

fn siblings(groups: &[GroupSpec], path: &str, notes: &mut Notes<'_>) {
    let names = groups.iter().enumerate();
    once(names.map(|(index, group)| (format!("{path}[{index}].name"), group.name.clone())).collect(), notes);
    for (index, group) in groups.iter().enumerate() {
        siblings(&group.groups, &format!("{path}[{index}].groups"), notes);
    }
}

fn once(named: Vec<(String, String)>, notes: &mut Notes<'_>) {
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for (field, name) in named {
        if let Some(earlier) = first.get(&name) {
            let earlier = notes.place(earlier);
            notes.add(&field, format!("`{name}` is named twice, first at {earlier}"));
        } else {
            first.insert(name, field);
        }
    }
}
