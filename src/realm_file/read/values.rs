//! One value: a string, one of a few words, one or more strings.

use super::fields::Context;
use super::suggest::nearest;
use super::tree::{Entry, Node, Value};
use crate::protocol::jws::strict_object;

pub(crate) fn text(node: Node, path: &str, cx: &mut Context) -> Option<String> {
    cx.places.insert(path.to_owned(), node.line);
    match node.value {
        Value::Text { text, .. } if text.contains('\0') => {
            cx.refuse(node.line, path, "a null character is refused");
            None
        }
        Value::Text { text, .. } => Some(text),
        other => {
            cx.refuse(
                node.line,
                path,
                format!("expected a string, found {}: put it in quotes", kind(&other)),
            );
            None
        }
    }
}

pub(crate) fn one_or_more(node: Node, path: &str, cx: &mut Context) -> Option<Vec<String>> {
    match node.value {
        Value::List(items) => {
            let items = items.into_iter().enumerate();
            Some(items.filter_map(|(index, item)| text(item, &format!("{path}[{index}]"), cx)).collect())
        }
        _ => text(node, path, cx).map(|text| vec![text]),
    }
}

pub(crate) fn choice<T: Copy>(
    node: Node,
    path: &str,
    words: &[(&'static str, T)],
    cx: &mut Context,
) -> Option<T> {
    let line = node.line;
    let word = text(node, path, cx)?;
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == word) {
        return Some(*value);
    }
    let message = match nearest(&word, words.iter().map(|(name, _)| *name)) {
        Some(name) => format!("unknown value; did you mean `{name}`?"),
        None => {
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            format!("unknown value; known are {}", names.join(", "))
        }
    };
    cx.refuse(line, path, message);
    None
}

/// A value as JSON, in which a string at the top is JSON itself.
pub(crate) fn json(node: Node, path: &str, cx: &mut Context) -> Option<serde_json::Value> {
    let line = node.line;
    let Value::Text { text, .. } = &node.value else { return plain(node, path, cx) };
    if text.is_empty() {
        return Some(serde_json::Value::String(String::new()));
    }
    match strict_object(text.as_bytes()) {
        Ok(members) => Some(serde_json::Value::Object(members)),
        Err(fault) => {
            cx.refuse(line, path, format!("the string {fault}"));
            None
        }
    }
}

fn plain(node: Node, path: &str, cx: &mut Context) -> Option<serde_json::Value> {
    Some(match node.value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => flag.into(),
        Value::Whole(number) => number.into(),
        Value::Text { .. } => text(node, path, cx)?.into(),
        Value::Other(_) => {
            cx.refuse(node.line, path, format!("{} is refused", kind(&node.value)));
            return None;
        }
        Value::List(items) => {
            let items = items.into_iter().enumerate();
            items.map(|(index, item)| plain(item, &format!("{path}[{index}]"), cx)).collect::<Option<_>>()?
        }
        Value::Table(entries) => {
            let member = |entry: Entry| {
                let value = plain(entry.node, &format!("{path}.{}", entry.name), &mut *cx)?;
                Some((entry.name, value))
            };
            serde_json::Value::Object(entries.into_iter().map(member).collect::<Option<_>>()?)
        }
    })
}

/// What a value is, for a person. Never its content, which may be a secret.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Whole(_) => "a number",
        Value::Other(_) => "a fraction, a date or a very large number",
        Value::Text { .. } => "a string",
        Value::List(_) => "a list",
        Value::Table(_) => "a table",
    }
}
