//! A realm's records as a full description: every field said, so that it can be compared and exported.

use std::collections::BTreeMap;

use super::spec::{
    BruteForceSpec, ClientSpec, GroupSpec, LifetimesSpec, RealmSpec, RoleSpec, ScopeSpec, UserSpec,
};
use super::state::{GroupState, State, UserState};
use crate::protocol::certificate::CertificateNames;
use crate::protocol::client::Client;
use crate::protocol::jws::Algorithm;
use crate::protocol::mapper::Mapper;
use crate::protocol::role::Role;
use crate::protocol::scope::Scope;
use crate::secrets::Secret;

/// The whole of `state`. Stored forms of secrets are in it; the clear ones are not known.
#[must_use]
pub(super) fn describe(state: &State) -> RealmSpec {
    let settings = &state.realm.settings;
    let users = state.users.iter().filter(|user| user.user.service_account_client.is_none());
    let mut spec = RealmSpec {
        name: state.realm.name.clone(),
        display_name: filled(state.realm.display_name.as_ref()),
        enabled: Some(state.realm.enabled),
        logo_uri: filled(settings.logo_uri.as_ref()),
        signature_algorithm: Some(settings.signature_algorithm.clone()),
        lifetimes: LifetimesSpec {
            access_token: Some(settings.access_token),
            code: Some(settings.code),
            pushed_request: Some(settings.pushed_request),
            device_code: Some(settings.device_code),
            login: Some(settings.login),
            session_idle: Some(settings.session_idle),
            session_max: Some(settings.session_max),
            remember_me_idle: Some(settings.remember_me_idle),
            remember_me_max: Some(settings.remember_me_max),
            offline_idle: Some(settings.offline_idle),
            offline_max: settings.offline_max,
        },
        remember_me: Some(settings.remember_me),
        login_with_email: Some(settings.login_with_email),
        duplicate_emails: Some(settings.duplicate_emails),
        refresh_retry_window: Some(settings.refresh_retry_window),
        require_pushed_authorization_requests: Some(settings.require_pushed_authorization_requests),
        authorization_details_types: Some(settings.authorization_details_types.clone()),
        password_acr: Some(settings.password_acr.clone()),
        recent_acr: filled(settings.recent_acr.as_ref()),
        recent_acr_age: Some(settings.recent_acr_age),
        dpop_nonce: Some(settings.dpop_nonce),
        brute_force: BruteForceSpec {
            max_failures: Some(settings.brute_force.max_failures),
            max_account_failures: Some(settings.brute_force.max_account_failures),
            max_address_failures: Some(settings.brute_force.max_address_failures),
            wait: Some(settings.brute_force.wait),
            max_wait: Some(settings.brute_force.max_wait),
            window: Some(settings.brute_force.window),
        },
        registration: Some(settings.registration),
        registration_grants: Some(settings.registration_grants.clone()),
        registration_pkce: Some(settings.registration_pkce),
        registration_limit: Some(settings.registration_limit),
        trusted_issuers: Some(settings.trusted_issuers.clone()),
        default_scopes: Some(settings.default_scopes.clone()),
        optional_scopes: Some(settings.optional_scopes.clone()),
        roles: roles(state, None),
        scopes: state.scopes.iter().map(|one| scope(state, one)).collect(),
        clients: state.clients.iter().map(|one| client(state, one)).collect(),
        groups: groups(state, None),
        users: users.map(|one| user(state, one)).collect(),
        ..RealmSpec::default()
    };
    spec.scopes.sort_by(|a, b| a.name.cmp(&b.name));
    spec.clients.sort_by(|a, b| a.id.cmp(&b.id));
    spec.users.sort_by(|a, b| a.username.cmp(&b.username));
    spec
}

/// Texts that are empty say nothing.
fn filled(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn roles(state: &State, client: Option<&str>) -> Vec<RoleSpec> {
    let own = state.roles.iter().filter(|role| role.client.as_deref() == client);
    let mut roles: Vec<RoleSpec> = own.map(|one| role(state, one)).collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    roles
}

fn role(state: &State, role: &Role) -> RoleSpec {
    RoleSpec {
        name: role.name.clone(),
        description: filled(role.description.as_ref()),
        composites: Some(names(state, state.roles.children(&role.id))),
        attributes: Some(role.attributes.clone()),
    }
}

/// The names of roles, sorted.
fn names<'a>(state: &State, ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = ids.filter_map(|id| state.role_name(id)).collect();
    names.sort();
    names
}

fn scope(state: &State, scope: &Scope) -> ScopeSpec {
    ScopeSpec {
        name: scope.name.clone(),
        description: filled(scope.description.as_ref()),
        consent_text: filled(scope.settings.consent_text.as_ref()),
        include_in_token: Some(scope.settings.include_in_token),
        mappers: Some(mappers(&scope.settings.mappers)),
        scope_mappings: Some(names(state, scope.settings.scope_mappings.iter().map(String::as_str))),
    }
}

fn named(algorithm: Option<Algorithm>) -> Option<String> {
    algorithm.map(|algorithm| algorithm.to_string())
}

/// Mappers without the identifiers that the admin API gave them.
fn mappers(mappers: &[Mapper]) -> Vec<Mapper> {
    mappers.iter().map(|mapper| Mapper { id: String::new(), ..mapper.clone() }).collect()
}

fn client(state: &State, client: &Client) -> ClientSpec {
    let settings = &client.settings;
    let service = state.service_account(&client.id);
    ClientSpec {
        id: client.client_id.clone(),
        name: filled(settings.name.as_ref()),
        description: filled(settings.description.as_ref()),
        enabled: Some(client.enabled),
        secret: None,
        secret_hash: client.secret_hash.clone().map(Secret::from),
        public: Some(client.is_public()),
        profile: Some(settings.profile),
        authentication: Some(settings.authentication).filter(|_| !client.is_public()),
        jwks: settings.jwks.clone(),
        jwks_uri: filled(settings.jwks_uri.as_ref()),
        token_endpoint_auth_signing_alg: filled(settings.token_endpoint_auth_signing_alg.as_ref()),
        assertion_audience: Some(settings.assertion_audience),
        certificate: settings.tls_client_auth.as_ref().map(CertificateNames::from).unwrap_or_default(),
        tls_client_certificate_bound_access_tokens: Some(settings.tls_client_certificate_bound_access_tokens),
        native: Some(settings.native),
        grants: Some(settings.grants.clone()),
        redirect_uris: Some(settings.redirect_uris.clone()),
        post_logout_redirect_uris: Some(settings.post_logout_redirect_uris.clone()),
        backchannel_logout_uri: filled(settings.backchannel_logout_uri.as_ref()),
        backchannel_logout_session_required: Some(settings.backchannel_logout_session_required),
        frontchannel_logout_uri: filled(settings.frontchannel_logout_uri.as_ref()),
        frontchannel_logout_session_required: Some(settings.frontchannel_logout_session_required),
        subject_type: Some(settings.subject_type),
        sector_identifier_uri: filled(settings.sector_identifier_uri.as_ref()),
        web_origins: Some(settings.web_origins.clone()),
        pkce: Some(settings.pkce),
        require_pushed_authorization_requests: Some(settings.require_pushed_authorization_requests),
        dpop_bound_access_tokens: Some(settings.dpop_bound_access_tokens),
        require_signed_request_object: Some(settings.require_signed_request_object),
        request_object_signing_alg: filled(settings.request_object_signing_alg.as_ref()),
        request_uris: Some(settings.request_uris.clone()),
        consent: Some(settings.consent),
        default_scopes: settings.default_scopes.clone(),
        optional_scopes: settings.optional_scopes.clone(),
        authorization_details_types: Some(settings.authorization_details_types.clone()),
        audiences: Some(settings.audiences.clone()),
        resources: Some(settings.resources.clone()),
        jwt_bearer: Some(settings.jwt_bearer.clone()),
        exchange: Some(settings.exchange.clone()),
        full_scope_allowed: Some(settings.full_scope_allowed),
        scope_mappings: Some(names(state, settings.scope_mappings.iter().map(String::as_str))),
        signature_algorithm: named(settings.signature_algorithm),
        id_token_signed_response_alg: named(settings.id_token_signed_response_alg),
        authorization_signed_response_alg: named(settings.authorization_signed_response_alg),
        userinfo_signed_response_alg: named(settings.userinfo_signed_response_alg),
        introspection_signed_response_alg: named(settings.introspection_signed_response_alg),
        access_token_format: Some(settings.access_token_format),
        lightweight_access_token: Some(settings.lightweight_access_token),
        access_token_lifetime: settings.access_token,
        session_idle: settings.session_idle,
        session_max: settings.session_max,
        offline_idle: settings.offline_idle,
        offline_max: settings.offline_max,
        device_code_lifetime: settings.device_code,
        device_interval: settings.device_interval,
        mappers: Some(mappers(&settings.mappers)),
        client_uri: filled(settings.client_uri.as_ref()),
        logo_uri: filled(settings.logo_uri.as_ref()),
        policy_uri: filled(settings.policy_uri.as_ref()),
        tos_uri: filled(settings.tos_uri.as_ref()),
        roles: roles(state, Some(&client.id)),
        service_account_roles: service.map(|user| assigned(state, user)),
    }
}

/// Roles of a user without the one that everyone has.
fn assigned(state: &State, user: &UserState) -> Vec<String> {
    let default = state.realm.default_role();
    let mut names = names(state, user.roles.iter().map(String::as_str));
    names.retain(|name| *name != default);
    names
}

fn groups(state: &State, parent: Option<&str>) -> Vec<GroupSpec> {
    let below = |group: &&GroupState| group.group.parent.as_deref() == parent;
    let mut groups: Vec<GroupSpec> = state
        .groups
        .iter()
        .filter(below)
        .map(|one| GroupSpec {
            name: one.group.name.clone(),
            roles: Some(names(state, one.roles.iter().map(String::as_str))),
            attributes: Some(one.group.attributes.clone()),
            groups: groups(state, Some(&one.group.id)),
        })
        .collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}

fn user(state: &State, one: &UserState) -> UserSpec {
    let paths: BTreeMap<&str, &str> =
        state.groups.iter().map(|group| (group.group.id.as_str(), group.group.path.as_str())).collect();
    let mut groups: Vec<String> =
        one.groups.iter().filter_map(|id| paths.get(id.as_str())).map(|path| (*path).to_owned()).collect();
    groups.sort();
    UserSpec {
        id: Some(one.user.id.clone()),
        username: one.user.username.clone(),
        password: None,
        password_hash: one.password_hash.clone().map(Secret::from),
        email: filled(one.user.email.as_ref()),
        email_verified: Some(one.user.email_verified),
        first_name: filled(one.user.first_name.as_ref()),
        last_name: filled(one.user.last_name.as_ref()),
        enabled: Some(one.user.enabled),
        roles: Some(assigned(state, one)),
        groups: Some(groups),
        required_actions: Some(one.user.required_actions.clone()),
        attributes: Some(one.user.attributes.clone()),
    }
}
