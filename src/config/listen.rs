//! Where a server listens.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};

use crate::server::Server;

/// An address to listen on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// One address; port 0 takes a free one.
    At(SocketAddr),
    /// 127.0.0.1 and [::1] alike, since `localhost` may mean either.
    Loopback(u16),
}

impl Listen {
    /// `host` and `port`; `None` means loopback.
    #[must_use]
    pub fn on(host: Option<IpAddr>, port: u16) -> Self {
        host.map_or(Self::Loopback(port), |host| Self::At(SocketAddr::new(host, port)))
    }

    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::At(address) => address.ip().is_loopback(),
            Self::Loopback(_) => true,
        }
    }

    /// The port; 0 for a free one.
    #[must_use]
    pub fn port(&self) -> u16 {
        match self {
            Self::At(address) => address.port(),
            Self::Loopback(port) => *port,
        }
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// When the address is taken or not ours.
    pub async fn bind(&self) -> io::Result<Server> {
        match self {
            Self::At(address) => Server::bind(*address).await,
            Self::Loopback(port) => Server::bind_loopback(*port).await,
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(address) => address.fmt(formatter),
            Self::Loopback(port) => write!(formatter, "127.0.0.1:{port}"),
        }
    }
}
