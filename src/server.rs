//! The accept loop: connections, timeouts, limits, drain.
//!
//! Owns how bytes become requests and how the process stops taking them. Leaves routes to `http`, and logs and
//! metrics to `telemetry`. The loop is our own, since `axum::serve` installs no timer: with it a client that
//! sends half a header keeps its connection for ever.
//!
//! TLS is ended here when no proxy does it ([`Tls`]). HTTP/1.1 only. Reverse proxies speak it to what is behind them, a login page is a handful of requests, and
//! HTTP/2 would bring its own class of floods (RUSTSEC-2024-0332, RUSTSEC-2024-0003, RUSTSEC-2026-0258).

mod accept;
mod body;
mod connection;
mod endpoints;
mod guard;
mod head;
mod shutdown;
mod tls;
mod watch;
mod wire;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Semaphore, watch as channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::telemetry::Metrics;

pub use body::{BodyTimeout, BodyTooLarge, Room};
pub use endpoints::{Apology, AtHand, Endpoints, Guarded};
pub use guard::{REQUEST_ID, wants_page};
pub use head::HeadScan;
pub use shutdown::Shutdown;
pub use tls::{Asks, ClientCertificate, Tls, TlsError, TlsFiles};

/// What one client may use up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections; one more is answered with 503. Held below the process's limit of open files.
    pub connections: usize,
    /// Bytes of the request line and the header together; more is answered with 431.
    pub header_bytes: usize,
    /// From the first byte of a header, or from the start of a connection, to the header's end.
    pub header_timeout: Duration,
    /// Bytes of a body; more is answered with 413. Endpoints may hold a lower limit, and those of [`Endpoints::roomy`] a
    /// higher one.
    pub body_bytes: usize,
    /// From the header to the body's end, plus a second for each 64 KiB that came.
    pub body_timeout: Duration,
    /// From the header to the response; later is answered with 503.
    pub request_timeout: Duration,
    /// From a response to the next request on the same connection.
    pub keep_alive_timeout: Duration,
    /// From the signal to stop until the end of the process, even with a client that is stuck.
    pub drain_timeout: Duration,
    /// From the signal to stop until no connection is taken; `/health/ready` says 503 meanwhile, so that a load
    /// balancer looks elsewhere first.
    pub shutdown_delay: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_bytes: 32 * 1024,
            header_timeout: Duration::from_secs(5),
            body_bytes: 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(25),
            shutdown_delay: Duration::ZERO,
        }
    }
}

impl Limits {
    /// The same for the management port: a few probes and a scraper, on the same files as the main port.
    #[must_use]
    pub fn for_management(&self) -> Self {
        Self { connections: self.connections.min(32), ..self.clone() }
    }
}

/// Connections that the system holds until they are taken; it may hold fewer (`net.core.somaxconn`).
const QUEUE: u32 = 4_096;

/// Bytes of a request target; more is answered with 414. Enough for a request object of 8 KiB beside the rest.
pub const MAX_TARGET_BYTES: usize = 16 * 1024;

/// The address at the other end of the connection, as a request extension. Behind a proxy this is the proxy:
/// `http::host::client` says who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every request that was taken was answered.
    Drained,
    /// Some connection was still open when the drain timeout had passed.
    TimedOut,
    /// A second signal came.
    Forced,
}

/// Listening sockets that do not answer yet.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    address: SocketAddr,
    tls: Option<Arc<Tls>>,
    plain_too: bool,
}

impl Server {
    /// Listens on `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    #[expect(clippy::unused_async, reason = "needs a runtime, and says so by its type")]
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        Ok(Self { listeners: vec![listener], address, tls: None, plain_too: false })
    }

    /// Listens on 127.0.0.1 and, where the machine has it, on [::1] with the same port, since `localhost` may
    /// mean either.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn bind_loopback(port: u16) -> io::Result<Self> {
        let mut server = Self::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await?;
        let second = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), server.address.port());
        match listen(second) {
            Ok(listener) => server.listeners.push(listener),
            // With a chosen port, another program would answer for half of what `localhost` means.
            Err(error) if port != 0 && error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "not listening on [::1]"),
        }
        Ok(server)
    }

    /// The same server over TLS.
    #[must_use]
    pub fn over(self, tls: Arc<Tls>) -> Self {
        Self { tls: Some(tls), ..self }
    }

    /// The same server over TLS, and plain for a client whose first byte begins no handshake (RFC 8446 §5.1): for what only
    /// machines ask, some of them as Keycloak has it and some as ever.
    #[must_use]
    pub fn also_over(self, tls: Arc<Tls>) -> Self {
        Self { tls: Some(tls), plain_too: true, ..self }
    }

    /// The address that clients connect to, with the port that was taken.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` begins, then drains: after `shutdown_delay` no connection is taken, requests on
    /// the way are answered with `Connection: close`, and at `drain_timeout` what is left is cut.
    ///
    /// The endpoints get the guards of [`Guarded`]: request id, access line, time limit, caught panics.
    pub async fn serve(
        self,
        endpoints: impl Into<Endpoints>,
        limits: &Limits,
        metrics: Metrics,
        shutdown: &Shutdown,
    ) -> Ended {
        let connections = accept::affordable(limits.connections);
        let (stage, _) = channel::channel(Stage::Serving);
        let shared = Arc::new(Shared {
            guarded: Guarded::new(endpoints.into(), limits, metrics.clone()),
            limits: limits.clone(),
            metrics,
            slots: Arc::new(Semaphore::new(connections)),
            refusals: Arc::new(Semaphore::new(accept::REFUSALS)),
            stage: stage.clone(),
            tls: self.tls,
            plain_too: self.plain_too,
        });
        let mut loops = JoinSet::new();
        for listener in self.listeners {
            loops.spawn(accept::run(listener, Arc::clone(&shared)));
        }
        shutdown.begun().await;
        let deadline = Instant::now() + limits.drain_timeout;
        let ended = tokio::select! {
            () = shutdown.forced() => Ended::Forced,
            () = tokio::time::sleep_until(deadline) => Ended::TimedOut,
            () = drain(limits.shutdown_delay, &stage, loops, &shared.slots, connections) => Ended::Drained,
        };
        stage.send_replace(Stage::Cut);
        ended
    }
}

/// A listening socket whose queue holds a burst: at the usual 128, a connection beyond them waits a second for its
/// client to try again.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restarted server takes its port back from connections that are only fading away. On Windows the same
    // option would let two servers share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

async fn drain(
    delay: Duration,
    stage: &channel::Sender<Stage>,
    mut loops: JoinSet<()>,
    slots: &Semaphore,
    connections: usize,
) {
    tokio::time::sleep(delay).await;
    stage.send_replace(Stage::Draining);
    while loops.join_next().await.is_some() {}
    let every = u32::try_from(connections).unwrap_or(u32::MAX);
    // Every slot free means every connection closed. The semaphore is never closed, so there is no other end.
    drop(slots.acquire_many(every).await);
}

/// What every connection of one server shares.
struct Shared {
    guarded: Guarded,
    limits: Limits,
    metrics: Metrics,
    slots: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    stage: channel::Sender<Stage>,
    tls: Option<Arc<Tls>>,
    plain_too: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    Draining,
    Cut,
}

#[cfg(test)]
mod tests;
