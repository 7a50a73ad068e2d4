//! Rich authorization requests (RFC 9396): what a client asks for where a word of `scope` says too little.
//!
//! Owns reading `authorization_details`, what is left of granted ones, and how they are told to a person. A realm
//! declares the types, a client names those that it may use, and a detail holds nothing that its type does not know.
//! A person sees the whole of what is granted: a detail that a page could not show as it stands is refused.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::Client;
use super::display::disturbs;
use super::error::{ErrorCode, OAuthError};
use super::jws::strict_json;
use super::realm::RealmSettings;

/// Longest `authorization_details` parameter that is read, in bytes.
pub const MOST_BYTES: usize = 4_000;
/// Most details in one request.
pub const MOST_DETAILS: usize = 16;
/// Longest text in a detail, in characters: what a page shows without cutting it.
const LONGEST_TEXT: usize = 500;
/// Longest name of a member, in characters.
const LONGEST_NAME: usize = 64;

/// The members that every type may have (§2.2), and which a type has unless the realm says otherwise.
pub const COMMON_FIELDS: [&str; 5] = ["actions", "datatypes", "identifier", "locations", "privileges"];

/// A type of details that a realm knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DetailType {
    /// Value of `type`.
    pub name: String,
    /// Sentence on the consent page; none = the type's name.
    pub consent_text: Option<String>,
    /// Members that a detail may have beside `type`.
    pub fields: Vec<String>,
}

/// One detail: an object with a `type`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Detail(Map<String, Value>);

impl Detail {
    /// Its type.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its members beside `type` for people: a name, where `.` and `[…]` lead inwards, and a value. Nothing is left
    /// out.
    #[must_use]
    pub fn lines(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        for (name, value) in self.0.iter().filter(|(name, _)| *name != "type") {
            tell(name, value, &mut lines);
        }
        lines
    }

    /// Whether this asks for no more than `granted` gives: the same members with the same values, where a list of
    /// texts may be shorter. A member that is missing would lift a limit, and one that is new might.
    fn is_within(&self, granted: &Self) -> bool {
        let within = |(name, value): (&String, &Value)| match (value, granted.0.get(name)) {
            (Value::Array(less), Some(Value::Array(more))) if less.iter().all(Value::is_string) => {
                !less.is_empty() && less.iter().all(|item| more.contains(item)) || less == more
            }
            (value, granted) => Some(value) == granted,
        };
        self.0.len() == granted.0.len() && self.0.iter().all(within)
    }
}

/// Reads the parameter for `client`; absent, it asks for nothing.
///
/// # Errors
/// `invalid_authorization_details` (§5): it is no list of objects, or a detail is of a type that the realm does not
/// know or the client may not use, or has a member that its type does not know or a value of the wrong kind.
pub fn read(
    parameter: Option<&str>,
    client: &Client,
    realm: &RealmSettings,
) -> Result<Vec<Detail>, OAuthError> {
    let Some(text) = parameter else { return Ok(Vec::new()) };
    if text.len() > MOST_BYTES {
        return Err(refused("authorization_details is too long"));
    }
    let value =
        strict_json(text.as_bytes()).map_err(|fault| refused(format!("authorization_details {fault}")))?;
    let Value::Array(items) = value else { return Err(refused("authorization_details is not a list")) };
    if items.is_empty() || items.len() > MOST_DETAILS {
        return Err(refused("authorization_details has no item, or too many"));
    }
    items.into_iter().map(|item| read_one(item, client, realm)).collect()
}

fn read_one(item: Value, client: &Client, realm: &RealmSettings) -> Result<Detail, OAuthError> {
    let Value::Object(members) = item else {
        return Err(refused("an item of authorization_details is not an object"));
    };
    let detail = Detail(members);
    let kind = kind(&detail, client, realm).ok_or_else(|| {
        refused("a type of authorization_details is missing, is not known, or is not for this client")
    })?;
    for (name, value) in detail.0.iter().filter(|(name, _)| *name != "type") {
        if !kind.fields.contains(name) {
            return Err(refused("authorization_details has a member that its type does not know"));
        }
        if !has_its_kind(name, value) || !can_be_shown(value) {
            return Err(refused("authorization_details has a value that cannot be taken"));
        }
    }
    Ok(detail)
}

/// The type of `detail`, when the realm knows it and the client may use it.
fn kind<'a>(detail: &Detail, client: &Client, realm: &'a RealmSettings) -> Option<&'a DetailType> {
    let name = detail.kind();
    realm
        .authorization_details_types
        .iter()
        .find(|kind| kind.name == name)
        .filter(|_| client.settings.authorization_details_types.iter().any(|own| own == name))
}

/// The kinds of §2.2: lists of texts, and one text.
fn has_its_kind(name: &str, value: &Value) -> bool {
    match name {
        "identifier" => value.is_string(),
        name if COMMON_FIELDS.contains(&name) => {
            value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_string))
        }
        _ => true,
    }
}

fn can_be_shown(value: &Value) -> bool {
    let plain = |text: &str, longest: usize| text.chars().count() <= longest && !text.chars().any(disturbs);
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => plain(text, LONGEST_TEXT),
        Value::Array(items) => {
            let whole: usize =
                items.iter().filter_map(Value::as_str).map(|text| text.chars().count() + 2).sum();
            !items.is_empty() && whole <= LONGEST_TEXT && items.iter().all(can_be_shown)
        }
        Value::Object(members) => {
            !members.is_empty()
                && members.iter().all(|(name, value)| plain(name, LONGEST_NAME) && can_be_shown(value))
        }
    }
}

fn tell(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (inner, value) in members {
                tell(&format!("{name}.{inner}"), value, lines);
            }
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for (place, value) in items.iter().enumerate() {
                tell(&format!("{name}[{}]", place + 1), value, lines);
            }
        }
        Value::Array(items) => {
            let told: Vec<String> = items.iter().map(told).collect();
            lines.push((name.to_owned(), told.join(", ")));
        }
        value => lines.push((name.to_owned(), told(value))),
    }
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What is left of granted details: those of types that the realm still knows and the client may still use.
#[must_use]
pub fn keep(granted: &[Detail], client: &Client, realm: &RealmSettings) -> Vec<Detail> {
    granted.iter().filter(|detail| kind(detail, client, realm).is_some()).cloned().collect()
}

/// What a token request that asks for `parameter` gets of `granted` (§6): without the parameter all of it.
///
/// # Errors
/// `invalid_authorization_details` as [`read`] says, and for a detail that was not granted.
pub fn narrow(
    granted: &[Detail],
    parameter: Option<&str>,
    client: &Client,
    realm: &RealmSettings,
) -> Result<Vec<Detail>, OAuthError> {
    if parameter.is_none() {
        return Ok(granted.to_vec());
    }
    let asked = read(parameter, client, realm)?;
    let within = |detail: &Detail| granted.iter().any(|one| detail.is_within(one));
    if asked.iter().all(within) {
        return Ok(asked);
    }
    Err(refused("authorization_details asks for more than was granted"))
}

/// The sentence for a detail on the consent page.
#[must_use]
pub fn sentence<'a>(detail: &'a Detail, realm: &'a RealmSettings) -> &'a str {
    let known = realm.authorization_details_types.iter().find(|kind| kind.name == detail.kind());
    known.and_then(|kind| kind.consent_text.as_deref()).unwrap_or(detail.kind())
}

fn refused(why: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, why)
}

#[cfg(test)]
#[path = "authorization_details_tests.rs"]
mod tests;
