//! The operator's part of `oidcc-server-rotate-keys`: the command rotates the keys of a server that runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use vestibule::testing::{Options, Rp, TestServer};

use super::header;

/// Material of the signing keys in the key set, by `kid`.
async fn published(server: &TestServer, rp: &Rp) -> BTreeMap<String, Value> {
    let set = server.browser().get(&rp.endpoint("certs")).await.json();
    let keys = set["keys"].as_array().unwrap();
    let keys = keys.iter().map(|key| (key["kid"].as_str().unwrap().to_owned(), key["n"].clone()));
    keys.collect()
}

/// Runs `vestibule key rotate` beside the server, and gives the `kid` that the key set then has in addition. `signer` has
/// signed, and stays.
async fn rotate(folder: &Path, server: &TestServer, rp: &Rp, signer: &str, more: &[&str]) -> String {
    let before = published(server, rp).await;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.args(["key", "rotate", "--realm", "main", "--data"]).arg(folder).args(more);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let begun = Instant::now();
    loop {
        let after = published(server, rp).await;
        if let Some((kid, material)) = after.iter().find(|(kid, _)| !before.contains_key(*kid)) {
            assert!(after.contains_key(signer), "the old key is kept");
            assert!(!material.is_null() && before.values().all(|old| old != material), "new material");
            return kid.clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "the server does not show the new key");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn oidcc_server_rotate_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let database = Some(format!("sqlite://{}", file("vestibule.db").display()));
    let key_file = Some(file("key-encryption.key"));
    let server = TestServer::with(Options { database, key_file, ..Options::default() }).await.unwrap();
    let (rp, mut browser) = (server.rp("web", Some("web-secret")), server.browser());
    let first = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    let old = header(first.id_token())["kid"].as_str().unwrap().to_owned();

    let next = rotate(folder.path(), &server, &rp, &old, &[]).await;
    let second = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert_eq!(header(second.id_token())["kid"], old.as_str(), "it is shown before it signs");
    assert_ne!(next, old);

    let now = rotate(folder.path(), &server, &rp, &old, &["--at-once"]).await;
    let third = rp.sign_in(&mut browser, "alice", "alice").await.unwrap();
    assert_eq!(header(third.id_token())["kid"], now.as_str());
    assert!(!published(&server, &rp).await.contains_key(&next), "what never signed goes before it does");
    for (row, tokens) in [("the old key", &first), ("the new key", &third)] {
        let reply = rp.userinfo(&browser, tokens.access_token()).await;
        assert_eq!(reply.status, 200, "what {row} signed is good: {}", reply.body);
    }
    assert!(rp.refresh(&browser, first.refresh_token()).await.is_ok());
}
