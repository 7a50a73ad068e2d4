//! Realm files: read, compared with a realm, applied, written.
//!
//! Owns our short form (TOML, YAML and JSON of the same shape): its fields, its rules, its mistakes with file, line
//! and field; and in `keycloak` the realm JSON of Keycloak. Leaves to [`crate::keycloak`] Keycloak's words, to `protocol` the records and their rules, and to
//! `store` how they are kept.

mod apply;
mod claims;
mod demo;
mod describe;
mod entities;
mod export;
mod fresh;
pub mod keycloak;
mod load;
mod mend;
mod newcomers;
mod oversee;
mod places;
mod plan;
mod problem;
pub(crate) mod read;
pub mod spec;
pub mod state;
mod validate;

use std::path::Path;

pub use apply::{ApplyError, NewSecret, Prepared, apply, apply_spec, plan, plan_new, prepare};
pub use demo::demo;
pub use export::{ExportError, ExportOptions, export, export_with};
pub use keycloak::{KeycloakExport, KeycloakRealm, export as export_keycloak};
pub use load::{load, load_without_people};
pub use mend::mend;
pub use newcomers::{Newcomers, add_new};
pub use oversee::{oversee, oversight};
pub use plan::{Action, Difference, FieldDifference, Plan, PlanOptions};
pub use problem::{FileProblem, FileProblems};
pub use read::parse;
pub use spec::RealmSpec;
pub use validate::{out_of_reach, production_refusals, rules};

/// The largest realm file, in bytes.
const LARGEST: u64 = 256 * 1024 * 1024;

/// How a realm file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `.toml`
    Toml,
    /// `.yaml`, `.yml`
    Yaml,
    /// `.json`
    Json,
}

impl Format {
    /// The format that a file's name promises.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Reads the realms of the file at `path`, filling in `${ENV}` from the process's environment.
///
/// # Errors
/// Every mistake that was found: the file that cannot be read, its syntax, its fields, its rules.
pub fn read(path: &Path) -> Result<Vec<RealmSpec>, FileProblems> {
    let name = path.display().to_string();
    let format = Format::of(path);
    if format.is_none() && !begins_as_json(path) {
        return Err(FileProblems::of_file(&name, "a realm file ends in .toml, .yaml, .yml or .json"));
    }
    let format = format.unwrap_or(Format::Json);
    let text = text_of(path).map_err(|message| FileProblems::of_file(&name, message))?;
    parse(&text, format, &name, &|variable| std::env::var(variable).ok())
}

/// Whether the first letter of a file is that of an object.
fn begins_as_json(path: &Path) -> bool {
    use std::io::Read as _;
    let mut begin = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(64).read_to_string(&mut begin));
    read.is_ok() && begin.trim_start_matches('\u{feff}').trim_start().starts_with('{')
}

fn text_of(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?.len();
    if size > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}
