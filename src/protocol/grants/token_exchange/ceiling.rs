//! Roles and groups of a result: none that the subject token did not have.
//!
//! Scopes are narrowed by name, but which roles a token shows follows from its client too (`full_scope_allowed`, its
//! mappers, and the claims that these choose to write). An exchange must not lead around that, so the bound is set
//! before any mapper writes.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The roles and groups that a token names, which is all that tokens made from it may show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    roles: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Ceiling {
    /// What the claims of a token name, in Keycloak's form (`realm_access`, `resource_access`) and in RFC 9068's
    /// (`roles`, those of clients as `client:role`). A role under any other claim is none: whoever reads the result
    /// could not tell where it came from.
    #[must_use]
    pub fn of(claims: &Map<String, Value>) -> Self {
        let realm = claims.get("realm_access").and_then(|access| access.get("roles"));
        let mut roles: BTreeSet<String> =
            texts(realm).chain(texts(claims.get("roles"))).map(str::to_owned).collect();
        for (client, access) in claims.get("resource_access").and_then(Value::as_object).into_iter().flatten()
        {
            roles.extend(texts(access.get("roles")).map(|role| format!("{client}:{role}")));
        }
        Self { roles, groups: texts(claims.get("groups")).map(str::to_owned).collect() }
    }

    /// Whether the role may be shown; one of a client comes with its `client_id`.
    #[must_use]
    pub fn has_role(&self, client_id: Option<&str>, name: &str) -> bool {
        match client_id {
            None => self.roles.contains(name),
            Some(client_id) => self.roles.contains(&format!("{client_id}:{name}")),
        }
    }

    /// Whether the group may be shown, spelled as the result would.
    #[must_use]
    pub fn has_group(&self, shown: &str) -> bool {
        self.groups.contains(shown)
    }
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn x03_a_ceiling_has_what_the_token_names_in_either_form() {
        let keycloak = json!({
            "realm_access": {"roles": ["user"]}, "resource_access": {"api": {"roles": ["read"]}},
            "groups": ["/staff"], "authorities": ["admin"],
        });
        let plain = json!({ "roles": ["user", "api:read"], "groups": ["/staff"] });
        for (row, claims) in [("Keycloak's form", keycloak), ("RFC 9068's form", plain)] {
            let ceiling = Ceiling::of(claims.as_object().unwrap());
            for (client, name, expected) in [
                (None, "user", true),
                (Some("api"), "read", true),
                (None, "admin", false),
                (None, "read", false),
                (Some("api"), "write", false),
                (Some("web"), "read", false),
                (Some("api"), "user", false),
            ] {
                assert_eq!(ceiling.has_role(client, name), expected, "{row}: {client:?} {name}");
            }
            assert!(ceiling.has_group("/staff"), "{row}");
            assert!(!ceiling.has_group("/staff/board"), "{row}");
        }
        assert!(!Ceiling::of(&Map::new()).has_role(None, "user"), "none leaves none");
    }
}
