//! The plan of a realm file in Keycloak's form: the same lines as of any other.

use std::collections::{BTreeSet, HashMap};

use super::super::FileProblems;
use super::super::apply::ApplyError;
use super::super::describe::describe;
use super::super::entities::{self, Entity, Fields, Key};
use super::super::fresh;
use super::super::plan::{Action, Difference, FieldDifference, Plan, PlanOptions};
use super::super::spec::RealmSpec;
use super::super::state::State;
use super::KeycloakRealm;
use super::merge::{Target, target};
use super::prepare::leave_out_proven;
use crate::clock::Timestamp;
use crate::keycloak::KeycloakRecord;
use crate::passwords::ClientSecrets;

/// What laying `realm` over `state` (none when there is no such realm) would change. A password
/// or secret that is stored already is no change.
///
/// # Errors
/// Two records of one identifier; [`PasswordError`](crate::passwords::PasswordError).
pub(in super::super) async fn plan(
    state: Option<State>,
    spec: &RealmSpec,
    realm: &KeycloakRealm,
    options: PlanOptions,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<Plan, ApplyError> {
    let new_realm = state.is_none();
    let state = state.unwrap_or_else(|| fresh::keycloak_realm(&spec.name));
    let mut target = target(&state, &realm.0, new_realm, options.prune, now);
    if !target.clashes.is_empty() {
        let clashes = std::mem::take(&mut target.clashes).into_iter();
        let problems = clashes.map(|clash| spec.places.problem("", clash));
        return Err(FileProblems(problems.collect()).into());
    }
    if !new_realm {
        leave_out_proven(&mut target, &state, secrets).await?;
    }
    Ok(Plan::of_keycloak(spec, options, new_realm, state, target))
}

/// What differs, record by record, in the words of our own realm files; and which documents do.
pub(in super::super) fn differences(state: &State, new_realm: bool, target: &Target) -> Vec<Difference> {
    // The users of a new realm are told by name alone: there may be many.
    let plain;
    let target_state = if new_realm {
        plain = State { users: Vec::new(), ..target.state.clone() };
        &plain
    } else {
        &target.state
    };
    let before = entities::of(&describe(state));
    let after = entities::of(&describe(target_state));
    let clear = clear_names(target);
    let mut found = Vec::new();
    for (key, entity) in &after {
        let there = before.get(key).filter(|_| !new_realm);
        let changed = there.map(|there| fields(there, entity));
        let secret = clear.contains(key);
        if changed.as_ref().is_some_and(|fields| fields.is_empty() && !secret) {
            continue;
        }
        let action = if changed.is_none() { Action::Create } else { Action::Update };
        let mut fields = changed.unwrap_or_default();
        if secret {
            let field = if matches!(key, Key::User(_)) { "password" } else { "secret" };
            fields.push(FieldDifference {
                field: field.to_owned(),
                old: serde_json::Value::Null,
                new: "***".into(),
            });
        }
        found.push(Difference { action, kind: key.kind(), name: key.name(), fields });
    }
    let people =
        target.state.users.iter().filter(|one| new_realm && one.user.service_account_client.is_none());
    found.extend(people.map(|one| Difference {
        action: Action::Create,
        kind: "user",
        name: one.user.username.clone(),
        fields: Vec::new(),
    }));
    for key in before.keys().filter(|key| !new_realm && !after.contains_key(*key)) {
        found.push(Difference {
            action: Action::Delete,
            kind: key.kind(),
            name: key.name(),
            fields: Vec::new(),
        });
    }
    documents(state, target, &mut found);
    found
}

/// Clients and users whose secret or password is new.
fn clear_names(target: &Target) -> BTreeSet<Key> {
    let users: HashMap<&str, &str> =
        target.state.users.iter().map(|one| (one.user.id.as_str(), one.user.username.as_str())).collect();
    let users = target.passwords.iter().filter_map(|(id, _)| users.get(id.as_str()));
    let users = users.map(|name| Key::User((*name).to_owned()));
    target.secrets.keys().map(|client_id| Key::Client(client_id.clone())).chain(users).collect()
}

fn fields(before: &Entity, after: &Entity) -> Vec<FieldDifference> {
    let (old, new): (&Fields, &Fields) = (&before.fields, &after.fields);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let differs = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
    let mut found: Vec<FieldDifference> = differs
        .map(|name| FieldDifference {
            field: name.clone(),
            old: old.get(name).cloned().unwrap_or_default(),
            new: new.get(name).cloned().unwrap_or_default(),
        })
        .collect();
    if before.hash != after.hash {
        let shown = |there: bool| if there { "***".into() } else { serde_json::Value::Null };
        found.push(FieldDifference {
            field: "stored secret".to_owned(),
            old: shown(before.hash.is_some()),
            new: shown(after.hash.is_some()),
        });
    }
    found
}

/// What is kept of Keycloak's representations is told by name alone: it may hold secrets of others.
fn documents(state: &State, target: &Target, found: &mut Vec<Difference>) {
    let mut tell = |action, record: &KeycloakRecord| {
        let name = if record.name.is_empty() { &record.id } else { &record.name };
        let name = format!("{} {name}", record.kind);
        found.push(Difference { action, kind: "kept", name, fields: Vec::new() });
    };
    for (key, record) in &target.state.kept {
        match state.kept.get(key) {
            None => tell(Action::Create, record),
            Some(there) if there != record => tell(Action::Update, record),
            Some(_) => {}
        }
    }
    for (_, record) in state.kept.iter().filter(|(key, _)| !target.state.kept.contains_key(*key)) {
        tell(Action::Delete, record);
    }
}
