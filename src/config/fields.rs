//! Readers of single fields, each noting what is wrong with its line.

use std::time::Duration;

use crate::realm_file::FileProblem;
use crate::realm_file::read::fields::{Context, Fields, join};
use crate::realm_file::read::tree::{Node, Value};
use crate::realm_file::read::values;

/// A mistake at a field of the file, or about one that is absent.
pub(super) fn note(cx: &mut Context, field: &str, message: impl Into<String>) {
    let line = cx.places.get(field).copied();
    cx.problems.push(FileProblem {
        file: cx.file.clone(),
        line,
        field: field.to_owned(),
        message: message.into(),
    });
}

/// A string that `read` understands; an empty one counts as absent.
pub(super) fn one<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<T> {
    optional(fields, name, read).flatten()
}

/// As [`one`], but tells an empty string (`Some(None)`) from an absent field.
pub(super) fn optional<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Option<T>> {
    let (path, node) = fields.take(name)?;
    string(node, &path, fields.cx, &read)
}

/// A list of strings that `read` understands.
pub(super) fn many<T>(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let Some((path, node)) = fields.take(name) else { return Vec::new() };
    let line = node.line;
    let Value::List(items) = node.value else {
        fields.cx.refuse(line, &path, "expected a list of strings, in square brackets");
        return Vec::new();
    };
    let items = items.into_iter().enumerate();
    items.filter_map(|(index, item)| string(item, &format!("{path}[{index}]"), fields.cx, &read)?).collect()
}

fn string<T>(
    node: Node,
    path: &str,
    cx: &mut Context,
    read: &impl Fn(&str) -> Result<T, String>,
) -> Option<Option<T>> {
    let line = node.line;
    let text = values::text(node, path, cx)?;
    if text.is_empty() {
        return Some(None);
    }
    match read(&text) {
        Ok(value) => Some(Some(value)),
        Err(message) => {
            cx.refuse(line, path, message);
            None
        }
    }
}

pub(super) fn number<T: TryFrom<i64>>(
    fields: &mut Fields<'_>,
    name: &'static str,
    least: i64,
    most: i64,
) -> Option<T> {
    let value = fields.whole(name)?;
    within(fields, name, value, least, most, &format!("must be from {least} to {most}"))
}

/// Whole seconds, or a string such as `5s` or `2m`; at most a day.
pub(super) fn span(fields: &mut Fields<'_>, name: &'static str, least: i64) -> Option<Duration> {
    let value = fields.seconds(name)?;
    let refusal = format!("must be from {least} s to one day");
    within(fields, name, value, least, 86_400, &refusal).map(Duration::from_secs)
}

/// Bytes: a number, or a string such as `32KiB` or `1MiB`.
pub(super) fn bytes(fields: &mut Fields<'_>, name: &'static str, least: i64, most: i64) -> Option<usize> {
    let (path, node) = fields.take(name)?;
    let value = match &node.value {
        Value::Whole(number) => Some(*number),
        Value::Text { text, .. } => size(text),
        _ => None,
    };
    let Some(value) = value else {
        fields.cx.refuse(node.line, &path, "write bytes, or a string such as \"32KiB\" or \"1MiB\"");
        return None;
    };
    within(fields, name, value, least, most, &format!("must be from {least} to {most} bytes"))
}

fn size(text: &str) -> Option<i64> {
    let units = [("KiB", 1024), ("MiB", 1024 * 1024), ("", 1)];
    let (digits, unit) =
        units.into_iter().find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, unit)))?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse::<i64>().ok()?.checked_mul(unit) } else { None }
}

fn within<T: TryFrom<i64>>(
    fields: &mut Fields<'_>,
    name: &str,
    value: i64,
    least: i64,
    most: i64,
    refusal: &str,
) -> Option<T> {
    if (least..=most).contains(&value) {
        return T::try_from(value).ok();
    }
    let path = join(&fields.path, name);
    note(fields.cx, &path, refusal);
    None
}
