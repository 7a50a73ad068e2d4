//! Files: realms and configuration.

use vestibule::config::Config;
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
