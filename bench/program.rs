//! The program that is measured.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the program as it is shipped, beside this one, and gives its path.
///
/// # Errors
/// When cargo cannot be run or fails, with what it said on standard error.
pub fn build() -> io::Result<PathBuf> {
    // target/release/deps/speed-0123456789abcdef
    let own = std::env::current_exe()?;
    let release = own.parent().and_then(Path::parent);
    let Some((release, target)) = release.and_then(|release| Some((release, release.parent()?))) else {
        return Err(io::Error::other("no folder of builds"));
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let built = Command::new(cargo)
        .args(["build", "--release", "--locked", "--package", "vestibule-program", "--bin", "vestibule"])
        .arg("--target-dir")
        .arg(target)
        .current_dir(root())
        .status()?;
    if built.success() {
        Ok(release.join("vestibule"))
    } else {
        Err(io::Error::other("the program could not be built"))
    }
}

/// The folder of the project.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
