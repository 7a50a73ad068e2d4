//! What each record of a file is to become: what it is now, or the default of a new one, with what the file says.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::describe::describe;
use super::super::entities::{self, Entities, Entity, Fields, Key};
use super::super::fresh;
use super::super::spec::RealmSpec;
use super::super::state::{State, UserState};
use crate::clock::Timestamp;
use crate::protocol::certificate::CertificateNames;
use crate::protocol::client::GrantType;

/// The records that `file` names as they are to be, given those that are there.
pub(super) fn merge(current: &Entities, file: &Entities) -> Entities {
    let defaults = Defaults::new();
    let mut desired = Entities::new();
    for (key, said) in file {
        let mut fields = match current.get(key) {
            Some(entity) => entity.fields.clone(),
            None => defaults.of(key),
        };
        overlay(&mut fields, &said.fields);
        if matches!(key, Key::Client(_)) {
            client(&mut fields, said, current.contains_key(key));
        }
        desired.insert(key.clone(), Entity { fields, ..said.clone() });
    }
    desired
}

/// Spans of which 0 says that there is none of its own.
const NO_LIMIT: [&str; 7] = [
    "access_token_lifetime",
    "session_idle",
    "session_max",
    "offline_idle",
    "offline_max",
    "device_code_lifetime",
    "device_interval",
];

/// Fields of `said` replace those below; an empty text takes a field away. Groups of settings are merged field by
/// field.
fn overlay(fields: &mut Fields, said: &Fields) {
    for (name, value) in said {
        match (name.as_str(), value) {
            ("lifetimes" | "brute_force", Value::Object(inner)) => {
                let below = fields.entry(name.clone()).or_insert_with(|| Value::Object(Fields::new()));
                if let Value::Object(below) = below {
                    overlay(below, inner);
                }
            }
            (_, Value::String(text)) if text.is_empty() => {
                fields.remove(name);
            }
            (name, Value::Number(number)) if NO_LIMIT.contains(&name) && number.as_i64() == Some(0) => {
                fields.remove(name);
            }
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What follows from other fields of a client.
fn client(fields: &mut Fields, said: &Entity, exists: bool) {
    let some = |name: &str, fields: &Fields| {
        fields.get(name).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
    };
    if !exists && !said.fields.contains_key("grants") && some("redirect_uris", fields) {
        fields.insert("grants".into(), Value::from(vec!["authorization_code", "refresh_token"]));
    }
    // Keys are in one place (RFC 7591 §2): the one that the file names replaces the other.
    for (here, there) in [("jwks", "jwks_uri"), ("jwks_uri", "jwks")] {
        if said.fields.contains_key(here) && !said.fields.contains_key(there) && fields.contains_key(here) {
            fields.remove(there);
        }
    }
    // So is the name in its certificate (RFC 8705 §2.1.2).
    let names = CertificateNames::MEMBERS;
    if names.iter().any(|name| said.fields.contains_key(*name) && fields.contains_key(*name)) {
        names.iter().filter(|name| !said.fields.contains_key(**name)).for_each(|name| {
            fields.remove(*name);
        });
    }
    let service = is_service(fields);
    if service {
        fields.entry("service_account_roles").or_insert_with(|| Value::Array(Vec::new()));
    } else if !said.fields.contains_key("service_account_roles") {
        fields.remove("service_account_roles");
    }
}

/// Whether a client with these fields acts for itself, and so has an account.
pub(super) fn is_service(fields: &Fields) -> bool {
    [GrantType::ClientCredentials, GrantType::JwtBearer]
        .iter()
        .any(|grant| has(fields, "grants", grant.wire()))
}

/// Whether the list `name` of `fields` holds `item`.
pub(super) fn has(fields: &Fields, name: &str, item: &str) -> bool {
    fields.get(name).and_then(Value::as_array).is_some_and(|items| items.iter().any(|one| one == item))
}

/// The fields of new records, told by describing new records.
pub(in super::super) struct Defaults(BTreeMap<&'static str, Fields>);

impl Defaults {
    pub(in super::super) fn new() -> Self {
        let realm = fresh::realm("x");
        let realm_id = realm.realm.id.clone();
        let user = UserState {
            user: fresh::user(&realm_id, "x", Timestamp(0)),
            password_hash: None,
            roles: Vec::new(),
            groups: Vec::new(),
            credentials: Vec::new(),
        };
        let state = State {
            scopes: vec![fresh::scope(&realm_id, "x")],
            clients: vec![fresh::client(&realm_id, "x")],
            users: vec![user],
            ..realm
        };
        let spec = RealmSpec {
            groups: vec![super::super::spec::GroupSpec {
                name: "x".into(),
                roles: Some(Vec::new()),
                attributes: Some(BTreeMap::new()),
                groups: Vec::new(),
            }],
            ..describe(&state)
        };
        let mut fields: BTreeMap<&'static str, Fields> = BTreeMap::new();
        for (key, entity) in entities::of(&spec) {
            fields.entry(key.kind()).or_insert(entity.fields);
        }
        let role = Fields::from_iter([
            ("composites".to_owned(), Value::Array(Vec::new())),
            ("attributes".to_owned(), Value::Object(Fields::new())),
        ]);
        fields.insert("role", role.clone());
        fields.insert("client role", role);
        if let Some(user) = fields.get_mut("user") {
            user.remove("id");
        }
        Self(fields)
    }

    pub(in super::super) fn of(&self, key: &Key) -> Fields {
        self.0.get(key.kind()).cloned().unwrap_or_default()
    }
}
