//! How commands end and what they print: tables for people, JSON for programs, exit codes for both.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::ValueEnum;

use super::{FAULT, USAGE};
use crate::boot::BootError;
use crate::realm_file::ApplyError;
use crate::store::StoreError;

/// For whom a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// Why a command failed, in words for who started it.
#[derive(Debug)]
pub(super) struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A fault: exit code 1.
    #[must_use]
    pub(super) fn fault(message: impl ToString) -> Self {
        Self { code: FAULT, message: message.to_string() }
    }

    /// The same failure of a command that was told of the configuration in `file`: so is the one that mends it.
    #[must_use]
    pub(super) fn with_config(mut self, file: Option<&Path>) -> Self {
        if let Some(file) = file {
            let migrate = format!("`vestibule migrate --config {}`", file.display());
            self.message = self.message.replace("`vestibule migrate`", &migrate);
        }
        self
    }

    /// Wrong usage or configuration: exit code 2.
    #[must_use]
    pub(super) fn usage(message: impl ToString) -> Self {
        Self { code: USAGE, message: message.to_string() }
    }
}

impl From<BootError> for Failure {
    fn from(error: BootError) -> Self {
        match error {
            BootError::RealmFile(_)
            | BootError::Keys(_)
            | BootError::Roots(_)
            | BootError::Tls(_)
            | BootError::Folder { .. } => Self::usage(error),
            BootError::Store(StoreError::Schema(_)) | BootError::Apply(ApplyError::File(_)) => {
                Self::usage(error)
            }
            _ => Self::fault(error),
        }
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        Self::from(BootError::from(error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(BootError::from(error))
    }
}

/// Prints, and fails when nobody can read it: who waits for the line would wait for ever.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Failure::fault)
}

/// Several problems each on a line of its own, below the program's name.
fn below_each_other(message: &str) -> String {
    if message.trim_end().contains('\n') {
        return format!("\n  {}", message.trim_end().replace('\n', "\n  "));
    }
    format!(" {message}")
}

/// Prints a failure and gives the process its exit code.
#[must_use]
pub(super) fn ended<T>(outcome: Result<T, Failure>) -> ExitCode {
    match outcome {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("vestibule:{}", below_each_other(&failure.message));
            ExitCode::from(failure.code)
        }
    }
}
