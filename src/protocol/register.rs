//! Dynamic registration (RFC 7591, RFC 7592, OpenID Connect Registration 1.0): what a client may say about itself, and
//! what is told back.
//!
//! A client registers addresses, names and how it proves itself. It cannot give itself scopes, roles, audiences or a
//! grant that the realm does not hand out, and people are always asked before it gets anything. Its addresses are held
//! to the rules of production wherever the server runs (attacks R05).

mod metadata;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::client::{Client, ClientAuthentication, ClientSettings, GrantType, Pkce};
use super::error::{ErrorCode, OAuthError};
use super::jwk::JwkSet;
use super::jws::Algorithm;
use super::logout_uri::{validate_backchannel, validate_frontchannel};
use super::outbound::OutboundRules;
use super::page_uri::validate_page_uri;
use super::realm::RealmSettings;
use super::redirect_uri::{Strictness, validate_registration};
use super::scope::OPENID;
use super::subject::SubjectType;
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
    /// How many times it can still be used.
    pub uses_left: i64,
}

/// What a client that registered itself said beyond its settings, to be told back.
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
    /// Which software it is.
    pub software_id: Option<String>,
    /// Which version of it.
    pub software_version: Option<String>,
}

/// The settings of a client that says `metadata` of itself in `realm`. `before` are those that it has, whose operator's
/// part stays; none for a new client.
///
/// # Errors
/// `invalid_redirect_uri` or `invalid_client_metadata` (RFC 7591 §3.2.2).
pub fn settings(
    metadata: &Metadata,
    before: Option<&ClientSettings>,
    realm: &RealmSettings,
    now: Timestamp,
) -> Result<ClientSettings, OAuthError> {
    let (authentication, auth_method) = authentication(metadata)?;
    let grants = grants(metadata, authentication, realm)?;
    addresses(metadata, &grants)?;
    pages(metadata)?;
    keys(metadata)?;
    let native = native(metadata)?;
    algorithms(metadata, realm)?;
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
        native,
        pkce: if public { Pkce::Required } else { base.pkce },
        subject_type: subject_type(metadata)?,
        jwks: metadata.jwks.clone().map(Value::Object),
        jwks_uri: metadata.jwks_uri.clone(),
        token_endpoint_auth_signing_alg: metadata.token_endpoint_auth_signing_alg.clone(),
        require_pushed_authorization_requests: metadata.require_pushed_authorization_requests,
        dpop_bound_access_tokens: metadata.dpop_bound_access_tokens,
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

fn authentication(metadata: &Metadata) -> Result<(ClientAuthentication, &'static str), OAuthError> {
    let method = metadata.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
    Ok(match method {
        "client_secret_basic" => (ClientAuthentication::Secret, "client_secret_basic"),
        "client_secret_post" => (ClientAuthentication::Secret, "client_secret_post"),
        "none" => (ClientAuthentication::None, "none"),
        "private_key_jwt" if metadata.jwks.is_none() && metadata.jwks_uri.is_none() => {
            return Err(invalid("private_key_jwt needs jwks or jwks_uri".to_owned()));
        }
        "private_key_jwt" => (ClientAuthentication::PrivateKeyJwt, "private_key_jwt"),
        _ => return Err(invalid("token_endpoint_auth_method is not supported".to_owned())),
    })
}

/// RFC 7591 §2: the public keys of the client, here or where it publishes them.
fn keys(metadata: &Metadata) -> Result<(), OAuthError> {
    if metadata.jwks.is_some() && metadata.jwks_uri.is_some() {
        return Err(invalid("either jwks or jwks_uri, not both".to_owned()));
    }
    if let Some(jwks) = &metadata.jwks {
        let set = JwkSet::read(jwks).map_err(|why| invalid(format!("jwks: {why}")))?;
        if set.keys.is_empty() {
            return Err(invalid("jwks holds no key that this server can use".to_owned()));
        }
    }
    if let Some(uri) = &metadata.jwks_uri {
        // Whether the name leads to an address that the operator allows shows when the keys are fetched.
        let rules = OutboundRules { private: true, http: false };
        rules.target(uri).map_err(|why| invalid(format!("jwks_uri {why}")))?;
    }
    match metadata.token_endpoint_auth_signing_alg.as_deref().map(str::parse::<Algorithm>) {
        Some(Err(why)) => Err(invalid(format!("token_endpoint_auth_signing_alg: {why}"))),
        _ => Ok(()),
    }
}

/// RFC 7591 §2: the grant types that it names, those of the realm's list; and response types that go with them.
fn grants(
    metadata: &Metadata,
    authentication: ClientAuthentication,
    realm: &RealmSettings,
) -> Result<BTreeSet<GrantType>, OAuthError> {
    let named = metadata.grant_types.clone().unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    let mut grants = BTreeSet::new();
    for name in &named {
        let allowed = realm.registration_grants.iter().find(|grant| grant.wire() == name);
        let Some(grant) = allowed else {
            let offered: Vec<&str> = realm.registration_grants.iter().map(|grant| grant.wire()).collect();
            let offered = offered.join(", ");
            return Err(invalid(format!("grant_types: clients that register may use {offered}")));
        };
        grants.insert(*grant);
    }
    let needs_proof = [GrantType::ClientCredentials, GrantType::TokenExchange];
    if authentication == ClientAuthentication::None && needs_proof.iter().any(|grant| grants.contains(grant))
    {
        return Err(invalid(
            "grant_types: a client that cannot prove itself may not use this grant".to_owned(),
        ));
    }
    let by_code = grants.contains(&GrantType::AuthorizationCode);
    let types = metadata.response_types.as_deref();
    if types.is_some_and(|types| types.iter().any(|one| !RESPONSE_TYPES.contains(&one.as_str()))) {
        return Err(invalid("response_types: code is the only one".to_owned()));
    }
    if types.is_some_and(|types| !types.is_empty()) && !by_code {
        return Err(invalid("response_types: code needs the grant type authorization_code".to_owned()));
    }
    Ok(grants)
}

fn addresses(metadata: &Metadata, grants: &BTreeSet<GrantType>) -> Result<(), OAuthError> {
    let strict = Strictness::Serve;
    if grants.contains(&GrantType::AuthorizationCode) && metadata.redirect_uris.is_empty() {
        return Err(redirect("redirect_uris is missing".to_owned()));
    }
    for uri in &metadata.redirect_uris {
        validate_registration(uri, strict).map_err(|why| redirect(format!("redirect_uris: {why}")))?;
    }
    for uri in &metadata.post_logout_redirect_uris {
        validate_registration(uri, strict)
            .map_err(|why| invalid(format!("post_logout_redirect_uris: {why}")))?;
    }
    if let Some(uri) = &metadata.backchannel_logout_uri {
        validate_backchannel(uri, strict).map_err(|why| invalid(format!("backchannel_logout_uri: {why}")))?;
    }
    if let Some(uri) = &metadata.frontchannel_logout_uri {
        validate_frontchannel(uri, Some(&metadata.redirect_uris), strict)
            .map_err(|why| invalid(format!("frontchannel_logout_uri: {why}")))?;
    }
    for (name, uri) in [
        ("initiate_login_uri", &metadata.initiate_login_uri),
        ("sector_identifier_uri", &metadata.sector_identifier_uri),
    ] {
        if uri.as_deref().is_some_and(|uri| !uri.starts_with("https://") || uri.contains('#')) {
            return Err(invalid(format!("{name} must begin with https:// and have no fragment")));
        }
        let problem = uri.as_deref().and_then(|uri| validate_page_uri(uri, strict).err());
        if let Some(why) = problem {
            return Err(invalid(format!("{name}: {why}")));
        }
    }
    Ok(())
}

/// `invalid_redirect_uri` with a sentence.
fn redirect(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRedirectUri, why)
}

fn pages(metadata: &Metadata) -> Result<(), OAuthError> {
    for (name, uri) in [
        ("client_uri", &metadata.client_uri),
        ("logo_uri", &metadata.logo_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
    ] {
        if let Some(why) = uri.as_deref().and_then(|uri| validate_page_uri(uri, Strictness::Serve).err()) {
            return Err(invalid(format!("{name}: {why}")));
        }
    }
    Ok(())
}

/// OpenID Connect Registration 1.0 §2: an address of an app's own scheme is for native clients.
fn native(metadata: &Metadata) -> Result<bool, OAuthError> {
    let native = match metadata.application_type.as_deref() {
        None | Some("web") => false,
        Some("native") => true,
        Some(_) => return Err(invalid("application_type is web or native".to_owned())),
    };
    let own_scheme = |uri: &String| !uri.starts_with("https:") && !uri.starts_with("http:");
    if !native && metadata.redirect_uris.iter().any(own_scheme) {
        let why = "redirect_uris: an app's own scheme needs application_type native";
        return Err(redirect(why.to_owned()));
    }
    Ok(native)
}

/// A member that asks for another algorithm than the realm's would be a promise that is not kept.
fn algorithms(metadata: &Metadata, realm: &RealmSettings) -> Result<(), OAuthError> {
    match metadata.id_token_signed_response_alg.as_deref() {
        Some(name) if name != realm.signature_algorithm => {
            let why = format!(
                "id_token_signed_response_alg: ID tokens are signed with {}",
                realm.signature_algorithm
            );
            Err(invalid(why))
        }
        _ => Ok(()),
    }
}

fn subject_type(metadata: &Metadata) -> Result<SubjectType, OAuthError> {
    let subject_type = match metadata.subject_type.as_deref() {
        None | Some("public") => SubjectType::Public,
        Some("pairwise") => SubjectType::Pairwise,
        Some(_) => return Err(invalid("subject_type is public or pairwise".to_owned())),
    };
    let hosts: BTreeSet<_> = metadata
        .redirect_uris
        .iter()
        .filter_map(|uri| Url::parse(uri).ok())
        .map(|uri| uri.host_str().map_or_else(|| uri.scheme().to_owned(), str::to_owned))
        .collect();
    if subject_type == SubjectType::Pairwise && metadata.sector_identifier_uri.is_none() && hosts.len() > 1 {
        let why = "redirect_uris on several hosts need a sector_identifier_uri for pairwise subjects";
        return Err(invalid(why.to_owned()));
    }
    Ok(subject_type)
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
        ("id_token_signed_response_alg", json!(realm.signature_algorithm)),
        ("token_endpoint_auth_method", json!(own.auth_method)),
        ("token_endpoint_auth_signing_alg", json!(settings.token_endpoint_auth_signing_alg)),
        ("jwks", json!(settings.jwks)),
        ("jwks_uri", json!(settings.jwks_uri)),
        ("require_pushed_authorization_requests", json!(settings.require_pushed_authorization_requests)),
        ("dpop_bound_access_tokens", json!(settings.dpop_bound_access_tokens)),
        ("initiate_login_uri", json!(own.initiate_login_uri)),
        ("post_logout_redirect_uris", json!(settings.post_logout_redirect_uris)),
        ("backchannel_logout_uri", json!(settings.backchannel_logout_uri)),
        ("backchannel_logout_session_required", json!(settings.backchannel_logout_session_required)),
        ("frontchannel_logout_uri", json!(settings.frontchannel_logout_uri)),
        ("frontchannel_logout_session_required", json!(settings.frontchannel_logout_session_required)),
        ("software_id", json!(own.software_id)),
        ("software_version", json!(own.software_version)),
    ];
    let said = members.into_iter().filter(|(_, value)| !value.is_null());
    said.map(|(name, value)| (name.to_owned(), value)).collect()
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
