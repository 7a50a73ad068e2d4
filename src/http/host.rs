//! From a request's header fields to the [`Base`] of its answer and the address of its client.
//!
//! Owns the reading of header fields; the rules are in `protocol::issuer` and `protocol::forwarded`.

use std::net::IpAddr;

use axum::http::header::{FORWARDED, HOST};
use axum::http::request::Parts;

use crate::protocol::forwarded::ForwardedHeaders;
use crate::protocol::issuer::{Asked, Base, HostRefusal, Hosts};

/// Marks a request that came over TLS which this server ends.
#[derive(Clone, Copy, Debug)]
pub struct OverTls;

/// The base of addresses and issuers in the answer to this request.
///
/// # Errors
/// [`HostRefusal`], to be answered with its status.
pub fn base(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> Result<Base, HostRefusal> {
    let host_fields: Vec<&[u8]> = parts.headers.get_all(HOST).iter().map(|value| value.as_bytes()).collect();
    with_asked(parts, &host_fields, |asked| hosts.resolve(peer, asked))
}

/// The base of the addresses that programs call, when it is another (see [`Hosts::back_channel`]).
#[must_use]
pub fn back_channel(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> Option<Base> {
    if !hosts.has_back_channels() {
        return None;
    }
    let host_fields: Vec<&[u8]> = parts.headers.get_all(HOST).iter().map(|value| value.as_bytes()).collect();
    with_asked(parts, &host_fields, |asked| hosts.back_channel(peer, asked))
}

fn with_asked<T>(parts: &Parts, hosts: &[&[u8]], rule: impl FnOnce(&Asked<'_>) -> T) -> T {
    let target = parts.uri.authority().map(|authority| authority.as_str());
    let over_tls = parts.extensions.get::<OverTls>().is_some();
    with_forwarded(parts, |forwarded| rule(&Asked { hosts, target, forwarded, over_tls }))
}

/// The address of the client: `peer` itself, or what our own proxies say about it.
#[must_use]
pub fn client(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> IpAddr {
    with_forwarded(parts, |forwarded| hosts.proxies().client(peer, &forwarded))
}

fn with_forwarded<T>(parts: &Parts, rule: impl FnOnce(ForwardedHeaders<'_>) -> T) -> T {
    let forwarded = texts(parts, FORWARDED.as_str());
    let x_for = texts(parts, "x-forwarded-for");
    let x_proto = texts(parts, "x-forwarded-proto");
    let x_host = texts(parts, "x-forwarded-host");
    rule(ForwardedHeaders { forwarded: &forwarded, x_for: &x_for, x_proto: &x_proto, x_host: &x_host })
}

/// The values of a header; one that is not plain ASCII becomes a text that no rule accepts.
fn texts<'a>(parts: &'a Parts, name: &str) -> Vec<&'a str> {
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
