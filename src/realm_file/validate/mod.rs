//! The rules of a realm file that need no database: names, values, and what must be named once.
//!
//! Rules hold for both `dev` and `serve`, so addresses are judged as development does; what production would refuse
//! is a list of its own. Whether a role, group or scope that is referred to exists is asked when the plan is made.

mod called;
mod clients;
mod exchange;
mod trusted_issuers;
mod unique;

use super::FileProblem;
use super::keycloak;
use super::places::Notes;
use super::spec::{GroupSpec, RealmSpec, RoleSpec, UserSpec};
use crate::passwords::Scheme;
use crate::protocol::client::GrantType;
use crate::protocol::device_code;
use crate::protocol::group_path;
use crate::protocol::mapper::{Kind, Mapper};
use crate::protocol::outbound::OutboundRules;
use crate::protocol::page_uri::validate_logo_uri;
use crate::protocol::realm::{LONGEST_LIFETIME, is_realm_name};
use crate::protocol::redirect_uri::Strictness;
use crate::protocol::sign_in_step::{ASKED, ASKED_ELSEWHERE};
use crate::protocol::user::canonical;
use crate::secrets::Secret;

/// What development calls.
const DEVELOPMENT: OutboundRules = OutboundRules { private: true, http: true };

/// Longest name of anything, in bytes.
const LONGEST_NAME: usize = 255;

/// Longest password or secret, in bytes: what hashing accepts (attacks.md U05).
const LONGEST_SECRET: usize = 1024;

/// Every rule that `spec` breaks, in the order of its file.
#[must_use]
pub fn rules(spec: &RealmSpec) -> Vec<FileProblem> {
    let mut notes = Notes::on(spec);
    if !is_realm_name(&spec.name) {
        notes.add(
            "name",
            "a realm's name is of letters, digits, `-`, `_` and `.`, and begins with a letter or digit",
        );
    }
    if let Some(uri) = spec.logo_uri.as_deref().filter(|uri| !uri.is_empty())
        && let Err(problem) = validate_logo_uri(uri, Strictness::Development)
    {
        notes.add("logo_uri", problem.to_string());
    }
    acr(spec, &mut notes);
    detail_types(spec, &mut notes);
    times(spec, &mut notes);
    trusted_issuers::rules(spec, &mut notes);
    trusted_issuers::called(spec, DEVELOPMENT, &mut notes);
    roles(&spec.roles, "roles", &mut notes);
    scopes(spec, &mut notes);
    for (index, client) in spec.clients.iter().enumerate() {
        let path = format!("clients[{index}]");
        clients::rules(client, &path, &mut notes);
        called::rules(client, &path, DEVELOPMENT, &mut notes);
    }
    groups(&spec.groups, "groups", &mut notes);
    for (index, user) in spec.users.iter().enumerate() {
        self::user(user, &format!("users[{index}]"), &mut notes);
    }
    unique::rules(spec, &mut notes);
    notes.list()
}

/// What `serve` would refuse of a realm that `dev` serves: patterns among addresses, plain http, and public clients
/// without PKCE; and addresses that it would not call when its configuration lets it call what `outbound` says.
#[must_use]
pub fn production_refusals(spec: &RealmSpec, outbound: OutboundRules) -> Vec<FileProblem> {
    if spec.keycloak.is_some() {
        return keycloak::production_refusals(spec, outbound);
    }
    let mut notes = Notes::on(spec);
    trusted_issuers::called(spec, outbound, &mut notes);
    for (index, client) in spec.clients.iter().enumerate() {
        let path = format!("clients[{index}]");
        clients::production(client, &path, &mut notes);
        called::rules(client, &path, outbound, &mut notes);
    }
    notes.list()
}

/// The addresses of `spec` that a server never calls when its configuration lets it call what `outbound` says.
#[must_use]
pub fn out_of_reach(spec: &RealmSpec, outbound: OutboundRules) -> Vec<FileProblem> {
    let mut notes = Notes::on(spec);
    trusted_issuers::called(spec, outbound, &mut notes);
    for (index, client) in spec.clients.iter().enumerate() {
        called::rules(client, &format!("clients[{index}]"), outbound, &mut notes);
    }
    notes.list()
}

fn detail_types(spec: &RealmSpec, notes: &mut Notes<'_>) {
    let types = spec.authorization_details_types.as_deref().unwrap_or_default();
    for (index, kind) in types.iter().enumerate() {
        let field = |name: &str| format!("authorization_details_types[{index}].{name}");
        if kind.name.len() > LONGEST_NAME || !kind.name.bytes().all(|byte| byte.is_ascii_graphic()) {
            notes.add(&field("name"), "a type is of visible ASCII characters, without spaces");
        }
        if types.iter().take(index).any(|earlier| earlier.name == kind.name) {
            notes.add(&field("name"), format!("two types are named `{}`", kind.name));
        }
        if kind.fields.iter().any(|name| name.is_empty() || name == "type") {
            notes.add(&field("fields"), "fields have names, and `type` is not among them");
        }
    }
}

/// Values of `acr` stand in `acr_values`, which spaces part (OpenID Connect Core §3.1.2.1).
fn acr(spec: &RealmSpec, notes: &mut Notes<'_>) {
    for (field, value) in [("password_acr", &spec.password_acr), ("recent_acr", &spec.recent_acr)] {
        let Some(value) = value else { continue };
        let word = value.len() <= LONGEST_NAME && value.bytes().all(|byte| byte.is_ascii_graphic());
        // An empty `recent_acr` takes the value away.
        if !word || (value.is_empty() && field == "password_acr") {
            notes.add(field, "an acr is of visible ASCII characters, without spaces");
        }
    }
    if spec.recent_acr.is_some() && spec.recent_acr == spec.password_acr {
        notes.add("recent_acr", "it is the password_acr already");
    }
}

fn times(spec: &RealmSpec, notes: &mut Notes<'_>) {
    let lifetimes = &spec.lifetimes;
    for (field, value, most) in [
        ("lifetimes.access_token", lifetimes.access_token, LONGEST_LIFETIME),
        ("lifetimes.code", lifetimes.code, 600),
        ("lifetimes.device_code", lifetimes.device_code, device_code::LONGEST_LIFETIME),
        ("lifetimes.login", lifetimes.login, 86_400),
        ("lifetimes.session_idle", lifetimes.session_idle, LONGEST_LIFETIME),
        ("lifetimes.session_max", lifetimes.session_max, LONGEST_LIFETIME),
        ("lifetimes.remember_me_idle", lifetimes.remember_me_idle, LONGEST_LIFETIME),
        ("lifetimes.remember_me_max", lifetimes.remember_me_max, LONGEST_LIFETIME),
        ("lifetimes.offline_idle", lifetimes.offline_idle, LONGEST_LIFETIME),
        ("brute_force.max_failures", spec.brute_force.max_failures, 1_000_000),
        ("brute_force.max_account_failures", spec.brute_force.max_account_failures, 1_000_000),
        ("brute_force.max_address_failures", spec.brute_force.max_address_failures, 1_000_000),
        ("brute_force.wait", spec.brute_force.wait, 86_400),
        ("brute_force.max_wait", spec.brute_force.max_wait, LONGEST_LIFETIME),
        ("brute_force.window", spec.brute_force.window, LONGEST_LIFETIME),
    ] {
        between(field, value, 1, most, notes);
    }
    between("lifetimes.pushed_request", lifetimes.pushed_request, 5, 600, notes);
    between("recent_acr_age", spec.recent_acr_age, 1, LONGEST_LIFETIME, notes);
    between("lifetimes.offline_max", lifetimes.offline_max, 0, LONGEST_LIFETIME, notes);
    if spec.registration_grants.as_ref().is_some_and(|grants| grants.contains(&GrantType::Password)) {
        let message = "people are asked before such a client gets anything, which password cannot";
        notes.add("registration_grants", message);
    }
    between("registration_limit", spec.registration_limit, 0, 1_000_000, notes);
    between("refresh_retry_window", spec.refresh_retry_window, 0, 300, notes);
    for (field, shorter, longer) in [
        ("lifetimes.session_idle", lifetimes.session_idle, lifetimes.session_max),
        ("lifetimes.remember_me_idle", lifetimes.remember_me_idle, lifetimes.remember_me_max),
        ("lifetimes.offline_idle", lifetimes.offline_idle, lifetimes.offline_max),
        ("brute_force.wait", spec.brute_force.wait, spec.brute_force.max_wait),
    ] {
        part(field, shorter, longer, notes);
    }
}

/// A part is not longer than the whole, which has no end when it is 0.
fn part(field: &str, shorter: Option<i64>, longer: Option<i64>, notes: &mut Notes<'_>) {
    if let (Some(shorter), Some(longer)) = (shorter, longer)
        && longer != 0
        && shorter > longer
    {
        notes.add(field, format!("{shorter} s is longer than the whole, {longer} s"));
    }
}

fn between(field: &str, value: Option<i64>, least: i64, most: i64, notes: &mut Notes<'_>) {
    if let Some(value) = value
        && !(least..=most).contains(&value)
    {
        notes.add(field, format!("{value} is out of range: from {least} to {most}"));
    }
}

fn roles(roles: &[RoleSpec], path: &str, notes: &mut Notes<'_>) {
    for (index, role) in roles.iter().enumerate() {
        name(&role.name, &format!("{path}[{index}].name"), notes);
    }
}

fn scopes(spec: &RealmSpec, notes: &mut Notes<'_>) {
    for (index, scope) in spec.scopes.iter().enumerate() {
        let path = format!("scopes[{index}]");
        // RFC 6749 §3.3: scope-token.
        let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !scope.name.bytes().all(token) || scope.name.len() > LONGEST_NAME {
            notes
                .add(&format!("{path}.name"), "a scope is of visible ASCII characters without `\"` and `\\`");
        }
        mappers(scope.mappers.as_deref(), &path, notes);
    }
    overlap(spec.default_scopes.as_deref(), spec.optional_scopes.as_deref(), "optional_scopes", notes);
}

/// A scope is default or optional, not both.
fn overlap(default: Option<&[String]>, optional: Option<&[String]>, field: &str, notes: &mut Notes<'_>) {
    for (index, scope) in optional.unwrap_or_default().iter().enumerate() {
        if default.unwrap_or_default().contains(scope) {
            notes.add(&format!("{field}[{index}]"), "already a default scope");
        }
    }
}

fn mappers(mappers: Option<&[Mapper]>, path: &str, notes: &mut Notes<'_>) {
    let mappers = mappers.unwrap_or_default();
    for (index, mapper) in mappers.iter().enumerate() {
        if Kind::parse(&mapper.kind).is_none() {
            notes.add(path, format!("there is no kind of mapper called `{}`", mapper.kind));
        }
        if let Some(claim) = mapper.forges() {
            notes.add(path, format!("claim `{claim}` is the protocol's own and cannot be mapped"));
        }
        if mappers.iter().take(index).any(|earlier| earlier.name == mapper.name) {
            notes.add(path, format!("two claims or mappers are named `{}`", mapper.name));
        }
    }
}

fn groups(groups: &[GroupSpec], path: &str, notes: &mut Notes<'_>) {
    for (index, group) in groups.iter().enumerate() {
        let path = format!("{path}[{index}]");
        name(&group.name, &format!("{path}.name"), notes);
        if let Some(problem) = group_path::name_problem(&group.name) {
            notes.add(&format!("{path}.name"), problem);
        }
        self::groups(&group.groups, &format!("{path}.groups"), notes);
    }
}

fn user(user: &UserSpec, path: &str, notes: &mut Notes<'_>) {
    name(&user.username, &format!("{path}.username"), notes);
    if canonical(&user.username).is_empty() {
        notes.add(&format!("{path}.username"), "nothing is left of it in its canonical form");
    }
    if let Some(id) = &user.id {
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
        if id.is_empty() || id.len() > 64 || !plain {
            notes.add(&format!("{path}.id"), "an id is of 1 to 64 letters, digits, `-`, `_` and `.`");
        }
    }
    if let Some(email) = user.email.as_deref().filter(|email| !email.is_empty())
        && !is_email(email)
    {
        notes.add(&format!("{path}.email"), "it is not an e-mail address");
    }
    secret(user.password.as_ref(), &format!("{path}.password"), notes);
    if user.password_hash.as_ref().is_some_and(|hash| !is_hash(hash)) {
        notes.add(&format!("{path}.password_hash"), NO_HASH);
    }
    if user.password.is_some() && user.password_hash.is_some() {
        notes.add(&format!("{path}.password_hash"), "either `password` or `password_hash`, not both");
    }
    for (index, action) in user.required_actions.iter().flatten().enumerate() {
        if !ASKED.iter().chain(&ASKED_ELSEWHERE).any(|known| action == known) {
            let message = format!("no such action: the sign-in asks for {}", ASKED.join(", "));
            notes.add(&format!("{path}.required_actions[{index}]"), message);
        }
    }
    for (index, group) in user.groups.iter().flatten().enumerate() {
        if !group.starts_with('/') {
            notes
                .add(&format!("{path}.groups[{index}]"), format!("a group is named by its path: `/{group}`"));
        }
    }
}

/// What is told of a stored form that this server could not check a password against.
const NO_HASH: &str = "it is not a hash as an export with secrets writes it";

/// Whether it is a hash of a form and cost that this server would check a password against.
fn is_hash(hash: &Secret) -> bool {
    hash.expose().parse::<Scheme>().and_then(Scheme::bounded).is_ok()
}

fn is_email(email: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && c != '@';
    email.len() <= 254
        && email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && local.chars().chain(host.chars()).all(plain)
        })
}

/// Names of roles, groups, clients and users.
fn name(name: &str, field: &str, notes: &mut Notes<'_>) {
    if name.len() > LONGEST_NAME {
        notes.add(field, format!("it is longer than {LONGEST_NAME} bytes"));
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        notes.add(field, "control characters, and white space at the ends, are refused");
    }
}

fn secret(secret: Option<&Secret>, field: &str, notes: &mut Notes<'_>) {
    let Some(secret) = secret.map(Secret::expose) else { return };
    if secret.is_empty() {
        notes.add(field, "it is empty");
    }
    if secret.len() > LONGEST_SECRET {
        notes.add(field, format!("it is longer than {LONGEST_SECRET} bytes"));
    }
}
