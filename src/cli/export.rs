//! `vestibule export`: a realm as a realm file.

use clap::{Args, ValueEnum};

use super::migrate::Place;
use super::output::{Failure, say};
use super::plan::open;
use crate::realm_file::{self, ExportOptions, KeycloakExport};

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule export main > main.toml
  vestibule export main --minimal        what differs from a new realm, for a repository
  vestibule export main --with-secrets   with the hashes of passwords and secrets, to move it
  vestibule export main --format keycloak > main-realm.json

With Keycloak's flags it writes into files, secrets included, as Keycloak's command does:
  vestibule export --dir DIR --realm main       more by: vestibule export --dir DIR --help

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
    /// In which form: a realm file of ours, or Keycloak's realm JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    format: Form,
    /// Leave users out of Keycloak's realm JSON
    #[arg(long)]
    without_users: bool,
    #[command(flatten)]
    place: Place,
}

/// In which form a realm is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The short form, as TOML
    #[default]
    Toml,
    /// Keycloak's realm JSON
    Keycloak,
}

impl Export {
    /// Writes the realm to standard output.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let app = open(&self.place).await?;
        let state = realm_file::load(&app.store, &self.realm).await?;
        app.store.close().await;
        let state = state.ok_or_else(|| Failure::usage(format!("there is no realm {}", self.realm)))?;
        let (minimal, with_secrets) = (self.minimal, self.with_secrets);
        if self.without_users && self.format != Form::Keycloak {
            return Err(Failure::usage("--without-users is for --format keycloak"));
        }
        match self.format {
            Form::Toml => {
                let options = ExportOptions { minimal, with_secrets };
                say(&realm_file::export(&state, options).map_err(Failure::usage)?)
            }
            Form::Keycloak => {
                let options = KeycloakExport { users: !self.without_users, with_secrets, minimal };
                let text = realm_file::export_keycloak(&state, options, &app.client_secrets);
                say(&text.map_err(Failure::fault)?)
            }
        }
    }
}
