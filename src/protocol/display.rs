//! Text that others chose and people read.

use std::borrow::Cow;

/// Whether a letter would show a text other than it is: control characters, and those that embed, override or isolate a
/// reading direction (Unicode UAX #9 §2).
#[must_use]
pub fn disturbs(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// The text on one line of a terminal: what disturbs is spelled out (`\u{202e}`), and nothing else.
#[must_use]
pub fn spelled(text: &str) -> Cow<'_, str> {
    if !text.contains(disturbs) {
        return Cow::Borrowed(text);
    }
    let mut spelled = String::with_capacity(text.len().saturating_add(16));
    for letter in text.chars() {
        if disturbs(letter) { spelled.extend(letter.escape_default()) } else { spelled.push(letter) }
    }
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_disturbs_is_spelled_out_and_nothing_else() {
        for (text, expected) in [
            ("o'neill-é \"x\" \\ 字", "o'neill-é \"x\" \\ 字"),
            ("a\n- realm gone", "a\\n- realm gone"),
            ("a\u{1b}[2J", "a\\u{1b}[2J"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
        ] {
            assert_eq!(spelled(text), expected);
        }
    }
}
