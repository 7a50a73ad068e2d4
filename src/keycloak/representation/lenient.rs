//! Values as Keycloak's reader takes them: a number may be written as a text, a switch too.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A whole number, or a text that holds one; null and an empty text are nothing.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match &value {
        Value::Null => Ok(None),
        Value::Number(number) if number.is_i64() => Ok(number.as_i64()),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => {
            text.trim().parse().map(Some).map_err(|_| unexpected(&value, "a whole number"))
        }
        _ => Err(unexpected(&value, "a whole number")),
    }
}

/// A switch, or a text that names one; null and an empty text are nothing.
pub(super) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    match &value {
        Value::Null => Ok(None),
        Value::Bool(on) => Ok(Some(*on)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" => Ok(None),
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(unexpected(&value, "true or false")),
        },
        _ => Err(unexpected(&value, "true or false")),
    }
}

/// A map of texts; numbers and switches become texts, nulls are left out.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    let all = scalars(deserializer)?;
    Ok(all.map(|all| all.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()))
}

/// A map of texts of which an empty one, or a null, takes away what was there.
pub(super) fn removable<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    let all = scalars(deserializer)?;
    Ok(all.map(|all| all.into_iter().map(|(name, text)| (name, text.unwrap_or_default())).collect()))
}

fn scalars<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Option<String>>>, D::Error> {
    let map = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let Some(map) = map else { return Ok(None) };
    map.into_iter().map(|(name, value)| Ok((name, scalar(&value)?))).collect::<Result<_, _>>().map(Some)
}

/// A map of lists of texts; a single value is a list of one.
pub(super) fn lists<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeMap<String, Vec<String>>>, D::Error> {
    let map = Option::<BTreeMap<String, Value>>::deserialize(deserializer)?;
    let Some(map) = map else { return Ok(None) };
    let mut lists = BTreeMap::new();
    for (name, value) in map {
        let values = match value {
            Value::Array(items) => items,
            single => vec![single],
        };
        let mut list = Vec::with_capacity(values.len());
        for value in &values {
            list.extend(scalar(value)?);
        }
        lists.insert(name, list);
    }
    Ok(Some(lists))
}

/// A text of a single value; none for null. Structures become their JSON, as a setting may hold it.
fn scalar<E: Error>(value: &Value) -> Result<Option<String>, E> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Ok(Some(other.to_string())),
    }
}

fn unexpected<E: Error>(value: &Value, wanted: &str) -> E {
    struct Wanted<'a>(&'a str);
    impl serde::de::Expected for Wanted<'_> {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(self.0)
        }
    }
    let found = match value {
        Value::Bool(on) => Unexpected::Bool(*on),
        Value::Number(_) => Unexpected::Other("a number"),
        // What stands there may be a secret in the wrong place.
        Value::String(_) => Unexpected::Other("a text"),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
        Value::Null => Unexpected::Unit,
    };
    E::invalid_type(found, &Wanted(wanted))
}
