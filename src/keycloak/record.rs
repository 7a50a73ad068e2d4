//! What is kept of Keycloak's representations beyond the records of this server.

use serde_json::{Map, Value};

/// What a representation says beyond what this server acts upon, by its names there.
pub type Kept = Map<String, Value>;

/// A row of `keycloak_records`. `Debug` leaves out the content, which may hold secrets of others.
#[derive(Clone, PartialEq)]
pub struct KeycloakRecord {
    /// The realm it belongs to.
    pub realm_id: String,
    /// Which kind of thing: of a [`Beside`], or of a [`super::document::DocumentKind`].
    pub kind: String,
    /// Identifier: that of the record it stands beside, or the document's own.
    pub id: String,
    /// What it hangs on, by the rules of its kind; empty for nothing.
    pub parent: String,
    /// Its name (an alias), unique among its kind where Keycloak wants so; empty for what stands beside a record.
    pub name: String,
    /// What is kept.
    pub content: Kept,
}

impl std::fmt::Debug for KeycloakRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, id, name, .. } = self;
        f.debug_struct("KeycloakRecord")
            .field("kind", kind)
            .field("id", id)
            .field("name", name)
            .finish_non_exhaustive()
    }
}

/// A record of this server that more is kept of than it has fields for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Beside {
    /// The realm itself; the row's `id` is the realm's.
    Realm,
    /// A client.
    Client,
    /// A client scope.
    ClientScope,
    /// A role.
    Role,
    /// A group.
    Group,
    /// A user.
    User,
}

impl Beside {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Realm, Self::Client, Self::ClientScope, Self::Role, Self::Group, Self::User];

    /// The `kind` of its rows.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Realm => "realm",
            Self::Client => "client",
            Self::ClientScope => "client-scope",
            Self::Role => "role",
            Self::Group => "group",
            Self::User => "user",
        }
    }

    /// The row for the record `id`.
    #[must_use]
    pub fn record(self, realm_id: &str, id: &str, content: Kept) -> KeycloakRecord {
        KeycloakRecord {
            realm_id: realm_id.to_owned(),
            kind: self.kind().to_owned(),
            id: id.to_owned(),
            parent: String::new(),
            name: String::new(),
            content,
        }
    }
}

/// Lays `new` over `old`, as an update does: a member that it does not name stays, one that is null goes; attributes are
/// laid over each other one by one.
pub fn overlay(old: &mut Kept, new: Kept) {
    for (name, value) in new {
        match value {
            Value::Null => drop(old.remove(&name)),
            Value::Object(more) if name == ATTRIBUTES => {
                let mut all = match old.remove(&name) {
                    Some(Value::Object(there)) => there,
                    _ => Map::new(),
                };
                overlay(&mut all, more);
                old.insert(name, Value::Object(all));
            }
            value => drop(old.insert(name, value)),
        }
    }
    if old.get(ATTRIBUTES).is_some_and(|attributes| attributes == &Value::Object(Map::new())) {
        old.remove(ATTRIBUTES);
    }
}

/// The member of representations that holds what has no field of its own.
pub(crate) const ATTRIBUTES: &str = "attributes";

/// The attributes among `kept`, as texts.
pub(super) fn attributes(kept: &Kept) -> impl Iterator<Item = (String, String)> {
    let map = kept.get(ATTRIBUTES).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
}
