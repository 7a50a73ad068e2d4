use proptest::prelude::*;

use super::*;
use crate::protocol::forwarded::{Cidr, ProxyHeaders};

const PROXY: &str = "10.0.0.1";
const STRANGER: &str = "198.51.100.1";

fn base(text: &str) -> Base {
    Base::parse(text).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn production() -> Hosts {
    let trusted = vec!["10.0.0.0/8".parse().unwrap()];
    Hosts::fixed(base("https://op.example/id"), vec![base("http://op.internal:8080/id")])
        .behind(Proxies { trusted, headers: ProxyHeaders::XForwarded })
}

fn answer(hosts: &Hosts, peer: &str, asked: &Asked<'_>) -> Result<String, HostRefusal> {
    hosts.resolve(ip(peer), asked).map(|base| base.to_string())
}

#[test]
fn bases() {
    let rows = [
        ("https://op.example", Ok("https://op.example")),
        ("https://OP.Example:443/", Ok("https://op.example")),
        ("HTTPS://op.example/id/", Ok("https://op.example/id")),
        ("http://[::1]:8080", Ok("http://[::1]:8080")),
        ("http://127.0.0.1:80/a/b", Ok("http://127.0.0.1/a/b")),
        ("op.example", Err(BaseError::Scheme)),
        ("ftp://op.example", Err(BaseError::Scheme)),
        ("https://", Err(BaseError::Host)),
        ("https:///id", Err(BaseError::Host)),
        ("https://user@op.example", Err(BaseError::Host)),
        ("https://op.example:0", Err(BaseError::Host)),
        ("https://op.example:", Err(BaseError::Host)),
        ("https://op.example:99999", Err(BaseError::Host)),
        ("https://[::1", Err(BaseError::Host)),
        ("https://op.example?x", Err(BaseError::Path)),
        ("https://op.example/#x", Err(BaseError::Path)),
        ("https://op.example//id", Err(BaseError::Path)),
        ("https://op.example/../id", Err(BaseError::Path)),
        ("https://op.example/%61", Err(BaseError::Path)),
    ];
    for (text, expected) in rows {
        assert_eq!(Base::parse(text).as_ref().map(Base::as_str), expected.as_ref().copied(), "{text}");
    }
}

#[test]
fn parts_of_a_base() {
    let whole = base("https://op.example:8443/id");
    assert_eq!(
        (whole.origin(), whole.path(), whole.host()),
        ("https://op.example:8443", "/id", "op.example")
    );
    assert_eq!(base("http://[::1]:8080").host(), "[::1]");
    assert!(whole.is_secure() && !base("http://localhost").is_secure());
    assert_eq!(whole.realm("a b/ü"), "https://op.example:8443/id/realms/a%20b%2F%C3%BC");
}

#[test]
fn n01_hosts_in_production() {
    const OURS: &str = "https://op.example/id";
    type Row =
        (&'static str, &'static [&'static [u8]], Option<&'static str>, Result<&'static str, HostRefusal>);
    let rows: [Row; 22] = [
        ("public", &[b"op.example"], None, Ok(OURS)),
        ("public, upper case", &[b"OP.EXAMPLE"], None, Ok(OURS)),
        ("public, default port", &[b"op.example:443"], None, Ok(OURS)),
        ("alias", &[b"op.internal:8080"], None, Ok(OURS)),
        ("alias, other port", &[b"op.internal"], None, Err(HostRefusal::Unknown)),
        ("public, other port", &[b"op.example:8443"], None, Err(HostRefusal::Unknown)),
        ("foreign", &[b"evil"], None, Err(HostRefusal::Unknown)),
        ("suffix", &[b"op.example.evil"], None, Err(HostRefusal::Unknown)),
        ("trailing dot", &[b"op.example."], None, Err(HostRefusal::Unknown)),
        ("loopback", &[b"localhost:8080"], None, Err(HostRefusal::Unknown)),
        ("none", &[], None, Err(HostRefusal::Missing)),
        ("empty", &[b""], None, Err(HostRefusal::Malformed)),
        ("two equal", &[b"op.example", b"op.example"], None, Err(HostRefusal::Repeated)),
        ("userinfo", &[b"op.example@evil"], None, Err(HostRefusal::Malformed)),
        ("list", &[b"op.example, evil"], None, Err(HostRefusal::Malformed)),
        ("tab", &[b"op.example\t"], None, Err(HostRefusal::Malformed)),
        ("not UTF-8", &[b"op.example\xff"], None, Err(HostRefusal::Malformed)),
        ("path", &[b"op.example/evil"], None, Err(HostRefusal::Malformed)),
        ("port with a sign", &[b"op.example:+443"], None, Err(HostRefusal::Malformed)),
        ("absolute form, same", &[b"op.example"], Some("op.example"), Ok(OURS)),
        ("absolute form, foreign", &[b"op.example"], Some("evil"), Err(HostRefusal::Mismatch)),
        ("absolute form, userinfo", &[b"op.example"], Some("a@op.example"), Err(HostRefusal::Malformed)),
    ];
    for (name, hosts, target, expected) in rows {
        let asked = Asked { hosts, target, ..Asked::default() };
        assert_eq!(answer(&production(), STRANGER, &asked), expected.map(str::to_owned), "{name}");
    }
}

#[test]
fn u07_forwarded_headers_never_move_the_public_address() {
    let forwarded = ForwardedHeaders {
        forwarded: &["host=evil;proto=http"],
        x_for: &["127.0.0.1"],
        x_proto: &["http"],
        x_host: &["evil"],
    };
    let asked = Asked { hosts: &[b"op.example"], target: None, forwarded, over_tls: false };
    assert_eq!(
        answer(&production(), STRANGER, &asked).as_deref(),
        Ok("https://op.example/id"),
        "not believed"
    );
    assert_eq!(answer(&production(), PROXY, &asked), Err(HostRefusal::Unknown), "believed, and not ours");
    let ours = Asked {
        forwarded: ForwardedHeaders { x_host: &["op.example"], ..forwarded },
        hosts: &[b"10.1.1.1"],
        ..asked
    };
    assert_eq!(
        answer(&production(), PROXY, &ours).as_deref(),
        Ok("https://op.example/id"),
        "believed and ours"
    );
}

#[test]
fn dev_follows_loopback_names() {
    let dev = Hosts::loopback(None, "");
    let rows = [
        ("localhost:8080", Ok("http://localhost:8080")),
        ("LOCALHOST:8080", Ok("http://localhost:8080")),
        ("127.0.0.1:41873", Ok("http://127.0.0.1:41873")),
        ("[::1]:8080", Ok("http://[::1]:8080")),
        ("localhost:80", Ok("http://localhost")),
        ("127.0.0.2:8080", Err(HostRefusal::Unknown)),
        ("localhost.evil", Err(HostRefusal::Unknown)),
        ("evil", Err(HostRefusal::Unknown)),
    ];
    for (host, expected) in rows {
        let asked = Asked { hosts: &[host.as_bytes()], ..Asked::default() };
        assert_eq!(answer(&dev, "127.0.0.1", &asked), expected.map(str::to_owned), "{host}");
    }
}

#[test]
fn a_public_address_in_dev_is_the_issuer_under_every_name() {
    let dev = Hosts::loopback(Some(base("https://tunnel.example")), "");
    for host in ["tunnel.example", "localhost:8080"] {
        let asked = Asked { hosts: &[host.as_bytes()], ..Asked::default() };
        assert_eq!(answer(&dev, "127.0.0.1", &asked).as_deref(), Ok("https://tunnel.example"), "{host}");
    }
    let asked = Asked { hosts: &[b"evil"], ..Asked::default() };
    assert_eq!(answer(&dev, "127.0.0.1", &asked), Err(HostRefusal::Unknown));
}

#[test]
fn any_name_behind_a_proxy_takes_its_scheme_and_host() {
    let trusted = Cidr::EVERY.to_vec();
    let any = Hosts::any(None, "/auth").behind(Proxies { trusted, headers: ProxyHeaders::XForwarded });
    let forwarded =
        ForwardedHeaders { x_proto: &["https"], x_host: &["kc.example"], ..ForwardedHeaders::default() };
    let asked = Asked { hosts: &[b"keycloak:8080"], target: None, forwarded, over_tls: false };
    assert_eq!(answer(&any, STRANGER, &asked).as_deref(), Ok("https://kc.example/auth"));
    let plain = Asked { forwarded: ForwardedHeaders::default(), ..asked };
    assert_eq!(answer(&any, STRANGER, &plain).as_deref(), Ok("http://keycloak:8080/auth"));
}

#[test]
fn a_name_alone_takes_scheme_and_port_from_the_request() {
    let named = Hosts::any(None, "/auth").called(Some("ID.example".into()));
    let asked = Asked { hosts: &[b"10.0.0.3:8080"], ..Asked::default() };
    assert_eq!(answer(&named, STRANGER, &asked).as_deref(), Ok("http://id.example:8080/auth"));
    let over_tls = Asked { over_tls: true, ..asked };
    assert_eq!(answer(&named, STRANGER, &over_tls).as_deref(), Ok("https://id.example:8080/auth"));
    assert!(named.accepts_issuer("http://id.example:8080/auth/realms/x", "x"));
    assert!(!named.accepts_issuer("http://evil.example:8080/auth/realms/x", "x"));
}

#[test]
fn programs_may_ask_by_an_alias_or_by_any_name_where_those_are_followed() {
    let follows = Hosts::any(Some(base("https://id.example")), "").following(true);
    let alias = production().also(vec![base("http://op.internal:8080/id")]);
    for (hosts, asked, expected) in [
        (&alias, "op.internal:8080", Some("http://op.internal:8080/id")),
        (&alias, "op.example", None),
        (&alias, "evil", None),
        (&follows, "keycloak:8080", Some("http://keycloak:8080")),
        (&follows, "id.example", None),
        (&Hosts::any(Some(base("https://id.example")), ""), "keycloak:8080", None),
        (&Hosts::any(None, ""), "keycloak:8080", None),
    ] {
        let asked = Asked { hosts: &[asked.as_bytes()], ..Asked::default() };
        let found = hosts.back_channel(ip(STRANGER), &asked);
        assert_eq!(found.as_ref().map(Base::as_str), expected, "{asked:?}");
    }
}

#[test]
fn issuers() {
    let fixed = production();
    let root = production().root_realm(Some("main".into()));
    let dev = Hosts::loopback(None, "");
    let tunnel = Hosts::loopback(Some(base("https://tunnel.example")), "");
    let any = Hosts::any(None, "");
    let rows: [(&str, &Hosts, &str, bool); 17] = [
        ("public", &fixed, "https://op.example/id/realms/main", true),
        ("slash at the end", &fixed, "https://op.example/id/realms/main/", false),
        ("other realm", &fixed, "https://op.example/id/realms/other", false),
        ("alias", &fixed, "http://op.internal:8080/id/realms/main", false),
        ("loopback in production", &fixed, "http://localhost/id/realms/main", false),
        ("root realm", &root, "https://op.example/id", true),
        ("root realm, long form", &root, "https://op.example/id/realms/main", false),
        ("dev, localhost", &dev, "http://localhost:8080/realms/main", true),
        ("dev, 127.0.0.1", &dev, "http://127.0.0.1:8080/realms/main", true),
        ("dev, ::1", &dev, "http://[::1]:8080/realms/main", true),
        ("dev, upper case", &dev, "http://LOCALHOST:8080/realms/main", false),
        ("dev, foreign", &dev, "http://evil/realms/main", false),
        ("dev, foreign behind @", &dev, "http://localhost:8080@evil/realms/main", false),
        ("dev, spelled-out port", &dev, "http://localhost:80/realms/main", false),
        ("dev with a public address", &tunnel, "https://tunnel.example/realms/main", true),
        ("any name", &any, "https://keycloak:8443/realms/main", true),
        ("any name, other scheme", &any, "ftp://keycloak/realms/main", false),
    ];
    for (name, hosts, iss, accepted) in rows {
        assert_eq!(hosts.accepts_issuer(iss, "main"), accepted, "{name}");
    }
}

proptest! {
    #[test]
    fn what_a_request_gets_is_accepted(host in "(localhost|127\\.0\\.0\\.1|\\[::1\\]|[a-zA-Z0-9.-]{1,12})(:[0-9]{1,5})?", realm in "\\PC{1,12}", mode in 0..3) {
        let hosts = match mode {
            0 => Hosts::loopback(None, "/auth"),
            1 => Hosts::any(None, ""),
            _ => production(),
        };
        let asked = Asked { hosts: &[host.as_bytes()], ..Asked::default() };
        if let Ok(base) = hosts.resolve(ip(STRANGER), &asked) {
            prop_assert!(hosts.accepts_issuer(&hosts.issuer(&base, &realm), &realm));
            prop_assert_eq!(Base::parse(base.as_str()), Ok(base.clone()));
        }
    }

    #[test]
    fn any_host_gives_an_answer(host in proptest::collection::vec(any::<u8>(), 0..64), target in proptest::option::of("\\PC{0,40}")) {
        let asked = Asked { hosts: &[&host], target: target.as_deref(), ..Asked::default() };
        if let Ok(base) = Hosts::any(None, "").resolve(ip(STRANGER), &asked) {
            prop_assert!(base.as_str().is_ascii() && !base.as_str().contains(['@', ' ', '%', '\\']));
        }
    }
}
