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
    Published { issuer: ISSUER, back_channel, algorithms, password, certificates: None }
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

#[test]
fn rfc8705_certificates_are_told_where_they_are_asked_for() {
    let FreshRealm { realm, scopes, .. } = fresh();
    let offering = |certificates: Option<Certificates>| {
        let algorithms = [Algorithm::RS256];
        let certificates = certificates.as_ref();
        let server = Published { certificates, ..published(ISSUER, &algorithms, PasswordGrant::Off) };
        metadata(server, &realm, &scopes)
    };
    for (authorities, names) in [(None, 0), (Some(false), 1), (Some(true), 2)] {
        let document = offering(authorities.map(|authorities| Certificates { authorities, below: None }));
        for endpoint in ["token", "revocation", "introspection"] {
            let methods = document[format!("{endpoint}_endpoint_auth_methods_supported")].as_array().unwrap();
            let told = methods.iter().filter(|method| method.as_str().unwrap().ends_with("tls_client_auth"));
            assert_eq!(told.count(), names, "{endpoint} {authorities:?}");
            assert_eq!(methods.contains(&json!("tls_client_auth")), names == 2, "{authorities:?}");
        }
        assert_eq!(document["tls_client_certificate_bound_access_tokens"], names > 0);
        assert!(document.get("mtls_endpoint_aliases").is_none());
    }
    let below = Some("https://mtls.example/realms/main".to_owned());
    let document = offering(Some(Certificates { authorities: true, below }));
    let aliases = document["mtls_endpoint_aliases"].as_object().unwrap();
    assert_eq!(aliases.len(), 6);
    for (name, alias) in aliases {
        let usual = document[name].as_str().unwrap();
        assert_eq!(*alias, usual.replace("https://id.example", "https://mtls.example"), "{name}");
    }
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

/// Nobody is given the scope of services unless the realm's lists name it, so that it would be refused.
#[test]
fn a_scope_that_nobody_may_ask_for_is_not_named() {
    let FreshRealm { mut realm, scopes, .. } = fresh();
    let named = |realm: &Realm| {
        let document = document_of(realm, &scopes, &[Algorithm::RS256]);
        document["scopes_supported"].as_array().unwrap().iter().any(|name| name == SERVICE_ACCOUNT)
    };
    assert!(!named(&realm));
    realm.settings.optional_scopes.push(SERVICE_ACCOUNT.to_owned());
    assert!(named(&realm));
}
