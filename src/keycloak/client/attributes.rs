//! Attributes of a client on which this server acts.

use std::collections::BTreeMap;

use super::super::filled;
use super::addresses::list;
use crate::protocol::certificate;
use crate::protocol::client::{ClientSettings, GrantType, Pkce};
use crate::protocol::device_code::{self, LONGEST_INTERVAL};
use crate::protocol::jws::Algorithm;
use crate::protocol::realm::LONGEST_LIFETIME;

pub(super) const POST_LOGOUT: &str = "post.logout.redirect.uris";
pub(super) const FRONTCHANNEL: &str = "frontchannel.logout.url";
pub(super) const DEVICE: &str = "oauth2.device.authorization.grant.enabled";
pub(super) const EXCHANGE: &str = "standard.token.exchange.enabled";
pub(super) const JWT_BEARER: &str = "oauth2.jwt.authorization.grant.enabled";
pub(super) const REFRESH: &str = "use.refresh.tokens";
const PKCE: &str = "pkce.code.challenge.method";
const USE_JWKS_URL: &str = "use.jwks.url";
const JWKS_URL: &str = "jwks.url";
const USE_JWKS: &str = "use.jwks.string";
const JWKS: &str = "jwks.string";
const CERTIFICATE: &str = "jwt.credential.certificate";
const REQUEST_URIS: &str = "request.uris";
const REQUEST_REQUIRED: &str = "request.object.required";
const REQUEST_ALGORITHM: &str = "request.object.signature.alg";
const ACCESS_ALGORITHM: &str = "access.token.signed.response.alg";
const ID_ALGORITHM: &str = "id.token.signed.response.alg";
const RESPONSE_ALGORITHM: &str = "authorization.signed.response.alg";
const SIGNING_ALGORITHM: &str = "token.endpoint.auth.signing.alg";

type Given = BTreeMap<String, String>;
pub(super) type Place<T> = fn(&mut ClientSettings) -> &mut T;

/// Spans in seconds, with the longest of each; 0 and nothing mean the realm's.
pub(super) const SPANS: [(&str, i64, Place<Option<i64>>); 7] = [
    ("access.token.lifespan", LONGEST_LIFETIME, |settings| &mut settings.access_token),
    ("client.session.idle.timeout", LONGEST_LIFETIME, |settings| &mut settings.session_idle),
    ("client.session.max.lifespan", LONGEST_LIFETIME, |settings| &mut settings.session_max),
    ("client.offline.session.idle.timeout", LONGEST_LIFETIME, |settings| &mut settings.offline_idle),
    ("client.offline.session.max.lifespan", LONGEST_LIFETIME, |settings| &mut settings.offline_max),
    ("oauth2.device.code.lifespan", device_code::LONGEST_LIFETIME, |settings| &mut settings.device_code),
    ("oauth2.device.polling.interval", LONGEST_INTERVAL, |settings| &mut settings.device_interval),
];

const SWITCHES: [(&str, Place<bool>); 5] = [
    ("client.use.lightweight.access.token.enabled", |settings| &mut settings.lightweight_access_token),
    ("dpop.bound.access.tokens", |settings| &mut settings.dpop_bound_access_tokens),
    ("require.pushed.authorization.requests", |settings| &mut settings.require_pushed_authorization_requests),
    ("backchannel.logout.session.required", |settings| &mut settings.backchannel_logout_session_required),
    ("frontchannel.logout.session.required", |settings| &mut settings.frontchannel_logout_session_required),
];

const TEXTS: [(&str, Place<Option<String>>); 4] = [
    ("backchannel.logout.url", |settings| &mut settings.backchannel_logout_uri),
    ("logoUri", |settings| &mut settings.logo_uri),
    ("policyUri", |settings| &mut settings.policy_uri),
    ("tosUri", |settings| &mut settings.tos_uri),
];

const ALGORITHMS: [(&str, Place<Option<Algorithm>>); 3] = [
    (ACCESS_ALGORITHM, |settings| &mut settings.signature_algorithm),
    (ID_ALGORITHM, |settings| &mut settings.id_token_signed_response_alg),
    (RESPONSE_ALGORITHM, |settings| &mut settings.authorization_signed_response_alg),
];

/// Takes out of `given` what `settings` can say; the rest stays there to be kept.
pub(super) fn read(given: &mut Given, settings: &mut ClientSettings) {
    for (name, _, place) in SPANS {
        if let Some(text) = given.remove(name) {
            match text.trim() {
                "" | "0" => *place(settings) = None,
                span => match span.parse().ok().filter(|span| *span > 0) {
                    Some(span) => *place(settings) = Some(span),
                    None => drop(given.insert(name.to_owned(), text)),
                },
            }
        }
    }
    for (name, place) in SWITCHES {
        if let Some(text) = given.remove(name) {
            *place(settings) = text.eq_ignore_ascii_case("true");
        }
    }
    for (name, place) in TEXTS {
        if let Some(text) = given.remove(name) {
            *place(settings) = filled(Some(&text));
        }
    }
    for (name, place) in ALGORITHMS {
        if let Some(text) = given.remove(name) {
            match text.parse() {
                Ok(algorithm) => *place(settings) = Some(algorithm),
                Err(_) if text.is_empty() => *place(settings) = None,
                Err(_) => drop(given.insert(name.to_owned(), text)),
            }
        }
    }
    if let Some(method) = given.remove(PKCE) {
        settings.pkce = if method == "S256" { Pkce::Required } else { Pkce::Optional };
        if method == "plain" {
            given.insert(PKCE.to_owned(), method);
        }
    }
    keys(given, settings);
    requests(given, settings);
}

/// Where the client's keys are. Both kinds may be written down, of which one is in use.
fn keys(given: &mut Given, settings: &mut ClientSettings) {
    let on =
        |given: &mut Given, name: &str| given.remove(name).is_some_and(|on| on.eq_ignore_ascii_case("true"));
    if on(given, USE_JWKS_URL) {
        settings.jwks = None;
        settings.jwks_uri =
            given.remove(JWKS_URL).and_then(|uri| filled(Some(&uri))).or(settings.jwks_uri.take());
    }
    if on(given, USE_JWKS)
        && let Some(text) = given.remove(JWKS)
    {
        match serde_json::from_str(&text) {
            Ok(keys) => (settings.jwks, settings.jwks_uri) = (Some(keys), None),
            Err(_) => drop(given.insert(JWKS.to_owned(), text)),
        }
    }
    // A certificate is the key where no other is said.
    let own = settings.jwks.as_ref().is_none_or(|keys| certificate::of_key_set(keys).is_some());
    if settings.jwks_uri.is_none()
        && own
        && let Some(text) = given.remove(CERTIFICATE)
    {
        match certificate::key_set(&text) {
            Some(keys) => settings.jwks = Some(keys),
            None if text.is_empty() => settings.jwks = None,
            None => drop(given.insert(CERTIFICATE.to_owned(), text)),
        }
    }
    if let Some(text) = given.remove(SIGNING_ALGORITHM) {
        settings.token_endpoint_auth_signing_alg = filled(Some(&text));
    }
}

fn requests(given: &mut Given, settings: &mut ClientSettings) {
    if let Some(uris) = given.remove(REQUEST_URIS) {
        settings.request_uris = list(&uris).collect();
    }
    if let Some(required) = given.remove(REQUEST_REQUIRED) {
        settings.require_signed_request_object = required.starts_with("request");
        // Which of the ways it may come by is more than a switch.
        if required != "request or request_uri" && required != "not required" {
            given.insert(REQUEST_REQUIRED.to_owned(), required);
        }
    }
    if let Some(name) = given.remove(REQUEST_ALGORITHM) {
        settings.request_object_signing_alg = Some(name).filter(|name| !matches!(name.as_str(), "" | "any"));
    }
}

/// What `settings` say, as attributes.
pub(super) fn write(settings: &ClientSettings) -> Given {
    let mut copy = settings.clone();
    let mut all = Given::new();
    let mut put = |name: &str, value: String| drop(all.insert(name.to_owned(), value));
    for (name, _, place) in SPANS {
        if let Some(span) = *place(&mut copy) {
            put(name, span.to_string());
        }
    }
    for (name, place) in SWITCHES {
        if *place(&mut copy) {
            put(name, "true".to_owned());
        }
    }
    for (name, place) in TEXTS {
        if let Some(text) = place(&mut copy).take() {
            put(name, text);
        }
    }
    for (name, place) in ALGORITHMS {
        if let Some(algorithm) = *place(&mut copy) {
            put(name, algorithm.to_string());
        }
    }
    if settings.pkce == Pkce::Required {
        put(PKCE, "S256".to_owned());
    }
    if !settings.post_logout_redirect_uris.is_empty() {
        put(POST_LOGOUT, settings.post_logout_redirect_uris.join("##"));
    }
    if let Some(uri) = &settings.frontchannel_logout_uri {
        put(FRONTCHANNEL, uri.clone());
    }
    if let Some(uri) = &settings.jwks_uri {
        put(USE_JWKS_URL, "true".to_owned());
        put(JWKS_URL, uri.clone());
    }
    match settings.jwks.as_ref().map(|keys| (keys, certificate::of_key_set(keys))) {
        Some((_, Some(certificate))) => put(CERTIFICATE, certificate.to_owned()),
        Some((keys, None)) => {
            put(USE_JWKS, "true".to_owned());
            put(JWKS, keys.to_string());
        }
        None => {}
    }
    if let Some(name) = &settings.token_endpoint_auth_signing_alg {
        put(SIGNING_ALGORITHM, name.clone());
    }
    if !settings.request_uris.is_empty() {
        put(REQUEST_URIS, settings.request_uris.join("##"));
    }
    if settings.require_signed_request_object {
        put(REQUEST_REQUIRED, "request or request_uri".to_owned());
    }
    if let Some(name) = &settings.request_object_signing_alg {
        put(REQUEST_ALGORITHM, name.clone());
    }
    for (name, grant) in [
        (DEVICE, GrantType::DeviceCode),
        (EXCHANGE, GrantType::TokenExchange),
        (JWT_BEARER, GrantType::JwtBearer),
    ] {
        // Without a rule nothing can be exchanged, while the switch alone stands for one.
        let idle = grant == GrantType::TokenExchange && settings.exchange.is_empty();
        if settings.grants.contains(&grant) && !idle {
            put(name, "true".to_owned());
        }
    }
    if super::interactive(settings) && !settings.grants.contains(&GrantType::RefreshToken) {
        put(REFRESH, "false".to_owned());
    }
    all
}
