//! One tree for TOML, YAML and JSON, where every value knows its line.

use std::ops::Range;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::Format;

/// A value and the line it begins on, counted from 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

/// What the three formats have in common.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i64),
    /// A fraction, a date, or a number beyond 64 bits, by its text: no field takes one.
    Other(String),
    /// `filled` when a `${…}` took part in it.
    Text {
        text: String,
        filled: bool,
    },
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A field of a table, in the order of the file where the format keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) node: Node,
}

/// What keeps a text from being a tree: line, where it is known, and what is wrong.
pub(crate) type Fault = (Option<usize>, String);

/// The tree of `text`.
pub(crate) fn parse(text: &str, format: Format) -> Result<Node, Vec<Fault>> {
    match format {
        Format::Toml => from_toml(text),
        Format::Yaml => from_yaml(text).map_err(|fault| vec![fault]),
        Format::Json => from_json(text).map_err(|fault| vec![fault]),
    }
}

fn from_toml(text: &str) -> Result<Node, Vec<Fault>> {
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let line = lines.at(table.span());
        return Ok(Node { line, value: toml_table(table.into_inner(), &lines) });
    }
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| (error.span().map(|span| lines.at(span)), error.message().replace('\n', ", ")))
        .collect();
    faults.dedup();
    Err(faults)
}

fn toml_table(table: DeTable<'_>, lines: &Lines) -> Value {
    let entries = table.into_iter().map(|(key, value)| Entry {
        line: lines.at(key.span()),
        name: key.into_inner().into_owned(),
        node: toml_node(value, lines),
    });
    let mut entries: Vec<Entry> = entries.collect();
    entries.sort_by_key(|entry| entry.line);
    Value::Table(entries)
}

fn toml_node(value: toml::Spanned<DeValue<'_>>, lines: &Lines) -> Node {
    let line = lines.at(value.span());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text { text: text.into_owned(), filled: false },
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Other(number.to_string()), Value::Whole),
        DeValue::Float(number) => Value::Other(number.to_string()),
        DeValue::Datetime(moment) => Value::Other(moment.to_string()),
        DeValue::Array(items) => Value::List(items.into_iter().map(|item| toml_node(item, lines)).collect()),
        DeValue::Table(table) => toml_table(table, lines),
    };
    Node { line, value }
}

/// Where each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect())
    }

    fn at(&self, span: Range<usize>) -> usize {
        self.0.partition_point(|newline| *newline < span.start) + 1
    }
}

/// JSON is checked by a JSON parser; YAML, whose flow style it is, then tells the lines.
fn from_json(text: &str) -> Result<Node, Fault> {
    if let Err(error) = serde_json::from_str::<de::IgnoredAny>(text) {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        return Err((Some(error.line()), message.to_owned()));
    }
    from_yaml(text)
}

fn from_yaml(text: &str) -> Result<Node, Fault> {
    use serde_saphyr::MessageFormatter;
    let options = serde_saphyr::options! { with_snippet: false };
    match serde_saphyr::from_str_with_options::<Spanned<Value>>(text, options) {
        Ok(root) => Ok(yaml_node(root)),
        Err(error) => {
            let line = error.location().and_then(|at| usize::try_from(at.line()).ok());
            let message = serde_saphyr::DefaultMessageFormatter.format_message(error.without_snippet());
            Err((line.filter(|line| *line > 0), message.replace('\n', ", ")))
        }
    }
}

fn yaml_node(value: Spanned<Value>) -> Node {
    Node { line: yaml_line(&value), value: value.value }
}

fn yaml_line<T>(value: &Spanned<T>) -> usize {
    usize::try_from(value.referenced.line()).unwrap_or(usize::MAX).max(1)
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Whole(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or_else(|_| Value::Other(number.to_string()), Value::Whole))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Other(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Other(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Other(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text { text: text.to_owned(), filled: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Value>>()? {
            list.push(yaml_node(item));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut table = Vec::new();
        while let Some((key, value)) = fields.next_entry::<Spanned<String>, Spanned<Value>>()? {
            table.push(Entry { line: yaml_line(&key), name: key.value, node: yaml_node(value) });
        }
        Ok(Value::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `field:line=value` of every scalar, so that three formats compare on one line each.
    fn lines_of(text: &str, format: Format) -> Vec<String> {
        fn walk(path: &str, node: &Node, found: &mut Vec<String>) {
            match &node.value {
                Value::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        walk(&format!("{path}[{index}]"), item, found);
                    }
                }
                Value::Table(entries) => {
                    for entry in entries {
                        walk(&format!("{path}.{}", entry.name), &entry.node, found);
                    }
                }
                Value::Text { text, .. } | Value::Other(text) => {
                    found.push(format!("{path}:{}={text}", node.line));
                }
                other => found.push(format!("{path}:{}={other:?}", node.line)),
            }
        }
        let mut found = Vec::new();
        walk("", &parse(text, format).unwrap(), &mut found);
        found
    }

    #[test]
    fn every_value_knows_its_line() {
        let toml = "[realm]\nname = \"main\"\n\n[[realm.users]]\nusername = \"alice\"\nroles = [\n  \"a\",\n  \"b\",\n]\nenabled = true\nage = 0x10\n";
        let expected = [
            ".realm.name:2=main",
            ".realm.users[0].username:5=alice",
            ".realm.users[0].roles[0]:7=a",
            ".realm.users[0].roles[1]:8=b",
            ".realm.users[0].enabled:10=Bool(true)",
            ".realm.users[0].age:11=Whole(16)",
        ];
        assert_eq!(lines_of(toml, Format::Toml), expected);
        let yaml = "realm:\n  name: main\n\n  users:\n  - username: alice\n    roles:\n    - a\n    - b\n    # a comment\n    enabled: true\n    age: 16\n";
        assert_eq!(lines_of(yaml, Format::Yaml), expected);
        let json = "{\"realm\": {\n\t\"name\": \"main\",\n\n\t\"users\": [{\n\t\t\"username\": \"alice\", \"roles\": [\n\n\"a\",\n\"b\"],\n\n\"enabled\": true,\n\"age\": 16}]}}";
        assert_eq!(lines_of(json, Format::Json), expected);
    }

    #[test]
    fn anchors_and_merges_are_expanded_where_they_are_used() {
        let yaml = "base: &base\n  enabled: true\nuser:\n  <<: *base\n  name: x\n";
        let mut found = lines_of(yaml, Format::Yaml);
        found.sort();
        assert_eq!(found, [".base.enabled:2=Bool(true)", ".user.enabled:4=Bool(true)", ".user.name:5=x"]);
    }

    #[test]
    fn what_is_no_tree_names_its_line() {
        let rows = [
            ("toml", Format::Toml, "[realm]\nname = \n", 2),
            ("toml twice", Format::Toml, "[realm]\nname = \"a\"\nname = \"b\"\n", 3),
            ("yaml", Format::Yaml, "realm:\n  name: [a\n", 2),
            ("yaml twice", Format::Yaml, "realm:\n  name: a\n  name: b\n", 3),
            ("json", Format::Json, "{\"realm\":\n {,}}", 2),
            ("json twice", Format::Json, "{\"realm\": {},\n\"realm\": {}}", 2),
            ("yaml in json", Format::Json, "realm:\n  name: a\n", 1),
        ];
        for (name, format, text, line) in rows {
            let faults = parse(text, format).unwrap_err();
            assert_eq!(faults[0].0, Some(line), "{name}: {faults:?}");
        }
    }

    #[test]
    fn several_faults_of_a_toml_file_are_told_together() {
        let faults = parse("[realm]\nname = \nenabled = \n", Format::Toml).unwrap_err();
        assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [Some(2), Some(3)]);
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut yaml = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            yaml.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(parse(&yaml, Format::Yaml).is_err());
    }
}
