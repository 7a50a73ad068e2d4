//! New records, before a file says more: a realm with what comes with every realm, a client that may use nothing.

use uuid::Uuid;

use super::state::State;
use crate::clock::Timestamp;
use crate::protocol::built_in::fresh_realm;
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::role::Roles;
use crate::protocol::scope::{Scope, ScopeSettings};
use crate::protocol::user::User;

/// A new identifier.
#[must_use]
pub(super) fn id() -> String {
    Uuid::new_v4().to_string()
}

/// A new realm called `name`, without users.
#[must_use]
pub(super) fn realm(name: &str) -> State {
    let fresh = fresh_realm(name, &mut id);
    let names = fresh.clients.iter().map(|client| (client.id.clone(), client.client_id.clone())).collect();
    State {
        roles: Roles::new(fresh.roles, fresh.composites, names),
        realm: fresh.realm,
        scopes: fresh.scopes,
        clients: fresh.clients,
        groups: Vec::new(),
        users: Vec::new(),
        kept: Default::default(),
    }
}

/// A new realm called `name` where Keycloak's JSON says no more: as Keycloak begins one, without the choice to be remembered.
#[must_use]
pub(super) fn keycloak_realm(name: &str) -> State {
    let mut state = realm(name);
    state.realm.settings.remember_me = false;
    state
}

/// A new client that may use nothing yet.
#[must_use]
pub(super) fn client(realm_id: &str, client_id: &str) -> Client {
    Client {
        id: id(),
        realm_id: realm_id.to_owned(),
        client_id: client_id.to_owned(),
        enabled: true,
        secret_hash: None,
        settings: ClientSettings { full_scope_allowed: true, ..ClientSettings::default() },
    }
}

/// A new scope that adds nothing yet.
#[must_use]
pub(super) fn scope(realm_id: &str, name: &str) -> Scope {
    Scope {
        id: id(),
        realm_id: realm_id.to_owned(),
        name: name.to_owned(),
        description: None,
        settings: ScopeSettings { include_in_token: true, ..ScopeSettings::default() },
    }
}

/// A new user without a password. `username` is taken as it is.
#[must_use]
pub(super) fn user(realm_id: &str, username: &str, now: Timestamp) -> User {
    User::new(realm_id, &id(), username, now)
}
