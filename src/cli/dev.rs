//! `vestibule dev`: a working provider without any configuration.

mod panel;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::output::{Failure, Output, say};
use crate::app::Shared;
use crate::at_hand::known;
use crate::boot::{self, Running, Seed};
use crate::config::{Config, Development};
use crate::realm_file;
use crate::server::{Ended, Shutdown};
use crate::telemetry;
use panel::Panel;

/// Arguments of `dev`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule dev
  vestibule dev --port 8090 --import-realm realm.toml --watch
  vestibule dev --ephemeral --port 0 --output json")]
pub(super) struct Dev {
    /// Port; 0 takes a free one
    #[arg(long, default_value_t = 8080, value_name = "N")]
    port: u16,
    /// Port of health and metrics [default: 9000, or a free one with --port 0]
    #[arg(long, value_name = "N")]
    management_port: Option<u16>,
    /// Address to listen on [default: 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<IpAddr>,
    /// The one address under which it is reached [default: whatever loopback name a request used]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A further address under which it is reached, such as http://id:8080 between containers; may be repeated
    #[arg(long = "alias", value_name = "URL", requires = "public_url")]
    aliases: Vec<String>,
    /// Folder of database and keys
    #[arg(long, default_value = ".vestibule", value_name = "DIR")]
    data: PathBuf,
    /// Another database: sqlite://FILE or postgres://…
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Keep nothing on disk; everything is gone at the end
    #[arg(long)]
    ephemeral: bool,
    /// Apply a realm file, and make no demo realm; what the data folder has already stays; may be repeated
    #[arg(long = "import-realm", value_name = "FILE")]
    import_realm: Vec<PathBuf>,
    /// Apply the realm files again whenever they change
    #[arg(long, requires = "import_realm")]
    watch: bool,
    /// What to print when it is ready: a panel to copy from, or one line of JSON
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

impl Dev {
    /// What a person copies from.
    async fn panel(&self, running: &Running, begun: Instant) -> Result<String, Failure> {
        let app = &running.app;
        let panel = Panel {
            base: base(running),
            started_in_ms: begun.elapsed().as_millis(),
            management: running.management.map(url),
            realms: app.store.realms().await?,
            shown: known(app).await?,
            demo: self.import_realm.is_empty(),
            bootstrap: (!self.ephemeral).then(|| match (&self.database, self.data.to_str()) {
                (Some(_), _) => "vestibule bootstrap-admin user --database …".to_owned(),
                (None, Some(".vestibule") | None) => "vestibule bootstrap-admin user".to_owned(),
                (None, Some(data)) => format!("vestibule bootstrap-admin user --data {data}"),
            }),
        };
        Ok(panel.to_string())
    }

    /// Runs until a signal ends it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let begun = Instant::now();
        let config = Config::development(&Development {
            host: self.host,
            port: self.port,
            management_port: self.management_port,
            public_url: self.public_url.clone(),
            aliases: self.aliases.clone(),
            data: self.data.clone(),
            database: self.database.clone(),
            ephemeral: self.ephemeral,
            realm_files: self.import_realm.clone(),
            ..Development::default()
        })
        .map_err(Failure::usage)?;
        telemetry::init(config.log_format, &config.log_level).map_err(Failure::usage)?;
        if config.is_dev_in_the_open() {
            tracing::warn!("dev listens beyond this machine; its demo passwords are known to everybody");
        }
        let seed = if self.import_realm.is_empty() {
            Seed::demo().map_err(Failure::fault)?
        } else {
            Seed::default()
        };
        let shutdown = Shutdown::on_signals().map_err(Failure::fault)?;
        let running = super::start(&config, seed, shutdown)?;
        match self.output {
            Output::Json => ready_line(&running, begun).await?,
            Output::Text => say(&self.panel(&running, begun).await?)?,
        }
        if self.watch {
            tokio::spawn(watch(std::sync::Arc::clone(&running.app), self.import_realm.clone()));
        }
        match running.ended().await {
            Ended::Drained | Ended::TimedOut => Ok(()),
            Ended::Forced => Err(Failure::fault("stopped at once, as asked")),
        }
    }
}

/// A program on this machine may ask a server that listens everywhere by its name here.
fn url(address: std::net::SocketAddr) -> String {
    match address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    }
}

/// Where the server says it is: its public address, or the one it listens on.
fn base(running: &Running) -> String {
    running.app.hosts.public().map_or_else(
        || format!("{}{}", url(running.address), running.app.hosts.base_path()),
        std::string::ToString::to_string,
    )
}

/// The one line that programs wait for.
async fn ready_line(running: &Running, begun: Instant) -> Result<(), Failure> {
    let base = base(running);
    let realms = running.app.store.realms().await?;
    let realms = realms
        .iter()
        .map(|realm| ReadyRealm { name: realm.name.clone(), issuer: format!("{base}/realms/{}", realm.name) })
        .collect::<Vec<_>>();
    let line = serde_json::to_string(&Ready {
        event: "ready",
        url: url(running.address),
        management_url: running.management.map(url),
        pid: std::process::id(),
        started_in_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        realms,
    })
    .map_err(Failure::fault)?;
    say(&format!("{line}\n"))
}

#[derive(serde::Serialize)]
struct Ready {
    event: &'static str,
    url: String,
    management_url: Option<String>,
    pid: u32,
    started_in_ms: u64,
    realms: Vec<ReadyRealm>,
}

#[derive(serde::Serialize)]
struct ReadyRealm {
    name: String,
    issuer: String,
}

/// Applies realm files again when they change. A mistake is told, and what was applied before stays.
async fn watch(app: Shared, files: Vec<PathBuf>) {
    let stamp = |file: &PathBuf| std::fs::metadata(file).and_then(|data| data.modified()).ok();
    let mut seen: Vec<_> = files.iter().map(stamp).collect();
    let mut every = tokio::time::interval(std::time::Duration::from_millis(300));
    loop {
        every.tick().await;
        for (file, seen) in files.iter().zip(&mut seen) {
            let now = stamp(file);
            if now.is_none() || now == *seen {
                continue;
            }
            *seen = now;
            match apply(&app, file).await {
                Ok(()) => tracing::info!(file = %file.display(), "applied the realm file again"),
                Err(failure) => {
                    for problem in failure.to_string().lines() {
                        tracing::error!("the realm file was not applied: {problem}");
                    }
                }
            }
        }
    }
}

async fn apply(app: &Shared, file: &std::path::Path) -> Result<(), String> {
    for realm in realm_file::read(file).map_err(|problems| problems.to_string())? {
        boot::apply(app, &realm).await.map_err(|error| error.to_string())?;
        app.at_hand.put(&realm);
    }
    Ok(())
}
