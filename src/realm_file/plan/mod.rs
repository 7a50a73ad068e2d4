//! A plan: what a realm file would change, and the records that would make it so.
//!
//! Owns the comparison, which is pure, and the rule that a second plan is empty. Leaves reading the realm and
//! committing to `apply`.

mod build;
mod difference;
mod fapi2;
mod merge;
mod mistakes;
mod records;
mod references;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use difference::SecretChange;
pub use difference::{Action, Difference, FieldDifference};
pub(super) use merge::Defaults;
pub(super) use records::{Deleted, Links, Records, records};
pub(super) use text::SPANS;

use super::describe::describe;
use super::entities::{self, Entities, Entity, Key};
use super::fresh;
use super::keycloak::{self, Target};
use super::spec::RealmSpec;
use super::state::State;
use super::{FileProblem, FileProblems, out_of_reach, production_refusals, rules};
use crate::protocol::outbound::OutboundRules;
use crate::secrets::SEALED_PREFIX;
use difference::{deletion, difference};
use merge::merge;
use mistakes::mistakes;

/// What to do about what the file does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Delete records that the file does not name, of the kinds that it speaks of. What comes with every realm stays.
    pub prune: bool,
    /// What the server calls of the addresses that the file names, the others being mistakes; none where the file is for
    /// development.
    pub outbound: Option<OutboundRules>,
}

/// What a realm file would change.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The realm's name.
    pub realm: String,
    /// Whether the realm is new.
    pub new_realm: bool,
    /// What changes, in the order it is told: the realm, scopes, roles, clients and their roles, groups, users.
    pub differences: Vec<Difference>,
    /// What `serve` would refuse of the realm as the file describes it.
    pub production_refusals: Vec<FileProblem>,
    /// The realm as it is, or as a new one is.
    state: State,
    /// The records that change, as they are to be.
    desired: Entities,
    deleted: BTreeSet<Key>,
    secrets: BTreeMap<Key, SecretChange>,
    /// The realm as it is to be, when a file in Keycloak's form says so.
    target: Option<Box<Target>>,
}

impl Plan {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty() && !self.new_realm
    }

    /// The plan that makes `target` of `state`, for a file in Keycloak's form.
    pub(super) fn of_keycloak(
        spec: &RealmSpec,
        options: PlanOptions,
        new_realm: bool,
        state: State,
        target: Target,
    ) -> Self {
        Self {
            realm: spec.name.clone(),
            new_realm,
            differences: keycloak::differences(&state, new_realm, &target),
            production_refusals: production_refusals(spec, options.outbound.unwrap_or_default()),
            state,
            desired: Entities::new(),
            deleted: BTreeSet::new(),
            secrets: BTreeMap::new(),
            target: Some(Box::new(target)),
        }
    }

    /// The realm as it is to be, of a file in Keycloak's form.
    pub(super) fn target(&self) -> Option<&Target> {
        self.target.as_deref()
    }

    /// Identifier of the realm that it makes or changes.
    pub(super) fn realm_id(&self) -> &str {
        let state = self.target().map_or(&self.state, |target| &target.state);
        &state.realm.id
    }

    /// What a person should hear of a file in Keycloak's form: what of it has no effect, and what was left out.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        self.target.iter().flat_map(|target| &target.notes).map(String::as_str)
    }

    /// The realm that the plan was made against.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// What becomes of the passwords and secrets of the records that change.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&Key, &Entity, SecretChange)> {
        self.secrets.iter().filter_map(|(key, change)| Some((key, self.desired.get(key)?, *change)))
    }
}

/// Compares `spec` with the realm as it is; none for a realm that does not exist. `proven` holds the records whose
/// password or secret is already the file's.
///
/// # Errors
/// References that lead nowhere, and other mistakes that only show in comparison, with their lines.
pub(super) fn compare(
    state: Option<State>,
    spec: &RealmSpec,
    options: PlanOptions,
    proven: &BTreeSet<Key>,
) -> Result<Plan, FileProblems> {
    let mut broken = rules(spec);
    if let Some(outbound) = options.outbound.filter(|_| broken.is_empty()) {
        broken = out_of_reach(spec, outbound);
    }
    if !broken.is_empty() {
        return Err(FileProblems(broken));
    }
    let new_realm = state.is_none();
    let state = state.unwrap_or_else(|| fresh::realm(&spec.name));
    let current = entities::of(&describe(&state));
    let file = entities::of(spec);
    let desired = merge(&current, &file);
    let deleted = if options.prune { unnamed(&state, &current, &file, spec) } else { BTreeSet::new() };
    mistakes(spec, &current, &desired, &deleted)?;

    let defaults = Defaults::new();
    let mut differences = Vec::new();
    let mut changed = Entities::new();
    let mut secrets = BTreeMap::new();
    for (key, entity) in desired {
        let there = current.get(&key).filter(|_| !(new_realm && key == Key::Realm));
        let secret = secret_change(&state, &key, there, &entity, proven);
        if let Some(found) = difference(&key, there, &entity, &defaults.of(&key), secret) {
            differences.push(found);
            secrets.insert(key.clone(), secret);
            changed.insert(key, entity);
        }
    }
    differences.extend(deleted.iter().map(deletion));
    let production_refusals = production_refusals(spec, options.outbound.unwrap_or_default());
    Ok(Plan {
        realm: spec.name.clone(),
        new_realm,
        differences,
        production_refusals,
        state,
        desired: changed,
        deleted,
        secrets,
        target: None,
    })
}

/// Records that the file does not name, of the kinds that it speaks of, without those that come with every realm.
fn unnamed(state: &State, current: &Entities, file: &Entities, spec: &RealmSpec) -> BTreeSet<Key> {
    let built_in = built_in(state);
    // Nobody wrote these into a file.
    let registered: BTreeSet<&str> = state
        .clients
        .iter()
        .filter(|client| client.settings.registered.is_some())
        .map(|client| client.client_id.as_str())
        .collect();
    let spoken = |key: &Key| match key {
        Key::Realm => false,
        Key::Scope(_) => spec.places.names("scopes") || !spec.scopes.is_empty(),
        Key::Role(_) => spec.places.names("roles") || !spec.roles.is_empty(),
        Key::Client(id) if registered.contains(id.as_str()) => false,
        Key::Client(_) => spec.places.names("clients") || !spec.clients.is_empty(),
        Key::Group(_) => spec.places.names("groups") || !spec.groups.is_empty(),
        Key::User(_) => spec.places.names("users") || !spec.users.is_empty(),
        Key::ClientRole { client, .. } => spec.clients.iter().enumerate().any(|(index, one)| {
            one.id == *client
                && (spec.places.names(&format!("clients[{index}].roles")) || !one.roles.is_empty())
        }),
    };
    let gone = |key: &&Key| spoken(key) && !file.contains_key(*key) && !built_in.contains(*key);
    let mut deleted: BTreeSet<Key> = current.keys().filter(gone).cloned().collect();
    let of_deleted_clients = current.keys().filter(
        |key| matches!(key, Key::ClientRole { client, .. } if deleted.contains(&Key::Client(client.clone()))),
    );
    let of_deleted_clients: Vec<Key> = of_deleted_clients.cloned().collect();
    deleted.extend(of_deleted_clients);
    deleted
}

/// The records that come with every realm.
pub(super) fn built_in(state: &State) -> BTreeSet<Key> {
    let scopes = state.scopes.iter().filter(|scope| scope.settings.built_in);
    let clients = state.clients.iter().filter(|client| client.settings.built_in);
    let roles = state.roles.iter().filter(|role| role.built_in).filter_map(|role| match &role.client {
        None => Some(Key::Role(role.name.clone())),
        Some(client) => {
            let client = state.clients.iter().find(|known| known.id == *client)?;
            Some(Key::ClientRole { client: client.client_id.clone(), name: role.name.clone() })
        }
    });
    scopes
        .map(|scope| Key::Scope(scope.name.clone()))
        .chain(clients.map(|client| Key::Client(client.client_id.clone())))
        .chain(roles)
        .collect()
}

/// Ways to prove oneself with a key that this server never has.
const WITHOUT_SECRET: [&str; 3] = ["private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"];

/// Whether a client with these fields shares a secret with this server.
pub(super) fn keeps_secret(fields: &entities::Fields) -> bool {
    fields.get("public").is_none_or(|public| public != true)
        && fields.get("authentication").is_none_or(|method| !WITHOUT_SECRET.iter().any(|own| method == own))
}

/// Whether the secret of a client with these fields must be readable again.
pub(super) fn is_read_again(fields: &entities::Fields) -> bool {
    keeps_secret(fields) && fields.get("authentication").is_some_and(|method| method == "client_secret_jwt")
}

fn secret_change(
    state: &State,
    key: &Key,
    current: Option<&Entity>,
    desired: &Entity,
    proven: &BTreeSet<Key>,
) -> SecretChange {
    let stored = current.and_then(|entity| entity.hash.as_ref());
    let confidential = matches!(key, Key::Client(_)) && keeps_secret(&desired.fields);
    let built_in =
        matches!(key, Key::Client(id) if state.client(id).is_some_and(|client| client.settings.built_in));
    let other_form = matches!(key, Key::Client(_))
        && stored
            .is_some_and(|form| form.expose().starts_with(SEALED_PREFIX) != is_read_again(&desired.fields));
    match (&desired.secret, &desired.hash) {
        _ if matches!(key, Key::Client(_)) && !confidential => {
            if stored.is_some() {
                SecretChange::Remove
            } else {
                SecretChange::Keep
            }
        }
        (Some(_), _) if proven.contains(key) && !other_form => SecretChange::Keep,
        (None, Some(hash)) if stored == Some(hash) => SecretChange::Keep,
        (None, None) if confidential && (stored.is_none() || other_form) && !built_in => {
            SecretChange::Generate
        }
        (None, None) => SecretChange::Keep,
        _ => SecretChange::Set,
    }
}

#[cfg(test)]
mod tests;
