//! `vestibule migrate`, and how commands find the database that they work on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::output::Failure;
use crate::config::{Config, Development};
use crate::store::{Store, StoreOptions};
use crate::vault::Vault;

/// Which database a command works on: a server's configuration, or the data folder of `dev`.
#[derive(Clone, Debug, Args)]
pub(super) struct Place {
    /// Configuration file of `serve`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "database"])]
    config: Option<PathBuf>,
    /// Data folder of `dev`
    #[arg(long, default_value = ".vestibule", value_name = "DIR")]
    data: PathBuf,
    /// Database of `dev`, when it is not the file in the data folder
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Place {
    /// The configuration file, when one was named.
    #[must_use]
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// The configuration of the server that the command is about.
    ///
    /// # Errors
    /// Every problem of the configuration.
    pub(super) fn configuration(&self) -> Result<Config, Failure> {
        self.configured(false)
    }

    /// The same for a command that looks at what is there: it leaves no new database behind.
    ///
    /// # Errors
    /// Every problem of the configuration, or that nothing is there.
    pub(super) fn existing(&self) -> Result<Config, Failure> {
        if self.is_unmade() {
            return Err(Failure::usage(format!(
                "there is no database in {}: `vestibule dev` and `vestibule apply` make one; --data, --database or \
                 --config name another place",
                self.data.display()
            )));
        }
        self.configured(false)
    }

    /// The same for a command that only compares: where nothing is there yet, it compares with nothing.
    ///
    /// # Errors
    /// Every problem of the configuration.
    pub(super) fn imagined(&self) -> Result<Config, Failure> {
        self.configured(self.is_unmade())
    }

    fn configured(&self, ephemeral: bool) -> Result<Config, Failure> {
        match &self.config {
            Some(file) => Config::load(file),
            None => Config::development(&Development {
                data: self.data.clone(),
                database: self.database.clone(),
                ephemeral,
                ..Development::default()
            }),
        }
        .map_err(Failure::usage)
    }

    /// Whether it is the data folder of a `dev` that never ran.
    fn is_unmade(&self) -> bool {
        self.config.is_none() && self.database.is_none() && !Development::database_file(&self.data).exists()
    }
}

/// Arguments of `migrate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule migrate --config vestibule.toml
  vestibule migrate --data .vestibule")]
pub(super) struct Migrate {
    #[command(flatten)]
    place: Place,
}

impl Migrate {
    /// Brings the schema up to date.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let config = self.place.configuration()?;
        let database = &config.database;
        let options = StoreOptions { url: database.url().to_owned(), max_connections: 1 };
        // Migrations read no secret and write none.
        let store = Store::open(&options, Arc::new(Vault::random())).await?;
        store.migrate().await?;
        store.close().await;
        println!("the schema is up to date");
        Ok(())
    }
}
