//! `vestibule export --file` and `--dir`: realms as Keycloak's command writes them.

use std::ffi::OsString;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Raw, help, open};
use crate::app::Shared;
use crate::boot::Seed;
use crate::cli::output::{Failure, say};
use crate::config::keycloak::Options;
use crate::realm_file::keycloak::{ExportedFile, UsersIn, files, single_file};
use crate::realm_file::{self, state::State};

/// Commands that Keycloak's flags may stand before.
const COMMANDS: [&str; 7] =
    ["start-dev", "start", "build", "show-config", "import", "export", "bootstrap-admin"];

/// How many users a file of users holds, when nobody says.
const USERS_PER_FILE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(49);

/// Arguments of Keycloak's `export`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    raw: Raw,
}

/// The arguments of the process with the command first, where Keycloak's may follow flags; and an `export` in Keycloak's form
/// goes by a name of its own, since our `export` writes to standard output, Keycloak's always into files.
pub(in crate::cli) fn told_apart(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let command = arguments.iter().position(|argument| COMMANDS.iter().any(|command| argument == command));
    let flags = command.and_then(|at| arguments.get(1..at)).unwrap_or_default();
    if let Some(at) = command
        && flags.iter().all(|flag| flag.to_string_lossy().starts_with('-'))
    {
        let command = arguments.remove(at);
        arguments.insert(1, command);
    }
    // The first two are the program and the command.
    let is_keycloak = arguments.iter().skip(2).any(|argument| {
        let argument = argument.to_string_lossy();
        let name = argument.split('=').next().unwrap_or_default();
        ["--dir", "--file", "--realm", "--users", "--users-per-file"].contains(&name)
    });
    if let Some(command) = arguments.get_mut(1)
        && *command == "export"
        && is_keycloak
    {
        *command = "keycloak-export".into();
    }
    arguments
}

impl Export {
    /// Writes the files, and says which.
    pub(in crate::cli) async fn run(self) -> Result<(), Failure> {
        let Some(options) = self.raw.read(help::EXPORT)? else { return Ok(()) };
        let wish = Wish::read(&options)?;
        let app = open(&options, Seed::default()).await?;
        let states = states(&app, options.text("realm")).await?;
        app.store.close().await;
        let written = wish.write(&states, options.text("realm").is_none(), &app)?;
        for state in &states {
            tell_of_hashed(state, &app);
        }
        for file in left_over(&written) {
            tracing::warn!(file = %file.display(), "is of an earlier export, and an import of the folder takes it too");
        }
        say(&format!("Exported {}\n", super::listed(&written)))
    }
}

/// Where to, and with which users.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    File(PathBuf, UsersIn),
    Folder(PathBuf, UsersIn),
}

impl Wish {
    fn read(options: &Options) -> Result<Self, Failure> {
        let most = match options.text("users-per-file") {
            Some(text) => text.parse().map_err(|_| {
                Failure::usage(format!("--users-per-file: {text:?} is no number of users: write 1 or more"))
            })?,
            None => USERS_PER_FILE,
        };
        let users = match options.text("users").map(|text| text.to_ascii_lowercase().replace('-', "_")) {
            None => None,
            Some(text) => Some(match text.as_str() {
                "skip" => UsersIn::Skipped,
                "realm_file" => UsersIn::RealmFile,
                "same_file" => UsersIn::SameFile,
                "different_files" => UsersIn::DifferentFiles(most),
                other => {
                    return Err(Failure::usage(format!(
                        "--users: {other:?} is unknown: write different_files, skip, realm_file or same_file"
                    )));
                }
            }),
        };
        match (options.text("file"), options.text("dir")) {
            (Some(_), None) if matches!(users, Some(UsersIn::DifferentFiles(_))) => Err(Failure::usage(
                "--users different_files is for --dir: one --file holds everything, or with --users skip no users",
            )),
            (Some(file), None) => Ok(Self::File(file.into(), users.unwrap_or(UsersIn::RealmFile))),
            (None, Some(folder)) => {
                Ok(Self::Folder(folder.into(), users.unwrap_or(UsersIn::DifferentFiles(most))))
            }
            _ => Err(Failure::usage("name where to export to: --file FILE or --dir DIR")),
        }
    }

    fn write(&self, states: &[State], all: bool, app: &Shared) -> Result<Vec<PathBuf>, Failure> {
        match self {
            Self::File(file, users) => {
                let text = single_file(states, all, *users, &app.client_secrets).map_err(Failure::fault)?;
                put(file, &text)?;
                Ok(vec![file.clone()])
            }
            Self::Folder(folder, users) => {
                let cannot = |error| Failure::usage(format!("{}: {error}", folder.display()));
                std::fs::create_dir_all(folder).map_err(cannot)?;
                let mut written = Vec::new();
                for state in states {
                    for ExportedFile { name, text } in
                        files(state, *users, &app.client_secrets).map_err(Failure::fault)?
                    {
                        let path = folder.join(name);
                        put(&path, &text)?;
                        written.push(path);
                    }
                }
                Ok(written)
            }
        }
    }
}

/// The realm of this name, or all.
async fn states(app: &Shared, realm: Option<&str>) -> Result<Vec<State>, Failure> {
    let names = match realm {
        Some(name) => vec![name.to_owned()],
        None => app.store.realms().await?.into_iter().map(|realm| realm.name).collect(),
    };
    let mut states = Vec::with_capacity(names.len());
    for name in names {
        let state = realm_file::load(&app.store, &name).await?;
        states.push(state.ok_or_else(|| Failure::usage(format!("there is no realm {name}")))?);
    }
    if states.is_empty() { Err(Failure::usage("there is no realm in this database")) } else { Ok(states) }
}

/// Names the clients whose secrets no file can give.
fn tell_of_hashed(state: &State, app: &Shared) {
    let hashed = state.clients.iter().filter(|client| client.secret_hash.is_some() && !client.is_public());
    let hashed = hashed.filter(|client| app.client_secrets.shown(client).is_none());
    let names: Vec<&str> = hashed.map(|client| client.client_id.as_str()).collect();
    if !names.is_empty() {
        let (realm, clients) = (&state.realm.name, names.join(", "));
        tracing::warn!(realm, clients, "their secrets are kept as hashes alone, and are not in the files");
    }
}

/// Writes a file for its owner alone: it holds what proves users and clients.
fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(cannot)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(cannot)?;
    file.write_all(text.as_bytes()).map_err(cannot)
}

/// Files of users of the same realms that this export did not write.
fn left_over(written: &[PathBuf]) -> Vec<PathBuf> {
    let Some(folder) = written.first().and_then(|path| path.parent()) else { return Vec::new() };
    let realms = written.iter().filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix("-realm.json")?;
        Some(format!("{name}-users"))
    });
    let realms: Vec<String> = realms.collect();
    let there = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let paths = there.map(|entry| folder.join(entry.file_name()));
    paths
        .filter(|path| !written.contains(path))
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            realms.iter().filter_map(|realm| name.strip_prefix(realm.as_str())).any(is_numbered)
        })
        .collect()
}

/// Whether this is how the name of a file of users ends.
fn is_numbered(rest: &str) -> bool {
    rest.strip_suffix(".json").is_some_and(|number| {
        number.is_empty()
            || number.strip_prefix('-').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_options_ask_for() {
        let fifty = UsersIn::DifferentFiles(USERS_PER_FILE);
        assert_eq!(USERS_PER_FILE.get(), 50);
        let (file, dir) =
            (|users| Some(Wish::File("f".into(), users)), |users| Some(Wish::Folder("d".into(), users)));
        for (text, expected) in [
            ("--dir d", dir(fifty)),
            ("--dir d --users skip", dir(UsersIn::Skipped)),
            ("--dir=d --users=SAME_FILE", dir(UsersIn::SameFile)),
            ("--dir d --users different_files --users-per-file 2", {
                dir(UsersIn::DifferentFiles(NonZeroUsize::new(2).unwrap()))
            }),
            ("--file f", file(UsersIn::RealmFile)),
            ("--file f --users same_file", file(UsersIn::SameFile)),
            ("--file f --users skip", file(UsersIn::Skipped)),
            ("--file f --users different_files", None),
            ("--dir d --users some", None),
            ("--dir d --users-per-file 0", None),
            ("--dir d --file f", None),
            ("--realm r", None),
        ] {
            let arguments: Vec<String> = text.split(' ').map(str::to_owned).collect();
            assert_eq!(Wish::read(&Options::read(&arguments, [])).ok(), expected, "{text}");
        }
    }

    #[test]
    fn only_an_export_with_keycloaks_flags_is_keycloaks() {
        for (text, renamed) in [
            ("vestibule export --file f", true),
            ("vestibule export --db postgres --dir=d", true),
            ("vestibule export --realm r", true),
            ("vestibule export r --format keycloak", false),
            ("vestibule export --help", false),
            ("vestibule import --file f", false),
        ] {
            let found = told_apart(text.split(' ').map(OsString::from));
            assert_eq!(found.get(1).is_some_and(|name| *name == "keycloak-export"), renamed, "{text}");
        }
        for (text, expected) in [
            ("kc.sh --verbose start-dev --http-port 1", "kc.sh start-dev --verbose --http-port 1"),
            ("kc.sh --config-file=a -v start", "kc.sh start --config-file=a -v"),
            ("kc.sh start-dev --import-realm", "kc.sh start-dev --import-realm"),
            ("vestibule completions start", "vestibule completions start"),
        ] {
            let found = told_apart(text.split(' ').map(OsString::from));
            assert_eq!(found.join(std::ffi::OsStr::new(" ")), expected, "{text}");
        }
    }
}
