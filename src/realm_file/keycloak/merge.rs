//! A realm as it will be once a representation has been laid over it.
//!
//! What the representation names is as it says, what it does not name stays. In a new realm that comes on top of what
//! every realm has, whose records take the identifiers that the representation gives them.

mod clashes;
mod clients;
mod default_role;
mod documents;
mod effect;
mod groups;
mod identifiers;
mod prune;
mod roles;
mod users;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::entities::Key;
use super::super::fresh;
use super::super::plan::Deleted;
use super::super::state::{GroupState, State, UserState};
use crate::clock::Timestamp;
use crate::keycloak::credential::Password;
use crate::keycloak::record::ATTRIBUTES;
use crate::keycloak::representation::RealmRepresentation;
use crate::keycloak::{Beside, Kept, KeycloakRecord, client_scope, overlay, realm, secret};
use crate::protocol::client::Client;
use crate::protocol::realm::Realm;
use crate::protocol::scope::Scope;
use crate::secrets::Secret;
pub(super) use documents::PROVIDER_TYPE;
use roles::RoleSet;

/// A realm as it is to be, and what of it must be hashed or sealed first.
#[derive(Clone, Debug)]
pub(in super::super) struct Target {
    /// The realm. Stored forms of passwords that are to be made are not in it.
    pub(in super::super) state: State,
    /// `id` of a user and the password in the clear.
    pub(in super::super) passwords: Vec<(String, Secret)>,
    /// `client_id` and the secret in the clear.
    pub(in super::super) secrets: BTreeMap<String, Secret>,
    /// `id` of a credential and what is to be sealed of it; the record holds nothing yet.
    pub(in super::super) sealed: HashMap<String, Secret>,
    /// Records that go.
    pub(in super::super) deleted: Vec<Deleted>,
    /// What a person should hear, each once.
    pub(in super::super) notes: BTreeSet<String>,
    /// Why it must not come to be, in words.
    pub(in super::super) clashes: Vec<String>,
}

/// Lays `realm` over `base`. `new` says that `base` is what every realm begins with.
pub(super) fn target(
    base: &State,
    representation: &RealmRepresentation,
    new: bool,
    prune: bool,
    now: Timestamp,
) -> Target {
    let mut merge = Merge::new(base, new, now);
    merge.realm(representation);
    let ours = merge.realm.default_role();
    let renamed;
    let representation = if default_role::is_other(representation, &ours) {
        renamed = default_role::named(representation.clone(), &ours);
        &renamed
    } else {
        representation
    };
    merge.scopes(representation);
    merge.clients(representation);
    merge.roles(representation);
    merge.scope_mappings(representation);
    merge.groups(representation);
    merge.users(representation);
    merge.documents(representation);
    if prune {
        merge.prune(base, representation);
    }
    merge.finish()
}

struct Merge {
    new: bool,
    now: Timestamp,
    realm: Realm,
    scopes: Vec<Scope>,
    clients: Vec<Client>,
    roles: RoleSet,
    groups: Vec<GroupState>,
    users: Vec<UserState>,
    kept: BTreeMap<(String, String), KeycloakRecord>,
    /// Identifiers of a new realm's own records, and those that the representation gives them.
    renamed: HashMap<String, String>,
    named: BTreeSet<Key>,
    passwords: Vec<(String, Secret)>,
    secrets: BTreeMap<String, Secret>,
    sealed: HashMap<String, Secret>,
    deleted: Vec<Deleted>,
    notes: BTreeSet<String>,
    clashes: Vec<String>,
    without_effect: effect::WithoutEffect,
}

impl Merge {
    fn new(base: &State, new: bool, now: Timestamp) -> Self {
        Self {
            new,
            now,
            realm: base.realm.clone(),
            scopes: base.scopes.clone(),
            clients: base.clients.clone(),
            roles: RoleSet::new(&base.roles),
            groups: base.groups.clone(),
            users: base.users.clone(),
            kept: base.kept.clone(),
            renamed: HashMap::new(),
            named: BTreeSet::new(),
            passwords: Vec::new(),
            secrets: BTreeMap::new(),
            sealed: HashMap::new(),
            deleted: Vec::new(),
            notes: BTreeSet::new(),
            clashes: Vec::new(),
            without_effect: effect::WithoutEffect::default(),
        }
    }

    fn realm(&mut self, representation: &RealmRepresentation) {
        let (realm, mut kept) = realm::from_representation(representation, self.realm.clone());
        self.rename(&realm.id, representation.id.as_deref());
        self.without_effect.note("the realm", &kept);
        if let Some(there) = self.kept.get_mut(&(Beside::Realm.kind().to_owned(), realm.id.clone())) {
            if let Some(address) = secret::redirected(&kept, &there.content) {
                self.clashes.push(documents::redirected("the realm", address));
            }
            secret::unmask(&mut kept, &there.content);
            // As where Keycloak is told of them: those that are left out are gone.
            if representation.attributes.is_some() {
                there.content.remove(ATTRIBUTES);
            }
        }
        self.keep(Beside::Realm, &realm.id.clone(), kept);
        self.realm = realm;
    }

    fn scopes(&mut self, representation: &RealmRepresentation) {
        for scope in representation.client_scopes.iter().flatten() {
            let Some(name) = scope.name.clone() else { continue };
            self.named.insert(Key::Scope(name.clone()));
            let there = self.scopes.iter().position(|one| one.name == name);
            let base = match there.and_then(|at| self.scopes.get(at)) {
                Some(base) => base.clone(),
                None => Scope { id: given(scope.id.as_deref()), ..fresh::scope(&self.realm.id, &name) },
            };
            let (record, kept) = client_scope::from_representation(scope.clone(), base, &mut fresh::id);
            self.rename(&record.id, scope.id.as_deref());
            self.without_effect.note("client scopes", &kept);
            self.without_effect.note_mappers("client scopes", &record.settings.mappers);
            self.keep(Beside::ClientScope, &record.id.clone(), kept);
            put(&mut self.scopes, there, record);
        }
    }

    /// What stands beside the record `id` is now this as well. Masks stand for what was there.
    fn keep(&mut self, beside: Beside, id: &str, mut kept: Kept) {
        let key = (beside.kind().to_owned(), id.to_owned());
        let mut content = self.kept.remove(&key).map(|record| record.content).unwrap_or_default();
        secret::unmask(&mut kept, &content);
        overlay(&mut content, kept);
        if !content.is_empty() {
            self.kept.insert(key, beside.record(&self.realm.id, id, content));
        }
    }
}

/// Puts `record` in the place `there`, or at the end.
fn put<T>(list: &mut Vec<T>, there: Option<usize>, record: T) {
    match there.and_then(|at| list.get_mut(at)) {
        Some(place) => *place = record,
        None => list.push(record),
    }
}

/// The identifier that a representation gives, else a new one.
fn given(id: Option<&str>) -> String {
    id.filter(|id| !id.is_empty()).map_or_else(fresh::id, str::to_owned)
}

/// A password of a representation as what is stored already or is to be hashed.
fn clear(password: Password) -> Result<String, Secret> {
    match password {
        Password::Stored(hash) => Ok(hash),
        Password::Plain(secret) => Err(secret),
    }
}
