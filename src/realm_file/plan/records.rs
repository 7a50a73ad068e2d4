//! From a plan to the records that are to be written.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::entities::{Fields, Key};
use super::super::fresh;
use super::super::spec::{ClientSpec, GroupSpec, RoleSpec, ScopeSpec, UserSpec};
use super::super::state::{State, UserState};
use super::build::{client_settings, realm, scope, typed};
use super::references::{Found, Known};
use super::{Plan, SecretChange, built_in};
use crate::clock::Timestamp;
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::group_path;
use crate::protocol::realm::Realm;
use crate::protocol::role::{Group, Role};
use crate::protocol::scope::Scope;
use crate::protocol::user::{User, service_account_name};

/// What is to be written, each record whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Records {
    pub(in super::super) realm: Option<Realm>,
    pub(in super::super) scopes: Vec<Scope>,
    pub(in super::super) clients: Vec<Client>,
    pub(in super::super) roles: Vec<Role>,
    pub(in super::super) composites: Vec<Links>,
    /// Parents stand before the groups below them.
    pub(in super::super) groups: Vec<Group>,
    pub(in super::super) group_roles: Vec<Links>,
    pub(in super::super) users: Vec<User>,
    /// `id` of a user and the new stored form of the password.
    pub(in super::super) passwords: Vec<(String, String)>,
    pub(in super::super) user_roles: Vec<Links>,
    pub(in super::super) user_groups: Vec<Links>,
    pub(in super::super) deleted: Vec<Deleted>,
}

/// What one record is linked to, by identifiers.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Links {
    pub(in super::super) owner: String,
    pub(in super::super) before: BTreeSet<String>,
    pub(in super::super) after: BTreeSet<String>,
}

impl Links {
    /// One change for each link that goes (`false`) or comes (`true`), made of owner and other end.
    pub(in super::super) fn changes<C>(&self, make: impl Fn(bool, String, String) -> C) -> Vec<C> {
        let gone = self.before.difference(&self.after).map(|other| (false, other));
        let come = self.after.difference(&self.before).map(|other| (true, other));
        gone.chain(come).map(|(added, other)| make(added, self.owner.clone(), other.clone())).collect()
    }
}

/// `id` of a record that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Deleted {
    Scope(String),
    Role(String),
    Client(String),
    Group(String),
    User(String),
}

/// The records of `plan`, with the stored forms of its new passwords and secrets. New users are made at `now`.
pub(in super::super) fn records(plan: &Plan, hashes: &BTreeMap<Key, String>, now: Timestamp) -> Records {
    let mut writer = Writer::new(plan, hashes, now);
    if plan.new_realm {
        writer.fresh();
    }
    for (key, entity) in &plan.desired {
        writer.write(key, &entity.fields);
    }
    for key in &plan.deleted {
        writer.delete(key);
    }
    writer.records
}

struct Writer<'a> {
    plan: &'a Plan,
    state: &'a State,
    hashes: &'a BTreeMap<Key, String>,
    now: Timestamp,
    /// The identifier of every record that is there or will be.
    ids: BTreeMap<Key, String>,
    known: Known,
    users: BTreeMap<&'a str, &'a UserState>,
    records: Records,
}

impl<'a> Writer<'a> {
    fn new(plan: &'a Plan, hashes: &'a BTreeMap<Key, String>, now: Timestamp) -> Self {
        let state = &plan.state;
        let mut ids = identifiers(state);
        for (key, entity) in &plan.desired {
            let given =
                entity.fields.get("id").and_then(Value::as_str).filter(|_| matches!(key, Key::User(_)));
            ids.entry(key.clone()).or_insert_with(|| given.map_or_else(fresh::id, str::to_owned));
        }
        let known = Known::new(ids.keys(), &plan.deleted);
        let users = state.users.iter().map(|user| (user.user.id.as_str(), user)).collect();
        Self { plan, state, hashes, now, ids, known, users, records: Records::default() }
    }

    /// What comes with a new realm and is not named by the file.
    fn fresh(&mut self) {
        let state = self.state;
        let untouched = |key: &Key| !self.plan.desired.contains_key(key);
        self.records.realm = Some(state.realm.clone());
        let scopes = state.scopes.iter().filter(|scope| untouched(&Key::Scope(scope.name.clone())));
        self.records.scopes = scopes.cloned().collect();
        let clients = state.clients.iter().filter(|client| untouched(&Key::Client(client.client_id.clone())));
        self.records.clients = clients.cloned().collect();
        let keys = built_in(state);
        let keys =
            keys.iter().filter(|key| matches!(key, Key::Role(_) | Key::ClientRole { .. }) && untouched(key));
        let roles: BTreeSet<&String> = keys.filter_map(|key| self.ids.get(key)).collect();
        for role in state.roles.iter().filter(|role| roles.contains(&role.id)) {
            self.records.roles.push(role.clone());
            let after = state.roles.children(&role.id).map(str::to_owned).collect();
            link(&mut self.records.composites, &role.id, BTreeSet::new(), after);
        }
    }

    fn write(&mut self, key: &Key, fields: &Fields) {
        let id = self.ids.get(key).cloned().unwrap_or_default();
        match key {
            Key::Realm => self.records.realm = Some(realm(&self.state.realm, typed(fields))),
            Key::Scope(name) => {
                let base = self.state.scopes.iter().find(|scope| scope.id == id).cloned();
                let base = base.unwrap_or_else(|| Scope { id, ..fresh::scope(&self.state.realm.id, name) });
                let spec: ScopeSpec = typed(fields);
                let mappings = self.roles(spec.scope_mappings.as_deref());
                let mut scope = scope(base, spec);
                scope.settings.scope_mappings = mappings;
                self.records.scopes.push(scope);
            }
            Key::Role(name) => self.role(id, None, name, typed(fields)),
            Key::ClientRole { client, name } => {
                let client = self.ids.get(&Key::Client(client.clone())).cloned();
                self.role(id, client, name, typed(fields));
            }
            Key::Client(name) => self.client(id, key, name, typed(fields)),
            Key::Group(path) => self.group(id, path, typed(fields)),
            Key::User(name) => self.user(id, key, name, typed(fields)),
        }
    }

    fn role(&mut self, id: String, client: Option<String>, name: &str, spec: RoleSpec) {
        let base = self.state.roles.by_id(&id);
        let parts = self.roles(spec.composites.as_deref());
        // A new realm's own composites are not written yet.
        let there = self.state.roles.children(&id).filter(|_| !self.plan.new_realm);
        link(&mut self.records.composites, &id, there.map(str::to_owned).collect(), parts);
        self.records.roles.push(Role {
            id,
            realm_id: self.state.realm.id.clone(),
            client,
            name: name.to_owned(),
            description: spec.description,
            attributes: spec.attributes.unwrap_or_default(),
            built_in: base.is_some_and(|role| role.built_in),
        });
    }

    fn client(&mut self, id: String, key: &Key, client_id: &str, spec: ClientSpec) {
        let base = self.state.clients.iter().find(|client| client.id == id).cloned();
        let mut client = base
            .unwrap_or_else(|| Client { id: id.clone(), ..fresh::client(&self.state.realm.id, client_id) });
        match self.plan.secrets.get(key) {
            Some(SecretChange::Remove) => client.secret_hash = None,
            Some(SecretChange::Set | SecretChange::Generate) => {
                client.secret_hash = self.hashes.get(key).cloned()
            }
            _ => {}
        }
        client.enabled = spec.enabled.unwrap_or(client.enabled);
        let service = spec.service_account_roles.clone();
        let mappings = self.roles(spec.scope_mappings.as_deref());
        client.settings =
            ClientSettings { scope_mappings: mappings, ..client_settings(client.settings, spec) };
        self.records.clients.push(client);
        self.service_account(&id, client_id, service.as_deref());
    }

    fn service_account(&mut self, client: &str, client_id: &str, roles: Option<&[String]>) {
        match (self.state.service_account(client), roles) {
            (Some(there), None) => self.records.deleted.push(Deleted::User(there.user.id.clone())),
            (None, None) => {}
            (there, Some(roles)) => {
                let roles = self.roles(Some(roles));
                let id = match there {
                    Some(there) => there.user.id.clone(),
                    None => {
                        let user = User {
                            service_account_client: Some(client.to_owned()),
                            ..fresh::user(&self.state.realm.id, &service_account_name(client_id), self.now)
                        };
                        let id = user.id.clone();
                        self.records.users.push(user);
                        id
                    }
                };
                self.assign(&id, there.map(|user| user.roles.as_slice()), roles);
            }
        }
    }

    fn group(&mut self, id: String, path: &str, spec: GroupSpec) {
        let (above, name) = group_path::split(path);
        let before = self.state.groups.iter().find(|group| group.group.id == id);
        let roles = self.roles(spec.roles.as_deref());
        let there = before.map(|group| group.roles.iter().cloned().collect()).unwrap_or_default();
        link(&mut self.records.group_roles, &id, there, roles);
        self.records.groups.push(Group {
            id,
            realm_id: self.state.realm.id.clone(),
            parent: self.ids.get(&Key::Group(above.to_owned())).cloned(),
            name: name.into_owned(),
            path: path.to_owned(),
            attributes: spec.attributes.unwrap_or_default(),
        });
    }

    fn user(&mut self, id: String, key: &Key, username: &str, spec: UserSpec) {
        let before = self.users.get(id.as_str()).copied();
        let base = before.map(|user| user.user.clone());
        let base = base.unwrap_or_else(|| User {
            id: id.clone(),
            ..fresh::user(&self.state.realm.id, username, self.now)
        });
        let roles = self.roles(spec.roles.as_deref());
        let groups = spec
            .groups
            .iter()
            .flatten()
            .filter_map(|path| self.ids.get(&Key::Group(path.clone())).cloned())
            .collect();
        let there = before.map(|user| user.groups.iter().cloned().collect()).unwrap_or_default();
        link(&mut self.records.user_groups, &id, there, groups);
        self.records.users.push(User {
            email: spec.email,
            email_verified: spec.email_verified.unwrap_or(base.email_verified),
            enabled: spec.enabled.unwrap_or(base.enabled),
            first_name: spec.first_name,
            last_name: spec.last_name,
            required_actions: spec.required_actions.unwrap_or_default(),
            attributes: spec.attributes.unwrap_or_default(),
            ..base
        });
        self.assign(&id, before.map(|user| user.roles.as_slice()), roles);
        if let Some(hash) = self.hashes.get(key) {
            self.records.passwords.push((id, hash.clone()));
        }
    }

    /// Roles of a user. The default role, which no file names, stays as it was; a new user has it.
    fn assign(&mut self, user: &str, before: Option<&[String]>, mut roles: BTreeSet<String>) {
        let default = self.ids.get(&Key::Role(self.state.realm.default_role())).cloned();
        roles.extend(default.filter(|role| before.is_none_or(|before| before.contains(role))));
        let there = before.unwrap_or_default().iter().cloned().collect();
        link(&mut self.records.user_roles, user, there, roles);
    }

    /// The identifiers of named roles. Names that lead nowhere, left by a record that goes, are passed over.
    fn roles(&self, names: Option<&[String]>) -> BTreeSet<String> {
        let found = names.unwrap_or_default().iter().filter_map(|name| match self.known.role(name) {
            Found::Role(key) => self.ids.get(&key).cloned(),
            _ => None,
        });
        found.collect()
    }

    fn delete(&mut self, key: &Key) {
        let Some(id) = self.ids.get(key).cloned() else { return };
        let deleted = match key {
            Key::Realm => return,
            Key::Scope(_) => Deleted::Scope(id),
            Key::Role(_) | Key::ClientRole { .. } => Deleted::Role(id),
            Key::Client(_) => Deleted::Client(id),
            Key::Group(_) => Deleted::Group(id),
            Key::User(_) => Deleted::User(id),
        };
        if let Deleted::Client(client) = &deleted
            && let Some(service) = self.state.service_account(client)
        {
            self.records.deleted.push(Deleted::User(service.user.id.clone()));
        }
        self.records.deleted.push(deleted);
    }
}

/// The identifier of every record of `state`.
fn identifiers(state: &State) -> BTreeMap<Key, String> {
    let mut ids = BTreeMap::new();
    for scope in &state.scopes {
        ids.insert(Key::Scope(scope.name.clone()), scope.id.clone());
    }
    for client in &state.clients {
        ids.insert(Key::Client(client.client_id.clone()), client.id.clone());
    }
    for role in state.roles.iter() {
        let client = role.client.as_ref().map(|id| state.clients.iter().find(|client| client.id == *id));
        let key = match client {
            None => Key::Role(role.name.clone()),
            Some(Some(client)) => {
                Key::ClientRole { client: client.client_id.clone(), name: role.name.clone() }
            }
            Some(None) => continue,
        };
        ids.insert(key, role.id.clone());
    }
    for group in &state.groups {
        ids.insert(Key::Group(group.group.path.clone()), group.group.id.clone());
    }
    for user in state.users.iter().filter(|user| user.user.service_account_client.is_none()) {
        ids.insert(Key::User(user.user.username.clone()), user.user.id.clone());
    }
    ids
}

/// Notes what a record is linked to, when that changes.
fn link(list: &mut Vec<Links>, owner: &str, before: BTreeSet<String>, after: BTreeSet<String>) {
    if before != after {
        list.push(Links { owner: owner.to_owned(), before, after });
    }
}
