//! `vestibule export`: a realm as a realm file.

use clap::{Args, ValueEnum};

use super::migrate::Place;
use super::output::{Failure, say};
use super::plan::{no_realm, open};
use crate::passwords::ClientSecrets;
use crate::protocol::client::Client;
use crate::realm_file::state::State;
use crate::realm_file::{self, ExportOptions, KeycloakExport};

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule export main > main.toml
  vestibule export main --minimal        what differs from a new realm, for a repository
  vestibule export main --minimal --with-secrets > main.toml    with passwords and secrets, to move it
  vestibule export main --format keycloak --with-secrets > main-realm.json

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
    /// Write the stored forms of passwords and client secrets; the secrets themselves where they are known, as in `dev`
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
        let Some(state) = state else { return Err(no_realm(&app, &self.realm).await) };
        app.store.close().await;
        let (minimal, with_secrets) = (self.minimal, self.with_secrets);
        let secrets = &app.client_secrets;
        if self.without_users && self.format != Form::Keycloak {
            return Err(Failure::usage("--without-users is for --format keycloak"));
        }
        match self.format {
            Form::Toml => {
                let options = ExportOptions { minimal, with_secrets };
                let shown = |client: &Client| Some((client.client_id.clone(), secrets.shown(client)?));
                let known = state.clients.iter().filter_map(shown).collect();
                say(&realm_file::export_with(&state, options, &known).map_err(Failure::usage)?)?;
            }
            Form::Keycloak => {
                let options = KeycloakExport { users: !self.without_users, with_secrets, minimal };
                let text = realm_file::export_keycloak(&state, options, secrets);
                say(&text.map_err(Failure::fault)?)?;
            }
        }
        if let Some(left_out) = self.left_out(&state, secrets) {
            eprintln!("vestibule: {left_out}");
        }
        Ok(())
    }

    /// What of the realm's secrets the file does not hold, in words; none where it holds all.
    fn left_out(&self, state: &State, secrets: &ClientSecrets) -> Option<String> {
        let confidential =
            || state.clients.iter().filter(|client| client.secret_hash.is_some() && !client.is_public());
        if self.with_secrets {
            let hashed = confidential().filter(|client| secrets.shown(client).is_none());
            let names: Vec<&str> = hashed.map(|client| client.client_id.as_str()).collect();
            return (self.format == Form::Keycloak && !names.is_empty()).then(|| {
                let names = names.join(", ");
                format!(
                    "left out, since it is known only as a hash, for which Keycloak's form has no word: the secret of \
                     {names}. --format toml holds it"
                )
            });
        }
        let clients = confidential().count();
        let users = match self.without_users {
            true => 0,
            false => state.users.iter().filter(|one| one.password_hash.is_some()).count(),
        };
        let counted = |count: usize, one: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            more => Some(format!("{more} {one}s")),
        };
        let told: Vec<String> =
            [counted(clients, "client secret"), counted(users, "password")].into_iter().flatten().collect();
        (!told.is_empty()).then(|| format!("left out: {}; --with-secrets writes them", told.join(" and ")))
    }
}
