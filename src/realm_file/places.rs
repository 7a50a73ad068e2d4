//! Where the fields of a realm stand in its file, so that a mistake found late still names its line.

use std::collections::BTreeMap;

use super::{FileProblem, RealmSpec};

/// The file a realm was read from, and the line of each of its fields. Empty for a realm described in code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub(super) file: String,
    /// Path of the realm's table in the file: `realm`, or `realms[1]`.
    pub(super) root: String,
    pub(super) lines: BTreeMap<String, usize>,
}

impl Places {
    /// The file; empty for a realm described in code.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Whether the file names `field`, a path below the realm.
    pub(super) fn names(&self, field: &str) -> bool {
        self.lines.contains_key(&format!("{}.{field}", self.root))
    }

    /// A mistake at `field` (a path below the realm, such as `clients[0].id`), with the line of that field or of
    /// the nearest one around it.
    pub(super) fn problem(&self, field: &str, message: impl Into<String>) -> FileProblem {
        let root = if self.root.is_empty() { "realm" } else { &self.root };
        let path = if field.is_empty() { root.to_owned() } else { format!("{root}.{field}") };
        let mut around = path.as_str();
        let line = loop {
            if let Some(line) = self.lines.get(around) {
                break Some(*line);
            }
            match around.rfind(['.', '[']) {
                Some(end) => around = around.get(..end).unwrap_or_default(),
                None => break None,
            }
        };
        FileProblem { file: self.file.clone(), line, field: path, message: message.into() }
    }
}

/// Collects mistakes about one realm.
pub(super) struct Notes<'a> {
    places: &'a Places,
    problems: Vec<FileProblem>,
}

impl<'a> Notes<'a> {
    pub(super) fn on(spec: &'a RealmSpec) -> Self {
        Self { places: &spec.places, problems: Vec::new() }
    }

    pub(super) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(self.places.problem(field, message));
    }

    /// Where `field` stands, for a message about another: `line 12`, or its path in a realm described in code.
    pub(super) fn place(&self, field: &str) -> String {
        let place = self.places.problem(field, "");
        place.line.map_or(place.field, |line| format!("line {line}"))
    }

    /// The mistakes in the order of the file.
    pub(super) fn list(mut self) -> Vec<FileProblem> {
        self.problems.sort_by_key(|problem| problem.line);
        self.problems
    }
}
