//! A realm as a realm file in TOML: sorted keys, so that two exports differ only where two realms do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::claims::{Claim, Source, TOKENS, TYPES};
use super::describe::describe;
use super::entities::{self, Entity, Fields, Key};
use super::plan::{Defaults, SPANS, built_in};
use super::problem::FileProblems;
use super::read::clients::grant_name;
use super::read::duration::written;
use super::read::parse;
use super::state::State;
use super::{Format, fresh};
use crate::protocol::client::GrantType;
use crate::protocol::group_path;
use crate::protocol::mapper::Mapper;
use crate::secrets::Secret;

/// What an export holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportOptions {
    /// Leave out defaults, identifiers, and what comes with every realm.
    pub minimal: bool,
    /// Write the stored forms of passwords and client secrets.
    pub with_secrets: bool,
}

/// Why a realm cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// TOML has no way to say something.
    #[error("the realm cannot be written as TOML: {0}")]
    Toml(#[from] toml::ser::Error),
    /// It came from Keycloak, and says what the short form has no words for, or what it refuses.
    #[error(
        "the realm is more than a realm file in the short form can say; --format keycloak writes all of it:\n{0}"
    )]
    Beyond(FileProblems),
}

/// The file that describes `state`. Applied to the same realm, it changes nothing.
///
/// # Errors
/// [`ExportError`], when the short form has no way to say something.
pub fn export(state: &State, options: ExportOptions) -> Result<String, ExportError> {
    export_with(state, options, &BTreeMap::new())
}

/// As [`export`], with the secrets of clients that are known: a stored form that only this server can open would be worth
/// nothing elsewhere.
///
/// # Errors
/// [`ExportError`], when the short form has no way to say something.
pub fn export_with(
    state: &State,
    options: ExportOptions,
    known: &BTreeMap<String, Secret>,
) -> Result<String, ExportError> {
    let mut writer = Writer::new(state, options, known);
    for (key, entity) in entities::of(&describe(state)) {
        writer.add(&key, entity);
    }
    let root = Fields::from_iter([("realm".to_owned(), writer.realm.value())]);
    let text = toml::to_string_pretty(&root)?;
    // What cannot be read again is no export.
    parse(&text, Format::Toml, "export", &|_| None).map_err(ExportError::Beyond)?;
    Ok(text)
}

struct Writer<'a> {
    options: ExportOptions,
    /// Secrets by `client_id`.
    known: &'a BTreeMap<String, Secret>,
    defaults: Defaults,
    built_in: BTreeSet<Key>,
    fresh: entities::Entities,
    realm: Table,
}

impl<'a> Writer<'a> {
    fn new(state: &State, options: ExportOptions, known: &'a BTreeMap<String, Secret>) -> Self {
        let name = Value::from(state.realm.name.clone());
        let fields = Fields::from_iter([("name".to_owned(), name)]);
        Self {
            options,
            known,
            defaults: Defaults::new(),
            built_in: built_in(state),
            fresh: entities::of(&describe(&fresh::realm(&state.realm.name))),
            realm: Table { fields, ..Table::default() },
        }
    }

    fn add(&mut self, key: &Key, mut entity: Entity) {
        let mut fields = std::mem::take(&mut entity.fields);
        if self.options.minimal {
            let fresh = self.fresh.get(key).filter(|_| *key == Key::Realm || self.built_in.contains(key));
            let defaults = fresh.map_or_else(|| self.default_of(key, &fields), |fresh| fresh.fields.clone());
            drop_same(&mut fields, &defaults);
            if matches!(key, Key::User(_)) {
                fields.remove("id");
            }
        }
        spell(&mut fields);
        if let Some(hash) = entity.hash.filter(|_| self.options.with_secrets) {
            let known = if let Key::Client(id) = key { self.known.get(id) } else { None };
            let (field, value) = match (key, known) {
                (Key::User(_), _) => ("password_hash", &hash),
                (_, Some(secret)) => ("secret", secret),
                (_, None) => ("secret_hash", &hash),
            };
            fields.insert(field.to_owned(), value.expose().into());
        }
        let untouched = self.options.minimal && self.built_in.contains(key) && fields.is_empty();
        if !untouched {
            self.place(key, fields);
        }
    }

    /// What a new record would be, grants that follow from redirect URIs included.
    fn default_of(&self, key: &Key, fields: &Fields) -> Fields {
        let mut defaults = self.defaults.of(key);
        let redirects = fields.get("redirect_uris").and_then(Value::as_array);
        if matches!(key, Key::Client(_)) && redirects.is_some_and(|uris| !uris.is_empty()) {
            defaults.insert("grants".into(), Value::from(vec!["authorization_code", "refresh_token"]));
        }
        if fields.get("service_account_roles").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            defaults.insert("service_account_roles".into(), Value::Array(Vec::new()));
        }
        defaults
    }

    /// Puts the record where the file has it.
    fn place(&mut self, key: &Key, fields: Fields) {
        let realm = &mut self.realm;
        let table = match key {
            Key::Realm => realm,
            Key::Scope(name) => realm.at("scopes", name),
            Key::Role(name) => realm.at("roles", name),
            Key::Client(id) => realm.at("clients", id),
            Key::User(name) => realm.at("users", name),
            Key::ClientRole { client, name } => realm.at("clients", client).at("roles", name),
            Key::Group(path) => {
                group_path::names(path).iter().fold(realm, |above, name| above.at("groups", name))
            }
        };
        table.fields.extend(fields);
    }
}

/// A table of the file, with the lists of tables below it.
#[derive(Default)]
struct Table {
    fields: Fields,
    lists: BTreeMap<&'static str, BTreeMap<String, Table>>,
}

impl Table {
    /// The record called `name` in `list`, made when it is not there: a client that is left out may have roles that
    /// are not.
    fn at(&mut self, list: &'static str, name: &str) -> &mut Self {
        self.lists.entry(list).or_default().entry(name.to_owned()).or_default()
    }

    fn value(self) -> Value {
        let mut fields = self.fields;
        for (list, records) in self.lists {
            let named = match list {
                "clients" => "id",
                "users" => "username",
                _ => "name",
            };
            let records = records.into_iter().map(|(name, mut table)| {
                table.fields.insert(named.to_owned(), Value::from(escaped(&name)));
                table.value()
            });
            fields.insert(list.to_owned(), records.collect());
        }
        Value::Object(fields)
    }
}

fn drop_same(fields: &mut Fields, defaults: &Fields) {
    for name in ["lifetimes", "brute_force"] {
        if let (Some(Value::Object(inner)), Some(Value::Object(defaults))) =
            (fields.get_mut(name), defaults.get(name))
        {
            drop_same(inner, defaults);
        }
    }
    fields.retain(|name, value| defaults.get(name) != Some(value) && *value != Value::Object(Fields::new()));
}

/// Fields as a person writes them: grants by their short names, spans as `5m`, claims in short form, and `${` so that
/// it is read as itself.
fn spell(fields: &mut Fields) {
    if let Some(Value::Array(grants)) = fields.get_mut("grants") {
        for grant in grants {
            if let Ok(known) = serde_json::from_value::<GrantType>(grant.clone()) {
                *grant = grant_name(known).into();
            }
        }
    }
    for path in SPANS {
        let (table, name) = path.split_once('.').map_or((None, path), |(table, name)| (Some(table), name));
        let place = match table {
            Some(table) => fields.get_mut(table).and_then(|inner| inner.get_mut(name)),
            None => fields.get_mut(name),
        };
        if let Some(place) = place
            && let Some(seconds) = place.as_i64()
        {
            *place = written(seconds).into();
        }
    }
    claims(fields);
    for (_, value) in fields.iter_mut() {
        escape(value);
    }
}

/// Mappers that a claim can say become claims, as long as the order stays: claims are read before mappers.
fn claims(fields: &mut Fields) {
    let Some(mappers) = fields.remove("mappers") else { return };
    let mappers: Vec<Mapper> = serde_json::from_value(mappers).unwrap_or_default();
    let mut claims = Vec::new();
    let mut rest = Vec::new();
    for mapper in &mappers {
        match Claim::of(mapper).filter(|_| rest.is_empty()) {
            Some(claim) => claims.push(short(&claim)),
            None => rest.push(serde_json::json!({
                "name": mapper.name, "kind": mapper.kind, "config": mapper.config,
            })),
        }
    }
    if !claims.is_empty() {
        fields.insert("claims".into(), claims.into());
    }
    if !rest.is_empty() || mappers.is_empty() {
        fields.insert("mappers".into(), rest.into());
    }
}

fn short(claim: &Claim) -> Value {
    let mut fields = Fields::from_iter([("name".to_owned(), Value::from(claim.name.clone()))]);
    match &claim.source {
        Source::Attribute(attribute) if *attribute == claim.name => {}
        Source::Attribute(attribute) => {
            fields.insert("attribute".into(), attribute.clone().into());
        }
        Source::Fixed(value) => {
            fields.insert("value".into(), value.clone().into());
        }
    }
    if let Some((name, _)) = TYPES.iter().find(|(_, kind)| *kind == claim.kind && *kind != "String") {
        fields.insert("type".into(), (*name).into());
    }
    if claim.multivalued {
        fields.insert("multivalued".into(), true.into());
    }
    if claim.tokens.len() < TOKENS.len() {
        let tokens =
            TOKENS.iter().filter(|(_, setting)| claim.tokens.contains(setting)).map(|(name, _)| *name);
        fields.insert("tokens".into(), tokens.collect());
    }
    Value::Object(fields)
}

fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn escape(value: &mut Value) {
    match value {
        Value::String(text) => *text = escaped(text),
        Value::Array(items) => items.iter_mut().for_each(escape),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, value)| escape(value)),
        _ => {}
    }
}
