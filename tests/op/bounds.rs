//! What is too much, what is no text, and what hides from the router: rows N03, O01 and O03. Nothing of it is a 5xx.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use axum::http::Method;
use vestibule::http::params::{MAX_ENCODED_BYTES, MAX_PARAMS};
use vestibule::testing::{Browser, Reply, TestServer};

use crate::common::Scene;
use crate::on_both;
use crate::statements::is_clockwork;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

type Fields = Vec<(&'static str, String)>;

/// Endpoints that take a form, with one good request each.
fn forms(scene: &Scene) -> Vec<(&'static str, String, Fields)> {
    let end = |name: &str| scene.rp.endpoint(name);
    let token = |grant: &str| ("grant_type", grant.to_owned());
    let refresh = scene.tokens.refresh_token().to_owned();
    vec![
        (
            "code",
            end("token"),
            vec![
                token("authorization_code"),
                ("code", "x".into()),
                ("redirect_uri", "x".into()),
                ("code_verifier", "x".repeat(43)),
            ],
        ),
        (
            "refresh",
            end("token"),
            vec![token("refresh_token"), ("refresh_token", "x".into()), ("scope", "openid".into())],
        ),
        ("service", end("token"), vec![token("client_credentials"), ("scope", "openid".into())]),
        (
            "introspection",
            end("token/introspect"),
            vec![("token", "x".into()), ("token_type_hint", "access_token".into())],
        ),
        (
            "revocation",
            end("revoke"),
            vec![("token", "x".into()), ("token_type_hint", "access_token".into())],
        ),
        ("sign-out", end("logout"), vec![("refresh_token", refresh), ("client_id", "web".into())]),
        (
            "authorization",
            end("auth"),
            scene.rp.parameters().into_iter().map(|(name, value)| (&*name.leak(), value)).collect(),
        ),
    ]
}

async fn send(scene: &Scene, address: &str, body: String, authorized: bool) -> Reply {
    let basic = "Basic d2ViOndlYi1zZWNyZXQ=";
    let mut headers = vec![FORM];
    if authorized {
        headers.push(("authorization", basic));
    }
    scene.server.browser().send(Method::POST, address, Some(body), &headers).await
}

/// A refusal of the client's making, in JSON or as a page, that tells nothing of our insides.
#[track_caller]
fn is_refused(reply: &Reply, case: &str) {
    assert!(reply.status.is_client_error(), "{case}: {} {}", reply.status, reply.body);
    let html = reply.header("content-type").starts_with("text/html");
    assert!(html || reply.json()["error"].is_string(), "{case}: {}", reply.body);
    for inside in ["sqlx", "SQL", "src/", "panicked", "column"] {
        assert!(!reply.body.contains(inside), "{case}: {}", reply.body);
    }
}

fn encode(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

#[tokio::test]
async fn o01_what_is_too_much_is_refused_quickly() {
    let scene = Scene::new().await;
    for (name, address, fields) in forms(&scene) {
        let good = encode(&fields);
        let scopes = (0..10_000).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
        let many = (0..1_000).map(|n| format!("&p{n}=x")).collect::<String>();
        for (case, body) in [
            ("a value of 50 kB", format!("{good}&x={}", "x".repeat(50_000))),
            ("a value of 100 kB", format!("{good}&x={}", "x".repeat(100_000))),
            ("a name of 1 kB", format!("{good}&{}=x", "x".repeat(1_000))),
            ("1000 parameters", format!("{good}{many}")),
            ("10 MB", format!("{good}&x={}", "x".repeat(10_000_000))),
            ("10 000 scopes", format!("{good}&scopes={}", scopes.replace(' ', "+"))),
        ] {
            let begun = Instant::now();
            let reply = send(&scene, &address, body, name != "sign-out" && name != "authorization").await;
            is_refused(&reply, &format!("{name}: {case}"));
            assert!(matches!(reply.status.as_u16(), 400 | 413), "{name}: {case}: {}", reply.status);
            assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {case} took {:?}", begun.elapsed());
        }
    }
    let scopes = (0..300).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    let reply = scene.browser.clone().get(&scene.rp.authorize_url_with(&[("scope", Some(&scopes))])).await;
    assert_eq!(reply.parameter("error").as_deref(), Some("invalid_scope"), "300 scopes");
    let reply =
        scene.browser.clone().get(&format!("{}&x={}", scene.rp.authorize_url(), "x".repeat(70_000))).await;
    assert!(matches!(reply.status.as_u16(), 400 | 413 | 414), "a long address: {}", reply.status);
}

/// Says these bytes on the server's own socket, and reads until it closes. One that stays silent and open is a failure.
fn raw(server: &TestServer, request: &str) -> Result<String, std::io::ErrorKind> {
    let mut stream = std::net::TcpStream::connect(server.origin().strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // A server that has refused may close before all is said.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        // It closed while bytes were on their way to it: what it said before has arrived.
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => Err(error.kind()),
        _ => Ok(String::from_utf8_lossy(&answer).into_owned()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn o01_n03_headers_that_are_too_many_too_long_or_ambiguous() {
    let server = TestServer::start().await.unwrap();
    let host = server.origin().strip_prefix("http://").unwrap().to_owned();
    let path = "/realms/main/protocol/openid-connect/token";
    let head =
        |rest: &str| format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{rest}\r\n");
    let many = (0..150).map(|n| format!("X-{n}: x\r\n")).collect::<String>();
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let mut wrong = Vec::new();
    for (case, request, expected) in [
        ("150 headers", head(&many), "431"),
        ("64 kB in one header", head(&format!("X: {}\r\n", "x".repeat(65_536))), "431"),
        ("two lengths", head("Content-Length: 1\r\nContent-Length: 2\r\n") + "xx", "400"),
        ("the same length twice", head("Content-Length: 2\r\nContent-Length: 2\r\n") + "xx", "400"),
        (
            "a length and chunks",
            head(&format!("{form}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")) + "0\r\n\r\n",
            "400",
        ),
        ("a folded header", head("X: a\r\n b\r\n"), "400"),
        ("a space before the colon", head("Content-Length : 0\r\n"), "400"),
        // RFC 9112 §2.2 lets a server take it for a line's end.
        ("a bare line end", format!("GET / HTTP/1.1\nHost: {host}\nConnection: close\n\n"), "200"),
        ("another coding", head(&format!("{form}Transfer-Encoding: xchunked\r\n")) + "0\r\n\r\n", "400"),
        (
            "no host",
            format!("POST {path} HTTP/1.1\r\nConnection: close\r\n{form}Content-Length: 0\r\n\r\n"),
            "400",
        ),
        ("two hosts", head(&format!("{form}Host: evil.test\r\nContent-Length: 0\r\n")), "400"),
        (
            "another host in the target",
            head(&format!("{form}Content-Length: 0\r\n")).replacen("POST /", "POST http://evil.test/", 1),
            "400",
        ),
        ("HTTP/1.0", format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n"), "405"),
    ] {
        let told = raw(&server, &request);
        let status = told.as_ref().map(|answer| answer.split(' ').nth(1).unwrap_or("closed"));
        let answers = told.as_ref().map_or(0, |answer| answer.matches("HTTP/1.").count());
        if status != Ok(expected) || answers != usize::from(expected != "closed") {
            wrong.push(format!("{case}: {expected} was expected, not {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether somebody may come in is asked of the route that answers, never of how the path begins.
#[tokio::test]
async fn n03_no_spelling_of_a_path_leads_around_its_guard() {
    let scene = Scene::new().await;
    let mut nobody = scene.server.browser();
    for path in [
        "/realms;x=1/main/account/",
        "/realms/main;x=1/account/",
        "/realms/main/account/;x=1",
        "//realms/main/account/",
        "/realms//main/account/",
        "/realms/main//account/",
        "/realms/../realms/main/account/",
        "/realms/main/./account/",
        "/realms/main/x/../account/",
        "/%2frealms/main/account/",
        "/realms%2fmain%2faccount/",
        "/realms/main/%61ccount%2f",
        "/REALMS/main/account/",
        "/realms/MAIN/account/",
        "/realms/main/account/.",
        "/realms/main/account/..",
        "/realms/main/ACCOUNT/",
        "/realms/main%00/account/",
        "/realms/%ff/account/",
        "/admin/realms",
        "/realms/main/protocol/openid-connect/userinfo/",
        "/realms/main/protocol/openid-connect/userinfo;x",
        "/realms/main/protocol/openid-connect/..%2fopenid-connect/userinfo",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
            let reply = nobody.send(method.clone(), path, None, &[]).await;
            let shown = reply.status == 200 && !reply.body.contains("kc-form-login");
            assert!(!shown && !reply.status.is_server_error(), "{method} {path}: {}", reply.status);
            assert!(!reply.body.contains("alice"), "{method} {path}: {}", reply.body);
        }
    }
    for endpoint in ["token", "revoke", "token/introspect"] {
        let reply = nobody.get(&scene.rp.endpoint(endpoint)).await;
        assert_eq!(reply.status, 405, "{endpoint}");
        assert!(reply.header("allow").contains("POST"), "{endpoint}: {}", reply.header("allow"));
    }
}

on_both! {
    /// What one database would keep and the other refuse is refused before either sees it.
    async fn o03_what_is_no_text_is_refused_in_every_field(place) {
        let server = place.start().await;
        let mut browser = server.browser();
        let rp = server.rp("web", Some("web-secret"));
        let tokens = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
        let scene = Scene { server, browser, rp, tokens };
        for (name, address, fields) in forms(&scene) {
            for (odd, bytes) in [
                ("NUL", "%00"),
                ("not UTF-8", "%ff"),
                ("overlong", "%c0%80"),
                ("a surrogate", "%ed%a0%80"),
                ("cut short", "%e2%82"),
            ] {
                for at in 0..fields.len() {
                    let body = fields.iter().enumerate().map(|(n, (name, value))| {
                        let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                        format!("{name}={value}{}", if n == at { bytes } else { "" })
                    });
                    let body = body.collect::<Vec<_>>().join("&");
                    let authorized = name != "sign-out" && name != "authorization";
                    let reply = send(&scene, &address, body.clone(), authorized).await;
                    is_refused(&reply, &format!("{name}: {odd} in {}", fields[at].0));
                    if name == "authorization" {
                        let reply = scene.browser.clone().get(&format!("{address}?{body}")).await;
                        is_refused(&reply, &format!("{name} by GET: {odd} in {}", fields[at].0));
                    }
                }
                let reply = send(&scene, &address, format!("{}&{bytes}=x", encode(&fields)), true).await;
                is_refused(&reply, &format!("{name}: {odd} in a name"));
            }
        }
        odd_sign_ins(&scene).await;
        assert_eq!(scene.rp.userinfo(&scene.browser, scene.tokens.access_token()).await.status, 200);
    }
}

async fn odd_sign_ins(scene: &Scene) {
    let mut browser: Browser = scene.server.browser();
    let page = browser.open(&scene.rp.authorize_url()).await;
    for body in ["username=a%00&password=x", "username=%ff&password=x", "username=alice&password=%00"] {
        let reply = browser.send(Method::POST, &page.form_action(), Some(body.to_owned()), &[FORM]).await;
        is_refused(&reply, body);
    }
    // Text that is odd, and still text, is nobody's name.
    for name in [
        "\u{1}",
        "\u{feff}",
        "a\u{300}\u{301}",
        &"ﷺ".repeat(300),
        "%",
        "_",
        "' OR 1=1 --",
        "\\",
        "𝔞lice\u{200b}",
    ] {
        let reply = browser.post(&page.form_action(), &[("username", name), ("password", "x")]).await;
        assert_eq!(reply.status, 200, "{name:?}: {}", reply.body);
        assert!(reply.body.contains("kc-form-login"), "{name:?}");
    }
    let secrets =
        ["Basic d2ViOgA=", "Basic /////w==", "Basic d2ViOiVmZg==", "Basic JTAwOng=", "Basic", "Basic ===="];
    for secret in secrets {
        let headers = [FORM, ("authorization", secret)];
        let body = Some("grant_type=client_credentials".to_owned());
        let reply = browser.send(Method::POST, &scene.rp.endpoint("token"), body, &headers).await;
        is_refused(&reply, secret);
    }
}

/// Z03, in work that is counted and not in time: as much as a form may hold beside what it asks with costs no statement
/// and no hash more, and a password that is too long none.
#[tokio::test]
async fn z03_the_largest_form_costs_no_more_than_a_small_one() {
    let scene = Scene::new().await;
    let app = scene.server.app();
    for (name, address, fields) in forms(&scene).into_iter().filter(|(name, ..)| *name != "sign-out") {
        let mut largest = fields.clone();
        while largest.len() < MAX_PARAMS {
            let value = if encode(&largest).len() < MAX_ENCODED_BYTES - 4_200 { 4_000 } else { 1 };
            largest.push((&*format!("x{}", largest.len()).leak(), "y".repeat(value)));
        }
        assert!(encode(&largest).len() > MAX_ENCODED_BYTES - 4_200, "{name}: {}", encode(&largest).len());
        let mut costs = Vec::new();
        for fields in [&fields, &largest] {
            let (_, hashes) = (app.store.traffic(), app.passwords.made());
            let reply = send(&scene, &address, encode(fields), name != "authorization").await;
            let sent = app.store.traffic().statements.into_iter().filter(|sql| !is_clockwork(sql)).count();
            costs.push((reply.status, sent, app.passwords.made() - hashes));
        }
        assert_eq!(costs[0], costs[1], "{name}");
    }
}
