//! Tables named after attacks.md 1.1 and the properties Z01 and Z02.

use proptest::prelude::*;

use super::*;

const APP: &str = "https://app.example/cb";

/// Every row: name, what the client asks for. None may match in either strictness, native or not.
fn refused(registered: &[&str], rows: &[(&str, &str)]) {
    for (name, requested) in rows {
        for uri in registered {
            for strictness in [Strictness::Serve, Strictness::Development] {
                for native in [false, true] {
                    assert!(
                        !matches(uri, requested, strictness, native),
                        "{name}: {requested} passed for {uri} ({strictness:?}, native {native})"
                    );
                }
            }
        }
    }
}

#[test]
fn the_registered_address_matches_itself() {
    for uri in [
        APP,
        "https://app.example/cb?tenant=1",
        "https://app.example:8443/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "com.example.app:/cb",
        "com.example.app://cb",
    ] {
        assert!(matches(uri, uri, Strictness::Serve, false), "{uri}");
    }
}

#[test]
fn r01_another_host_in_disguise() {
    let rows = [
        ("R01a", "https://app.example@evil.test/cb"),
        ("R01b", "https://app.example:80@evil.test/cb"),
        ("R01c", "https://a@b@evil.test/cb"),
        ("R01d", "https://user:pw@app.example/cb"),
        ("R01e", "https://app.example\\@evil.test/cb"),
        ("R01f", "https:app.example/cb"),
        ("R01g", "https:///app.example/cb"),
        ("R01h", "//app.example/cb"),
    ];
    refused(&[APP, "https://app.example/*"], &rows);
}

#[test]
fn r02_the_same_place_in_another_spelling() {
    let rows = [
        ("R02a", "https://app.example/CB"),
        ("R02b", "https://APP.example/cb"),
        ("R02c", "https://app.example:443/cb"),
        ("R02d", "https://app.example/cb/"),
        ("R02e", "https://app.example/cb?x=1"),
        ("R02f", "https://app.example/cb#f"),
        ("R02g", "https://app.example/cb?"),
        ("R02h", "https://app.example/a/../cb"),
        ("R02i", "https://app.example/cb/..;/x"),
        ("R02j", "https://app.example/%63b"),
        ("R02k", "https://app.example/%252e%252e/cb"),
        ("R02l tab", "https://app.example/cb%09"),
        ("R02l line feed", "https://app.example/cb%0a"),
        ("R02l null", "https://app.example/cb%00"),
        ("R02l space", "https://app.example/cb%20"),
        ("R02l raw tab", "https://app.example/cb\t"),
        ("R02l raw line feed", "https://app.example/cb\n"),
        ("R02l raw null", "https://app.example/cb\0"),
        ("R02l raw space", "https://app.example/cb "),
        ("R02l leading space", " https://app.example/cb"),
        ("R02m", "https://app.example./cb"),
        ("R02n", "https://app。example/cb"),
        ("R02o", "https://аpp.example/cb"),
        ("upper-case scheme", "HTTPS://app.example/cb"),
        ("empty", ""),
    ];
    refused(&[APP], &rows);
}

#[test]
fn r02_under_a_development_pattern() {
    let rows = [
        ("R02b", "https://APP.example/cb"),
        ("R02c", "https://app.example:443/cb"),
        ("R02f", "https://app.example/cb#f"),
        ("R02h", "https://app.example/a/../cb"),
        ("dot", "https://app.example/a/./cb"),
        ("R02i", "https://app.example/cb/..;/x"),
        ("R02i with text", "https://app.example/cb/..;a=b/x"),
        ("encoded dots", "https://app.example/%2e%2e/x"),
        ("encoded dots, upper case", "https://app.example/.%2E/x"),
        ("R02k", "https://app.example/%252e%252e/x"),
        ("encoded slash", "https://app.example/a%2f..%2fb"),
        ("encoded backslash", "https://app.example/a%5cb"),
        ("R02l", "https://app.example/cb%00"),
        ("R02m", "https://app.example./cb"),
        ("R02n", "https://app。example/cb"),
        ("other scheme", "http://app.example/cb"),
        ("other port", "https://app.example:8443/cb"),
        ("no path, two names", "https://app.examplea"),
        ("a response parameter", "https://app.example/cb?code=mine"),
        ("a response parameter, encoded", "https://app.example/cb?%63ode=mine"),
    ];
    refused(&["https://app.example/*"], &rows);
}

#[test]
fn r03_a_host_that_only_begins_alike() {
    let rows = [
        ("R03a", "https://app.example.evil.test/cb"),
        ("R03b", "https://appXexample/cb"),
        ("prefix without slash", "https://app.examplecb"),
    ];
    refused(&[APP, "https://app.example/*", "https://app.example*", "*", "https://*.example/cb"], &rows);
}

#[test]
fn r03c_a_star_alone_is_this_machine_in_dev_any_in_start_dev_and_nothing_in_production() {
    assert_eq!(validate_registration("*", Strictness::Serve), Err(RedirectUriProblem::Wildcard));
    assert_eq!(validate_registration("*", Strictness::Development), Ok(()));
    assert_eq!(validate_registration("*", Strictness::StandIn), Ok(()));
    for (requested, dev, start_dev) in [
        ("http://localhost:8081/code-flow", true, true),
        ("http://127.0.0.1/cb", true, true),
        ("http://[::1]:3000/a/b?x=1", true, true),
        ("http://app.example/cb", false, true),
        ("http://myapp:8080/cb", false, true),
        ("http://192.168.1.5/x", false, true),
        ("https://host.docker.internal/x?y=1", false, true),
        ("https://app.example", false, true),
        ("https://localhost.evil.test/cb", false, true),
        ("myapp://cb", false, false),
        ("com.example.app:/cb", false, false),
        ("javascript:alert(1)", false, false),
        ("http://localhost@evil.test/cb", false, false),
        ("http://myapp:8080/cb#fragment", false, false),
        ("http://myapp:80a/cb", false, false),
        ("http://myapp:/cb", false, false),
        ("http:///cb", false, false),
        ("http://MYAPP/cb", false, false),
        ("http://myapp\\@evil.test/cb", false, false),
        ("https://app.example/cb?code=mine", false, false),
        ("http://localhost:8081/a/../b", false, false),
        ("//app.example/cb", false, false),
        ("*", false, false),
    ] {
        assert_eq!(matches("*", requested, Strictness::Development, false), dev, "dev: {requested}");
        assert_eq!(matches("*", requested, Strictness::StandIn, false), start_dev, "start-dev: {requested}");
        assert!(!matches("*", requested, Strictness::Serve, true), "{requested}");
    }
}

#[test]
fn r03c_patterns_that_nobody_may_register() {
    use RedirectUriProblem::{NotAbsolute, Wildcard, WildcardPlace};
    let rows = [
        ("https://app.example*", Wildcard, WildcardPlace),
        ("app.example/*", NotAbsolute, NotAbsolute),
        ("https://*.example/cb", Wildcard, WildcardPlace),
        ("https://*/cb", Wildcard, WildcardPlace),
        ("https://app.example/*/cb", Wildcard, WildcardPlace),
        ("https://app.example/**", Wildcard, WildcardPlace),
        ("https://app.example/cb?x=*", Wildcard, WildcardPlace),
        ("https://app.example:*/cb", Wildcard, WildcardPlace),
        ("http://app.example:*/cb", Wildcard, WildcardPlace),
        ("https://localhost:*/cb", Wildcard, WildcardPlace),
        ("http://localhost:8*/cb", Wildcard, WildcardPlace),
        ("http://localhost*", Wildcard, WildcardPlace),
        ("com.example.app://*", Wildcard, WildcardPlace),
        ("com.example.app:*", Wildcard, WildcardPlace),
    ];
    for (uri, serve, development) in rows {
        assert_eq!(validate_registration(uri, Strictness::Serve), Err(serve), "{uri}");
        assert_eq!(validate_registration(uri, Strictness::Development), Err(development), "{uri}");
    }
    for regex in ["https://app\\.example/.*", "^https://app.example/cb$", "https://app.example/(a|b)*"] {
        assert!(validate_registration(regex, Strictness::Serve).is_err(), "{regex}");
    }
}

#[test]
fn r04_the_port_of_a_native_client() {
    let registered = "http://127.0.0.1/cb";
    assert!(matches(registered, "http://127.0.0.1:51234/cb", Strictness::Serve, true), "R04a");
    assert!(!matches(registered, "http://127.0.0.1:51234/cb", Strictness::Serve, false), "R04a, not native");
    assert!(matches("http://[::1]:1/cb", "http://[::1]:2/cb", Strictness::Serve, true), "six");
    assert!(matches("http://127.0.0.1:8000/cb", registered, Strictness::Serve, true), "no port asked for");
    let rows = [
        ("R04b", "http://127.0.0.1:51234/cb?x=1"),
        ("R04c", "http://localhost:51234/cb"),
        ("R04d", "http://127.0.0.1.evil.test/cb"),
        ("R04e short", "http://127.1/cb"),
        ("R04e hexadecimal", "http://0x7f000001/cb"),
        ("R04e decimal", "http://2130706433/cb"),
        ("R04f", "https://127.0.0.1:1/cb"),
        ("R04g", "http://127.0.0.1:80@evil.test/cb"),
        ("R04h", "http://[::1]:1/cb"),
        ("empty port", "http://127.0.0.1:/cb"),
        ("port zero", "http://127.0.0.1:0/cb"),
        ("port beyond the last", "http://127.0.0.1:65536/cb"),
        ("port with a sign", "http://127.0.0.1:+80/cb"),
        ("two ports", "http://127.0.0.1:80:80/cb"),
        ("bracketed four", "http://[127.0.0.1]:80/cb"),
    ];
    refused(&[registered], &rows);
    refused(&[APP], &[("R04i", "http://127.0.0.1/cb")]);
    refused(&["http://localhost/cb"], &[("localhost has no port rule", "http://localhost:51234/cb")]);
}

#[test]
fn r05_what_nobody_may_register() {
    use RedirectUriProblem as P;
    let rows = [
        ("javascript:alert(1)", P::Scheme("javascript".into())),
        ("JaVaScRiPt:alert(1)", P::Scheme("JaVaScRiPt".into())),
        (" javascript:alert(1)", P::Character),
        ("java\tscript:alert(1)", P::Character),
        ("data:text/html,x", P::Scheme("data".into())),
        ("vbscript:x", P::Scheme("vbscript".into())),
        ("blob:https://app.example/1", P::Scheme("blob".into())),
        ("file:///etc/passwd", P::Scheme("file".into())),
        ("urn:ietf:wg:oauth:2.0:oob", P::Scheme("urn".into())),
        ("https://app.example/cb#f", P::Fragment),
        ("https://app.example/cb?code=1", P::ResponseParameter("code".into())),
        ("https://app.example/cb?a=1&state=1", P::ResponseParameter("state".into())),
        ("https://app.example/cb?iss", P::ResponseParameter("iss".into())),
        ("https://app.example/cb?%65rror=1", P::ResponseParameter("error".into())),
        ("https://user@app.example/cb", P::UserInfo),
        ("https://app.example/a/../cb", P::DotSegment),
        ("https://app.example/a/..;/cb", P::DotSegment),
        ("https://app.example/%2e%2E/cb", P::DotSegment),
        ("https://APP.example/cb", P::Spelling(APP.into())),
        ("https://app.example:443/cb", P::Spelling(APP.into())),
        ("https:app.example/cb", P::NotAbsolute),
        ("https:///cb", P::NotAbsolute),
        ("/cb", P::NotAbsolute),
        ("app.example/cb", P::NotAbsolute),
        ("https://app.example/cb%00", P::Character),
        ("https://app.example/ö", P::Character),
        ("https://app.example\\cb", P::Character),
        ("", P::Empty),
    ];
    for (uri, problem) in rows {
        for strictness in [Strictness::Serve, Strictness::Development] {
            assert_eq!(validate_registration(uri, strictness), Err(problem.clone()), "{uri} {strictness:?}");
        }
    }
    let long = format!("https://app.example/{}", "a".repeat(LONGEST));
    assert_eq!(validate_registration(&long, Strictness::Serve), Err(P::TooLong));
}

#[test]
fn r05_plain_http_is_for_loopback_in_production() {
    let public = "http://public.example/cb";
    assert_eq!(validate_registration(public, Strictness::Serve), Err(RedirectUriProblem::PlainHttp));
    assert_eq!(validate_registration(public, Strictness::Development), Ok(()));
    assert!(matches(public, public, Strictness::Development, false));
    assert!(
        !matches(public, public, Strictness::Serve, false),
        "stored in development, closed in production"
    );
    for uri in ["http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]:8080/cb"] {
        assert_eq!(validate_registration(uri, Strictness::Serve), Ok(()), "{uri}");
    }
    for uri in ["http://127.0.0.2/cb", "http://localhost.evil.test/cb"] {
        assert_eq!(
            validate_registration(uri, Strictness::Serve),
            Err(RedirectUriProblem::PlainHttp),
            "{uri}"
        );
    }
}

#[test]
fn an_empty_path_is_for_development() {
    let bare = "http://localhost:3000";
    let fuller = RedirectUriProblem::Spelling("http://localhost:3000/".into());
    assert_eq!(validate_registration(bare, Strictness::Serve), Err(fuller));
    assert!(matches(bare, bare, Strictness::Development, false));
    assert!(!matches(bare, "http://localhost:3000/", Strictness::Development, false));
}

#[test]
fn what_a_development_pattern_covers() {
    let rows = [
        ("below the root", "https://app.example/*", "https://app.example/any/where", true),
        ("the root itself", "https://app.example/*", "https://app.example/", true),
        ("with a query", "https://app.example/*", "https://app.example/a?tab=1", true),
        ("the root without its slash", "https://app.example/*", "https://app.example", true),
        ("a folder without its slash", "https://app.example/a/*", "https://app.example/a", true),
        ("below a folder", "http://localhost:3000/app/*", "http://localhost:3000/app/cb", true),
        ("beside a folder", "http://localhost:3000/app/*", "http://localhost:3000/apple", false),
        ("an app's own scheme", "com.example.app:/*", "com.example.app:/cb", true),
        ("any port", "http://localhost:*/*", "http://localhost:5173/auth/cb", true),
        ("no port", "http://localhost:*/*", "http://localhost/cb", true),
        ("any port of four", "http://127.0.0.1:*/*", "http://127.0.0.1:80/", true),
        ("any port of six", "http://[::1]:*/*", "http://[::1]:3000/cb", true),
        ("any port, exact path", "http://localhost:*/cb", "http://localhost:5173/cb", true),
        ("any port, other path", "http://localhost:*/cb", "http://localhost:5173/cb/x", false),
        ("any port, a query", "http://localhost:*/cb", "http://localhost:5173/cb?x=1", false),
        ("another loopback name", "http://localhost:*/*", "http://127.0.0.1:5173/cb", false),
        ("a longer host", "http://localhost:*/*", "http://localhost.evil.test/cb", false),
        ("a host as user", "http://localhost:*/*", "http://localhost:80@evil.test/cb", false),
        ("a star as port", "http://localhost:*/*", "http://localhost:*/cb", false),
    ];
    for (name, registered, requested, expected) in rows {
        assert_eq!(matches(registered, requested, Strictness::Development, false), expected, "{name}");
        assert!(!matches(registered, requested, Strictness::Serve, true), "{name}: never in production");
    }
}

/// Addresses near the registered ones, so that most draws are close calls.
fn requests() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("https://"),
        Just("http://"),
        Just("//"),
        Just("/"),
        Just("app.example"),
        Just("evil.test"),
        Just("127.0.0.1"),
        Just("[::1]"),
        Just("localhost"),
        Just(":"),
        Just(":80"),
        Just(":51234"),
        Just("@"),
        Just("\\"),
        Just("#"),
        Just("?"),
        Just("cb"),
        Just("/cb"),
        Just(".."),
        Just("%2e"),
        Just("%00"),
        Just(";"),
        Just("*"),
        Just(" "),
        Just("\t"),
        Just("\n"),
        Just("."),
        Just("&code=1"),
    ];
    let pieces = proptest::collection::vec(piece, 1..7).prop_map(|pieces| pieces.concat());
    let tails = proptest::collection::vec(
        prop_oneof![
            Just("a"),
            Just("/"),
            Just(".."),
            Just("%2E"),
            Just(";"),
            Just("?"),
            Just("x=1"),
            Just("b")
        ],
        0..6,
    )
    .prop_map(|tail| tail.concat());
    let near = (
        0..65_540_u32,
        prop_oneof![Just("http://127.0.0.1"), Just("http://localhost"), Just("http://[::1]")],
        tails.clone(),
    )
        .prop_map(|(port, host, tail)| format!("{host}:{port}/cb{tail}"));
    let below = tails.prop_map(|tail| format!("https://app.example/{tail}"));
    prop_oneof![pieces, near, below, ".*".prop_map(String::from)]
}

/// The host as RFC 3986 appendix B finds it, without user information.
fn rfc3986_host(uri: &str) -> Option<String> {
    let rest = uri.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    Some(host[..end].to_owned())
}

const REGISTERED: [&str; 8] = [
    APP,
    "http://127.0.0.1/cb",
    "http://[::1]/cb",
    "http://localhost/cb",
    "https://app.example/*",
    "http://localhost:*/*",
    "http://127.0.0.1:*/*",
    "com.example.app:/cb",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn z01_a_match_is_never_ambiguous(requested in requests(), which in 0..REGISTERED.len(), native: bool) {
        let registered = REGISTERED[which];
        for strictness in [Strictness::Serve, Strictness::Development] {
            if !matches(registered, &requested, strictness, native) {
                continue;
            }
            let forbidden = requested.contains(['@', '\\', '#', '\t', '\r', '\n', ' ']) || requested.contains("%00");
            prop_assert!(!forbidden, "{requested}");
            if requested.starts_with("http") {
                let parsed = Url::parse(&requested).unwrap();
                prop_assert_eq!(parsed.host_str().map(str::to_owned), rfc3986_host(&requested));
                prop_assert_eq!(rfc3986_host(&requested), rfc3986_host(registered));
            }
            if strictness == Strictness::Serve && registered != requested {
                prop_assert!(native && (registered.starts_with("http://127.0.0.1/") || registered.starts_with("http://[::1]/")));
                let without_port = requested.rsplit_once(':').map(|(host, rest)| format!("{host}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())));
                prop_assert_eq!(without_port.as_deref(), Some(registered));
            }
        }
    }

    #[test]
    fn z01_equal_bytes_match(uri in requests()) {
        if validate_registration(&uri, Strictness::Serve).is_ok() {
            prop_assert!(matches(&uri, &uri, Strictness::Serve, false));
        }
    }

    #[test]
    fn z02_what_may_be_registered_reads_one_way(uri in requests()) {
        if validate_registration(&uri, Strictness::Serve).is_ok() {
            let parsed = Url::parse(&uri).unwrap();
            prop_assert_eq!(parsed.as_str(), &uri);
            let loopback = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            let allowed = match parsed.scheme() {
                "https" => true,
                "http" => loopback,
                own => own.contains('.'),
            };
            prop_assert!(allowed, "{uri}");
            prop_assert!(parsed.username().is_empty() && parsed.password().is_none() && parsed.fragment().is_none());
            prop_assert!(!uri.contains('*') && !uri.chars().any(char::is_control));
        }
        // What production accepts, development accepts too.
        prop_assert!(validate_registration(&uri, Strictness::Serve).is_err() || validate_registration(&uri, Strictness::Development).is_ok());
    }
}
