//! The code that a person reads from a device and types (RFC 8628 §6.1): eight letters that neither spell a word nor
//! look alike, shown as `WDJB-MJHT`.

use std::fmt;

/// The letters: RFC 8628 §6.1's, without vowels.
const ALPHABET: [char; 20] =
    ['B', 'C', 'D', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Z'];

/// Letters of a code: 20⁸ codes, 34.5 bits.
const LENGTH: usize = 8;

/// Bytes below this fall evenly on the letters.
const EVEN: u8 = 240;

/// A code of the right form; whether a device has it is for the store to say.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(String);

impl UserCode {
    /// A code drawn from `random` bytes, each letter as likely as any other; none when too few of the bytes could be
    /// used, which of 32 random ones happens less than once in 10²⁰.
    #[must_use]
    pub fn draw(random: &[u8]) -> Option<Self> {
        let usable = random.iter().filter(|byte| **byte < EVEN);
        let letters: String =
            usable.filter_map(|byte| ALPHABET.get(usize::from(byte % 20))).take(LENGTH).collect();
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// What a person typed, in either case, with or without hyphens and spaces. Nothing else is forgiven: a letter that
    /// is not of the alphabet is a typing mistake, whatever it looks like.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let mut letters = String::with_capacity(LENGTH);
        for letter in typed.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
            let letter = letter.to_ascii_uppercase();
            if letters.len() == LENGTH || !ALPHABET.contains(&letter) {
                return None;
            }
            letters.push(letter);
        }
        (letters.len() == LENGTH).then_some(Self(letters))
    }

    /// The form that is kept, as a fingerprint: the letters alone.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.0
    }
}

/// As people read it: two groups of four.
impl fmt::Display for UserCode {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = self.0.split_at_checked(LENGTH / 2).unwrap_or((&self.0, ""));
        write!(to, "{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("UserCode(***)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn d02_only_case_and_separators_are_forgiven() {
        for (typed, expected) in [
            ("WDJB-MJHT", Some("WDJBMJHT")),
            ("wdjbmjht", Some("WDJBMJHT")),
            (" w d-J b - mjHT ", Some("WDJBMJHT")),
            ("", None),
            ("--", None),
            ("WDJB-MJH", None),
            ("WDJB-MJHTT", None),
            ("WDJB-MJHA", None),
            ("WDJB-MJH0", None),
            ("WDJB_MJHT", None),
            ("WDJB\tMJHT", None),
            ("WDJB\u{2013}MJHT", None),
            ("\u{ff37}DJB-MJHT", None),
            ("\u{212a}DJB-MJHT", None),
            ("wdjb-mjh\u{17f}", None),
            ("' OR 1=1", None),
        ] {
            assert_eq!(UserCode::parse(typed).as_ref().map(UserCode::canonical), expected, "{typed:?}");
        }
    }

    #[test]
    fn rfc8628_6_1_letters_are_drawn_evenly() {
        let every: Vec<u8> = (0..=u8::MAX).collect();
        let mut counts = std::collections::BTreeMap::new();
        for start in 0..=u8::MAX {
            let bytes: Vec<u8> = every.iter().map(|byte| byte.wrapping_add(start)).collect();
            let code = UserCode::draw(&bytes).unwrap();
            *counts.entry(code.canonical().chars().next().unwrap()).or_insert(0) += 1;
        }
        assert_eq!(counts.keys().copied().collect::<String>(), ALPHABET.iter().collect::<String>());
        // 16 starting bytes are passed over, and their draws begin with the letter of byte 0.
        assert!(
            counts.iter().all(|(letter, count)| *count == if *letter == 'B' { 28 } else { 12 }),
            "{counts:?}"
        );
        assert!(UserCode::draw(&[255; 64]).is_none());
        assert!(UserCode::draw(&[0; 7]).is_none());
    }

    #[test]
    fn a_code_is_no_word_for_the_log() {
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        assert_eq!(code.to_string(), "WDJB-MJHT");
        assert!(!format!("{code:?}").contains("WDJB"));
    }

    proptest! {
        #[test]
        fn z20_reading_is_idempotent_and_one_to_one(bytes in prop::collection::vec(any::<u8>(), 32)) {
            if let Some(code) = UserCode::draw(&bytes) {
                prop_assert_eq!(UserCode::parse(&code.to_string()), Some(code.clone()));
                prop_assert_eq!(UserCode::parse(code.canonical()), Some(code.clone()));
                prop_assert_eq!(UserCode::parse(&code.to_string().to_lowercase()), Some(code));
            }
        }

        #[test]
        fn z20_whatever_is_read_is_of_the_alphabet(typed in "[ -~\u{80}-\u{2fff}\u{ff21}-\u{ff5a}]{0,24}|[b-zB-Z -]{6,14}") {
            if let Some(code) = UserCode::parse(&typed) {
                prop_assert!(code.canonical().len() == LENGTH && code.canonical().chars().all(|c| ALPHABET.contains(&c)));
                let plain: String = typed.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
                prop_assert_eq!(plain.to_ascii_uppercase(), code.canonical());
            }
        }
    }
}
