//! Users, their credentials, roles and groups, and the service accounts of clients.

use std::collections::HashMap;

use super::super::super::entities::Key;
use super::super::super::fresh;
use super::super::super::state::UserState;
use super::{Merge, clear, given};
use crate::keycloak::credential::{self, Credentials};
use crate::keycloak::representation::{CredentialRepresentation, RealmRepresentation, UserRepresentation};
use crate::keycloak::user::{self, UPDATE_PASSWORD};
use crate::keycloak::{Beside, Kept};
use crate::protocol::client::GrantType;
use crate::protocol::group_path;
use crate::protocol::user::{User, canonical, service_account_name};
use crate::secrets::Secret;

/// Where each user and each group is.
struct Index {
    users: HashMap<String, usize>,
    groups: HashMap<String, String>,
}

impl Merge {
    pub(super) fn users(&mut self, representation: &RealmRepresentation) {
        let users = self.users.iter().enumerate().map(|(at, one)| (one.user.username.clone(), at));
        // Files may write a slash of a name as it is: the path that is a group's own comes before that.
        let plain = self.groups.iter().map(|one| (group_path::plain(&one.group.path), one.group.id.clone()));
        let own = self.groups.iter().map(|one| (one.group.path.clone(), one.group.id.clone()));
        let mut index = Index { users: users.collect(), groups: plain.chain(own).collect() };
        for user in representation.users.iter().flatten() {
            self.user(user, &mut index);
        }
        self.service_accounts();
    }

    fn user(&mut self, representation: &UserRepresentation, index: &mut Index) {
        let username = canonical(representation.username.as_deref().unwrap_or_default());
        if username.is_empty() {
            self.notes.insert("a user without a name is left out".to_owned());
            return;
        }
        let there = index.users.get(&username).and_then(|at| self.users.get(*at)).cloned();
        let is_new = there.is_none();
        let mut state = there.unwrap_or_else(|| {
            let user = fresh::user(&self.realm.id, &username, self.now);
            // As in Keycloak, nobody signs in of whom it is not said that they may.
            UserState::of(User { id: given(representation.id.as_deref()), enabled: false, ..user })
        });
        let service = representation.service_account_client_id.as_deref();
        if service.is_none() {
            self.named.insert(Key::User(username.clone()));
        }
        if user::problem(representation).is_some_and(|problem| problem.is_odd_address()) {
            self.notes
                .insert(format!("user `{username}` has an `email` that is no e-mail address: it is kept"));
        }
        let (record, kept) = user::from_representation(representation.clone(), state.user);
        state.user = record;
        if let Some(client) = service.and_then(|client_id| self.client_named(client_id)) {
            state.user.service_account_client = Some(client);
        }
        self.without_effect.note("users", &kept);
        self.without_effect.note_required(&state.user.required_actions);
        self.keep(Beside::User, &state.user.id, kept);
        self.without_effect.note_credentials(representation.credentials.as_deref().unwrap_or_default());
        if let Some(credentials) = representation.credentials.clone() {
            self.credentials(credentials, &mut state);
        }
        self.links(representation, is_new, &index.groups, &mut state);
        match index.users.get(&username).and_then(|at| self.users.get_mut(*at)) {
            Some(place) => *place = state,
            None => {
                index.users.insert(username, self.users.len());
                self.users.push(state);
            }
        }
    }

    fn credentials(&mut self, credentials: Vec<CredentialRepresentation>, state: &mut UserState) {
        let user = &mut state.user;
        let read = credential::from_representations(
            credentials,
            &self.realm.id,
            &user.id,
            &state.credentials,
            self.now,
            &mut fresh::id,
        );
        let Credentials { password, kept, temporary, others, problems } = read;
        for problem in problems {
            self.notes.insert(format!("user `{}`: {problem}", user.username));
        }
        if temporary && !user.required_actions.iter().any(|action| action == UPDATE_PASSWORD) {
            user.required_actions.push(UPDATE_PASSWORD.to_owned());
        }
        if !kept.is_empty() {
            let worth = credential::worth_keeping(kept, user);
            let kept = Kept::from_iter([(credential::KEPT.to_owned(), worth)]);
            self.keep(Beside::User, &state.user.id, kept);
        }
        let user = &mut state.user;
        match password.map(clear) {
            Some(Ok(stored)) => state.password_hash = Some(stored),
            Some(Err(secret)) => self.passwords.push((user.id.clone(), secret)),
            None => {}
        }
        for mut one in others {
            self.sealed.insert(one.id.clone(), Secret::from(std::mem::take(&mut one.secret)));
            let there = state.credentials.iter().position(|known| known.id == one.id);
            super::put(&mut state.credentials, there, one);
        }
    }

    /// Roles and groups: exactly those that are given; a new user of whom none are said has the role that everyone has.
    fn links(
        &mut self,
        representation: &UserRepresentation,
        is_new: bool,
        groups: &HashMap<String, String>,
        state: &mut UserState,
    ) {
        if representation.realm_roles.is_some() || representation.client_roles.is_some() {
            let realm = representation.realm_roles.clone().unwrap_or_default();
            let clients = representation.client_roles.clone().unwrap_or_default();
            state.roles = self.role_ids(&realm, &clients).into_iter().collect();
        } else if is_new {
            state.roles.extend(self.roles.find(None, &self.realm.default_role()).cloned());
        }
        let Some(paths) = &representation.groups else { return };
        state.groups.clear();
        for path in paths {
            match groups.get(path).or_else(|| groups.get(&format!("/{path}"))) {
                Some(id) => state.groups.push(id.clone()),
                None => {
                    let name = &state.user.username;
                    self.notes.insert(format!("user `{name}` is put into no group `{path}`: there is none"));
                }
            }
        }
    }

    /// Each client that is a service has an account, and no other has.
    fn service_accounts(&mut self) {
        let default = self.roles.find(None, &self.realm.default_role()).cloned();
        let mut accounts: HashMap<String, usize> = HashMap::new();
        for (at, one) in self.users.iter().enumerate() {
            if let Some(client) = &one.user.service_account_client {
                accounts.insert(client.clone(), at);
            }
        }
        let mut gone = Vec::new();
        for client in &self.clients {
            let is_service = client.may(GrantType::ClientCredentials) || client.may(GrantType::JwtBearer);
            match (is_service, accounts.get(&client.id)) {
                (true, None) => {
                    let name = service_account_name(&client.client_id);
                    let mut user = fresh::user(&self.realm.id, &name, self.now);
                    user.service_account_client = Some(client.id.clone());
                    self.users
                        .push(UserState { roles: default.iter().cloned().collect(), ..UserState::of(user) });
                }
                (false, Some(at)) => gone.push(*at),
                _ => {}
            }
        }
        gone.sort_unstable();
        for at in gone.into_iter().rev() {
            let user = self.users.swap_remove(at).user;
            self.deleted.push(super::Deleted::User(user.id));
        }
    }
}
