//! A realm's metadata: OpenID Connect Discovery 1.0 §3 and RFC 8414 §2 as one document.
//!
//! Owns what is said, each value true for what the server does today: an endpoint is named here when it exists.
//! Leaves to `http` under which addresses the document is found.

use serde_json::{Map, Value, json};

use super::acr;
use super::authorize::ResponseMode;
use super::built_in::SERVICE_ACCOUNT;
use super::claims::Target;
use super::client::GrantType;
use super::dpop;
use super::grants::password::PasswordGrant;
use super::jws::Algorithm;
use super::mapper::{Kind, Mapper};
use super::realm::{Realm, RealmSettings};
use super::register::Registration;
use super::scope::{OPENID, Scope};
use super::subject::SubjectType;

/// Grants that every token endpoint knows.
const GRANTS: [GrantType; 6] = [
    GrantType::AuthorizationCode,
    GrantType::RefreshToken,
    GrantType::ClientCredentials,
    GrantType::DeviceCode,
    GrantType::TokenExchange,
    GrantType::JwtBearer,
];

/// How clients prove themselves, public ones first.
const AUTH_METHODS: [&str; 5] =
    ["none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];

/// How clients sign the tokens that prove them.
const ASSERTION_ALGORITHMS: [&str; 5] = ["HS256", "RS256", "PS256", "ES256", "EdDSA"];

/// Claims that tokens have without any mapper.
const OWN_CLAIMS: [&str; 12] =
    ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "azp", "sid", "jti", "at_hash"];

/// Endpoints at which a client's certificate counts: it proves the client, or an access token is bound to it.
const BY_CERTIFICATE: [(&str, &str); 6] = [
    ("token_endpoint", "/token"),
    ("userinfo_endpoint", "/userinfo"),
    ("introspection_endpoint", "/token/introspect"),
    ("revocation_endpoint", "/revoke"),
    ("pushed_authorization_request_endpoint", "/ext/par/request"),
    ("device_authorization_endpoint", "/auth/device"),
];

/// How clients are asked for certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificates {
    /// Whether the server knows authorities whose certificates prove a client by its name (RFC 8705 §2.1).
    pub authorities: bool,
    /// What stands in the issuer's place in the addresses at which it asks, when it does not ask at all of them (§5).
    pub below: Option<String>,
}

/// The server as the metadata shows it.
#[derive(Clone, Copy, Debug)]
pub struct Published<'a> {
    /// The realm's issuer, below which people are sent to its pages.
    pub issuer: &'a str,
    /// The realm's base below which programs call it: the issuer, or another name of the server.
    pub back_channel: &'a str,
    /// What the realm signs with.
    pub algorithms: &'a [Algorithm],
    /// Whose password grants the server takes.
    pub password: PasswordGrant,
    /// How clients are asked for certificates; none when they are not.
    pub certificates: Option<&'a Certificates>,
}

/// The metadata of `realm`, whose paths are those of Keycloak.
#[must_use]
pub fn metadata(server: Published<'_>, realm: &Realm, scopes: &[Scope]) -> Value {
    let mut document = Map::new();
    let answers = answers(realm, scopes, server.algorithms);
    let (requests, clients) = (requests(realm, server.password), clients(server.certificates));
    for part in [addresses(server, realm), answers, requests, clients, logout()] {
        let Value::Object(members) = part else { continue };
        document.extend(members);
    }
    if let Some(below) = server.certificates.and_then(|asked| asked.below.as_deref()) {
        let aliases = BY_CERTIFICATE.map(|(name, path)| {
            (name.to_owned(), Value::from(format!("{below}/protocol/openid-connect{path}")))
        });
        document.insert("mtls_endpoint_aliases".to_owned(), Map::from_iter(aliases).into());
    }
    Value::Object(document)
}

/// Pages that a browser opens are below the issuer; what programs call is below the name that they know the server by.
fn addresses(server: Published<'_>, realm: &Realm) -> Value {
    let pages = format!("{}/protocol/openid-connect", server.issuer);
    let calls = format!("{}/protocol/openid-connect", server.back_channel);
    let mut document = json!({
        "issuer": server.issuer,
        "authorization_endpoint": format!("{pages}/auth"),
        "token_endpoint": format!("{calls}/token"),
        "userinfo_endpoint": format!("{calls}/userinfo"),
        "introspection_endpoint": format!("{calls}/token/introspect"),
        "revocation_endpoint": format!("{calls}/revoke"),
        "pushed_authorization_request_endpoint": format!("{calls}/ext/par/request"),
        "device_authorization_endpoint": format!("{calls}/auth/device"),
        "jwks_uri": format!("{calls}/certs"),
        "end_session_endpoint": format!("{pages}/logout"),
        "check_session_iframe": format!("{pages}/login-status-iframe.html"),
    });
    let registers = realm.settings.registration != Registration::Off;
    if let Some(members) = document.as_object_mut().filter(|_| registers) {
        let endpoint = format!("{}/clients-registrations/openid-connect", server.back_channel);
        members.insert("registration_endpoint".to_owned(), endpoint.into());
    }
    document
}

/// What tokens and answers say and how they are signed.
fn answers(realm: &Realm, scopes: &[Scope], algorithms: &[Algorithm]) -> Value {
    json!({
        "response_modes_supported": ResponseMode::NAMES,
        "authorization_signing_alg_values_supported": algorithms,
        "authorization_response_iss_parameter_supported": true,
        "subject_types_supported": SubjectType::ALL,
        "id_token_signing_alg_values_supported": algorithms,
        "userinfo_signing_alg_values_supported": algorithms,
        "introspection_signing_alg_values_supported": algorithms,
        "scopes_supported": names(scopes, &realm.settings),
        "claim_types_supported": ["normal"],
        "claims_supported": claims(scopes),
        "acr_values_supported": acr::supported(&realm.settings),
        "ui_locales_supported": ["en"],
    })
}

/// What a request may say.
fn requests(realm: &Realm, password: PasswordGrant) -> Value {
    let settings = &realm.settings;
    let known = (password != PasswordGrant::Off).then_some(GrantType::Password);
    let grants: Vec<&str> = GRANTS.into_iter().chain(known).map(GrantType::wire).collect();
    let mut document = json!({
        "grant_types_supported": grants,
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_uri_parameter_supported": true,
        "require_request_uri_registration": true,
        "request_object_signing_alg_values_supported": Algorithm::ALL,
        "require_pushed_authorization_requests": settings.require_pushed_authorization_requests,
    });
    let types = &settings.authorization_details_types;
    if let Some(members) = document.as_object_mut().filter(|_| !types.is_empty()) {
        let names = types.iter().map(|kind| kind.name.as_str()).collect();
        members.insert("authorization_details_types_supported".into(), names);
    }
    document
}

/// How clients prove themselves, by certificates too where they are asked for (RFC 8705 §2), and what binds tokens.
fn clients(certificates: Option<&Certificates>) -> Value {
    let mut methods = AUTH_METHODS.to_vec();
    methods.extend(certificates.filter(|asked| asked.authorities).map(|_| "tls_client_auth"));
    methods.extend(certificates.map(|_| "self_signed_tls_client_auth"));
    let confidential: Vec<&str> = methods.iter().copied().filter(|method| *method != "none").collect();
    json!({
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "tls_client_certificate_bound_access_tokens": certificates.is_some(),
        "dpop_signing_alg_values_supported": dpop::ALGORITHMS,
    })
}

fn logout() -> Value {
    json!({
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    })
}

/// The scopes that clients may ask for. That of services comes with every realm, and nobody has it who was not given it.
fn names<'a>(scopes: &'a [Scope], settings: &RealmSettings) -> Vec<&'a str> {
    let mut lists = settings.default_scopes.iter().chain(&settings.optional_scopes);
    let listed = lists.any(|name| name == SERVICE_ACCOUNT);
    let mut names: Vec<&str> = scopes.iter().map(|scope| scope.name.as_str()).collect();
    names.retain(|name| listed || *name != SERVICE_ACCOUNT);
    names.sort_unstable();
    names.insert(0, OPENID);
    names.dedup();
    names
}

/// The server's own claims, and those that the realm's scopes add to what a client reads itself: ID tokens and UserInfo.
fn claims(scopes: &[Scope]) -> Vec<String> {
    let read = |mapper: &&Mapper| {
        Kind::parse(&mapper.kind)
            .is_some_and(|kind| mapper.is_for(kind, Target::IdToken) || mapper.is_for(kind, Target::UserInfo))
    };
    let mapped =
        scopes.iter().flat_map(|scope| &scope.settings.mappers).filter(read).filter_map(Mapper::claim);
    let mut claims: Vec<String> = OWN_CLAIMS.map(str::to_owned).to_vec();
    for claim in mapped {
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    claims
}

#[cfg(test)]
#[path = "discovery_tests.rs"]
mod tests;
