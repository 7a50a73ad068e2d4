//! The defaults of `dev`.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Config, ConfigProblems, Database, Listen, Mode, Outbound, StandIn};
use crate::passwords;
use crate::protocol::forwarded::Proxies;
use crate::protocol::issuer::Base;
use crate::protocol::outbound::OutboundRules;
use crate::realm_file::FileProblem;
use crate::server::{Limits, TlsFiles};
use crate::telemetry::LogFormat;

/// What `dev` and `start-dev` can be told on the command line. The default is what `vestibule dev` alone means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Development {
    /// `--host`; `None`: 127.0.0.1 and [::1].
    pub host: Option<IpAddr>,
    /// `--port`; 0 takes a free one.
    pub port: u16,
    /// `--management-port`; `None`: 9000, or a free one beside port 0.
    pub management_port: Option<u16>,
    /// `--public-url`.
    pub public_url: Option<String>,
    /// `--alias`: further addresses under which it is reached, with the issuer of `public_url`.
    pub aliases: Vec<String>,
    /// The path before every route, when there is no `public_url` to tell it.
    pub base_path: String,
    /// `--data`: the folder of database and keys.
    pub data: PathBuf,
    /// `--database`, instead of the file in the folder.
    pub database: Option<String>,
    /// `--ephemeral`: nothing on disk.
    pub ephemeral: bool,
    /// `--import-realm`.
    pub realm_files: Vec<PathBuf>,
    /// `start-dev`: any `Host` is answered and followed.
    pub any_host: bool,
    /// Whose `X-Forwarded-*` or `Forwarded` headers are believed.
    pub proxies: Proxies,
    /// Certificate and key of a port for TLS, when there is one.
    pub tls: Option<TlsFiles>,
    /// Files of certificates that are trusted for outbound connections beside the system's.
    pub ca_files: Vec<PathBuf>,
    /// What only `start-dev` does.
    pub stand_in: StandIn,
}

impl Default for Development {
    fn default() -> Self {
        Self {
            host: None,
            port: 8080,
            management_port: None,
            public_url: None,
            aliases: Vec::new(),
            base_path: String::new(),
            data: PathBuf::from(".vestibule"),
            database: None,
            ephemeral: false,
            realm_files: Vec::new(),
            any_host: false,
            proxies: Proxies::default(),
            tls: None,
            ca_files: Vec::new(),
            stand_in: StandIn::default(),
        }
    }
}

impl Development {
    pub(super) fn config(&self) -> Result<Config, ConfigProblems> {
        let mut problems = Vec::new();
        let mut refuse = |option: &str, message: String| {
            let (file, field) = (String::new(), option.to_owned());
            problems.push(FileProblem { file, line: None, field, message });
        };
        let public_url = self.public_url.as_deref().and_then(|text| {
            Base::parse(text).map_err(|error| refuse("--public-url", format!("{error}"))).ok()
        });
        let database = self.database().unwrap_or_else(|message| {
            refuse("--database", message);
            Database::memory()
        });
        if self.ephemeral && self.database.is_some() {
            refuse(
                "--ephemeral",
                "keeps nothing, and --database names a place to keep things: drop one".into(),
            );
        }
        if !Base::is_path(&self.base_path) {
            refuse("--base-path", "write nothing, or plain segments such as /auth".into());
        }
        let management = self.management_port.unwrap_or(if self.port == 0 { 0 } else { 9000 });
        if management == self.port && self.port != 0 {
            refuse("--management-port", format!("is {management}, as --port is: choose another"));
        }
        let base_path = public_url.as_ref().map_or(self.base_path.as_str(), Base::path).to_owned();
        let mut aliases = Vec::new();
        for text in &self.aliases {
            match Base::parse(text) {
                Ok(alias) if alias.path() == base_path => aliases.push(alias),
                Ok(_) => refuse("--alias", format!("must end in the path of --public-url, {base_path:?}")),
                Err(error) => refuse("--alias", format!("{error}, such as http://id:8080")),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigProblems(problems));
        }
        Ok(Config {
            mode: Mode::Dev,
            public_url,
            aliases,
            any_host: self.any_host,
            listen: Listen::on(self.host, self.port),
            // Metrics stay on this machine, unless the main port is open on purpose: a container's probes come
            // from outside.
            management_listen: Some(Listen::on(self.host, management)),
            base_path,
            database,
            key_file: (!self.ephemeral).then(|| self.data.join("key-encryption.key")),
            proxies: self.proxies.clone(),
            root_realm: None,
            admin_cli_password_grant: false,
            realm_files: self.realm_files.clone(),
            limits: Limits::default(),
            hashing: passwords::Limits::default(),
            log_format: LogFormat::Text,
            log_level: "info".into(),
            sweep_interval: Duration::from_secs(60),
            tls: self.tls.clone(),
            stand_in: self.stand_in.clone(),
            client_certificates_url: None,
            // Applications and identity providers on the developer's own machine are what they test with.
            outbound: Outbound {
                rules: OutboundRules { private: true, http: true },
                ca_files: self.ca_files.clone(),
            },
        })
    }

    fn database(&self) -> Result<Database, String> {
        match &self.database {
            Some(text) => Database::parse(text, Path::new("")),
            None if self.ephemeral => Ok(Database::memory()),
            None => Ok(Database::file(&Self::database_file(&self.data))),
        }
    }

    /// The database in a data folder.
    #[must_use]
    pub fn database_file(data: &Path) -> PathBuf {
        data.join("vestibule.db")
    }
}

impl Config {
    /// Whether `dev` was opened to other machines, which deserves a warning: its passwords are known to all.
    #[must_use]
    pub fn is_dev_in_the_open(&self) -> bool {
        self.mode == Mode::Dev && !self.listen.is_loopback()
    }
}
