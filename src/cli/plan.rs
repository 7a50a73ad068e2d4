//! `vestibule plan`: what applying realm files would change.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::migrate::Place;
use super::output::{Failure, Output, say};
use crate::app::Shared;
use crate::boot::{self, Seed};
use crate::clock::Clock;
use crate::config::Config;
use crate::realm_file::{self, ApplyError, FileProblems, PlanOptions, RealmSpec};

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule plan realm.toml
  vestibule plan realm.toml --prune --config vestibule.toml
  vestibule plan realm.toml --output json | jq '.realms[].changes'")]
pub(super) struct Plan {
    #[command(flatten)]
    wish: Wish,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

/// Which files, and how far they go; shared with `apply`.
#[derive(Clone, Debug, Args)]
pub(super) struct Wish {
    /// Realm files: .toml, .yaml or .json
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Delete what the files do not name, of the kinds of record that they speak of
    #[arg(long)]
    prune: bool,
    #[command(flatten)]
    place: Place,
}

impl Wish {
    /// The realms of all files.
    ///
    /// # Errors
    /// The mistakes of all files.
    pub(super) fn realms(&self) -> Result<Vec<RealmSpec>, Failure> {
        let mut realms = Vec::new();
        let mut mistakes = FileProblems::default();
        for file in &self.files {
            match realm_file::read(file) {
                Ok(found) => realms.extend(found),
                Err(problems) => mistakes.0.extend(problems.0),
            }
        }
        if mistakes.0.is_empty() { Ok(realms) } else { Err(Failure::usage(mistakes)) }
    }

    /// How far the files go.
    #[must_use]
    pub(super) fn options(&self) -> PlanOptions {
        PlanOptions { prune: self.prune, ..PlanOptions::default() }
    }

    /// The database that the files are for, made when it is not there.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) async fn open(&self) -> Result<Shared, Failure> {
        build(&self.place, self.place.configuration()?).await
    }

    /// The same to compare with, and nothing is made.
    ///
    /// # Errors
    /// When it cannot be opened.
    async fn look(&self) -> Result<Shared, Failure> {
        build(&self.place, self.place.imagined()?).await
    }

    /// The plans of all `realms`.
    ///
    /// # Errors
    /// The mistakes of all of them, or what is wrong with the database.
    pub(super) async fn plans(
        &self,
        app: &Shared,
        realms: &[RealmSpec],
    ) -> Result<Vec<realm_file::Plan>, Failure> {
        let mut plans = Vec::new();
        let mut mistakes = FileProblems::default();
        let options = PlanOptions { outbound: boot::reach(app), ..self.options() };
        for realm in realms {
            let refused = boot::refusals(app, [realm]);
            if !refused.is_empty() {
                mistakes.0.extend(refused);
                continue;
            }
            let plan = realm_file::plan(&app.store, &app.client_secrets, realm, options, app.clock.now());
            match plan.await {
                Ok(plan) => plans.push(plan),
                Err(ApplyError::File(problems)) => mistakes.0.extend(problems.0),
                Err(error) => return Err(error.into()),
            }
        }
        if mistakes.0.is_empty() { Ok(plans) } else { Err(Failure::usage(mistakes)) }
    }
}

/// The database of `place`, which is there already.
///
/// # Errors
/// When it is not, or cannot be opened.
pub(super) async fn open(place: &Place) -> Result<Shared, Failure> {
    build(place, place.existing()?).await
}

/// The failure of a command that was told of a realm which is not there; it names those that are.
pub(super) async fn no_realm(app: &Shared, name: &str) -> Failure {
    let there = app.store.realms().await.unwrap_or_default();
    let names: Vec<&str> = there.iter().map(|realm| realm.name.as_str()).collect();
    match names.as_slice() {
        [] => Failure::usage(format!("there is no realm {name}, nor any other")),
        names => Failure::usage(format!("there is no realm {name}; there is {}", names.join(", "))),
    }
}

/// A server's database, and nothing applied to it that its configuration names.
async fn build(place: &Place, mut config: Config) -> Result<Shared, Failure> {
    config.realm_files.clear();
    boot::build(&config, Clock::system(), Seed::default())
        .await
        .map_err(|error| Failure::from(error).with_config(place.file()))
}

impl Plan {
    /// Shows the plans.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let realms = self.wish.realms()?;
        let app = self.wish.look().await?;
        let plans = self.wish.plans(&app, &realms).await?;
        app.store.close().await;
        match self.output {
            Output::Text => say(&plans.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
            Output::Json => {
                let plans: Vec<_> = plans.iter().map(realm_file::Plan::json).collect();
                say(&format!("{}\n", json!({ "realms": plans })))
            }
        }
    }
}
