//! From a request's header fields to the [`Base`] of its answer and the address of its client.
//!
//! Owns the reading of header fields; the rules are in `protocol::issuer` and `protocol::forwarded`.

use std::net::IpAddr;

use axum::http::header::{FORWARDED, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};

use crate::protocol::forwarded::{ForwardedHeaders, ProxyHeaders};
use crate::protocol::issuer::{Asked, Base, HostRefusal, Hosts};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Marks a request that came over TLS which this server ends.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// The base of addresses and issuers in the answer to this request.
///
/// # Errors
/// [`HostRefusal`], to be answered with its status.
pub fn base(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> Result<Base, HostRefusal> {
    with_asked(hosts, peer, parts, |asked| hosts.resolve(peer, asked))
}

/// The base of the addresses that programs call, when it is another (see [`Hosts::back_channel`]).
#[must_use]
pub fn back_channel(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> Option<Base> {
    if !hosts.has_back_channels() {
        return None;
    }
    with_asked(hosts, peer, parts, |asked| hosts.back_channel(peer, asked))
}

fn with_asked<T>(hosts: &Hosts, peer: IpAddr, parts: &Parts, rule: impl FnOnce(&Asked<'_>) -> T) -> T {
    let mut fields = parts.headers.get_all(HOST).iter().map(HeaderValue::as_bytes);
    // More than two are as wrong as two.
    let (one, two);
    let fields: &[&[u8]] = match (fields.next(), fields.next()) {
        (None, _) => &[],
        (Some(first), None) => {
            one = [first];
            &one
        }
        (Some(first), Some(second)) => {
            two = [first, second];
            &two
        }
    };
    let target = parts.uri.authority().map(|authority| authority.as_str());
    let over_tls = parts.extensions.get::<OverTls>().is_some();
    with_forwarded(hosts, peer, parts, |forwarded| {
        rule(&Asked { hosts: fields, target, forwarded, over_tls })
    })
}

/// The address of the client: `peer` itself, or what our own proxies say about it.
#[must_use]
pub fn client(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> IpAddr {
    with_forwarded(hosts, peer, parts, |forwarded| hosts.proxies().client(peer, &forwarded))
}

/// What proxies added, as far as it is read at all: whoever is no proxy of ours has nothing to say, and one that is says it
/// in one family of headers.
fn with_forwarded<T>(
    hosts: &Hosts,
    peer: IpAddr,
    parts: &Parts,
    rule: impl FnOnce(ForwardedHeaders<'_>) -> T,
) -> T {
    let proxies = hosts.proxies();
    if !proxies.trusts(peer) {
        return rule(ForwardedHeaders::default());
    }
    match proxies.headers {
        ProxyHeaders::Forwarded => {
            rule(ForwardedHeaders { forwarded: &texts(parts, &FORWARDED), ..ForwardedHeaders::default() })
        }
        ProxyHeaders::XForwarded => rule(ForwardedHeaders {
            x_for: &texts(parts, &X_FORWARDED_FOR),
            x_proto: &texts(parts, &X_FORWARDED_PROTO),
            x_host: &texts(parts, &X_FORWARDED_HOST),
            ..ForwardedHeaders::default()
        }),
    }
}

/// The values of a header; one that is not plain ASCII becomes a text that no rule accepts.
fn texts<'a>(parts: &'a Parts, name: &HeaderName) -> Vec<&'a str> {
    parts.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("\u{fffd}")).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[test]
    fn the_target_and_the_header_must_agree() {
        let hosts = Hosts::fixed(Base::parse("https://op.example").unwrap(), Vec::new());
        let peer = IpAddr::from([198, 51, 100, 1]);
        let rows = [
            ("/auth", "op.example", Ok("https://op.example")),
            ("http://op.example/auth", "op.example", Ok("https://op.example")),
            ("http://evil/auth", "op.example", Err(HostRefusal::Mismatch)),
            ("/auth", "evil", Err(HostRefusal::Unknown)),
        ];
        for (uri, host, expected) in rows {
            let (parts, ()) = Request::get(uri).header(HOST, host).body(()).unwrap().into_parts();
            let base = base(&hosts, peer, &parts);
            assert_eq!(base.as_ref().map(Base::as_str), expected.as_ref().copied(), "{uri} {host}");
        }
    }
}
