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
    only(headers, &kind.name(context))
}

/// The value of the cookie `name`, if it came exactly once and may be one of ours.
#[must_use]
pub fn only(headers: &HeaderMap, name: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            if let Ok(value) = HeaderValue::from_bytes(line) {
                headers.append(COOKIE, value);
            }
        }
        headers
    }

    #[test]
    fn s06_a_cookie_counts_when_it_is_there_once() {
        for (case, lines, expected) in [
            ("alone", &["sid=a"][..], Some("a")),
            ("among others", &["x=1; sid=a; y=2"], Some("a")),
            ("in quotes", &["sid=\"a\""], Some("a")),
            ("twice in a line", &["sid=a; sid=b"], None),
            ("twice in two lines", &["sid=a", "sid=b"], None),
            ("twice the same", &["sid=a; sid=a"], None),
            ("empty", &["sid="], None),
            ("another case", &["SID=a"], None),
            ("as part of another name", &["xsid=a; sidx=b"], None),
            ("as a value", &["x=sid=a"], None),
            ("nothing", &[], None),
        ] {
            let lines = lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>();
            assert_eq!(only(&headers(&lines), "sid").as_deref(), expected, "{case}");
        }
        assert_eq!(only(&headers(&[format!("sid={}", "a".repeat(129)).as_bytes()]), "sid"), None);
    }

    proptest! {
        #[test]
        fn z25_any_header_is_answered(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
            let lines = lines.iter().map(Vec::as_slice).collect::<Vec<_>>();
            if let Some(value) = only(&headers(&lines), "sid") {
                prop_assert!((1..=128).contains(&value.len()));
            }
        }

        #[test]
        fn z25_a_second_one_anywhere_makes_it_none(
            before in "([a-z]{1,5}=[a-z0-9]{0,9}; ){0,4}",
            between in "(; [a-z]{1,5}=[a-z0-9]{0,9}){0,4}",
            split: bool,
        ) {
            prop_assume!(!before.contains("sid=") && !between.contains("sid="));
            let one = format!("{before}sid=value{between}");
            prop_assert_eq!(only(&headers(&[one.as_bytes()]), "sid"), Some("value".to_owned()));
            let (first, second) = if split {
                (one, "sid=planted".to_owned())
            } else {
                (format!("{one}; sid=planted"), "x=y".to_owned())
            };
            prop_assert_eq!(only(&headers(&[first.as_bytes(), second.as_bytes()]), "sid"), None);
        }
    }
}
