//! From a realm as it is and as it is to be to the changes of the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::plan::{Deleted, Links, Records};
use super::super::state::{State, UserState};
use super::Target;
use crate::protocol::client::ClientAuthentication;
use crate::protocol::credential::Credential;
use crate::store::Change;

/// Stored forms that were made of what the target has in the clear.
#[derive(Debug, Default)]
pub(in super::super) struct Made {
    /// Of passwords, by the user's `id`.
    pub(in super::super) passwords: HashMap<String, String>,
    /// Of secrets, by `client_id`.
    pub(in super::super) secrets: BTreeMap<String, String>,
    /// Of credentials, by their `id`.
    pub(in super::super) sealed: HashMap<String, String>,
}

/// The records of `target` that are not as in `old` (none for a new realm), and the changes that are not about records
/// of a realm file: credentials and what is kept of Keycloak's representations.
pub(in super::super) fn changes(old: Option<&State>, target: &Target, made: &Made) -> (Records, Vec<Change>) {
    let new = &target.state;
    let mut records = Records {
        realm: old.is_none_or(|old| old.realm != new.realm).then(|| new.realm.clone()),
        scopes: differing(old.map(|old| &old.scopes), &new.scopes, |scope| &scope.id),
        groups: Vec::new(),
        deleted: target.deleted.clone(),
        ..Records::default()
    };
    clients(old, target, made, &mut records);
    roles(old, new, &mut records);
    groups(old, new, &mut records);
    users(old, new, made, &mut records);
    (records, beside(old, target, made))
}

/// Those of `new` that are not in `old` as they are.
fn differing<T: Clone + PartialEq>(old: Option<&Vec<T>>, new: &[T], id: impl Fn(&T) -> &str) -> Vec<T> {
    let there: HashMap<&str, &T> = old.into_iter().flatten().map(|one| (id(one), one)).collect();
    new.iter().filter(|one| there.get(id(one)) != Some(one)).cloned().collect()
}

fn clients(old: Option<&State>, target: &Target, made: &Made, records: &mut Records) {
    let clients = target.state.clients.iter().map(|client| {
        let mut client = client.clone();
        let by_key = client.settings.authentication == ClientAuthentication::PrivateKeyJwt;
        if client.is_public() || by_key {
            client.secret_hash = None;
        } else if let Some(stored) = made.secrets.get(&client.client_id) {
            client.secret_hash = Some(stored.clone());
        }
        client
    });
    let clients: Vec<_> = clients.collect();
    records.clients = differing(old.map(|old| &old.clients), &clients, |client| &client.id);
}

fn roles(old: Option<&State>, new: &State, records: &mut Records) {
    for role in new.roles.iter() {
        let before = old.and_then(|old| old.roles.by_id(&role.id));
        if before != Some(role) {
            records.roles.push(role.clone());
        }
        let parts = |state: &State| state.roles.children(&role.id).map(str::to_owned).collect();
        link(&mut records.composites, &role.id, old.map(parts).unwrap_or_default(), parts(new));
    }
    // Their order decides which of two that exchange names is written first, so it is always the same.
    records.roles.sort_by(|a, b| a.id.cmp(&b.id));
    records.composites.sort_by(|a, b| a.owner.cmp(&b.owner));
}

fn groups(old: Option<&State>, new: &State, records: &mut Records) {
    let there: HashMap<&str, _> =
        old.iter().flat_map(|old| &old.groups).map(|one| (one.group.id.as_str(), one)).collect();
    for one in &new.groups {
        let before = there.get(one.group.id.as_str());
        if before.is_none_or(|before| before.group != one.group) {
            records.groups.push(one.group.clone());
        }
        let set = |ids: &Vec<String>| ids.iter().cloned().collect::<BTreeSet<_>>();
        let roles = before.map(|before| set(&before.roles)).unwrap_or_default();
        link(&mut records.group_roles, &one.group.id, roles, set(&one.roles));
    }
}

fn users(old: Option<&State>, new: &State, made: &Made, records: &mut Records) {
    let there: HashMap<&str, &UserState> =
        old.iter().flat_map(|old| &old.users).map(|one| (one.user.id.as_str(), one)).collect();
    for one in &new.users {
        let id = one.user.id.as_str();
        let before = there.get(id).copied();
        if before.is_none_or(|before| before.user != one.user) {
            records.users.push(one.user.clone());
        }
        let hash = made.passwords.get(id).or(one.password_hash.as_ref());
        if let Some(hash) =
            hash.filter(|hash| before.and_then(|one| one.password_hash.as_ref()) != Some(*hash))
        {
            records.passwords.push((id.to_owned(), hash.clone()));
        }
        let set = |ids: &Vec<String>| ids.iter().cloned().collect::<BTreeSet<_>>();
        let roles = before.map(|before| set(&before.roles)).unwrap_or_default();
        link(&mut records.user_roles, id, roles, set(&one.roles));
        let groups = before.map(|before| set(&before.groups)).unwrap_or_default();
        link(&mut records.user_groups, id, groups, set(&one.groups));
    }
}

fn link(list: &mut Vec<Links>, owner: &str, before: BTreeSet<String>, after: BTreeSet<String>) {
    if before != after {
        list.push(Links { owner: owner.to_owned(), before, after });
    }
}

/// Credentials, and what is kept. What is kept of a record that goes, goes with it.
fn beside(old: Option<&State>, target: &Target, made: &Made) -> Vec<Change> {
    let new = &target.state;
    let mut changes = Vec::new();
    let there: HashMap<&str, &Credential> = old
        .iter()
        .flat_map(|old| &old.users)
        .flat_map(|one| &one.credentials)
        .map(|one| (one.id.as_str(), one))
        .collect();
    let gone: BTreeSet<&String> = target
        .deleted
        .iter()
        .filter_map(|one| if let Deleted::User(id) = one { Some(id) } else { None })
        .collect();
    for one in new.users.iter().filter(|one| !gone.contains(&one.user.id)).flat_map(|one| &one.credentials) {
        let mut one = one.clone();
        if let Some(sealed) = made.sealed.get(&one.id) {
            one.secret.clone_from(sealed);
        }
        if there.get(one.id.as_str()) != Some(&&one) {
            changes.push(Change::PutCredential(one));
        }
    }
    let empty = BTreeMap::new();
    let before = old.map_or(&empty, |old| &old.kept);
    for (key, record) in &new.kept {
        if before.get(key) != Some(record) {
            changes.push(Change::PutKeycloakRecord(record.clone()));
        }
    }
    for record in before.iter().filter(|(key, _)| !new.kept.contains_key(*key)).map(|(_, record)| record) {
        changes.push(Change::DeleteKeycloakRecord {
            realm_id: record.realm_id.clone(),
            kind: record.kind.clone(),
            id: record.id.clone(),
        });
    }
    changes
}
