//! Files: realms, ours and Keycloak's, and configuration.

use vestibule::clock::Timestamp;
use vestibule::config::Config;
use vestibule::keycloak::credential::{self, Password};
use vestibule::keycloak::representation::{CredentialRepresentation, RealmRepresentation};
use vestibule::passwords::Scheme;
use vestibule::realm_file::{Format, parse};

/// Z22: a realm file in any form is read or refused with places, never worse.
pub fn realm_file(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let format = match kind % 3 {
        0 => Format::Toml,
        1 => Format::Yaml,
        _ => Format::Json,
    };
    if let Err(problems) = parse(text, format, "realm", &|_| None) {
        assert!(!problems.0.is_empty() && !problems.to_string().is_empty());
    }
}

/// Z24: a configuration is read or refused, and what is shown of it holds no password.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(config) = Config::parse(text, "vestibule.toml", &|_| None) {
        assert!(!format!("{config:?}").contains("canary-password"));
    }
}

/// Z22: Keycloak's realm JSON is read or refused, and what was read is written so that it can be read again.
pub fn keycloak_realm(bytes: &[u8]) {
    let Ok(realm) = serde_json::from_slice::<RealmRepresentation>(bytes) else { return };
    let written = serde_json::to_vec(&realm).expect("a realm is JSON");
    serde_json::from_slice::<RealmRepresentation>(&written).expect("what was read is read again");
}

/// Z23: a password that comes hashed costs no more than the bounds.
pub fn keycloak_credentials(bytes: &[u8]) {
    let Ok(told) = serde_json::from_slice::<Vec<CredentialRepresentation>>(bytes) else { return };
    let now = Timestamp(1_800_000_000);
    let read = credential::from_representations(told, "r", "u", &[], now, &mut || "new".to_owned());
    if let Some(Password::Stored(text)) = read.password {
        let scheme: Scheme = text.parse().expect("a stored form of this server");
        assert!(scheme.bounded().is_ok(), "{text:?}");
    }
}
