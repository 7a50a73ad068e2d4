//! Keycloak's way to configure a server, for `start` and `start-dev`: its options as arguments and as variables.
//!
//! Owns their names, what they mean here, and which of them mean nothing. Leaves what may be configured at all to
//! [`Config`], and what production refuses to `production`: `start` is `serve` under Keycloak's names.

mod database;
mod names;
mod options;
mod production;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use super::{Config, ConfigProblems, Database, Development, Listen, Mode, StandIn};
use crate::protocol::forwarded::{Cidr, Proxies, ProxyHeaders};
use crate::realm_file::FileProblem;
use crate::secrets::Secret;
use crate::server::{Asks, TlsFiles};
use crate::telemetry::LogFormat;

pub use options::{Options, Source};
pub use production::production;

/// Where Keycloak's image keeps its data, when that is where we are.
const DATA: &str = "/opt/keycloak/data";

/// A process as Keycloak's options describe it.
#[derive(Clone, Debug)]
pub struct Process {
    /// The server.
    pub config: Config,
    /// The folder whose realm files are imported.
    pub import: Option<PathBuf>,
    /// The first administrator: user name and password.
    pub user: Option<(String, Secret)>,
    /// The same as a client: `client_id` and secret.
    pub service: Option<(String, Secret)>,
    /// Whether the management port was asked for; else a server starts without it when it is taken.
    pub management_asked: bool,
}

/// What the options of `start-dev` come to. Nothing is refused that Keycloak takes, but what cannot be read.
///
/// # Errors
/// Every option that cannot be read.
pub fn development(options: &Options) -> Result<Process, ConfigProblems> {
    let mut reader = Reader { options, problems: Vec::new() };
    let data = data_folder(options);
    let path = reader.relative_path();
    let name = hostname(options);
    let public_url = name.and_then(|name| public_url(options, name, "http", &path));
    let port = reader.port("http-port", 8080);
    let tls = reader.tls();
    let database = reader.read("db", database::address(options, &data));
    let stand_in = StandIn {
        host_name: name.filter(|_| public_url.is_none()).map(str::to_owned),
        https_listen: tls.is_some().then(|| Listen::on(Some(reader.host()), reader.port("https-port", 8443))),
        // A proxy may take the path away, and apps may not know of it.
        at_root_too: true,
        redirects_anywhere: true,
        ..stand_in(options)
    };
    let development = Development {
        host: Some(reader.host()),
        port,
        management_port: Some(reader.port("http-management-port", if port == 0 { 0 } else { 9000 })),
        public_url,
        base_path: path,
        ephemeral: database::is_in_memory(options),
        database: database.flatten(),
        data: data.clone(),
        any_host: true,
        proxies: reader.proxies(Cidr::EVERY.to_vec()),
        tls,
        ca_files: reader.ca_files(),
        stand_in,
        ..Development::default()
    };
    let Reader { problems, .. } = reader;
    if !problems.is_empty() {
        return Err(ConfigProblems(problems));
    }
    let mut config = Config::development(&development)?;
    config.database.max_connections =
        database::connections(options).unwrap_or(config.database.max_connections);
    logging(options, &mut config);
    Ok(process(options, &data, config))
}

/// Whether a `start` says of itself that it is no production: any host name, plain http without a proxy, and the database
/// in a file are what Keycloak's own guides call so. Quarkus Dev Services start it like this.
#[must_use]
pub fn is_development(options: &Options) -> bool {
    let unset = |names: &[&str]| names.iter().all(|name| options.text(name).is_none());
    options.switch("hostname-strict") == Some(false)
        && options.switch("http-enabled") == Some(true)
        && unset(&["proxy", "proxy-headers", "https-certificate-file"])
        && hostname(options).is_none_or(|name| !name.starts_with("https://"))
        && options.text("db").is_none_or(|db| db.starts_with("dev-"))
}

/// What the options of a command come to that works on the database of a server: `import`, `export`, `bootstrap-admin`. It
/// is told no mode, so what only production has (a database server, a certificate, a public address) makes it careful:
/// passwords are hashed at full cost, secrets cannot be read again, wildcards are refused. `database` names one in the words
/// of our own commands.
///
/// # Errors
/// Every option that cannot be read.
pub fn command(options: &Options, database: Option<&str>) -> Result<Config, ConfigProblems> {
    let mut config = development(options)?.config;
    if let Some(text) = database {
        let unreadable = |message| FileProblem {
            file: String::new(),
            line: None,
            field: "--database".to_owned(),
            message,
        };
        config.database = Database::parse(text, Path::new(""))
            .map_err(|message| ConfigProblems(vec![unreadable(message)]))?;
    }
    let certified = options.text("https-certificate-file").is_some();
    let public = hostname(options).is_some_and(|name| name.starts_with("https://"));
    if !config.database.is_sqlite() || certified || public {
        config.mode = Mode::Serve;
        config.stand_in.prepares = true;
    }
    Ok(config)
}

fn process(options: &Options, data: &Path, config: Config) -> Process {
    let pair = |name: &str, secret: &str| {
        Some((options.text(name)?.to_owned(), Secret::from(options.text(secret)?.to_owned())))
    };
    let usual = || {
        Some(("temp-admin".to_owned(), Secret::from(options.text("bootstrap-admin-password")?.to_owned())))
    };
    let folder = options.text("dir").map_or_else(|| data.join("import"), PathBuf::from);
    let asked = ["http-management-port", "health-enabled", "metrics-enabled"];
    Process {
        config,
        import: (options.switch("import-realm") == Some(true)).then_some(folder),
        user: pair("bootstrap-admin-username", "bootstrap-admin-password").or_else(usual),
        service: pair("bootstrap-admin-client-id", "bootstrap-admin-client-secret"),
        management_asked: asked.iter().any(|name| options.text(name).is_some()),
    }
}

/// The folder of database, keys and imports.
fn data_folder(options: &Options) -> PathBuf {
    let home = || options.text("home-dir").map(|home| Path::new(home).join("data"));
    let image = || Some(PathBuf::from(DATA)).filter(|data| data.is_dir());
    let own = options.text("data").map(PathBuf::from);
    own.or_else(home).or_else(image).unwrap_or_else(|| ".vestibule".into())
}

/// The host name or address under which the server is to be known.
fn hostname(options: &Options) -> Option<&str> {
    options.text("hostname-url").or_else(|| options.text("hostname"))
}

/// The one public address, when the options tell a whole one.
fn public_url(options: &Options, name: &str, scheme: &str, path: &str) -> Option<String> {
    if let Some((_, rest)) = name.split_once("://") {
        let has_path = rest.trim_end_matches('/').contains('/');
        return Some(if has_path {
            name.to_owned()
        } else {
            format!("{}{path}", name.trim_end_matches('/'))
        });
    }
    let port = options.text("hostname-port").filter(|port| *port != "-1");
    match (port, scheme) {
        (Some(port), _) => Some(format!("{scheme}://{name}:{port}{path}")),
        (None, "https") => Some(format!("https://{name}{path}")),
        (None, _) => None,
    }
}

fn stand_in(options: &Options) -> StandIn {
    let legacy = options.switch("legacy-observability-interface") == Some(true);
    let path =
        ["http-management-relative-path", "http-relative-path"].iter().find_map(|name| options.text(name));
    StandIn {
        management_over_tls: options.text("http-management-scheme") != Some("http"),
        management_path: relative(path),
        follows_back_channel: options.switch("hostname-backchannel-dynamic") == Some(true),
        health_on_main: legacy || options.switch("http-management-health-enabled") == Some(false),
        ..StandIn::default()
    }
}

/// A path that is empty or begins with a slash and does not end with one.
fn relative(path: Option<&str>) -> String {
    let text = path.unwrap_or_default().trim_matches('/');
    if text.is_empty() { String::new() } else { format!("/{text}") }
}

/// The file itself, or the files in PEM of a folder.
///
/// # Errors
/// What to write instead.
fn certificates(path: &Path) -> Result<Vec<PathBuf>, String> {
    let is_pem = |path: &Path| {
        path.extension().and_then(|end| end.to_str()).is_some_and(|end| ["pem", "crt", "cer"].contains(&end))
    };
    if !path.is_dir() {
        let store = ["p12", "pfx", "jks"].iter().any(|end| path.extension().is_some_and(|is| is == *end));
        let why = || format!("{}: key stores are not read, write their certificates as PEM", path.display());
        return if store { Err(why()) } else { Ok(vec![path.to_owned()]) };
    }
    let entries = std::fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|file| is_pem(file)).collect();
    files.sort();
    Ok(files)
}

fn logging(options: &Options, config: &mut Config) {
    // Keycloak's categories are Java's: only a level for everything means something here.
    let levels = options.text("log-level").or_else(|| options.text("log-console-level"));
    let levels = levels.unwrap_or_default().to_ascii_lowercase();
    let known = ["error", "warn", "info", "debug", "trace"];
    if let Some(level) = levels.split(',').map(str::trim).find(|level| known.contains(level)) {
        config.log_level = level.to_owned();
    }
    if options.text("log-console-output") == Some("json") {
        config.log_format = LogFormat::Json;
    }
}

/// Reads options, and notes what cannot be read.
struct Reader<'a> {
    options: &'a Options,
    problems: Vec<FileProblem>,
}

impl Reader<'_> {
    fn refuse(&mut self, name: &str, message: impl Into<String>) {
        let field = format!("--{name}");
        self.problems.push(FileProblem { file: String::new(), line: None, field, message: message.into() });
    }

    fn read<T>(&mut self, name: &str, outcome: Result<T, String>) -> Option<T> {
        outcome.map_err(|message| self.refuse(name, message)).ok()
    }

    fn port(&mut self, name: &str, usual: u16) -> u16 {
        let Some(text) = self.options.text(name) else { return usual };
        let read = text.parse().map_err(|_| format!("{text:?} is no port: write 0 to 65535"));
        self.read(name, read).unwrap_or(usual)
    }

    /// Every address, as Keycloak listens: it runs in containers.
    fn host(&mut self) -> IpAddr {
        let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let Some(text) = self.options.text("http-host") else { return everywhere };
        let read = text.parse().map_err(|_| format!("{text:?} is no IP address"));
        self.read("http-host", read).unwrap_or(everywhere)
    }

    fn relative_path(&mut self) -> String {
        relative(self.options.text("http-relative-path"))
    }

    /// Certificates that are trusted beside the system's: files in PEM, and those of folders.
    fn ca_files(&mut self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let named = self.options.text("truststore-paths").unwrap_or_default();
        for path in named.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            match certificates(Path::new(path)) {
                Ok(mut files) => found.append(&mut files),
                Err(why) => self.refuse("truststore-paths", why),
            }
        }
        found
    }

    fn tls(&mut self) -> Option<TlsFiles> {
        let options = self.options;
        let file = |name| options.text(name).map(PathBuf::from);
        match (file("https-certificate-file"), file("https-certificate-key-file")) {
            (Some(certificate), Some(key)) => {
                let asks = self.asks();
                let authorities = file("https-trust-store-file").filter(|_| asks != Asks::Nobody);
                Some(TlsFiles { certificate, key, asks, client_authorities: authorities })
            }
            (None, None) => None,
            (Some(_), None) => {
                self.refuse("https-certificate-key-file", "is missing: certificate and key go together");
                None
            }
            (None, Some(_)) => {
                self.refuse("https-certificate-file", "is missing: certificate and key go together");
                None
            }
        }
    }

    /// Whether clients are asked for certificates.
    fn asks(&mut self) -> Asks {
        match self.options.text("https-client-auth") {
            None | Some("none") => Asks::Nobody,
            Some("request") => Asks::Everybody,
            Some("required") => {
                let why = "required is not offered, since people's browsers have no certificates: write request, and let \
                           the clients that are to have one prove themselves by it";
                self.refuse("https-client-auth", why);
                Asks::Nobody
            }
            Some(other) => {
                self.refuse("https-client-auth", format!("{other:?} is unknown: write none or request"));
                Asks::Nobody
            }
        }
    }

    /// The proxies in front; `usual` are believed when no addresses are named.
    fn proxies(&mut self, usual: Vec<Cidr>) -> Proxies {
        let options = self.options;
        let old = options.text("proxy").filter(|proxy| *proxy != "none").map(|_| "xforwarded");
        let headers = match options.text("proxy-headers").or(old) {
            None | Some("none") => return Proxies::default(),
            Some("forwarded") => ProxyHeaders::Forwarded,
            Some("xforwarded") => ProxyHeaders::XForwarded,
            Some(other) => {
                self.refuse("proxy-headers", format!("{other:?} is unknown: write xforwarded or forwarded"));
                return Proxies::default();
            }
        };
        let Some(text) = options.text("proxy-trusted-addresses") else {
            return Proxies { trusted: usual, headers };
        };
        let ranges = text.split(',').map(str::trim).filter(|range| !range.is_empty());
        let read = ranges.map(|range| range.parse::<Cidr>().map_err(|error| error.to_string())).collect();
        Proxies { trusted: self.read("proxy-trusted-addresses", read).unwrap_or_default(), headers }
    }
}

#[cfg(test)]
mod tests;
