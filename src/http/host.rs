//! From a request's header fields to the [`Base`] of its answer and the address of its client.
//!
//! Owns the reading of header fields; the rules are in `protocol::issuer` and `protocol::forwarded`.

use std::net::IpAddr;

use axum::http::header::{FORWARDED, HOST};
use axum::http::request::Parts;

use crate::protocol::forwarded::ForwardedHeaders;
use crate::protocol::issuer::{Asked, Base, HostRefusal, Hosts};

/// The base of addresses and issuers in the answer to this request.
///
/// # Errors
/// [`HostRefusal`], to be answered with its status.
pub fn base(hosts: &Hosts, peer: IpAddr, parts: &Parts) -> Result<Base, HostRefusal> {
    let host_fields: Vec<&[u8]> = parts.headers.get_all(HOST).iter().map(|value| value.as_bytes()).collect();
    let target = parts.uri.authority().map(|authority| authority.as_str());
    with_forwarded(parts, |forwarded| hosts.resolve(peer, &Asked { hosts: &host_fields, target, forwarded }))
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
