//! One run: servers started, driven, watched.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::{Job, Measured, Order};
use crate::operations::{Limit, OPERATIONS, Operation, bare_job, job};
use crate::peer::Peer;
use crate::process::{LOAD_CORE, Process, SERVER_CORE, child, fetch, free_port, start_limit};
use crate::report::{Figure, PeerReport, Report};
use crate::{Options, Outcome, here, slow_disk};

/// How often a server is started to see how long that takes.
const STARTS: usize = 5;
/// Connections that rest at once.
const RESTING: usize = 5_000;

/// Measures what the options ask for.
pub(crate) fn everything(options: &Options, folder: &Path) -> Outcome<Report> {
    let binary = env!("CARGO_BIN_EXE_vestibule");
    let mut report = Report {
        machine: machine(),
        seconds: options.seconds,
        repeats: options.repeats,
        program_bytes: std::fs::metadata(binary)?.len(),
        ..Report::default()
    };
    println!("program, {:.1} MB", report.program_bytes as f64 / 1e6);
    parts(options, folder, &mut report)?;
    let mut names = vec!["vestibule".to_owned()];
    names.extend(if options.peers.iter().any(|name| name == "all") {
        others()?
    } else {
        options.peers.clone()
    });
    for name in names {
        let data = folder.join(&name);
        let file = here("bench/peers").join(&name).join("peer.toml");
        let peer = Peer::read(&file, free_port()?, &data, binary)?;
        let missing = peer.missing();
        if !missing.is_empty() {
            println!("{name} is left out: this machine lacks {}", missing.join(", "));
            continue;
        }
        let measured = one(options, &peer, &data, &mut report)?;
        report.peers.push(measured);
    }
    if !options.rates_only {
        report.slow_disk = slow_disk::measure(folder, binary)?;
    }
    Ok(report)
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores ({})", model.map_or("unknown", |(_, model)| model))
}

/// Servers that are described beside our own.
fn others() -> Outcome<Vec<String>> {
    let folders = std::fs::read_dir(here("bench/peers"))?.flatten();
    let names = folders.filter(|folder| folder.path().join("peer.toml").exists());
    let mut names: Vec<_> = names.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "vestibule");
    names.sort();
    Ok(names)
}

/// Signatures and commits alone, and the limits that follow from them.
fn parts(options: &Options, folder: &Path, report: &mut Report) -> Outcome<()> {
    let seconds = options.seconds.to_string();
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let rate =
            median(options.repeats, || Ok(child(SERVER_CORE, &["--sign", algorithm, &seconds])?.parse()?))?;
        report.parts.insert(format!("{algorithm} signatures, aws-lc-rs alone"), rate);
    }
    let folder = folder.display().to_string();
    let commits =
        median(options.repeats, || Ok(child(SERVER_CORE, &["--commit", &folder, &seconds])?.parse()?))?;
    let signatures = report.parts.get("RS256 signatures, aws-lc-rs alone").copied().unwrap_or(f64::NAN);
    for operation in wanted(options) {
        if let Limit::Parts { signatures: many, commits: some } = operation.limit {
            let seconds = f64::from(many) / signatures + f64::from(some) / commits;
            report.limits.insert(operation.name.to_owned(), 1.0 / seconds);
        }
    }
    report.parts.insert("commits of one row, SQLite alone".to_owned(), commits);
    Ok(())
}

fn wanted(options: &Options) -> impl Iterator<Item = &'static Operation> {
    let only = &options.only;
    OPERATIONS
        .iter()
        .filter(move |operation| only.is_empty() || only.iter().any(|name| operation.name.contains(name)))
}

fn one(options: &Options, peer: &Peer, data: &Path, report: &mut Report) -> Outcome<PeerReport> {
    let mut measured = PeerReport { name: peer.name.clone(), ..PeerReport::default() };
    let own = report.peers.is_empty();
    if !options.rates_only {
        starts(peer, data, &mut measured)?;
    }
    let (server, _) = Process::start(peer)?;
    std::thread::sleep(Duration::from_secs(2));
    measured.idle_mb = server.megabytes();
    let document = fetch(&peer.host, &peer.discovery)?;
    let document = document.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let bare = own.then(|| start_limit(document, data)).transpose()?;
    for operation in wanted(options) {
        let Some(job) = job(operation, peer)? else { continue };
        let widest = options.connections.iter().copied().max().unwrap_or(16);
        for &connections in &options.connections {
            // Of the limit, what it reaches with the most connections.
            let beside = match (&bare, operation.limit) {
                (Some((_, host)), Limit::Bare(bare)) if connections == widest => Some((host.as_str(), bare)),
                _ => None,
            };
            let mut figures = Vec::new();
            let mut limits = Vec::new();
            for _ in 0..options.repeats {
                if let Some((host, bare)) = beside {
                    let peer = Peer { host: host.to_owned(), ..peer.clone() };
                    limits.push(drive(&peer, &bare_job(bare, host)?, connections, options.seconds)?.rate);
                }
                let begun = (Instant::now(), server.processor_seconds());
                let measured = drive(peer, &job, connections, options.seconds)?;
                let cores = (server.processor_seconds() - begun.1) / begun.0.elapsed().as_secs_f64();
                figures.push(Figure { measured, cores });
            }
            figures.sort_by(|a, b| a.measured.rate.total_cmp(&b.measured.rate));
            let middle = figures.swap_remove(figures.len() / 2);
            let Measured { rate, bad, why, .. } = &middle.measured;
            println!("{:<16}{:<28}{connections:>4}{rate:>10.0} /s", peer.name, operation.name);
            if let (1.., Some(why)) = (bad, why) {
                println!("    {bad} bad answers, such as: {}", why.chars().take(200).collect::<String>());
            }
            if !limits.is_empty() {
                limits.sort_by(f64::total_cmp);
                report.limits.insert(operation.name.to_owned(), limits[limits.len() / 2]);
            }
            measured.operations.entry(operation.name.to_owned()).or_default().insert(connections, middle);
        }
    }
    measured.loaded_mb = server.megabytes();
    if !options.rates_only {
        measured.connection_kb = resting(peer, &server);
    }
    Ok(measured)
}

pub(crate) fn drive(peer: &Peer, job: &Job, connections: usize, seconds: f64) -> Outcome<Measured> {
    let order = Order { peer: peer.clone(), job: job.clone(), connections, seconds };
    Ok(serde_json::from_str(&child(LOAD_CORE, &["--load", &serde_json::to_string(&order)?])?)?)
}

fn median(repeats: usize, once: impl Fn() -> Outcome<f64>) -> Outcome<f64> {
    let mut rates = (0..repeats).map(|_| once()).collect::<Outcome<Vec<_>>>()?;
    rates.sort_by(f64::total_cmp);
    rates.get(repeats / 2).copied().ok_or_else(|| "no run".into())
}

/// From the start of the process to the first answer, with nothing there and with what the first start left.
fn starts(peer: &Peer, data: &Path, measured: &mut PeerReport) -> Outcome<()> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let _ = std::fs::remove_dir_all(data);
        std::fs::create_dir_all(data)?;
        let (server, took) = Process::start(peer)?;
        first.push(took.as_secs_f64() * 1_000.0);
        // What is made in the background, such as keys, is there by then.
        std::thread::sleep(Duration::from_millis(500));
        drop(server);
        let (_server, took) = Process::start(peer)?;
        again.push(took.as_secs_f64() * 1_000.0);
    }
    first.sort_by(f64::total_cmp);
    again.sort_by(f64::total_cmp);
    measured.first_start_ms = first.get(STARTS / 2).copied();
    measured.start_ms = again.get(STARTS / 2).copied();
    Ok(())
}

/// Kilobytes of a connection that had one answer and rests, of many; none where the system lends too few files.
fn resting(peer: &Peer, server: &Process) -> Option<f64> {
    use std::io::{Read, Write};
    let before = server.megabytes();
    let mut open = Vec::new();
    let mut buffer = [0; 16 * 1024];
    for _ in 0..RESTING {
        let mut stream = std::net::TcpStream::connect(&peer.host).ok()?;
        let certs = peer.certs.as_ref().unwrap_or(&peer.discovery);
        write!(stream, "GET {certs} HTTP/1.1\r\nHost: {}\r\n\r\n", peer.host).ok()?;
        if stream.read(&mut buffer).ok()? == 0 {
            return None;
        }
        open.push(stream);
    }
    std::thread::sleep(Duration::from_millis(500));
    Some((server.megabytes() - before) * 1024.0 / open.len() as f64)
}
