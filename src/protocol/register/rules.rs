//! What a client may say of itself, member by member.

use std::collections::BTreeSet;

use super::metadata::{Metadata, invalid};
use super::{RESPONSE_TYPES, certificates};
use crate::protocol::certificate::ClientCertificates;
use crate::protocol::client::{ClientAuthentication, GrantType};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jwk::JwkSet;
use crate::protocol::jws::Algorithm;
use crate::protocol::logout_uri::{validate_backchannel, validate_frontchannel};
use crate::protocol::outbound::OutboundRules;
use crate::protocol::page_uri::validate_page_uri;
use crate::protocol::realm::RealmSettings;
use crate::protocol::redirect_uri::{Strictness, validate_registration};
use crate::protocol::subject::{self, SubjectType};

pub(super) fn authentication(
    metadata: &Metadata,
    asked: Option<&ClientCertificates>,
) -> Result<(ClientAuthentication, &'static str), OAuthError> {
    let method = metadata.token_endpoint_auth_method.as_deref().unwrap_or("client_secret_basic");
    if let Some(by_certificate) = certificates::authentication(method, metadata, asked)? {
        return Ok(by_certificate);
    }
    Ok(match method {
        "client_secret_basic" => (ClientAuthentication::Secret, "client_secret_basic"),
        "client_secret_post" => (ClientAuthentication::Secret, "client_secret_post"),
        "none" => (ClientAuthentication::None, "none"),
        "client_secret_jwt" => (ClientAuthentication::ClientSecretJwt, "client_secret_jwt"),
        "private_key_jwt" if metadata.jwks.is_none() && metadata.jwks_uri.is_none() => {
            return Err(invalid("private_key_jwt needs jwks or jwks_uri".to_owned()));
        }
        "private_key_jwt" => (ClientAuthentication::PrivateKeyJwt, "private_key_jwt"),
        _ => return Err(invalid("token_endpoint_auth_method is not supported".to_owned())),
    })
}

/// RFC 7591 §2: the public keys of the client, here or where it publishes them.
pub(super) fn keys(metadata: &Metadata, outbound: OutboundRules) -> Result<(), OAuthError> {
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
        followed("jwks_uri", uri, outbound)?;
    }
    let signed = metadata.token_endpoint_auth_signing_alg.as_deref();
    if metadata.token_endpoint_auth_method.as_deref() == Some("client_secret_jwt") {
        return match signed {
            None | Some("HS256") => Ok(()),
            Some(_) => Err(invalid("token_endpoint_auth_signing_alg: client_secret_jwt is HS256".to_owned())),
        };
    }
    match signed.map(str::parse::<Algorithm>) {
        Some(Err(why)) => Err(invalid(format!("token_endpoint_auth_signing_alg: {why}"))),
        _ => Ok(()),
    }
}

/// An address that this server follows, https even where the operator lets it follow others. To which address its name
/// leads shows when it is fetched.
fn followed(name: &str, uri: &str, outbound: OutboundRules) -> Result<(), OAuthError> {
    let rules = OutboundRules { http: false, ..outbound };
    rules.target(uri).map(drop).map_err(|why| invalid(format!("{name} {why}")))
}

/// RFC 7591 §2: the grant types that it names, those of the realm's list; and response types that go with them.
pub(super) fn grants(
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

pub(super) fn addresses(
    metadata: &Metadata,
    grants: &BTreeSet<GrantType>,
    outbound: OutboundRules,
) -> Result<(), OAuthError> {
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
        let told = |why: &dyn std::fmt::Display| invalid(format!("backchannel_logout_uri: {why}"));
        validate_page_uri(uri, strict).map_err(|why| told(&why))?;
        validate_backchannel(uri, outbound).map_err(|why| told(&why))?;
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
    metadata
        .sector_identifier_uri
        .as_deref()
        .map_or(Ok(()), |uri| followed("sector_identifier_uri", uri, outbound))
}

/// `invalid_redirect_uri` with a sentence.
fn redirect(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRedirectUri, why)
}

pub(super) fn pages(metadata: &Metadata) -> Result<(), OAuthError> {
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
pub(super) fn native(metadata: &Metadata) -> Result<bool, OAuthError> {
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

/// The algorithm of its ID tokens: one that the realm signs with, since whoever registers makes it no new keys.
pub(super) fn id_tokens(
    metadata: &Metadata,
    realm: &RealmSettings,
    signs: &[Algorithm],
) -> Result<Option<Algorithm>, OAuthError> {
    let named =
        signed_by("id_token_signed_response_alg", metadata.id_token_signed_response_alg.as_deref(), signs)?;
    // What the realm says, it may say otherwise one day.
    Ok(named.filter(|algorithm| algorithm.name() != realm.signature_algorithm))
}

/// The algorithm of its signed userinfo, if it wants that.
pub(super) fn userinfo(metadata: &Metadata, signs: &[Algorithm]) -> Result<Option<Algorithm>, OAuthError> {
    signed_by("userinfo_signed_response_alg", metadata.userinfo_signed_response_alg.as_deref(), signs)
}

/// The algorithm of authorization responses that it asks to be signed (JARM §3).
pub(super) fn responses(metadata: &Metadata, signs: &[Algorithm]) -> Result<Option<Algorithm>, OAuthError> {
    signed_by(
        "authorization_signed_response_alg",
        metadata.authorization_signed_response_alg.as_deref(),
        signs,
    )
}

/// The algorithm of introspection that it asks to be signed.
pub(super) fn introspection(
    metadata: &Metadata,
    signs: &[Algorithm],
) -> Result<Option<Algorithm>, OAuthError> {
    signed_by(
        "introspection_signed_response_alg",
        metadata.introspection_signed_response_alg.as_deref(),
        signs,
    )
}

fn signed_by(member: &str, name: Option<&str>, signs: &[Algorithm]) -> Result<Option<Algorithm>, OAuthError> {
    let Some(name) = name else { return Ok(None) };
    let known = name.parse::<Algorithm>().ok().filter(|algorithm| signs.contains(algorithm));
    if known.is_none() {
        let names = signs.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>().join(", ");
        return Err(invalid(format!("{member}: this realm signs with {names}")));
    }
    Ok(known)
}

/// Signed requests (RFC 9101 §10.5, OpenID Connect Registration 1.0 §2): there must be a key to verify them with.
pub(super) fn request_objects(metadata: &Metadata, outbound: OutboundRules) -> Result<(), OAuthError> {
    if let Some(Err(why)) = metadata.request_object_signing_alg.as_deref().map(str::parse::<Algorithm>) {
        return Err(invalid(format!("request_object_signing_alg: {why}")));
    }
    for uri in &metadata.request_uris {
        // The fragment is never sent (Core §6.2).
        followed("request_uris", uri.split('#').next().unwrap_or_default(), outbound)?;
    }
    let keyless = metadata.jwks.is_none() && metadata.jwks_uri.is_none();
    for (name, asked) in [
        ("require_signed_request_object", metadata.require_signed_request_object),
        ("request_object_signing_alg", metadata.request_object_signing_alg.is_some()),
        ("request_uris", !metadata.request_uris.is_empty()),
    ] {
        if asked && keyless {
            return Err(invalid(format!("{name} needs jwks or jwks_uri")));
        }
    }
    Ok(())
}

pub(super) fn subject_type(metadata: &Metadata) -> Result<SubjectType, OAuthError> {
    let subject_type = match metadata.subject_type.as_deref() {
        None | Some("public") => SubjectType::Public,
        Some("pairwise") => SubjectType::Pairwise,
        Some(_) => return Err(invalid("subject_type is public or pairwise".to_owned())),
    };
    let several = subject::on_several_hosts(metadata.redirect_uris.iter().map(String::as_str));
    if subject_type == SubjectType::Pairwise && metadata.sector_identifier_uri.is_none() && several {
        let why = "redirect_uris on several hosts need a sector_identifier_uri for pairwise subjects";
        return Err(invalid(why.to_owned()));
    }
    Ok(subject_type)
}
