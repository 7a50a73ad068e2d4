//! A fault in the midst of an endpoint (rows FT29 and G01): it is one request's, and tells nothing.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;
use vestibule::testing::TestServer;

/// What a panic's message could hold: formatted ones hold values.
const CANARY: &str = "canary-of-a-secret";

/// Where the logs of this test's thread go.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Sends a request on `stream` from another thread, so that the server may run on this one.
async fn ask(stream: TcpStream) -> (TcpStream, String, Value) {
    let exchange = move || {
        let mut stream = stream;
        let form = "grant_type=client_credentials";
        let request = format!(
            "POST /realms/main/protocol/openid-connect/token HTTP/1.1\r\nhost: {}\r\n\
             authorization: Basic c2VydmljZTpzZXJ2aWNlLXNlY3JldA==\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            stream.peer_addr().unwrap(),
            form.len(),
        );
        stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut one) = (Vec::new(), [0; 1]);
        while !answer.ends_with(b"\r\n\r\n") {
            assert_eq!(stream.read(&mut one).unwrap(), 1, "the server closed the connection");
            answer.push(one[0]);
        }
        let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        (stream, head, serde_json::from_slice(&body).unwrap())
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

#[tokio::test]
async fn g01_ft29_a_panic_in_an_endpoint_is_one_requests_and_tells_nothing() {
    let server = TestServer::start().await.unwrap();
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .with_max_level(tracing::Level::TRACE)
        .finish();
    let _logged = tracing::subscriber::set_default(subscriber);
    let armed = Arc::new(AtomicBool::new(false));
    // Panics of this thread alone are logged as the server logs them; other tests' go the usual way.
    let (mine, usual) = (std::thread::current().id(), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == mine
            && panic.payload().downcast_ref::<String>().is_some_and(|text| text.contains(CANARY))
        {
            vestibule::telemetry::log_panic(panic);
        } else {
            usual(panic);
        }
    }));
    let fault = Arc::clone(&armed);
    server.clock().watch(move |place| {
        if place.file().ends_with("src/http/grants/client_credentials.rs")
            && fault.swap(false, Ordering::SeqCst)
        {
            panic!("{CANARY}: service-secret");
        }
    });
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (stream, head, body) = ask(stream).await;
    assert!(head.starts_with("http/1.1 200") && body["access_token"].is_string(), "{head}{body}");

    armed.store(true, Ordering::SeqCst);
    let (stream, head, body) = ask(stream).await;
    assert!(!armed.load(Ordering::SeqCst), "the fault came in the midst of the endpoint");
    assert!(head.starts_with("http/1.1 500"), "{head}{body}");
    assert!(head.contains("content-type: application/json") && head.contains("x-request-id: "), "{head}");
    assert_eq!(body, serde_json::json!({ "error": "server_error" }));

    let (_, head, body) = ask(stream).await;
    assert!(
        head.starts_with("http/1.1 200") && body["access_token"].is_string(),
        "its connection lives: {head}{body}"
    );
    let reply = server.rp("service", Some("service-secret"));
    let reply = reply.token_request(&server.browser(), &[("grant_type", "client_credentials")]).await;
    assert_eq!(reply.status, 200, "and so does the server");

    let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<_> =
        told.lines().filter(|line| line.contains("panic") && line.contains("place=")).collect();
    assert_eq!(lines.len(), 1, "it is logged once: {lines:?}");
    for secret in [CANARY, "service-secret", "c2VydmljZTpzZXJ2aWNlLXNlY3JldA"] {
        assert!(!told.contains(secret), "{secret} is in the log");
    }
}
