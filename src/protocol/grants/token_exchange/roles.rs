//! Roles of a result: none that the subject token did not have.
//!
//! Scopes are narrowed by name, but which roles a token shows follows from its client too (`full_scope_allowed`, its
//! mappers). An exchange must not lead around that.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Takes away roles and groups that `ceiling`, the claims of the subject token, does not name.
pub fn hold(claims: &mut Map<String, Value>, ceiling: &Map<String, Value>) {
    let roles = roles(ceiling);
    if let Some(list) = claims.get_mut("realm_access").and_then(|access| access.get_mut("roles")) {
        keep(list, |role| roles.contains(role));
    }
    if let Some(Value::Object(clients)) = claims.get_mut("resource_access") {
        for (client, access) in clients.iter_mut() {
            if let Some(list) = access.get_mut("roles") {
                keep(list, |role| roles.contains(&format!("{client}:{role}")));
            }
        }
        clients.retain(|_, access| access.get("roles").is_none_or(|list| *list != Value::Array(Vec::new())));
    }
    if let Some(list) = claims.get_mut("roles") {
        keep(list, |role| roles.contains(role));
    }
    if let Some(list) = claims.get_mut("groups") {
        let groups: BTreeSet<&str> = texts(ceiling.get("groups")).collect();
        keep(list, |group| groups.contains(group));
    }
}

/// The roles that claims name, in whichever form: those of clients as `client:role`.
fn roles(claims: &Map<String, Value>) -> BTreeSet<String> {
    let realm = claims.get("realm_access").and_then(|access| access.get("roles"));
    let mut roles: BTreeSet<String> =
        texts(realm).chain(texts(claims.get("roles"))).map(str::to_owned).collect();
    for (client, access) in claims.get("resource_access").and_then(Value::as_object).into_iter().flatten() {
        roles.extend(texts(access.get("roles")).map(|role| format!("{client}:{role}")));
    }
    roles
}

fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn keep(list: &mut Value, stays: impl Fn(&str) -> bool) {
    if let Value::Array(items) = list {
        items.retain(|item| item.as_str().is_some_and(&stays));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("not an object") };
        members
    }

    #[test]
    fn x03_a_role_that_the_subject_token_lacks_is_taken_away() {
        let keycloak = json!({
            "realm_access": {"roles": ["user"]}, "resource_access": {"api": {"roles": ["read"]}},
            "groups": ["/staff"],
        });
        let plain = json!({ "roles": ["user", "api:read"], "groups": ["/staff"] });
        for (row, ceiling) in [("Keycloak's form", keycloak), ("RFC 9068's form", plain)] {
            let ceiling = object(ceiling);
            let mut token = object(json!({
                "realm_access": {"roles": ["user", "admin"]},
                "resource_access": {"api": {"roles": ["read", "write"]}, "web": {"roles": ["read"]}},
                "groups": ["/staff", "/staff/board"], "email": "a@example.com",
            }));
            hold(&mut token, &ceiling);
            let expected = json!({
                "realm_access": {"roles": ["user"]}, "resource_access": {"api": {"roles": ["read"]}},
                "groups": ["/staff"], "email": "a@example.com",
            });
            assert_eq!(Value::Object(token), expected, "{row}");
            let mut token = object(json!({ "roles": ["admin", "user", "api:read", "read", "web:read"] }));
            hold(&mut token, &ceiling);
            assert_eq!(Value::Object(token), json!({ "roles": ["user", "api:read"] }), "{row}");
        }
    }

    #[test]
    fn a_subject_token_without_roles_leaves_none() {
        let mut token = object(json!({ "realm_access": {"roles": ["user"]}, "groups": ["/a"] }));
        hold(&mut token, &Map::new());
        assert_eq!(Value::Object(token), json!({ "realm_access": {"roles": []}, "groups": [] }));
    }
}
