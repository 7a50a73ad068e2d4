//! `vestibule serve`: the same server, strictly.

use std::path::PathBuf;

use clap::Args;

use super::output::Failure;
use crate::boot::{self, Seed};
use crate::clock::Clock;
use crate::config::Config;
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
    /// Read the configuration, report every problem, and stop
    #[arg(long)]
    check: bool,
}

impl Serve {
    /// Runs until a signal ends it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = Config::load(&self.config).map_err(Failure::usage)?;
        if self.check {
            println!("{}: good", self.config.display());
            return Ok(());
        }
        telemetry::init(config.log_format, &config.log_level).map_err(Failure::usage)?;
        let shutdown = Shutdown::on_signals().map_err(Failure::fault)?;
        let running = boot::start(&config, Clock::system(), Seed::default(), shutdown).await?;
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
