//! `vestibule export`: a realm as a realm file.

use clap::Args;

use super::migrate::Place;
use super::output::{Failure, say};
use super::plan::open;
use crate::realm_file::{self, ExportOptions};

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule export main > main.toml
  vestibule export main --minimal             what differs from a new realm, for a repository
  vestibule export main --with-secrets        with the hashes of passwords and secrets, to move a realm

Applying an export to the same realm changes nothing.")]
pub(super) struct Export {
    /// The realm
    #[arg(value_name = "REALM")]
    realm: String,
    /// Leave out defaults, identifiers of users, and what comes with every realm
    #[arg(long)]
    minimal: bool,
    /// Write the stored forms of passwords and client secrets
    #[arg(long)]
    with_secrets: bool,
    #[command(flatten)]
    place: Place,
}

impl Export {
    /// Writes the realm to standard output.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let app = open(&self.place).await?;
        let state = realm_file::load(&app.store, &self.realm).await?;
        app.store.close().await;
        let state = state.ok_or_else(|| Failure::usage(format!("there is no realm {}", self.realm)))?;
        let options = ExportOptions { minimal: self.minimal, with_secrets: self.with_secrets };
        say(&realm_file::export(&state, options).map_err(Failure::fault)?)
    }
}
