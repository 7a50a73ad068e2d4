//! Where a claim goes: `claim.name` with dots that nest and backslashes that escape them.

use serde_json::{Map, Value};

/// Deeper nesting than any honest claim has.
const DEEPEST: usize = 16;

/// The steps of a `claim.name`: `a.b` is `b` within `a`, `a\.b` is the one claim `a.b`. None when a step is empty or
/// there are too many.
pub(super) fn parse(name: &str) -> Option<Vec<String>> {
    let mut steps = vec![String::new()];
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        let step = steps.last_mut()?;
        match letter {
            '\\' => step.extend(letters.next()),
            '.' => steps.push(String::new()),
            _ => step.push(letter),
        }
    }
    (steps.len() <= DEEPEST && steps.iter().all(|step| !step.is_empty())).then_some(steps)
}

/// Puts `value` at `steps`. Two lists in one place become one without repetitions; otherwise the later value wins. A
/// value that stands where an object would have to be stays, and the new one is dropped. Nulls, empty strings, empty
/// lists and empty objects are never put (OpenID Connect Core §5.3.2).
pub(super) fn put(claims: &mut Map<String, Value>, steps: &[String], value: Value) {
    let Some((name, below)) = steps.split_first() else { return };
    let Some(value) = substance(value) else { return };
    if below.is_empty() {
        let value = match (claims.remove(name), value) {
            (Some(Value::Array(there)), Value::Array(new)) => Value::Array(union(there, new)),
            (_, value) => value,
        };
        claims.insert(name.clone(), value);
    } else if let Value::Object(inner) =
        claims.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()))
    {
        put(inner, below, value);
    }
}

fn substance(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(substance).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(members) => {
            let members: Map<String, Value> =
                members.into_iter().filter_map(|(name, value)| Some((name, substance(value)?))).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        other => Some(other),
    }
}

fn union(mut there: Vec<Value>, new: Vec<Value>) -> Vec<Value> {
    for item in new {
        if !there.contains(&item) {
            there.push(item);
        }
    }
    there
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dots_nest_unless_escaped() {
        for (name, expected) in [
            ("email", Some(vec!["email"])),
            ("realm_access.roles", Some(vec!["realm_access", "roles"])),
            (r"https://example\.com/role", Some(vec!["https://example.com/role"])),
            (r"a\.b.c", Some(vec!["a.b", "c"])),
            (r"a\\.b", Some(vec![r"a\", "b"])),
            (r"a\", Some(vec!["a"])),
            ("", None),
            (".", None),
            ("a..b", None),
            ("a.", None),
            ("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", None),
        ] {
            let expected = expected.map(|steps| steps.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(parse(name), expected, "{name:?}");
        }
    }

    #[test]
    fn values_meet_in_one_place() {
        for (name, there, path, value, expected) in [
            ("a new claim", json!({}), "a", json!(1), json!({"a": 1})),
            ("a nested one", json!({}), "a.b.c", json!("x"), json!({"a": {"b": {"c": "x"}}})),
            ("beside a sibling", json!({"a": {"x": 1}}), "a.b", json!(2), json!({"a": {"x": 1, "b": 2}})),
            ("the later wins", json!({"a": 1}), "a", json!(2), json!({"a": 2})),
            ("lists unite", json!({"a": ["x"]}), "a", json!(["y", "x"]), json!({"a": ["x", "y"]})),
            ("a value is no object", json!({"a": 1}), "a.b", json!(2), json!({"a": 1})),
            ("null", json!({}), "a", Value::Null, json!({})),
            ("an empty string keeps the one before", json!({"a": 1}), "a", json!(""), json!({"a": 1})),
            ("emptiness within", json!({}), "a", json!({"b": [""], "c": {"d": null}}), json!({})),
            ("nothing nested for nothing", json!({}), "a.b", json!([]), json!({})),
            ("false and 0 are values", json!({}), "a", json!([false, 0]), json!({"a": [false, 0]})),
        ] {
            let Value::Object(mut claims) = there else { unreachable!() };
            put(&mut claims, &parse(path).unwrap(), value);
            assert_eq!(Value::Object(claims), expected, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_parsed_name_can_be_written_again(name in "[a-z.\\\\]{0,30}") {
            if let Some(steps) = parse(&name) {
                let escaped: Vec<String> =
                    steps.iter().map(|step| step.replace('\\', r"\\").replace('.', r"\.")).collect();
                proptest::prop_assert_eq!(parse(&escaped.join(".")), Some(steps));
            }
        }
    }
}
