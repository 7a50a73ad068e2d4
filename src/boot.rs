//! From a configuration to a running server: database, keys, realms, sockets, background work. One way for `dev`,
//! `serve` and the fixture of tests.

mod background;
mod seed;
mod sockets;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;

use crate::app::{App, Rules, Shared};
use crate::at_hand::AtHand;
use crate::backchannel_logout;
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::fetch::{Fetcher, RootsError};
use crate::http;
use crate::http::management::Management;
use crate::key_sets::KeySets;
use crate::lockouts::Lockouts;
use crate::passwords::{ClientSecrets, Passwords, Profile};
use crate::protocol::outbound::OutboundRules;
use crate::protocol::redirect_uri::Strictness;
use crate::realm_file::{self, ApplyError, FileProblem, FileProblems, PlanOptions, RealmSpec};
use crate::realms::Realms;
use crate::server::{Ended, Server, Shutdown, TlsError};
use crate::store::{Store, StoreError, StoreOptions};
use crate::telemetry::Metrics;
use crate::turns::Turns;
use crate::vault::{KeyFileError, Vault};

use sockets::{Listening, advice, bind, listen, serve};

pub use seed::{Administrator, Existing, Import, Seed, administrate, import_files};

/// For how long `serve` keeps the answer from a sign-in that must wait.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a change of a realm's configuration waits for those before it, at most: shorter than a request may take.
const CONFIGURING: Duration = Duration::from_secs(20);

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// The data folder.
    #[error("the data folder {} cannot be used: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of key-encryption keys.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// Certificate and key of the server itself.
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    /// The file of certificates that are trusted for outbound connections.
    #[error("outbound.ca_file: {0}")]
    Roots(#[from] RootsError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A realm file.
    #[error("{0}")]
    RealmFile(#[from] FileProblems),
    /// A realm file that could not be applied.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// A socket.
    #[error("cannot listen on {address}{port}: {source}{}", advice(source))]
    Listen {
        /// Where.
        address: String,
        /// Which port that is, in brackets; nothing for the one of requests.
        port: &'static str,
        /// Why.
        source: std::io::Error,
    },
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// What its endpoints share.
    pub app: Shared,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether it speaks TLS there.
    pub is_over_tls: bool,
    /// Where it listens for TLS beside.
    pub https: Option<SocketAddr>,
    /// Where health and metrics are told.
    pub management: Option<SocketAddr>,
    /// Stops it.
    pub shutdown: Shutdown,
    serving: JoinHandle<Ended>,
    telling: JoinHandle<()>,
}

impl Running {
    /// Waits until it has stopped.
    pub async fn ended(self) -> Ended {
        let ended = self.serving.await.unwrap_or(Ended::Forced);
        // Whoever is being told of a logout needs the database still.
        self.shutdown.begin();
        if self.telling.await.is_err() {
            tracing::error!("the worker that tells of logouts had died");
        }
        self.app.store.close().await;
        ended
    }
}

/// Builds what endpoints share: opens the database, brings its schema and the seed's realms up to date. All of it is on the
/// disk then.
///
/// # Errors
/// [`BootError`].
pub async fn build(config: &Config, clock: Clock, seed: Seed) -> Result<Shared, BootError> {
    let vault = Arc::new(open_vault(config)?);
    let store = open_store(config, Arc::clone(&vault)).await?;
    let dev = config.mode == Mode::Dev;
    let password_profile = if dev { Profile::Development } else { Profile::Standard };
    let passwords = Passwords::with_profile(config.hashing, password_profile);
    let fetcher = Fetcher::new(&config.outbound)?;
    let app = Arc::new(App {
        key_sets: KeySets::new(fetcher.clone(), clock.clone()),
        fetcher,
        realms: Realms::new(clock.clone(), Arc::clone(&vault), seed.keys),
        store,
        clock,
        client_secrets: ClientSecrets::new(passwords.clone(), Arc::clone(&vault)),
        vault,
        passwords,
        sign_ins: Turns::default(),
        lockouts: Lockouts::default(),
        large_bodies: Semaphore::new(1),
        configuring: Turns::new(CONFIGURING),
        hosts: config.hosts(),
        rules: Rules {
            strictness: match config.mode {
                Mode::Serve => Strictness::Serve,
                Mode::Dev if config.stand_in.redirects_anywhere => Strictness::StandIn,
                Mode::Dev => Strictness::Development,
            },
            password_profile,
            // Nobody guesses at a server of tests, which have no time to lose.
            pause: if dev { Duration::ZERO } else { PAUSE },
            password_grant: config.password_grant(),
            helpful: dev,
            client_certificates: config.client_certificates(),
            base_path: config.base_path.clone(),
            at_root_too: config.stand_in.at_root_too,
            root_realm: config.root_realm.clone(),
            personas: seed.personas.clone(),
            shows_at_hand: !config.is_dev_in_the_open() || !seed.personas.is_empty(),
        },
        at_hand: AtHand::default(),
        logouts: Notify::new(),
        metrics: Metrics::new(),
    });
    let (hashing, connections) = (app.passwords.clone(), app.store.clone());
    app.metrics.before_reading(move |metrics| {
        let (running, queued) = hashing.load();
        metrics.hashing(running, queued);
        metrics.hashes_made(hashing.made());
        let (used, idle) = connections.connections();
        metrics.database_pool(used, idle);
    });
    seed::plant(&app, &config.realm_files, seed).await?;
    // A database from before `master` oversaw the other realms.
    realm_file::oversee(&app.store, app.clock.now()).await?;
    realm_file::mend(&app.store, app.clock.now()).await?;
    app.store.settle().await?;
    Ok(app)
}

/// Brings one realm to what its file says; what is in memory follows.
///
/// # Errors
/// [`ApplyError`], and then the realm is as it was.
pub async fn apply(app: &App, realm: &RealmSpec) -> Result<(), ApplyError> {
    let now = app.clock.now();
    let options = PlanOptions { outbound: reach(app), ..PlanOptions::default() };
    let (plan, drawn) = realm_file::apply_spec(&app.store, &app.client_secrets, realm, options, now).await?;
    for note in plan.notes() {
        tracing::info!(realm = realm.name, "{note}");
    }
    for new in &drawn {
        let (realm, client) = (&realm.name, &new.client_id);
        tracing::warn!(
            realm,
            client,
            "the realm file gives this client no secret, so one was drawn; to choose it, write `secret = \"…\"` (realm \
             JSON: \"secret\") in the file"
        );
    }
    app.realms.refresh(&app.store).await?;
    // A user who was switched off or deleted had sessions.
    app.logouts.notify_one();
    Ok(())
}

/// What `serve` calls of the addresses that others name; none in development, which keeps what it is given.
#[must_use]
pub fn reach(app: &App) -> Option<OutboundRules> {
    (app.rules.strictness == Strictness::Serve).then(|| app.fetcher.rules())
}

/// What of `realms` this server refuses to be given by a file: in development nothing.
#[must_use]
pub fn refusals<'a>(app: &App, realms: impl IntoIterator<Item = &'a RealmSpec>) -> Vec<FileProblem> {
    let Some(outbound) = reach(app) else { return Vec::new() };
    realms.into_iter().flat_map(|realm| realm_file::production_refusals(realm, outbound)).collect()
}

fn open_vault(config: &Config) -> Result<Vault, BootError> {
    let Some(file) = &config.key_file else { return Ok(Vault::random()) };
    if config.mode == Mode::Serve && !config.stand_in.prepares {
        return Ok(Vault::load(file)?);
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder).map_err(|source| BootError::Folder { folder: folder.to_owned(), source })?;
    }
    Ok(Vault::load_or_create(file)?)
}

/// A folder that only its owner can enter.
fn make_folder(folder: &std::path::Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

async fn open_store(config: &Config, vault: Arc<Vault>) -> Result<Store, BootError> {
    let database = &config.database;
    let options = StoreOptions { url: database.url().to_owned(), max_connections: database.max_connections };
    let store = Store::open(&options, vault).await?;
    // Nobody was told of anything before the end of the start, which waits for all of it.
    store.hasten().await?;
    // A production database changes its schema only when its operator says so, with a backup at hand.
    if config.mode == Mode::Dev || config.stand_in.prepares || database.is_memory() {
        store.migrate().await?;
    } else {
        store.check_schema().await?;
    }
    let sealed = store.seal_kept_secrets().await?;
    if sealed > 0 {
        tracing::info!(records = sealed, "the secrets in records of before are sealed");
    }
    Ok(store)
}

/// Builds the server, listens, and begins its background work.
///
/// # Errors
/// [`BootError`]; then nothing listens.
pub async fn start(
    config: &Config,
    clock: Clock,
    seed: Seed,
    shutdown: Shutdown,
) -> Result<Running, BootError> {
    // Sockets first: a port that is taken is found before anything is written.
    let Listening { main, second, tls } = listen(config, &shutdown).await?;
    let management = match &config.management_listen {
        Some(listen) => Some(bind(listen, " (the management port)").await?),
        None => None,
    };
    let management = management.map(|server| match tls {
        Some(tls) if config.stand_in.management_over_tls => server.also_over(tls),
        _ => server,
    });
    let app = build(config, clock, seed).await?;
    let told_at = management.as_ref().map(Server::local_addr);
    background::spawn(&app, config.sweep_interval, &shutdown);
    let telling = backchannel_logout::spawn(&app, &shutdown, config.limits.drain_timeout);
    let health = health(&app, &shutdown);
    if let Some(server) = management {
        let (metrics, limits) = (app.metrics.clone(), config.limits.for_management());
        let router = also_below(&config.stand_in.management_path, health.clone().router());
        let stop = shutdown.clone();
        tokio::spawn(async move { server.serve(router, &limits, metrics, &stop).await });
    }
    let mut endpoints = http::endpoints(&app);
    if config.stand_in.health_on_main {
        endpoints.router = endpoints.router.merge(also_below(&config.base_path, health.health()));
    }
    let (address, https) = (main.local_addr(), second.as_ref().map(Server::local_addr));
    let serving =
        tokio::spawn(serve(app.metrics.clone(), config.clone(), endpoints, (main, second), shutdown.clone()));
    let is_over_tls = config.tls.is_some() && https.is_none();
    Ok(Running { app, address, is_over_tls, https, management: told_at, shutdown, serving, telling })
}

/// `router`, and the same below `path`: what looks for Keycloak's health looks for it where its pages are.
fn also_below(path: &str, router: Router) -> Router {
    if path.is_empty() { router } else { Router::new().nest(path, router.clone()).merge(router) }
}

fn health(app: &Shared, shutdown: &Shutdown) -> Management {
    let store = app.store.clone();
    let management = Management::new(app.metrics.clone(), shutdown.clone(), move || {
        let store = store.clone();
        async move { store.ping().await.is_ok() }
    });
    management.started();
    management
}
