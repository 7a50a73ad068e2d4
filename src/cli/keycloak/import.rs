//! `vestibule import`: realm files into the database, as Keycloak's command does.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Raw, help, listed, open, refuse_unknown};
use crate::boot::{self, Existing, Seed};
use crate::cli::output::{Failure, say};
use crate::config::keycloak::Options;

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(in crate::cli) struct Import {
    #[command(flatten)]
    raw: Raw,
}

impl Import {
    /// Imports, and says what.
    pub(in crate::cli) async fn run(self) -> Result<(), Failure> {
        let Some(options) = self.raw.read(help::IMPORT)? else { return Ok(()) };
        refuse_unknown(&options, "vestibule import")?;
        let files = files(&options)?;
        let update = options.switch("override") != Some(false);
        let existing = if update { Existing::Update } else { Existing::Skip };
        let import = boot::Import { files: files.clone(), existing };
        let seed = Seed { import: Some(import), ..Seed::default() };
        open(&options, seed).await?.store.close().await;
        say(&format!("Import finished: {}\n", listed(&files)))
    }
}

fn files(options: &Options) -> Result<Vec<PathBuf>, Failure> {
    match (options.text("file"), options.text("dir")) {
        (Some(file), None) => Ok(vec![PathBuf::from(file)]),
        (None, Some(folder)) => {
            let read = boot::import_files(Path::new(folder));
            let files = read.map_err(|error| Failure::usage(format!("{folder}: {error}")))?;
            if files.is_empty() {
                return Err(Failure::usage(format!("{folder}: there is no realm file in it")));
            }
            Ok(files)
        }
        _ => Err(Failure::usage("name what to import: --file FILE or --dir DIR")),
    }
}
