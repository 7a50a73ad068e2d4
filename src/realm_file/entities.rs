//! A realm as a flat table of named records with plain fields, in which two realms are compared.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::spec::{ClientSpec, GroupSpec, RealmSpec};
use crate::protocol::group_path;
use crate::protocol::user::canonical;
use crate::secrets::Secret;

/// The fields of one record; what is absent is not said.
pub(super) type Fields = Map<String, Value>;

/// Which record. The order is the order of a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Realm,
    Scope(String),
    Role(String),
    Client(String),
    ClientRole { client: String, name: String },
    Group(String),
    User(String),
}

impl Key {
    /// What kind of record it is.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Realm => "realm",
            Self::Scope(_) => "scope",
            Self::Role(_) => "role",
            Self::Client(_) => "client",
            Self::ClientRole { .. } => "client role",
            Self::Group(_) => "group",
            Self::User(_) => "user",
        }
    }

    /// Its name; empty for the realm.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Realm => String::new(),
            Self::Scope(name)
            | Self::Role(name)
            | Self::Client(name)
            | Self::Group(name)
            | Self::User(name) => name.clone(),
            Self::ClientRole { client, name } => format!("{client}:{name}"),
        }
    }
}

/// One record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entity {
    pub(super) fields: Fields,
    /// Password or secret in the clear.
    pub(super) secret: Option<Secret>,
    /// Its stored form.
    pub(super) hash: Option<Secret>,
    /// Where the record stands in its file, below the realm.
    pub(super) path: String,
}

/// All records of a realm.
pub(super) type Entities = BTreeMap<Key, Entity>;

/// The records of `spec`. Lists that are sets are sorted, and names are in their canonical form.
pub(super) fn of(spec: &RealmSpec) -> Entities {
    let mut all = Entities::new();
    all.insert(Key::Realm, plain(spec, "name", ""));
    for (index, scope) in spec.scopes.iter().enumerate() {
        all.insert(Key::Scope(scope.name.clone()), plain(scope, "name", &format!("scopes[{index}]")));
    }
    for (index, role) in spec.roles.iter().enumerate() {
        all.insert(Key::Role(role.name.clone()), plain(role, "name", &format!("roles[{index}]")));
    }
    for (index, client) in spec.clients.iter().enumerate() {
        self::client(client, &format!("clients[{index}]"), &mut all);
    }
    groups(&spec.groups, "", "groups", &mut all);
    for (index, user) in spec.users.iter().enumerate() {
        let entity = Entity {
            secret: user.password.clone(),
            hash: user.password_hash.clone(),
            ..plain(user, "username", &format!("users[{index}]"))
        };
        all.insert(Key::User(canonical(&user.username)), entity);
    }
    all
}

fn client(client: &ClientSpec, path: &str, all: &mut Entities) {
    let entity = Entity {
        secret: client.secret.clone(),
        hash: client.secret_hash.clone(),
        ..plain(client, "id", path)
    };
    all.insert(Key::Client(client.id.clone()), entity);
    for (index, role) in client.roles.iter().enumerate() {
        let key = Key::ClientRole { client: client.id.clone(), name: role.name.clone() };
        all.insert(key, plain(role, "name", &format!("{path}.roles[{index}]")));
    }
}

fn groups(groups: &[GroupSpec], above: &str, path: &str, all: &mut Entities) {
    for (index, group) in groups.iter().enumerate() {
        let name = group_path::below(above, &group.name);
        let path = format!("{path}[{index}]");
        self::groups(&group.groups, &name, &format!("{path}.groups"), all);
        all.insert(Key::Group(name), plain(group, "name", &path));
    }
}

/// Lists in which order means nothing.
const SETS: [&str; 8] = [
    "composites",
    "roles",
    "groups",
    "service_account_roles",
    "scope_mappings",
    "grants",
    "registration_grants",
    "required_actions",
];

/// The fields of `record`, without `named`, which the key says.
fn plain<T: Serialize>(record: &T, named: &str, path: &str) -> Entity {
    let mut fields = match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => fields,
        _ => Fields::new(),
    };
    strip(&mut fields);
    for set in SETS {
        if let Some(Value::Array(items)) = fields.get_mut(set) {
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items.dedup();
        }
    }
    fields.remove(named);
    Entity { fields, path: path.to_owned(), ..Entity::default() }
}

/// Drops nulls, and tables that hold nothing else.
fn strip(fields: &mut Fields) {
    for name in ["lifetimes", "brute_force"] {
        if let Some(Value::Object(inner)) = fields.get_mut(name) {
            strip(inner);
        }
    }
    fields.retain(|name, value| {
        !value.is_null()
            && (!matches!(name.as_str(), "lifetimes" | "brute_force") || value != &Value::Object(Map::new()))
    });
}

#[cfg(test)]
mod tests {
    use super::super::spec::{RoleSpec, UserSpec};
    use super::*;

    #[test]
    fn records_are_named_by_their_keys() {
        let spec = RealmSpec {
            name: "main".into(),
            clients: vec![ClientSpec {
                id: "web".into(),
                name: Some("Web".into()),
                secret: Some("canary".into()),
                roles: vec![RoleSpec { name: "editor".into(), ..RoleSpec::default() }],
                ..ClientSpec::default()
            }],
            groups: vec![GroupSpec {
                name: "a".into(),
                groups: vec![GroupSpec { name: "b".into(), ..GroupSpec::default() }],
                ..GroupSpec::default()
            }],
            users: vec![UserSpec {
                id: Some("u1".into()),
                username: "Alice".into(),
                roles: Some(vec!["z".into(), "a".into(), "z".into()]),
                ..UserSpec::default()
            }],
            ..RealmSpec::default()
        };
        let all = of(&spec);
        let shown: Vec<String> = all
            .iter()
            .map(|(key, entity)| {
                let fields = serde_json::to_string(&entity.fields).unwrap();
                format!("{} {} {} {fields}", key.kind(), key.name(), entity.path)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "realm   {}",
                "client web clients[0] {\"name\":\"Web\"}",
                "client role web:editor clients[0].roles[0] {}",
                "group /a groups[0] {}",
                "group /a/b groups[0].groups[0] {}",
                "user alice users[0] {\"id\":\"u1\",\"roles\":[\"a\",\"z\"]}",
            ]
        );
    }
}
