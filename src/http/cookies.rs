//! The cookies of a realm: the session, and the browser's mark while a sign-in is under way.
//!
//! Values are random and opaque; the store holds their fingerprints. Over https every name has the `__Host-` prefix
//! (RFC 6265bis §4.1.3), which binds it to this host and to the whole of it; the realm's name in it keeps realms apart.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};

use super::context::RealmContext;
use crate::secrets;

/// Longest `Cookie` header that is read, in bytes.
const LONGEST: usize = 8_192;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The signed-in session.
    Session,
    /// The browser in which a sign-in is under way.
    Browser,
    /// The session's identifier, which is no credential, for the script of the login status frame: the one cookie that
    /// scripts may read, and over https the one that comes along inside other sites' pages.
    State,
    /// Whether the person asked to be remembered the last time; says nothing else.
    Remember,
}

impl Kind {
    /// The cookie's name.
    #[must_use]
    pub fn name(self, context: &RealmContext) -> String {
        let prefix = if context.base.is_secure() { "__Host-" } else { "" };
        let suffix = match self {
            Self::Session => "sid",
            Self::Browser => "auth",
            Self::State => "state",
            Self::Remember => "user",
        };
        format!("{prefix}{}-{suffix}", context.state.realm.name)
    }
}

/// The value of a cookie, if the browser sent it exactly once: of two cookies with one name, one may be planted by
/// a neighbour, and nobody can say which.
#[must_use]
pub fn read(context: &RealmContext, headers: &HeaderMap, kind: Kind) -> Option<String> {
    let name = kind.name(context);
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter(|value| value.len() <= LONGEST)
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches('"').to_owned());
    match (found.next(), found.next()) {
        (Some(value), None) if !value.is_empty() && value.len() <= 128 => Some(value),
        _ => None,
    }
}

/// `Set-Cookie` with this value; for `max_age` seconds, or until the browser closes.
#[must_use]
pub fn set(context: &RealmContext, kind: Kind, value: &str, max_age: Option<i64>) -> Option<HeaderValue> {
    let https = context.base.is_secure();
    let reach = match kind {
        // Browsers take `None` over https alone; over http, apps on the same host are of the same site anyway.
        Kind::State if https => "SameSite=None; Secure",
        Kind::State => "SameSite=Lax",
        _ if https => "HttpOnly; SameSite=Lax; Secure",
        _ => "HttpOnly; SameSite=Lax",
    };
    let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let name = kind.name(context);
    HeaderValue::from_str(&format!("{name}={value}; Path=/; {reach}{age}")).ok()
}

/// `Set-Cookie` that removes what belongs to a session.
#[must_use]
pub fn signed_out(context: &RealmContext) -> Vec<HeaderValue> {
    [Kind::Session, Kind::State].into_iter().filter_map(|kind| set(context, kind, "", Some(0))).collect()
}

/// A new value for a cookie, and the fingerprint by which it is known.
#[must_use]
pub fn fresh() -> (String, String) {
    let value = secrets::random_token();
    let fingerprint = secrets::fingerprint(&value);
    (value, fingerprint)
}
