//! Settings of a client for which Keycloak has no field: they travel in one attribute, so that nothing is lost on the
//! way out and in again.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::exchange;
use crate::protocol::client::ClientSettings;

/// The attribute: JSON text of the settings by their names in realm files, without those that are as in a new client.
const OWN: &str = "vestibule.settings";

const NAMES: [&str; 12] = [
    "profile",
    "assertion_audience",
    "sector_identifier_uri",
    "subject_type",
    "native",
    "authorization_details_types",
    "audiences",
    "resources",
    "jwt_bearer",
    "exchange",
    "access_token_format",
    "registered",
];

pub(super) fn read(given: &mut BTreeMap<String, String>, settings: &mut ClientSettings) {
    let Some(text) = given.get(OWN) else { return };
    let Ok(Value::Object(own)) = serde_json::from_str(text) else { return };
    let Ok(Value::Object(mut all)) = serde_json::to_value(&*settings) else { return };
    all.extend(own.into_iter().filter(|(name, _)| NAMES.contains(&name.as_str())));
    if let Ok(read) = serde_json::from_value(Value::Object(all)) {
        *settings = read;
        given.remove(OWN);
    }
}

pub(super) fn write(settings: &ClientSettings, all: &mut BTreeMap<String, String>) {
    let fields = |settings: &ClientSettings| match serde_json::to_value(settings) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let plain = fields(&ClientSettings::default());
    let mut own = fields(settings);
    own.retain(|name, value| NAMES.contains(&name.as_str()) && plain.get(name) != Some(value));
    if exchange::plain(settings).is_some() {
        own.remove("exchange");
    }
    if !own.is_empty() {
        all.insert(OWN.to_owned(), Value::Object(own).to_string());
    }
}
