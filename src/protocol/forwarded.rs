//! What a reverse proxy says about a request: the address of its client, the scheme and host it was sent to.
//!
//! Owns the parsers of `Forwarded` (RFC 7239) and `X-Forwarded-*`, and the rule whom to believe. Leaves to
//! [`super::issuer`] what follows from a scheme and a host. One family of headers is read, the one that the
//! operator named, since a client may send the other one through a proxy that passes it on.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use thiserror::Error;

/// More hops than this are not walked.
const MAX_HOPS: usize = 16;

/// A range of addresses, such as `10.0.0.0/8` or `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    network: u128,
    bits: u8,
    v4: bool,
}

/// A text that is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not an address range such as 10.0.0.0/8, 192.0.2.7 or fd00::/8")]
pub struct CidrError(String);

impl Cidr {
    /// Every IPv4 and every IPv6 address: whoever connects is believed.
    pub const EVERY: [Self; 2] =
        [Self { network: 0, bits: 0, v4: true }, Self { network: 0, bits: 0, v4: false }];

    /// Whether `address` lies in the range; an IPv4 address inside IPv6 (`::ffff:…`) counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (value, v4) = number(address.to_canonical());
        v4 == self.v4 && masked(value, self.bits, v4) == self.network
    }
}

impl FromStr for Cidr {
    type Err = CidrError;

    fn from_str(text: &str) -> Result<Self, CidrError> {
        let refused = || CidrError(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| refused())?;
        let (value, v4) = number(address);
        let widest = if v4 { 32 } else { 128 };
        let bits = match bits {
            None => widest,
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().map_err(|_| refused())?
            }
            Some(_) => return Err(refused()),
        };
        if bits > widest {
            return Err(refused());
        }
        Ok(Self { network: masked(value, bits, v4), bits, v4 })
    }
}

fn number(address: IpAddr) -> (u128, bool) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), true),
        IpAddr::V6(v6) => (u128::from(v6), false),
    }
}

fn masked(value: u128, bits: u8, v4: bool) -> u128 {
    let width: u32 = if v4 { 32 } else { 128 };
    let dropped = width.saturating_sub(u32::from(bits));
    value.checked_shr(dropped).and_then(|kept| kept.checked_shl(dropped)).unwrap_or(0)
}

/// Which headers the proxy sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// Whom to believe about a request's origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Addresses of our own proxies; empty: nobody is believed.
    pub trusted: Vec<Cidr>,
    /// The headers that those proxies set.
    pub headers: ProxyHeaders,
}

/// Header values of one request, each list in the order in which they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct ForwardedHeaders<'a> {
    /// `Forwarded`.
    pub forwarded: &'a [&'a str],
    /// `X-Forwarded-For`.
    pub x_for: &'a [&'a str],
    /// `X-Forwarded-Proto`.
    pub x_proto: &'a [&'a str],
    /// `X-Forwarded-Host`.
    pub x_host: &'a [&'a str],
}

impl Proxies {
    /// Whether `peer` is one of our proxies.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|range| range.contains(peer))
    }

    /// The address of the client: walking from our side, the first one that is not ours. A hop that cannot be
    /// read ends the walk at the last address that could, so that garbage never hides who sent it.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &ForwardedHeaders<'_>) -> IpAddr {
        let mut nearest = peer.to_canonical();
        for hop in self.hops(headers).into_iter().rev().take(MAX_HOPS) {
            if !self.trusts(nearest) {
                break;
            }
            match hop.and_then(|text| hop_address(&text)) {
                Some(address) => nearest = address,
                None => break,
            }
        }
        nearest
    }

    /// The scheme that the client used, if a believed proxy says so; `Some("http")` or `Some("https")`.
    #[must_use]
    pub fn scheme(&self, peer: IpAddr, headers: &ForwardedHeaders<'_>) -> Option<&'static str> {
        let said = self.said(peer, headers.x_proto, headers, "proto")?;
        ["http", "https"].into_iter().find(|known| said.eq_ignore_ascii_case(known))
    }

    /// The host that the client asked for, if a believed proxy says so.
    #[must_use]
    pub fn host(&self, peer: IpAddr, headers: &ForwardedHeaders<'_>) -> Option<String> {
        self.said(peer, headers.x_host, headers, "host")
    }

    /// The last value of a header or of an element: what the nearest proxy wrote.
    fn said(
        &self,
        peer: IpAddr,
        plain: &[&str],
        headers: &ForwardedHeaders<'_>,
        name: &str,
    ) -> Option<String> {
        if !self.trusts(peer) {
            return None;
        }
        match self.headers {
            ProxyHeaders::XForwarded => plain.last()?.rsplit(',').next().map(|last| last.trim().to_owned()),
            ProxyHeaders::Forwarded => elements(headers.forwarded)?
                .pop()?
                .into_iter()
                .find(|(own, _)| own == name)
                .map(|(_, value)| value),
        }
    }

    fn hops(&self, headers: &ForwardedHeaders<'_>) -> Vec<Option<String>> {
        match self.headers {
            ProxyHeaders::XForwarded => headers
                .x_for
                .iter()
                .flat_map(|value| value.split(','))
                .map(|hop| Some(hop.trim().to_owned()))
                .collect(),
            ProxyHeaders::Forwarded => elements(headers.forwarded)
                .unwrap_or_default()
                .into_iter()
                .map(|element| element.into_iter().find(|(name, _)| name == "for").map(|(_, value)| value))
                .collect(),
        }
    }
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn hop_address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bracketed {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => {
            text.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|pair| pair.ip()))?
        }
    };
    Some(address.to_canonical())
}

/// The elements of `Forwarded` (RFC 7239 §4), each a list of lower-case names and values; `None` if any part of
/// it cannot be read.
fn elements(values: &[&str]) -> Option<Vec<Vec<(String, String)>>> {
    let mut all = Vec::new();
    for value in values {
        for element in split_outside_quotes(value, ',')? {
            let mut pairs = Vec::new();
            for pair in
                split_outside_quotes(element, ';')?.into_iter().map(str::trim).filter(|pair| !pair.is_empty())
            {
                let (name, value) = pair.split_once('=')?;
                pairs.push((name.trim().to_ascii_lowercase(), unquoted(value.trim())?));
            }
            all.push(pairs);
        }
    }
    Some(all)
}

fn split_outside_quotes(text: &str, at: char) -> Option<Vec<&str>> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = text
        .split(|char: char| {
            let inside = quoted;
            if escaped {
                escaped = false;
            } else if quoted && char == '\\' {
                escaped = true;
            } else if char == '"' {
                quoted = !quoted;
            }
            !inside && char == at
        })
        .collect();
    (!quoted).then_some(parts)
}

fn unquoted(value: &str) -> Option<String> {
    match value.strip_prefix('"') {
        // A quoted pair (`\"`) has no place in an address or a host.
        Some(rest) => rest.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\'])).map(str::to_owned),
        None => (!value.contains('"')).then(|| value.to_owned()),
    }
}

#[cfg(test)]
mod tests;
