//! The conformance suite's Config plan: `oidcc-discovery-endpoint-verification`.

use serde_json::Value;
use vestibule::testing::{Options, TestServer};

/// Names that are registered, though not for the suite: RFC 9701 §7.
const BEYOND: [&str; 1] = ["introspection_signing_alg_values_supported"];

/// What the suite knows of metadata; another name is a warning.
const KNOWN: &str = "acr_values_supported authorization_endpoint authorization_response_iss_parameter_supported \
    authorization_encryption_alg_values_supported authorization_encryption_enc_values_supported \
    authorization_signing_alg_values_supported backchannel_authentication_endpoint backchannel_logout_session_supported \
    backchannel_logout_supported backchannel_token_delivery_modes_supported check_session_iframe \
    claim_types_supported claims_locales_supported claims_parameter_supported claims_supported \
    code_challenge_methods_supported device_authorization_endpoint display_values_supported \
    dpop_signing_alg_values_supported end_session_endpoint frontchannel_logout_session_supported \
    frontchannel_logout_supported grant_types_supported id_token_encryption_alg_values_supported \
    id_token_encryption_enc_values_supported id_token_signing_alg_values_supported introspection_endpoint \
    introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported \
    issuer jwks_uri mtls_endpoint_aliases op_policy_uri op_tos_uri prompt_values_supported \
    pushed_authorization_request_endpoint registration_endpoint request_object_encryption_alg_values_supported \
    request_object_encryption_enc_values_supported request_object_signing_alg_values_supported \
    request_parameter_supported request_uri_parameter_supported require_pushed_authorization_requests \
    require_request_uri_registration require_signed_request_object response_modes_supported \
    response_types_supported revocation_endpoint revocation_endpoint_auth_methods_supported \
    revocation_endpoint_auth_signing_alg_values_supported scopes_supported service_documentation \
    signed_metadata subject_types_supported tls_client_certificate_bound_access_tokens token_endpoint \
    token_endpoint_auth_methods_supported token_endpoint_auth_signing_alg_values_supported \
    ui_locales_supported userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported \
    userinfo_endpoint userinfo_signing_alg_values_supported";

const REALM: &str = "[realm]\nname = \"main\"\n";

async fn document() -> (TestServer, Value) {
    let options = Options { realm: Some(REALM.to_owned()), strict: true, ..Options::default() };
    let server = TestServer::with(options).await.unwrap();
    let address = format!("{}/.well-known/openid-configuration", server.issuer("main"));
    let reply = server.browser().get(&address).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "application/json");
    (server, reply.json())
}

fn texts(document: &Value, name: &str) -> Vec<String> {
    let list = document[name].as_array().unwrap_or_else(|| panic!("{name} is no list"));
    list.iter().map(|one| one.as_str().unwrap_or_else(|| panic!("{name} holds {one}")).to_owned()).collect()
}

#[tokio::test]
async fn oidcc_discovery_endpoint_verification() {
    let (server, document) = document().await;
    let issuer = document["issuer"].as_str().unwrap();
    assert_eq!(issuer, server.issuer("main"));
    assert!(issuer.starts_with("https://") && !issuer.contains(['?', '#']));
    for endpoint in ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"] {
        assert!(document[endpoint].is_string(), "{endpoint}");
    }
    let response_types = texts(&document, "response_types_supported");
    assert_eq!(response_types, ["code"]);
    let subjects = texts(&document, "subject_types_supported");
    assert!(!subjects.is_empty() && subjects.iter().all(|one| one == "public" || one == "pairwise"));
    let algorithms = texts(&document, "id_token_signing_alg_values_supported");
    assert!(algorithms.contains(&"RS256".to_owned()) && !algorithms.contains(&"none".to_owned()));
    let scopes = texts(&document, "scopes_supported");
    assert!(scopes.contains(&"openid".to_owned()));
    let scope_character =
        |byte: u8| byte == 0x21 || (0x23..=0x5b).contains(&byte) || (0x5d..=0x7e).contains(&byte);
    assert!(scopes.iter().all(|scope| scope.bytes().all(scope_character)));
    assert!(texts(&document, "response_modes_supported").contains(&"form_post".to_owned()));
    assert_eq!(texts(&document, "code_challenge_methods_supported"), ["S256"]);
    assert!(texts(&document, "claims_supported").contains(&"sub".to_owned()));
    if let Some(list) = document.get("request_object_signing_alg_values_supported") {
        assert!(list.as_array().is_some_and(|list| list.iter().any(|alg| alg == "RS256")), "{list}");
    }
    let known = KNOWN.split_ascii_whitespace().collect::<Vec<_>>();
    for (name, value) in document.as_object().unwrap() {
        assert!(
            known.contains(&name.as_str()) || BEYOND.contains(&name.as_str()),
            "{name} is not a name that the suite knows"
        );
        let right = match name.as_str() {
            _ if name.ends_with("_endpoint") || name.ends_with("_uri") || name == "check_session_iframe" => {
                value.as_str().is_some_and(|address| address.starts_with("https://"))
            }
            _ if name.ends_with("_locales_supported") => texts(&document, name).iter().all(|tag| {
                tag.split('-').all(|part| {
                    (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
                })
            }),
            _ if value.is_array() => !texts(&document, name).is_empty(),
            "issuer" => true,
            _ => value.is_boolean(),
        };
        assert!(right, "{name} is {value}");
    }
    // RFC 8414's address tells the same.
    let other = format!("{}/.well-known/oauth-authorization-server", server.issuer("main"));
    assert_eq!(server.browser().get(&other).await.json(), document);
}

/// What the document says is there is there, and answers otherwise than 404.
#[tokio::test]
async fn oidcc_every_address_of_the_document_answers() {
    let (server, document) = document().await;
    for (name, value) in document.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" || name == "check_session_iframe" {
            let reply = server.browser().get(value.as_str().unwrap()).await;
            assert!(reply.status != 404 && !reply.status.is_server_error(), "{name}: {}", reply.status);
        }
    }
}
