//! What is fetched, what is not, and when it is given up: against listeners on this machine.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

const LAX: OutboundRules = OutboundRules { private: true, http: true };
const STRICT: OutboundRules = OutboundRules { private: false, http: true };

fn fetcher(rules: OutboundRules) -> Fetcher {
    Fetcher::new(&Outbound { rules, ca_files: Vec::new() }).unwrap()
}

/// A listener that answers each connection with `answer`, after it has read a head.
struct Listener {
    port: u16,
    connections: Arc<AtomicUsize>,
    requests: Arc<std::sync::Mutex<Vec<String>>>,
}

impl Listener {
    async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::over(answer.into(), None).await
    }

    async fn over(answer: Vec<u8>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let this = Self { port, connections: Arc::default(), requests: Arc::default() };
        let (connections, requests) = (Arc::clone(&this.connections), Arc::clone(&this.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                match &tls {
                    None => serve(stream, &answer, &requests).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            serve(stream, &answer, &requests).await;
                        }
                    }
                }
            }
        });
        this
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/jwks?a=b", self.port)
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &[u8],
    requests: &std::sync::Mutex<Vec<String>>,
) {
    let mut bytes = vec![0; 4_096];
    let count = stream.read(&mut bytes).await.unwrap_or_default();
    requests.lock().unwrap().push(String::from_utf8_lossy(&bytes[..count]).into_owned());
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Y: z\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn an_answer_comes_whole() {
    let there = Listener::answering(ok("{\"keys\":[]}")).await;
    let fetched = fetcher(LAX).get(&there.url("127.0.0.1"), "application/json").await.unwrap();
    assert_eq!((fetched.status, fetched.body.as_ref()), (200, b"{\"keys\":[]}".as_slice()));
    assert_eq!(fetched.headers["x-y"], "z");
    let request = there.requests.lock().unwrap()[0].clone();
    let host = format!("\r\nhost: 127.0.0.1:{}\r\n", there.port);
    assert!(request.starts_with("GET /jwks?a=b HTTP/1.1\r\n") && request.contains(&host), "{request}");
    assert!(request.contains("\r\naccept: application/json\r\n"), "{request}");
}

#[tokio::test]
async fn a_form_is_posted() {
    let there = Listener::answering(ok("")).await;
    fetcher(LAX).post_form(&there.url("localhost"), "logout_token=x".into()).await.unwrap();
    let request = there.requests.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST /jwks?a=b HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert!(request.contains("\r\ncontent-length: 14\r\n"), "{request}");
}

#[tokio::test]
async fn n02_nobody_is_asked_who_is_not_public() {
    let there = Listener::answering(ok("")).await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "localhost",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "[::]",
    ] {
        let refused = fetcher(STRICT).get(&there.url(host), "*/*").await;
        assert!(
            matches!(
                refused,
                Err(FetchError::Target(TargetFault::Address)
                    | FetchError::Forbidden
                    | FetchError::Unresolved(_))
            ),
            "{host}: {refused:?}"
        );
    }
    assert_eq!(there.connections(), 0);
    assert!(fetcher(LAX).get(&there.url("127.0.0.1"), "*/*").await.is_ok(), "the listener is there");
    assert_eq!(there.connections(), 1);
}

#[tokio::test]
async fn n02_a_name_with_one_address_that_is_not_public_is_not_followed() {
    let there = Listener::answering(ok("")).await;
    let (public, loopback) = (Ipv4Addr::new(93, 184, 215, 14), Ipv4Addr::LOCALHOST);
    for ips in [vec![loopback], vec![public, loopback], vec![loopback, public]] {
        let names = Names::Fixed(ips.iter().copied().map(IpAddr::V4).collect());
        let fetcher = Fetcher { names, ..fetcher(STRICT) };
        let refused = fetcher.get(&there.url("rebound.example"), "*/*").await;
        assert!(matches!(refused, Err(FetchError::Forbidden)), "{ips:?}: {refused:?}");
    }
    assert_eq!(there.connections(), 0);
    let names = Names::Fixed(vec![IpAddr::V4(loopback)]);
    let fetcher = Fetcher { names, ..fetcher(LAX) };
    assert!(fetcher.get(&there.url("inside.example"), "*/*").await.is_ok());
}

#[tokio::test]
async fn n02_a_redirect_is_not_followed() {
    let secret = Listener::answering(ok("secret")).await;
    let location = secret.url("127.0.0.1");
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let there = Listener::answering(answer).await;
    let fetched = fetcher(LAX).get(&there.url("127.0.0.1"), "*/*").await.unwrap();
    assert_eq!((fetched.status, fetched.body.len()), (302, 0));
    assert_eq!(secret.connections(), 0);
}

#[tokio::test]
async fn n02_plain_http_and_other_schemes_are_refused() {
    let there = Listener::answering(ok("")).await;
    let strict = fetcher(OutboundRules { private: true, http: false });
    let port = there.port;
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("gopher://127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
    ] {
        let refused = strict.get(&url, "*/*").await;
        assert!(matches!(refused, Err(FetchError::Target(TargetFault::Scheme))), "{url}: {refused:?}");
    }
    assert_eq!(there.connections(), 0);
}

#[tokio::test]
async fn n02_an_endless_answer_is_given_up() {
    let length = MAX_BODY + 1;
    for (case, head) in [
        ("announced", format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n")),
        ("to the end", "HTTP/1.1 200 OK\r\n\r\n".to_owned()),
    ] {
        let there = Listener::answering([head.into_bytes(), vec![b'x'; length]].concat()).await;
        let refused = fetcher(LAX).get(&there.url("127.0.0.1"), "*/*").await;
        assert!(matches!(refused, Err(FetchError::Body)), "{case}: {refused:?}");
    }
    let longest = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; MAX_BODY]].concat();
    let there = Listener::answering(longest).await;
    assert_eq!(fetcher(LAX).get(&there.url("127.0.0.1"), "*/*").await.unwrap().body.len(), MAX_BODY);
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(4 * MAX_HEAD));
    let there = Listener::answering(head).await;
    let refused = fetcher(LAX).get(&there.url("127.0.0.1"), "*/*").await;
    assert!(matches!(refused, Err(FetchError::Http(_))), "{refused:?}");
}

#[tokio::test]
async fn n02_who_does_not_answer_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = Instant::now();
    let refused = fetcher(LAX).get(&format!("http://127.0.0.1:{port}/"), "*/*").await;
    assert!(matches!(refused, Err(FetchError::TooSlow)), "{refused:?}");
    assert!(began.elapsed() < IN_ALL + Duration::from_secs(2));
    drop(silent);
    let refused = fetcher(LAX).get(&format!("http://127.0.0.1:{port}/"), "*/*").await;
    assert!(matches!(refused, Err(FetchError::Connect(_))), "{refused:?}");
}

/// A certificate authority, and a server at 127.0.0.1 that has its certificate for `name`.
async fn secured(name: &str) -> (String, Listener) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let listener = Listener::over(ok("over TLS").into_bytes(), Some(Arc::new(config).into())).await;
    (authority.pem(), listener)
}

#[tokio::test]
async fn https_needs_a_certificate_of_an_authority_that_is_trusted_for_the_name() {
    let (pem, there) = secured("op.example").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, pem).unwrap();
    let trusting = Fetcher {
        names: Names::Fixed(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]),
        ..Fetcher::new(&Outbound { rules: LAX, ca_files: vec![file] }).unwrap()
    };
    let stranger = Fetcher { names: trusting.names.clone(), ..fetcher(LAX) };
    let url = |name: &str| format!("https://{name}:{}/", there.port);
    let fetched = trusting.get(&url("op.example"), "*/*").await.unwrap();
    assert_eq!(fetched.body.as_ref(), b"over TLS");
    let refused = trusting.get(&url("other.example"), "*/*").await;
    assert!(matches!(refused, Err(FetchError::Tls(_))), "{refused:?}");
    let refused = stranger.get(&url("op.example"), "*/*").await;
    assert!(matches!(refused, Err(FetchError::Tls(_) | FetchError::Roots(RootsError::None))), "{refused:?}");
}

#[test]
fn a_file_without_certificates_is_noticed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let outbound = Outbound { rules: LAX, ca_files: vec![file.clone()] };
    assert!(matches!(Fetcher::new(&outbound), Err(RootsError::File { .. })));
    std::fs::write(&file, "nothing").unwrap();
    assert!(matches!(Fetcher::new(&outbound), Err(RootsError::Empty(_))));
}
