//! From the text of a configuration file to a [`Config`].

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::fields::{bytes, many, note, number, one, optional, span};
use super::{Config, ConfigProblems, Database, Listen, Mode, Outbound, StandIn, production};
use crate::passwords;
use crate::protocol::forwarded::{Cidr, Proxies, ProxyHeaders};
use crate::protocol::issuer::Base;
use crate::protocol::outbound::OutboundRules;
use crate::realm_file::read::environment;
use crate::realm_file::read::fields::{Context, Fields};
use crate::realm_file::read::tree::{self, Node, Value};
use crate::realm_file::{FileProblem, Format};
use crate::secrets::Secret;
use crate::server::{Asks, Limits, TlsFiles};
use crate::telemetry::{self, LogFormat};

/// Where a configuration comes from.
pub(super) struct Source<'a> {
    /// The file's name in messages.
    pub(super) name: &'a str,
    /// The folder that relative paths are taken from.
    pub(super) folder: &'a Path,
    /// Environment variables.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// The configuration file, when it and the files that it names are to be looked at.
    pub(super) look: Option<&'a Path>,
}

/// What the file says, before it is known whether it holds together.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) public_url: Option<Base>,
    pub(super) aliases: Vec<Base>,
    pub(super) listen: Option<SocketAddr>,
    pub(super) management: Option<Option<SocketAddr>>,
    pub(super) base_path: Option<String>,
    pub(super) database: Option<Database>,
    /// The file itself, not the environment, holds the password of the database.
    pub(super) password_inline: bool,
    pub(super) database_password_file: Option<PathBuf>,
    pub(super) database_connections: Option<u32>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) behind_tls_proxy: bool,
    pub(super) proxies: Proxies,
    pub(super) root_realm: Option<String>,
    pub(super) admin_cli_password_grant: bool,
    pub(super) realm_files: Vec<PathBuf>,
    pub(super) sweep_interval: Option<Duration>,
    pub(super) certificate_file: Option<PathBuf>,
    pub(super) tls_key_file: Option<PathBuf>,
    pub(super) client_certificates: bool,
    pub(super) client_certificates_url: Option<Base>,
    pub(super) client_ca_file: Option<PathBuf>,
    pub(super) outbound: Outbound,
    pub(super) limits: Limits,
    pub(super) hashing: passwords::Limits,
    pub(super) log_format: LogFormat,
    pub(super) log_level: Option<String>,
}

pub(super) fn config(text: &str, source: &Source<'_>) -> Result<Config, ConfigProblems> {
    let mut root = tree::parse(text, Format::Toml).map_err(|faults| {
        let problem = |(line, message)| FileProblem {
            file: source.name.to_owned(),
            line,
            field: String::new(),
            message,
        };
        ConfigProblems(faults.into_iter().map(problem).collect())
    })?;
    let mut cx = Context { file: source.name.to_owned(), ..Context::default() };
    let mut draft = Draft { password_inline: holds_password(&root), ..Draft::default() };
    environment::fill(&mut root, "", source.env, &mut cx);
    if let Some(mut fields) = Fields::open(root, "", &mut cx) {
        draft.whole(&mut fields, source.folder);
        production::refuse_dev_keys(&mut fields);
        fields.close();
    }
    production::refuse(&mut draft, &mut cx, source.look);
    let mut problems = cx.problems;
    if problems.is_empty() {
        return Ok(draft.finished());
    }
    problems.sort_by(|a, b| (a.line, &a.field, &a.message).cmp(&(b.line, &b.field, &b.message)));
    problems.dedup();
    Err(ConfigProblems(problems))
}

fn holds_password(root: &Node) -> bool {
    let Value::Table(entries) = &root.value else { return false };
    entries.iter().any(|entry| match &entry.node.value {
        Value::Text { text, .. } if entry.name == "database" && !text.contains("${") => {
            Database::parse(text, Path::new("")).is_ok_and(|database| database.has_password())
        }
        _ => false,
    })
}

impl Draft {
    fn whole(&mut self, fields: &mut Fields<'_>, folder: &Path) {
        let file = |text: &str| Ok(folder.join(text));
        self.public_url = one(fields, "public_url", base);
        self.aliases = many(fields, "aliases", base);
        self.listen = one(fields, "listen", address);
        self.management = optional(fields, "management_listen", address);
        self.base_path = one(fields, "base_path", base_path);
        self.database = one(fields, "database", |text| Database::parse(text, folder));
        self.database_password_file = one(fields, "database_password_file", file);
        self.database_connections = number(fields, "database_connections", 1, 10_000);
        self.key_file = one(fields, "key_file", file);
        self.behind_tls_proxy = fields.switch("behind_tls_proxy").unwrap_or_default();
        self.proxies.trusted = many(fields, "trusted_proxies", parsed::<Cidr>);
        let families = [("x-forwarded", ProxyHeaders::XForwarded), ("forwarded", ProxyHeaders::Forwarded)];
        self.proxies.headers = fields.choice("proxy_headers", &families).unwrap_or_default();
        self.root_realm = one(fields, "root_realm", |text| Ok(text.to_owned()));
        self.admin_cli_password_grant = fields.switch("admin_cli_password_grant").unwrap_or_default();
        self.realm_files = many(fields, "realm_files", file);
        self.sweep_interval = span(fields, "sweep_interval", 1);
        fields.table("tls", |fields| Some(tls(fields, folder))).into_iter().for_each(|tls| {
            self.certificate_file = tls.certificate_file;
            self.tls_key_file = tls.tls_key_file;
            self.client_certificates = tls.client_certificates;
            self.client_certificates_url = tls.client_certificates_url;
            self.client_ca_file = tls.client_ca_file;
        });
        fields
            .table("outbound", |fields| Some(outbound(fields, folder)))
            .into_iter()
            .for_each(|outbound| self.outbound = outbound);
        fields
            .table("limits", |fields| Some(limits(fields)))
            .into_iter()
            .for_each(|limits| self.limits = limits);
        fields
            .table("hashing", |fields| Some(hashing(fields)))
            .into_iter()
            .for_each(|limits| self.hashing = limits);
        fields.table("log", |fields| Some(log(fields))).into_iter().for_each(|(format, level)| {
            self.log_format = format;
            self.log_level = level;
        });
    }

    /// Certificate and key, when both are named.
    pub(super) fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.certificate_file.clone()?, self.tls_key_file.clone()?);
        let asks = match &self.client_certificates_url {
            _ if !self.client_certificates => Asks::Nobody,
            Some(url) => Asks::At(url.host().to_owned()),
            None => Asks::Everybody,
        };
        Some(TlsFiles { certificate, key, asks, client_authorities: self.client_ca_file.clone() })
    }

    /// The configuration, once nothing is left to refuse.
    pub(super) fn finished(self) -> Config {
        let tls = self.tls();
        let base_path = self.public_url.as_ref().map_or("", Base::path).to_owned();
        let mut database = self.database.unwrap_or_else(Database::memory);
        database.max_connections = self.database_connections.unwrap_or(Database::MAX_CONNECTIONS);
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Config {
            mode: Mode::Serve,
            public_url: self.public_url,
            aliases: self.aliases,
            any_host: false,
            listen: Listen::At(self.listen.unwrap_or_else(|| loopback(8080))),
            management_listen: self.management.unwrap_or_else(|| Some(loopback(9000))).map(Listen::At),
            base_path,
            database,
            key_file: self.key_file,
            proxies: self.proxies,
            root_realm: self.root_realm,
            admin_cli_password_grant: self.admin_cli_password_grant,
            realm_files: self.realm_files,
            limits: self.limits,
            hashing: self.hashing,
            log_format: self.log_format,
            log_level: self.log_level.unwrap_or_else(|| "info".into()),
            sweep_interval: self.sweep_interval.unwrap_or(Duration::from_secs(60)),
            tls,
            client_certificates_url: self.client_certificates_url,
            outbound: self.outbound,
            stand_in: StandIn::default(),
        }
    }

    /// Puts the password of `database_password_file` into the address of the database.
    pub(super) fn join_password(&mut self, cx: &mut Context) {
        let (Some(database), Some(path)) = (self.database.take(), &self.database_password_file) else {
            return;
        };
        let read = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
        let joined = read.and_then(|text| {
            let password = Secret::from(text.trim_end_matches(['\r', '\n']));
            if password.is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(password) }
        });
        match joined.and_then(|password| database.with_password(&password)) {
            Ok(joined) => self.database = Some(joined),
            Err(message) => note(cx, "database_password_file", message),
        }
    }
}

fn tls(fields: &mut Fields<'_>, folder: &Path) -> Draft {
    let file = |text: &str| Ok(folder.join(text));
    Draft {
        certificate_file: one(fields, "certificate_file", file),
        tls_key_file: one(fields, "key_file", file),
        client_certificates: fields.switch("client_certificates").unwrap_or_default(),
        client_certificates_url: one(fields, "client_certificates_url", base),
        client_ca_file: one(fields, "client_ca_file", file),
        ..Draft::default()
    }
}

fn outbound(fields: &mut Fields<'_>, folder: &Path) -> Outbound {
    let rules = OutboundRules {
        private: fields.switch("allow_private").unwrap_or_default(),
        http: fields.switch("allow_http").unwrap_or_default(),
    };
    let ca_file = one(fields, "ca_file", |text| Ok(folder.join(text)));
    Outbound { rules, ca_files: ca_file.into_iter().collect() }
}

fn limits(fields: &mut Fields<'_>) -> Limits {
    let usual = Limits::default();
    Limits {
        connections: number(fields, "connections", 1, 1_000_000).unwrap_or(usual.connections),
        header_bytes: bytes(fields, "header_bytes", 8 * 1024, 1024 * 1024).unwrap_or(usual.header_bytes),
        header_timeout: span(fields, "header_timeout", 1).unwrap_or(usual.header_timeout),
        body_bytes: bytes(fields, "body_bytes", 64 * 1024, 1024 * 1024 * 1024).unwrap_or(usual.body_bytes),
        body_timeout: span(fields, "body_timeout", 1).unwrap_or(usual.body_timeout),
        request_timeout: span(fields, "request_timeout", 1).unwrap_or(usual.request_timeout),
        keep_alive_timeout: span(fields, "keep_alive_timeout", 1).unwrap_or(usual.keep_alive_timeout),
        drain_timeout: span(fields, "drain_timeout", 1).unwrap_or(usual.drain_timeout),
        shutdown_delay: span(fields, "shutdown_delay", 0).unwrap_or(usual.shutdown_delay),
    }
}

/// 0 follows the machine: as many as it has cores, and 512 waiting.
fn hashing(fields: &mut Fields<'_>) -> passwords::Limits {
    let usual = passwords::Limits::default();
    let chosen = |value: Option<usize>, usual| value.filter(|value| *value > 0).unwrap_or(usual);
    passwords::Limits {
        concurrent: chosen(number(fields, "concurrent", 0, 1_024), usual.concurrent),
        queued: chosen(number(fields, "queued", 0, 100_000), usual.queued),
    }
}

fn log(fields: &mut Fields<'_>) -> (LogFormat, Option<String>) {
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = fields.choice("format", &formats).unwrap_or_default();
    let level = one(fields, "level", |text| {
        telemetry::check_level(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
    });
    (format, level)
}

fn base(text: &str) -> Result<Base, String> {
    Base::parse(text).map_err(|error| format!("{error}, such as https://id.example.com"))
}

fn base_path(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if Base::is_path(text) { Ok(text.to_owned()) } else { Err("write plain segments, such as /auth".into()) }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an address and a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080".into())
}

fn parsed<T: FromStr>(text: &str) -> Result<T, String>
where
    T::Err: ToString,
{
    text.parse::<T>().map_err(|error| error.to_string())
}
