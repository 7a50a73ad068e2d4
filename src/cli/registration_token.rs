//! `vestibule registration-token`: tokens by which clients may register themselves.

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use uuid::Uuid;

use super::migrate::Place;
use super::output::{Failure, Output, say};
use super::plan::no_realm;
use crate::app::Shared;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::realm::Realm;
use crate::protocol::register::{InitialToken, Registration};
use crate::realm_file::read::duration::seconds;
use crate::secrets;
use crate::store::{Change, StoreError};

/// What a person types.
pub(super) const EXAMPLES: &str = "Examples:
  vestibule registration-token create --realm main
  vestibule registration-token list --realm main
  vestibule registration-token delete ID --realm main";

/// Subcommands of `registration-token`.
#[derive(Debug, Subcommand)]
pub(super) enum RegistrationToken {
    /// Make a token, which is shown this once
    Create(Create),
    /// Show the tokens of a realm that can still be used
    List(List),
    /// Take a token back
    Delete(Delete),
}

/// Arguments of `registration-token create`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule registration-token create --realm main
  vestibule registration-token create --realm main --uses 20 --expires 7d --output json

A client sends it as `Authorization: Bearer TOKEN` to …/clients-registrations/openid-connect.")]
pub(super) struct Create {
    /// The realm
    #[arg(long, value_name = "NAME")]
    realm: String,
    /// How many clients may register with it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    uses: i64,
    /// How long it is good: seconds, or such as 90s, 5m, 1h, 30d
    #[arg(long, value_name = "SPAN", default_value = "1d", value_parser = span)]
    expires: i64,
    #[command(flatten)]
    place: Place,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

/// Arguments of `registration-token list`.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The realm
    #[arg(long, value_name = "NAME")]
    realm: String,
    #[command(flatten)]
    place: Place,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

/// Arguments of `registration-token delete`.
#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The token's identifier, as `list` shows it
    id: String,
    /// The realm
    #[arg(long, value_name = "NAME")]
    realm: String,
    #[command(flatten)]
    place: Place,
}

/// A span of time on the command line, in seconds.
fn span(text: &str) -> Result<i64, String> {
    seconds(text)
        .filter(|seconds| (1..=366 * 86_400).contains(seconds))
        .ok_or_else(|| "a span from 1s to 366d, such as 90s, 5m, 1h or 30d".to_owned())
}

impl RegistrationToken {
    /// Runs the subcommand.
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create(args) => args.run().await,
            Self::List(args) => args.run().await,
            Self::Delete(args) => args.run().await,
        }
    }
}

async fn open(place: &Place, realm: &str) -> Result<(Shared, Realm), Failure> {
    let app = super::plan::open(place).await?;
    match app.store.realm_by_name(realm).await? {
        Some(realm) => Ok((app, realm)),
        None => Err(no_realm(&app, realm).await),
    }
}

fn audit(realm: &Realm, app: &Shared, detail: Value) -> Change {
    Change::Audit(AuditEvent {
        id: Uuid::now_v7().to_string(),
        realm_id: realm.id.clone(),
        at: app.clock.now(),
        kind: AuditKind::ConfigurationChanged,
        user_id: None,
        client_id: None,
        session_id: None,
        address: None,
        error: None,
        detail,
    })
}

impl Create {
    async fn run(self) -> Result<(), Failure> {
        let (app, realm) = open(&self.place, &self.realm).await?;
        if realm.settings.registration == Registration::Off {
            let why =
                format!("realm {} takes no registrations: its file says registration = \"off\"", realm.name);
            return Err(Failure::usage(why));
        }
        let (now, value) = (app.clock.now(), secrets::random_token());
        let token = InitialToken {
            id: Uuid::now_v7().to_string(),
            realm_id: realm.id.clone(),
            created_at: now,
            expires_at: now.plus(self.expires),
            uses: self.uses,
            uses_left: self.uses,
        };
        let detail = json!({ "by": "command line", "registration_token": token.id, "uses": self.uses });
        let fingerprint = secrets::fingerprint(&value);
        let add = Change::AddRegistrationToken { token: token.clone(), fingerprint };
        app.commit(vec![add, audit(&realm, &app, detail)]).await?;
        app.store.close().await;
        match self.output {
            Output::Json => {
                let mut told = structured(&token);
                told.insert("token".to_owned(), json!(value));
                say(&format!("{}\n", Value::Object(told)))
            }
            Output::Text => say(&format!(
                "token {value}\n  shown this once; good for {} registration(s) until {}\n  id {}\n",
                token.uses_left,
                token.expires_at.rfc3339(),
                token.id
            )),
        }
    }
}

fn structured(token: &InitialToken) -> serde_json::Map<String, Value> {
    let members = [
        ("id", json!(token.id)),
        ("created_at", json!(token.created_at.rfc3339())),
        ("expires_at", json!(token.expires_at.rfc3339())),
        ("uses_left", json!(token.uses_left)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let (app, realm) = open(&self.place, &self.realm).await?;
        let tokens = app.store.registration_tokens(&realm.id, app.clock.now()).await?;
        app.store.close().await;
        if self.output == Output::Json {
            let told: Vec<Value> = tokens.iter().map(|token| Value::Object(structured(token))).collect();
            return say(&format!("{}\n", Value::Array(told)));
        }
        if tokens.is_empty() {
            let hint = "vestibule registration-token create --realm";
            return say(&format!("no token can be used; make one with `{hint} {}`\n", realm.name));
        }
        let mut text = format!("{:<38}{:<6}{:<22}{}\n", "id", "uses", "created", "expires");
        for token in &tokens {
            let (created, expires) = (token.created_at.rfc3339(), token.expires_at.rfc3339());
            text.push_str(&format!("{:<38}{:<6}{created:<22}{expires}\n", token.id, token.uses_left));
        }
        say(&text)
    }
}

impl Delete {
    async fn run(self) -> Result<(), Failure> {
        let (app, realm) = open(&self.place, &self.realm).await?;
        let delete = Change::DeleteRegistrationToken { realm_id: realm.id.clone(), id: self.id.clone() };
        let detail = json!({ "by": "command line", "registration_token_deleted": self.id });
        let done = app.commit(vec![delete, audit(&realm, &app, detail)]).await;
        app.store.close().await;
        match done {
            Err(StoreError::Conflict { .. }) => {
                Err(Failure::usage(format!("realm {} has no registration token {}", realm.name, self.id)))
            }
            done => {
                done?;
                say("deleted\n")
            }
        }
    }
}
