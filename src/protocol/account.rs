//! What the holder of an access token may learn about the person that it speaks for, by the roles of the client `account`,
//! as Keycloak's apps ask for it.

use serde_json::{Value, json};

use super::built_in::ACCOUNT;
use super::jws::Claims;
use super::user::User;

/// Roles of which one lets a token read the profile.
const READS: [&str; 2] = ["view-profile", "manage-account"];

/// Whether a token was issued for the account, and with a role that lets it read the profile.
#[must_use]
pub fn may_read(claims: &Claims) -> bool {
    let for_account = claims.audiences().is_some_and(|audiences| audiences.contains(&ACCOUNT));
    let texts = |roles: Option<&Value>| {
        let roles = roles.and_then(Value::as_array).into_iter().flatten();
        roles.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let access = claims.value("resource_access").and_then(|access| access.get(ACCOUNT));
    let own = texts(access.and_then(|access| access.get("roles")));
    // In a token by RFC 9068 they stand among the others (see `access_token::profile`).
    let all = texts(claims.value("roles"));
    let named = |role: &str| own.iter().any(|own| own == role) || all.contains(&format!("{ACCOUNT}:{role}"));
    for_account && READS.into_iter().any(named)
}

/// The profile, in the shape that keycloak-js loads.
#[must_use]
pub fn profile(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "emailVerified": user.email_verified,
        "attributes": user.attributes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_the_profile_by_a_role_of_the_account() {
        let roles = |roles: &[&str]| json!({ "account": { "roles": roles } });
        for (case, claims, expected) in [
            ("view", json!({ "aud": "account", "resource_access": roles(&["view-profile"]) }), true),
            (
                "manage",
                json!({ "aud": ["x", "account"], "resource_access": roles(&["manage-account"]) }),
                true,
            ),
            ("by RFC 9068", json!({ "aud": "account", "roles": ["account:view-profile"] }), true),
            ("another role", json!({ "aud": "account", "resource_access": roles(&["view-groups"]) }), false),
            ("another audience", json!({ "aud": "x", "resource_access": roles(&["view-profile"]) }), false),
            ("a realm role", json!({ "aud": "account", "roles": ["view-profile"] }), false),
            (
                "another client's",
                json!({ "aud": "account", "resource_access": { "x": { "roles": ["view-profile"] } } }),
                false,
            ),
            ("none", json!({ "aud": "account" }), false),
        ] {
            let claims = Claims::new(claims.as_object().unwrap().clone());
            assert_eq!(may_read(&claims), expected, "{case}");
        }
    }
}
