//! The one way out: requests to addresses that somebody else named, guarded (attacks N02).
//!
//! Owns resolving, connecting, TLS and the bounds on time and size. A name is resolved once, every address that it stands
//! for is judged, and the connection goes to one that was judged: nothing can change in between. No redirect is
//! followed, no proxy of the environment used, no connection kept. What may be reached at all says
//! [`crate::protocol::outbound`]; what an answer means is its reader's business.

mod tls;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::{Host, Url};

use crate::config::Outbound;
use crate::protocol::outbound::{OutboundRules, TargetFault};
pub use tls::RootsError;

/// From the first look at a name to the last byte of the answer.
const IN_ALL: Duration = Duration::from_secs(5);

/// To one of several addresses, so that a dead one leaves time for the next.
const CONNECT: Duration = Duration::from_secs(2);

/// Addresses of one name that are tried.
const TRIED: usize = 4;

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// The longest head that is read, in bytes.
const MAX_HEAD: usize = 32 * 1024;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("vestibule/", env!("CARGO_PKG_VERSION")));

/// Why there is no answer. It names no address: a log line beside it may.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The URL is not one that may be followed.
    #[error("the URL {0}")]
    Target(#[from] TargetFault),
    /// The name stands for nothing.
    #[error("the name cannot be resolved: {0}")]
    Unresolved(std::io::Error),
    /// The name stands for an address that may not be reached.
    #[error("the name leads to an address that is not public")]
    Forbidden,
    /// Nobody answers there.
    #[error("there is no connection: {0}")]
    Connect(std::io::Error),
    /// The other side did not prove to be who the name says.
    #[error("TLS failed: {0}")]
    Tls(std::io::Error),
    /// The certificates that are trusted cannot be read.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The other side does not speak HTTP/1.1 properly.
    #[error("the answer is not HTTP: {0}")]
    Http(#[from] hyper::Error),
    /// The body is over 1 MiB, or broke off.
    #[error("the answer is too long or broke off")]
    Body,
    /// A header that was to be sent has a character that must not be there.
    #[error("a header of the request is malformed")]
    Header,
    /// It took over 5 s.
    #[error("the answer takes too long")]
    TooSlow,
}

/// An answer, whatever its status; a redirect is an answer too.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A request to send.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: Method,
    /// The absolute URL.
    pub url: &'a str,
    /// Headers beside those that every request has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body; empty for none.
    pub body: Bytes,
}

/// Fetches what others name. Cheap to clone; clones share what is loaded.
#[derive(Clone, Debug)]
pub struct Fetcher {
    rules: OutboundRules,
    tls: tls::Trust,
    names: Names,
}

impl Fetcher {
    /// A fetcher that reaches what `outbound` allows.
    ///
    /// # Errors
    /// [`RootsError`] when its file of certificates cannot be read.
    pub fn new(outbound: &Outbound) -> Result<Self, RootsError> {
        let tls = tls::Trust::new(&outbound.ca_files)?;
        Ok(Self { rules: outbound.rules, tls, names: Names::System })
    }

    /// What it may reach.
    #[must_use]
    pub fn rules(&self) -> OutboundRules {
        self.rules
    }

    /// Gets `url`, asking for the media type `accept`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(&self, url: &str, accept: &str) -> Result<Fetched, FetchError> {
        let headers = vec![(ACCEPT, HeaderValue::from_str(accept).map_err(|_| FetchError::Header)?)];
        self.send(Outgoing { method: Method::GET, url, headers, body: Bytes::new() }).await
    }

    /// Posts the form `body`, already encoded, to `url`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn post_form(&self, url: &str, body: String) -> Result<Fetched, FetchError> {
        let headers = vec![(CONTENT_TYPE, FORM)];
        self.send(Outgoing { method: Method::POST, url, headers, body: body.into() }).await
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn send(&self, outgoing: Outgoing<'_>) -> Result<Fetched, FetchError> {
        timeout(IN_ALL, self.exchange(outgoing)).await.unwrap_or(Err(FetchError::TooSlow))
    }

    async fn exchange(&self, outgoing: Outgoing<'_>) -> Result<Fetched, FetchError> {
        let url = self.rules.target(outgoing.url)?;
        let request = request(&url, outgoing)?;
        let stream = self.connect(&url).await?;
        if url.scheme() == "https" {
            talk(self.tls.handshake(&url, stream).await?, request).await
        } else {
            talk(stream, request).await
        }
    }

    async fn connect(&self, url: &Url) -> Result<TcpStream, FetchError> {
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = match url.host() {
            Some(Host::Ipv4(ip)) => vec![(IpAddr::V4(ip), port).into()],
            Some(Host::Ipv6(ip)) => vec![(IpAddr::V6(ip), port).into()],
            Some(Host::Domain(name)) => {
                self.names.resolve(name, port).await.map_err(FetchError::Unresolved)?
            }
            None => return Err(TargetFault::Malformed.into()),
        };
        // One that is not allowed is enough: a public address beside it may be there to distract.
        if addresses.iter().any(|address| !self.rules.admit(address.ip())) {
            return Err(FetchError::Forbidden);
        }
        let mut last = std::io::ErrorKind::NotFound.into();
        for address in addresses.into_iter().take(TRIED) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = std::io::ErrorKind::TimedOut.into(),
            }
        }
        Err(FetchError::Connect(last))
    }
}

/// Who says what a name stands for.
#[derive(Clone, Debug)]
enum Names {
    /// The operating system.
    System,
    /// A test.
    #[cfg(test)]
    Fixed(Vec<IpAddr>),
}

impl Names {
    async fn resolve(&self, name: &str, port: u16) -> std::io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, port)).await?.collect()),
            #[cfg(test)]
            Self::Fixed(ips) => Ok(ips.iter().map(|ip| (*ip, port).into()).collect()),
        }
    }
}

fn request(url: &Url, outgoing: Outgoing<'_>) -> Result<Request<Full<Bytes>>, FetchError> {
    let host = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = Request::builder()
        .method(outgoing.method)
        .uri(path)
        .header(HOST, authority)
        .body(Full::new(outgoing.body))
        .map_err(|_| FetchError::Header)?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, AGENT);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.extend(outgoing.headers);
    Ok(request)
}

async fn talk<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Fetched, FetchError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await?;
    // Ends with this call, also when the call is given up.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await.map_err(|_| FetchError::Body)?.to_bytes();
    Ok(Fetched { status: head.status.as_u16(), headers: head.headers, body })
}

#[cfg(test)]
mod tests;
