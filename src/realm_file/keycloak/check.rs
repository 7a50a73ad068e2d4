//! What is wrong with a file in Keycloak's form: the rules that the admin API has for each record, for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::fresh;
use super::super::spec::RealmSpec;
use super::super::state::State;
use super::super::{FileProblem, FileProblems};
use super::KeycloakRealm;
use crate::keycloak::representation::{GroupRepresentation, RealmRepresentation, RoleRepresentation};
use crate::keycloak::{client, credential, realm, user};
use crate::protocol::display::spelled;
use crate::protocol::group_path;
use crate::protocol::look_alike::look_alike;
use crate::protocol::user::canonical;

/// Refuses a file with mistakes. `state` is the realm that is there.
///
/// # Errors
/// Every mistake.
pub(in super::super) fn check(
    spec: &RealmSpec,
    file: &KeycloakRealm,
    state: Option<&State>,
) -> Result<(), FileProblems> {
    let found = match state {
        Some(state) => problems(spec, file, state),
        None => problems(spec, file, &fresh::keycloak_realm(&spec.name)),
    };
    if found.is_empty() { Ok(()) } else { Err(FileProblems(found)) }
}

fn problems(spec: &RealmSpec, file: &KeycloakRealm, state: &State) -> Vec<FileProblem> {
    let mut notes = Notes { spec, found: Vec::new() };
    let file = &*file.0;
    if let Some(problem) = realm::problem(file) {
        notes.add("", problem);
    }
    clients(file, &mut notes);
    scopes(file, &mut notes);
    roles(file, state, &mut notes);
    for group in file.groups.iter().flatten() {
        groups(group, "groups", &mut notes);
    }
    users(file, &mut notes);
    look_alikes(file, state, &mut notes);
    logins(file, state, &mut notes);
    notes.found
}

struct Notes<'a> {
    spec: &'a RealmSpec,
    found: Vec<FileProblem>,
}

impl Notes<'_> {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.found.push(self.spec.places.problem(field, message));
    }
}

/// A name as messages show it.
fn shown(name: &str) -> String {
    spelled(name).into_owned()
}

fn is_filled(name: Option<&str>) -> bool {
    name.is_some_and(|name| !name.trim().is_empty())
}

fn clients(file: &RealmRepresentation, notes: &mut Notes<'_>) {
    for one in file.clients.iter().flatten() {
        let Some(name) = one.client_id.as_deref().filter(|name| !name.is_empty()) else {
            notes.add("clients", "a client without a `clientId`: give it one");
            continue;
        };
        if let Some(problem) = client::name_problem(name).or_else(|| client::problem(one)) {
            notes.add(&format!("clients.{}", shown(name)), problem);
        }
    }
}

fn scopes(file: &RealmRepresentation, notes: &mut Notes<'_>) {
    let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    for scope in file.client_scopes.iter().flatten() {
        let name = scope.name.as_deref().unwrap_or_default();
        if name.is_empty() || name.len() > client::LONGEST_NAME || !name.bytes().all(token) {
            let message = "a client scope's name has 1 to 255 visible characters of ASCII, without space, `\"` and `\\`";
            notes.add(&format!("clientScopes.{}", shown(name)), message);
        }
    }
}

fn roles(file: &RealmRepresentation, state: &State, notes: &mut Notes<'_>) {
    let Some(roles) = &file.roles else { return };
    let mut named = |list: &[RoleRepresentation], field: &str| {
        for role in list {
            let name = role.name.as_deref();
            if !is_filled(name) || name.is_some_and(|name| name.chars().any(char::is_control)) {
                let field = format!("{field}.{}", shown(name.unwrap_or_default()));
                notes.add(&field, "a role needs a name, without control characters");
            }
        }
    };
    named(roles.realm.as_deref().unwrap_or_default(), "roles.realm");
    for (client_id, list) in roles.client.iter().flatten() {
        named(list, &format!("roles.client.{}", shown(client_id)));
    }
    let in_file: BTreeSet<&str> =
        file.clients.iter().flatten().filter_map(|client| client.client_id.as_deref()).collect();
    for (client_id, list) in roles.client.iter().flatten() {
        let there = in_file.contains(client_id.as_str()) || state.client(client_id).is_some();
        if !there && !list.is_empty() {
            let field = format!("roles.client.{}", shown(client_id));
            notes.add(&field, "there is no such client to have roles: describe it, or take them out");
        }
    }
}

fn groups(group: &GroupRepresentation, above: &str, notes: &mut Notes<'_>) {
    let name = group.name.as_deref().unwrap_or_default();
    let field = format!("{above}.{}", shown(name));
    if !is_filled(group.name.as_deref()) {
        notes.add(&field, "a group needs a name");
    } else if let Some(problem) = group_path::name_problem(name) {
        notes.add(&field, problem);
    }
    for below in group.sub_groups.iter().flatten() {
        groups(below, &field, notes);
    }
}

fn users(file: &RealmRepresentation, notes: &mut Notes<'_>) {
    for one in file.users.iter().flatten() {
        if let Some(problem) = user::problem(one).filter(|problem| !problem.is_odd_address()) {
            let name = one.username.as_deref().unwrap_or_default();
            notes.add(&format!("users.{}.{}", shown(name), problem.field), problem.told());
        }
        if let Some(problem) = one.credentials.iter().flatten().find_map(credential::problem) {
            let name = one.username.as_deref().unwrap_or_default();
            notes.add(&format!("users.{}.credentials", shown(name)), problem);
        }
    }
}

/// The name of a new user, in letters of another script, does not look like another's (attacks U08).
fn look_alikes(file: &RealmRepresentation, state: &State, notes: &mut Notes<'_>) {
    let there: BTreeSet<&str> = state.users.iter().map(|one| one.user.username.as_str()).collect();
    let named = file.users.iter().flatten().filter_map(|one| one.username.as_deref()).map(canonical);
    let named: BTreeSet<String> = named.collect();
    for name in named.iter().filter(|name| !there.contains(name.as_str())) {
        let other = look_alike(name);
        if let Some(other) = other.filter(|other| there.contains(other.as_str()) || named.contains(other)) {
            let message = format!("looks like the name `{other}` of another user: choose another");
            notes.add(&format!("users.{}.username", shown(name)), message);
        }
    }
}

/// Where people sign in by e-mail address too, nobody's name is another's address: whose password would count?
fn logins(file: &RealmRepresentation, state: &State, notes: &mut Notes<'_>) {
    let by_address = file.login_with_email_allowed.unwrap_or(state.realm.settings.login_with_email);
    if !by_address || file.duplicate_emails_allowed == Some(true) {
        return;
    }
    let mut addresses: BTreeMap<String, Option<String>> = BTreeMap::new();
    for one in &state.users {
        addresses.insert(one.user.username.clone(), one.user.email.as_deref().map(canonical));
    }
    for one in file.users.iter().flatten() {
        let name = canonical(one.username.as_deref().unwrap_or_default());
        let there = addresses.entry(name).or_default();
        if let Some(email) = &one.email {
            *there = Some(canonical(email)).filter(|email| !email.is_empty());
        }
    }
    for (name, address) in &addresses {
        if let Some(address) =
            address.as_ref().filter(|address| *address != name && addresses.contains_key(*address))
        {
            let field = format!("users.{}.email", shown(name));
            notes.add(
                &field,
                format!("`{}` is another user's name, and people sign in by both", shown(address)),
            );
        }
    }
}
