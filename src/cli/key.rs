//! `vestibule key`: signing keys of a realm.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::migrate::Place;
use super::output::{Failure, Output};
use super::plan::no_realm;
use crate::app::Shared;
use crate::clock::Timestamp;
use crate::realms::{INNER_ALGORITHMS, RealmState, Rotation, forgetting, kid, rotation};
use crate::store::KeyRow;

/// What a person types.
pub(super) const EXAMPLES: &str = "Examples:
  vestibule key list --realm main
  vestibule key rotate --realm main
  vestibule key rotate --realm main --config vestibule.toml";

/// Subcommands of `key`.
#[derive(Debug, Subcommand)]
pub(super) enum Key {
    /// Show the keys of a realm
    List(List),
    /// Make a new key: published now, signing when everybody has had time to learn it
    Rotate(Rotate),
    /// Believe a key no more, from now on: one that leaked, after `rotate --at-once`
    Forget(Forget),
}

/// Arguments of `key list`.
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

/// Arguments of `key rotate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule key rotate --realm main
  vestibule key rotate --realm main --at-once     for a drill, or a key that leaked; then `key forget` it")]
pub(super) struct Rotate {
    /// The realm
    #[arg(long, value_name = "NAME")]
    realm: String,
    /// Sign with the new key from now on, though clients may not have seen it yet
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `key forget`.
#[derive(Debug, Args)]
#[command(after_help = "Example, for a key that leaked:
  vestibule key rotate --realm main --at-once
  vestibule key list --realm main
  vestibule key forget --realm main KID

Every token that it signed is refused from then on; people stay signed in.")]
pub(super) struct Forget {
    /// The key, as `key list` and the key set name it
    #[arg(value_name = "KID")]
    kid: String,
    /// The realm
    #[arg(long, value_name = "NAME")]
    realm: String,
    #[command(flatten)]
    place: Place,
}

impl Key {
    /// Runs the subcommand.
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::List(args) => args.run().await,
            Self::Rotate(args) => args.run().await,
            Self::Forget(args) => args.run().await,
        }
    }
}

async fn state(app: &Shared, realm: &str) -> Result<Arc<RealmState>, Failure> {
    match app.realms.named(&app.store, realm).await.map_err(Failure::fault)? {
        Some(state) => Ok(state),
        None => Err(no_realm(app, realm).await),
    }
}

impl List {
    async fn run(self) -> Result<(), Failure> {
        let app = super::plan::open(&self.place).await?;
        let state = state(&app, &self.realm).await?;
        let (now, realm_id) = (app.clock.now(), &state.realm.id);
        let kid = |row: &KeyRow| kid(realm_id, row, &app.vault);
        let rows = app.store.keys(realm_id).await?;
        let rows =
            rows.iter().filter(|row| !INNER_ALGORITHMS.contains(&row.algorithm.as_str())).collect::<Vec<_>>();
        if self.output == Output::Json {
            let keys = rows.iter().map(|row| {
                json!({
                    "kid": kid(row), "id": row.id, "algorithm": row.algorithm,
                    "state": state_of(row, &rows, now),
                    "signs_from": row.signs_from.rfc3339(),
                    "served_until": row.served_until.map(Timestamp::rfc3339),
                })
            });
            println!("{}", serde_json::Value::Array(keys.collect()));
        } else {
            println!("{:<8}{:<10}{:<22}{:<22}kid", "alg", "state", "signs from", "served until");
            for row in &rows {
                let until = row.served_until.map_or_else(|| "-".to_owned(), Timestamp::rfc3339);
                let (state, from) = (state_of(row, &rows, now), row.signs_from.rfc3339());
                let kid = kid(row).unwrap_or_default();
                println!("{:<8}{state:<10}{from:<22}{until:<22}{kid}", row.algorithm);
            }
        }
        app.store.close().await;
        Ok(())
    }
}

/// What a key does now.
fn state_of(row: &KeyRow, all: &[&KeyRow], now: Timestamp) -> &'static str {
    let is_over = |row: &KeyRow| row.served_until.is_some_and(|until| until <= now);
    let newest = all
        .iter()
        .filter(|other| other.algorithm == row.algorithm && other.signs_from <= now && !is_over(other))
        .max_by_key(|other| (other.signs_from, other.served_until.is_none(), &other.id));
    if is_over(row) {
        "over"
    } else if row.signs_from > now {
        "next"
    } else if newest.is_some_and(|newest| newest.id == row.id) {
        "signs"
    } else {
        "served"
    }
}

impl Forget {
    async fn run(self) -> Result<(), Failure> {
        let app = super::plan::open(&self.place).await?;
        let state = state(&app, &self.realm).await?;
        let keys = app.store.keys(&state.realm.id).await?;
        let changes = forgetting(&state, &keys, &app.vault, app.clock.now(), &self.kid);
        app.commit(changes.map_err(Failure::usage)?).await?;
        println!("forgotten; other nodes know within a second");
        app.store.close().await;
        Ok(())
    }
}

impl Rotate {
    async fn run(self) -> Result<(), Failure> {
        let app = super::plan::open(&self.place).await?;
        let state = state(&app, &self.realm).await?;
        let Rotation { times, made, changes } =
            rotation(&state, &app.store, &app.vault, app.clock.now(), self.at_once)
                .await
                .map_err(Failure::fault)?;
        app.commit(changes).await?;
        for (algorithm, id) in made {
            println!("new {algorithm} key {id}");
        }
        println!("  published now, signs from {}", times.signs_from.rfc3339());
        println!("  the old key is served until {}", times.old_served_until.rfc3339());
        app.store.close().await;
        Ok(())
    }
}
