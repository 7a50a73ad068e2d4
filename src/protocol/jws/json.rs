//! JSON read strictly: one meaning for every text, within bounds.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

/// How deep objects and lists may nest; the outermost object counts as one.
pub const MAX_DEPTH: usize = 16;

/// Why a text is not an object of strict JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not JSON (RFC 8259), not UTF-8, or a number out of range.
    #[error("is not JSON")]
    Syntax,
    /// JSON, but not an object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A member name occurs twice in one object.
    #[error("names a member twice")]
    Duplicate,
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("is nested too deep")]
    TooDeep,
}

/// Reads one JSON object in which no name occurs twice, at any depth, and nothing nests deeper than [`MAX_DEPTH`].
///
/// # Errors
/// [`JsonFault`] says what is wrong.
pub fn strict_object(text: &[u8]) -> Result<Map<String, Value>, JsonFault> {
    match strict_json(text)? {
        Value::Object(object) => Ok(object),
        _ => Err(JsonFault::NotAnObject),
    }
}

/// Reads one value of JSON as strictly as [`strict_object`].
///
/// # Errors
/// [`JsonFault`] says what is wrong.
pub fn strict_json(text: &[u8]) -> Result<Value, JsonFault> {
    let fault = Cell::new(JsonFault::Syntax);
    let mut reader = serde_json::Deserializer::from_slice(text);
    Strict { room: MAX_DEPTH, fault: &fault }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| fault.get())
}

/// Reads one value with `room` levels of nesting left; a rule of ours that is broken is left in `fault`.
#[derive(Clone, Copy)]
struct Strict<'a> {
    room: usize,
    fault: &'a Cell<JsonFault>,
}

impl Strict<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        match self.room.checked_sub(1) {
            Some(room) => Ok(Self { room, ..self }),
            None => Err(self.refuse(JsonFault::TooDeep)),
        }
    }

    fn refuse<E: Error>(self, fault: JsonFault) -> E {
        self.fault.set(fault);
        E::custom(fault)
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Entry::Vacant(place) = object.entry(name) else {
                return Err(self.refuse(JsonFault::Duplicate));
            };
            place.insert(members.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_of_value_comes_through_unchanged() {
        let text =
            r#"{"a":null,"b":true,"c":-1,"d":18446744073709551615,"e":1.5,"f":"ä\n","g":[1,[2]],"h":{}}"#;
        let lenient: Value = serde_json::from_str(text).unwrap();
        assert_eq!(Value::Object(strict_object(text.as_bytes()).unwrap()), lenient);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(8, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever the lenient reader wrote, the strict one reads alike, or names the reason.
        #[test]
        fn agrees_with_the_lenient_reader(value in json()) {
            let text = value.to_string();
            match strict_object(text.as_bytes()) {
                Ok(object) => prop_assert_eq!(Value::Object(object), value),
                Err(fault) => prop_assert!(fault == JsonFault::NotAnObject && !value.is_object(), "{fault:?}"),
            }
        }

        #[test]
        fn what_is_read_is_json_for_the_lenient_reader_too(text: Vec<u8>) {
            if strict_object(&text).is_ok() {
                prop_assert!(serde_json::from_slice::<Value>(&text).is_ok());
            }
        }
    }
}
