//! The realm that comes in.

use serde_json::{Value, json};

/// Users as Keycloak's exports have them: a name, an address, attributes, a role, a group and a password; and clients.
pub(crate) fn with(name: &str, users: usize, clients: usize) -> String {
    let client = |index: usize| {
        json!({
            "clientId": format!("app-{index}"),
            "secret": format!("secret-{index}"),
            "redirectUris": [format!("http://localhost:{}/*", 3_000 + index)],
            "webOrigins": ["+"],
        })
    };
    let user = |index: usize| {
        json!({
            "username": format!("user-{index:06}"),
            "email": format!("user-{index:06}@example.com"),
            "emailVerified": true,
            "enabled": true,
            "firstName": "User",
            "lastName": format!("Number {index}"),
            "attributes": { "department": [format!("d{}", index % 20)], "badge": [format!("b{index}")] },
            "credentials": [{ "type": "password", "value": format!("password-{index}") }],
            "realmRoles": ["member"],
            "groups": [format!("/teams/team-{}", index % 50)],
        })
    };
    let teams: Vec<Value> = (0..50).map(|team| json!({ "name": format!("team-{team}") })).collect();
    // Its name comes first, where it is exchanged for another.
    let rest = json!({
        "enabled": true,
        "roles": { "realm": [{ "name": "member" }] },
        "groups": [{ "name": "teams", "subGroups": teams }],
        "clients": (0..clients).map(client).collect::<Vec<_>>(),
        "users": (0..users).map(user).collect::<Vec<_>>(),
    });
    format!("{{\"realm\":\"{name}\",{}", rest.to_string().trim_start_matches('{'))
}
