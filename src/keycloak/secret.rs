//! Which members of a representation hold a secret, and the mask that stands in their place (attacks A06).
//!
//! One list for whatever is kept: documents with their settings, fields of realms, attributes of clients.

use serde_json::{Map, Value};

use super::client::MASK;
use super::record::Kept;

/// How names of members end that hold a secret, without regard to case, dots, hyphens and underscores: `clientSecret`,
/// `saml.signing.private.key`.
const ENDINGS: [&str; 8] =
    ["secret", "password", "passphrase", "privatekey", "secretkey", "apikey", "credential", "secretdata"];

/// Names of members that hold a secret, spelled the same way.
const NAMES: [&str; 4] = ["token", "accesstoken", "refreshtoken", "clientsecretrotated"];

/// What holds a secret of a credential.
const OF_CREDENTIALS: [&str; 3] = ["value", "salt", "hashedsaltedvalue"];

/// How names of members end that say where a secret goes, spelled the same way.
const ADDRESSES: [&str; 6] = ["url", "uri", "host", "port", "server", "endpoint"];

/// Addresses for browsers, and of keys: no secret goes there.
const PUBLIC: [&str; 6] = [
    "authorizationurl",
    "logouturl",
    "jwksurl",
    "redirecturi",
    "singlesignonserviceurl",
    "singlelogoutserviceurl",
];

/// What people and clients are described by in members that this server does not know: they are not the realm's own.
const PEOPLE: [&str; 3] = ["federatedUsers", "applications", "oauthClients"];

/// What the members around say of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Credentials,
    Secret,
}

impl Place {
    /// The place of what the member `name` holds.
    fn below(self, name: &str) -> Self {
        let plain = plain(name);
        let is_secret =
            ENDINGS.iter().any(|ending| plain.ends_with(ending)) || NAMES.contains(&plain.as_str());
        let of_credential = self == Self::Credentials && OF_CREDENTIALS.contains(&plain.as_str());
        if self == Self::Secret || is_secret || of_credential {
            Self::Secret
        } else if self == Self::Credentials || plain == "credentials" {
            Self::Credentials
        } else {
            Self::Plain
        }
    }
}

/// A name without regard to case, dots, hyphens and underscores.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// `content` with masks for its secrets.
#[must_use]
pub fn masked(mut content: Kept) -> Kept {
    each_secret(&mut content, &mut |secret| *secret = MASK.into());
    content
}

/// Shows each secret of `content` to `act`, a text or a number.
pub fn each_secret(content: &mut Kept, act: &mut dyn FnMut(&mut Value)) {
    each(content, Place::Plain, act);
}

/// What is kept beside a realm as those see it who look at the realm alone: masked, and without people and clients.
#[must_use]
pub fn of_realm(mut content: Kept) -> Kept {
    PEOPLE.iter().for_each(|name| drop(content.remove(*name)));
    masked(content)
}

fn each(members: &mut Map<String, Value>, place: Place, act: &mut dyn FnMut(&mut Value)) {
    for (name, value) in members {
        each_in(value, place.below(name), act);
    }
}

fn each_in(value: &mut Value, place: Place, act: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::String(text) if place == Place::Secret && is_secret(text) => act(value),
        Value::Number(_) if place == Place::Secret => act(value),
        Value::Array(items) => items.iter_mut().for_each(|item| each_in(item, place, act)),
        Value::Object(members) => each(members, place, act),
        _ => {}
    }
}

/// Not where a secret is (`${vault.name}`), and not whether there is one.
fn is_secret(text: &str) -> bool {
    !(text.is_empty() || text == "true" || text == "false" || text.starts_with("${"))
}

/// Puts back into `content` what masks stand for in `old`. A mask that stands for nothing goes.
pub fn unmask(content: &mut Kept, old: &Kept) {
    put_back(content, Some(old), Place::Plain);
}

fn put_back(members: &mut Map<String, Value>, old: Option<&Map<String, Value>>, place: Place) {
    members.retain(|name, value| {
        let before = old.and_then(|old| old.get(name));
        stays(value, before, place.below(name))
    });
}

/// Whether the value, with what masks stand for put back, says anything.
fn stays(value: &mut Value, before: Option<&Value>, place: Place) -> bool {
    match value {
        Value::String(text) if place == Place::Secret && text == MASK => {
            let found = before.filter(|before| !before.is_object() && !before.is_array());
            if let Some(before) = found {
                *value = before.clone();
            }
            found.is_some()
        }
        Value::Array(items) => {
            let had = !items.is_empty();
            let before = before.and_then(Value::as_array);
            let mut index = 0;
            items.retain_mut(|item| {
                let peer = before.and_then(|before| peer(item, index, before));
                index += 1;
                stays(item, peer, place)
            });
            !(had && items.is_empty())
        }
        Value::Object(members) => {
            put_back(members, before.and_then(Value::as_object), place);
            true
        }
        _ => true,
    }
}

/// The name of an address that `content` changes beside a mask which stands for what `old` keeps: with it, the secret
/// would go to whoever named the address (attacks B07).
#[must_use]
pub fn redirected<'a>(content: &'a Kept, old: &Kept) -> Option<&'a str> {
    leads_elsewhere(content, old, Place::Plain)
}

fn leads_elsewhere<'a>(
    members: &'a Map<String, Value>,
    old: &Map<String, Value>,
    place: Place,
) -> Option<&'a str> {
    let carries = |(name, value): (&String, &Value)| {
        place.below(name) == Place::Secret && is_masked(value) && old.contains_key(name)
    };
    let is_other = |(name, value): &(&'a String, &'a Value)| {
        let new = told(value);
        is_address(name) && !value.is_object() && !new.is_empty() && old.get(*name).map(told) != Some(new)
    };
    let other = if members.iter().any(carries) { members.iter().find(is_other) } else { None };
    let below = || members.iter().find_map(|(name, value)| leads(value, old.get(name)?, place.below(name)));
    other.map(|(name, _)| name.as_str()).or_else(below)
}

fn leads<'a>(value: &'a Value, before: &Value, place: Place) -> Option<&'a str> {
    match (value, before) {
        (Value::Object(members), Value::Object(old)) => leads_elsewhere(members, old, place),
        (Value::Array(items), Value::Array(old)) => {
            let mut peers = items.iter().enumerate();
            peers.find_map(|(index, item)| leads(item, peer(item, index, old)?, place))
        }
        _ => None,
    }
}

fn is_masked(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_masked),
        value => value == MASK,
    }
}

fn is_address(name: &str) -> bool {
    let plain = plain(name);
    ADDRESSES.iter().any(|ending| plain.ends_with(ending)) && !PUBLIC.contains(&plain.as_str())
}

/// A value as text, whether it was written as one or not, alone or in a list.
fn told(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(told).collect::<Vec<_>>().join(" "),
        value => value.to_string(),
    }
}

/// What an item of a list was before: the one of the same name, else the one in the same place.
fn peer<'a>(item: &Value, index: usize, before: &'a [Value]) -> Option<&'a Value> {
    for name in ["id", "internalId", "clientId", "username", "alias", "name", "identityProvider"] {
        if let Some(own) = item.get(name) {
            return before.iter().find(|other| other.get(name) == Some(own));
        }
    }
    before.get(index)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(value: Value) -> Kept {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a06_secrets_are_masked_and_a_mask_that_comes_back_takes_nothing_away() {
        for (row, told, shown) in [
            ("a text", json!({ "clientSecret": "canary" }), json!({ "clientSecret": MASK })),
            ("a list", json!({ "privateKey": ["canary"] }), json!({ "privateKey": [MASK] })),
            ("a reference", json!({ "clientSecret": "${vault.x}" }), json!({ "clientSecret": "${vault.x}" })),
            ("whether there is one", json!({ "hasPassword": "true" }), json!({ "hasPassword": "true" })),
            ("a number", json!({ "bindCredential": 1234 }), json!({ "bindCredential": MASK })),
            (
                "dots",
                json!({ "saml.signing.private.key": "canary" }),
                json!({ "saml.signing.private.key": MASK }),
            ),
            (
                "deep",
                json!({ "codeSecret": "canary", "smtpServer": { "host": "h", "authTokenClientSecret": "canary" } }),
                json!({ "codeSecret": MASK, "smtpServer": { "host": "h", "authTokenClientSecret": MASK } }),
            ),
            (
                "a credential",
                json!({ "users": [{ "id": "u", "credentials": [{ "type": "otp", "value": "canary", "secretData": "canary" }] }] }),
                json!({ "users": [{ "id": "u", "credentials": [{ "type": "otp", "value": MASK, "secretData": MASK }] }] }),
            ),
            (
                "what is none",
                json!({ "value": "x", "secretSize": "64", "passwordPolicy": "length(8)", "requiredCredentials": ["password"],
                    "tokenUrl": "https://x", "resetPasswordAllowed": true }),
                json!({ "value": "x", "secretSize": "64", "passwordPolicy": "length(8)", "requiredCredentials": ["password"],
                    "tokenUrl": "https://x", "resetPasswordAllowed": true }),
            ),
        ] {
            for inside in [false, true] {
                let wrap =
                    |value: &Value| kept(if inside { json!({ "config": value }) } else { value.clone() });
                let old = wrap(&told);
                let mut new = masked(old.clone());
                assert_eq!(new, wrap(&shown), "{row}");
                unmask(&mut new, &old);
                assert_eq!(new, old, "{row}");
            }
        }
    }

    #[test]
    fn b07_a_mask_carries_no_secret_to_another_address() {
        let old = kept(json!({
            "alias": "hub",
            "config": { "clientSecret": "canary", "tokenUrl": "https://a", "port": 25, "connectionUrl": ["ldap://a"] },
        }));
        for (row, config, expected) in [
            ("the same", json!({ "clientSecret": MASK, "tokenUrl": "https://a", "port": "25" }), None),
            ("another", json!({ "clientSecret": MASK, "tokenUrl": "https://b" }), Some("tokenUrl")),
            ("another port", json!({ "clientSecret": MASK, "port": 26 }), Some("port")),
            (
                "in a list",
                json!({ "clientSecret": [MASK], "connectionUrl": ["ldap://b"] }),
                Some("connectionUrl"),
            ),
            (
                "one more",
                json!({ "clientSecret": MASK, "tokenIntrospectionUrl": "x" }),
                Some("tokenIntrospectionUrl"),
            ),
            ("one less", json!({ "clientSecret": MASK, "tokenUrl": "" }), None),
            ("for browsers", json!({ "clientSecret": MASK, "authorizationUrl": "https://b" }), None),
            ("a new secret", json!({ "clientSecret": "new", "tokenUrl": "https://b" }), None),
            ("no secret", json!({ "tokenUrl": "https://b" }), None),
            ("a mask for nothing", json!({ "apiKey": MASK, "tokenUrl": "https://b" }), None),
        ] {
            let new = kept(json!({ "alias": "hub", "config": config }));
            assert_eq!(redirected(&new, &old), expected, "{row}");
        }
    }

    #[test]
    fn a06_a_new_secret_replaces_the_old_one_and_a_mask_for_nothing_is_none() {
        for (row, new, old, expected) in [
            ("new", json!({ "secret": "new" }), json!({ "secret": "old" }), json!({ "secret": "new" })),
            ("nothing there", json!({ "secret": MASK, "x": 1 }), json!({}), json!({ "x": 1 })),
            ("a list of nothing", json!({ "secret": [MASK] }), json!({}), json!({})),
            (
                "others moved",
                json!({ "all": [{ "id": "b", "token": MASK }, { "id": "a", "token": MASK }] }),
                json!({ "all": [{ "id": "a", "token": "1" }, { "id": "b", "token": "2" }] }),
                json!({ "all": [{ "id": "b", "token": "2" }, { "id": "a", "token": "1" }] }),
            ),
            (
                "another's",
                json!({ "all": [{ "id": "c", "token": MASK }] }),
                json!({ "all": [{ "id": "a", "token": "1" }] }),
                json!({ "all": [{ "id": "c" }] }),
            ),
        ] {
            let mut new = kept(new);
            unmask(&mut new, &kept(old));
            assert_eq!(new, kept(expected), "{row}");
        }
    }
}
