//! What would change, record by record and field by field.

use serde::Serialize;
use serde_json::Value;

use super::super::entities::{Entity, Fields, Key};

/// What happens to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Create,
    /// Some of its fields change.
    Update,
    /// It goes.
    Delete,
}

/// One record that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// What happens.
    pub action: Action,
    /// `realm`, `scope`, `role`, `client`, `client role`, `group` or `user`.
    pub kind: &'static str,
    /// Its name; a group's is its path.
    pub name: String,
    /// The fields that change; empty for a deletion.
    pub fields: Vec<FieldDifference>,
}

/// One field that changes. Passwords and secrets show as `***`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldDifference {
    /// Its name; within a group of settings, `lifetimes.code`.
    pub field: String,
    /// What it is; null when there is nothing.
    pub old: Value,
    /// What it becomes; null when it is taken away.
    pub new: Value,
}

/// What becomes of a password or secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum SecretChange {
    /// It stays.
    Keep,
    /// The file's is set.
    Set,
    /// A new one is drawn.
    Generate,
    /// A client that became public has none.
    Remove,
}

const MASK: &str = "***";

/// How `desired` differs from what is there; none when it does not.
pub(super) fn difference(
    key: &Key,
    current: Option<&Entity>,
    desired: &Entity,
    defaults: &Fields,
    secret: SecretChange,
) -> Option<Difference> {
    let mut fields = Vec::new();
    let old = current.map_or(defaults, |entity| &entity.fields);
    compare(old, &desired.fields, "", current.is_none(), &mut fields);
    let had = current.is_some_and(|entity| entity.hash.is_some());
    let old = if had { Value::from(MASK) } else { Value::Null };
    let new = match secret {
        SecretChange::Keep => None,
        SecretChange::Set => Some(Value::from(MASK)),
        SecretChange::Generate => Some(Value::from("a new one is drawn")),
        SecretChange::Remove => Some(Value::Null),
    };
    if let Some(new) = new {
        let field = if matches!(key, Key::User(_)) { "password" } else { "secret" };
        fields.push(FieldDifference { field: field.to_owned(), old, new });
    }
    let action = if current.is_none() { Action::Create } else { Action::Update };
    (action == Action::Create || !fields.is_empty()).then(|| Difference {
        action,
        kind: key.kind(),
        name: key.name(),
        fields,
    })
}

/// A record that goes.
pub(super) fn deletion(key: &Key) -> Difference {
    Difference { action: Action::Delete, kind: key.kind(), name: key.name(), fields: Vec::new() }
}

/// Fields in the order of their names. Of a new record only what differs from the default is told, with nothing as
/// the old value.
fn compare(old: &Fields, new: &Fields, above: &str, created: bool, found: &mut Vec<FieldDifference>) {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (before, after) = (old.get(name), new.get(name));
        if before == after {
            continue;
        }
        let field = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        if let ("lifetimes" | "brute_force", Some(Value::Object(before)), Some(Value::Object(after))) =
            (name.as_str(), before, after)
        {
            compare(before, after, &field, created, found);
            continue;
        }
        let before = if created { Value::Null } else { before.cloned().unwrap_or_default() };
        found.push(FieldDifference { field, old: before, new: after.cloned().unwrap_or_default() });
    }
}
