//! A realm's metadata: OpenID Connect Discovery 1.0 §3 and RFC 8414 §2 as one document.
//!
//! Owns what is said, each value true for what the server does today: an endpoint is named here when it exists.
//! Leaves to `http` under which addresses the document is found.

use serde_json::{Map, Value, json};

use super::acr;
use super::authorize::ResponseMode;
use super::claims::Target;
use super::client::GrantType;
use super::dpop;
use super::grants::password::PasswordGrant;
use super::jws::Algorithm;
use super::mapper::{Kind, Mapper};
use super::realm::Realm;
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
}

/// The metadata of `realm`, whose paths are those of Keycloak.
#[must_use]
pub fn metadata(server: Published<'_>, realm: &Realm, scopes: &[Scope]) -> Value {
    let mut document = Map::new();
    let answers = answers(realm, scopes, server.algorithms);
    let parts = [addresses(server, realm), answers, requests(realm, server.password), clients(), logout()];
    for part in parts {
        let Value::Object(members) = part else { continue };
        document.extend(members);
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
        "scopes_supported": names(scopes),
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

/// How clients prove themselves.
fn clients() -> Value {
    json!({
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": confidential(),
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
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

/// How confidential clients prove themselves.
fn confidential() -> Vec<&'static str> {
    AUTH_METHODS.into_iter().filter(|method| *method != "none").collect()
}

fn names(scopes: &[Scope]) -> Vec<&str> {
    let mut names: Vec<&str> = scopes.iter().map(|scope| scope.name.as_str()).collect();
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
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::authorization_details::DetailType;
    use crate::protocol::built_in::{FreshRealm, fresh_realm};

    const ISSUER: &str = "https://id.example/realms/main";

    fn fresh() -> FreshRealm {
        fresh_realm("main", &mut String::new)
    }

    fn published<'a>(
        back_channel: &'a str,
        algorithms: &'a [Algorithm],
        password: PasswordGrant,
    ) -> Published<'a> {
        Published { issuer: ISSUER, back_channel, algorithms, password }
    }

    #[test]
    fn programs_are_told_of_the_name_that_they_asked_by() {
        let FreshRealm { realm, scopes, .. } = fresh();
        let inside = "http://keycloak:8080/realms/main";
        let server = published(inside, &[Algorithm::RS256], PasswordGrant::Off);
        let document = metadata(server, &realm, &scopes);
        assert_eq!(document["issuer"], ISSUER);
        for (name, value) in document.as_object().unwrap() {
            let address = name.ends_with("_endpoint") || name.ends_with("_uri") || name.ends_with("_iframe");
            let page = ["authorization_endpoint", "end_session_endpoint", "check_session_iframe"];
            let base = if page.contains(&name.as_str()) { ISSUER } else { inside };
            assert!(!address || value.as_str().unwrap().starts_with(base), "{name}: {value}");
        }
    }

    fn document_of(realm: &Realm, scopes: &[Scope], algorithms: &[Algorithm]) -> Value {
        metadata(published(ISSUER, algorithms, PasswordGrant::Off), realm, scopes)
    }

    #[test]
    fn the_password_grant_is_named_where_the_server_takes_it() {
        let FreshRealm { realm, scopes, .. } = fresh();
        for (policy, named) in
            [(PasswordGrant::Off, false), (PasswordGrant::AdminCli, true), (PasswordGrant::Any, true)]
        {
            let document = metadata(published(ISSUER, &[Algorithm::RS256], policy), &realm, &scopes);
            let grants = document["grant_types_supported"].as_array().unwrap();
            assert_eq!(grants.contains(&json!("password")), named, "{policy:?}");
        }
    }

    #[test]
    fn the_document_of_a_fresh_realm() {
        let FreshRealm { realm, scopes, .. } = fresh();
        insta::assert_json_snapshot!(document_of(&realm, &scopes, &[Algorithm::RS256]));
    }

    #[test]
    fn the_realm_decides_algorithm_scopes_and_claims() {
        let FreshRealm { mut realm, mut scopes, .. } = fresh();
        let algorithms = [Algorithm::ES256, Algorithm::PS256];
        scopes.retain(|scope| matches!(scope.name.as_str(), "email" | "roles"));
        let document = document_of(&realm, &scopes, &algorithms);
        assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256", "PS256"]));
        assert_eq!(document["scopes_supported"], json!(["openid", "email", "roles"]));
        let claims = document["claims_supported"].as_array().unwrap();
        assert!(claims.contains(&json!("email_verified")) && !claims.contains(&json!("name")));
        assert!(!claims.contains(&json!("realm_access")), "access tokens are not the client's to read");
        let kind = DetailType { name: "payment".into(), ..DetailType::default() };
        assert!(document.get("authorization_details_types_supported").is_none());
        realm.settings.authorization_details_types.push(kind);
        let document = document_of(&realm, &scopes, &[Algorithm::RS256]);
        assert_eq!(document["authorization_details_types_supported"], json!(["payment"]));
        assert_eq!(document_of(&realm, &[], &[Algorithm::RS256])["scopes_supported"], json!(["openid"]));
    }

    /// OpenID Connect Discovery §3 and conformance.md 2.3: what is required is there, addresses are below the issuer,
    /// and no name is made up.
    #[test]
    fn the_document_keeps_to_the_registry() {
        let FreshRealm { realm, scopes, .. } = fresh();
        let document = document_of(&realm, &scopes, &[Algorithm::RS256]);
        let document = document.as_object().unwrap();
        for required in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "response_types_supported",
            "subject_types_supported",
            "id_token_signing_alg_values_supported",
        ] {
            assert!(document.contains_key(required), "{required}");
        }
        for (name, value) in document {
            if name.ends_with("_endpoint") || name.ends_with("_uri") {
                assert!(value.as_str().unwrap().starts_with(ISSUER), "{name}");
            } else if let Some(values) = value.as_array() {
                let distinct: BTreeSet<&str> = values.iter().map(|value| value.as_str().unwrap()).collect();
                assert!(!values.is_empty() && distinct.len() == values.len(), "{name}");
            } else {
                let address = matches!(name.as_str(), "issuer" | "check_session_iframe");
                assert!(value.is_boolean() || address, "{name}");
            }
        }
    }
}
