//! Addresses: what may be registered, what equals it, what a proxy says.

use std::net::{IpAddr, Ipv4Addr};

use url::Url;
use vestibule::protocol::forwarded::{Cidr, ForwardedHeaders, Proxies, ProxyHeaders};
use vestibule::protocol::page_uri::validate_page_uri;
use vestibule::protocol::redirect_uri::{Strictness, matches, validate_registration};
use vestibule::protocol::web_origin::validate_origin;

/// Z01: what matches is the registered address to the byte, but for a native client's loopback port; and a browser
/// goes to the host that was registered.
pub fn redirect_match(bytes: &[u8]) {
    let Some([registered, requested]) = crate::lines(bytes) else { return };
    for native in [false, true] {
        if !matches(registered, requested, Strictness::Serve, native) {
            continue;
        }
        assert!(!requested.contains(['@', '\\', '\t', '\r', ' ', '#', '\0']), "{requested:?}");
        if registered != requested {
            assert!(native, "{registered:?} {requested:?}");
            let [a, b] = [registered, requested].map(|text| Url::parse(text).expect("an address"));
            assert_eq!(
                (a.scheme(), a.host_str(), a.path(), a.query()),
                (b.scheme(), b.host_str(), b.path(), b.query())
            );
            assert!(matches!(a.host_str(), Some("127.0.0.1" | "[::1]")), "{registered:?}");
        }
    }
    if matches(registered, requested, Strictness::Development, false) {
        let asked = Url::parse(requested).expect("an address");
        let loopback = matches!(asked.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        let host = asked.host_str().unwrap_or_default();
        assert!(
            registered == requested || loopback || registered.contains(host),
            "{registered:?} {requested:?}"
        );
    }
}

/// Z02: what may be registered is spelled as a browser spells it, and leads where it says.
pub fn redirect_registration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = validate_registration(text, Strictness::Development);
    if validate_registration(text, Strictness::Serve).is_err() {
        return;
    }
    let url = Url::parse(text).expect("what is accepted is an address");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{text:?}");
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let own = url.scheme().contains('.');
    assert!(url.scheme() == "https" || own || (url.scheme() == "http" && loopback), "{text:?}");
    if !own {
        assert_eq!(url.as_str(), text, "a browser would go elsewhere");
    }
    assert!(!text.contains('*'), "{text:?}");
}

/// Addresses that pages link to, and origins: nothing that runs.
pub fn page_address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if validate_page_uri(text, Strictness::Serve).is_ok() {
        let url = Url::parse(text).expect("an address");
        assert!(matches!(url.scheme(), "https" | "http"), "{text:?}");
    }
    if validate_origin(text, Strictness::Serve).is_ok() && text != "+" {
        let url = Url::parse(text).expect("an origin");
        assert!(matches!(url.scheme(), "https" | "http") && url.path().len() <= 1, "{text:?}");
    }
}

/// Z14: whom we do not know we do not believe, and garbage ends the walk at who sent it.
pub fn forwarded(bytes: &[u8]) {
    let Some([forwarded, x_for, x_host]) = crate::lines(bytes) else { return };
    let values = [[forwarded], [x_for], [x_host]];
    let headers = ForwardedHeaders {
        forwarded: &values[0],
        x_for: &values[1],
        x_proto: &values[0],
        x_host: &values[2],
    };
    let peer = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    let stranger = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    for family in [ProxyHeaders::Forwarded, ProxyHeaders::XForwarded] {
        let trusted: Vec<Cidr> = ["10.0.0.0/8"].iter().filter_map(|text| text.parse().ok()).collect();
        let proxies = Proxies { trusted, headers: family };
        assert_eq!(proxies.client(stranger, &headers), stranger);
        assert_eq!(proxies.host(stranger, &headers), None);
        assert_eq!(proxies.scheme(stranger, &headers), None);
        let _ =
            (proxies.client(peer, &headers), proxies.scheme(peer, &headers), proxies.host(peer, &headers));
    }
}
