//! Mistakes in a realm file, each with its place, reported together.

use std::fmt;

/// One mistake: where it stands and what is wrong. The text never holds a password or secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileProblem {
    /// The file's name as it was given; empty for a realm that was described in code.
    pub file: String,
    /// Line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// The field, such as `realm.clients[0].redirect_uris[1]`; empty for the whole file.
    pub field: String,
    /// What is wrong, and what to write instead where that is clear.
    pub message: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}", self.file)?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        write!(f, "{}", self.message)
    }
}

/// Every mistake that was found, one a line when shown. Never empty when it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileProblems(pub Vec<FileProblem>);

impl FileProblems {
    /// A single mistake that concerns a whole file.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>) -> Self {
        Self(vec![FileProblem {
            file: file.to_owned(),
            line: None,
            field: String::new(),
            message: message.into(),
        }])
    }
}

impl fmt::Display for FileProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for FileProblems {}
