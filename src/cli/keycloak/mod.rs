//! `vestibule start-dev`, `start` and their kin: the commands of Keycloak, so that a container needs another image name
//! and nothing else. What the options mean is `config::keycloak`'s to say.

mod admin;
mod export;
mod help;
mod import;
mod start;

use std::path::{Path, PathBuf};

use clap::Args;

pub(super) use admin::BootstrapAdmin;
pub(super) use export::{Export, told_apart};
pub(super) use import::Import;
pub(super) use start::{Start, StartDev};

use super::output::{Failure, say};
use crate::app::Shared;
use crate::boot::{self, Seed};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::keycloak::{Options, command};
use crate::telemetry;

/// Keycloak's options as they were written. They are many, a newer Keycloak has more, and one that is unknown is told of
/// and passed over, which is why they are not declared one by one.
#[derive(Debug, Args)]
pub(super) struct Raw {
    /// Keycloak's options; --help lists those that mean something here
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<String>,
}

impl Raw {
    /// The options, of the process's environment too; none when the person asked for help and got it.
    fn read(&self, help: &str) -> Result<Option<Options>, Failure> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let options = Options::read(&self.options, std::env::vars_os().filter_map(text));
        let options = with_file(options)?;
        if ["help", "help-all"].iter().any(|name| options.text(name).is_some()) {
            say(help)?;
            return Ok(None);
        }
        Ok(Some(options))
    }
}

/// The options with those of `keycloak.conf`: of the file that they name, else of the one in Keycloak's folder, if it is there.
fn with_file(options: Options) -> Result<Options, Failure> {
    let named = options.text("config-file").map(PathBuf::from);
    let home = options.text("home-dir").unwrap_or("/opt/keycloak");
    let file = named.clone().unwrap_or_else(|| Path::new(home).join("conf/keycloak.conf"));
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(options.with_file(&text, &|variable| std::env::var(variable).ok())),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(options),
        Err(error) => Err(Failure::usage(format!("{}: {error}", file.display()))),
    }
}

/// Says once which options do nothing here.
fn tell_of_idle(options: &Options) {
    let idle = options.idle();
    if !idle.is_empty() {
        tracing::warn!(options = idle.join(", "), "these options of Keycloak do nothing here");
    }
}

/// A command that writes does not guess at what was meant: what it passed over may have named another database.
///
/// # Errors
/// When an argument is none of Keycloak's options. Variables may be meant for the server.
fn refuse_unknown(options: &Options, help: &str) -> Result<(), Failure> {
    let unknown = options.unknown();
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown: Vec<String> = unknown.iter().map(|name| format!("--{name}")).collect();
    Err(Failure::usage(format!(
        "unknown: {}; nothing was done. {help} --help lists the options",
        unknown.join(", ")
    )))
}

/// The database that the options name, with `seed` in it, for a command that ends.
async fn open(options: &Options, seed: Seed) -> Result<Shared, Failure> {
    opened(options, command(options, None).map_err(Failure::usage)?, seed).await
}

/// The database of `config`, with `seed` in it.
async fn opened(options: &Options, config: Config, seed: Seed) -> Result<Shared, Failure> {
    if config.database.is_memory() {
        return Err(Failure::usage("--db dev-mem: such a database ends with the process that made it"));
    }
    telemetry::init(config.log_format, &config.log_level).map_err(Failure::usage)?;
    tell_of_idle(options);
    Ok(boot::build(&config, Clock::system(), seed).await?)
}

fn listed(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Arguments of `build`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct Build {
    #[command(flatten)]
    raw: Raw,
}

impl Build {
    /// Says that there is nothing to do.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.raw.read(help::BUILD)? {
            Some(_) => say("Nothing to build: every option can be given to start.\n"),
            None => Ok(()),
        }
    }
}

/// Arguments of `show-config`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(super) struct ShowConfig {
    #[command(flatten)]
    raw: Raw,
}

impl ShowConfig {
    /// Tells the options that were found, and those that do nothing.
    pub(super) fn run(self) -> Result<(), Failure> {
        let Some(options) = self.raw.read(help::SHOW_CONFIG)? else { return Ok(()) };
        let mut text = format!("Current Configuration:\n{}", options.shown());
        let idle = options.idle();
        if !idle.is_empty() {
            text.push_str(&format!("Without effect here: {}\n", idle.join(", ")));
        }
        say(&text)
    }
}
