//! `vestibule device-login`: plays a device without a browser (RFC 8628) against any provider, for people who try it.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use super::output::{Failure, Output, say};
use crate::config::Outbound;
use crate::fetch::{FetchError, Fetched, Fetcher, Outgoing};
use crate::protocol::client::GrantType;
use crate::protocol::outbound::OutboundRules;
use crate::qr::Qr;

/// Seconds between two polls of a provider that names none (RFC 8628 §3.2).
const INTERVAL: u64 = 5;

/// Arguments of `device-login`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule dev                                       in one terminal, then in another one:
  vestibule device-login
  vestibule device-login --issuer https://id.example.com/realms/main --client-id tv
  vestibule device-login --output json | jq -r .access_token")]
pub(super) struct DeviceLogin {
    /// The provider: https, or http on this machine
    #[arg(long, default_value = "http://127.0.0.1:8080/realms/main", value_name = "URL")]
    issuer: String,
    /// The client, which must be allowed the grant device_code
    #[arg(long, default_value = "tv", value_name = "ID")]
    client_id: String,
    /// File with the client's secret; none for a public client
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// What to ask for
    #[arg(long, default_value = "openid profile email", value_name = "SCOPES")]
    scope: String,
    /// Certificates in PEM to trust beside the system's
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// What to print at the end: the claims for people, or the whole token response for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

/// What of the provider's metadata is needed (RFC 8414 §2, RFC 8628 §4).
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    device_authorization_endpoint: Option<String>,
    token_endpoint: String,
}

/// The codes (RFC 8628 §3.2).
#[derive(Deserialize)]
struct Codes {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

impl DeviceLogin {
    /// Runs until there are tokens, or a refusal.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let device = Device::new(&self)?;
        let metadata = device.metadata(&self.issuer).await?;
        let endpoint = metadata.device_authorization_endpoint.as_deref().ok_or_else(|| {
            Failure::fault("the provider has no device_authorization_endpoint: it does not know this grant")
        })?;
        let codes: Codes = match device.post(endpoint, &[("scope", &self.scope)]).await? {
            Ok(codes) => serde_json::from_value(codes).map_err(|error| strange(&error))?,
            Err(refusal) => return Err(refused(&refusal)),
        };
        self.show(&invitation(&codes))?;
        let tokens = device.wait(&metadata.token_endpoint, &codes).await?;
        match self.output {
            Output::Json => say(&format!("{tokens}\n")),
            Output::Text => say(&farewell(&tokens)),
        }
    }

    /// For the person, who reads standard error where a program reads standard output.
    fn show(&self, text: &str) -> Result<(), Failure> {
        if self.output == Output::Text {
            return say(text);
        }
        eprint!("{text}");
        Ok(())
    }
}

/// A client at a provider.
struct Device {
    fetcher: Fetcher,
    client_id: String,
    secret: Option<crate::secrets::Secret>,
}

impl Device {
    fn new(args: &DeviceLogin) -> Result<Self, Failure> {
        let url = url::Url::parse(&args.issuer)
            .map_err(|error| Failure::usage(format!("--issuer {}: {error}", args.issuer)))?;
        let here = match url.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && here) {
            let message = "--issuer: tokens go over https, or over http on this machine alone";
            return Err(Failure::usage(message));
        }
        let rules = OutboundRules { private: true, http: here };
        let outbound = Outbound { rules, ca_files: args.ca_file.iter().cloned().collect() };
        let secret = match &args.client_secret_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Failure::usage(format!("{}: {error}", file.display())))?;
                Some(text.trim_end_matches(['\r', '\n']).into())
            }
            None => None,
        };
        let fetcher = Fetcher::new(&outbound).map_err(Failure::usage)?;
        Ok(Self { fetcher, client_id: args.client_id.clone(), secret })
    }

    async fn metadata(&self, issuer: &str) -> Result<Metadata, Failure> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let unreachable = |error: FetchError| {
            let advice = match error {
                FetchError::Connect(_) => {
                    "; is it running? `vestibule dev` starts one, --issuer names another"
                }
                _ => "",
            };
            Failure::fault(format!("{address}: {error}{advice}"))
        };
        let answer = self.fetcher.get(&address, "application/json").await.map_err(unreachable)?;
        if answer.status != 200 {
            return Err(Failure::fault(format!("{address} answers {}: is it an issuer?", answer.status)));
        }
        let metadata: Metadata = serde_json::from_slice(&answer.body).map_err(|error| strange(&error))?;
        // OpenID Connect Discovery §4.3.
        if metadata.issuer != issuer {
            return Err(Failure::fault(format!("the provider calls itself {}", metadata.issuer)));
        }
        Ok(metadata)
    }

    /// Polls until the person has answered (RFC 8628 §3.5).
    async fn wait(&self, endpoint: &str, codes: &Codes) -> Result<Value, Failure> {
        let grant = GrantType::DeviceCode.wire();
        let mut interval = codes.interval.unwrap_or(INTERVAL).max(1);
        let mut waited = 0_u64;
        while waited < codes.expires_in {
            tokio::time::sleep(Duration::from_secs(interval)).await;
            waited = waited.saturating_add(interval);
            let form = [("grant_type", grant), ("device_code", codes.device_code.as_str())];
            match self.post(endpoint, &form).await {
                Ok(Ok(tokens)) => return Ok(tokens),
                Ok(Err(refusal)) => match refusal.get("error").and_then(Value::as_str) {
                    Some("authorization_pending") => {}
                    Some("slow_down") => interval = interval.saturating_add(5),
                    _ => return Err(refused(&refusal)),
                },
                // A provider that cannot answer now is asked less often, as RFC 8628 §3.5 wishes.
                Err(_) => interval = interval.saturating_mul(2),
            }
        }
        Err(Failure::fault("nobody said yes in time: start again"))
    }

    /// Posts a form as the client; the answer's JSON, or that of the refusal.
    async fn post(&self, url: &str, fields: &[(&str, &str)]) -> Result<Result<Value, Value>, Failure> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut headers: Vec<(HeaderName, HeaderValue)> = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
            (ACCEPT, HeaderValue::from_static("application/json")),
        ];
        match &self.secret {
            Some(secret) => headers.push((AUTHORIZATION, basic(&self.client_id, secret.expose())?)),
            None => {
                form.append_pair("client_id", &self.client_id);
            }
        }
        let body = Bytes::from(form.finish());
        let answer = self.fetcher.send(Outgoing { method: Method::POST, url, headers, body }).await;
        let Fetched { status, body, .. } =
            answer.map_err(|error| Failure::fault(format!("{url}: {error}")))?;
        let json = serde_json::from_slice(&body).map_err(|error| strange(&error))?;
        if status >= 500 {
            return Err(Failure::fault(format!("{url} answers {status}")));
        }
        Ok(if status == 200 { Ok(json) } else { Err(json) })
    }
}

/// RFC 6749 §2.3.1.
fn basic(id: &str, secret: &str) -> Result<HeaderValue, Failure> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credential = STANDARD.encode(format!("{}:{}", encode(id), encode(secret)));
    let mut value = HeaderValue::from_str(&format!("Basic {credential}")).map_err(Failure::fault)?;
    value.set_sensitive(true);
    Ok(value)
}

/// What the person does now.
fn invitation(codes: &Codes) -> String {
    let Codes { user_code, verification_uri, .. } = codes;
    let address = codes.verification_uri_complete.as_deref().unwrap_or(verification_uri);
    // A picture is for eyes: a log needs none.
    let terminal = std::io::stdout().is_terminal() || std::io::stderr().is_terminal();
    let colours = std::env::var_os("NO_COLOR").is_none();
    let picture = Qr::new(address).filter(|_| terminal).map(|qr| qr.terminal(colours));
    let picture = picture.map(|picture| format!("  or scan this:\n\n{picture}\n")).unwrap_or_default();
    let minutes = codes.expires_in.div_ceil(60);
    format!(
        "\n  Open            {verification_uri}\n  Enter the code  {user_code}\n\n{picture}  Waiting for a yes, {minutes} \
         minutes at most. Stop with Ctrl-C.\n"
    )
}

/// Who said yes. The token came from the provider's own endpoint, which proves as much as its signature would (OpenID
/// Connect Core §3.1.3.7).
fn farewell(tokens: &Value) -> String {
    let claims = tokens.get("id_token").and_then(Value::as_str).and_then(claims);
    match claims {
        Some(claims) => format!("\n  Signed in. The ID token says:\n\n{claims:#}\n"),
        None => format!(
            "\n  Allowed: {}. No ID token, since `openid` was not asked for.\n",
            tokens.get("scope").and_then(Value::as_str).unwrap_or("what was asked")
        ),
    }
}

fn claims(token: &str) -> Option<Value> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

fn refused(refusal: &Value) -> Failure {
    let text = |name| refusal.get(name).and_then(Value::as_str).unwrap_or_default();
    let (error, description) = (text("error"), text("error_description"));
    Failure::fault(match error {
        "access_denied" => "the person said no".to_owned(),
        "expired_token" => "nobody said yes in time: start again".to_owned(),
        _ => format!("the provider refuses: {error} {description}"),
    })
}

fn strange(error: &serde_json::Error) -> Failure {
    Failure::fault(format!("the provider's answer cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args(issuer: &str) -> DeviceLogin {
        DeviceLogin {
            issuer: issuer.into(),
            client_id: "tv".into(),
            client_secret_file: None,
            scope: "openid".into(),
            ca_file: None,
            output: Output::Text,
        }
    }

    #[test]
    fn tokens_go_over_https_or_stay_on_this_machine() {
        for (issuer, good) in [
            ("https://id.example/realms/main", true),
            ("http://127.0.0.1:8080/realms/main", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://id.example/realms/main", false),
            ("http://127.0.0.1.id.example", false),
            ("ftp://127.0.0.1", false),
            ("nowhere", false),
        ] {
            assert_eq!(Device::new(&args(issuer)).is_ok(), good, "{issuer}");
        }
    }

    #[test]
    fn the_person_is_told_where_to_go_and_who_said_yes() {
        let codes = Codes {
            device_code: "secret".into(),
            user_code: "WDJB-MJHT".into(),
            verification_uri: "https://id.example/device".into(),
            verification_uri_complete: None,
            expires_in: 599,
            interval: None,
        };
        let text = invitation(&codes);
        for part in ["https://id.example/device", "WDJB-MJHT", "10 minutes"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("secret"));
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"alice"}"#);
        assert!(farewell(&json!({ "id_token": format!("e30.{payload}.x") })).contains("\"sub\": \"alice\""));
        assert!(farewell(&json!({ "scope": "email" })).contains("email"));
    }
}
