//! Keycloak's options out of arguments and variables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::names::{ACTED_UPON, FLAGS, OLDER, WITHOUT_MEANING, is_keycloaks, is_secret};
use crate::realm_file::keycloak::fill;

/// Where an option was found. An argument wins over a variable, and that over a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// `--http-port=8080`
    Argument,
    /// `KC_HTTP_PORT=8080`
    Environment,
    /// `http-port=8080` in `keycloak.conf`
    File,
}

/// Options by name, without dashes in front. `Debug` shows no value.
#[derive(Clone, Default)]
pub struct Options(BTreeMap<String, (String, Source)>);

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Options {
    /// Reads `arguments` (`--name=value`, `--name value`, `--flag`) and the variables among `environment` that are
    /// Keycloak's: `KC_HTTP_PORT` is `--http-port`.
    #[must_use]
    pub fn read(arguments: &[String], environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut options = Self::default();
        let variables: BTreeMap<String, String> = environment.into_iter().collect();
        for (variable, value) in &variables {
            if let Some(name) = variable.strip_prefix("KC_") {
                let name = name.to_ascii_lowercase().replace('_', "-");
                options.0.insert(name, (value.clone(), Source::Environment));
            }
        }
        // A `DB_ADDR` may be the application's own, unless `DB_VENDOR` says whose database it is.
        let databases = variables.get("DB_VENDOR").is_some_and(|vendor| vendor.starts_with("postgres"));
        for (variable, name) in OLDER {
            if let Some(value) = variables.get(variable)
                && (databases || !variable.starts_with("DB_"))
            {
                options.0.entry(name.to_owned()).or_insert_with(|| (value.clone(), Source::Environment));
            }
        }
        options.arguments(arguments);
        options
    }

    /// The same, with the lines of `keycloak.conf` beneath: `name=value`, and `#` before remarks. `env` fills in
    /// `${NAME}` and `${NAME:default}`.
    #[must_use]
    pub fn with_file(mut self, text: &str, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let text = fill(text, env);
        let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
        for (name, value) in lines.filter_map(|line| line.split_once('=')) {
            let name = name.trim().trim_start_matches("kc.").to_ascii_lowercase();
            self.0.entry(name).or_insert_with(|| (value.trim().to_owned(), Source::File));
        }
        self
    }

    fn arguments(&mut self, arguments: &[String]) {
        let mut rest = arguments.iter().map(String::as_str).peekable();
        while let Some(argument) = rest.next() {
            let long = match argument {
                "-h" => "help",
                "-v" => "verbose",
                "-cf" => "config-file",
                other => other.trim_start_matches('-'),
            };
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, value),
                None if FLAGS.contains(&long) => (long, "true"),
                None => (long, rest.next_if(|next| !next.starts_with('-')).unwrap_or("true")),
            };
            if !name.is_empty() {
                self.0.insert(name.to_ascii_lowercase(), (value.to_owned(), Source::Argument));
            }
        }
    }

    /// The value of an option, unless it is empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.trim()).filter(|value| !value.is_empty())
    }

    /// The value of a switch; none when it is neither on nor off.
    #[must_use]
    pub fn switch(&self, name: &str) -> Option<bool> {
        match self.text(name)?.to_ascii_lowercase().as_str() {
            "true" | "on" | "yes" | "1" => Some(true),
            "false" | "off" | "no" | "0" => Some(false),
            _ => None,
        }
    }

    /// The names of those that do nothing here, for one warning.
    #[must_use]
    pub fn idle(&self) -> Vec<&str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|name| !ACTED_UPON.contains(name) && !WITHOUT_MEANING.contains(name)).collect()
    }

    /// The names among the arguments that are none of Keycloak's: slips of the pen, or options of another command.
    #[must_use]
    pub fn unknown(&self) -> Vec<&str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|name| self.is_argument(name) && !is_keycloaks(name)).collect()
    }

    /// Takes the value of an argument that is ours and not Keycloak's; the rest does not know it then.
    pub fn take(&mut self, name: &str) -> Option<String> {
        if !self.is_argument(name) {
            return None;
        }
        self.0.remove(name).map(|(value, _)| value)
    }

    /// Whether it stands among the arguments.
    #[must_use]
    pub fn is_argument(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|(_, source)| *source == Source::Argument)
    }

    /// Each option with where it comes from, secrets masked, as `show-config` tells it.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for (name, (value, source)) in &self.0 {
            let value = if is_secret(name) { "*******" } else { value };
            let source = match source {
                Source::Argument => "CLI",
                Source::Environment => "ENV",
                Source::File => "keycloak.conf",
            };
            let _ = writeln!(text, "\tkc.{name} =  {value} ({source})");
        }
        text
    }
}
