//! A realm's configuration and users, as records: what a plan compares a file with, and what an export writes.

use std::collections::BTreeMap;

use crate::keycloak::{Beside, Kept, KeycloakRecord};
use crate::protocol::client::Client;
use crate::protocol::credential::Credential;
use crate::protocol::realm::Realm;
use crate::protocol::role::{Group, Roles};
use crate::protocol::scope::Scope;
use crate::protocol::user::User;

/// One realm.
#[derive(Clone, Debug)]
pub struct State {
    /// The realm itself.
    pub realm: Realm,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Its clients.
    pub clients: Vec<Client>,
    /// Its roles, those of clients included.
    pub roles: Roles,
    /// Its groups.
    pub groups: Vec<GroupState>,
    /// Its users, or those of them that a file names; service accounts included.
    pub users: Vec<UserState>,
    /// What is kept of Keycloak's representations, by kind and identifier.
    pub kept: BTreeMap<(String, String), KeycloakRecord>,
}

/// A group with its roles.
#[derive(Clone, Debug)]
pub struct GroupState {
    /// The group.
    pub group: Group,
    /// `id`s of its roles.
    pub roles: Vec<String>,
}

/// A user with what hangs on it. `Debug` leaves out the stored form of the password.
#[derive(Clone)]
pub struct UserState {
    /// The user.
    pub user: User,
    /// Stored form of the password.
    pub password_hash: Option<String>,
    /// `id`s of the roles assigned to the user itself.
    pub roles: Vec<String>,
    /// `id`s of the groups.
    pub groups: Vec<String>,
    /// Credentials beside the password.
    pub credentials: Vec<Credential>,
}

impl std::fmt::Debug for UserState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { user, roles, groups, .. } = self;
        f.debug_struct("UserState")
            .field("user", user)
            .field("roles", roles)
            .field("groups", groups)
            .finish_non_exhaustive()
    }
}

impl UserState {
    /// A user on whom nothing hangs yet.
    #[must_use]
    pub fn of(user: User) -> Self {
        Self { user, password_hash: None, roles: Vec::new(), groups: Vec::new(), credentials: Vec::new() }
    }
}

impl State {
    /// The client with this `client_id`.
    #[must_use]
    pub fn client(&self, client_id: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.client_id == client_id)
    }

    /// The service account of the client with this `id`.
    #[must_use]
    pub fn service_account(&self, client: &str) -> Option<&UserState> {
        self.users.iter().find(|state| state.user.service_account_client.as_deref() == Some(client))
    }

    /// What is kept beside the record with this `id`.
    #[must_use]
    pub fn kept(&self, beside: Beside, id: &str) -> Kept {
        let key = (beside.kind().to_owned(), id.to_owned());
        self.kept.get(&key).map(|record| record.content.clone()).unwrap_or_default()
    }

    /// How a file names the role with this `id`: `role`, or `client:role`.
    #[must_use]
    pub fn role_name(&self, id: &str) -> Option<String> {
        let role = self.roles.by_id(id)?;
        match &role.client {
            None => Some(role.name.clone()),
            Some(client) => {
                let client = self.clients.iter().find(|known| known.id == *client)?;
                Some(format!("{}:{}", client.client_id, role.name))
            }
        }
    }
}
