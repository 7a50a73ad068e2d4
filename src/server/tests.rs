use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::http::params::Form;
use crate::telemetry::RequestId;

/// No step of a test takes longer than this on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    metrics: Metrics,
    gate: Arc<Notify>,
    task: JoinHandle<Ended>,
}

fn quick() -> Limits {
    Limits { header_timeout: Duration::from_millis(300), ..Limits::default() }
}

async fn start(limits: Limits) -> Running {
    let gate = Arc::new(Notify::new());
    let wait = Arc::clone(&gate);
    let router = Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/peer", get(async |Extension(Peer(peer)): Extension<Peer>| peer.ip().to_string()))
        .route("/id", get(async |Extension(id): Extension<RequestId>| id.to_string()))
        .route("/echo", post(async |body: String| body))
        .route(
            "/form",
            post(async |Form(form): Form| {
                form.map_or_else(|error| error.status(), |_| axum::http::StatusCode::OK)
            }),
        )
        .route(
            "/roomy",
            post(async |Extension(room): Extension<Room>, headers: HeaderMap, body: Body| {
                if headers.contains_key("x-proof") {
                    room.widen(2000);
                }
                let body = body.collect().await;
                body.map_or(StatusCode::FORBIDDEN, |_| StatusCode::OK)
            }),
        )
        .route("/panic", get(async || -> &'static str { panic!("canary") }))
        .route("/stall", any(std::future::pending::<()>))
        .route(
            "/gate",
            get(async move || {
                wait.notified().await;
                "open"
            }),
        )
        .route("/large", get(|| async { vec![b'x'; 64 * 1024 * 1024] }));
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let (address, shutdown, metrics) = (server.local_addr(), Shutdown::new(), Metrics::new());
    let (switch, numbers) = (shutdown.clone(), metrics.clone());
    let endpoints = Endpoints { roomy: &["/roomy"], ..Endpoints::from(router) };
    let task = tokio::spawn(async move { server.serve(endpoints, &limits, numbers, &switch).await });
    Running { address, shutdown, metrics, gate, task }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends `bytes` on a connection of its own and reads until the server closes it.
    async fn talk(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        rest(&mut stream).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is the end as well.
    let _ =
        timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer with a `Content-Length` and leaves the connection open.
async fn one(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    loop {
        let bytes = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("an answer").unwrap();
        assert!(bytes > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..bytes]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |n| n.parse().unwrap());
        if body.len() >= length {
            return text;
        }
    }
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

#[tokio::test]
async fn hands_the_peer_and_a_request_id_to_handlers() {
    let server = start(quick()).await;
    let answer = server.talk("GET /peer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("127.0.0.1"), "{answer}");
    let answer =
        server.talk("GET /id HTTP/1.1\r\nHost: a\r\nX-Request-Id: forged\r\nConnection: close\r\n\r\n").await;
    let (head, id) = answer.split_once("\r\n\r\n").unwrap();
    assert!(id.len() == 22 && head.contains(&format!("x-request-id: {id}")), "{answer}");
}

#[tokio::test]
async fn headers_that_are_refused() {
    let server = start(quick()).await;
    let rows: Vec<(&str, String, &str)> = vec![
        ("header block", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(33 * 1024)), "431"),
        ("header of 512 KiB", format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(512 * 1024)), "431"),
        ("101 headers", format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(101)), "431"),
        ("target of 17 KiB", format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(17 * 1024)), "414"),
        ("target of 64 KiB", format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(64 * 1024)), "431"),
        ("folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n".into(), "400"),
        ("space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n".into(), "400"),
        ("NUL", "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n".into(), "400"),
        ("nonsense", "hello\r\n\r\n".into(), "400"),
        (
            "two framings",
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /gate HTTP/1.1\r\n\r\n".into(),
            "400",
        ),
        ("equal lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab".into(), "400"),
        ("unequal lengths", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab".into(), "400"),
        ("chunked in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into(), "400"),
        ("signed length", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\nab".into(), "400"),
    ];
    for (name, request, expected) in rows {
        let answer = server.talk(&request).await;
        assert_eq!(status(&answer), expected, "{name}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{name}: one answer, then closed");
    }
}

#[tokio::test]
async fn a_chunked_request_is_the_last_of_its_connection() {
    let server = start(quick()).await;
    let answer = server.talk("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((status(&answer), answer.matches("HTTP/1.1").count()), ("200", 1), "{answer}");
    assert!(answer.contains("connection: close") && answer.ends_with("ab"), "{answer}");
}

#[tokio::test]
async fn a_body_above_the_limit_is_413() {
    let server = start(Limits { body_bytes: 1000, ..quick() }).await;
    let announced =
        format!("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n{}", "x".repeat(1001));
    assert_eq!(status(&server.talk(announced).await), "413");
    let chunk = format!("3e9\r\n{}\r\n", "x".repeat(1001));
    let chunked = format!(
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"
    );
    assert_eq!(status(&server.talk(chunked).await), "413");
}

#[tokio::test]
async fn o01_a_handler_makes_room_for_those_whom_it_knows() {
    let server = start(Limits { body_bytes: 1000, ..quick() }).await;
    for (proof, bytes, expected) in [
        ("", 1000, "200"),
        ("", 1001, "403"),
        ("x-proof: a\r\n", 2000, "200"),
        ("x-proof: a\r\n", 2001, "403"),
    ] {
        let body = "x".repeat(bytes);
        let head = format!("POST /roomy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{proof}");
        let announced = format!("{head}Content-Length: {bytes}\r\n\r\n{body}");
        assert_eq!(status(&server.talk(announced).await), expected, "{proof}{bytes}");
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n{bytes:x}\r\n{body}\r\n0\r\n\r\n");
        assert_eq!(status(&server.talk(chunked).await), expected, "{proof}{bytes}, chunked");
    }
}

#[tokio::test]
async fn slow_clients_are_closed() {
    assert_eq!(Limits::default().header_timeout, Duration::from_secs(5));
    let server = start(Limits {
        header_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        request_timeout: Duration::from_secs(5),
        keep_alive_timeout: Duration::from_millis(300),
        ..Limits::default()
    })
    .await;
    let silent = server.talk("");
    let half = server.talk("GET / HTTP/1.1\r\nHost: ");
    let (silent, half) = tokio::join!(silent, half);
    assert_eq!((silent.as_str(), half.as_str()), ("", ""), "closed without an answer");

    let mut dribble = server.connect().await;
    let begun = Instant::now();
    while dribble.write_all(b"x").await.is_ok() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "a byte now and then does not keep a header open");

    let rested = server.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(rested.ends_with("hello"), "a resting connection is closed after its answer: {rested}");

    let body = server.talk("POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\na=").await;
    assert_eq!(status(&body), "408");
}

#[tokio::test]
async fn a_resting_connection_outlives_the_header_timeout() {
    let server = start(quick()).await;
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(one(&mut stream).await.ends_with("hello"));
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    stream.write_all(b"G").await.unwrap();
    assert_eq!(rest(&mut stream).await, "", "but half a header after a rest is closed in time");
}

#[tokio::test]
async fn a_connection_that_gave_its_parser_back_loses_nothing() {
    let server = start(quick()).await;
    let mut stream = server.connect().await;
    // The beginning of a second request comes with the first one, and waits in the parser.
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /pe").await.unwrap();
    assert!(one(&mut stream).await.ends_with("hello"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    stream.write_all(b"er HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(one(&mut stream).await.ends_with("127.0.0.1"));
    // A body that nobody reads: what is left of it is no request.
    let body = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = "POST /stall-not HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(status(&one(&mut stream).await), "404");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let after = rest(&mut stream).await;
    assert!(!after.contains("hello"), "a part of a body was taken for a request: {after}");
}

#[tokio::test]
async fn a_client_that_reads_late_gets_the_whole_answer() {
    let server = start(quick()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut bytes = 0;
    let mut buffer = vec![0; 1024 * 1024];
    while bytes < 64 * 1024 * 1024 {
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("more of it").unwrap();
        assert!(read > 0, "closed after {bytes} bytes");
        bytes += read;
    }
}

#[tokio::test]
async fn a_connection_at_rest_ends_with_the_server() {
    let server = start(quick()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(one(&mut stream).await.ends_with("hello"));
    tokio::time::sleep(Duration::from_millis(250)).await;
    server.shutdown.begin();
    assert_eq!(rest(&mut stream).await, "");
    assert_eq!(timeout(PATIENCE, server.task).await.unwrap().unwrap(), Ended::Drained);
}

/// A refusal comes before the body is read. Then the connection goes on, or its end is announced: clients do not repeat a
/// request that changes something when its connection is gone.
#[tokio::test]
async fn a_body_that_nobody_read_does_not_end_its_connection_unsaid() {
    let server = start(quick()).await;
    for (row, pause, announced, sent, goes_on) in [
        ("with the head", 0, 10, 10, true),
        ("after the head", 10, 10, 10, true),
        ("of some length", 10, 60_000, 60_000, true),
        ("too long to be read for nothing", 0, 300_000, 300_000, false),
        ("that does not come", 0, 10, 0, false),
    ] {
        let mut stream = server.connect().await;
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {announced}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        // The server may close while it is sent.
        let _ = stream.write_all(&vec![b'x'; sent]).await;
        let answer = one(&mut stream).await;
        assert_eq!(status(&answer), "405", "{row}");
        assert_eq!(!answer.contains("connection: close"), goes_on, "{row}: {answer}");
        if goes_on {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            assert!(one(&mut stream).await.ends_with("hello"), "{row}");
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_closed() {
    let server = start(Limits {
        header_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(200),
        keep_alive_timeout: Duration::from_millis(200),
        ..Limits::default()
    })
    .await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    while !server.metrics.text().contains("vestibule_http_connections 0") {
        assert!(begun.elapsed() < PATIENCE, "still open");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_503() {
    let server = start(Limits { request_timeout: Duration::from_millis(200), ..quick() }).await;
    let answer = server.talk("GET /stall HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&answer), "503");
    assert!(answer.contains("retry-after: 1") && answer.contains("temporarily_unavailable"), "{answer}");
}

#[tokio::test]
async fn ft29_a_panic_is_one_requests() {
    let server = start(quick()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answer = one(&mut stream).await;
    assert_eq!(status(&answer), "500");
    assert!(answer.ends_with(r#"{"error":"server_error"}"#) && !answer.contains("canary"), "{answer}");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(one(&mut stream).await.ends_with("hello"), "even its connection lives");
    let text = server.metrics.text();
    assert!(text.contains(r#"method="GET",route="/panic",status="500"} 1"#), "{text}");
}

/// A browser gets the page that the endpoints' owner has for it, by the same status and with the same way to try again.
#[tokio::test]
async fn ft29_a_person_gets_a_page_for_it() {
    let apology: Apology = Arc::new(|status, _| (StatusCode::OK, format!("sorry: {status}")).into_response());
    let router = Router::new()
        .route("/panic", get(async || -> &'static str { panic!("canary") }))
        .route("/stall", any(std::future::pending::<()>));
    let limits = Limits { request_timeout: Duration::from_millis(50), ..Limits::default() };
    let endpoints = Endpoints { apology: Some(apology), ..Endpoints::from(router) };
    let guarded = Guarded::new(endpoints, &limits, Metrics::new());
    for (path, accept, status, body) in [
        ("/panic", "text/html", 500, "sorry: 500"),
        ("/stall", "text/html", 503, "sorry: 503"),
        ("/panic", "*/*", 500, "server_error"),
    ] {
        let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
        let reply = guarded.routed(request).await;
        assert_eq!(reply.status(), status, "{path} for {accept}");
        assert_eq!(reply.headers().contains_key("retry-after"), status == 503, "{path} for {accept}");
        let bytes = reply.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&bytes).contains(body), "{path} for {accept}: {bytes:?}");
    }
}

#[tokio::test]
async fn connections_above_the_limit_are_told() {
    let server = start(Limits { connections: 2, ..Limits::default() }).await;
    let mut kept = [server.connect().await, server.connect().await];
    for stream in &mut kept {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        one(stream).await;
    }
    let refused = server.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(status(&refused), "503", "{refused}");
    assert!(server.metrics.text().contains("vestibule_http_connections_refused_total 1"));
    drop(kept);
    let begun = Instant::now();
    while status(&server.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await) != "200" {
        assert!(begun.elapsed() < PATIENCE, "a place that was left is free");
    }
}

#[tokio::test]
async fn ft23_drain_answers_what_was_taken() {
    let server = start(Limits { shutdown_delay: Duration::from_millis(300), ..Limits::default() }).await;
    let mut resting = server.connect().await;
    resting.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    one(&mut resting).await;
    let mut busy = server.connect().await;
    busy.write_all(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;

    server.shutdown.begin();
    assert!(server.shutdown.is_begun());
    let during = server.talk("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&during), "200", "connections are taken during the delay");
    assert_eq!(rest(&mut resting).await, "", "a resting connection is closed");
    let begun = Instant::now();
    while TcpStream::connect(server.address).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "still taking connections");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    half.write_all(b"Host: a\r\n\r\n").await.unwrap();
    let late = rest(&mut half).await;
    assert!(late.contains("connection: close") && late.ends_with("hello"), "{late}");
    assert!(!server.task.is_finished());
    server.gate.notify_one();
    let answer = rest(&mut busy).await;
    assert!(answer.contains("connection: close") && answer.ends_with("open"), "{answer}");
    drop((resting, busy, half));
    assert_eq!(timeout(PATIENCE, server.task).await.unwrap().unwrap(), Ended::Drained);
}

#[tokio::test]
async fn ft23_a_stuck_client_does_not_hold_the_process() {
    let server = start(Limits { drain_timeout: Duration::from_millis(500), ..Limits::default() }).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.shutdown.begin();
    let begun = Instant::now();
    assert_eq!(timeout(PATIENCE, server.task).await.unwrap().unwrap(), Ended::TimedOut);
    assert!(begun.elapsed() >= Duration::from_millis(500));
    assert_eq!(rest(&mut stuck).await, "");
}

#[tokio::test]
async fn a_second_wish_to_stop_is_at_once() {
    let server = start(Limits::default()).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.shutdown.begin();
    server.shutdown.force();
    assert_eq!(timeout(PATIENCE, server.task).await.unwrap().unwrap(), Ended::Forced);
}

#[tokio::test]
async fn both_meanings_of_localhost() {
    let server = Server::bind_loopback(0).await.unwrap();
    let port = server.local_addr().port();
    assert!(server.local_addr().ip().is_loopback() && port != 0);
    let second = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await;
    // A machine without IPv6 has one meaning only.
    assert_eq!(second.is_ok(), server.listeners.len() == 2);
}

#[tokio::test]
async fn a_burst_waits_in_the_queue() {
    let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let burst = most.unwrap_or(128_usize).min(300);
    let server = Server::bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let mut held = Vec::new();
    for index in 0..burst {
        let connected = timeout(PATIENCE, TcpStream::connect(server.local_addr())).await;
        held.push(connected.unwrap_or_else(|_| panic!("connection {index} of {burst} waits")).unwrap());
    }
}
