//! A realm's configuration and users, as records: what a plan compares a file with, and what an export writes.

use crate::protocol::client::Client;
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
}

/// A group with its roles.
#[derive(Clone, Debug)]
pub struct GroupState {
    /// The group.
    pub group: Group,
    /// `id`s of its roles.
    pub roles: Vec<String>,
}

/// A user with what hangs on it.
#[derive(Clone, Debug)]
pub struct UserState {
    /// The user.
    pub user: User,
    /// Stored form of the password.
    pub password_hash: Option<String>,
    /// `id`s of the roles assigned to the user itself.
    pub roles: Vec<String>,
    /// `id`s of the groups.
    pub groups: Vec<String>,
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
