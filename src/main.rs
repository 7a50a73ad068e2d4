//! The `vestibule` command: arguments to one function of the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    vestibule::cli::run()
}
