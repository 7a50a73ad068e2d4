//! Distinguished names as people write them (RFC 4514).

/// Attribute types by the names of RFC 4514 §3, and two that certificates are seen with.
const TYPES: [(&str, &str); 11] = [
    ("CN", "2.5.4.3"),
    ("SERIALNUMBER", "2.5.4.5"),
    ("C", "2.5.4.6"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("STREET", "2.5.4.9"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
];

/// A distinguished name, the most specific part first; each part a sorted list of types with their values.
pub(super) type Name = Vec<Vec<(String, String)>>;

/// A distinguished name from its text (RFC 4514 §3), but for values in `#hex`.
pub(super) fn distinguished(text: &str) -> Option<Name> {
    split(text, ',')
        .into_iter()
        .map(|part| {
            let mut attributes = split(part, '+').into_iter().map(attribute).collect::<Option<Vec<_>>>()?;
            attributes.sort();
            Some(attributes)
        })
        .collect()
}

/// The pieces between unescaped separators.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut escaped = false;
    text.split(|c: char| {
        let here = c == separator && !escaped;
        escaped = c == '\\' && !escaped;
        here
    })
    .collect()
}

fn attribute(text: &str) -> Option<(String, String)> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim();
    let numbers = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let known = TYPES.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind)).map(|(_, oid)| *oid);
    let oid = if numbers { kind } else { known? };
    Some((oid.to_owned(), unescaped(value)?))
}

fn unescaped(value: &str) -> Option<String> {
    let value = value.trim_start_matches(' ');
    let bare = value.trim_end_matches(' ');
    // A space at the end that is escaped belongs to the value.
    let escapes = bare.bytes().rev().take_while(|byte| *byte == b'\\').count();
    let value = if escapes % 2 == 1 { value.get(..bare.len().saturating_add(1))? } else { bare };
    if value.is_empty() || value.starts_with('#') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        match after {
            [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = after;
            }
            [one, after @ ..] => {
                bytes.push(*one);
                rest = after;
            }
            [] => return None,
        }
    }
    String::from_utf8(bytes).ok()
}
