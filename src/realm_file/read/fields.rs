//! A cursor over one table: takes fields by name and kind, and notes every mistake instead of stopping at the first.

use std::collections::BTreeMap;

use super::super::FileProblem;
use super::suggest::nearest;
use super::tree::{Entry, Node, Value};
use super::values::{choice, json, kind, one_or_more, text};

/// What is gathered while a file is read.
#[derive(Debug, Default)]
pub(crate) struct Context {
    pub(crate) file: String,
    pub(crate) problems: Vec<FileProblem>,
    /// The line of every field.
    pub(crate) places: BTreeMap<String, usize>,
}

impl Context {
    pub(crate) fn refuse(&mut self, line: usize, field: &str, message: impl Into<String>) {
        self.problems.push(FileProblem {
            file: self.file.clone(),
            line: Some(line),
            field: field.to_owned(),
            message: message.into(),
        });
    }
}

/// `realm` and `name` to `realm.name`.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The fields of one table that nobody has taken yet.
pub(crate) struct Fields<'cx> {
    pub(crate) cx: &'cx mut Context,
    pub(crate) path: String,
    pub(crate) line: usize,
    entries: Vec<Entry>,
    known: Vec<&'static str>,
}

impl<'cx> Fields<'cx> {
    /// `None`, noted, when `node` is no table.
    pub(crate) fn open(node: Node, path: &str, cx: &'cx mut Context) -> Option<Self> {
        cx.places.insert(path.to_owned(), node.line);
        match node.value {
            Value::Table(entries) => {
                Some(Self { cx, path: path.to_owned(), line: node.line, entries, known: Vec::new() })
            }
            other => {
                cx.refuse(node.line, path, format!("expected a table, found {}", kind(&other)));
                None
            }
        }
    }

    /// Whether the table has the field, without taking it.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// The field's path and value; none when it is absent or null.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<(String, Node)> {
        self.known.push(name);
        let at = self.entries.iter().position(|entry| entry.name == name)?;
        let entry = self.entries.remove(at);
        let path = join(&self.path, name);
        let line = if matches!(entry.node.value, Value::Table(_) | Value::List(_)) {
            entry.line
        } else {
            entry.node.line
        };
        self.cx.places.insert(path.clone(), line);
        (entry.node.value != Value::Null).then_some((path, entry.node))
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let (path, node) = self.take(name)?;
        text(node, &path, self.cx)
    }

    /// Any JSON: a table or a list, or a string that holds an object of strict JSON. An empty string stays one.
    pub(crate) fn json(&mut self, name: &'static str) -> Option<serde_json::Value> {
        let (path, node) = self.take(name)?;
        json(node, &path, self.cx)
    }

    /// A string that must be there and hold something.
    pub(crate) fn required(&mut self, name: &'static str) -> Option<String> {
        if !self.has(name) {
            let path = self.path.clone();
            self.known.push(name);
            self.cx.refuse(self.line, &path, format!("`{name}` is missing"));
            return None;
        }
        let value = self.text(name)?;
        if value.trim().is_empty() {
            let path = join(&self.path, name);
            let line = self.cx.places.get(&path).copied().unwrap_or(self.line);
            self.cx.refuse(line, &path, "it is empty");
            return None;
        }
        Some(value)
    }

    /// `true` or `false`; a string that was filled in may say so too.
    pub(crate) fn switch(&mut self, name: &'static str) -> Option<bool> {
        let (path, node) = self.take(name)?;
        match &node.value {
            Value::Bool(flag) => return Some(*flag),
            Value::Text { text, filled: true } if text == "true" => return Some(true),
            Value::Text { text, filled: true } if text == "false" => return Some(false),
            other => {
                self.cx.refuse(node.line, &path, format!("expected true or false, found {}", kind(other)))
            }
        }
        None
    }

    /// A whole number.
    pub(crate) fn whole(&mut self, name: &'static str) -> Option<i64> {
        let (path, node) = self.take(name)?;
        match &node.value {
            Value::Whole(number) => return Some(*number),
            Value::Text { text, filled: true } if text.parse::<i64>().is_ok() => return text.parse().ok(),
            other => {
                self.cx.refuse(node.line, &path, format!("expected a whole number, found {}", kind(other)))
            }
        }
        None
    }

    /// A span of time: seconds, or a string such as `90s`, `5m`, `1h30m`, `30d`.
    pub(crate) fn seconds(&mut self, name: &'static str) -> Option<i64> {
        let (path, node) = self.take(name)?;
        let span = match &node.value {
            Value::Whole(number) => Some(*number),
            Value::Text { text, .. } => super::duration::seconds(text),
            other => {
                let found = kind(other);
                self.cx.refuse(
                    node.line,
                    &path,
                    format!("expected seconds, or a string such as \"5m\", found {found}"),
                );
                return None;
            }
        };
        if span.is_none() {
            self.cx.refuse(
                node.line,
                &path,
                "expected seconds, or a string such as \"90s\", \"5m\", \"1h30m\" or \"30d\"",
            );
        }
        span
    }

    /// One of a few words, read by `known`, which names them all when it knows none.
    pub(crate) fn choice<T>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let (path, node) = self.take(name)?;
        choice(node, &path, words, self.cx)
    }

    /// A list of strings. A single string is a list of one only where it is written as a list.
    pub(crate) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let items = self.list(name)?;
        Some(items.into_iter().filter_map(|(path, node)| text(node, &path, self.cx)).collect())
    }

    /// A list of words, each one of a few.
    pub(crate) fn choices<T>(&mut self, name: &'static str, words: &[(&'static str, T)]) -> Option<Vec<T>>
    where
        T: Copy,
    {
        let items = self.list(name)?;
        Some(items.into_iter().filter_map(|(path, node)| choice(node, &path, words, self.cx)).collect())
    }

    /// A list of tables, each read by `read`.
    pub(crate) fn tables<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Fields<'_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let items = self.list(name)?;
        Some(items.into_iter().filter_map(|(path, node)| table(node, &path, self.cx, &read)).collect())
    }

    /// One table, read by `read`.
    pub(crate) fn table<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Fields<'_>) -> Option<T>,
    ) -> Option<T> {
        let (path, node) = self.take(name)?;
        table(node, &path, self.cx, &read)
    }

    /// A table of free names, each with a string.
    pub(crate) fn words(&mut self, name: &'static str) -> Option<BTreeMap<String, String>> {
        let entries = self.free(name)?;
        Some(
            entries
                .into_iter()
                .filter_map(|(path, name, node)| Some((name, text(node, &path, self.cx)?)))
                .collect(),
        )
    }

    /// A table of free names, each with a string or a list of strings.
    pub(crate) fn attributes(&mut self, name: &'static str) -> Option<BTreeMap<String, Vec<String>>> {
        let entries = self.free(name)?;
        Some(
            entries
                .into_iter()
                .filter_map(|(path, name, node)| Some((name, one_or_more(node, &path, self.cx)?)))
                .collect(),
        )
    }

    /// Tells of every field that nobody took.
    pub(crate) fn close(self) {
        for entry in &self.entries {
            let message = match nearest(&entry.name, self.known.iter().copied()) {
                Some(name) => format!("unknown field; did you mean `{name}`?"),
                None => format!("unknown field; known are {}", self.known.join(", ")),
            };
            self.cx.refuse(entry.line, &join(&self.path, &entry.name), message);
        }
    }

    fn list(&mut self, name: &'static str) -> Option<Vec<(String, Node)>> {
        let (path, node) = self.take(name)?;
        match node.value {
            Value::List(items) => {
                let items = items.into_iter().enumerate();
                Some(items.map(|(index, item)| (format!("{path}[{index}]"), item)).collect())
            }
            other => {
                self.cx.refuse(node.line, &path, format!("expected a list, found {}", kind(&other)));
                None
            }
        }
    }

    fn free(&mut self, name: &'static str) -> Option<Vec<(String, String, Node)>> {
        let (path, node) = self.take(name)?;
        match node.value {
            Value::Table(entries) => {
                let entries = entries.into_iter();
                Some(entries.map(|entry| (join(&path, &entry.name), entry.name, entry.node)).collect())
            }
            other => {
                self.cx.refuse(node.line, &path, format!("expected a table, found {}", kind(&other)));
                None
            }
        }
    }
}

fn table<T>(
    node: Node,
    path: &str,
    cx: &mut Context,
    read: impl Fn(&mut Fields<'_>) -> Option<T>,
) -> Option<T> {
    let mut fields = Fields::open(node, path, cx)?;
    let value = read(&mut fields);
    fields.close();
    value
}
