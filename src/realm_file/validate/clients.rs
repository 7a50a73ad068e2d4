//! Rules of one client.

use serde_json::Value;

use super::super::places::Notes;
use super::super::spec::ClientSpec;
use super::{
    LONGEST_LIFETIME, NO_HASH, between, exchange, is_hash, mappers, name, overlap, part, roles, secret,
};
use crate::protocol::built_in::ADMIN_CLI;
use crate::protocol::client::{GrantType, Pkce};
use crate::protocol::device_code;
use crate::protocol::jwk::{JwkFault, JwkSet};
use crate::protocol::jws::Algorithm;
use crate::protocol::logout_uri::validate_frontchannel;
use crate::protocol::page_uri::{validate_logo_uri, validate_page_uri};
use crate::protocol::redirect_uri::{Strictness, validate_registration};
use crate::protocol::web_origin::validate_origin;
use crate::secrets::{GENERATED_PREFIX, SEALED_PREFIX, SHARED_PREFIX, Secret};
use crate::signer::{DAMAGED, KeySet};

pub(super) fn rules(client: &ClientSpec, path: &str, notes: &mut Notes<'_>) {
    let field = |name: &str| format!("{path}.{name}");
    name(&client.id, &field("id"), notes);
    if !client.id.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        notes.add(&field("id"), "a client's id is of visible ASCII characters (RFC 6749 appendix A.1)");
    }
    secret(client.secret.as_ref(), &field("secret"), notes);
    let stored = |hash: &&Secret| {
        is_hash(hash)
            || [GENERATED_PREFIX, SEALED_PREFIX, SHARED_PREFIX]
                .iter()
                .any(|form| hash.expose().starts_with(form))
    };
    if client.secret_hash.as_ref().is_some_and(|hash| !stored(&hash)) {
        notes.add(&field("secret_hash"), NO_HASH);
    }
    addresses(client, path, Strictness::Development, notes);
    pages(client, path, Strictness::Development, notes);
    logout(client, path, Strictness::Development, notes);
    kind(client, path, notes);
    keys(client, path, notes);
    overlap(
        client.default_scopes.as_deref(),
        client.optional_scopes.as_deref(),
        &field("optional_scopes"),
        notes,
    );
    mappers(client.mappers.as_deref(), path, notes);
    roles(&client.roles, &field("roles"), notes);
    for (name, span) in [
        ("access_token_lifetime", client.access_token_lifetime),
        ("session_idle", client.session_idle),
        ("session_max", client.session_max),
        ("offline_idle", client.offline_idle),
        ("offline_max", client.offline_max),
    ] {
        between(&field(name), span, 0, LONGEST_LIFETIME, notes);
    }
    let device = client.device_code_lifetime;
    between(&field("device_code_lifetime"), device, 0, device_code::LONGEST_LIFETIME, notes);
    between(&field("device_interval"), client.device_interval, 0, device_code::LONGEST_INTERVAL, notes);
    part(&field("session_idle"), client.session_idle, client.session_max, notes);
    part(&field("offline_idle"), client.offline_idle, client.offline_max, notes);
    exchange::rules(client, path, notes);
    for (index, audience) in client.audiences.iter().flatten().enumerate() {
        name(audience, &format!("{path}.audiences[{index}]"), notes);
        if audience.is_empty() {
            notes.add(&format!("{path}.audiences[{index}]"), "it is empty");
        }
    }
}

/// What only development forgives.
pub(super) fn production(client: &ClientSpec, path: &str, notes: &mut Notes<'_>) {
    addresses(client, path, Strictness::Serve, notes);
    pages(client, path, Strictness::Serve, notes);
    logout(client, path, Strictness::Serve, notes);
    if client.id != ADMIN_CLI
        && client.grants.as_ref().is_some_and(|grants| grants.contains(&GrantType::Password))
    {
        notes.add(
            &format!("{path}.grants"),
            "password is for development: `serve` does not take it (RFC 9700 §2.4)",
        );
    }
    if client.public == Some(true) && client.pkce == Some(Pkce::Optional) {
        notes.add(&format!("{path}.pkce"), "a public client always needs PKCE");
    }
}

/// The keys that a client signs with, or where they are.
fn keys(client: &ClientSpec, path: &str, notes: &mut Notes<'_>) {
    let field = |name: &str| format!("{path}.{name}");
    if let Some(problem) = client.jwks.as_ref().filter(|jwks| *jwks != "").and_then(unusable) {
        notes.add(&field("jwks"), problem);
    }
    if client.jwks_uri.as_ref().is_some_and(|uri| !uri.is_empty())
        && client.jwks.as_ref().is_some_and(|jwks| jwks != "")
    {
        notes.add(&field("jwks_uri"), "either `jwks` or `jwks_uri`, not both (RFC 7591 §2)");
    }
    for (name, algorithm) in [
        ("token_endpoint_auth_signing_alg", &client.token_endpoint_auth_signing_alg),
        ("request_object_signing_alg", &client.request_object_signing_alg),
        ("signature_algorithm", &client.signature_algorithm),
        ("id_token_signed_response_alg", &client.id_token_signed_response_alg),
        ("authorization_signed_response_alg", &client.authorization_signed_response_alg),
        ("userinfo_signed_response_alg", &client.userinfo_signed_response_alg),
        ("introspection_signed_response_alg", &client.introspection_signed_response_alg),
    ] {
        let algorithm = algorithm.as_deref().filter(|algorithm| !algorithm.is_empty());
        if let Some(Err(problem)) = algorithm.map(str::parse::<Algorithm>) {
            notes.add(&field(name), problem.to_string());
        }
    }
    for (index, (member, name)) in client.certificate.given().enumerate() {
        if index > 0 {
            notes.add(&field(member), "a client has one name in its certificate (RFC 8705 §2.1.2)");
        } else if !name.is_sound() {
            notes.add(&field(member), "no certificate has such a name");
        }
    }
    if client.public == Some(true) && client.authentication.is_some() {
        notes.add(&field("authentication"), "a public client proves nothing: drop one of the two");
    }
}

/// What is wrong with a key set that somebody wrote down, where nothing is to be left out.
pub(super) fn unusable(jwks: &Value) -> Option<String> {
    let Some(members) = jwks.as_object() else {
        return Some(JwkFault::Keys.to_string());
    };
    match JwkSet::read(members) {
        Err(fault) => Some(fault.to_string()),
        Ok(set) if set.left_out > 0 => Some(JwkFault::Unknown.to_string()),
        Ok(set) => KeySet::is_damaged(&set).then(|| DAMAGED.to_owned()),
    }
}

fn addresses(client: &ClientSpec, path: &str, strictness: Strictness, notes: &mut Notes<'_>) {
    for (list, uris) in [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ] {
        for (index, uri) in uris.iter().flatten().enumerate() {
            if list == "post_logout_redirect_uris" && uri == "+" {
                continue;
            }
            if let Err(problem) = validate_registration(uri, strictness) {
                notes.add(&format!("{path}.{list}[{index}]"), problem.to_string());
            }
        }
    }
    for (index, origin) in client.web_origins.iter().flatten().enumerate() {
        if let Err(problem) = validate_origin(origin, strictness) {
            notes.add(&format!("{path}.web_origins[{index}]"), problem.to_string());
        }
    }
}

fn pages(client: &ClientSpec, path: &str, strictness: Strictness, notes: &mut Notes<'_>) {
    for (field, uri) in [
        ("client_uri", &client.client_uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
    ] {
        let check = if field == "logo_uri" { validate_logo_uri } else { validate_page_uri };
        if let Some(uri) = uri.as_deref().filter(|uri| !uri.is_empty())
            && let Err(problem) = check(uri, strictness)
        {
            notes.add(&format!("{path}.{field}"), problem.to_string());
        }
    }
}

fn logout(client: &ClientSpec, path: &str, strictness: Strictness, notes: &mut Notes<'_>) {
    // A file that names no redirect URIs leaves those that the client has.
    let redirect_uris = client.redirect_uris.as_deref();
    if let Some(uri) = client.frontchannel_logout_uri.as_deref().filter(|uri| !uri.is_empty())
        && let Err(problem) = validate_frontchannel(uri, redirect_uris, strictness)
    {
        notes.add(&format!("{path}.frontchannel_logout_uri"), problem.to_string());
    }
}

/// Fields that contradict each other.
fn kind(client: &ClientSpec, path: &str, notes: &mut Notes<'_>) {
    let may = |grant| client.grants.as_ref().is_some_and(|grants| grants.contains(&grant));
    if client.secret.is_some() && client.secret_hash.is_some() {
        notes.add(&format!("{path}.secret_hash"), "either `secret` or `secret_hash`, not both");
    }
    if client.public == Some(true) {
        for (field, there) in
            [("secret", client.secret.is_some()), ("secret_hash", client.secret_hash.is_some())]
        {
            if there {
                notes.add(&format!("{path}.{field}"), "a public client keeps no secret");
            }
        }
        for grant in [GrantType::ClientCredentials, GrantType::TokenExchange, GrantType::JwtBearer] {
            if may(grant) {
                let message = format!("a public client cannot prove itself, as {} asks", grant.wire());
                notes.add(&format!("{path}.grants"), message);
            }
        }
    }
    if may(GrantType::AuthorizationCode) && client.redirect_uris.as_ref().is_some_and(Vec::is_empty) {
        notes.add(&format!("{path}.redirect_uris"), "authorization_code needs a redirect URI");
    }
    let service = client.service_account_roles.as_ref().is_some_and(|roles| !roles.is_empty());
    let acts = may(GrantType::ClientCredentials) || may(GrantType::JwtBearer);
    if service && client.grants.is_some() && !acts {
        let message = "only a client with the grant client_credentials or jwt_bearer has a service account";
        notes.add(&format!("{path}.service_account_roles"), message);
    }
}
