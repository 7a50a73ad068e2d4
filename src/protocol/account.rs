//! What the holder of an access token may learn about, and change of, the person that it speaks for, by the roles of the client `account`,
//! as Keycloak's apps ask for it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::built_in::ACCOUNT;
use super::jws::Claims;
use super::role::{Role, Roles};
use super::user::{User, canonical};

/// What a token may do with the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read the profile.
    Read,
    /// Change it.
    Change,
}

impl Access {
    /// Roles of which one allows it.
    fn roles(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["view-profile", "manage-account"],
            Self::Change => &["manage-account"],
        }
    }
}

/// Whether a token was issued for the account, and with a role that allows this.
#[must_use]
pub fn may(claims: &Claims, access: Access) -> bool {
    let for_account = claims.audiences().is_some_and(|audiences| audiences.contains(&ACCOUNT));
    let texts = |roles: Option<&Value>| {
        let roles = roles.and_then(Value::as_array).into_iter().flatten();
        roles.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let clients = claims.value("resource_access").and_then(|clients| clients.get(ACCOUNT));
    let own = texts(clients.and_then(|clients| clients.get("roles")));
    // In a token by RFC 9068 they stand among the others (see `access_token::profile`).
    let all = texts(claims.value("roles"));
    let named = |role: &&str| own.iter().any(|own| own == role) || all.contains(&format!("{ACCOUNT}:{role}"));
    for_account && access.roles().iter().any(named)
}

/// Whether these roles of a person, composites expanded, allow this.
#[must_use]
pub fn allow(held: &[&Role], all: &Roles, access: Access) -> bool {
    held.iter()
        .any(|role| all.client_id(role) == Some(ACCOUNT) && access.roles().contains(&role.name.as_str()))
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

/// What a person says of themselves. What is missing stays; an empty text takes away. Attributes are not among it: claims
/// that services trust are made of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Wish {
    username: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

/// Names and address as a person fills them in on a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The e-mail address.
    pub email: String,
}

impl Profile {
    /// Those of `user`.
    #[must_use]
    pub fn of(user: &User) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            first_name: text(&user.first_name),
            last_name: text(&user.last_name),
            email: text(&user.email),
        }
    }
}

/// What is wrong with a field, in Keycloak's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flaw {
    field: &'static str,
    error_message: &'static str,
    params: Vec<Value>,
}

impl Flaw {
    fn new(field: &'static str, error_message: &'static str) -> Self {
        Self { field, error_message, params: vec![field.into()] }
    }

    /// The body is no JSON object of texts.
    #[must_use]
    pub fn of_body() -> Self {
        Self { field: "body", error_message: "Send one JSON object as application/json", params: Vec::new() }
    }

    /// The field, by Keycloak's name.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The name of the message.
    #[must_use]
    pub fn message(&self) -> &'static str {
        self.error_message
    }

    /// Somebody else has the e-mail address.
    #[must_use]
    pub fn of_taken_email() -> Self {
        Self::new("email", "emailExistsMessage")
    }
}

/// The longest name or address, in characters.
const LONGEST: usize = 255;

/// `user` as `wish` has it. Who changes the e-mail address has not proven that it is theirs.
///
/// # Errors
/// Every field that is wrong. The user name is an administrator's to change.
pub fn changed(user: &User, wish: &Wish) -> Result<User, Vec<Flaw>> {
    let mut flaws = Vec::new();
    if wish.username.as_deref().is_some_and(|name| canonical(name) != canonical(&user.username)) {
        flaws.push(Flaw::new("username", "error-user-attribute-read-only"));
    }
    let mut new = user.clone();
    for (field, text, place) in [
        ("firstName", &wish.first_name, &mut new.first_name),
        ("lastName", &wish.last_name, &mut new.last_name),
        ("email", &wish.email, &mut new.email),
    ] {
        let Some(text) = text.as_deref().map(str::trim) else { continue };
        if text.chars().count() > LONGEST {
            flaws.push(Flaw {
                params: vec![field.into(), 0.into(), LONGEST.into()],
                ..Flaw::new(field, "error-invalid-length")
            });
        } else if text.chars().any(char::is_control) {
            flaws.push(Flaw::new(field, "error-invalid-value"));
        } else if field == "email" && !text.is_empty() && !is_address(text) {
            flaws.push(Flaw::new(field, "error-invalid-email"));
        }
        *place = Some(text.to_owned()).filter(|text| !text.is_empty());
    }
    if new.email != user.email {
        new.email_verified = false;
    }
    if flaws.is_empty() { Ok(new) } else { Err(flaws) }
}

/// `user` with the names and the address of `profile`, of which none may be missing.
///
/// # Errors
/// Every field that is wrong.
pub fn completed(user: &User, profile: &Profile) -> Result<User, Vec<Flaw>> {
    let fields =
        [("firstName", &profile.first_name), ("lastName", &profile.last_name), ("email", &profile.email)];
    let missing = fields.into_iter().filter(|(_, text)| text.trim().is_empty());
    let missing: Vec<Flaw> =
        missing.map(|(field, _)| Flaw::new(field, "error-user-attribute-required")).collect();
    let [first_name, last_name, email] = fields.map(|(_, text)| Some(text.clone()));
    match changed(user, &Wish { username: None, first_name, last_name, email }) {
        Ok(user) if missing.is_empty() => Ok(user),
        Ok(_) => Err(missing),
        Err(flaws) => Err(flaws.into_iter().chain(missing).collect()),
    }
}

fn is_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(local, domain)| {
        let filled = !local.is_empty() && !domain.is_empty();
        filled && !domain.contains('@') && !email.contains(char::is_whitespace)
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
            assert_eq!(may(&claims, Access::Read), expected, "{case}");
            assert_eq!(may(&claims, Access::Change), case == "manage", "{case}");
        }
    }

    #[test]
    fn a_person_changes_names_and_address_and_nothing_else() {
        let user = User {
            email: Some("alice@example.com".into()),
            email_verified: true,
            first_name: Some("Alice".into()),
            ..User::new("r", "1", "alice", crate::clock::Timestamp(1))
        };
        let wish = |value: Value| serde_json::from_value::<Wish>(value).unwrap();
        let new =
            changed(&user, &wish(json!({ "firstName": " Ann ", "lastName": "Lee", "email": "a@b.example" })))
                .unwrap();
        let expected = User {
            first_name: Some("Ann".into()),
            last_name: Some("Lee".into()),
            email: Some("a@b.example".into()),
            email_verified: false,
            ..user.clone()
        };
        assert_eq!(new, expected);
        for (case, body) in [
            ("nothing", json!({})),
            ("what it is", json!({ "username": "Alice", "email": "alice@example.com" })),
            (
                "what is not a person's to say",
                json!({
                    "id": "2", "enabled": false, "emailVerified": false, "attributes": { "role": ["admin"] },
                    "requiredActions": ["x"]
                }),
            ),
        ] {
            assert_eq!(changed(&user, &wish(body)), Ok(user.clone()), "{case}");
        }
        let none = changed(&user, &wish(json!({ "email": "", "firstName": "" }))).unwrap();
        assert_eq!((none.email, none.email_verified, none.first_name), (None, false, None));
        for (case, body, field, message) in [
            ("another name", json!({ "username": "bob" }), "username", "error-user-attribute-read-only"),
            ("no address", json!({ "email": "alice" }), "email", "error-invalid-email"),
            ("two addresses", json!({ "email": "a@b@c" }), "email", "error-invalid-email"),
            ("an address with a space", json!({ "email": "a b@c" }), "email", "error-invalid-email"),
            ("a line", json!({ "lastName": "a\nb" }), "lastName", "error-invalid-value"),
            ("too long", json!({ "firstName": "x".repeat(256) }), "firstName", "error-invalid-length"),
        ] {
            let flaws = changed(&user, &wish(body)).unwrap_err();
            let found: Vec<_> = flaws.iter().map(|flaw| (flaw.field, flaw.error_message)).collect();
            assert_eq!(found, [(field, message)], "{case}");
        }
    }

    #[test]
    fn a_profile_is_complete_with_both_names_and_an_address() {
        let user = User { email_verified: true, ..User::new("r", "1", "alice", crate::clock::Timestamp(0)) };
        let profile = |first: &str, last: &str, email: &str| Profile {
            first_name: first.into(),
            last_name: last.into(),
            email: email.into(),
        };
        let new = completed(&user, &profile("Alice", " Adams ", "a@example.com")).unwrap();
        assert_eq!(Profile::of(&new), profile("Alice", "Adams", "a@example.com"));
        assert!(!new.email_verified, "nobody has proven the new address");
        for (case, wrong, expected) in [
            (
                "no name",
                profile("", "Adams", "a@example.com"),
                vec![("firstName", "error-user-attribute-required")],
            ),
            (
                "spaces",
                profile("Alice", "  ", "a@example.com"),
                vec![("lastName", "error-user-attribute-required")],
            ),
            ("no address", profile("Alice", "Adams", "a"), vec![("email", "error-invalid-email")]),
            (
                "two at once",
                profile("", "Adams", "a"),
                vec![("email", "error-invalid-email"), ("firstName", "error-user-attribute-required")],
            ),
        ] {
            let flaws = completed(&user, &wrong).unwrap_err();
            let flaws: Vec<_> = flaws.iter().map(|flaw| (flaw.field(), flaw.message())).collect();
            assert_eq!(flaws, expected, "{case}");
        }
    }
}
