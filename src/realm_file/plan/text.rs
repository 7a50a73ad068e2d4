//! A plan for people: one line for each record, `+` new, `~` changed, `-` gone, and its fields below.

use std::fmt;

use serde_json::{Value, json};

use super::super::FileProblem;
use super::super::read::clients::grant_name;
use super::super::read::duration::written;
use super::{Action, Difference, Plan};
use crate::protocol::display::spelled;

/// Fields that are spans of time, shown as `5m`.
pub(in super::super) const SPANS: [&str; 23] = [
    "lifetimes.access_token",
    "lifetimes.code",
    "lifetimes.pushed_request",
    "lifetimes.device_code",
    "lifetimes.login",
    "lifetimes.session_idle",
    "lifetimes.session_max",
    "lifetimes.remember_me_idle",
    "lifetimes.remember_me_max",
    "lifetimes.offline_idle",
    "lifetimes.offline_max",
    "refresh_retry_window",
    "recent_acr_age",
    "brute_force.wait",
    "brute_force.max_wait",
    "brute_force.window",
    "access_token_lifetime",
    "session_idle",
    "session_max",
    "offline_idle",
    "offline_max",
    "device_code_lifetime",
    "device_interval",
];

/// Fields that are told without their values.
const SECRETS: [&str; 2] = ["secret", "password"];

impl Plan {
    /// The plan for programs: `realm`, `new_realm`, `changes` and `production_refusals`.
    #[must_use]
    pub fn json(&self) -> Value {
        let refusal = |problem: &FileProblem| {
            json!({
                "file": problem.file, "line": problem.line, "field": problem.field, "message": problem.message,
            })
        };
        json!({
            "realm": self.realm,
            "new_realm": self.new_realm,
            "changes": self.differences,
            "notes": self.notes().collect::<Vec<_>>(),
            "production_refusals": self.production_refusals.iter().map(refusal).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = spelled(&self.realm);
        if self.is_empty() {
            writeln!(f, "Realm {name}: nothing to change.")?;
        } else {
            writeln!(f, "Realm {name}:")?;
            for difference in &self.differences {
                record(difference, f)?;
            }
            let count = |action| self.differences.iter().filter(|one| one.action == action).count();
            writeln!(
                f,
                "{} to create, {} to change, {} to delete.",
                count(Action::Create),
                count(Action::Update),
                count(Action::Delete)
            )?;
        }
        for note in self.notes() {
            writeln!(f, "Note: {}", spelled(note))?;
        }
        if !self.production_refusals.is_empty() {
            writeln!(f, "Production (`serve`) would refuse:")?;
            for problem in &self.production_refusals {
                writeln!(f, "  {problem}")?;
            }
        }
        Ok(())
    }
}

fn record(difference: &Difference, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let sign = match difference.action {
        Action::Create => '+',
        Action::Update => '~',
        Action::Delete => '-',
    };
    let name = spelled(&difference.name);
    writeln!(f, "{}", format!("{sign} {} {name}", difference.kind).trim_end())?;
    for field in &difference.fields {
        let new = shown(&field.field, &field.new);
        match difference.action {
            Action::Create => writeln!(f, "    {}: {new}", field.field)?,
            // Masked on both sides, which would look like no change.
            _ if SECRETS.contains(&field.field.as_str()) && field.old == field.new => {
                writeln!(f, "    {}: another one", field.field)?;
            }
            _ => writeln!(f, "    {}: {} → {new}", field.field, shown(&field.field, &field.old))?,
        }
    }
    Ok(())
}

/// A value on one line, spelled as in a realm file.
fn shown(field: &str, value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Number(number) if SPANS.contains(&field) => {
            number.as_i64().map_or_else(|| number.to_string(), written)
        }
        Value::Array(items) if field == "mappers" => {
            let names: Vec<&str> =
                items.iter().filter_map(|one| one.get("name").and_then(Value::as_str)).collect();
            json!(names).to_string()
        }
        Value::Array(items) if matches!(field, "grants" | "registration_grants") => {
            let grants = items.iter().filter_map(|grant| serde_json::from_value(grant.clone()).ok());
            json!(grants.map(grant_name).collect::<Vec<_>>()).to_string()
        }
        Value::String(text) if SECRETS.contains(&field) => text.clone(),
        other => other.to_string(),
    }
}
