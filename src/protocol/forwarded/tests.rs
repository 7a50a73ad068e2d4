use proptest::prelude::*;

use super::*;

fn proxies(headers: ProxyHeaders, ranges: &[&str]) -> Proxies {
    Proxies { trusted: ranges.iter().map(|range| range.parse().unwrap()).collect(), headers }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn ranges() {
    let rows = [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("10.1.2.3/8", "10.9.9.9", true),
        ("192.0.2.7", "192.0.2.7", true),
        ("192.0.2.7", "192.0.2.8", false),
        ("0.0.0.0/0", "203.0.113.1", true),
        ("0.0.0.0/0", "2001:db8::1", false),
        ("::/0", "2001:db8::1", true),
        ("fd00::/8", "fd12::1", true),
        ("fd00::/8", "fe80::1", false),
        ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ("::1", "::1", true),
    ];
    for (range, address, inside) in rows {
        assert_eq!(range.parse::<Cidr>().unwrap().contains(ip(address)), inside, "{range} {address}");
    }
    for refused in
        ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/+8", "example.com", "10.0.0.0/8/8"]
    {
        assert!(refused.parse::<Cidr>().is_err(), "{refused}");
    }
    assert!(Cidr::EVERY.iter().any(|range| range.contains(ip("198.51.100.1"))));
}

#[test]
fn the_client_is_the_nearest_address_that_is_not_ours() {
    let rows: [(&str, &str, &[&str], &str); 10] = [
        ("no header", "10.0.0.1", &[], "10.0.0.1"),
        ("untrusted peer", "198.51.100.1", &["203.0.113.9"], "198.51.100.1"),
        ("one hop", "10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
        ("spoofed first entry", "10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
        ("two proxies", "10.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("two headers", "10.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("garbage stays with the proxy", "10.0.0.1", &["not-an-address"], "10.0.0.1"),
        ("garbage before a proxy", "10.0.0.1", &["unknown, 10.0.0.2"], "10.0.0.2"),
        ("with a port", "10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
        ("v6 with a port", "10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7"),
    ];
    let ours = proxies(ProxyHeaders::XForwarded, &["10.0.0.0/8"]);
    for (name, peer, x_for, client) in rows {
        let headers = ForwardedHeaders { x_for, ..ForwardedHeaders::default() };
        assert_eq!(ours.client(ip(peer), &headers), ip(client), "{name}");
    }
}

#[test]
fn rfc_7239() {
    let ours = proxies(ProxyHeaders::Forwarded, &["10.0.0.0/8"]);
    let said: &[&str] = &[
        r#"for="[2001:db8:cafe::17]:4711";host=evil"#,
        r#"FOR=203.0.113.9;Proto=https;host="op.example:8443""#,
    ];
    let headers = ForwardedHeaders { forwarded: said, x_host: &["evil"], ..ForwardedHeaders::default() };
    assert_eq!(ours.client(ip("10.0.0.1"), &headers), ip("203.0.113.9"));
    assert_eq!(ours.scheme(ip("10.0.0.1"), &headers), Some("https"));
    assert_eq!(ours.host(ip("10.0.0.1"), &headers).as_deref(), Some("op.example:8443"));
    assert_eq!(ours.host(ip("198.51.100.1"), &headers), None, "an untrusted peer is not asked");
    for broken in [r#"for="203.0.113.9"#, "for", r#"host="a\"b""#] {
        let broken = [broken];
        let headers = ForwardedHeaders { forwarded: &broken, ..ForwardedHeaders::default() };
        assert_eq!(ours.client(ip("10.0.0.1"), &headers), ip("10.0.0.1"));
        assert_eq!(ours.host(ip("10.0.0.1"), &headers), None);
    }
}

#[test]
fn only_the_named_family_is_read() {
    let ours = proxies(ProxyHeaders::XForwarded, &["10.0.0.1"]);
    let headers = ForwardedHeaders {
        forwarded: &["for=1.1.1.1;host=evil;proto=http"],
        x_for: &["203.0.113.9"],
        x_proto: &["https"],
        x_host: &["a.example, op.example"],
    };
    assert_eq!(ours.client(ip("10.0.0.1"), &headers), ip("203.0.113.9"));
    assert_eq!(ours.scheme(ip("10.0.0.1"), &headers), Some("https"));
    assert_eq!(ours.host(ip("10.0.0.1"), &headers).as_deref(), Some("op.example"));
    let odd = ForwardedHeaders { x_proto: &["javascript"], ..headers };
    assert_eq!(ours.scheme(ip("10.0.0.1"), &odd), None);
}

proptest! {
    #[test]
    fn an_untrusted_peer_is_itself(text in "\\PC{0,80}", headers in prop_oneof![Just(ProxyHeaders::XForwarded), Just(ProxyHeaders::Forwarded)]) {
        let said = [text.as_str()];
        let given = ForwardedHeaders { forwarded: &said, x_for: &said, x_proto: &said, x_host: &said };
        let ours = proxies(headers, &["10.0.0.0/8"]);
        prop_assert_eq!(ours.client(ip("198.51.100.1"), &given), ip("198.51.100.1"));
        let _ = ours.client(ip("10.0.0.1"), &given);
        let _ = ours.host(ip("10.0.0.1"), &given);
    }
}
