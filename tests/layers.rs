//! The dependency rule: `protocol` is the law, and knows no server, no database and no runtime.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

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

#[test]
fn the_reader_finds_what_it_looks_for() {
    assert_eq!(offences("use axum::Router;\n// sqlx\nlet x = crate::store::Store;").len(), 2);
}
