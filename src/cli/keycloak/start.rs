//! `vestibule start-dev` and `start`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;

use super::{Raw, help, tell_of_idle};
use crate::boot::{self, Administrator, BootError, Existing, Import, Running, Seed};
use crate::cli::output::{Failure, say};
use crate::config::keycloak::{Options, Process, development, is_development, production};
use crate::config::{ConfigProblems, Mode};
use crate::keycloak::VERSION;
use crate::server::{Ended, Shutdown};
use crate::telemetry;

/// Arguments of `start-dev`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(in crate::cli) struct StartDev {
    #[command(flatten)]
    raw: Raw,
}

/// Arguments of `start`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(in crate::cli) struct Start {
    #[command(flatten)]
    raw: Raw,
}

impl StartDev {
    /// Runs until a signal ends it.
    pub(in crate::cli) async fn run(self) -> Result<(), Failure> {
        match self.raw.read(help::START_DEV)? {
            Some(options) => run(&options, development(&options)).await,
            None => Ok(()),
        }
    }
}

impl Start {
    /// Runs until a signal ends it.
    pub(in crate::cli) async fn run(self) -> Result<(), Failure> {
        let Some(options) = self.raw.read(help::START)? else { return Ok(()) };
        if !is_development(&options) {
            return run(&options, production(&options)).await;
        }
        run(&options, development(&options)).await
    }
}

async fn run(options: &Options, process: Result<Process, ConfigProblems>) -> Result<(), Failure> {
    let begun = Instant::now();
    let Process { mut config, import, user, service, management_asked } = process.map_err(Failure::usage)?;
    telemetry::init(config.log_format, &config.log_level).map_err(Failure::usage)?;
    tell_of_idle(options);
    warn_of_mode(options, config.mode);
    let import = import_of(import.as_deref(), options)?;
    let nobody = user.is_none() && service.is_none();
    let seed = Seed { import, administrator: Some(Administrator { user, service }), ..Seed::default() };
    let shutdown = Shutdown::on_signals().map_err(Failure::fault)?;
    let mut started = crate::cli::start(&config, seed.clone(), shutdown.clone());
    let taken =
        |address: &String| config.management_listen.is_some_and(|listen| listen.to_string() == *address);
    if let Err(BootError::Listen { address, .. }) = &started
        && taken(address)
        && !management_asked
    {
        tracing::warn!(address, "the management port is taken: health and metrics are not told");
        config.management_listen = None;
        started = crate::cli::start(&config, seed, shutdown);
    }
    let running = started?;
    if nobody {
        hint_at_administrator(&running).await?;
    }
    say(&ready(&running, begun))?;
    match running.ended().await {
        Ended::Drained | Ended::TimedOut => Ok(()),
        Ended::Forced => Err(Failure::fault("stopped at once, as asked")),
    }
}

fn warn_of_mode(options: &Options, mode: Mode) {
    if mode == Mode::Dev && is_development(options) {
        tracing::warn!(
            "hostname-strict=false, http-enabled=true and no proxy, certificate or database server: this is development, \
             and runs as start-dev. Do not use it in production"
        );
    }
}

/// The files that are named, and those of the folder of imports.
fn import_of(folder: Option<&Path>, options: &Options) -> Result<Option<Import>, Failure> {
    let named = options.text("import").unwrap_or_default().split(',').map(str::trim);
    let mut found: Vec<PathBuf> = named.filter(|file| !file.is_empty()).map(PathBuf::from).collect();
    if let Some(folder) = folder {
        found.append(&mut files(folder)?);
    }
    let update = options.switch("override") == Some(true);
    let existing = if update { Existing::Update } else { Existing::Skip };
    Ok((folder.is_some() || !found.is_empty()).then_some(Import { files: found, existing }))
}

/// What is in the folder of imports; one that is not there is empty.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let files = match boot::import_files(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        outcome => outcome.map_err(|error| Failure::usage(format!("{}: {error}", folder.display())))?,
    };
    if files.is_empty() {
        tracing::warn!(folder = %folder.display(), "there is no realm file to import");
    }
    Ok(files)
}

/// A server that nobody can administer says how somebody can.
async fn hint_at_administrator(running: &Running) -> Result<(), Failure> {
    let store = &running.app.store;
    let people = match store.realm_by_name(crate::protocol::built_in::MASTER).await? {
        Some(master) => store.count_users(&master.id).await?,
        None => 0,
    };
    if people == 0 {
        tracing::info!(
            "nobody can administer this server yet: set KC_BOOTSTRAP_ADMIN_USERNAME and KC_BOOTSTRAP_ADMIN_PASSWORD, or \
             run `vestibule bootstrap-admin user`"
        );
    }
    Ok(())
}

/// The line that Keycloak's users wait for: testcontainers for its end, Quarkus for its words.
fn ready(running: &Running, begun: Instant) -> String {
    let scheme = if running.is_over_tls { "https" } else { "http" };
    let mut listening = format!("{scheme}://{}", running.address);
    if let Some(https) = running.https {
        listening.push_str(&format!(" and https://{https}"));
    }
    let management = running
        .management
        .map(|address| format!(" Management interface listening on http://{address}."))
        .unwrap_or_default();
    let seconds = begun.elapsed().as_secs_f64();
    format!(
        "Keycloak-compatible Vestibule {VERSION} started in {seconds:.3}s. Listening on: {listening}.{management}\n"
    )
}
