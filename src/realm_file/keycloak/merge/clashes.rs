//! Identifiers that two records would have. The later of them would take the place of the other, with all that it holds.

use std::collections::HashMap;

use super::super::super::state::{GroupState, UserState};
use crate::protocol::client::Client;
use crate::protocol::role::Role;
use crate::protocol::scope::Scope;

/// What is wrong with the identifiers of these records, in words.
pub(super) fn clashes(
    scopes: &[Scope],
    clients: &[Client],
    roles: &[Role],
    groups: &[GroupState],
    users: &[UserState],
) -> Vec<String> {
    let mut found = Vec::new();
    shared("client scope", scopes.iter().map(|one| (&one.id, &one.name)), &mut found);
    shared("client", clients.iter().map(|one| (&one.id, &one.client_id)), &mut found);
    shared("role", roles.iter().map(|one| (&one.id, &one.name)), &mut found);
    shared("group", groups.iter().map(|one| (&one.group.id, &one.group.path)), &mut found);
    shared("user", users.iter().map(|one| (&one.user.id, &one.user.username)), &mut found);
    found
}

fn shared<'a>(kind: &str, records: impl Iterator<Item = (&'a String, &'a String)>, found: &mut Vec<String>) {
    let mut names: HashMap<&str, &str> = HashMap::new();
    for (id, name) in records {
        if let Some(other) = names.insert(id, name) {
            found.push(told(kind, other, name));
        }
    }
}

/// That the later of two records has the identifier of the other.
pub(super) fn told(kind: &str, earlier: &str, later: &str) -> String {
    format!("{kind} `{later}` has the `id` of {kind} `{earlier}`: remove it from one of them")
}
