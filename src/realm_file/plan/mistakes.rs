//! Mistakes that show only against the realm: references, and fields that contradict what is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::FileProblems;
use super::super::entities::{Entities, Entity, Fields, Key};
use super::super::places::Notes;
use super::super::spec::RealmSpec;
use super::fapi2;
use super::merge::{has, is_service};
use super::references::{self, Known};
use super::{is_read_again, keeps_secret};
use crate::protocol::certificate::CertificateNames;
use crate::protocol::client::GrantType;
use crate::protocol::subject;
use crate::protocol::user::canonical;
use crate::secrets::{SEALED_PREFIX, Secret};
use crate::signer::SHORTEST;

/// Tells of every one, in the order of the file.
pub(super) fn mistakes(
    spec: &RealmSpec,
    current: &Entities,
    desired: &Entities,
    deleted: &BTreeSet<Key>,
) -> Result<(), FileProblems> {
    let mut notes = Notes::on(spec);
    let known = Known::new(current.keys().chain(desired.keys()), deleted);
    references::check(spec, &known, &mut notes);
    detail_types(spec, desired, &mut notes);
    let addresses = addresses(current, desired, deleted);
    let algorithm = desired.get(&Key::Realm).and_then(|realm| realm.fields.get("signature_algorithm"));
    let algorithm = algorithm.and_then(Value::as_str).unwrap_or_default();
    // A realm that signs otherwise from now on may leave behind clients that the file does not name.
    let kept = current.iter().filter(|(key, _)| !desired.contains_key(*key) && !deleted.contains(*key));
    for (key, entity) in kept.chain(desired) {
        if matches!(key, Key::Client(_)) {
            fapi2::check(entity, algorithm, &mut notes);
        }
    }
    let issuers = issuers(current, desired);
    for (key, entity) in desired {
        match key {
            Key::Client(_) => {
                client(entity, &mut notes);
                exchange(entity, &issuers, &mut notes);
            }
            Key::User(_) => user(key, entity, (current, deleted), &addresses, &mut notes),
            _ => {}
        }
    }
    let problems = notes.list();
    if problems.is_empty() { Ok(()) } else { Err(FileProblems(problems)) }
}

fn client(entity: &Entity, notes: &mut Notes<'_>) {
    let field = |name: &str| format!("{}.{name}", entity.path);
    let fields = &entity.fields;
    if fields.get("public").is_some_and(|public| public == true) && entity.secret.is_some() {
        notes.add(&field("secret"), "the client is public and keeps no secret");
    }
    proof(entity, notes);
    if ["dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens"]
        .iter()
        .all(|name| fields.get(*name).is_some_and(|bound| bound == true))
    {
        let message = "tokens are bound to one thing: this or `dpop_bound_access_tokens`";
        notes.add(&field("tls_client_certificate_bound_access_tokens"), message);
    }
    shared_secret(entity, notes);
    if fields.get("require_signed_request_object").is_some_and(|required| required == true)
        && !["jwks", "jwks_uri"].iter().any(|name| fields.contains_key(*name))
    {
        let message = "signed requests need the client's keys: `jwks` or `jwks_uri`";
        notes.add(&field("require_signed_request_object"), message);
    }
    if has(fields, "grants", "authorization_code") && !filled(fields, "redirect_uris") {
        notes.add(&entity.path, "the grant authorization_code needs `redirect_uris`");
    }
    if has(fields, "grants", GrantType::JwtBearer.wire())
        && !["jwks", "jwks_uri"].iter().any(|name| fields.contains_key(*name))
        && !filled(fields, "jwt_bearer")
    {
        let message = "the grant jwt_bearer needs `jwks`, `jwks_uri` or `jwt_bearer`: whose tokens it takes";
        notes.add(&field("grants"), message);
    }
    let uris = fields.get("redirect_uris").and_then(Value::as_array).into_iter().flatten();
    if fields.get("subject_type").is_some_and(|kind| kind == "pairwise")
        && !fields.contains_key("sector_identifier_uri")
        && subject::on_several_hosts(uris.filter_map(Value::as_str))
    {
        let message = "redirect URIs on several hosts need a `sector_identifier_uri`, whose host is the sector of \
                       pairwise names (OpenID Connect Core §8.1)";
        notes.add(&field("subject_type"), message);
    }
    if !is_service(fields) && filled(fields, "service_account_roles") {
        let message = "only a client with the grant client_credentials or jwt_bearer has a service account";
        notes.add(&field("service_account_roles"), message);
    }
}

/// What a client must have registered to prove itself by a key of its own.
fn proof(entity: &Entity, notes: &mut Notes<'_>) {
    let fields = &entity.fields;
    let field = |name: &str| format!("{}.{name}", entity.path);
    if fields.get("public").is_some_and(|public| public == true) || keeps_secret(fields) {
        return;
    }
    let method = fields.get("authentication").and_then(Value::as_str).unwrap_or_default();
    if entity.secret.is_some() {
        let message = format!("a client that proves itself by {method} keeps no secret");
        notes.add(&field("secret"), message);
    }
    let needed: &[&str] =
        if method == "tls_client_auth" { &CertificateNames::MEMBERS } else { &["jwks", "jwks_uri"] };
    if !needed.iter().any(|name| fields.contains_key(*name)) {
        let message = match method {
            "tls_client_auth" => "tls_client_auth needs the name in the client's certificate, such as `tls_client_auth_subject_dn`".to_owned(),
            method => format!("{method} needs the client's keys: `jwks` or `jwks_uri`"),
        };
        notes.add(&field("authentication"), message);
    }
}

/// What a secret must be to make tokens with, and which stored form fits.
fn shared_secret(entity: &Entity, notes: &mut Notes<'_>) {
    let readable = is_read_again(&entity.fields);
    let short = |secret: &Secret| secret.expose().len() < SHORTEST;
    if readable && entity.secret.as_ref().is_some_and(short) {
        let message = "client_secret_jwt needs a secret of at least 32 bytes (RFC 7518 §3.2)";
        notes.add(&format!("{}.secret", entity.path), message);
    }
    if entity.hash.as_ref().is_some_and(|hash| hash.expose().starts_with(SEALED_PREFIX) != readable) {
        let message = "the stored form is not the one of this method: write `secret` instead";
        notes.add(&format!("{}.secret_hash", entity.path), message);
    }
}

/// Types of `authorization_details` that clients name and the realm does not know.
fn detail_types(spec: &RealmSpec, desired: &Entities, notes: &mut Notes<'_>) {
    let fields = desired.get(&Key::Realm).map(|realm| &realm.fields);
    let types = fields.and_then(|fields| fields.get("authorization_details_types")).and_then(Value::as_array);
    let known: BTreeSet<&str> =
        types.into_iter().flatten().filter_map(|kind| kind.get("name")?.as_str()).collect();
    for (index, client) in spec.clients.iter().enumerate() {
        for (at, name) in client.authorization_details_types.iter().flatten().enumerate() {
            if !known.contains(name.as_str()) {
                let field = format!("clients[{index}].authorization_details_types[{at}]");
                notes.add(&field, format!("there is no type of authorization_details `{name}`"));
            }
        }
    }
}

/// Issuers of whom a client may exchange tokens must be trusted by the realm.
fn exchange(entity: &Entity, issuers: &BTreeSet<&str>, notes: &mut Notes<'_>) {
    for (index, rule) in list(&entity.fields, "exchange").enumerate() {
        let named = rule.get("subject_issuers").and_then(Value::as_array).into_iter().flatten();
        for (at, issuer) in named.filter_map(Value::as_str).enumerate() {
            if !issuers.contains(issuer) {
                let field = format!("{}.exchange[{index}].subject_issuers[{at}]", entity.path);
                notes.add(&field, format!("`{issuer}` is not among the realm's `trusted_issuers`"));
            }
        }
    }
}

/// The issuers that the realm will trust.
fn issuers<'a>(current: &'a Entities, desired: &'a Entities) -> BTreeSet<&'a str> {
    let realm = desired.get(&Key::Realm).or_else(|| current.get(&Key::Realm));
    let trusted = realm.into_iter().flat_map(|realm| list(&realm.fields, "trusted_issuers"));
    trusted.filter_map(|issuer| issuer.get("issuer")?.as_str()).collect()
}

fn list<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a Value> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten()
}

/// Whether the list `name` holds anything.
fn filled(fields: &Fields, name: &str) -> bool {
    fields.get(name).and_then(Value::as_array).is_some_and(|items| !items.is_empty())
}

fn user(
    key: &Key,
    entity: &Entity,
    (current, deleted): (&Entities, &BTreeSet<Key>),
    addresses: &BTreeMap<String, Vec<&Key>>,
    notes: &mut Notes<'_>,
) {
    let id = |entity: &Entity| entity.fields.get("id").cloned();
    let holder = |(other, there): &(&Key, &Entity)| {
        matches!(other, Key::User(_))
            && *other != key
            && !deleted.contains(*other)
            && id(entity).is_some()
            && id(there) == id(entity)
    };
    if current.get(key).is_some_and(|there| id(there) != id(entity)) {
        notes.add(&format!("{}.id", entity.path), "the user exists with another id, which cannot change");
    } else if let Some((other, _)) = current.iter().find(holder) {
        let message = format!("the user `{}` has this id: remove it here", other.name());
        notes.add(&format!("{}.id", entity.path), message);
    }
    let holders = address(entity).and_then(|address| addresses.get(&address));
    if let Some(other) = holders.into_iter().flatten().find(|holder| **holder != key) {
        let message = format!("the user `{}` has this address", other.name());
        notes.add(&format!("{}.email", entity.path), message);
    }
}

/// Who will hold which e-mail address.
fn addresses<'a>(
    current: &'a Entities,
    desired: &'a Entities,
    deleted: &BTreeSet<Key>,
) -> BTreeMap<String, Vec<&'a Key>> {
    let mut holders: BTreeMap<String, Vec<&Key>> = BTreeMap::new();
    let kept = current.iter().filter(|(key, _)| !desired.contains_key(*key) && !deleted.contains(*key));
    for (key, entity) in kept.chain(desired).filter(|(key, _)| matches!(key, Key::User(_))) {
        if let Some(address) = address(entity) {
            holders.entry(address).or_default().push(key);
        }
    }
    holders
}

fn address(entity: &Entity) -> Option<String> {
    entity.fields.get("email").and_then(Value::as_str).map(canonical)
}
