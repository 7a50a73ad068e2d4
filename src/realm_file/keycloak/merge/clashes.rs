//! Identifiers that two records would have: the later of them would take the place of the other, with all that it holds.
//! And e-mail addresses that two people would have where nobody may share one.

use std::collections::HashMap;

use super::super::super::state::{GroupState, UserState};
use crate::protocol::client::Client;
use crate::protocol::realm::RealmSettings;
use crate::protocol::role::Role;
use crate::protocol::scope::Scope;
use crate::protocol::user::canonical;

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

/// What is wrong with the e-mail addresses of these people, in words.
pub(super) fn addresses(settings: &RealmSettings, users: &[UserState]) -> Vec<String> {
    if settings.duplicate_emails {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut names: HashMap<String, &str> = HashMap::new();
    for UserState { user, .. } in users {
        let address = user.email.as_deref().map(canonical).filter(|address| !address.is_empty());
        if let Some(other) = address.and_then(|address| names.insert(address, &user.username)) {
            let name = &user.username;
            found.push(format!(
                "user `{name}` has the `email` of user `{other}`: give one of them another, or let people share one by \
                 `duplicateEmailsAllowed`, with which nobody signs in by it"
            ));
        }
    }
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
