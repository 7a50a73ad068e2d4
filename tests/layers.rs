//! The dependency rule: `protocol` is the law, and knows no server, no database and no runtime.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FORBIDDEN: [&str; 6] = ["axum", "sqlx", "rusqlite", "tokio", "crate::http", "crate::store"];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Lines of code that name something forbidden; comments may speak of anything.
fn offences(text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| FORBIDDEN.iter().any(|name| line.contains(name)))
        .map(|line| line.trim().to_owned())
        .collect()
}

#[test]
fn protocol_knows_nothing_of_servers_and_databases() {
    let mut files = Vec::new();
    rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol"), &mut files);
    assert!(files.len() > 20, "the folder moved: {files:?}");
    for file in files {
        let found = offences(&std::fs::read_to_string(&file).unwrap());
        assert!(found.is_empty(), "{}: {found:?}", file.display());
    }
}

/// Modules outside of `protocol` that a text of it names.
fn neighbours(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    // Before the first `crate::` of a line nothing is named.
    let named = code.flat_map(|line| line.split("crate::").skip(1)).map(|rest| {
        rest.chars().take_while(|letter| letter.is_ascii_alphanumeric() || *letter == '_').collect::<String>()
    });
    named.filter(|name| name != "protocol").collect()
}

#[test]
fn what_protocol_rests_on_knows_none_either() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source.join("protocol"), &mut files);
    let named: BTreeSet<String> =
        files.iter().flat_map(|file| neighbours(&std::fs::read_to_string(file).unwrap())).collect();
    assert!(named.contains("clock"), "the reader finds nothing: {named:?}");
    for name in named {
        let mut files = vec![source.join(format!("{name}.rs"))];
        if source.join(&name).is_dir() {
            rust_files(&source.join(&name), &mut files);
        }
        for file in files.iter().filter(|file| file.exists()) {
            let found = offences(&std::fs::read_to_string(file).unwrap());
            assert!(found.is_empty(), "{}: {found:?}", file.display());
        }
    }
}

#[test]
fn the_reader_finds_what_it_looks_for() {
    assert_eq!(offences("use axum::Router;\n// sqlx\nlet x = crate::store::Store;").len(), 2);
    let named = neighbours(
        "use crate::clock::{Clock};\n// crate::http\nlet x = crate::protocol::y(crate::secrets::z());",
    );
    assert_eq!(named, ["clock", "secrets"].map(str::to_owned).into());
}
