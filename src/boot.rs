//! From a configuration to a running server: database, keys, realms, sockets, background work. One way for `dev`,
//! `serve` and the fixture of tests.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::app::{App, Persona, Rules, Shared};
use crate::backchannel_logout;
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::fetch::{Fetcher, RootsError};
use crate::http;
use crate::http::management::Management;
use crate::key_sets::KeySets;
use crate::passwords::{ClientSecrets, Passwords, Profile};
use crate::protocol::redirect_uri::Strictness;
use crate::realm_file::{self, ApplyError, FileProblems, PlanOptions, RealmSpec};
use crate::realms::{KeySource, Realms};
use crate::server::{Ended, Server, Shutdown, Tls, TlsError};
use crate::store::{Store, StoreError, StoreOptions};
use crate::telemetry::Metrics;
use crate::vault::{KeyFileError, Vault};

/// How often a node looks whether another one changed the configuration.
const REFRESH: Duration = Duration::from_millis(500);
/// Rows that a sweep removes at once per table: few enough that no writer waits for long.
const SWEEP_BATCH: i64 = 500;
/// Days for which audit events are kept.
const AUDIT_DAYS: i64 = 90;

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
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What is put into the database at the start.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    /// Realms, brought to what they say.
    pub realms: Vec<RealmSpec>,
    /// Demo users whom the sign-in page offers by a button.
    pub personas: Vec<Persona>,
    /// Where first keys come from.
    pub keys: KeySource,
}

impl Seed {
    /// The demo realm, with its users at hand.
    ///
    /// # Errors
    /// Never in a released build: a test reads the file.
    pub fn demo() -> Result<Self, FileProblems> {
        let realms = realm_file::demo()?;
        let personas = realms
            .iter()
            .flat_map(|realm| {
                realm.users.iter().filter_map(|user| {
                    Some(Persona {
                        realm: realm.name.clone(),
                        username: user.username.clone(),
                        password: user.password.as_ref()?.expose().to_owned(),
                    })
                })
            })
            .collect();
        Ok(Self { realms, personas, ..Self::default() })
    }
}

/// A server that answers.
#[derive(Debug)]
pub struct Running {
    /// What its endpoints share.
    pub app: Shared,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where health and metrics are told.
    pub management: Option<SocketAddr>,
    /// Stops it.
    pub shutdown: Shutdown,
    serving: JoinHandle<Ended>,
}

impl Running {
    /// Waits until it has stopped.
    pub async fn ended(self) -> Ended {
        let ended = self.serving.await.unwrap_or(Ended::Forced);
        self.app.store.close().await;
        ended
    }
}

/// Builds what endpoints share: opens the database, brings its schema and the seed's realms up to date.
///
/// # Errors
/// [`BootError`].
pub async fn build(config: &Config, clock: Clock, seed: Seed) -> Result<Shared, BootError> {
    let vault = Arc::new(open_vault(config)?);
    let store = open_store(config).await?;
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
        hosts: config.hosts(),
        rules: Rules {
            strictness: if dev { Strictness::Development } else { Strictness::Serve },
            password_profile,
            password_grant: config.password_grant(),
            helpful: dev,
            base_path: config.base_path.clone(),
            root_realm: config.root_realm.clone(),
            personas: seed.personas,
        },
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
    let mut realms = seed.realms;
    for file in &config.realm_files {
        realms.extend(realm_file::read(file)?);
    }
    for realm in &realms {
        apply(&app, realm).await?;
    }
    // A database from before `master` oversaw the other realms.
    realm_file::oversee(&app.store, app.clock.now()).await?;
    Ok(app)
}

/// Brings one realm to what its file says; what is in memory follows.
///
/// # Errors
/// [`ApplyError`], and then the realm is as it was.
pub async fn apply(app: &App, realm: &RealmSpec) -> Result<(), ApplyError> {
    let now = app.clock.now();
    let options = PlanOptions::default();
    let (_, drawn) = realm_file::apply_spec(&app.store, &app.client_secrets, realm, options, now).await?;
    for new in &drawn {
        let (realm, client) = (&realm.name, &new.client_id);
        tracing::warn!(
            realm,
            client,
            "the realm file gives this client no secret: it got one that nobody was told"
        );
    }
    app.realms.refresh(&app.store).await?;
    // A user who was switched off or deleted had sessions.
    app.logouts.notify_one();
    Ok(())
}

fn open_vault(config: &Config) -> Result<Vault, BootError> {
    let Some(file) = &config.key_file else { return Ok(Vault::random()) };
    if config.mode == Mode::Serve {
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

async fn open_store(config: &Config) -> Result<Store, BootError> {
    let database = &config.database;
    let store = Store::open(&StoreOptions {
        url: database.url().to_owned(),
        max_connections: database.max_connections,
    })
    .await?;
    // A production database changes its schema only when its operator says so, with a backup at hand.
    if config.mode == Mode::Dev || database.is_memory() {
        store.migrate().await?;
    } else {
        store.check_schema().await?;
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
    let mut main = bind(&config.listen).await?;
    if let Some(files) = &config.tls {
        let tls = Tls::load(files.clone())?;
        tokio::spawn(Arc::clone(&tls).follow(shutdown.clone()));
        main = main.over(tls);
    }
    let management = match &config.management_listen {
        Some(listen) => Some(bind(listen).await?),
        None => None,
    };
    let app = build(config, clock, seed).await?;
    let address = main.local_addr();
    let told_at = management.as_ref().map(Server::local_addr);
    spawn_background(&app, config.sweep_interval, &shutdown);
    backchannel_logout::spawn(&app, &shutdown);
    if let Some(server) = management {
        spawn_management(&app, config, server, &shutdown);
    }
    let router: Router = http::router(Arc::clone(&app));
    let (limits, metrics, stop) = (config.limits.clone(), app.metrics.clone(), shutdown.clone());
    let serving = tokio::spawn(async move { main.serve(router, &limits, metrics, &stop).await });
    Ok(Running { app, address, management: told_at, shutdown, serving })
}

async fn bind(listen: &crate::config::Listen) -> Result<Server, BootError> {
    listen.bind().await.map_err(|source| BootError::Listen { address: listen.to_string(), source })
}

fn spawn_management(app: &Shared, config: &Config, server: Server, shutdown: &Shutdown) {
    let store = app.store.clone();
    let management = Management::new(app.metrics.clone(), shutdown.clone(), move || {
        let store = store.clone();
        async move { store.ping().await.is_ok() }
    });
    management.started();
    let (router, metrics, stop) = (management.router(), app.metrics.clone(), shutdown.clone());
    let limits = config.limits.clone();
    tokio::spawn(async move { server.serve(router, &limits, metrics, &stop).await });
}

/// Keeps realms fresh, makes their keys before anybody asks, and sweeps.
fn spawn_background(app: &Shared, sweep_interval: Duration, shutdown: &Shutdown) {
    let (refreshed, stop) = (Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        warm(&refreshed).await;
        let mut every = tokio::time::interval(REFRESH);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.begun() => break,
                _ = every.tick() => {
                    if let Err(error) = refreshed.realms.refresh(&refreshed.store).await {
                        tracing::warn!(%error, "the configuration cannot be looked at");
                    }
                }
            }
        }
    });
    let (swept, stop) = (Arc::clone(app), shutdown.clone());
    tokio::spawn(async move {
        let mut every = tokio::time::interval(sweep_interval);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // The first tick is at once, when a start has better things to do.
        every.tick().await;
        loop {
            tokio::select! {
                () = stop.begun() => break,
                _ = every.tick() => sweep(&swept).await,
            }
        }
    });
}

/// Reads the realms into memory once, so that their keys exist before the first request needs one.
async fn warm(app: &Shared) {
    let realms = app.store.realms().await.unwrap_or_default();
    for realm in realms.iter().take(16) {
        if let Err(error) = app.realms.named(&app.store, &realm.name).await {
            tracing::error!(realm = realm.name, %error, "a realm cannot be used");
        }
    }
}

/// Removes what has expired, batch by batch, giving way to others in between.
async fn sweep(app: &Shared) {
    loop {
        match app.store.sweep(app.clock.now(), AUDIT_DAYS, SWEEP_BATCH).await {
            Ok(swept) if swept.more => tokio::time::sleep(Duration::from_millis(20)).await,
            Ok(swept) => {
                tracing::debug!(rows = swept.rows, "swept");
                break;
            }
            Err(error) => {
                tracing::warn!(%error, "expired rows cannot be removed");
                break;
            }
        }
    }
}
