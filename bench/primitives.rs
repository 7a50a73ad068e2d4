//! What the parts cost alone, on the server's core: signatures, and commits to the disk.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::Outcome;
use crate::limit::Signer;

/// Signs for a while and prints signatures a second.
pub(crate) fn sign(algorithm: &str, span: Duration) -> Outcome<()> {
    let signer = Signer::new()?;
    let message = "x".repeat(800);
    repeat(span, 1, || signer.sign(algorithm, message.as_bytes()).map(drop))
}

/// Hashes a password as production does for a while and prints hashes a second: Argon2id, 19 MiB, two passes, one lane, in
/// memory that is kept from one hash to the next.
pub(crate) fn hash(span: Duration) -> Outcome<()> {
    let cost = argon2::Params::new(19 * 1024, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let mut memory = vec![argon2::Block::default(); cost.block_count()];
    let argon2 = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, cost);
    let mut key = [0; 32];
    repeat(span, 1, || {
        let hashed = argon2.hash_password_into_with_memory(b"a password", &[7; 16], &mut key, &mut memory);
        hashed.map_err(|error| error.to_string().into())
    })
}

/// Commits for a while, so many rows at a time, each time to the disk, and prints rows a second.
pub(crate) fn commit(folder: &str, many: u32, span: Duration) -> Outcome<()> {
    let file = std::path::Path::new(folder).join(format!("commits-{}.db", std::process::id()));
    let rows = Connection::open(&file)?;
    rows.pragma_update(None, "journal_mode", "WAL")?;
    rows.pragma_update(None, "synchronous", "FULL")?;
    rows.execute_batch("CREATE TABLE tokens (id INTEGER PRIMARY KEY, grant_id TEXT, text TEXT)")?;
    let mut insert = rows.prepare("INSERT INTO tokens (grant_id, text) VALUES (?1, ?2)")?;
    let text = "x".repeat(200);
    let result = repeat(span, many, || {
        rows.execute_batch("BEGIN")?;
        for _ in 0..many {
            insert.execute(("grant", &text))?;
        }
        Ok(rows.execute_batch("COMMIT")?)
    });
    std::fs::remove_file(file)?;
    result
}

/// Does `once`, which counts for `many`, until `span` is over.
fn repeat(span: Duration, many: u32, mut once: impl FnMut() -> Outcome<()>) -> Outcome<()> {
    let begun = Instant::now();
    let mut count = 0_u32;
    while begun.elapsed() < span {
        once()?;
        count += many;
    }
    println!("{}", f64::from(count) / begun.elapsed().as_secs_f64());
    Ok(())
}
