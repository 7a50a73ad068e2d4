//! An export as files: users in their realm's file or in files of their own, named and filled as Keycloak does it.

use std::num::NonZeroUsize;

use super::super::state::State;
use super::export::{KeycloakExport, representation};
use crate::keycloak::representation::RealmRepresentation;
use crate::passwords::ClientSecrets;

/// Where the users of an export go. Service accounts are users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsersIn {
    /// Nowhere.
    Skipped,
    /// The file of the realm.
    RealmFile,
    /// One file beside that of the realm.
    SameFile,
    /// Files beside that of the realm, with at most so many users each.
    DifferentFiles(NonZeroUsize),
}

/// A file of an export, which holds stored forms of passwords and secrets of clients.
pub struct ExportedFile {
    /// Its name, without a folder.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// The files of one realm for a folder: `NAME-realm.json`, and `NAME-users.json` or `NAME-users-0.json` and so on.
///
/// # Errors
/// When JSON has no way to say something.
pub fn files(
    state: &State,
    users: UsersIn,
    secrets: &ClientSecrets,
) -> Result<Vec<ExportedFile>, serde_json::Error> {
    let name = &state.realm.name;
    let mut realm = whole(state, users, secrets);
    let mut beside = Vec::new();
    if let UsersIn::SameFile | UsersIn::DifferentFiles(_) = users {
        let mut people = realm.users.take().unwrap_or_default();
        let most = match users {
            UsersIn::DifferentFiles(most) => most.get(),
            _ => people.len().max(1),
        };
        while !people.is_empty() {
            let later = people.split_off(most.min(people.len()));
            let number = beside.len();
            let file = match users {
                UsersIn::SameFile => format!("{name}-users.json"),
                _ => format!("{name}-users-{number}.json"),
            };
            let part = RealmRepresentation {
                realm: Some(name.clone()),
                users: Some(people),
                ..RealmRepresentation::default()
            };
            beside.push(ExportedFile { name: file, text: text(&part)? });
            people = later;
        }
    }
    let mut files = vec![ExportedFile { name: format!("{name}-realm.json"), text: text(&realm)? }];
    files.append(&mut beside);
    Ok(files)
}

/// One file with all of `states`: a list of them, or the one that was asked for.
///
/// # Errors
/// When JSON has no way to say something.
pub fn single_file(
    states: &[State],
    is_list: bool,
    users: UsersIn,
    secrets: &ClientSecrets,
) -> Result<String, serde_json::Error> {
    let realms: Vec<_> = states.iter().map(|state| whole(state, users, secrets)).collect();
    match realms.as_slice() {
        [realm] if !is_list => text(realm),
        realms => text(realms),
    }
}

fn whole(state: &State, users: UsersIn, secrets: &ClientSecrets) -> RealmRepresentation {
    let options = KeycloakExport { users: users != UsersIn::Skipped, with_secrets: true, minimal: false };
    representation(state, options, secrets)
}

fn text(value: &(impl serde::Serialize + ?Sized)) -> Result<String, serde_json::Error> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}
