//! The part of an address that all our addresses begin with.

use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;

use super::{Authority, authority};

/// RFC 3986 §2.3: what needs no escape in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `scheme://host[:port][/base_path]`, without a slash at its end and without a default port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Base {
    text: Arc<str>,
    /// Where the base path begins in `text`.
    path_at: usize,
    secure: bool,
}

/// Why a text is no base address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BaseError {
    /// The scheme is neither `http` nor `https`.
    #[error("must begin with https:// or http://")]
    Scheme,
    /// The host or the port is missing or malformed, or there is userinfo.
    #[error("needs a host name or address, with an optional port, and nothing before it")]
    Host,
    /// The path holds something else than plain segments.
    #[error("must not have a query, a fragment, an escape, an empty or dotted path segment")]
    Path,
}

impl Base {
    /// Reads an address as an operator writes it; one slash at the end is forgiven.
    ///
    /// # Errors
    /// [`BaseError`], naming the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, BaseError> {
        let (scheme, rest) = text.split_once("://").ok_or(BaseError::Scheme)?;
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(at).ok_or(BaseError::Host)?;
        let host = authority(host.as_bytes()).map_err(|_| BaseError::Host)?;
        Self::assemble(&scheme.to_ascii_lowercase(), &host, path.strip_suffix('/').unwrap_or(path))
    }

    pub(super) fn assemble(scheme: &str, authority: &Authority, path: &str) -> Result<Self, BaseError> {
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(BaseError::Scheme),
        };
        if !Self::is_path(path) {
            return Err(BaseError::Path);
        }
        let port = authority.port.filter(|port| *port != default_port(secure));
        let mut text = format!("{scheme}://{}", authority.host);
        if let Some(port) = port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        let path_at = text.len();
        text.push_str(path);
        Ok(Self { text: text.into(), path_at, secure })
    }

    /// Whether `path` may be a base path: empty, or plain segments, each after one slash.
    #[must_use]
    pub fn is_path(path: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(plain);
        path.is_empty() || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(segment))
    }

    /// The whole base address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as a browser's `Origin` header has them (RFC 6454 §6.2).
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.path_at).unwrap_or_default()
    }

    /// Host and port, the port as far as it is written.
    #[must_use]
    pub fn authority(&self) -> &str {
        let scheme = if self.secure { "https://" } else { "http://" };
        self.origin().strip_prefix(scheme).unwrap_or_default()
    }

    /// The host without port, IPv6 in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let after = self.authority();
        super::split_port(after).map_or(after, |(host, _)| host)
    }

    /// The base path: empty, or beginning with a slash.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default()
    }

    /// Whether the scheme is `https`, and so cookies get `Secure`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// `{base}/realms/{realm}`, the name escaped as a path segment.
    #[must_use]
    pub fn realm(&self, realm: &str) -> String {
        let mut address = String::with_capacity(self.text.len() + "/realms/".len() + realm.len());
        address.push_str(&self.text);
        address.push_str("/realms/");
        address.extend(utf8_percent_encode(realm, SEGMENT));
        address
    }

    pub(super) fn is_at(&self, asked: &Authority) -> bool {
        let default = default_port(self.secure);
        authority(self.authority().as_bytes()).is_ok_and(|own| {
            own.host == asked.host && own.port.unwrap_or(default) == asked.port.unwrap_or(default)
        })
    }
}

fn default_port(secure: bool) -> u16 {
    if secure { 443 } else { 80 }
}

impl fmt::Display for Base {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}
