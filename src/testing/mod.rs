//! The fixture: a server in a test, on a free port, with a database in memory, ready in milliseconds, gone on drop.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use vestibule::testing::TestServer;
//!
//! let server = TestServer::start().await?;
//! let tokens = server.sign_in("web", Some("web-secret"), "alice", "alice").await?;
//! assert_eq!(tokens.access_claims()["preferred_username"], "alice");
//! # Ok(()) }
//! ```
//!
//! [`TestServer::start`] serves the demo realm; [`TestServer::with_realm`] a realm described in TOML. Real clients use
//! [`TestServer::issuer`]; a test that needs no socket drives the same routes by [`TestServer::browser`]. Time is the
//! test's own: [`TestServer::clock`].

mod browser;
mod device;
mod dpop;
mod rp;

use std::net::SocketAddr;

use crate::app::Shared;
use crate::boot::{self, BootError, Running, Seed};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Development};
use crate::protocol::issuer::Base;
use crate::realm_file::{self, Format};
use crate::realms::KeySource;
use crate::server::{Asks, Guarded, Shutdown, TlsFiles};

pub use browser::{Browser, Reply};
pub use device::Device;
pub use dpop::ProofKey;
pub use rp::{Rp, Tokens, claims};

/// Why a fixture did not do what a test asked.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// The server did not start.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A realm is described wrongly.
    #[error("{0}")]
    Realm(#[from] realm_file::FileProblems),
    /// The server answered otherwise than to a good request.
    #[error("unexpected answer {}: {}", .0.status, .0.body)]
    Answer(Box<Reply>),
}

impl From<Box<Reply>> for TestError {
    fn from(reply: Box<Reply>) -> Self {
        Self::Answer(reply)
    }
}

/// How a [`TestServer`] differs from the usual one.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A realm in the short form, as TOML, or in Keycloak's JSON; none for the demo realm.
    pub realm: Option<String>,
    /// A clock that stands still at this moment until the test moves it.
    pub frozen_at: Option<Timestamp>,
    /// `postgres://…` or `sqlite://…`; none for memory.
    pub database: Option<String>,
    /// The file of the keys that seal private ones, made when it is not there. Without it the server has keys of its own,
    /// and another one on the same database cannot sign.
    pub key_file: Option<std::path::PathBuf>,
    /// The configuration of `serve` in place of that of `dev`: strict rules, one public address.
    pub strict: bool,
    /// Beside `strict`: further names of the server.
    pub aliases: Vec<String>,
    /// Beside `strict`: whether `admin-cli` may send passwords.
    pub admin_cli_password_grant: bool,
    /// Certificate and key of a server that ends TLS itself.
    pub tls: Option<TlsFiles>,
    /// Files of certificates in PEM that the server trusts, beside the system's, where it asks others.
    pub ca_files: Vec<std::path::PathBuf>,
}

/// A running server of one test.
#[derive(Debug)]
pub struct TestServer {
    running: Running,
    clock: Clock,
    origin: String,
    endpoints: Guarded,
}

impl TestServer {
    /// A server with the demo realm.
    ///
    /// # Errors
    /// [`TestError`] when it does not start.
    pub async fn start() -> Result<Self, TestError> {
        Self::with(Options::default()).await
    }

    /// A server with a realm described in TOML.
    ///
    /// # Errors
    /// [`TestError`], also for a mistake in the description.
    pub async fn with_realm(toml: &str) -> Result<Self, TestError> {
        Self::with(Options { realm: Some(toml.to_owned()), ..Options::default() }).await
    }

    /// A server as `options` say.
    ///
    /// # Errors
    /// [`TestError`].
    pub async fn with(options: Options) -> Result<Self, TestError> {
        let mut config = Config::development(&Development {
            port: 0,
            ephemeral: options.database.is_none(),
            database: options.database,
            ca_files: options.ca_files,
            ..Development::default()
        })
        .map_err(BootError::from)?;
        config.key_file = options.key_file;
        if let Some(TlsFiles { asks: Asks::At(host), .. }) = &options.tls {
            config.client_certificates_url = Base::parse(&format!("https://{host}")).ok();
        }
        config.tls = options.tls;
        config.admin_cli_password_grant = options.admin_cli_password_grant;
        config.limits.shutdown_delay = std::time::Duration::ZERO;
        let seed = match &options.realm {
            Some(text) => {
                let json = text.trim_start().starts_with('{');
                let format = if json { Format::Json } else { Format::Toml };
                let realms = realm_file::parse(text, format, "realm", &|name| std::env::var(name).ok())?;
                Seed { realms, ..Seed::default() }
            }
            None => Seed::demo()?,
        };
        let seed = Seed { keys: KeySource::SharedInProcess, ..seed };
        let clock = options.frozen_at.map_or_else(Clock::system, Clock::frozen);
        let origin = if options.strict {
            config.mode = crate::config::Mode::Serve;
            let base = |text: &str| Base::parse(text).ok();
            config.public_url = base("https://op.example");
            config.aliases = options.aliases.iter().filter_map(|alias| base(alias)).collect();
            Some("https://op.example".to_owned())
        } else {
            None
        };
        let running = boot::start(&config, clock.clone(), seed, Shutdown::new()).await?;
        let origin = origin.unwrap_or_else(|| format!("http://{}", running.address));
        let endpoints = crate::http::endpoints(&running.app);
        let endpoints = Guarded::new(endpoints, &config.limits, running.app.metrics.clone());
        Ok(Self { running, clock, origin, endpoints })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.running.address
    }

    /// The issuer of a realm.
    #[must_use]
    pub fn issuer(&self, realm: &str) -> String {
        format!("{}/realms/{realm}", self.origin)
    }

    /// The server's clock, which the test may move.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What the endpoints share: the store, for a test that looks behind the scenes.
    #[must_use]
    pub fn app(&self) -> &Shared {
        &self.running.app
    }

    /// A browser without cookies.
    #[must_use]
    pub fn browser(&self) -> Browser {
        self.browser_over(&[])
    }

    /// A browser without cookies whose requests go to this server and to `others` in turn, all by the name of this one:
    /// what people see of several nodes on one database behind a balancer that keeps nobody at one of them.
    #[must_use]
    pub fn browser_over(&self, others: &[&Self]) -> Browser {
        let nodes = std::iter::once(self).chain(others.iter().copied());
        Browser::new(nodes.map(|node| node.endpoints.clone()).collect(), self.origin.clone())
    }

    /// An application of the realm `main`.
    #[must_use]
    pub fn rp(&self, client_id: &str, secret: Option<&str>) -> Rp {
        Rp::new(self.issuer("main"), client_id, secret)
    }

    /// A fresh key for DPoP, whose proofs are dated by the server's clock.
    #[must_use]
    pub fn proof_key(&self) -> ProofKey {
        ProofKey::new(self.clock.clone())
    }

    /// Signs a person in to a client of the realm `main`, in a browser of its own.
    ///
    /// # Errors
    /// [`TestError::Answer`] with the answer that was not expected.
    pub async fn sign_in(
        &self,
        client_id: &str,
        secret: Option<&str>,
        username: &str,
        password: &str,
    ) -> Result<Tokens, TestError> {
        Ok(self.rp(client_id, secret).sign_in(&mut self.browser(), username, password).await?)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.running.shutdown.force();
    }
}
