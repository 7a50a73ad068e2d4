//! Clients.

use super::super::super::entities::Key;
use super::super::super::fresh;
use super::{Merge, given, put};
use crate::keycloak::representation::{ClientRepresentation, RealmRepresentation};
use crate::keycloak::{Beside, client};
use crate::protocol::client::Client;

impl Merge {
    pub(super) fn clients(&mut self, representation: &RealmRepresentation) {
        for client in representation.clients.iter().flatten() {
            self.client(client);
        }
    }

    fn client(&mut self, representation: &ClientRepresentation) {
        let Some(client_id) = representation.client_id.clone().filter(|id| !id.is_empty()) else { return };
        self.named.insert(Key::Client(client_id.clone()));
        let there = self.clients.iter().position(|one| one.client_id == client_id);
        let base = match there.and_then(|at| self.clients.get(at)) {
            Some(base) => base.clone(),
            None => client::begin(&self.realm.id, &client_id, given(representation.id.as_deref())),
        };
        let follows = base.settings.default_scopes.is_none() && base.settings.optional_scopes.is_none();
        let mut read = client::from_representation(representation.clone(), base, &mut fresh::id);
        if follows && self.are_the_realms_scopes(&read.client) {
            (read.client.settings.default_scopes, read.client.settings.optional_scopes) = (None, None);
        }
        self.rename(&read.client.id, representation.id.as_deref());
        self.without_effect.note("clients", &read.kept);
        self.without_effect.note_mappers("clients", &read.client.settings.mappers);
        self.keep(Beside::Client, &read.client.id.clone(), read.kept);
        let key = (Beside::Client.kind().to_owned(), read.client.id.clone());
        if self.kept.get(&key).is_some_and(|record| client::gets_no_tokens(&record.content)) {
            read.client.settings.grants.clear();
        }
        if let Some(secret) = read.secret.filter(|_| !read.client.is_public()) {
            self.secrets.insert(client_id, secret);
        }
        put(&mut self.clients, there, read.client);
    }

    /// Whether the scopes that a client names are those that it would have without naming any: exports name all.
    fn are_the_realms_scopes(&self, client: &Client) -> bool {
        let realm = &self.realm.settings;
        client.settings.default_scopes.as_ref() == Some(&realm.default_scopes)
            && client.settings.optional_scopes.as_ref() == Some(&realm.optional_scopes)
    }

    /// The `id` of the client called `client_id`.
    pub(super) fn client_named(&self, client_id: &str) -> Option<String> {
        self.clients.iter().find(|one| one.client_id == client_id).map(|one| one.id.clone())
    }
}
