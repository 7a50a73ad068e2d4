//! Request parameters, strictly: each at most once, real UTF-8, bounded in number and size.
//!
//! Owns the parser of `application/x-www-form-urlencoded` bytes and, in [`extract`], the axum extractors
//! [`Form`], [`Query`] and [`QueryOrForm`]. Leaves to the endpoint what a parameter means, and whether a
//! refusal becomes JSON or a page: an extractor never answers by itself.
//!
//! Why not `serde_urlencoded`: it keeps the last of two equal parameters and turns `%ff` into U+FFFD, so that
//! two different inputs become one.

pub mod extract;
pub mod multipart;

use std::fmt;

use axum::http::StatusCode;
use thiserror::Error;
use zeroize::Zeroizing;

pub use extract::{Form, Query, QueryOrForm};

/// Parameters in one request.
pub const MAX_PARAMS: usize = 64;
/// Bytes of a parameter's name.
pub const MAX_NAME_BYTES: usize = 256;
/// Bytes of a parameter's value, decoded.
pub const MAX_VALUE_BYTES: usize = 4_000;
/// Bytes of a decoded value that may carry a JWT.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Bytes of a form or a query string, encoded.
pub const MAX_ENCODED_BYTES: usize = 64 * 1024;

/// How often a parameter may come that may come several times.
pub const MAX_REPEATS: usize = 10;

/// The parameters that specifications let a client repeat: `audience` (RFC 8693 §2.1) and `resource`
/// (RFC 8707 §2). The extractors use this list.
pub const REPEATABLE: &[&str] = &["audience", "resource"];

/// Parameters whose value may be a JWT or a sealed request, and so may reach [`MAX_TOKEN_BYTES`].
const TOKENS: &[&str] = &[
    "request",
    "client_assertion",
    "subject_token",
    "actor_token",
    "id_token_hint",
    "assertion",
    "logout_token",
    "refresh_token",
    "code",
    "session_code",
];

/// What introspection and revocation are asked about. An answer is owed to any token, however long (RFC 7662 §2.2,
/// RFC 7009 §2.2); one beyond [`MAX_TOKEN_BYTES`] is none of ours, which the parser of tokens finds out by its length.
const ANY_TOKEN: &str = "token";

/// The parameters of one request, in the order in which they came.
///
/// Values are wiped from memory on drop, since passwords and secrets are among them; `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, Zeroizing<String>)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded` bytes in which no parameter may come twice (OAuth 2.1 §3.1).
    ///
    /// # Errors
    /// [`ParamsError`] for a repeated name, a broken escape, bytes that are not UTF-8, NUL, or a limit passed.
    pub fn parse(raw: &[u8]) -> Result<Self, ParamsError> {
        Self::parse_with(raw, &[])
    }

    /// As [`Params::parse`], but the names in `repeatable` may come up to [`MAX_REPEATS`] times.
    ///
    /// # Errors
    /// As [`Params::parse`].
    pub fn parse_with(raw: &[u8], repeatable: &[&str]) -> Result<Self, ParamsError> {
        if raw.len() > MAX_ENCODED_BYTES {
            return Err(ParamsError::TooLarge);
        }
        let mut params = Self::default();
        for pair in raw.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = Zeroizing::new(decode(halves.next().unwrap_or_default())?);
            params.push(name, value, repeatable)?;
        }
        Ok(params)
    }

    /// The value of `name`; a parameter without a value counts as absent (OAuth 2.1 §3.1). For a name that may
    /// be repeated this is the first value: ask [`Params::all`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, value)| own == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be repeated, without empty ones, in the order in which they came.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(own, value)| own == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Names and values, without empty ones, in the order in which they came.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let filled = self.0.iter().filter(|(_, value)| !value.is_empty());
        filled.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Every name, those with an empty value and repetitions included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether nothing was sent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(
        &mut self,
        name: String,
        value: Zeroizing<String>,
        repeatable: &[&str],
    ) -> Result<(), ParamsError> {
        if self.0.len() >= MAX_PARAMS {
            return Err(ParamsError::TooMany);
        }
        // `scope[]=…` is how other stacks spell a list; ignoring it would drop what the sender meant.
        if name.len() > MAX_NAME_BYTES || name.contains(['[', ']']) {
            return Err(ParamsError::BadName);
        }
        let longest = match name.as_str() {
            ANY_TOKEN => MAX_ENCODED_BYTES,
            name if TOKENS.contains(&name) => MAX_TOKEN_BYTES,
            _ => MAX_VALUE_BYTES,
        };
        if value.len() > longest {
            return Err(ParamsError::TooLong(name));
        }
        let most = if repeatable.contains(&name.as_str()) { MAX_REPEATS } else { 1 };
        if self.names().filter(|own| *own == name).count() >= most {
            return Err(ParamsError::Repeated(name));
        }
        self.0.push((name, value));
        Ok(())
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.names()).finish()
    }
}

/// Why parameters were refused. Knows its status and a description that may be sent to a client.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParamsError {
    /// A parameter came more often than it may.
    #[error("a parameter is given too often: {0:?}")]
    Repeated(String),
    /// A value is longer than its limit.
    #[error("the value of a parameter is too long: {0:?}")]
    TooLong(String),
    /// A name is too long or holds brackets.
    #[error("a parameter has a name that is not allowed")]
    BadName,
    /// More than [`MAX_PARAMS`] parameters.
    #[error("more than {MAX_PARAMS} parameters")]
    TooMany,
    /// `%` without two hexadecimal digits, or a byte that must be escaped.
    #[error("the encoding of the parameters is broken")]
    BadEncoding,
    /// Decoded bytes that are not UTF-8.
    #[error("a parameter is not UTF-8")]
    NotUtf8,
    /// A NUL character, which Postgres cannot store.
    #[error("a parameter holds a NUL character")]
    Nul,
    /// The content type is absent or is not `application/x-www-form-urlencoded`.
    #[error("the content type is not application/x-www-form-urlencoded")]
    NotAForm,
    /// More than [`MAX_ENCODED_BYTES`] in a form or a query string.
    #[error("the request is larger than {MAX_ENCODED_BYTES} bytes")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body of the request did not arrive in time")]
    TooSlow,
    /// The body ended early or its framing is broken.
    #[error("the body of the request could not be read")]
    Unreadable,
}

impl ParamsError {
    /// The status of the answer: 413 for a large body, 408 for a slow one, else 400.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Text for `error_description`, within the characters of RFC 6749 §5.2. A parameter is named only if its
    /// name is plain; a value is never shown.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Repeated(name) => format!("parameter {} is given too often", plain(name)),
            Self::TooLong(name) => format!("the value of parameter {} is too long", plain(name)),
            other => other.to_string(),
        }
    }
}

fn plain(name: &str) -> &str {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if !name.is_empty() && name.len() <= 40 && name.bytes().all(known) { name } else { "(unknown)" }
}

/// Form-decodes one name or value (WHATWG URL §5.1, with errors where it would guess).
fn decode(encoded: &[u8]) -> Result<String, ParamsError> {
    // A raw control character cannot come from a correct encoder, nor through our header parser.
    let special = |byte: &u8| matches!(byte, b'+' | b'%' | 0x00..=0x1f | 0x7f);
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    loop {
        let (plain, others) = rest.split_at(rest.iter().position(special).unwrap_or(rest.len()));
        bytes.extend_from_slice(plain);
        let (byte, after) = match others {
            [] => break,
            [b'+', after @ ..] => (b' ', after),
            [b'%', high, low, after @ ..] => match (digit(*high), digit(*low)) {
                (Some(0), Some(0)) => return Err(ParamsError::Nul),
                (Some(high), Some(low)) => ((high << 4) | low, after),
                _ => return Err(ParamsError::BadEncoding),
            },
            _ => return Err(ParamsError::BadEncoding),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|refused| {
        drop(Zeroizing::new(refused.into_bytes()));
        ParamsError::NotUtf8
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
