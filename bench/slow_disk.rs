//! Many writers on a disk whose fsync takes long: what sharing a commit is worth.

use std::path::Path;
use std::process::Command;

use crate::load::Job;
use crate::measure::drive;
use crate::peer::Peer;
use crate::process::{Process, free_port};
use crate::report::SlowDisk;
use crate::{Outcome, here};

const FSYNC_MS: f64 = 5.0;
const CONNECTIONS: usize = 64;
const SECONDS: f64 = 4.0;

/// Refreshes over one connection, each with a commit of its own, and over many; none where there is no C compiler.
pub(crate) fn measure(folder: &Path, binary: &str) -> Outcome<Option<SlowDisk>> {
    let library = folder.join("slow_fsync.so");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .arg(&library)
        .arg(here("bench/slow_fsync.c"))
        .arg("-ldl")
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("the slow disk is left out: this machine lacks a C compiler (cc)");
        return Ok(None);
    }
    let data = folder.join("slow-disk");
    let file = here("bench/peers/vestibule/peer.toml");
    let mut peer = Peer::read(&file, free_port()?, &data, binary)?;
    peer.environment.insert("LD_PRELOAD".to_owned(), library.display().to_string());
    peer.environment.insert("SLOW_FSYNC_MICROS".to_owned(), (FSYNC_MS * 1_000.0).to_string());
    let (_server, _) = Process::start(&peer)?;
    let alone = drive(&peer, &Job::Refresh, 1, SECONDS)?.rate;
    let together = drive(&peer, &Job::Refresh, CONNECTIONS, SECONDS)?.rate;
    Ok(Some(SlowDisk { fsync_ms: FSYNC_MS, alone, connections: CONNECTIONS, together }))
}
