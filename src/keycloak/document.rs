//! Whole documents of a realm on which nothing acts yet: kept as they came, and given back.

use serde_json::Value;

use super::record::{Kept, KeycloakRecord};

/// Which document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DocumentKind {
    /// An identity provider; `id` is its `internalId`, `name` its alias.
    IdentityProvider,
    /// One of its mappers; `parent` is the provider's alias.
    IdentityProviderMapper,
    /// A component (key provider, user profile, …); `parent` is the type of its provider.
    Component,
    /// An authentication flow with its executions; `name` is its alias.
    AuthenticationFlow,
    /// The settings of an execution; `name` is their alias.
    AuthenticatorConfig,
    /// A required action; `id` and `name` are its alias.
    RequiredAction,
}

impl DocumentKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::IdentityProvider,
        Self::IdentityProviderMapper,
        Self::Component,
        Self::AuthenticationFlow,
        Self::AuthenticatorConfig,
        Self::RequiredAction,
    ];

    /// The `kind` of its rows.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::IdentityProvider => "identity-provider",
            Self::IdentityProviderMapper => "identity-provider-mapper",
            Self::Component => "component",
            Self::AuthenticationFlow => "authentication-flow",
            Self::AuthenticatorConfig => "authenticator-config",
            Self::RequiredAction => "required-action",
        }
    }

    /// The member that holds its identifier.
    #[must_use]
    pub fn id_member(self) -> &'static str {
        match self {
            Self::IdentityProvider => "internalId",
            Self::RequiredAction => "alias",
            _ => "id",
        }
    }

    /// The member that holds its name.
    #[must_use]
    pub fn name_member(self) -> &'static str {
        match self {
            Self::IdentityProviderMapper | Self::Component => "name",
            _ => "alias",
        }
    }

    /// The document `content` as a row. One without an identifier is given one by `new_id`; one that is already there
    /// under the same name keeps the identifier it has, which `known` gives.
    #[must_use]
    pub fn record(
        self,
        realm_id: &str,
        mut content: Kept,
        known: &dyn Fn(&str, &str) -> Option<String>,
        new_id: &mut dyn FnMut() -> String,
    ) -> KeycloakRecord {
        let text = |content: &Kept, member: &str| {
            content.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let name = text(&content, self.name_member());
        let parent = match self {
            Self::IdentityProviderMapper => text(&content, "identityProviderAlias"),
            Self::Component => text(&content, "providerType"),
            _ => String::new(),
        };
        let mut id = text(&content, self.id_member());
        if id.is_empty() {
            id = known(&parent, &name).unwrap_or_else(new_id);
            content.insert(self.id_member().to_owned(), id.clone().into());
        }
        KeycloakRecord {
            realm_id: realm_id.to_owned(),
            kind: self.kind().to_owned(),
            id,
            parent,
            name,
            content,
        }
    }
}
