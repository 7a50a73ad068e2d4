//! A record from what it was and its fields as they are to be.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::entities::Fields;
use super::super::spec::{ClientSpec, RealmSpec, ScopeSpec};
use crate::protocol::client::{ClientAuthentication, ClientSettings};
use crate::protocol::jws::Algorithm;
use crate::protocol::mapper::Mapper;
use crate::protocol::realm::Realm;
use crate::protocol::scope::{Scope, ScopeSettings};

/// Fields as a description again; they were made from one, so nothing is lost.
pub(super) fn typed<T: DeserializeOwned + Default>(fields: &Fields) -> T {
    serde_json::from_value(Value::Object(fields.clone())).unwrap_or_default()
}

pub(super) fn realm(base: &Realm, spec: RealmSpec) -> Realm {
    let mut realm = base.clone();
    let settings = &mut realm.settings;
    let lifetimes = spec.lifetimes;
    let brake = spec.brute_force;
    for (place, value) in [
        (&mut settings.access_token, lifetimes.access_token),
        (&mut settings.code, lifetimes.code),
        (&mut settings.pushed_request, lifetimes.pushed_request),
        (&mut settings.device_code, lifetimes.device_code),
        (&mut settings.login, lifetimes.login),
        (&mut settings.session_idle, lifetimes.session_idle),
        (&mut settings.session_max, lifetimes.session_max),
        (&mut settings.remember_me_idle, lifetimes.remember_me_idle),
        (&mut settings.remember_me_max, lifetimes.remember_me_max),
        (&mut settings.offline_idle, lifetimes.offline_idle),
        (&mut settings.refresh_retry_window, spec.refresh_retry_window),
        (&mut settings.recent_acr_age, spec.recent_acr_age),
        (&mut settings.brute_force.max_failures, brake.max_failures),
        (&mut settings.brute_force.max_account_failures, brake.max_account_failures),
        (&mut settings.brute_force.max_address_failures, brake.max_address_failures),
        (&mut settings.brute_force.wait, brake.wait),
        (&mut settings.brute_force.max_wait, brake.max_wait),
        (&mut settings.brute_force.window, brake.window),
    ] {
        set(place, value);
    }
    set(&mut settings.trusted_issuers, spec.trusted_issuers);
    settings.offline_max = lifetimes.offline_max;
    set(&mut settings.remember_me, spec.remember_me);
    set(&mut settings.dpop_nonce, spec.dpop_nonce);
    set(&mut settings.login_with_email, spec.login_with_email);
    set(&mut settings.duplicate_emails, spec.duplicate_emails);
    set(&mut settings.signature_algorithm, spec.signature_algorithm);
    set(&mut settings.registration, spec.registration);
    set(&mut settings.registration_grants, spec.registration_grants);
    set(&mut settings.registration_pkce, spec.registration_pkce);
    set(&mut settings.registration_limit, spec.registration_limit);
    set(&mut settings.default_scopes, spec.default_scopes);
    set(&mut settings.optional_scopes, spec.optional_scopes);
    set(&mut settings.require_pushed_authorization_requests, spec.require_pushed_authorization_requests);
    set(&mut settings.authorization_details_types, spec.authorization_details_types);
    set(&mut settings.password_acr, spec.password_acr);
    settings.recent_acr = spec.recent_acr;
    settings.logo_uri = spec.logo_uri;
    set(&mut realm.enabled, spec.enabled);
    realm.display_name = spec.display_name;
    realm
}

pub(super) fn scope(base: Scope, spec: ScopeSpec) -> Scope {
    let settings = base.settings;
    Scope {
        description: spec.description,
        settings: ScopeSettings {
            include_in_token: spec.include_in_token.unwrap_or(settings.include_in_token),
            consent_text: spec.consent_text,
            mappers: mappers(&settings.mappers, spec.mappers),
            scope_mappings: settings.scope_mappings,
            built_in: settings.built_in,
        },
        ..base
    }
}

pub(super) fn client_settings(base: ClientSettings, spec: ClientSpec) -> ClientSettings {
    let proves = spec.authentication.filter(|method| *method != ClientAuthentication::None);
    let authentication = match spec.public {
        Some(true) => ClientAuthentication::None,
        _ => proves.unwrap_or_default(),
    };
    ClientSettings {
        name: spec.name,
        description: spec.description,
        profile: spec.profile.unwrap_or(base.profile),
        authentication,
        jwks: spec.jwks,
        jwks_uri: spec.jwks_uri,
        token_endpoint_auth_signing_alg: spec.token_endpoint_auth_signing_alg,
        tls_client_auth: spec.certificate.given().next().map(|(_, name)| name),
        tls_client_certificate_bound_access_tokens: spec
            .tls_client_certificate_bound_access_tokens
            .unwrap_or(base.tls_client_certificate_bound_access_tokens),
        assertion_audience: spec.assertion_audience.unwrap_or(base.assertion_audience),
        grants: spec.grants.unwrap_or_default(),
        redirect_uris: spec.redirect_uris.unwrap_or_default(),
        post_logout_redirect_uris: spec.post_logout_redirect_uris.unwrap_or_default(),
        backchannel_logout_uri: spec.backchannel_logout_uri,
        backchannel_logout_session_required: spec
            .backchannel_logout_session_required
            .unwrap_or(base.backchannel_logout_session_required),
        frontchannel_logout_uri: spec.frontchannel_logout_uri,
        frontchannel_logout_session_required: spec
            .frontchannel_logout_session_required
            .unwrap_or(base.frontchannel_logout_session_required),
        subject_type: spec.subject_type.unwrap_or(base.subject_type),
        sector_identifier_uri: spec.sector_identifier_uri,
        web_origins: spec.web_origins.unwrap_or_default(),
        native: spec.native.unwrap_or(base.native),
        pkce: spec.pkce.unwrap_or(base.pkce),
        require_pushed_authorization_requests: spec
            .require_pushed_authorization_requests
            .unwrap_or(base.require_pushed_authorization_requests),
        dpop_bound_access_tokens: spec.dpop_bound_access_tokens.unwrap_or(base.dpop_bound_access_tokens),
        require_signed_request_object: spec
            .require_signed_request_object
            .unwrap_or(base.require_signed_request_object),
        request_object_signing_alg: spec.request_object_signing_alg,
        request_uris: spec.request_uris.unwrap_or_default(),
        consent: spec.consent.unwrap_or(base.consent),
        default_scopes: spec.default_scopes,
        optional_scopes: spec.optional_scopes,
        authorization_details_types: spec.authorization_details_types.unwrap_or_default(),
        audiences: spec.audiences.unwrap_or_default(),
        resources: spec.resources.unwrap_or_default(),
        jwt_bearer: spec.jwt_bearer.unwrap_or_default(),
        exchange: spec.exchange.unwrap_or_default(),
        full_scope_allowed: spec.full_scope_allowed.unwrap_or(base.full_scope_allowed),
        signature_algorithm: algorithm(spec.signature_algorithm.as_deref()),
        id_token_signed_response_alg: algorithm(spec.id_token_signed_response_alg.as_deref()),
        authorization_signed_response_alg: algorithm(spec.authorization_signed_response_alg.as_deref()),
        userinfo_signed_response_alg: algorithm(spec.userinfo_signed_response_alg.as_deref()),
        introspection_signed_response_alg: algorithm(spec.introspection_signed_response_alg.as_deref()),
        access_token_format: spec.access_token_format.unwrap_or(base.access_token_format),
        lightweight_access_token: spec.lightweight_access_token.unwrap_or(base.lightweight_access_token),
        access_token: spec.access_token_lifetime,
        session_idle: spec.session_idle,
        session_max: spec.session_max,
        offline_idle: spec.offline_idle,
        offline_max: spec.offline_max,
        device_code: spec.device_code_lifetime,
        device_interval: spec.device_interval,
        mappers: mappers(&base.mappers, spec.mappers),
        client_uri: spec.client_uri,
        logo_uri: spec.logo_uri,
        policy_uri: spec.policy_uri,
        tos_uri: spec.tos_uri,
        ..base
    }
}

/// The algorithm of this name, which the rules have looked at.
fn algorithm(name: Option<&str>) -> Option<Algorithm> {
    name.and_then(|name| name.parse().ok())
}

/// Mappers keep the identifiers that those of the same name have.
fn mappers(before: &[Mapper], after: Option<Vec<Mapper>>) -> Vec<Mapper> {
    let id = |name: &str| before.iter().find(|mapper| mapper.name == name).map(|mapper| mapper.id.clone());
    let after = after.unwrap_or_default().into_iter();
    after.map(|mapper| Mapper { id: id(&mapper.name).unwrap_or_default(), ..mapper }).collect()
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}
