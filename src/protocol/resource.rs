//! Resource indicators (RFC 8707): the address of the service that a token is for.

/// Longest resource, in bytes.
const LONGEST: usize = 2_000;

/// Whether `text` can be a resource: an absolute URI (RFC 3986 §4.3), so without a fragment (RFC 8707 §2).
#[must_use]
pub fn is_resource(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    // RFC 3986 §2: reserved, unreserved and the sign of an escape, without `#`.
    let in_rest = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(c);
    text.len() <= LONGEST
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(in_scheme)
        && !rest.is_empty()
        && rest.chars().all(in_rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8707_2_a_resource_is_an_absolute_uri_without_fragment() {
        let long = format!("https://api.example/{}", "x".repeat(LONGEST));
        for (text, good) in [
            ("https://api.example/", true),
            ("https://api.example", true),
            ("https://cal.example.com/app?tenant=1", true),
            ("http://[::1]:3000/a", true),
            ("urn:example:cooperation-context", true),
            ("https://api.example/#", false),
            ("https://api.example/#x", false),
            ("/api", false),
            ("//api.example/", false),
            ("api", false),
            ("", false),
            (":x", false),
            ("1x:y", false),
            ("https:", false),
            ("https://api.example/ x", false),
            ("https://api.example/\u{e9}", false),
            ("https://api.example/\"", false),
            (long.as_str(), false),
        ] {
            assert_eq!(is_resource(text), good, "{text:?}");
        }
    }
}
