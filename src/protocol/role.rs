//! Roles and groups, and which roles a user has in effect.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A role as it is kept: of the realm, or of one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Identifier (UUID).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// `id` of the client whose role it is; none for a realm role.
    pub client: Option<String>,
    /// Name.
    pub name: String,
    /// What it allows, for people.
    pub description: Option<String>,
    /// Further attributes.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// Comes with every realm.
    pub built_in: bool,
}

/// A group as it is kept. Members have its roles and those of its ancestors.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Identifier (UUID).
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// `id` of the group above.
    pub parent: Option<String>,
    /// Name below its parent.
    pub name: String,
    /// Names from the top: `/staff/board` (see [`super::group_path`]).
    pub path: String,
    /// Further attributes.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// The roles of a realm with their composites.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    by_id: HashMap<String, Role>,
    children: HashMap<String, Vec<String>>,
    clients: HashMap<String, String>,
}

impl Roles {
    /// From the roles, the (composite, child) pairs of identifiers, and the `client_id` of each client `id` that has roles.
    #[must_use]
    pub fn new(
        roles: Vec<Role>,
        composites: Vec<(String, String)>,
        clients: HashMap<String, String>,
    ) -> Self {
        let mut children: HashMap<String, Vec<String>> = HashMap::new();
        for (parent, child) in composites {
            children.entry(parent).or_default().push(child);
        }
        Self { by_id: roles.into_iter().map(|role| (role.id.clone(), role)).collect(), children, clients }
    }

    /// The `client_id` of the client whose role this is; none for a realm role.
    #[must_use]
    pub fn client_id(&self, role: &Role) -> Option<&str> {
        role.client.as_ref().and_then(|id| self.clients.get(id)).map(String::as_str)
    }

    /// The role with this identifier.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<&Role> {
        self.by_id.get(id)
    }

    /// The realm role with this name.
    #[must_use]
    pub fn realm_role(&self, name: &str) -> Option<&Role> {
        self.by_id.values().find(|role| role.client.is_none() && role.name == name)
    }

    /// The role of the client `client` (its `id`) with this name.
    #[must_use]
    pub fn client_role(&self, client: &str, name: &str) -> Option<&Role> {
        self.by_id.values().find(|role| role.client.as_deref() == Some(client) && role.name == name)
    }

    /// Every role.
    pub fn iter(&self) -> impl Iterator<Item = &Role> {
        self.by_id.values()
    }

    /// Identifiers of the roles that `id` is directly composed of.
    pub fn children(&self, id: &str) -> impl Iterator<Item = &str> {
        self.children.get(id).into_iter().flatten().map(String::as_str)
    }

    /// The roles that `assigned` (identifiers) amount to, composites expanded. Loops among composites end, and
    /// identifiers that are not of this realm add nothing.
    #[must_use]
    pub fn effective<'a>(&self, assigned: impl IntoIterator<Item = &'a str>) -> Vec<&Role> {
        let known = |id: &str| self.by_id.get(id);
        let mut open: Vec<&Role> = assigned.into_iter().filter_map(known).collect();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        while let Some(role) = open.pop() {
            if seen.insert(role.id.as_str()) {
                found.push(role);
                open.extend(self.children(&role.id).filter_map(known));
            }
        }
        found.sort_by(|a, b| (&a.client, &a.name).cmp(&(&b.client, &b.name)));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(id: &str) -> Role {
        Role {
            id: id.into(),
            realm_id: "r".into(),
            client: None,
            name: id.into(),
            description: None,
            attributes: BTreeMap::new(),
            built_in: false,
        }
    }

    #[test]
    fn composites_are_expanded_and_loops_end() {
        let pairs = [("a", "b"), ("b", "c"), ("c", "a")].map(|(p, c)| (p.to_owned(), c.to_owned())).to_vec();
        let roles = Roles::new(["a", "b", "c", "d"].map(role).to_vec(), pairs, HashMap::new());
        let names = |assigned: &[&str]| {
            roles.effective(assigned.iter().copied()).iter().map(|role| role.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["a"]), ["a", "b", "c"]);
        assert_eq!(names(&["d", "d"]), ["d"]);
        assert_eq!(names(&["of another realm"]), [""; 0]);
    }
}
