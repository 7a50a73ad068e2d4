//! Whether two spellings are one address, as far as `htu` goes.

use std::borrow::Cow;

use crate::protocol::issuer::Base;

/// Whether `htu` names `address`, which is ours and has no query: after the syntax- and scheme-based normalisation of
/// RFC 3986 §6.2.2 and §6.2.3, and without query and fragment (RFC 9449 §4.3, check 9). Dotted segments are not
/// resolved: our addresses have none.
#[must_use]
pub fn same_address(htu: &str, address: &str) -> bool {
    normal(htu).is_some_and(|normal_htu| Some(normal_htu) == normal(address))
}

/// Origin and path, in the one spelling of each.
fn normal(address: &str) -> Option<(Base, Cow<'_, str>)> {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let address = address.get(..end)?;
    let (scheme, rest) = address.split_once("://")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let origin = address.get(..scheme.len().checked_add(3)?.checked_add(at)?)?;
    let path = rest.get(at..).filter(|path| !path.is_empty()).unwrap_or("/");
    Some((Base::parse(origin).ok()?, unescaped(path)))
}

/// A path in which nothing is escaped that need not be, and every escape is in capitals; one that is broken stays.
fn unescaped(path: &str) -> Cow<'_, str> {
    if !path.contains('%') {
        return Cow::Borrowed(path);
    }
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        normal.push_str(before);
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped.filter(|_| after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())) {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') => {
                normal.push(char::from(byte));
                rest = after.get(2..).unwrap_or_default();
            }
            Some(byte) => {
                normal.push_str(&format!("%{byte:02X}"));
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                normal.push('%');
                rest = after;
            }
        }
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}
