//! Addresses that are shown to people: a client's home page, logo, privacy policy and terms, a realm's logo.
//!
//! They end as links and images on our pages, so a scheme that runs a script (`javascript:`, `data:text/html`) in
//! any spelling must not pass (attacks.md R05; OpenID Connect Dynamic Registration 1.0 §9.1).

use thiserror::Error;
use url::Url;

use super::redirect_uri::{Strictness, is_loopback};

/// The longest address of a page in bytes.
const LONGEST: usize = 2048;

/// The largest logo that may stand in the address itself, in bytes of text.
const LARGEST_LOGO: usize = 64 * 1024;

/// Images that a `data:` logo may hold. As an `<img>`, SVG runs no script.
const LOGO_TYPES: [&str; 5] =
    ["data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;", "data:image/svg+xml"];

/// Why an address cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PageUriProblem {
    /// Neither `https`, nor `http` where that is allowed.
    #[error("it is not an address beginning with `https://`")]
    Scheme,
    /// White space, control characters, or a spelling that no browser reads as one address.
    #[error("it cannot be read as an address")]
    Unreadable,
    /// User information before the host.
    #[error("user information (`…@`) before the host is refused")]
    UserInfo,
    /// Too long.
    #[error("it is too long")]
    TooLong,
}

/// Whether `uri` may be shown as a link: `https`, and `http` on loopback or, in development, anywhere.
///
/// # Errors
/// The first problem found.
pub fn validate_page_uri(uri: &str, strictness: Strictness) -> Result<(), PageUriProblem> {
    if uri.len() > LONGEST {
        return Err(PageUriProblem::TooLong);
    }
    if !uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(PageUriProblem::Unreadable);
    }
    if !(uri.starts_with("https://") || uri.starts_with("http://")) {
        return Err(PageUriProblem::Scheme);
    }
    let parsed = Url::parse(uri).map_err(|_| PageUriProblem::Unreadable)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(PageUriProblem::UserInfo);
    }
    let plain = parsed.scheme() == "http";
    let loopback = parsed.host_str().is_some_and(is_loopback);
    if plain && strictness == Strictness::Serve && !loopback {
        return Err(PageUriProblem::Scheme);
    }
    Ok(())
}

/// Whether `uri` may be shown as an image: as [`validate_page_uri`], or an image in the address itself.
///
/// # Errors
/// The first problem found.
pub fn validate_logo_uri(uri: &str, strictness: Strictness) -> Result<(), PageUriProblem> {
    if !LOGO_TYPES.iter().any(|prefix| uri.starts_with(prefix)) {
        return validate_page_uri(uri, strictness);
    }
    if uri.len() > LARGEST_LOGO {
        return Err(PageUriProblem::TooLong);
    }
    let plain =
        uri.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\'));
    if plain { Ok(()) } else { Err(PageUriProblem::Unreadable) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r05_addresses_that_are_shown() {
        use PageUriProblem as P;
        for (uri, serve, development) in [
            ("https://app.example/", Ok(()), Ok(())),
            ("https://app.example/a?b=c#d", Ok(()), Ok(())),
            ("http://localhost:3000/logo.png", Ok(()), Ok(())),
            ("http://app.example/", Err(P::Scheme), Ok(())),
            ("javascript:alert(1)", Err(P::Scheme), Err(P::Scheme)),
            ("JaVaScRiPt:alert(1)", Err(P::Scheme), Err(P::Scheme)),
            (" javascript:alert(1)", Err(P::Unreadable), Err(P::Unreadable)),
            ("java\tscript:alert(1)", Err(P::Unreadable), Err(P::Unreadable)),
            ("data:text/html,x", Err(P::Scheme), Err(P::Scheme)),
            ("vbscript:x", Err(P::Scheme), Err(P::Scheme)),
            ("blob:https://app.example/1", Err(P::Scheme), Err(P::Scheme)),
            ("file:///x", Err(P::Scheme), Err(P::Scheme)),
            ("/logo.png", Err(P::Scheme), Err(P::Scheme)),
            ("https://user@app.example/", Err(P::UserInfo), Err(P::UserInfo)),
            ("https://", Err(P::Unreadable), Err(P::Unreadable)),
            ("", Err(P::Scheme), Err(P::Scheme)),
        ] {
            for check in [validate_page_uri, validate_logo_uri] {
                assert_eq!(check(uri, Strictness::Serve), serve, "{uri}");
                assert_eq!(check(uri, Strictness::Development), development, "{uri}");
            }
        }
    }

    #[test]
    fn a_logo_may_stand_in_the_address() {
        assert_eq!(validate_logo_uri("data:image/png;base64,AAAA", Strictness::Serve), Ok(()));
        assert_eq!(validate_logo_uri("data:image/svg+xml,%3Csvg%3E", Strictness::Serve), Ok(()));
        let large = format!("data:image/png;base64,{}", "A".repeat(LARGEST_LOGO));
        assert_eq!(validate_logo_uri(&large, Strictness::Serve), Err(PageUriProblem::TooLong));
        let quoted = "data:image/svg+xml,\"><script>";
        assert_eq!(validate_logo_uri(quoted, Strictness::Serve), Err(PageUriProblem::Unreadable));
        assert_eq!(
            validate_page_uri("data:image/png;base64,AAAA", Strictness::Serve),
            Err(PageUriProblem::Scheme)
        );
    }
}
