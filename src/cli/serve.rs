//! `vestibule serve`: the same server, strictly.

use std::path::PathBuf;

use clap::Args;

use super::output::Failure;
use crate::boot::Seed;
use crate::config::Config;
use crate::realm_file::{self, FileProblems};
use crate::server::{Ended, Shutdown};
use crate::telemetry;

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule migrate --config vestibule.toml && vestibule serve --config vestibule.toml
  vestibule serve --config vestibule.toml --check")]
pub(super) struct Serve {
    /// Configuration file; vestibule.sample.toml documents every key
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Read the configuration and the realm files that it names, report every problem, and stop
    #[arg(long)]
    check: bool,
}

impl Serve {
    /// Runs until a signal ends it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = Config::load(&self.config).map_err(Failure::usage)?;
        if self.check {
            let mistakes = mistakes_of_files(&config);
            if !mistakes.0.is_empty() {
                return Err(Failure::usage(mistakes));
            }
            println!("{}: good", self.config.display());
            return Ok(());
        }
        telemetry::init(config.log_format, &config.log_level).map_err(Failure::usage)?;
        let shutdown = Shutdown::on_signals().map_err(Failure::fault)?;
        let running = super::start(&config, Seed::default(), shutdown)
            .map_err(|error| Failure::from(error).with_config(Some(&self.config)))?;
        let management = running.management.map(|address| address.to_string()).unwrap_or_default();
        tracing::info!(address = %running.address, management, "ready");
        if running.app.store.realms().await.is_ok_and(|realms| realms.is_empty()) {
            let file = self.config.display();
            tracing::warn!("there is no realm yet; to make one: vestibule apply realm.toml --config {file}");
        }
        match running.ended().await {
            Ended::Drained | Ended::TimedOut => Ok(()),
            Ended::Forced => Err(Failure::fault("stopped at once, as asked")),
        }
    }
}

/// What is wrong with the realm files that are applied at the start, as far as that shows without the database.
fn mistakes_of_files(config: &Config) -> FileProblems {
    let mut mistakes = FileProblems::default();
    for file in &config.realm_files {
        match realm_file::read(file) {
            Ok(realms) => mistakes.0.extend(
                realms.iter().flat_map(|realm| realm_file::production_refusals(realm, config.outbound.rules)),
            ),
            Err(problems) => mistakes.0.extend(problems.0),
        }
    }
    mistakes
}
