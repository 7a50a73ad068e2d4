//! `vestibule healthcheck`: is the server on this machine ready? For containers, whose image has no shell and no
//! curl.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use clap::Args;
use thiserror::Error;

/// The whole question may take this long; an orchestrator's own limit is above it.
const DEADLINE: Duration = Duration::from_secs(3);

/// Ask a running server whether it is ready; ends with 0 if it is, else with 1.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  vestibule healthcheck && echo ready
  vestibule healthcheck --url http://127.0.0.1:9001/health/live

It prints nothing when all is well.")]
pub struct Healthcheck {
    /// What to ask
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000/health/ready")]
    pub url: String,
}

/// Why a server does not count as ready.
#[derive(Debug, Error)]
pub enum NotReady {
    /// The address is not one that can be asked.
    #[error("{0:?} is not an address such as http://127.0.0.1:9000/health/ready")]
    Address(String),
    /// Nobody answered in time.
    #[error("no answer: {0}")]
    Silent(#[from] io::Error),
    /// Something answered that is no HTTP.
    #[error("the answer is no HTTP")]
    NotHttp,
    /// The server says that it is not ready.
    #[error("the server answered with status {0}")]
    Status(u16),
}

impl Healthcheck {
    /// Asks, without a runtime: a GET and the first line of its answer need none.
    ///
    /// # Errors
    /// [`NotReady`] unless the answer is 200.
    pub fn run(&self) -> Result<(), NotReady> {
        let refused = || NotReady::Address(self.url.clone());
        let rest = self.url.strip_prefix("http://").ok_or_else(refused)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        if authority.is_empty() || self.url.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(refused());
        }
        match ask(authority, path)? {
            200 => Ok(()),
            status => Err(NotReady::Status(status)),
        }
    }
}

fn ask(authority: &str, path: &str) -> Result<u16, NotReady> {
    let until = Instant::now() + DEADLINE;
    let mut stream = connect(authority, until)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.set_write_timeout(Some(left(until)?))?;
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    let mut buffer = [0; 64];
    while head.len() < "HTTP/1.1 200".len() {
        stream.set_read_timeout(Some(left(until)?))?;
        let bytes = stream.read(&mut buffer)?;
        if bytes == 0 {
            break;
        }
        head.extend_from_slice(buffer.get(..bytes).unwrap_or_default());
    }
    status(&head).ok_or(NotReady::NotHttp)
}

fn connect(authority: &str, until: Instant) -> Result<TcpStream, NotReady> {
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let with_port = if has_port { authority.to_owned() } else { format!("{authority}:80") };
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in with_port.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, left(until)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last.into())
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn status(head: &[u8]) -> Option<u16> {
    let head = std::str::from_utf8(head.get(..12)?).ok()?;
    head.strip_prefix("HTTP/1.1 ").or_else(|| head.strip_prefix("HTTP/1.0 "))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Asks a server that reads a request and answers with `answer`.
    fn asked(answer: &'static str, path: &str) -> (Result<(), NotReady>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let bytes = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..bytes]).into_owned()
        });
        let outcome = Healthcheck { url }.run();
        (outcome, server.join().unwrap())
    }

    #[test]
    fn answers() {
        let (ready, request) = asked("HTTP/1.1 200 OK\r\n\r\n", "/health/ready");
        assert!(ready.is_ok());
        assert!(request.starts_with("GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1:"), "{request}");
        let (down, _) = asked("HTTP/1.1 503 Service Unavailable\r\n\r\n", "");
        assert!(matches!(down, Err(NotReady::Status(503))), "{down:?}");
        for odd in ["", "HTTP/1.1", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 2x0 OK\r\n"] {
            let (outcome, _) = asked(odd, "/");
            assert!(matches!(outcome, Err(NotReady::NotHttp)), "{odd:?} {outcome:?}");
        }
    }

    #[test]
    fn addresses_that_cannot_be_asked() {
        for url in
            ["", "127.0.0.1:9000", "https://127.0.0.1:9000/", "http://", "http:///x", "http://a/\r\nX: y"]
        {
            let outcome = Healthcheck { url: url.into() }.run();
            assert!(matches!(outcome, Err(NotReady::Address(_))), "{url:?} {outcome:?}");
        }
    }

    #[test]
    fn nobody_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(Healthcheck { url }.run(), Err(NotReady::Silent(_))));
    }
}
