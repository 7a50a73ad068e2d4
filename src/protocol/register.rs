//! Dynamic registration (RFC 7591, RFC 7592, OpenID Connect Registration 1.0): what a client may say about itself, and
//! what is told back.
//!
//! A client registers addresses, names and how it proves itself. It cannot give itself scopes, roles, audiences or a
//! grant that the realm does not hand out, and people are always asked before it gets anything. Its addresses are held
//! to the rules of production wherever the server runs (attacks R05).

mod certificates;
mod metadata;
mod rules;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::certificate::{CertificateNames, ClientCertificates};
use super::client::{Client, ClientAuthentication, ClientSettings, GrantType, Pkce};
use super::error::OAuthError;
use super::jws::Algorithm;
use super::outbound::OutboundRules;
use super::realm::RealmSettings;
use super::scope::OPENID;
use crate::clock::Timestamp;
pub use metadata::Metadata;
use metadata::invalid;

/// The response types that there are.
pub const RESPONSE_TYPES: [&str; 1] = ["code"];

/// Who may register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Nobody.
    Off,
    /// Who brings an initial access token (RFC 7591 §3).
    #[default]
    Token,
    /// Anybody.
    Open,
}

/// A token that lets a client register itself, so many times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialToken {
    /// Identifier (UUID); not a credential.
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// How many times it could be used at first.
    pub uses: i64,
    /// How many times it can still be used.
    pub uses_left: i64,
}

/// What a client that registered itself said beyond the settings that all clients have: to be told back, or to be asked for
/// where its requests say nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Registered {
    /// When it registered.
    pub at: Timestamp,
    /// `token_endpoint_auth_method`.
    pub auth_method: String,
    /// How to reach the people who run it.
    pub contacts: Vec<String>,
    /// Where a third party may begin a sign-in (OpenID Connect Core §4).
    pub initiate_login_uri: Option<String>,
    /// Greatest age of a sign-in, in seconds, where a request names none (OpenID Connect Registration 1.0 §2).
    pub default_max_age: Option<i64>,
    /// Values of `acr`, the dearest first, where a request asks for none.
    pub default_acr_values: Vec<String>,
    /// Whether it counts on `auth_time`, which every ID token has.
    pub require_auth_time: bool,
    /// Which software it is.
    pub software_id: Option<String>,
    /// Which version of it.
    pub software_version: Option<String>,
}

/// What realm and server offer to those who register.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The realm's settings.
    pub realm: &'a RealmSettings,
    /// What the realm signs with.
    pub signs: &'a [Algorithm],
    /// How the server asks clients for certificates; none when it does not.
    pub certificates: Option<&'a ClientCertificates>,
    /// What the server calls.
    pub outbound: OutboundRules,
}

/// The settings of a client that says `metadata` of itself where `offer` is made. `before` are those that it has, whose
/// operator's part stays; none for a new client.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 §3.2.2).
pub fn settings(
    metadata: &Metadata,
    before: Option<&ClientSettings>,
    offer: Offer<'_>,
    now: Timestamp,
) -> Result<ClientSettings, OAuthError> {
    let Offer { realm, signs, certificates: asked, outbound } = offer;
    let (authentication, auth_method) = rules::authentication(metadata, asked)?;
    let grants = rules::grants(metadata, authentication, realm)?;
    rules::addresses(metadata, &grants, outbound)?;
    rules::pages(metadata)?;
    rules::keys(metadata, outbound)?;
    rules::request_objects(metadata, outbound)?;
    let registered_at = before.and_then(|before| before.registered.as_ref()).map_or(now, |known| known.at);
    let base = before.cloned().unwrap_or_else(|| fresh(authentication, realm));
    let public = authentication == ClientAuthentication::None;
    Ok(ClientSettings {
        name: metadata.client_name.clone(),
        authentication,
        grants,
        redirect_uris: metadata.redirect_uris.clone(),
        post_logout_redirect_uris: metadata.post_logout_redirect_uris.clone(),
        backchannel_logout_uri: metadata.backchannel_logout_uri.clone(),
        backchannel_logout_session_required: metadata.backchannel_logout_session_required,
        frontchannel_logout_uri: metadata.frontchannel_logout_uri.clone(),
        frontchannel_logout_session_required: metadata.frontchannel_logout_session_required,
        native: rules::native(metadata)?,
        pkce: if public { Pkce::Required } else { base.pkce },
        subject_type: rules::subject_type(metadata)?,
        jwks: metadata.jwks.clone().map(Value::Object),
        jwks_uri: metadata.jwks_uri.clone(),
        // The one algorithm for secrets goes without saying.
        token_endpoint_auth_signing_alg: metadata
            .token_endpoint_auth_signing_alg
            .clone()
            .filter(|_| authentication != ClientAuthentication::ClientSecretJwt),
        id_token_signed_response_alg: rules::id_tokens(metadata, realm, signs)?,
        authorization_signed_response_alg: rules::responses(metadata, signs)?,
        userinfo_signed_response_alg: rules::userinfo(metadata, signs)?,
        introspection_signed_response_alg: rules::introspection(metadata, signs)?,
        request_object_signing_alg: metadata.request_object_signing_alg.clone(),
        request_uris: metadata.request_uris.clone(),
        require_signed_request_object: metadata.require_signed_request_object,
        require_pushed_authorization_requests: metadata.require_pushed_authorization_requests,
        dpop_bound_access_tokens: metadata.dpop_bound_access_tokens,
        tls_client_auth: certificates::name(metadata, authentication)?,
        tls_client_certificate_bound_access_tokens: certificates::binding(metadata, asked)?,
        sector_identifier_uri: metadata.sector_identifier_uri.clone(),
        client_uri: metadata.client_uri.clone(),
        logo_uri: metadata.logo_uri.clone(),
        policy_uri: metadata.policy_uri.clone(),
        tos_uri: metadata.tos_uri.clone(),
        registered: Some(Registered {
            at: registered_at,
            auth_method: auth_method.to_owned(),
            contacts: metadata.contacts.clone(),
            initiate_login_uri: metadata.initiate_login_uri.clone(),
            default_max_age: metadata.default_max_age,
            default_acr_values: metadata.default_acr_values.clone(),
            require_auth_time: metadata.require_auth_time,
            software_id: metadata.software_id.clone(),
            software_version: metadata.software_version.clone(),
        }),
        ..base
    })
}

/// What every client has that registers itself, whatever it says.
fn fresh(authentication: ClientAuthentication, realm: &RealmSettings) -> ClientSettings {
    let public = authentication == ClientAuthentication::None;
    ClientSettings {
        consent: true,
        full_scope_allowed: false,
        pkce: if public { Pkce::Required } else { realm.registration_pkce },
        // A public client may be a page: it calls from where it was registered.
        web_origins: if public { vec!["+".to_owned()] } else { Vec::new() },
        ..ClientSettings::default()
    }
}

/// Whether the document at `sector_identifier_uri` names every redirect URI of the client (OpenID Connect Registration
/// 1.0 §5).
///
/// # Errors
/// `invalid_client_metadata`.
pub fn check_sector(document: &[u8], metadata: &Metadata) -> Result<(), OAuthError> {
    let Ok(listed) = serde_json::from_slice::<BTreeSet<String>>(document) else {
        return Err(invalid("sector_identifier_uri does not lead to a list of addresses".to_owned()));
    };
    if metadata.redirect_uris.iter().all(|uri| listed.contains(uri)) {
        return Ok(());
    }
    Err(invalid("sector_identifier_uri leads to a list that lacks a redirect URI".to_owned()))
}

/// What the client is told about itself (RFC 7591 §3.2.1), credentials and addresses of its registration apart.
#[must_use]
pub fn describe(client: &Client, realm: &RealmSettings) -> Map<String, Value> {
    let settings = &client.settings;
    let own = settings.registered.clone().unwrap_or_default();
    let by_code = settings.grants.contains(&GrantType::AuthorizationCode);
    let response_types: &[&str] = if by_code { &RESPONSE_TYPES } else { &[] };
    let members = [
        ("client_id", json!(client.client_id)),
        ("client_id_issued_at", json!(own.at.0)),
        ("redirect_uris", json!(settings.redirect_uris)),
        ("response_types", json!(response_types)),
        ("grant_types", json!(settings.grants.iter().map(|grant| grant.wire()).collect::<Vec<_>>())),
        ("application_type", json!(if settings.native { "native" } else { "web" })),
        ("contacts", json!(own.contacts)),
        ("client_name", json!(settings.name)),
        ("logo_uri", json!(settings.logo_uri)),
        ("client_uri", json!(settings.client_uri)),
        ("policy_uri", json!(settings.policy_uri)),
        ("tos_uri", json!(settings.tos_uri)),
        ("scope", json!(scope(settings, realm))),
        ("subject_type", json!(settings.subject_type)),
        ("sector_identifier_uri", json!(settings.sector_identifier_uri)),
        ("initiate_login_uri", json!(own.initiate_login_uri)),
        ("default_max_age", json!(own.default_max_age)),
        ("default_acr_values", json!(Some(&own.default_acr_values).filter(|values| !values.is_empty()))),
        ("require_auth_time", json!(own.require_auth_time.then_some(true))),
        ("post_logout_redirect_uris", json!(settings.post_logout_redirect_uris)),
        ("backchannel_logout_uri", json!(settings.backchannel_logout_uri)),
        ("backchannel_logout_session_required", json!(settings.backchannel_logout_session_required)),
        ("frontchannel_logout_uri", json!(settings.frontchannel_logout_uri)),
        ("frontchannel_logout_session_required", json!(settings.frontchannel_logout_session_required)),
        ("software_id", json!(own.software_id)),
        ("software_version", json!(own.software_version)),
    ];
    let members = members.into_iter().chain(proofs(settings, &own, realm)).chain(by_certificate(settings));
    let said = members.filter(|(_, value)| !value.is_null());
    said.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The part of [`describe`] about keys: what the client signs, and what is signed for it.
fn proofs(settings: &ClientSettings, own: &Registered, realm: &RealmSettings) -> [(&'static str, Value); 13] {
    let id_tokens = settings.id_token_signed_response_alg.map(Algorithm::name);
    let id_tokens = id_tokens.unwrap_or(&realm.signature_algorithm);
    let assertions = match settings.authentication {
        ClientAuthentication::ClientSecretJwt => Some("HS256"),
        _ => settings.token_endpoint_auth_signing_alg.as_deref(),
    };
    [
        ("id_token_signed_response_alg", json!(id_tokens)),
        ("authorization_signed_response_alg", json!(settings.authorization_signed_response_alg)),
        ("userinfo_signed_response_alg", json!(settings.userinfo_signed_response_alg)),
        ("introspection_signed_response_alg", json!(settings.introspection_signed_response_alg)),
        ("token_endpoint_auth_method", json!(own.auth_method)),
        ("token_endpoint_auth_signing_alg", json!(assertions)),
        ("jwks", json!(settings.jwks)),
        ("jwks_uri", json!(settings.jwks_uri)),
        ("request_object_signing_alg", json!(settings.request_object_signing_alg)),
        ("request_uris", json!(settings.request_uris)),
        ("require_signed_request_object", json!(settings.require_signed_request_object)),
        ("require_pushed_authorization_requests", json!(settings.require_pushed_authorization_requests)),
        ("dpop_bound_access_tokens", json!(settings.dpop_bound_access_tokens)),
    ]
}

/// The part of [`describe`] about certificates (RFC 8705 §2.1.2, §3.4).
fn by_certificate(settings: &ClientSettings) -> impl Iterator<Item = (&'static str, Value)> {
    let names = settings.tls_client_auth.as_ref().map(CertificateNames::from).unwrap_or_default();
    let bound = json!(settings.tls_client_certificate_bound_access_tokens);
    let names = names.given().map(|(member, name)| (member, json!(name.text()))).collect::<Vec<_>>();
    names.into_iter().chain([("tls_client_certificate_bound_access_tokens", bound)])
}

/// Every scope that the client may ask for. What a client registers as `scope` gives it none (RFC 7591 §2 lets a server
/// replace what was asked).
fn scope(settings: &ClientSettings, realm: &RealmSettings) -> String {
    let defaults = settings.default_scopes.as_ref().unwrap_or(&realm.default_scopes);
    let optional = settings.optional_scopes.as_ref().unwrap_or(&realm.optional_scopes);
    let names = [OPENID].into_iter().chain(defaults.iter().chain(optional).map(String::as_str));
    names.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "register/tests.rs"]
mod tests;
