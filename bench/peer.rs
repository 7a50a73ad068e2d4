//! A server as its description tells: how it is started, where its endpoints are, who may ask.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::browser::basic;
use crate::http::encoded;
use crate::process::free_port;
use crate::{Options, Outcome, here};

/// One server. The file `bench/peers/NAME/peer.toml`, with `{port}`, `{second_port}`, `{third_port}`, `{binary}`, `{data}` and `{here}` filled in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    /// What the table calls it.
    pub(crate) name: String,
    /// Program and arguments.
    pub(crate) start: Vec<String>,
    /// Commands that are run once, in its empty data folder, before it is started.
    #[serde(default)]
    pub(crate) prepare: Vec<Vec<String>>,
    /// How its first start is measured, where that differs: on a folder where nothing was prepared.
    #[serde(default)]
    pub(crate) cold_start: Vec<String>,
    /// Programs that run beside it, on the same core: a database, an application that signs people in.
    #[serde(default)]
    pub(crate) beside: Vec<Vec<String>>,
    /// Seconds of load before the first measurement of an operation, for what compiles itself while it runs, and
    /// for what is looked up or proven once.
    #[serde(default = "warm")]
    pub(crate) warm_seconds: f64,
    /// What must be there for it to run: programs in the path, files in its folder.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Its environment.
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    /// Address and port.
    pub(crate) host: String,
    /// The address that it answers as soon as it is up.
    pub(crate) discovery: String,
    /// The key set.
    #[serde(default)]
    pub(crate) certs: Option<String>,
    /// The token endpoint.
    pub(crate) token: String,
    /// The authorization endpoint.
    pub(crate) authorize: String,
    /// The client that drives it.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
    /// Whether the secret goes into the form instead of the header.
    #[serde(default)]
    pub(crate) secret_in_form: bool,
    /// Where the client's codes go.
    pub(crate) redirect_uri: String,
    /// The scope of its flows.
    pub(crate) scope: String,
    /// Further parameters of its authorization requests, beginning with `&`.
    #[serde(default)]
    pub(crate) extra: String,
    /// Who signs in.
    pub(crate) user: String,
    /// The password.
    pub(crate) password: String,
    /// Introspection.
    #[serde(default)]
    pub(crate) introspect: Option<String>,
    /// UserInfo.
    #[serde(default)]
    pub(crate) userinfo: Option<String>,
    /// How a client gets a token of its own, by the algorithm that signs it.
    #[serde(default)]
    pub(crate) client_credentials: BTreeMap<String, ClientCredentials>,
    /// Where a device asks (RFC 8628).
    #[serde(default)]
    pub(crate) device: Option<String>,
    /// What a token exchange is sent beside the token (RFC 8693), beginning with `&`; empty is a value too.
    #[serde(default)]
    pub(crate) exchange: Option<String>,
    /// Requests that sign a person in where the server's page needs scripts; their cookies are kept.
    #[serde(default)]
    pub(crate) sign_in: Vec<SignIn>,
    /// Whether it refreshes with rotation.
    #[serde(default)]
    pub(crate) refresh: bool,
    /// The operations that it does not have, by name.
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
}

/// A token endpoint and what it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientCredentials {
    /// Where.
    pub(crate) path: String,
    /// The form, the client's proof left out.
    #[serde(default = "grant")]
    pub(crate) form: String,
}

/// One request with a body of JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// `POST` or `PUT`.
    pub(crate) method: String,
    /// Where.
    pub(crate) path: String,
    /// What.
    pub(crate) json: String,
}

fn warm() -> f64 {
    0.3
}

fn grant() -> String {
    "grant_type=client_credentials".to_owned()
}

impl Peer {
    /// Reads a description.
    pub(crate) fn read(file: &Path, port: u16, data: &Path, binary: &str) -> Outcome<Self> {
        let here = file.parent().unwrap_or(Path::new(".")).canonicalize()?;
        let text = std::fs::read_to_string(file)?
            .replace("{port}", &port.to_string())
            .replace("{second_port}", &free_port()?.to_string())
            .replace("{third_port}", &free_port()?.to_string())
            .replace("{binary}", binary)
            .replace("{data}", &data.display().to_string())
            .replace("{here}", &here.display().to_string());
        Ok(toml::from_str(&text)?)
    }

    /// Our own server on SQLite, with a data folder of its own.
    pub(crate) fn own(data: &Path, options: &Options) -> Outcome<Self> {
        Self::read(&here("bench/peers/vestibule/peer.toml"), free_port()?, data, &options.binary())
    }

    /// The same of our own server, in another of its realms.
    pub(crate) fn in_realm(mut self, realm: &str) -> Self {
        for path in [&mut self.token, &mut self.authorize] {
            *path = path.replace("/realms/main/", &format!("/realms/{realm}/"));
        }
        self
    }

    /// What it needs and this machine has not.
    pub(crate) fn missing(&self) -> Vec<&str> {
        let found = |need: &str| {
            let path = PathBuf::from(need);
            let folders = std::env::var_os("PATH").unwrap_or_default();
            path.exists() || std::env::split_paths(&folders).any(|folder| folder.join(need).exists())
        };
        self.needs.iter().map(String::as_str).filter(|need| !found(need)).collect()
    }

    /// The form with the client's proof: in the header that comes with it, or in itself.
    pub(crate) fn authenticated(&self, form: &str) -> (Option<String>, String) {
        if self.secret_in_form {
            let (id, secret) = (encoded(&self.client_id), encoded(&self.client_secret));
            return (None, format!("{form}&client_id={id}&client_secret={secret}"));
        }
        (Some(basic(&self.client_id, &self.client_secret)), form.to_owned())
    }
}
