//! What a caller of the admin API has over a realm, and may give to others.

use std::collections::BTreeSet;

use crate::protocol::built_in::{
    ADMIN_CLI, ADMIN_ROLE, CREATE_REALM_ROLE, MASTER, REALM_ADMIN_ROLE, overseer,
};
use crate::protocol::jws::Claims;
use crate::protocol::role::{Role, Roles};

/// Clients of ours whose tokens stand for the person whole: what they may do is looked up, not read from the token,
/// which may be a lightweight one without roles.
const FIRST_PARTY: [&str; 2] = [ADMIN_CLI, "security-admin-console"];

/// Who calls, with the roles that the token conveys.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Name of the realm that the caller belongs to.
    pub realm: String,
    held: Vec<Held>,
    held_ids: BTreeSet<String>,
}

/// An administrative role: the client that it belongs to, and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    client_id: Option<String>,
    name: String,
}

impl Caller {
    /// The caller of `realm` to whom the roles `assigned` (identifiers) were given, by a token with these claims that was
    /// issued to `client_id`.
    ///
    /// What counts is what the caller has now, and of that, for an app that is not ours, only what its token carries for
    /// an audience that it names: a token that was cut down to another service opens nothing here (attacks A01).
    #[must_use]
    pub fn new(realm: &str, roles: &Roles, assigned: &[String], client_id: &str, claims: &Claims) -> Self {
        let whole = FIRST_PARTY.contains(&client_id);
        let effective = roles.effective(assigned.iter().map(String::as_str));
        let conveyed: Vec<&Role> = effective
            .into_iter()
            .filter(|role| whole || conveys(claims, roles.client_id(role), &role.name))
            .collect();
        let held_ids = conveyed.iter().map(|role| role.id.clone()).collect();
        let held = conveyed
            .into_iter()
            .filter(|role| is_administrative(realm, roles, role))
            .map(|role| Held { client_id: roles.client_id(role).map(str::to_owned), name: role.name.clone() })
            .collect();
        Self { realm: realm.to_owned(), held, held_ids }
    }

    /// Whether the caller administrates anything at all.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether the caller may make realms.
    #[must_use]
    pub fn may_create_realms(&self) -> bool {
        self.is_above_all() || self.has_of_master(CREATE_REALM_ROLE)
    }

    /// What the caller has over the realm called `name`.
    #[must_use]
    pub fn over(&self, name: &str) -> Rights {
        let everything = self.is_above_all();
        let holder = match (self.realm == MASTER, self.realm == name) {
            (true, _) => overseer(name),
            (false, true) => crate::protocol::built_in::management_client(name).to_owned(),
            (false, false) => return Rights::default(),
        };
        let of_holder = |held: &&Held| held.client_id.as_deref() == Some(holder.as_str());
        let names = self.held.iter().filter(of_holder).map(|held| held.name.clone()).collect();
        let held = if self.realm == name { self.held_ids.clone() } else { BTreeSet::new() };
        Rights { everything, names, held, at_home: self.realm == name }
    }

    fn is_above_all(&self) -> bool {
        self.has_of_master(ADMIN_ROLE)
    }

    fn has_of_master(&self, role: &str) -> bool {
        self.realm == MASTER && self.held.iter().any(|held| held.client_id.is_none() && held.name == role)
    }
}

/// What a caller has over one realm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// The caller is `admin` of `master`.
    everything: bool,
    /// Names of the administrative roles over the realm.
    names: BTreeSet<String>,
    /// Identifiers of all roles of the realm that the caller has, when it is the caller's own realm.
    held: BTreeSet<String>,
    /// The realm is the caller's own.
    at_home: bool,
}

impl Rights {
    /// Whether any one of these administrative roles is among them.
    #[must_use]
    pub fn any_of(&self, names: &[&str]) -> bool {
        self.everything || names.iter().any(|name| self.names.contains(*name))
    }

    /// Whether there are none at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.everything && self.names.is_empty()
    }

    /// Whether the caller may give, take or look after what amounts to the roles `ids` of the realm called `realm`
    /// (attacks A02): nobody makes an administrator of more than they are themselves.
    #[must_use]
    pub fn covers<'a>(&self, realm: &str, roles: &Roles, ids: impl IntoIterator<Item = &'a str>) -> bool {
        self.everything
            || roles
                .effective(ids)
                .into_iter()
                .filter(|role| is_administrative(realm, roles, role))
                .all(|role| self.covers_one(roles, role))
    }

    /// Whether the caller has every right that there is over the realm called `realm`, and may look after the clients by
    /// which its administrators come in (attacks A03).
    #[must_use]
    pub fn covers_all(&self, realm: &str, roles: &Roles) -> bool {
        let administrative = |role: &&Role| is_administrative(realm, roles, role);
        self.everything || roles.iter().filter(administrative).all(|role| self.covers_one(roles, role))
    }

    /// Whether the caller has all that the roles of the client called `client_id` give over the realm called `realm`:
    /// tokens for that audience are worth as much.
    #[must_use]
    pub fn covers_roles_of(&self, realm: &str, roles: &Roles, client_id: &str) -> bool {
        let of_client =
            |role: &&Role| roles.client_id(role) == Some(client_id) && is_administrative(realm, roles, role);
        self.everything || roles.iter().filter(of_client).all(|role| self.covers_one(roles, role))
    }

    fn covers_one(&self, roles: &Roles, role: &Role) -> bool {
        if self.at_home {
            return self.held.contains(&role.id);
        }
        // What `realm-admin` is composed of is asked about one by one.
        let is_sum = role.name == REALM_ADMIN_ROLE && roles.children(&role.id).next().is_some();
        is_sum || self.names.contains(&role.name)
    }
}

/// Whether a role of the realm called `realm` makes its holder an administrator. Only roles that came with the realm do: a
/// name that somebody gave to a role or a client of their own means nothing here (attacks A03).
fn is_administrative(realm: &str, roles: &Roles, role: &Role) -> bool {
    let of_client = |client_id: &str| {
        client_id == crate::protocol::built_in::management_client(realm)
            || (realm == MASTER && client_id.ends_with("-realm"))
    };
    role.built_in
        && match roles.client_id(role) {
            Some(client_id) => of_client(client_id),
            None => realm == MASTER && [ADMIN_ROLE, CREATE_REALM_ROLE].contains(&role.name.as_str()),
        }
}

/// Whether an app's token carries the role, and for an audience that it names.
fn conveys(claims: &Claims, client_id: Option<&str>, name: &str) -> bool {
    let audiences = claims.audiences().unwrap_or_default();
    let lists = |access: Option<&serde_json::Value>| {
        let roles = access.and_then(|access| access.get("roles")).and_then(serde_json::Value::as_array);
        roles.is_some_and(|roles| roles.iter().any(|role| role.as_str() == Some(name)))
    };
    match client_id {
        Some(client_id) => {
            audiences.contains(&client_id)
                && lists(claims.value("resource_access").and_then(|access| access.get(client_id)))
        }
        None => {
            let ours = |audience: &&str| {
                Some(*audience) == claims.text("iss")
                    || *audience == "account"
                    || audience.ends_with("-realm")
            };
            audiences.iter().any(ours) && lists(claims.value("realm_access"))
        }
    }
}

#[cfg(test)]
#[path = "rights_tests.rs"]
mod tests;
