//! `vestibule apply`: bring realms to what their files say.

use clap::Args;
use serde_json::{Value, json};

use super::output::{Failure, Output, say};
use super::plan::Wish;
use crate::realm_file::{self, NewSecret};

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  vestibule apply realm.toml
  vestibule apply users.yaml clients.toml --config vestibule.toml
  vestibule apply realm.toml --prune

Each realm is one transaction; a mistake in any file changes nothing. Applying again changes nothing.
A running server follows within a second.")]
pub(super) struct Apply {
    #[command(flatten)]
    wish: Wish,
    /// For people or for programs
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

impl Apply {
    /// Applies the files and tells what changed.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let realms = self.wish.realms()?;
        let app = self.wish.open().await?;
        // Every plan before the first change, so that a mistake in the last realm leaves the first one alone.
        self.wish.plans(&app, &realms).await?;
        let mut told = Vec::new();
        let mut told_in_words = Vec::new();
        for realm in &realms {
            let (options, now) = (self.wish.options(), app.clock.now());
            let (plan, secrets) =
                realm_file::apply_spec(&app.store, &app.client_secrets, realm, options, now).await?;
            match self.output {
                Output::Text => told_in_words.push(shown(&plan, &secrets)),
                Output::Json => told.push(structured(&plan, &secrets)),
            }
        }
        app.store.close().await;
        match self.output {
            Output::Text => say(&told_in_words.join("\n")),
            Output::Json => say(&format!("{}\n", json!({ "realms": told }))),
        }
    }
}

fn shown(plan: &realm_file::Plan, secrets: &[NewSecret]) -> String {
    let mut text = plan.to_string();
    if !plan.is_empty() {
        text.push_str("Applied.\n");
    }
    if !secrets.is_empty() {
        text.push_str("New secrets, shown this once:\n");
    }
    for new in secrets {
        text.push_str(&format!("  {}: {}\n", new.client_id, new.secret.expose()));
    }
    text
}

fn structured(plan: &realm_file::Plan, secrets: &[NewSecret]) -> Value {
    let secrets: Vec<Value> = secrets
        .iter()
        .map(|new| json!({ "client_id": new.client_id, "secret": new.secret.expose() }))
        .collect();
    let mut told = plan.json();
    if let Some(fields) = told.as_object_mut() {
        fields.insert("new_secrets".to_owned(), secrets.into());
    }
    told
}
