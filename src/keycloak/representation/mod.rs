//! Keycloak's JSON, field by field: what this server acts upon has a type, all the rest is kept as it came.
//!
//! Reading is lenient where Keycloak's own reader is: numbers and switches may be written as texts, values of attribute
//! maps may be numbers, a single value may stand for a list of one, and fields that nobody knows are kept.

mod client;
mod client_scope;
mod credential;
mod document;
mod group;
mod lenient;
mod mapper;
mod realm;
mod role;
mod user;

pub use client::ClientRepresentation;
pub use client_scope::ClientScopeRepresentation;
pub use credential::CredentialRepresentation;
pub use document::{
    AuthenticationExecutionRepresentation, AuthenticationFlowRepresentation,
    AuthenticatorConfigRepresentation, ComponentRepresentation, IdentityProviderMapperRepresentation,
    IdentityProviderRepresentation, RequiredActionRepresentation,
};
pub use group::GroupRepresentation;
pub use mapper::ProtocolMapperRepresentation;
pub use realm::{RealmRepresentation, RolesRepresentation, ScopeMappingRepresentation};
pub use role::{Composites, RoleRepresentation};
pub use user::{ConsentRepresentation, FederatedIdentityRepresentation, UserRepresentation};

#[cfg(test)]
mod tests;
