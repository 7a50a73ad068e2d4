//! The last step: a new realm's own records take the identifiers that the representation gives them.

use std::collections::{BTreeMap, HashMap};

use super::super::super::state::State;
use super::{Merge, Target, clashes, effect};
use crate::protocol::role::{Role, Roles};

impl Merge {
    /// Notes that the record `from` of a new realm is to have this identifier. What is in the database keeps its own.
    pub(super) fn rename(&mut self, from: &str, to: Option<&str>) {
        if let Some(to) = to.filter(|to| self.new && !to.is_empty() && *to != from) {
            self.renamed.insert(from.to_owned(), to.to_owned());
        }
    }

    /// The realm as it is to be.
    pub(super) fn finish(mut self) -> Target {
        let renamed = std::mem::take(&mut self.renamed);
        let new = Renamed(&renamed);
        new.apply(&mut self.realm.id);
        let realm_id = self.realm.id.clone();
        for scope in &mut self.scopes {
            new.apply(&mut scope.id);
            scope.realm_id.clone_from(&realm_id);
            scope.settings.scope_mappings = new.all(std::mem::take(&mut scope.settings.scope_mappings));
        }
        let mut client_ids = HashMap::new();
        for client in &mut self.clients {
            new.apply(&mut client.id);
            client.realm_id.clone_from(&realm_id);
            client.settings.scope_mappings = new.all(std::mem::take(&mut client.settings.scope_mappings));
            client_ids.insert(client.id.clone(), client.client_id.clone());
        }
        let roles = self.roles.by_id.into_values().map(|role| Role {
            id: new.of(role.id),
            client: role.client.map(|client| new.of(client)),
            realm_id: realm_id.clone(),
            ..role
        });
        let roles: Vec<Role> = roles.collect();
        let mut clashes = self.clashes;
        clashes.extend(self.roles.clashes);
        clashes.extend(clashes::clashes(&self.scopes, &self.clients, &roles, &self.groups, &self.users));
        clashes.extend(clashes::addresses(&self.realm.settings, &self.users));
        let parts = self.roles.parts.into_iter();
        let parts = parts.flat_map(|(whole, parts)| {
            let whole = new.of(whole);
            parts.into_iter().map(move |part| (whole.clone(), new.of(part))).collect::<Vec<_>>()
        });
        let roles = Roles::new(roles, parts.collect(), client_ids);
        for group in &mut self.groups {
            group.group.realm_id.clone_from(&realm_id);
            group.roles = new.all(std::mem::take(&mut group.roles));
        }
        for user in &mut self.users {
            user.user.realm_id.clone_from(&realm_id);
            user.roles = new.all(std::mem::take(&mut user.roles));
            if let Some(client) = &mut user.user.service_account_client {
                new.apply(client);
            }
            user.credentials.iter_mut().for_each(|one| one.realm_id.clone_from(&realm_id));
        }
        let kept = self.kept.into_values().map(|mut record| {
            new.apply(&mut record.id);
            record.realm_id.clone_from(&realm_id);
            ((record.kind.clone(), record.id.clone()), record)
        });
        let mut notes = self.notes;
        notes.extend(self.without_effect.told());
        notes.extend(effect::without_pkce(&self.clients));
        Target {
            state: State {
                kept: kept.collect::<BTreeMap<_, _>>(),
                realm: self.realm,
                scopes: self.scopes,
                clients: self.clients,
                roles,
                groups: self.groups,
                users: self.users,
            },
            passwords: self.passwords,
            secrets: self.secrets,
            sealed: self.sealed,
            deleted: self.deleted,
            notes,
            clashes,
        }
    }
}

/// Identifiers by those that they replace.
#[derive(Clone, Copy)]
struct Renamed<'a>(&'a HashMap<String, String>);

impl Renamed<'_> {
    fn of(&self, id: String) -> String {
        self.0.get(&id).cloned().unwrap_or(id)
    }

    fn apply(&self, id: &mut String) {
        if let Some(new) = self.0.get(id) {
            id.clone_from(new);
        }
    }

    fn all<C: IntoIterator<Item = String> + FromIterator<String>>(&self, ids: C) -> C {
        ids.into_iter().map(|id| self.of(id)).collect()
    }
}
