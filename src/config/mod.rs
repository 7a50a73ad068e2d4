//! Server configuration: documented defaults, every problem reported at once.
//!
//! Owns the keys of `serve`'s configuration file (described one by one in `vestibule.sample.toml`, which a test
//! holds against the defaults here), what production refuses, and the defaults of `dev`. Leaves realms to
//! `realm_file`: a realm's settings live in the database.

mod database;
mod development;
mod fields;
pub mod keycloak;
mod listen;
mod production;
mod read;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::passwords;
use crate::protocol::certificate::ClientCertificates;
use crate::protocol::forwarded::Proxies;
use crate::protocol::grants::password::PasswordGrant;
use crate::protocol::issuer::{Base, Hosts};
use crate::protocol::outbound::OutboundRules;
use crate::server::{Asks, Limits, TlsFiles};
use crate::telemetry::LogFormat;

/// Every mistake in a configuration, each with file, line, field and what to do.
pub use crate::realm_file::FileProblems as ConfigProblems;
pub use database::Database;
pub use development::Development;
pub use listen::Listen;

/// What a server may relax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `dev` and `start-dev`: conveniences on.
    Dev,
    /// `serve` and `start`: strict.
    Serve,
}

/// The configuration of one server. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What this server may relax.
    pub mode: Mode,
    /// Under which address people reach it; the issuers follow from it. Always present in [`Mode::Serve`].
    pub public_url: Option<Base>,
    /// Further addresses under which the same server answers, with the same issuers.
    pub aliases: Vec<Base>,
    /// Whether any `Host` is answered and followed: `start-dev`.
    pub any_host: bool,
    /// Where requests come in.
    pub listen: Listen,
    /// Where health and metrics are told; `None`: nowhere.
    pub management_listen: Option<Listen>,
    /// The path that stands before every route on arrival: empty, or `/auth` and the like.
    pub base_path: String,
    /// Which database.
    pub database: Database,
    /// The file of key-encryption keys; `None` only in [`Mode::Dev`], where a random key lasts as long as the process.
    pub key_file: Option<PathBuf>,
    /// The proxies in front, and the headers that they set.
    pub proxies: Proxies,
    /// The realm whose issuer is the public address itself.
    pub root_realm: Option<String>,
    /// Whether production takes the password grant from `admin-cli`, the client of the admin API.
    pub admin_cli_password_grant: bool,
    /// Realm files that are applied at the start.
    pub realm_files: Vec<PathBuf>,
    /// What one client may use up.
    pub limits: Limits,
    /// How much password hashing happens at once.
    pub hashing: passwords::Limits,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged: a level, or directives.
    pub log_level: String,
    /// How often expired rows are swept.
    pub sweep_interval: Duration,
    /// Certificate and key, when this server ends TLS itself.
    pub tls: Option<TlsFiles>,
    /// The one address at which clients are asked for certificates, when it is not every one.
    pub client_certificates_url: Option<Base>,
    /// Where it may connect to when clients and providers name the address.
    pub outbound: Outbound,
    /// What only `start` and `start-dev` do.
    pub stand_in: StandIn,
}

/// What a server does that stands in Keycloak's place, and no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StandIn {
    /// The host name of every address, while scheme and port follow the request: `KC_HOSTNAME` without a scheme.
    pub host_name: Option<String>,
    /// Programs are told of whatever name they asked by: `KC_HOSTNAME_BACKCHANNEL_DYNAMIC`.
    pub follows_back_channel: bool,
    /// Where requests come in over TLS beside plain ones.
    pub https_listen: Option<Listen>,
    /// Health is told on the main port too: `KC_HTTP_MANAGEMENT_HEALTH_ENABLED=false`.
    pub health_on_main: bool,
    /// The management port speaks TLS too, where there is a certificate: `KC_HTTP_MANAGEMENT_SCHEME`.
    pub management_over_tls: bool,
    /// Health and metrics are told below this path too: `KC_HTTP_MANAGEMENT_RELATIVE_PATH`.
    pub management_path: String,
    /// What is served below `base_path` is served without it too.
    pub at_root_too: bool,
    /// A redirect URI `*` covers other machines too, as in Keycloak; in [`Mode::Dev`] alone.
    pub redirects_anywhere: bool,
    /// Schema and key file are brought up to date by the start itself, in [`Mode::Serve`] too.
    pub prepares: bool,
}

/// Connections to addresses that others name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// What may be reached.
    pub rules: OutboundRules,
    /// Files of certificates in PEM that are trusted beside the system's.
    pub ca_files: Vec<PathBuf>,
}

impl Config {
    /// Reads the configuration file at `path` for [`Mode::Serve`], and looks at the files that it names.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn load(path: &Path) -> Result<Self, ConfigProblems> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigProblems::of_file(&name, format!("cannot be read: {error}")))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let env = |name: &str| std::env::var(name).ok();
        read::config(&text, &read::Source { name: &name, folder, env: &env, look: Some(path) })
    }

    /// Reads a configuration from text for [`Mode::Serve`], without looking at any file that it names. Relative
    /// paths are taken from the current folder.
    ///
    /// # Errors
    /// Every problem that was found.
    pub fn parse(
        text: &str,
        name: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigProblems> {
        read::config(text, &read::Source { name, folder: Path::new(""), env, look: None })
    }

    /// The defaults of `dev`, changed by what the command line says.
    ///
    /// # Errors
    /// Every problem of the options.
    pub fn development(options: &Development) -> Result<Self, ConfigProblems> {
        options.config()
    }

    /// Whose password grants this server takes.
    #[must_use]
    pub fn password_grant(&self) -> PasswordGrant {
        match self.mode {
            Mode::Dev => PasswordGrant::Any,
            Mode::Serve if self.admin_cli_password_grant => PasswordGrant::AdminCli,
            Mode::Serve => PasswordGrant::Off,
        }
    }

    /// How clients are asked for certificates; none when they are not.
    #[must_use]
    pub fn client_certificates(&self) -> Option<ClientCertificates> {
        let tls = self.tls.as_ref().filter(|tls| tls.asks != Asks::Nobody)?;
        let authorities = tls.client_authorities.is_some();
        Some(ClientCertificates { authorities, base: self.client_certificates_url.clone() })
    }

    /// The names under which this server answers, and the issuers that follow.
    #[must_use]
    pub fn hosts(&self) -> Hosts {
        let hosts = match (&self.public_url, self.mode) {
            (public, _) if self.any_host => Hosts::any(public.clone(), &self.base_path),
            (Some(public), Mode::Serve) => Hosts::fixed(public.clone(), Vec::new()),
            (public, _) => Hosts::loopback(public.clone(), &self.base_path),
        };
        hosts
            .also(self.aliases.iter().chain(&self.client_certificates_url).cloned().collect())
            .called(self.stand_in.host_name.clone())
            .following(self.stand_in.follows_back_channel)
            .root_realm(self.root_realm.clone())
            .behind(self.proxies.clone())
    }
}

#[cfg(test)]
mod tests;
