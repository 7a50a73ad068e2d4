//! Text that others chose and people read.

/// Whether a letter would show a text other than it is: control characters, and those that embed, override or isolate a
/// reading direction (Unicode UAX #9 §2).
#[must_use]
pub fn disturbs(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}
