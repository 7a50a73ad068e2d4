//! `multipart/form-data` (RFC 7578), as the admin API's clients send files: small bodies, held in memory already.

use std::collections::BTreeMap;

use thiserror::Error;

/// Parts in one body.
const MOST_PARTS: usize = 16;
/// Bytes of a boundary (RFC 2046 §5.1.1).
const LONGEST_BOUNDARY: usize = 70;

/// Why a body is no such form.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MultipartFault {
    /// The media type names no boundary, or one that is too long.
    #[error("the media type names no boundary")]
    Boundary,
    /// A delimiter is missing, the last one or one before a part.
    #[error("a part has no end")]
    Delimiter,
    /// A part without a name in its `Content-Disposition`.
    #[error("a part has no name")]
    Name,
    /// A name that came before.
    #[error("a part came twice")]
    Twice,
    /// More parts than anybody needs.
    #[error("there are more than 16 parts")]
    TooMany,
}

/// The parts of `body` by their names, each at most once. `media` is the whole value of `Content-Type`.
///
/// # Errors
/// [`MultipartFault`] says the first thing that is wrong.
pub fn parse(media: &str, body: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, MultipartFault> {
    let boundary = parameter(media, "boundary").filter(|text| !text.is_empty());
    let boundary = boundary.filter(|text| text.len() <= LONGEST_BOUNDARY).ok_or(MultipartFault::Boundary)?;
    let (first, between) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    // What stands before the first delimiter is nobody's (RFC 2046 §5.1.1).
    let mut rest = match body.strip_prefix(first.as_bytes()) {
        Some(rest) => rest,
        None => cut(body, between.as_bytes()).ok_or(MultipartFault::Delimiter)?.1,
    };
    let mut parts = BTreeMap::new();
    while !rest.starts_with(b"--") {
        if parts.len() == MOST_PARTS {
            return Err(MultipartFault::TooMany);
        }
        let (part, next) = cut(rest, between.as_bytes()).ok_or(MultipartFault::Delimiter)?;
        let (head, content) = cut(part, b"\r\n\r\n").ok_or(MultipartFault::Name)?;
        let name = name(head).ok_or(MultipartFault::Name)?;
        if parts.insert(name, content.to_vec()).is_some() {
            return Err(MultipartFault::Twice);
        }
        rest = next;
    }
    Ok(parts)
}

/// What stands before and after the first `mark`.
fn cut<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((text.get(..at)?, text.get(at.checked_add(mark.len())?..)?))
}

/// The name in the part's `Content-Disposition`.
fn name(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    head.split("\r\n").find_map(|line| {
        let (header, value) = line.split_once(':')?;
        let is_form = header.trim().eq_ignore_ascii_case("content-disposition");
        parameter(value, "name").filter(|name| is_form && !name.is_empty())
    })
}

/// The parameter `name` of a header's value: a token, or a quoted text whose `\` is taken as Firefox and curl write it,
/// before a quote alone.
fn parameter(value: &str, name: &str) -> Option<String> {
    pieces(value).into_iter().skip(1).find_map(|piece| {
        let (own, value) = piece.split_once('=')?;
        let value = value.trim();
        let plain = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let plain = plain.map_or_else(|| value.to_owned(), |quoted| quoted.replace("\\\"", "\""));
        own.trim().eq_ignore_ascii_case(name).then_some(plain)
    })
}

/// The pieces between the semicolons that are in no quotes.
fn pieces(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(|letter: char| {
            let ends = letter == ';' && !quoted;
            quoted ^= letter == '"' && !escaped;
            escaped = letter == '\\' && !escaped;
            ends
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEDIA: &str = "multipart/form-data; boundary=xyz";

    fn read(body: &str) -> Result<Vec<(String, String)>, MultipartFault> {
        let parts = parse(MEDIA, body.as_bytes())?;
        Ok(parts.into_iter().map(|(name, value)| (name, String::from_utf8(value).unwrap())).collect())
    }

    fn part(disposition: &str, content: &str) -> String {
        format!("--xyz\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn rfc7578_4_parts_are_read_by_their_names() {
        for (case, disposition, expected) in [
            ("quoted", "name=\"file\"", "file"),
            ("bare", "name=file", "file"),
            ("with a file's name", "name=\"file\"; filename=\"a;name=b.json\"", "file"),
            ("the file's name first", "filename=\"x; name=\\\"no\\\"\"; name=\"file\"", "file"),
            ("letters of any case", "NAME=\"file\"", "file"),
            ("a quote in it", "name=\"a\\\"b\"", "a\"b"),
        ] {
            let body = format!("{}--xyz--\r\n", part(disposition, "{\r\n--xy}\r\n"));
            assert_eq!(read(&body), Ok(vec![(expected.to_owned(), "{\r\n--xy}\r\n".to_owned())]), "{case}");
        }
        let body = format!("preamble\r\n{}{}--xyz--", part("name=a", ""), part("name=b", "2"));
        assert_eq!(read(&body), Ok(vec![("a".to_owned(), String::new()), ("b".to_owned(), "2".to_owned())]));
        assert_eq!(read("--xyz--"), Ok(Vec::new()));
    }

    #[test]
    fn o03_what_is_no_form_is_refused() {
        let many: String = (0..17).map(|number| part(&format!("name=n{number}"), "")).collect();
        for (body, expected) in [
            (String::new(), MultipartFault::Delimiter),
            ("--other--".to_owned(), MultipartFault::Delimiter),
            (part("name=a", "1"), MultipartFault::Delimiter),
            ("--xyz\r\n\r\n1\r\n--xyz--".to_owned(), MultipartFault::Name),
            (format!("{}--xyz--", part("name=\"\"", "1")), MultipartFault::Name),
            (format!("{}--xyz--", part("filename=\"; name=a\"", "1")), MultipartFault::Name),
            (format!("{}{}--xyz--", part("name=a", "1"), part("name=a", "2")), MultipartFault::Twice),
            (format!("{many}--xyz--"), MultipartFault::TooMany),
        ] {
            assert_eq!(read(&body), Err(expected), "{body}");
        }
        let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
        for media in ["multipart/form-data", "multipart/form-data; boundary=", long.as_str()] {
            assert_eq!(parse(media, b"--xyz--"), Err(MultipartFault::Boundary), "{media}");
        }
        assert!(parse("multipart/form-data; boundary=\"xyz\"", b"--xyz--").is_ok(), "quoted");
    }
}
