//! `GET /admin/serverinfo`: which Keycloak this server stands in for, and what it knows of it.

use serde_json::{Value, json};

use super::answer::{Answer, told};
use super::call::ServerCall;
use crate::keycloak::VERSION;
use crate::protocol::mapper;

/// Tells it.
pub(super) async fn read(call: ServerCall) -> Answer {
    let themes =
        |names: &[&str]| -> Vec<Value> { names.iter().map(|name| json!({ "name": name })).collect() };
    let mappers: Vec<Value> = mapper::KINDS
        .iter()
        .map(|(kind, _)| json!({ "id": kind, "name": kind, "category": "Token mapper", "properties": [] }))
        .collect();
    told(&json!({
        "systemInfo": {
            // Tools compare it before they decide what to send.
            "version": VERSION,
            "serverTime": call.app.clock.now().0.to_string(),
            "userLocale": "en",
            "osName": std::env::consts::OS,
            "osArchitecture": std::env::consts::ARCH,
        },
        "memoryInfo": { "total": 0, "used": 0, "free": 0, "freePercentage": 0 },
        "profileInfo": { "name": "vestibule", "disabledFeatures": [], "previewFeatures": [], "experimentalFeatures": [] },
        "cryptoInfo": { "cryptoProvider": "aws-lc-rs", "supportedKeystoreTypes": [] },
        "features": features(),
        "themes": { "login": themes(&["keycloak"]), "account": themes(&["keycloak"]), "email": [], "admin": [] },
        "socialProviders": [],
        "identityProviders": [],
        "clientImporters": [],
        "providers": providers(),
        "protocolMapperTypes": { "openid-connect": mappers },
        "builtinProtocolMappers": { "openid-connect": [] },
        "clientInstallations": { "openid-connect": [] },
        "componentTypes": {},
        "passwordPolicies": [],
        "enums": {},
    }))
}

/// The switches of Keycloak that this server acts by.
fn features() -> Vec<Value> {
    let on =
        ["ADMIN_API", "DEVICE_FLOW", "DPOP", "PAR", "STEP_UP_AUTHENTICATION", "TOKEN_EXCHANGE_STANDARD_V2"];
    on.iter().map(|name| json!({ "name": name, "type": "DEFAULT", "enabled": true })).collect()
}

fn providers() -> Value {
    let named = |names: &[&str]| -> Value {
        let of = names.iter().map(|name| ((*name).to_owned(), json!({ "order": 0 })));
        json!({ "internal": false, "providers": of.collect::<serde_json::Map<_, _>>() })
    };
    json!({
        "login-protocol": named(&["openid-connect"]),
        "password-hashing": named(&["argon2", "pbkdf2", "pbkdf2-sha256", "pbkdf2-sha512"]),
        "signature": named(&["RS256", "PS256", "ES256", "EdDSA"]),
    })
}
