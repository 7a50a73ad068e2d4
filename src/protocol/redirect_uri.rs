//! Redirect URIs: what may be registered, and when a requested one is the registered one.
//!
//! Owns both rules, for `redirect_uris` and for `post_logout_redirect_uris` alike (RP-Initiated Logout 1.0 §3
//! asks for the same exact comparison). Leaves to the endpoints what follows from a refusal: a page, never
//! a redirect.
//!
//! Comparison is of raw bytes (RFC 9700 §2.1, §4.1.3). A parsed address is never compared: the parser turns
//! `https://APP.example:443/a/../cb` into `https://app.example/cb`, and with it a stranger's into ours.
//!
//! Only development ([`Strictness::is_development`]) knows patterns, of three forms:
//! - a `*` that ends the path: `https://app.example/*` covers every path (and query) below that prefix, and
//!   `https://app.example` without its last slash as Keycloak does, with scheme, host and port compared whole;
//! - a port `*` on a loopback host: `http://localhost:*/*`, `http://127.0.0.1:*/cb`, `http://[::1]:*/*` cover
//!   any port and none;
//! - `*` alone, which development tools write for "wherever the app runs": every address of [`ANYWHERE_HERE`], so
//!   never another machine's. In [`Strictness::StandIn`] it is what it is in Keycloak: every `http` and `https` address,
//!   since apps run in containers and on phones; an app's own scheme must be written.

use thiserror::Error;
use url::Url;

/// The longest redirect URI in bytes, registered or requested.
pub const LONGEST: usize = 2048;

/// What `*` alone stands for.
const ANYWHERE_HERE: [&str; 3] = ["http://localhost:*/*", "http://127.0.0.1:*/*", "http://[::1]:*/*"];

/// Parameters that an authorization or logout response adds. A registered query that already holds one would
/// let the attacker's value stand before ours (CVE-2026-9689).
const RESPONSE_PARAMETERS: [&str; 12] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "session_state",
    "response",
    "id_token",
    "access_token",
    "token_type",
    "expires_in",
];

/// Which rule set holds: that of `serve` (and `start`), of `dev`, or of `start-dev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Production: exact comparison, RFC 8252's port rule for native clients as the one exception.
    Serve,
    /// Development: patterns are honoured, plain `http` reaches any host, an empty path is allowed.
    Development,
    /// Development in the place of Keycloak's development container: `*` alone covers other machines too.
    StandIn,
}

impl Strictness {
    /// Whether this is development, of either kind.
    #[must_use]
    pub fn is_development(self) -> bool {
        self != Self::Serve
    }
}

/// Why a URI cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedirectUriProblem {
    /// Nothing is written.
    #[error("it is empty")]
    Empty,
    /// More than [`LONGEST`] bytes.
    #[error("it is longer than {LONGEST} bytes")]
    TooLong,
    /// White space, a control character (raw or percent-encoded), a backslash or anything outside ASCII.
    #[error("white space, control characters, backslashes and anything outside ASCII are refused")]
    Character,
    /// An `@`, which hides the true host from a reader's eye (RFC 9700 §4.1.3).
    #[error("`@` is refused, since it can hide the true host")]
    UserInfo,
    /// A fragment (RFC 6749 §3.1.2).
    #[error("a fragment (`#…`) is refused")]
    Fragment,
    /// Not an absolute address.
    #[error("it is not an absolute address, such as `https://app.example.com/callback`")]
    NotAbsolute,
    /// A scheme that is neither `https`, nor `http`, nor an application's own with a dot (RFC 8252 §7.1).
    #[error("scheme `{0}` is refused: use https, http on a loopback host, or `com.example.app:` for an app")]
    Scheme(String),
    /// Plain `http` to a host that is not loopback.
    #[error("plain http is for localhost, 127.0.0.1 and [::1] alone: use https")]
    PlainHttp,
    /// A `*` in a server that compares exactly.
    #[error("a wildcard is a convenience of development: production compares exactly")]
    Wildcard,
    /// A `*` elsewhere than at the path's end or as a loopback host's port.
    #[error("`*` may only end the path (`https://app.example.com/*`) or be a loopback host's port")]
    WildcardPlace,
    /// `.` or `..` segments, also as `..;` or percent-encoded.
    #[error("`.` and `..` segments are refused, in every spelling")]
    DotSegment,
    /// A spelling that browsers rewrite: the redirect would not go to what was registered.
    #[error("browsers rewrite it: write `{0}`")]
    Spelling(String),
    /// A query parameter that a response adds.
    #[error("query parameter `{0}` belongs to the response")]
    ResponseParameter(String),
}

/// Whether `uri` may be registered as a redirect URI or post-logout redirect URI.
///
/// Accepted are `https`, `http` on a loopback host, and private-use schemes with a dot (RFC 8252 §7.1), without
/// user information, fragment or control characters, spelled exactly as a browser would spell them.
///
/// # Errors
/// The first problem found.
pub fn validate_registration(uri: &str, strictness: Strictness) -> Result<(), RedirectUriProblem> {
    use RedirectUriProblem as Problem;
    check_characters(uri)?;
    if uri == "*" {
        return if strictness.is_development() { Ok(()) } else { Err(Problem::Wildcard) };
    }
    let parts = Parts::split(uri).ok_or(Problem::NotAbsolute)?;
    if uri.contains('*') {
        if !strictness.is_development() {
            return Err(Problem::Wildcard);
        }
        Pattern::read(uri).ok_or(Problem::WildcardPlace)?;
    }
    check_scheme(&parts, strictness)?;
    if has_dot_segment(parts.path) {
        return Err(Problem::DotSegment);
    }
    if let Some(name) = response_parameter(parts.query) {
        return Err(Problem::ResponseParameter(name));
    }
    check_spelling(uri, &parts, strictness)
}

/// Whether `requested` is the registered URI.
///
/// True for equal bytes. For a `native` client that registered `http://127.0.0.1…` or `http://[::1]…` the port
/// is left out of the comparison (RFC 8252 §7.3). In development a registered pattern covers
/// what the module's documentation says. A registered value that [`validate_registration`] refuses under the
/// same strictness matches nothing, so that what was stored in development opens no door in production.
#[must_use]
pub fn matches(registered: &str, requested: &str, strictness: Strictness, native: bool) -> bool {
    if check_characters(requested).is_err() {
        return false;
    }
    if registered == "*" {
        let here = || ANYWHERE_HERE.iter().any(|here| matches(here, requested, strictness, native));
        return if strictness == Strictness::StandIn { is_web_address(requested) } else { here() };
    }
    let same = if registered.contains('*') {
        strictness.is_development() && Pattern::read(registered).is_some_and(|p| p.covers(requested))
    } else {
        registered == requested || (native && same_but_for_port(registered, requested))
    };
    same && validate_registration(registered, strictness).is_ok()
}

/// Whether `requested` is an `http` or `https` address that can be read in one way.
fn is_web_address(requested: &str) -> bool {
    Parts::split(requested).is_some_and(|parts| {
        matches!(parts.scheme, "http" | "https")
            && parts.port().is_none_or(is_port)
            && is_plain_path(requested, &parts)
    })
}

/// Whether `host`, as written in an address, names this machine: `localhost`, `127.0.0.1` or `[::1]`.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Length and characters, for registered and requested values alike.
fn check_characters(uri: &str) -> Result<(), RedirectUriProblem> {
    use RedirectUriProblem as Problem;
    if uri.is_empty() {
        return Err(Problem::Empty);
    }
    if uri.len() > LONGEST {
        return Err(Problem::TooLong);
    }
    if uri.contains('@') {
        return Err(Problem::UserInfo);
    }
    if uri.contains('#') {
        return Err(Problem::Fragment);
    }
    let graphic = uri.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if graphic && !has_encoded_control(uri) { Ok(()) } else { Err(Problem::Character) }
}

fn has_encoded_control(uri: &str) -> bool {
    percent_encoding::percent_decode_str(uri).any(|byte| byte.is_ascii_control())
}

fn check_scheme(parts: &Parts<'_>, strictness: Strictness) -> Result<(), RedirectUriProblem> {
    match parts.scheme {
        "https" => Ok(()),
        "http" if strictness.is_development() || is_loopback(parts.host()) => Ok(()),
        "http" => Err(RedirectUriProblem::PlainHttp),
        own if own.contains('.') => Ok(()),
        other => Err(RedirectUriProblem::Scheme(other.chars().take(32).collect())),
    }
}

/// A browser must find nothing to rewrite: the parsed address, written out again, is the input.
fn check_spelling(uri: &str, parts: &Parts<'_>, strictness: Strictness) -> Result<(), RedirectUriProblem> {
    let without_port_pattern = uri.replacen(":*", "", usize::from(parts.port() == Some("*")));
    let parsed = Url::parse(&without_port_pattern).map_err(|_| RedirectUriProblem::NotAbsolute)?;
    let empty_path = strictness.is_development() && parts.path.is_empty() && parts.query.is_none();
    let written = parsed.as_str();
    if written == without_port_pattern || (empty_path && written.strip_suffix('/') == Some(uri)) {
        return Ok(());
    }
    Err(RedirectUriProblem::Spelling(written.to_owned()))
}

/// Whether a segment of `path` is `.` or `..` to a browser or to a server behind it (`..;x`, `%2e%2e`).
fn has_dot_segment(path: &str) -> bool {
    path.split('/').any(|segment| {
        let name = segment.split(';').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        name == "." || name == ".."
    })
}

/// The first query parameter whose decoded name a response would add.
fn response_parameter(query: Option<&str>) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .map(|(name, _)| name)
        .find(|name| RESPONSE_PARAMETERS.contains(&name.as_ref()))
        .map(std::borrow::Cow::into_owned)
}

/// RFC 8252 §7.3: a loopback address of a native client, where the port is chosen at request time.
fn same_but_for_port(registered: &str, requested: &str) -> bool {
    let (Some(ours), Some(theirs)) = (Parts::split(registered), Parts::split(requested)) else {
        return false;
    };
    ours.scheme == "http"
        && matches!(ours.host(), "127.0.0.1" | "[::1]")
        && theirs.scheme == ours.scheme
        && theirs.host() == ours.host()
        && theirs.port().is_none_or(is_port)
        && (theirs.path, theirs.query) == (ours.path, ours.query)
}

fn is_port(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The parts of an address as RFC 3986 appendix B splits them, each a slice of the input.
struct Parts<'a> {
    scheme: &'a str,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// `None` without a scheme, or when a web address lacks its host.
    fn split(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        let web = matches!(scheme, "http" | "https");
        let parts = Self { scheme, authority, path, query };
        (!web || !parts.host().is_empty()).then_some(parts)
    }

    /// The host as written, brackets included; empty without an authority.
    fn host(&self) -> &'a str {
        self.host_and_port().0
    }

    /// The port as written, `*` included.
    fn port(&self) -> Option<&'a str> {
        self.host_and_port().1
    }

    fn host_and_port(&self) -> (&'a str, Option<&'a str>) {
        let authority = self.authority.unwrap_or_default();
        let host_end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
        match authority.get(host_end..).and_then(|rest| rest.find(':')) {
            Some(colon) => {
                let (host, port) = authority.split_at(host_end + colon);
                (host, port.get(1..))
            }
            None => (authority, None),
        }
    }
}

/// A registered value with a `*` in one of the two places that development honours.
struct Pattern<'a> {
    parts: Parts<'a>,
    any_port: bool,
    /// What the path begins with, when a `*` ends it.
    prefix: Option<&'a str>,
}

impl<'a> Pattern<'a> {
    fn read(registered: &'a str) -> Option<Self> {
        let parts = Parts::split(registered)?;
        let any_port = parts.scheme == "http" && is_loopback(parts.host()) && parts.port() == Some("*");
        let prefix = parts.path.strip_suffix('*').filter(|prefix| prefix.starts_with('/'));
        let stars = registered.matches('*').count();
        let placed = usize::from(any_port) + usize::from(prefix.is_some());
        (stars == placed && parts.query.is_none()).then_some(Self { parts, any_port, prefix })
    }

    /// Scheme and host whole; then port and path, each exactly or by its `*`.
    fn covers(&self, requested: &str) -> bool {
        let Some(theirs) = Parts::split(requested) else { return false };
        let origin = theirs.scheme == self.parts.scheme
            && theirs.host() == self.parts.host()
            && if self.any_port {
                theirs.port().is_none_or(is_port)
            } else {
                theirs.authority == self.parts.authority
            };
        let path = match self.prefix {
            Some(prefix) => {
                let folder = prefix.strip_suffix('/') == Some(theirs.path);
                (folder || theirs.path.starts_with(prefix)) && is_plain_path(requested, &theirs)
            }
            None => theirs.path == self.parts.path && theirs.query.is_none(),
        };
        origin && path
    }
}

/// Under a `*` nobody has looked at the path beforehand: nothing in it may be read in two ways.
fn is_plain_path(requested: &str, parts: &Parts<'_>) -> bool {
    let lower = parts.path.to_ascii_lowercase();
    let ambiguous = ["%2e", "%2f", "%5c", "%25"].iter().any(|escape| lower.contains(escape));
    !ambiguous
        && !has_dot_segment(parts.path)
        && response_parameter(parts.query).is_none()
        && Url::parse(requested).is_ok_and(|parsed| {
            let path = if parts.path.is_empty() { "/" } else { parts.path };
            parsed.host_str().unwrap_or_default() == parts.host() && parsed.path() == path
        })
}

#[cfg(test)]
#[path = "redirect_uri_tests.rs"]
mod tests;
