//! `vestibule bootstrap-admin`: somebody who may do everything.

use std::path::Path;

use clap::{Args, Subcommand};

use super::{Raw, help, opened, refuse_unknown};
use crate::boot::{self, Administrator, Seed};
use crate::cli::output::{Failure, say};
use crate::config::Config;
use crate::config::keycloak::{Options, command};
use crate::secrets::{Secret, random_token};

/// Arguments of `bootstrap-admin`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule bootstrap-admin user
  vestibule bootstrap-admin service --client-id terraform --config vestibule.toml
  vestibule bootstrap-admin user --help    where the password comes from, and which database is meant")]
pub(in crate::cli) struct BootstrapAdmin {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// A person, who signs in with a password
    #[command(disable_help_flag = true)]
    User(Raw),
    /// A client with a service account
    #[command(disable_help_flag = true)]
    Service(Raw),
}

impl BootstrapAdmin {
    /// Makes the administrator, and shows a secret that was drawn.
    pub(in crate::cli) async fn run(self) -> Result<(), Failure> {
        let (raw, is_user) = match &self.kind {
            Kind::User(raw) => (raw, true),
            Kind::Service(raw) => (raw, false),
        };
        let Some(mut options) = raw.read(help::BOOTSTRAP_ADMIN)? else { return Ok(()) };
        let config = configuration(&mut options)?;
        refuse_unknown(&options, "vestibule bootstrap-admin user")?;
        let wish = Wish::read(&options, is_user)?;
        let app = opened(&options, config, Seed::default()).await?;
        let pair = (wish.name.clone(), wish.secret.clone());
        let administrator = match is_user {
            true => Administrator { user: Some(pair), service: None },
            false => Administrator { user: None, service: Some(pair) },
        };
        let added = boot::administrate(&app, &administrator).await?;
        app.store.close().await;
        if !added {
            let kind = if is_user { "user" } else { "client" };
            return Err(Failure::usage(format!("the realm master has a {kind} {} already", wish.name)));
        }
        say(&wish.told())
    }
}

/// The server that the administrator is for: of a configuration file of `serve`, or as Keycloak's options name it.
fn configuration(options: &mut Options) -> Result<Config, Failure> {
    let (file, database) = (options.take("config"), options.take("database"));
    let Some(file) = file else {
        return command(options, database.as_deref()).map_err(Failure::usage);
    };
    let beside = ["data", "db", "db-url"].into_iter().find(|name| options.is_argument(name));
    if let Some(beside) = database.map(|_| "database").or(beside) {
        return Err(Failure::usage(format!("--config names the database already: drop --{beside}")));
    }
    let mut config = Config::load(Path::new(&file)).map_err(Failure::usage)?;
    config.realm_files.clear();
    Ok(config)
}

struct Wish {
    name: String,
    secret: Secret,
    drawn: bool,
}

impl Wish {
    fn read(options: &Options, is_user: bool) -> Result<Self, Failure> {
        let (names, variable, usual) = if is_user {
            (["username", "bootstrap-admin-username"], "password:env", "bootstrap-admin-password")
        } else {
            (["client-id", "bootstrap-admin-client-id"], "client-secret:env", "bootstrap-admin-client-secret")
        };
        let name = names.iter().find_map(|name| options.text(name)).unwrap_or("temp-admin").to_owned();
        let given = match options.text(variable) {
            Some(variable) => match std::env::var(variable) {
                Ok(value) if !value.is_empty() => Some(value),
                _ => return Err(Failure::usage(format!("the environment variable {variable} is not set"))),
            },
            None => options.text(usual).map(str::to_owned),
        };
        let drawn = given.is_none();
        Ok(Self { name, secret: Secret::from(given.unwrap_or_else(random_token)), drawn })
    }

    fn told(&self) -> String {
        let Self { name, secret, drawn } = self;
        let secret = if *drawn {
            format!(", with this secret, shown this once: {}", secret.expose())
        } else {
            String::new()
        };
        format!("{name} may administer all realms{secret}\n")
    }
}
