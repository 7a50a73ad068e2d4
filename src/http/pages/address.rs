//! Addresses that are safe to print: http(s) or a path of our own, and where a browser may be sent.
//!
//! Never compares an address with a registered one; that is the protocol's business.

use std::borrow::Cow;
use std::fmt;

use super::words::{Name, disturbs};

/// Longest address that a page links to, in bytes.
const LINK_LENGTH: usize = 2048;

/// An address that a page may link to, post to or load: `https:`, `http:` or a path of our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<'a>(&'a str);

impl<'a> Link<'a> {
    /// Takes `address` when it is `http://…`, `https://…` or a path that starts with exactly one slash; `None` for
    /// anything else, such as `javascript:`, `//host`, `/\host`, white space, or more than 2048 bytes.
    #[must_use]
    pub fn new(address: &'a str) -> Option<Self> {
        Some(address).filter(|address| address.len() <= LINK_LENGTH && is_safe(address)).map(Self)
    }

    /// Where a browser goes on to: a redirect URI that has been proven to belong to its client, with what was added to
    /// it. It may be of an app's own scheme; `None` for one that runs code.
    #[must_use]
    pub fn proven(address: &'a str) -> Option<Self> {
        let plain = !address.contains(|letter: char| letter.is_whitespace() || disturbs(letter));
        (plain && Destination::of(address).is_some()).then_some(Self(address))
    }

    /// An address that this server wrote itself, as long as it must be: a form's may carry a whole request. One that
    /// [`Link::new`] would refuse for what is in it becomes `#`, the page itself.
    #[must_use]
    pub fn own(address: &'a str) -> Self {
        Self(Some(address).filter(|address| is_safe(address)).unwrap_or("#"))
    }
}

/// Whether an address is http(s), or a path of our own, and holds nothing that a browser would read otherwise.
fn is_safe(address: &str) -> bool {
    let plain = !address.contains(|letter: char| letter.is_whitespace() || disturbs(letter));
    let ours = address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/\\");
    plain && (ours || web_host(address).is_some())
}

/// As HTML: scripts that cut the form's action out of a sign-in page undo `&amp;` and no other spelling, so the
/// engine's own `&#38;` would not do.
impl fmt::Display for Link<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in self.0.split_inclusive(['&', '<', '>', '"', '\'']) {
            let (plain, special) = match piece.char_indices().next_back() {
                Some((at, '&')) => (piece.get(..at), "&amp;"),
                Some((at, '<')) => (piece.get(..at), "&lt;"),
                Some((at, '>')) => (piece.get(..at), "&gt;"),
                Some((at, '"')) => (piece.get(..at), "&quot;"),
                Some((at, '\'')) => (piece.get(..at), "&#39;"),
                _ => (Some(piece), ""),
            };
            to.write_str(plain.unwrap_or_default())?;
            to.write_str(special)?;
        }
        Ok(())
    }
}

impl askama::filters::HtmlSafe for Link<'_> {}

/// The scheme and the authority of an http(s) address, when the authority is not empty and names no user.
fn web_host(address: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let scheme = ["https", "http"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    (!authority.is_empty() && !authority.contains('@')).then_some((scheme, authority))
}

/// Where a browser may be sent or load from: an origin for people to read, and a source for the content security
/// policy (CSP 3 §2.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    shown: &'a str,
    source: Cow<'a, str>,
}

impl<'a> Destination<'a> {
    /// Reads `address`, a redirect URI that has been proven to belong to its client, or a [`Link`].
    /// `None` when it has no scheme, or a scheme that runs code.
    #[must_use]
    pub fn of(address: &'a str) -> Option<Self> {
        if let Some((scheme, authority)) = web_host(address) {
            return Some(Self { shown: authority, source: web_source(address, scheme, authority) });
        }
        let (scheme, _) = address.split_once(':')?;
        let custom = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !FORBIDDEN_SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let end = scheme.len().checked_add(1)?;
        custom.then_some(Self { shown: scheme, source: Cow::Borrowed(address.get(..end)?) })
    }

    /// Host and port, or the scheme of an app that is no web page.
    #[must_use]
    pub fn shown(&self) -> Name<'_> {
        Name::new(self.shown)
    }

    /// The source expression for a policy: `https://host:port`, or `scheme:`.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl<'a> From<&Link<'a>> for Option<Destination<'a>> {
    fn from(link: &Link<'a>) -> Self {
        web_host(link.0).and_then(|_| Destination::of(link.0))
    }
}

/// Schemes whose addresses carry their own content, or would point back at pages of ours.
const FORBIDDEN_SCHEMES: [&str; 8] =
    ["javascript", "data", "vbscript", "blob", "filesystem", "about", "http", "https"];

/// A host source has no grammar for an IPv6 literal, nor for most punctuation that an address may hold: such a
/// host is allowed by its scheme alone, the narrowest source that can be written.
fn web_source<'a>(address: &'a str, scheme: &'static str, authority: &str) -> Cow<'a, str> {
    let writable = authority.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:".contains(&byte));
    let end = scheme.len().saturating_add("://".len()).saturating_add(authority.len());
    match address.get(..end) {
        Some(origin) if writable => Cow::Borrowed(origin),
        _ => Cow::Owned(format!("{scheme}:")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_http_or_our_own_path() {
        let rows = [
            ("https://app.example.com/privacy", true),
            ("HTTP://localhost:3000", true),
            ("/realms/main/account/", true),
            ("/", true),
            ("", false),
            ("#", false),
            ("javascript:alert(1)", false),
            ("JaVaScRiPt:alert(1)", false),
            ("java\tscript:alert(1)", false),
            (" javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("vbscript:x", false),
            ("//evil.test", false),
            ("/\\evil.test", false),
            ("/\t/evil.test", false),
            ("https:/evil.test", false),
            ("https://", false),
            ("https://user@evil.test/", false),
            ("https://evil.test/\r\nx", false),
        ];
        for (address, allowed) in rows {
            assert_eq!(Link::new(address).is_some(), allowed, "{address:?}");
        }
        assert_eq!(Link::own("javascript:alert(1)").to_string(), "#");
        assert!(Link::new(&format!("/{}", "x".repeat(LINK_LENGTH))).is_none(), "too long");
    }

    #[test]
    fn a_proven_address_may_be_of_an_app_and_never_runs_code() {
        let rows = [
            ("https://app.example.com/bye?state=x", true),
            ("com.example.app:/bye", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("/own", false),
            ("https://app.example.com/bye?state= x", false),
        ];
        for (address, allowed) in rows {
            assert_eq!(Link::proven(address).is_some(), allowed, "{address:?}");
        }
    }

    #[test]
    fn links_print_as_html() {
        let rows = [
            ("/a?b=1&c=2&", "/a?b=1&amp;c=2&amp;"),
            ("/plain", "/plain"),
            ("/\"'><ü", "/&quot;&#39;&gt;&lt;ü"),
        ];
        for (address, html) in rows {
            assert_eq!(Link::own(address).to_string(), html);
        }
    }

    #[test]
    fn destinations_become_sources() {
        let rows = [
            ("https://app.example.com/cb?x=1", Some(("app.example.com", "https://app.example.com"))),
            ("http://localhost:3000/cb", Some(("localhost:3000", "http://localhost:3000"))),
            ("http://[::1]:3000/cb", Some(("[::1]:3000", "http:"))),
            ("https://a;script-src,x/cb", Some(("a;script-src,x", "https:"))),
            ("https://*.example.com/cb", Some(("*.example.com", "https:"))),
            ("com.example.app:/cb", Some(("com.example.app", "com.example.app:"))),
            ("javascript:alert(1)", None),
            ("JavaScript://x", None),
            ("data:text/html,x", None),
            ("https:evil", None),
            ("a b:c", None),
            ("a;b:c", None),
            ("/own", None),
        ];
        for (address, expected) in rows {
            let found = Destination::of(address);
            let found = found.as_ref().map(|found| (found.shown, found.source()));
            assert_eq!(found, expected, "{address:?}");
        }
    }
}
