//! What goes when the representation is to be all there is, of the kinds that it speaks of.

use super::super::super::entities::Key;
use super::super::super::plan::built_in;
use super::super::super::state::State;
use super::{Deleted, Merge};
use crate::keycloak::representation::RealmRepresentation;

impl Merge {
    pub(super) fn prune(&mut self, base: &State, representation: &RealmRepresentation) {
        let roles = representation.roles.as_ref();
        let always = built_in(base);
        let (named, mut deleted) = (std::mem::take(&mut self.named), Vec::new());
        let stays = |key: &Key| named.contains(key) || always.contains(key);
        if representation.client_scopes.is_some() {
            let gone = |name: &String| !stays(&Key::Scope(name.clone()));
            deleted
                .extend(self.scopes.extract_if(.., |one| gone(&one.name)).map(|one| Deleted::Scope(one.id)));
        }
        if representation.clients.is_some() {
            let gone = self.clients.extract_if(.., |one| {
                !stays(&Key::Client(one.client_id.clone())) && one.settings.registered.is_none()
            });
            deleted.extend(gone.map(|one| Deleted::Client(one.id)));
        }
        let client_ids: std::collections::HashMap<&str, &str> =
            self.clients.iter().map(|one| (one.id.as_str(), one.client_id.as_str())).collect();
        let gone: Vec<String> = self
            .roles
            .by_id
            .values()
            .filter(|role| match &role.client {
                None => {
                    roles.is_some_and(|roles| roles.realm.is_some()) && !stays(&Key::Role(role.name.clone()))
                }
                Some(client) => match client_ids.get(client.as_str()) {
                    None => true,
                    Some(client_id) => {
                        let spoken = roles.and_then(|roles| roles.client.as_ref());
                        let key =
                            Key::ClientRole { client: (*client_id).to_owned(), name: role.name.clone() };
                        spoken.is_some_and(|clients| clients.contains_key(*client_id)) && !stays(&key)
                    }
                },
            })
            .map(|role| role.id.clone())
            .collect();
        for id in gone {
            self.roles.remove(&id);
            deleted.push(Deleted::Role(id));
        }
        if representation.groups.is_some() {
            let gone = self.groups.extract_if(.., |one| !stays(&Key::Group(one.group.path.clone())));
            deleted.extend(gone.map(|one| Deleted::Group(one.group.id)));
        }
        let clients: std::collections::HashSet<&str> =
            self.clients.iter().map(|one| one.id.as_str()).collect();
        let people = representation.users.is_some();
        let gone = self.users.extract_if(.., |one| match &one.user.service_account_client {
            Some(client) => !clients.contains(client.as_str()),
            None => people && !stays(&Key::User(one.user.username.clone())),
        });
        deleted.extend(gone.map(|one| Deleted::User(one.user.id)));
        // A role or group that goes is nobody's any more.
        let roles: std::collections::HashSet<&String> = self.roles.by_id.keys().collect();
        let groups: std::collections::HashSet<&String> =
            self.groups.iter().map(|one| &one.group.id).collect();
        self.realm.settings.default_groups.retain(|id| groups.contains(id));
        self.users.iter_mut().for_each(|one| {
            one.roles.retain(|id| roles.contains(id));
            one.groups.retain(|id| groups.contains(id));
        });
        self.deleted.append(&mut deleted);
    }
}
