//! An export without what a fresh realm has anyway, so that a repository holds what somebody decided.

use serde_json::{Map, Value};

use super::super::fresh;
use super::super::state::{State, UserState};
use super::export::{KeycloakExport, representation};
use crate::clock::Timestamp;
use crate::keycloak::client;
use crate::keycloak::representation::RealmRepresentation;
use crate::passwords::ClientSecrets;
use crate::protocol::user::User;

/// Members that say which record it is, and those that differ from one import to the next.
const IDENTIFIERS: [&str; 5] = ["id", "containerId", "parentId", "createdTimestamp", "createdDate"];

type Fields = Map<String, Value>;

/// `whole` without what a fresh realm of that name says too.
pub(super) fn minimal(
    whole: &RealmRepresentation,
    state: &State,
    options: KeycloakExport,
    secrets: &ClientSecrets,
) -> Result<Value, serde_json::Error> {
    let name = &state.realm.name;
    let mut fields = fields(whole)?;
    let mut begun = self::fields(&representation(&fresh::keycloak_realm(name), options, secrets))?;
    // Clients that name no scopes have the realm's, whatever these are.
    let mut same_scopes = fresh::keycloak_realm(name);
    same_scopes.realm.settings.default_scopes.clone_from(&state.realm.settings.default_scopes);
    same_scopes.realm.settings.optional_scopes.clone_from(&state.realm.settings.optional_scopes);
    let same_scopes = self::fields(&representation(&same_scopes, options, secrets))?;
    begun.extend(same_scopes.into_iter().filter(|(list, _)| list == "clients"));
    let new = defaults(state, options, secrets)?;
    for (list, key) in [("clients", "clientId"), ("clientScopes", "name"), ("users", "username")] {
        let (there, before) = (fields.remove(list), begun.remove(list));
        keep_list(&mut fields, list, smaller(there, before, key, new.get(list)));
    }
    let groups = fields.remove("groups").map(|groups| smaller_groups(groups, new.get("groups")));
    keep_list(&mut fields, "groups", groups);
    let roles = smaller_roles(fields.remove("roles"), begun.remove("roles"), new.get("roles"));
    drop_same(&mut fields, &begun);
    if !roles.is_empty() {
        fields.insert("roles".to_owned(), Value::Object(roles));
    }
    fields.remove("id");
    fields.remove("defaultRole");
    fields.insert("realm".to_owned(), name.clone().into());
    Ok(Value::Object(fields))
}

fn fields(realm: &RealmRepresentation) -> Result<Fields, serde_json::Error> {
    match serde_json::to_value(realm)? {
        Value::Object(fields) => Ok(fields),
        _ => Ok(Fields::new()),
    }
}

/// What a new record of each list says when nothing is decided about it.
fn defaults(
    state: &State,
    options: KeycloakExport,
    secrets: &ClientSecrets,
) -> Result<Fields, serde_json::Error> {
    let realm = State {
        realm: state.realm.clone(),
        clients: vec![client::begin(&state.realm.id, "", String::new())],
        scopes: vec![fresh::scope(&state.realm.id, "")],
        users: vec![new_user(state)],
        ..fresh::keycloak_realm(&state.realm.name)
    };
    let mut realm = State { roles: state.roles.clone(), ..realm };
    realm.groups.clear();
    let mut fields = fields(&representation(&realm, options, secrets))?;
    let first = |value: Option<Value>| match value {
        Some(Value::Array(items)) => items.into_iter().next().unwrap_or_default(),
        _ => Value::Null,
    };
    let mut new = Fields::new();
    for list in ["clients", "clientScopes", "users"] {
        let mut value = first(fields.remove(list));
        strip(&mut value);
        new.insert(list.to_owned(), value);
    }
    new.insert(
        "groups".to_owned(),
        serde_json::json!({ "attributes": {}, "realmRoles": [], "clientRoles": {}, "subGroups": [] }),
    );
    new.insert("roles".to_owned(), serde_json::json!({ "composite": false, "attributes": {} }));
    Ok(new)
}

/// A user of whom only the name is said: with the role that everyone has.
fn new_user(state: &State) -> UserState {
    let user = User { id: String::new(), enabled: false, ..fresh::user(&state.realm.id, "", Timestamp(0)) };
    let default = state.roles.realm_role(&state.realm.default_role());
    UserState { roles: default.map(|role| role.id.clone()).into_iter().collect(), ..UserState::of(user) }
}

fn keep_list(fields: &mut Fields, name: &str, list: Option<Value>) {
    if let Some(list) = list.filter(|list| list.as_array().is_some_and(|items| !items.is_empty())) {
        fields.insert(name.to_owned(), list);
    }
}

/// The records of a list without those that a fresh realm has as they are, each without what is as in one of `before`
/// with the same `key`, or as in a new one.
fn smaller(there: Option<Value>, before: Option<Value>, key: &str, new: Option<&Value>) -> Option<Value> {
    let Some(Value::Array(items)) = there else { return None };
    let mut known = std::collections::BTreeMap::new();
    if let Some(Value::Array(before)) = before {
        for mut one in before {
            strip(&mut one);
            if let Some(name) = one.get(key).and_then(Value::as_str) {
                known.insert(name.to_owned(), one);
            }
        }
    }
    let mut kept = Vec::new();
    for mut item in items {
        strip(&mut item);
        let name = item.get(key).cloned();
        let base = name.as_ref().and_then(Value::as_str).and_then(|name| known.get(name));
        if base == Some(&item) {
            continue;
        }
        let is_new = base.is_none();
        if let (Value::Object(fields), Some(Value::Object(base))) = (&mut item, base.or(new)) {
            let roles = ["realmRoles", "clientRoles"].map(|name| (name, fields.get(name).cloned()));
            drop_same(fields, base);
            // Naming one of them says that there are none of the other.
            if roles.iter().any(|(name, _)| fields.contains_key(*name)) {
                let roles = roles.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
                fields.extend(roles);
            }
            // A service account comes with its client.
            if is_new && fields.len() == 2 && fields.contains_key("serviceAccountClientId") {
                continue;
            }
            fields.extend(name.map(|name| (key.to_owned(), name)));
        }
        kept.push(item);
    }
    Some(Value::Array(kept))
}

fn smaller_roles(there: Option<Value>, before: Option<Value>, new: Option<&Value>) -> Fields {
    let mut roles = Fields::new();
    let (Some(Value::Object(mut there)), before) = (there, before.unwrap_or_default()) else { return roles };
    let realm = smaller(there.remove("realm"), before.get("realm").cloned(), "name", new);
    keep_list(&mut roles, "realm", realm);
    let mut clients = Fields::new();
    if let Some(Value::Object(lists)) = there.remove("client") {
        for (client_id, list) in lists {
            let before = before.get("client").and_then(|clients| clients.get(&client_id)).cloned();
            keep_list(&mut clients, &client_id, smaller(Some(list), before, "name", new).map(without_kind));
        }
    }
    if let Some(Value::Array(list)) = roles.remove("realm") {
        roles.insert("realm".to_owned(), without_kind(Value::Array(list)));
    }
    if !clients.is_empty() {
        roles.insert("client".to_owned(), Value::Object(clients));
    }
    roles
}

/// Whose role it is follows from where it stands, and whether it has parts from its parts.
fn without_kind(mut list: Value) -> Value {
    for role in list.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        role.remove("clientRole");
        role.remove("composite");
    }
    list
}

fn smaller_groups(groups: Value, new: Option<&Value>) -> Value {
    let Value::Array(items) = groups else { return Value::Null };
    let one = |mut group: Value| {
        strip(&mut group);
        if let (Value::Object(fields), Some(Value::Object(new))) = (&mut group, new) {
            let below = fields
                .remove("subGroups")
                .map(|groups| smaller_groups(groups, Some(&Value::Object(new.clone()))));
            drop_same(fields, new);
            fields.remove("path");
            keep_list(fields, "subGroups", below);
        }
        group
    };
    Value::Array(items.into_iter().map(one).collect())
}

/// Takes identifiers away, at every depth.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !IDENTIFIERS.contains(&name.as_str()));
            // There they are names that somebody gave.
            let free = |name: &str| matches!(name, "attributes" | "config");
            fields.iter_mut().filter(|(name, _)| !free(name)).for_each(|(_, value)| strip(value));
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Takes away what `base` says too; attributes one by one.
fn drop_same(fields: &mut Fields, base: &Fields) {
    if let (Some(Value::Object(own)), Some(Value::Object(base))) =
        (fields.get_mut("attributes"), base.get("attributes"))
    {
        own.retain(|name, value| base.get(name) != Some(value));
        if own.is_empty() {
            fields.remove("attributes");
        }
    }
    fields.retain(|name, value| base.get(name) != Some(value));
}
