//! Words and moments that are safe to print: names are cut and freed of direction tricks.
//!
//! Leaves escaping to the templates' engine, and where the words come from to the callers.

use std::borrow::Cow;
use std::fmt;

use crate::clock::Timestamp;
pub(super) use crate::protocol::display::disturbs;

/// Longest name that a page shows, in characters.
const NAME_LENGTH: usize = 128;
/// Longest value that a page gives back, in characters.
const ENTRY_LENGTH: usize = 512;

/// Words that somebody else chose (a realm's, a client's or a person's name): at most 128 characters, on one line,
/// without the characters that turn the reading direction. Templates put it into `<bdi>` where that is possible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name<'a>(Cow<'a, str>);

impl<'a> Name<'a> {
    /// Cuts and cleans `words`.
    #[must_use]
    pub fn new(words: &'a str) -> Self {
        Self(cut(words, NAME_LENGTH))
    }

    /// Whether nothing is left to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// Its characters.
    pub(super) fn chars(&self) -> impl Iterator<Item = char> {
        self.0.chars()
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(words: &'a str) -> Self {
        Self::new(words)
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

/// What a person or an app sent and gets back: at most 512 characters, cleaned as a [`Name`] is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry<'a>(Cow<'a, str>);

impl<'a> From<&'a str> for Entry<'a> {
    fn from(words: &'a str) -> Self {
        Self(cut(words, ENTRY_LENGTH))
    }
}

impl Entry<'_> {
    /// Whether there is nothing to put back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

fn cut(words: &str, length: usize) -> Cow<'_, str> {
    let long = words.chars().nth(length).is_some();
    if !long && !words.chars().any(disturbs) {
        return Cow::Borrowed(words);
    }
    let kept = if long { length.saturating_sub(1) } else { length };
    let mut clean: String = words.chars().filter(|letter| !disturbs(*letter)).take(kept).collect();
    if long {
        clean.push('…');
    }
    Cow::Owned(clean)
}

/// A moment as a page shows it: day, hour and minute in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// For the `datetime` attribute of `<time>`.
    #[must_use]
    pub fn machine(&self) -> String {
        self.0.rfc3339()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = time::macros::format_description!(
            "[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
        );
        let shown =
            time::OffsetDateTime::from_unix_timestamp(self.0.0).ok().and_then(|at| at.format(&format).ok());
        to.write_str(shown.as_deref().unwrap_or("–"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_and_cleaned() {
        let long = "x".repeat(129);
        let rows = [
            ("plain", "Acme", "Acme".to_owned()),
            ("right-to-left override", "Acme\u{202E}gpj.exe", "Acmegpj.exe".to_owned()),
            ("isolates and lines", "a\u{2066}b\u{2069}\r\nc\u{2028}d", "abcd".to_owned()),
            ("exactly 128", &long[..128], "x".repeat(128)),
            ("129", &long, format!("{}…", "x".repeat(127))),
            (
                "an Arabic name keeps its letters",
                "\u{645}\u{62D}\u{645}\u{62F}",
                "\u{645}\u{62D}\u{645}\u{62F}".to_owned(),
            ),
        ];
        for (row, given, shown) in rows {
            assert_eq!(Name::new(given).to_string(), shown, "{row}");
        }
    }

    #[test]
    fn moments_read_as_days() {
        assert_eq!(Moment(Timestamp(1_765_000_000)).to_string(), "6 Dec 2025, 05:46 UTC");
        assert_eq!(Moment(Timestamp(i64::MAX)).to_string(), "–");
    }
}
