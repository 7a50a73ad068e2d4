//! What has protocol mappers and scope mappings of its own: a client, or a client scope.

use std::collections::BTreeSet;

use super::answer::AdminError;
use super::call::Call;
use super::{client_scopes, clients};
use crate::keycloak::Beside;
use crate::protocol::client::Client;
use crate::protocol::mapper::Mapper;
use crate::protocol::scope::Scope;
use crate::store::Change;

/// One of the two.
pub(super) enum Carrier {
    Client(Box<Client>),
    Scope(Box<Scope>),
}

impl Carrier {
    /// That of the address.
    pub(super) async fn named(call: &Call) -> Result<Self, AdminError> {
        if call.part("scope").is_empty() {
            return Ok(Self::Client(Box::new(clients::named(call).await?)));
        }
        Ok(Self::Scope(Box::new(client_scopes::named(call)?.clone())))
    }

    /// That of the address, if the caller may change it.
    pub(super) async fn changeable(call: &Call) -> Result<Self, AdminError> {
        if call.part("scope").is_empty() {
            return Ok(Self::Client(Box::new(clients::changeable(call).await?)));
        }
        let scope = client_scopes::named(call)?;
        client_scopes::covered(call, scope)?;
        Ok(Self::Scope(Box::new(scope.clone())))
    }

    /// Its identifier.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Client(client) => &client.id,
            Self::Scope(scope) => &scope.id,
        }
    }

    /// Where it is found: `clients/{id}`.
    pub(super) fn path(&self) -> [&str; 2] {
        match self {
            Self::Client(client) => ["clients", &client.id],
            Self::Scope(scope) => ["client-scopes", &scope.id],
        }
    }

    /// What more is kept of it.
    pub(super) fn beside(&self) -> Beside {
        match self {
            Self::Client(_) => Beside::Client,
            Self::Scope(_) => Beside::ClientScope,
        }
    }

    /// Its mappers.
    pub(super) fn mappers(&self) -> &[Mapper] {
        match self {
            Self::Client(client) => &client.settings.mappers,
            Self::Scope(scope) => &scope.settings.mappers,
        }
    }

    /// The same with other mappers.
    pub(super) fn with_mappers(mut self, mappers: Vec<Mapper>) -> Self {
        match &mut self {
            Self::Client(client) => client.settings.mappers = mappers,
            Self::Scope(scope) => scope.settings.mappers = mappers,
        }
        self
    }

    /// `id`s of the roles that it lets through.
    pub(super) fn roles(&self) -> &BTreeSet<String> {
        match self {
            Self::Client(client) => &client.settings.scope_mappings,
            Self::Scope(scope) => &scope.settings.scope_mappings,
        }
    }

    /// The same with other roles.
    pub(super) fn with_roles(mut self, roles: BTreeSet<String>) -> Self {
        match &mut self {
            Self::Client(client) => client.settings.scope_mappings = roles,
            Self::Scope(scope) => scope.settings.scope_mappings = roles,
        }
        self
    }

    /// The change that keeps it.
    pub(super) fn put(self, call: &Call) -> Change {
        match self {
            Self::Client(client) => Change::PutClient { client, at: call.now() },
            Self::Scope(scope) => Change::PutScope(*scope),
        }
    }
}
