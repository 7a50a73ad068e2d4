//! Whether what a file refers to exists: in the file, or in the realm already.

use std::collections::BTreeSet;

use super::super::entities::Key;
use super::super::places::Notes;
use super::super::spec::{GroupSpec, RealmSpec, RoleSpec};
use crate::protocol::grants::token_exchange::ExchangeRule;
use crate::protocol::scope::OPENID;

/// The names that may be referred to.
pub(super) struct Known(BTreeSet<Key>);

/// What a role's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Role(Key),
    Nothing,
    /// Both a realm role whose name holds a colon and a client's role.
    Ambiguous,
}

impl Known {
    /// These records without those that go.
    pub(super) fn new<'a>(keys: impl IntoIterator<Item = &'a Key>, deleted: &BTreeSet<Key>) -> Self {
        Self(keys.into_iter().filter(|key| !deleted.contains(*key)).cloned().collect())
    }

    /// `role` or `client:role`, where both names may hold colons themselves.
    pub(super) fn role(&self, name: &str) -> Found {
        let realm = Some(Key::Role(name.to_owned())).filter(|key| self.has(key));
        let of_clients = name.match_indices(':').filter_map(|(at, _)| {
            let (client, rest) = (name.get(..at)?, name.get(at + 1..)?);
            Some(Key::ClientRole { client: client.to_owned(), name: rest.to_owned() })
                .filter(|key| self.has(key))
        });
        let mut found = realm.into_iter().chain(of_clients);
        match (found.next(), found.next()) {
            (Some(key), None) => Found::Role(key),
            (None, _) => Found::Nothing,
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.0.contains(key)
    }
}

/// Notes every reference of `spec` that leads nowhere.
pub(super) fn check(spec: &RealmSpec, known: &Known, notes: &mut Notes<'_>) {
    scopes(spec.default_scopes.as_deref(), "default_scopes", known, notes);
    scopes(spec.optional_scopes.as_deref(), "optional_scopes", known, notes);
    composites(&spec.roles, None, "roles", known, notes);
    for (index, scope) in spec.scopes.iter().enumerate() {
        let list = format!("scopes[{index}].scope_mappings");
        roles(scope.scope_mappings.as_deref(), &list, known, notes);
    }
    for (index, client) in spec.clients.iter().enumerate() {
        let field = |name: &str| format!("clients[{index}].{name}");
        scopes(client.default_scopes.as_deref(), &field("default_scopes"), known, notes);
        scopes(client.optional_scopes.as_deref(), &field("optional_scopes"), known, notes);
        composites(&client.roles, Some(&client.id), &field("roles"), known, notes);
        roles(client.service_account_roles.as_deref(), &field("service_account_roles"), known, notes);
        roles(client.scope_mappings.as_deref(), &field("scope_mappings"), known, notes);
        exchange(client.exchange.as_deref().unwrap_or_default(), &field("exchange"), known, notes);
    }
    groups(&spec.groups, "groups", known, notes);
    for (index, user) in spec.users.iter().enumerate() {
        roles(user.roles.as_deref(), &format!("users[{index}].roles"), known, notes);
        for (at, path) in user.groups.iter().flatten().enumerate() {
            if !known.has(&Key::Group(path.clone())) {
                notes.add(&format!("users[{index}].groups[{at}]"), format!("there is no group `{path}`"));
            }
        }
    }
}

fn scopes(names: Option<&[String]>, list: &str, known: &Known, notes: &mut Notes<'_>) {
    for (index, name) in names.unwrap_or_default().iter().enumerate() {
        let field = format!("{list}[{index}]");
        if name == OPENID {
            notes.add(&field, "`openid` is always there and is not listed");
        } else if !known.has(&Key::Scope(name.clone())) {
            notes.add(&field, format!("there is no scope `{name}`"));
        }
    }
}

fn exchange(rules: &[ExchangeRule], list: &str, known: &Known, notes: &mut Notes<'_>) {
    let mut client = |name: &str, field: String| {
        if !known.has(&Key::Client(name.to_owned())) {
            notes.add(&field, format!("there is no client `{name}`"));
        }
    };
    for (index, rule) in rules.iter().enumerate() {
        if !rule.is_standard() {
            client(&rule.audience, format!("{list}[{index}].audience"));
        }
        for (at, name) in rule.subject_clients.iter().enumerate() {
            client(name, format!("{list}[{index}].subject_clients[{at}]"));
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        for (at, name) in rule.scopes.iter().flatten().enumerate() {
            if name != OPENID && !known.has(&Key::Scope(name.clone())) {
                notes.add(&format!("{list}[{index}].scopes[{at}]"), format!("there is no scope `{name}`"));
            }
        }
    }
}

fn composites(of: &[RoleSpec], client: Option<&str>, list: &str, known: &Known, notes: &mut Notes<'_>) {
    for (index, role) in of.iter().enumerate() {
        let field = format!("{list}[{index}].composites");
        roles(role.composites.as_deref(), &field, known, notes);
        let own = client.map_or_else(|| role.name.clone(), |client| format!("{client}:{}", role.name));
        if role.composites.iter().flatten().any(|part| *part == own) {
            notes.add(&field, "a role cannot be part of itself");
        }
    }
}

fn groups(of: &[GroupSpec], list: &str, known: &Known, notes: &mut Notes<'_>) {
    for (index, group) in of.iter().enumerate() {
        roles(group.roles.as_deref(), &format!("{list}[{index}].roles"), known, notes);
        groups(&group.groups, &format!("{list}[{index}].groups"), known, notes);
    }
}

fn roles(names: Option<&[String]>, list: &str, known: &Known, notes: &mut Notes<'_>) {
    for (index, name) in names.unwrap_or_default().iter().enumerate() {
        let message = match known.role(name) {
            Found::Role(_) => continue,
            Found::Nothing => format!("there is no role `{name}`"),
            Found::Ambiguous => format!("`{name}` is both a realm role and a client's role"),
        };
        notes.add(&format!("{list}[{index}]"), message);
    }
}
