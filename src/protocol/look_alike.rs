//! Names in letters of other scripts that look like a name in Latin letters (attacks U08).
//!
//! Owns which letters these are: of the scripts that share shapes with Latin, as small letters, since names are compared
//! in their canonical form. Leaves to the store whether somebody has the name that is looked like.

/// Small letters of Cyrillic, Greek and Armenian, and the Latin ones that they are mistaken for (after Unicode's
/// `confusables.txt`, UTS #39).
const LETTERS: [(char, char); 35] = [
    // Cyrillic
    ('а', 'a'),
    ('ь', 'b'),
    ('с', 'c'),
    ('ԁ', 'd'),
    ('е', 'e'),
    ('һ', 'h'),
    ('і', 'i'),
    ('ј', 'j'),
    ('к', 'k'),
    ('ӏ', 'l'),
    ('о', 'o'),
    ('р', 'p'),
    ('ԛ', 'q'),
    ('г', 'r'),
    ('ѕ', 's'),
    ('ѵ', 'v'),
    ('ԝ', 'w'),
    ('х', 'x'),
    ('у', 'y'),
    // Greek
    ('α', 'a'),
    ('ι', 'i'),
    ('κ', 'k'),
    ('ο', 'o'),
    ('σ', 'o'),
    ('ρ', 'p'),
    ('υ', 'u'),
    ('ν', 'v'),
    ('γ', 'y'),
    // Armenian
    ('ց', 'g'),
    ('հ', 'h'),
    ('յ', 'j'),
    ('ո', 'n'),
    ('օ', 'o'),
    ('զ', 'q'),
    ('ս', 'u'),
];

/// The name in ASCII that `name`, in its canonical form, is mistaken for; none when it is such a name itself, or shows by
/// another letter that it is not.
#[must_use]
pub fn look_alike(name: &str) -> Option<String> {
    if name.is_ascii() {
        return None;
    }
    let latin = |letter: char| {
        let found = LETTERS.iter().find(|(other, _)| *other == letter).map(|(_, latin)| *latin);
        found.or(Some(letter)).filter(char::is_ascii)
    };
    name.chars().map(latin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::user::canonical;

    #[test]
    fn u08_names_that_look_like_others() {
        for (row, name, expected) in [
            ("Latin", "alice", None),
            ("one letter of Cyrillic", "аlice", Some("alice")),
            ("capital letters", "BЬ", Some("bb")),
            ("all of Cyrillic", "соре", Some("cope")),
            ("Greek", "αdmin", Some("admin")),
            ("Armenian", "rօօt", Some("root")),
            ("with digits and signs", "јо-1@example.com", Some("jo-1@example.com")),
            ("a name in Russian", "борис", None),
            ("a name in Greek", "ελενη", None),
            ("a name in German", "jürgen", None),
            ("a name in Chinese", "小明", None),
            ("nothing", "", None),
        ] {
            assert_eq!(look_alike(&canonical(name)).as_deref(), expected, "{row}");
        }
    }

    #[test]
    fn letters_are_small_and_each_stands_once() {
        for (nth, (other, latin)) in LETTERS.iter().enumerate() {
            assert_eq!(canonical(&other.to_string()), other.to_string(), "{other}");
            assert!(!other.is_ascii() && latin.is_ascii_lowercase(), "{other}");
            assert!(LETTERS.iter().skip(nth + 1).all(|(later, _)| later != other), "{other}");
        }
    }
}
