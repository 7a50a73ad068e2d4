//! The claims of a token, read by what they are (RFC 7519 §4). What they must say is [`super::expect`]'s.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::Timestamp;

/// The members of a payload. Clones share them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(Arc<Map<String, Value>>);

impl Claims {
    /// The claims of this object.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self(Arc::new(members))
    }

    /// The claim `name`, whatever it is.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The claim `name` if it is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// The claim `name` if it is a whole number of seconds since 1970 (a `NumericDate` of RFC 7519 §2; fractions are
    /// refused).
    #[must_use]
    pub fn time(&self, name: &str) -> Option<Timestamp> {
        self.0.get(name)?.as_i64().map(Timestamp)
    }

    /// The audiences: a text or a list of texts. `None` when `aud` is missing, empty or anything else.
    #[must_use]
    pub fn audiences(&self) -> Option<Vec<&str>> {
        match self.0.get("aud")? {
            Value::String(one) => Some(vec![one]),
            Value::Array(many) if !many.is_empty() => many.iter().map(Value::as_str).collect(),
            _ => None,
        }
    }

    /// All members.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// All members, to be read into a record.
    #[must_use]
    pub fn into_value(self) -> Value {
        Value::Object(Arc::unwrap_or_clone(self.0))
    }
}
