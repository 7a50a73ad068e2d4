//! Origins that may call from a browser (CORS): what may be registered, and which a request's `Origin` is.
//!
//! `+` stands for the origins of the redirect URIs. `*` (any origin) and a loopback host with port `*` are
//! conveniences of development.

use std::collections::HashSet;

use thiserror::Error;
use url::Url;

use super::redirect_uri::{Strictness, is_loopback};

/// Why an origin cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WebOriginProblem {
    /// Any origin, in a server that names them.
    #[error(
        "`*` is a convenience of development: name the origins, or write `+` for those of the redirect URIs"
    )]
    Wildcard,
    /// Not an origin.
    #[error("it is not an origin, such as `https://app.example.com`")]
    NotAnOrigin,
    /// An address where an origin belongs.
    #[error("an origin has no path and no default port: write `{0}`")]
    Spelling(String),
}

/// Whether `origin` may be registered.
///
/// # Errors
/// The first problem found.
pub fn validate_origin(origin: &str, strictness: Strictness) -> Result<(), WebOriginProblem> {
    if origin == "+" {
        return Ok(());
    }
    let development = strictness.is_development();
    let any_port =
        origin.strip_prefix("http://").and_then(|rest| rest.strip_suffix(":*")).is_some_and(is_loopback);
    if origin == "*" || any_port {
        return if development { Ok(()) } else { Err(WebOriginProblem::Wildcard) };
    }
    let parsed = Url::parse(origin).map_err(|_| WebOriginProblem::NotAnOrigin)?;
    let web = matches!(parsed.scheme(), "https" | "http");
    if !web || origin.contains(['@', '*']) {
        return Err(WebOriginProblem::NotAnOrigin);
    }
    let written = parsed.origin().ascii_serialization();
    if written == origin { Ok(()) } else { Err(WebOriginProblem::Spelling(written)) }
}

/// Whether a page of `origin` (the request's `Origin` header, as sent) may call, given what the client registered.
#[must_use]
pub fn allows(registered: &[String], redirect_uris: &[String], origin: &str, strictness: Strictness) -> bool {
    let development = strictness.is_development();
    registered.iter().any(|entry| match entry.as_str() {
        "*" => development && validate_origin(origin, strictness).is_ok() && origin != "+",
        "+" => redirect_uris
            .iter()
            .filter_map(|uri| origin_of(uri))
            .any(|entry| covers(&entry, origin, development)),
        entry => covers(entry, origin, development),
    })
}

/// The origins that the clients of a realm registered, whoever it was.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    exact: HashSet<String>,
    /// `*`, and hosts with any port: of each there is one.
    patterns: HashSet<String>,
}

impl Origins {
    /// Adds those of one client.
    pub fn add(&mut self, registered: &[String], redirect_uris: &[String]) {
        let of_redirects = |entry: &String| entry == "+";
        let redirects = redirect_uris.iter().filter(|_| registered.iter().any(of_redirects));
        let redirects = redirects.filter_map(|uri| origin_of(uri));
        for entry in registered.iter().filter(|entry| !of_redirects(entry)).cloned().chain(redirects) {
            let is_pattern = entry == "*" || entry.ends_with(":*");
            if is_pattern { &mut self.patterns } else { &mut self.exact }.insert(entry);
        }
    }

    /// Whether a page of `origin` may call some client, as [`allows`] says of one.
    #[must_use]
    pub fn allow(&self, origin: &str, strictness: Strictness) -> bool {
        let exact = self.exact.get(origin);
        exact
            .into_iter()
            .chain(&self.patterns)
            .any(|entry| allows(std::slice::from_ref(entry), &[], origin, strictness))
    }
}

/// Equal, or a loopback host with any port.
fn covers(entry: &str, origin: &str, development: bool) -> bool {
    if let Some(host) = entry.strip_suffix(":*") {
        let port = origin.strip_prefix(host).map(|rest| rest.strip_prefix(':').unwrap_or(rest));
        let same_host = origin == host || origin.strip_prefix(host).is_some_and(|rest| rest.starts_with(':'));
        let digits = port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        return development && same_host && digits && validate_origin(entry, Strictness::Development).is_ok();
    }
    entry == origin && validate_origin(entry, Strictness::Development).is_ok()
}

/// The origin of a registered redirect URI, whose port may be `*`; none for an application's own scheme.
pub(super) fn origin_of(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    let web = matches!(scheme, "https" | "http");
    let authority = rest.split(['/', '?']).next()?;
    web.then(|| format!("{scheme}://{authority}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered() {
        use WebOriginProblem as P;
        for (origin, serve, development) in [
            ("+", Ok(()), Ok(())),
            ("https://app.example", Ok(()), Ok(())),
            ("http://localhost:5173", Ok(()), Ok(())),
            ("*", Err(P::Wildcard), Ok(())),
            ("http://localhost:*", Err(P::Wildcard), Ok(())),
            ("http://app.example:*", Err(P::NotAnOrigin), Err(P::NotAnOrigin)),
            ("https://*.example", Err(P::NotAnOrigin), Err(P::NotAnOrigin)),
            ("null", Err(P::NotAnOrigin), Err(P::NotAnOrigin)),
            ("javascript:alert(1)", Err(P::NotAnOrigin), Err(P::NotAnOrigin)),
            ("app.example", Err(P::NotAnOrigin), Err(P::NotAnOrigin)),
            ("https://user@app.example", Err(P::NotAnOrigin), Err(P::NotAnOrigin)),
            (
                "https://app.example/",
                Err(P::Spelling("https://app.example".into())),
                Err(P::Spelling("https://app.example".into())),
            ),
            (
                "https://app.example:443",
                Err(P::Spelling("https://app.example".into())),
                Err(P::Spelling("https://app.example".into())),
            ),
        ] {
            assert_eq!(validate_origin(origin, Strictness::Serve), serve, "{origin}");
            assert_eq!(validate_origin(origin, Strictness::Development), development, "{origin}");
        }
    }

    #[test]
    fn which_origins_may_call() {
        let redirects =
            ["https://app.example/cb", "http://localhost:*/*", "com.example.app:/cb"].map(str::to_owned);
        for (name, registered, origin, serve, development) in [
            ("named", "https://spa.example", "https://spa.example", true, true),
            ("another", "https://spa.example", "https://evil.test", false, false),
            ("longer", "https://spa.example", "https://spa.example.evil.test", false, false),
            ("other scheme", "https://spa.example", "http://spa.example", false, false),
            ("of a redirect URI", "+", "https://app.example", true, true),
            ("of no redirect URI", "+", "https://spa.example", false, false),
            ("any port", "+", "http://localhost:5173", false, true),
            ("any port, none", "+", "http://localhost", false, true),
            ("any port, longer host", "+", "http://localhost.evil.test", false, false),
            ("any port, user", "+", "http://localhost:80@evil.test", false, false),
            ("any", "*", "https://evil.test", false, true),
            ("any, opaque", "*", "null", false, false),
            ("any, a plus", "*", "+", false, false),
            ("nothing", "", "", false, false),
        ] {
            let registered = [registered.to_owned()];
            assert_eq!(allows(&registered, &redirects, origin, Strictness::Serve), serve, "{name}");
            assert_eq!(
                allows(&registered, &redirects, origin, Strictness::Development),
                development,
                "{name}"
            );
            let mut together = Origins::default();
            together.add(&["https://other.example".to_owned()], &[]);
            together.add(&registered, &redirects);
            for (strictness, allowed) in [(Strictness::Serve, serve), (Strictness::Development, development)]
            {
                assert_eq!(together.allow(origin, strictness), allowed, "{name}, among others");
            }
        }
    }
}
