//! From the text of a file to Keycloak's representations.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::places::Places;
use super::super::spec::RealmSpec;
use super::super::{FileProblem, FileProblems};
use super::KeycloakRealm;
use super::placeholders::fill;
use crate::keycloak::representation::RealmRepresentation;
use crate::protocol::realm::is_realm_name;

/// Whether JSON text is Keycloak's: an object whose `realm` is the name itself, or a list of those.
pub(in super::super) fn is_keycloak(text: &str, env: &dyn Fn(&str) -> Option<String>) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        realm: Name,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Text(#[expect(dead_code, reason = "that it is a text is all that matters")] String),
        Other(IgnoredAny),
    }
    let text = fill(text, env);
    let first = if text.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<Probe>>(&text).ok().and_then(|realms| realms.into_iter().next())
    } else {
        serde_json::from_str::<Probe>(&text).ok()
    };
    first.is_some_and(|probe| matches!(probe.realm, Name::Text(_)))
}

/// The realms of `text`, which is Keycloak's JSON. `name` stands in messages.
///
/// # Errors
/// A value of the wrong type, with its line; a realm without a usable name.
pub(in super::super) fn parse(
    text: &str,
    name: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<RealmSpec>, FileProblems> {
    let text = fill(text, env);
    let realms = if text.trim_start().starts_with('[') {
        serde_json::from_str::<Vec<RealmRepresentation>>(&text)
    } else {
        serde_json::from_str::<RealmRepresentation>(&text).map(|realm| vec![realm])
    };
    let realms = realms.map_err(|error| FileProblems(vec![problem(name, &error)]))?;
    let mut specs = Vec::with_capacity(realms.len());
    let mut problems = Vec::new();
    for (index, realm) in realms.into_iter().enumerate() {
        let spec = RealmSpec {
            places: Places { file: name.to_owned(), root: format!("[{index}]"), ..Places::default() },
            ..RealmSpec::from(realm)
        };
        if !is_realm_name(&spec.name) {
            let message =
                "a realm's name is of letters, digits, `-`, `_` and `.`, and begins with a letter or digit";
            problems.push(spec.places.problem("realm", message));
        }
        specs.push(spec);
    }
    if problems.is_empty() { Ok(specs) } else { Err(FileProblems(problems)) }
}

fn problem(file: &str, error: &serde_json::Error) -> FileProblem {
    let told = error.to_string();
    let message = told.split(" at line ").next().unwrap_or_default();
    FileProblem {
        file: file.to_owned(),
        line: Some(error.line()),
        field: String::new(),
        message: format!("{message} (column {})", error.column()),
    }
}

impl From<RealmRepresentation> for RealmSpec {
    /// The realm that the representation describes; the other fields of the description stay empty.
    fn from(realm: RealmRepresentation) -> Self {
        Self {
            name: realm.realm.clone().unwrap_or_default(),
            keycloak: Some(KeycloakRealm(Arc::new(realm))),
            ..Self::default()
        }
    }
}
