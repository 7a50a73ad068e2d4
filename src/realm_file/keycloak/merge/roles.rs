//! Roles, what they are composed of, and which of them clients may show.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::super::entities::Key;
use super::{Merge, clashes, given};
use crate::keycloak::representation::{
    Composites, RealmRepresentation, RoleRepresentation, ScopeMappingRepresentation,
};
use crate::keycloak::{Beside, role};
use crate::protocol::role::{Role, Roles};

/// Roles that can still be changed.
pub(super) struct RoleSet {
    pub(super) by_id: BTreeMap<String, Role>,
    /// By `id` of the client (none for a realm role) and name.
    by_name: HashMap<(Option<String>, String), String>,
    pub(super) parts: BTreeMap<String, BTreeSet<String>>,
    /// What is wrong with the identifiers, in words.
    pub(super) clashes: Vec<String>,
}

impl RoleSet {
    pub(super) fn new(roles: &Roles) -> Self {
        let by_id: BTreeMap<String, Role> =
            roles.iter().map(|role| (role.id.clone(), role.clone())).collect();
        let named = |role: &Role| ((role.client.clone(), role.name.clone()), role.id.clone());
        let parts = |role: &Role| (role.id.clone(), roles.children(&role.id).map(str::to_owned).collect());
        Self {
            by_name: by_id.values().map(named).collect(),
            parts: by_id.values().map(parts).collect(),
            by_id,
            clashes: Vec::new(),
        }
    }

    pub(super) fn find(&self, client: Option<&str>, name: &str) -> Option<&String> {
        self.by_name.get(&(client.map(str::to_owned), name.to_owned()))
    }

    fn put(&mut self, role: Role) {
        if let Some(there) = self.by_id.get(&role.id)
            && (&there.client, &there.name) != (&role.client, &role.name)
        {
            self.clashes.push(clashes::told("role", &there.name, &role.name));
        }
        self.by_name.insert((role.client.clone(), role.name.clone()), role.id.clone());
        self.by_id.insert(role.id.clone(), role);
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Some(role) = self.by_id.remove(id) {
            self.by_name.remove(&(role.client, role.name));
        }
        self.parts.remove(id);
        self.parts.values_mut().for_each(|parts| parts.retain(|part| part != id));
    }
}

impl Merge {
    pub(super) fn roles(&mut self, representation: &RealmRepresentation) {
        let of_realm = representation.roles.iter().flat_map(|roles| roles.realm.iter().flatten());
        let of_clients = representation.roles.iter().flat_map(|roles| roles.client.iter().flatten());
        let of_clients: Vec<(String, &String, &RoleRepresentation)> = of_clients
            .filter_map(|(client_id, roles)| Some((self.client_named(client_id)?, client_id, roles)))
            .flat_map(|(id, client_id, roles)| roles.iter().map(move |role| (id.clone(), client_id, role)))
            .collect();
        let mut composed = Vec::new();
        for role in of_realm.chain(&representation.default_role) {
            composed.push((self.role(None, role), role));
            self.named.extend(role.name.clone().map(Key::Role));
        }
        for (client, client_id, role) in of_clients {
            composed.push((self.role(Some(client), role), role));
            let key = |name| Key::ClientRole { client: client_id.clone(), name };
            self.named.extend(role.name.clone().map(key));
        }
        for (id, role) in composed {
            let Some(id) = id else { continue };
            if let Some(composites) = &role.composites {
                let parts = self.composites(composites);
                self.roles.parts.insert(id, parts);
            } else if role.composite == Some(false) {
                self.roles.parts.remove(&id);
            }
        }
        self.default_roles(representation.default_roles.as_deref());
    }

    fn role(&mut self, client: Option<String>, representation: &RoleRepresentation) -> Option<String> {
        let name = representation.name.clone().filter(|name| !name.is_empty())?;
        let there =
            self.roles.find(client.as_deref(), &name).and_then(|id| self.roles.by_id.get(id)).cloned();
        let base = there.unwrap_or_else(|| self.new_role(given(representation.id.as_deref()), client, &name));
        let (record, kept) = role::from_representation(representation.clone(), base);
        self.rename(&record.id, representation.id.as_deref());
        self.without_effect.note("roles", &kept);
        self.keep(Beside::Role, &record.id.clone(), kept);
        let id = record.id.clone();
        self.roles.put(record);
        Some(id)
    }

    fn new_role(&self, id: String, client: Option<String>, name: &str) -> Role {
        Role {
            id,
            realm_id: self.realm.id.clone(),
            client,
            name: name.to_owned(),
            description: None,
            attributes: BTreeMap::new(),
            built_in: false,
        }
    }

    fn composites(&mut self, composites: &Composites) -> BTreeSet<String> {
        let none = (Vec::new(), BTreeMap::new());
        let realm = composites.realm.as_ref().unwrap_or(&none.0);
        let client = composites.client.as_ref().unwrap_or(&none.1);
        self.role_ids(realm, client)
    }

    /// The identifiers of named roles. Keycloak makes a role that it is asked to give and does not know, so this does.
    pub(super) fn role_ids(
        &mut self,
        realm: &[String],
        clients: &BTreeMap<String, Vec<String>>,
    ) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for name in realm {
            ids.insert(self.known_role(None, name));
        }
        for (client_id, names) in clients {
            match self.client_named(client_id) {
                Some(client) => {
                    ids.extend(names.iter().map(|name| self.known_role(Some(&client), name)));
                }
                None if names.is_empty() => {}
                None => {
                    self.notes.insert(format!(
                        "roles of client `{client_id}` are left out: there is no such client"
                    ));
                }
            }
        }
        ids
    }

    fn known_role(&mut self, client: Option<&str>, name: &str) -> String {
        if let Some(id) = self.roles.find(client, name) {
            return id.clone();
        }
        self.notes.insert(format!("role `{name}` is referred to and not described: it is made"));
        let role = self.new_role(given(None), client.map(str::to_owned), name);
        let id = role.id.clone();
        self.roles.put(role);
        id
    }

    /// The parts of the role that everyone has, as files of old name them.
    fn default_roles(&mut self, names: Option<&[String]>) {
        let default = self.realm.default_role();
        if let (Some(names), Some(id)) = (names, self.roles.find(None, &default).cloned()) {
            let parts = self.role_ids(names, &BTreeMap::new());
            self.roles.parts.entry(id).or_default().extend(parts);
        }
    }

    /// Which roles the clients and client scopes that the representation names may show.
    pub(super) fn scope_mappings(&mut self, representation: &RealmRepresentation) {
        let mut clients: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut scopes: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let realm = representation.scope_mappings.iter().flatten().map(|mapping| (None, mapping));
        let of_clients = representation.client_scope_mappings.iter().flatten();
        let of_clients = of_clients
            .flat_map(|(owner, mappings)| mappings.iter().map(move |mapping| (Some(owner), mapping)));
        for (owner, mapping) in realm.chain(of_clients) {
            let ScopeMappingRepresentation { client, client_scope, roles, .. } = mapping;
            let roles = roles.clone().unwrap_or_default();
            let ids = match owner {
                None => self.role_ids(&roles, &BTreeMap::new()),
                Some(owner) => self.role_ids(&[], &BTreeMap::from([(owner.clone(), roles)])),
            };
            match (client, client_scope) {
                (Some(client), _) => clients.entry(client.clone()).or_default().extend(ids),
                (None, Some(scope)) => scopes.entry(scope.clone()).or_default().extend(ids),
                (None, None) => {}
            }
        }
        for client in &mut self.clients {
            if let Some(ids) = clients.remove(&client.client_id) {
                client.settings.scope_mappings = ids;
            }
        }
        for scope in &mut self.scopes {
            if let Some(ids) = scopes.remove(&scope.name) {
                scope.settings.scope_mappings = ids;
            }
        }
    }
}
