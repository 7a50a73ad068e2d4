//! A realm as Keycloak's realm JSON: every list in one order, so that two exports differ only where two realms do.

use std::collections::{BTreeMap, HashMap};

use super::super::state::{GroupState, State, UserState};
use super::merge::PROVIDER_TYPE;
use super::minimal::minimal;
use crate::keycloak::document::DocumentKind;
use crate::keycloak::representation::{
    ClientRepresentation, GroupRepresentation, RealmRepresentation, RoleRepresentation, RolesRepresentation,
    ScopeMappingRepresentation, UserRepresentation,
};
use crate::keycloak::{
    Beside, Kept, VERSION, client, client_scope, credential, group, realm, role, secret, user,
};
use crate::passwords::ClientSecrets;
use crate::protocol::credential::OTP;
use crate::protocol::role::Role;

/// What an export in Keycloak's form holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeycloakExport {
    /// Users, service accounts included.
    pub users: bool,
    /// Secrets of clients, hashes of passwords, keys of one-time codes, whatever is kept of others' secrets.
    pub with_secrets: bool,
    /// Leave out identifiers, defaults, and what comes with every realm.
    pub minimal: bool,
}

/// The file that describes `state`. Applied to the same realm it changes nothing, unless it was made `minimal`, when it
/// makes the same realm with other identifiers.
///
/// # Errors
/// When JSON has no way to say something.
pub fn export(
    state: &State,
    options: KeycloakExport,
    secrets: &ClientSecrets,
) -> Result<String, serde_json::Error> {
    let whole = representation(state, options, secrets);
    let mut text = if options.minimal {
        serde_json::to_string_pretty(&minimal(&whole, state, options, secrets)?)?
    } else {
        serde_json::to_string_pretty(&whole)?
    };
    text.push('\n');
    Ok(text)
}

/// The representation of all of `state`, as far as `options` ask for it.
#[must_use]
pub fn representation(
    state: &State,
    options: KeycloakExport,
    secrets: &ClientSecrets,
) -> RealmRepresentation {
    let writer = Writer { state, options, secrets };
    let mut scopes: Vec<_> = state.scopes.iter().collect();
    scopes.sort_by(|a, b| a.name.cmp(&b.name));
    let scopes = scopes
        .into_iter()
        .map(|scope| client_scope::to_representation(scope, writer.kept(Beside::ClientScope, &scope.id)));
    let mut clients: Vec<_> = state.clients.iter().map(|client| writer.client(client)).collect();
    clients.sort_by(|a, b| a.client_id.cmp(&b.client_id));
    let (scope_mappings, client_scope_mappings) = writer.scope_mappings();
    let default = state.roles.realm_role(&state.realm.default_role());
    let kept = writer.kept_of_realm();
    RealmRepresentation {
        roles: Some(writer.roles()),
        groups: Some(writer.groups(None)),
        default_groups: writer.default_groups(),
        users: options.users.then(|| writer.users()),
        client_scopes: Some(scopes.collect()),
        clients: Some(clients),
        scope_mappings: Some(scope_mappings).filter(|list| !list.is_empty()),
        client_scope_mappings: Some(client_scope_mappings).filter(|map| !map.is_empty()),
        identity_providers: writer.documents(DocumentKind::IdentityProvider),
        identity_provider_mappers: writer.documents(DocumentKind::IdentityProviderMapper),
        authentication_flows: writer.documents(DocumentKind::AuthenticationFlow),
        authenticator_config: writer.documents(DocumentKind::AuthenticatorConfig),
        required_actions: writer.documents(DocumentKind::RequiredAction),
        components: writer.components(),
        keycloak_version: Some(VERSION.to_owned()),
        ..realm::to_representation(&state.realm, default.map(|one| role::brief(one, true, Kept::new())), kept)
    }
}

struct Writer<'a> {
    state: &'a State,
    options: KeycloakExport,
    secrets: &'a ClientSecrets,
}

impl Writer<'_> {
    /// What is kept beside a record, with masks for secrets that nobody asked for.
    fn kept(&self, beside: Beside, id: &str) -> Kept {
        self.told(self.state.kept(beside, id))
    }

    fn kept_of_realm(&self) -> Kept {
        let kept = self.state.kept(Beside::Realm, &self.state.realm.id);
        match (self.options.with_secrets, self.options.users) {
            (true, _) => kept,
            (false, true) => secret::masked(kept),
            (false, false) => secret::of_realm(kept),
        }
    }

    fn told(&self, content: Kept) -> Kept {
        if self.options.with_secrets { content } else { secret::masked(content) }
    }

    fn client(&self, one: &crate::protocol::client::Client) -> ClientRepresentation {
        let secret = if self.options.with_secrets {
            self.secrets.shown(one).map(|secret| secret.expose().to_owned())
        } else {
            one.secret_hash.as_ref().map(|_| client::MASK.to_owned())
        };
        let kept = self.kept(Beside::Client, &one.id);
        client::to_representation(one, secret.as_deref(), &self.state.realm.settings, kept)
    }

    fn roles(&self) -> RolesRepresentation {
        let mut realm = Vec::new();
        let mut clients: BTreeMap<String, Vec<RoleRepresentation>> = BTreeMap::new();
        let mut all: Vec<&Role> = self.state.roles.iter().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        for one in all {
            let kept = self.kept(Beside::Role, &one.id);
            let written = role::to_representation(one, &self.state.roles, kept);
            match (&one.client, self.state.roles.client_id(one)) {
                (None, _) => realm.push(written),
                (Some(_), Some(client_id)) => clients.entry(client_id.to_owned()).or_default().push(written),
                (Some(_), None) => {}
            }
        }
        RolesRepresentation { realm: Some(realm), client: Some(clients) }
    }

    fn groups(&self, parent: Option<&str>) -> Vec<GroupRepresentation> {
        let below = |one: &&GroupState| one.group.parent.as_deref() == parent;
        let mut groups: Vec<&GroupState> = self.state.groups.iter().filter(below).collect();
        groups.sort_by(|a, b| a.group.name.cmp(&b.group.name));
        let one = |one: &GroupState| {
            let kept = self.kept(Beside::Group, &one.group.id);
            GroupRepresentation {
                sub_groups: Some(self.groups(Some(&one.group.id))),
                ..group::to_representation(&one.group, &self.assigned(&one.roles), &self.state.roles, kept)
            }
        };
        groups.into_iter().map(one).collect()
    }

    /// The paths of the groups that new users are put into; none when there are none.
    fn default_groups(&self) -> Option<Vec<String>> {
        let ids = self.state.realm.settings.default_groups.iter();
        let paths = ids.filter_map(|id| {
            let group = self.state.groups.iter().find(|one| one.group.id == *id)?;
            Some(group.group.path.clone())
        });
        Some(paths.collect::<Vec<_>>()).filter(|paths| !paths.is_empty())
    }

    /// The roles with these identifiers.
    fn assigned(&self, ids: &[String]) -> Vec<&Role> {
        ids.iter().filter_map(|id| self.state.roles.by_id(id)).collect()
    }

    fn users(&self) -> Vec<UserRepresentation> {
        let paths: HashMap<&str, &str> =
            self.state.groups.iter().map(|one| (one.group.id.as_str(), one.group.path.as_str())).collect();
        let client_ids: HashMap<&str, &str> =
            self.state.clients.iter().map(|one| (one.id.as_str(), one.client_id.as_str())).collect();
        let mut users: Vec<&UserState> = self.state.users.iter().collect();
        users.sort_by(|a, b| a.user.username.cmp(&b.user.username));
        let one = |one: &UserState| {
            let user = &one.user;
            let kept = self.kept(Beside::User, &user.id);
            let (realm_roles, client_roles) = group::by_name(&self.assigned(&one.roles), &self.state.roles);
            let mut groups: Vec<String> = one
                .groups
                .iter()
                .filter_map(|id| paths.get(id.as_str()))
                .map(|path| (*path).to_owned())
                .collect();
            groups.sort();
            let service = user.service_account_client.as_deref();
            UserRepresentation {
                realm_roles: Some(realm_roles),
                client_roles: Some(client_roles),
                groups: Some(groups),
                credentials: self.options.with_secrets.then(|| self.credentials(one)),
                service_account_client_id: service
                    .and_then(|id| client_ids.get(id))
                    .map(|client_id| (*client_id).to_owned()),
                ..user::to_representation(user, one.credentials.iter().any(|one| one.kind == OTP), kept)
            }
        };
        users.into_iter().map(one).collect()
    }

    fn credentials(&self, one: &UserState) -> Vec<crate::keycloak::representation::CredentialRepresentation> {
        let user = &one.user;
        let password = one.password_hash.as_deref().and_then(|hash| {
            let kept = self.state.kept(Beside::User, &user.id);
            let kept = kept.get(credential::KEPT).and_then(|kept| kept.as_object().cloned());
            credential::password_to_representation(user, hash, &kept.unwrap_or_default())
        });
        let open = |one: &crate::protocol::credential::Credential| {
            let bytes = self.secrets.vault().open(&one.place(), &one.secret).ok()?;
            std::str::from_utf8(&bytes).ok().map(str::to_owned)
        };
        let mut others: Vec<_> = one.credentials.iter().collect();
        others.sort_by(|a, b| (a.priority, &a.id).cmp(&(b.priority, &b.id)));
        let others = others.into_iter().map(|one| credential::to_representation(one, open(one)));
        password.into_iter().chain(others).collect()
    }

    /// Which client or client scope may show which roles: of the realm, and by `client_id` of the roles.
    fn scope_mappings(
        &self,
    ) -> (Vec<ScopeMappingRepresentation>, BTreeMap<String, Vec<ScopeMappingRepresentation>>) {
        let of_clients = self.state.clients.iter().map(|one| {
            let named =
                ScopeMappingRepresentation { client: Some(one.client_id.clone()), ..Default::default() };
            (named, &one.settings.scope_mappings)
        });
        let of_scopes = self.state.scopes.iter().map(|one| {
            let named =
                ScopeMappingRepresentation { client_scope: Some(one.name.clone()), ..Default::default() };
            (named, &one.settings.scope_mappings)
        });
        let mut all: Vec<_> = of_clients.chain(of_scopes).collect();
        all.sort_by_key(|(named, _)| {
            (named.client.is_none(), named.client.clone(), named.client_scope.clone())
        });
        let mut realm = Vec::new();
        let mut clients: BTreeMap<String, Vec<ScopeMappingRepresentation>> = BTreeMap::new();
        for (named, ids) in all {
            let roles: Vec<&Role> = ids.iter().filter_map(|id| self.state.roles.by_id(id)).collect();
            let (names, by_client) = group::by_name(&roles, &self.state.roles);
            if !names.is_empty() {
                realm.push(ScopeMappingRepresentation { roles: Some(names), ..named.clone() });
            }
            for (owner, names) in by_client {
                let mapping = ScopeMappingRepresentation { roles: Some(names), ..named.clone() };
                clients.entry(owner).or_default().push(mapping);
            }
        }
        (realm, clients)
    }

    /// The documents of a kind by name; none when there are none.
    fn documents(&self, kind: DocumentKind) -> Option<Vec<Kept>> {
        let mut all: Vec<_> = self.state.kept.values().filter(|one| one.kind == kind.kind()).collect();
        all.sort_by(|a, b| (&a.parent, &a.name, &a.id).cmp(&(&b.parent, &b.name, &b.id)));
        let all: Vec<Kept> = all.into_iter().map(|one| self.told(one.content.clone())).collect();
        Some(all).filter(|all| !all.is_empty())
    }

    fn components(&self) -> Option<BTreeMap<String, Vec<Kept>>> {
        let mut by_type: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
        for mut content in self.documents(DocumentKind::Component)? {
            let kind = content.remove(PROVIDER_TYPE);
            let kind = kind.and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
            by_type.entry(kind).or_default().push(content);
        }
        Some(by_type)
    }
}
