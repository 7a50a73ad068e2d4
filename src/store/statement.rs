//! A statement: one text for both databases, and its values.
//!
//! Refuses what only one of the two could keep, so that both answer alike.

use super::error::StoreError;
use crate::clock::Timestamp;
use crate::protocol::user::canonical;

/// Bytes that a text in an index may have. Postgres refuses index rows of more than about 2,700 bytes.
const LONGEST_KEY: usize = 1_000;

/// A value of one of the two column types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
}

impl Value {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { text.as_deref() } else { None }
    }

    /// The number, if it is one.
    pub(super) fn number(&self) -> Option<i64> {
        if let Self::Int(number) = self { *number } else { None }
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.0))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(|at| at.0))
    }
}

/// A text of SQL with the values of `$1…$n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) sql: &'static str,
    pub(super) values: Vec<Value>,
    pub(super) needs: Option<&'static str>,
    /// How many of the values, from the first on, name the one row that it changes.
    pub(super) row: Option<usize>,
}

/// Writes a statement: `sql!("… $1 …", value, …)`.
macro_rules! sql {
    ($text:expr $(, $value:expr)* $(,)?) => {
        $crate::store::statement::Statement::new($text, vec![$($crate::store::statement::Value::from($value)),*])
    };
}
pub(super) use sql;

impl Statement {
    pub(super) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values, needs: None, row: None }
    }

    /// The same with more values after those that it has.
    pub(super) fn with(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Makes it a conflict about `what` to change no row: what it speaks of is not there, or is another realm's.
    pub(super) fn needs(self, what: &'static str) -> Self {
        Self { needs: Some(what), ..self }
    }

    /// Says that it changes no row but the one that its first `values` values name, looks at none that another of the same
    /// text changes, and gives back nothing: such go to Postgres together (`together.rs`).
    pub(super) fn about(self, values: usize) -> Self {
        Self { row: Some(values), ..self }
    }

    /// The values that name its row.
    pub(super) fn named_row(&self) -> Option<&[Value]> {
        self.values.get(..self.row?)
    }

    /// Postgres refuses a NUL in text and SQLite keeps it; here both refuse.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let has_nul = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        if self.values.iter().any(has_nul) { Err(StoreError::Unstorable) } else { Ok(()) }
    }

    /// Whether `rows` changed rows are enough.
    pub(super) fn judge(&self, rows: u64) -> Result<u64, StoreError> {
        match self.needs {
            Some(what) if rows == 0 => Err(StoreError::Conflict { what }),
            _ => Ok(rows),
        }
    }
}

/// How many values [`listed!`] stands for.
pub(super) const LISTED: usize = 32;

/// The values `$2…$33`, of a list that is asked about in one statement.
macro_rules! listed {
    () => {
        "($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
         $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)"
    };
}
pub(super) use listed;

/// `texts` in lists for [`listed!`]. The last one is filled up by what is in it anyway.
pub(super) fn lists<T: AsRef<str>>(texts: &[T]) -> impl Iterator<Item = Vec<Value>> {
    texts
        .chunks(LISTED)
        .map(|list| list.iter().cycle().take(LISTED).map(|text| text.as_ref().into()).collect())
}

/// A text that an index will hold.
pub(super) fn key(text: &str) -> Result<&str, StoreError> {
    if text.len() > LONGEST_KEY { Err(StoreError::Unstorable) } else { Ok(text) }
}

/// JSON text of a value that always has one. A NUL in one of its texts is refused like any other.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    let text = serde_json::to_string(value)?;
    if spells_nul(&text) { Err(StoreError::Unstorable) } else { Ok(text) }
}

/// Whether JSON text spells a NUL: `\u0000` that is not itself escaped.
fn spells_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = json.get(..at).unwrap_or_default();
        before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0
    })
}

/// A pattern for `search_key LIKE … ESCAPE '!'` that finds `text` anywhere and in any spelling, whatever it holds.
pub(super) fn anywhere(text: &str) -> String {
    format!("%{}%", literal(text))
}

/// The part of such a pattern that stands for `text` itself, in any spelling.
pub(super) fn literal(text: &str) -> String {
    canonical(text).replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o03_nul_in_json_is_found_and_its_spelling_is_not() {
        for (value, expected) in [
            ("a\0b", true),
            ("\0", true),
            ("\\\0", true),
            (r"\u0000", false),
            (r"\\u0000", false),
            ("plain", false),
            ("\u{1}", false),
        ] {
            let json = serde_json::to_string(&serde_json::json!({ "key": value })).unwrap();
            assert_eq!(spells_nul(&json), expected, "{json}");
        }
    }

    #[test]
    fn lists_have_every_text_and_are_full() {
        for count in [0, 1, LISTED, LISTED + 1] {
            let texts: Vec<String> = (0..count).map(|text| text.to_string()).collect();
            let lists: Vec<Vec<Value>> = lists(&texts).collect();
            assert!(lists.iter().all(|list| list.len() == LISTED), "{count}");
            assert!(texts.iter().all(|text| lists.iter().flatten().any(|value| *value == text.into())));
            assert_eq!(lists.len(), count.div_ceil(LISTED));
        }
        assert!(listed!().ends_with(&format!("${})", LISTED + 1)));
    }

    #[test]
    fn a05_patterns_hold_no_wildcards_but_their_own() {
        for (text, pattern) in [("", "%%"), ("Al", "%al%"), ("100%_!", "%100!%!_!!%"), (r"a\", r"%a\%")] {
            assert_eq!(anywhere(text), pattern, "{text}");
        }
    }
}
