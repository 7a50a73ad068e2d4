//! The access token in the form of RFC 9068, for resource servers that read that and not Keycloak's.
//!
//! Mapped claims stay, since §2.2.2 lets a token carry what its users' claims are; what only Keycloak's readers know
//! goes, or takes the name that §2.2.3.1 has for it.

use serde_json::{Map, Value};

/// The header's `typ` (§2.1).
pub(super) const TYPE: &str = "at+jwt";

/// Claims of Keycloak's shape that the profile has no place for.
const FOREIGN: [&str; 6] = ["typ", "azp", "sid", "realm_access", "resource_access", "allowed-origins"];

/// Makes the claims of a token in Keycloak's shape those of the profile: `client_id`, and the roles by their names, those
/// of clients as `client:role`.
pub(super) fn shape(token: &mut Map<String, Value>, client_id: &str) {
    let roles = roles(token);
    for name in FOREIGN {
        token.remove(name);
    }
    token.insert("client_id".into(), client_id.into());
    if !roles.is_empty() {
        token.entry("roles").or_insert(roles.into());
    }
}

fn roles(token: &Map<String, Value>) -> Vec<String> {
    let names = |access: Option<&Value>| -> Vec<String> {
        let list = access.and_then(|access| access.get("roles")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut roles = names(token.get("realm_access"));
    for (client, access) in token.get("resource_access").and_then(Value::as_object).into_iter().flatten() {
        roles.extend(names(Some(access)).into_iter().map(|role| format!("{client}:{role}")));
    }
    roles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The claims of the example in RFC 9068 §3, from what Keycloak's shape says of the same token.
    #[test]
    fn rfc9068_3_the_example() {
        let keycloak = json!({
            "iss": "https://authorization-server.example.com/", "sub": "5ba552d67", "aud": "https://rs.example.com/",
            "exp": 1_639_528_912, "iat": 1_618_354_090, "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
            "azp": "s6BhdRkqt3", "typ": "Bearer", "sid": "session", "scope": "openid profile reademail",
        });
        let mut token = keycloak.as_object().unwrap().clone();
        shape(&mut token, "s6BhdRkqt3");
        let expected = json!({
            "iss": "https://authorization-server.example.com/", "sub": "5ba552d67", "aud": "https://rs.example.com/",
            "exp": 1_639_528_912, "iat": 1_618_354_090, "jti": "dbe39bf3a3ba4238a513f51d6e1691c4",
            "client_id": "s6BhdRkqt3", "scope": "openid profile reademail",
        });
        assert_eq!(Value::Object(token), expected);
    }

    #[test]
    fn rfc9068_2_2_3_1_roles_and_groups_have_their_names() {
        let keycloak = json!({
            "realm_access": {"roles": ["user"]}, "resource_access": {"api": {"roles": ["read", "write"]}},
            "groups": ["/staff"], "allowed-origins": ["https://app.example"], "email": "a@example.com",
        });
        let mut token = keycloak.as_object().unwrap().clone();
        shape(&mut token, "web");
        let expected = json!({
            "client_id": "web", "roles": ["user", "api:read", "api:write"], "groups": ["/staff"],
            "email": "a@example.com",
        });
        assert_eq!(Value::Object(token), expected);

        let mut mapped =
            json!({ "roles": ["mine"], "realm_access": {"roles": ["user"]} }).as_object().unwrap().clone();
        shape(&mut mapped, "web");
        assert_eq!(
            Value::Object(mapped),
            json!({ "client_id": "web", "roles": ["mine"] }),
            "a mapper's own stays"
        );
    }
}
