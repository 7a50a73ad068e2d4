//! What exists in every fresh realm, by Keycloak's names, so that its realm files and its clients find what they
//! expect.
//!
//! Owns the values. Leaves to `store` how they are kept, and to realm files what comes on top of them.

mod roles;
mod scopes;

use std::collections::BTreeSet;

use super::client::{Client, GrantType};
use super::realm::{Realm, RealmSettings};
use super::role::Role;
use super::scope::Scope;

/// The realm whose administrators look after all realms.
pub const MASTER: &str = "master";

/// The role of `master` that may do everything.
pub const ADMIN_ROLE: &str = "admin";

/// The client by which programs get tokens for the admin API.
pub const ADMIN_CLI: &str = "admin-cli";

/// The role of `master` that may make realms.
pub const CREATE_REALM_ROLE: &str = "create-realm";

/// The role of a realm's management client that is composed of all its others.
pub const REALM_ADMIN_ROLE: &str = "realm-admin";

/// The scope of clients that act for themselves.
pub const SERVICE_ACCOUNT: &str = "service_account";

/// The client whose roles say what a person may do with the own account.
pub const ACCOUNT: &str = "account";

/// `client`, which is [`ADMIN_CLI`], with what programs need to administer by it. Whether its grant is worth something is
/// the server's to say (see `grants::password`).
#[must_use]
pub fn programs(mut client: Client) -> Client {
    client.settings.grants = BTreeSet::from([GrantType::Password, GrantType::RefreshToken]);
    client.settings.full_scope_allowed = true;
    client
}

/// Whether `client` is an [`ADMIN_CLI`] from before programs administered by it: one whose grants were taken away has had
/// full scope.
#[must_use]
pub fn is_unable(client: &Client) -> bool {
    let settings = &client.settings;
    settings.built_in && settings.grants.is_empty() && !settings.full_scope_allowed
}

/// A realm as it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct FreshRealm {
    /// The realm, with the default settings.
    pub realm: Realm,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// Its clients: holders of roles, and [`ADMIN_CLI`], the only one that can get a token, where the server takes the
    /// password grant.
    pub clients: Vec<Client>,
    /// Its roles, of the realm and of those clients.
    pub roles: Vec<Role>,
    /// Which role is composed of which: pairs of identifiers.
    pub composites: Vec<(String, String)>,
}

/// A new realm called `name`, with identifiers from `id`. Every user is given its [`Realm::default_role`], which is
/// among `roles`.
pub fn fresh_realm(name: &str, id: &mut dyn FnMut() -> String) -> FreshRealm {
    let realm = Realm {
        id: id(),
        name: name.to_owned(),
        display_name: None,
        enabled: true,
        settings: RealmSettings::default(),
        version: 0,
    };
    let scopes = scopes::all(&realm.id, id);
    let roles::Holders { clients, roles, composites } = roles::all(&realm, id);
    FreshRealm { realm, scopes, clients, roles, composites }
}

/// The client that holds a realm's administrative roles; `master` has its own under another name, as in Keycloak.
#[must_use]
pub fn management_client(realm: &str) -> &'static str {
    if realm == MASTER { "master-realm" } else { "realm-management" }
}

/// The client of `master` whose roles say what its administrators may do with the realm called `realm`.
#[must_use]
pub fn overseer(realm: &str) -> String {
    format!("{realm}-realm")
}

/// That client with its roles, for `master` with the identifier `master_id`; identifiers come from `id`.
pub fn fresh_overseer(
    master_id: &str,
    realm: &str,
    id: &mut dyn FnMut() -> String,
) -> (Client, Vec<Role>, Vec<(String, String)>) {
    roles::overseer(master_id, &overseer(realm), id)
}

#[cfg(test)]
#[path = "built_in_tests.rs"]
mod tests;
