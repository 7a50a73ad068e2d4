//! Many writers on a disk whose fsync takes long: what sharing a commit is worth.

use std::path::Path;
use std::process::Command;

use crate::load::Job;
use crate::measure::drive;
use crate::peer::Peer;
use crate::process::{Process, prepare};
use crate::report::SlowDisk;
use crate::{Options, Outcome, here};

const FSYNC_MS: f64 = 5.0;
const CONNECTIONS: usize = 64;

/// Refreshes over one connection, each with a commit of its own, and over many; none where there is no C compiler.
pub(crate) fn measure(options: &Options, folder: &Path) -> Outcome<Option<SlowDisk>> {
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
    let mut peer = Peer::own(&data, options)?;
    prepare(&peer, &data)?;
    peer.environment.insert("LD_PRELOAD".to_owned(), library.display().to_string());
    peer.environment.insert("SLOW_FSYNC_MICROS".to_owned(), (FSYNC_MS * 1_000.0).to_string());
    let (_server, _) = Process::start(&peer)?;
    // Two RSA signatures a refresh would let a processor be what 64 connections wait for, and not the disk.
    let peer = peer.in_realm("es256");
    let alone = drive(&peer, &Job::Refresh, 1, options.seconds)?.rate;
    let together = drive(&peer, &Job::Refresh, CONNECTIONS, options.seconds)?.rate;
    Ok(Some(SlowDisk { fsync_ms: FSYNC_MS, alone, connections: CONNECTIONS, together }))
}
