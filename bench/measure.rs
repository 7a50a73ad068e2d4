//! One run: servers started, driven, watched.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::load::{Job, Measured, Order};
use crate::operations::{Limit, OPERATIONS, Operation, bare_job, job};
use crate::peer::Peer;
use crate::process::{LOAD_CORE, Process, SERVER_CORE, child, free_port, prepare, start_limit};
use crate::report::{Figure, PeerReport, Report};
use crate::{Options, Outcome, flood, growth, here, rest, slow_disk};

/// Servers that stand in front of all others: our own, on each database.
const OWN: [&str; 2] = ["vestibule", "vestibule-postgres"];

/// Measures what the options ask for.
pub(crate) fn everything(options: &Options, folder: &Path) -> Outcome<Report> {
    let binary = options.binary();
    let mut report = Report {
        machine: machine(),
        seconds: options.seconds,
        repeats: options.repeats,
        program_bytes: std::fs::metadata(&binary)?.len(),
        ..Report::default()
    };
    println!("program, {:.1} MB", report.program_bytes as f64 / 1e6);
    parts(options, folder, &mut report)?;
    for name in names(options)? {
        let data = folder.join(&name);
        let file = here("bench/peers").join(&name).join("peer.toml");
        let peer = Peer::read(&file, free_port()?, &data, &binary)?;
        let missing = peer.missing();
        if !missing.is_empty() {
            println!("{name} is left out: this machine lacks {}", missing.join(", "));
            continue;
        }
        match one(options, &peer, &data, &mut report) {
            Ok(measured) => report.peers.push(measured),
            Err(why) if OWN.contains(&name.as_str()) => return Err(why),
            Err(why) => println!("{name} is left out: {why}"),
        }
        // What a server leaves behind can be large.
        let _ = std::fs::remove_dir_all(&data);
    }
    if !options.rates_only {
        report.slow_disk = slow_disk::measure(options, folder)?;
        report.flood = Some(flood::measure(options, folder)?);
        report.growth = growth::measure(options, folder)?;
    }
    Ok(report)
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores ({})", model.map_or("unknown", |(_, model)| model))
}

/// The servers to measure, our own first.
fn names(options: &Options) -> Outcome<Vec<String>> {
    let folders = std::fs::read_dir(here("bench/peers"))?.flatten();
    let all = folders.filter(|folder| folder.path().join("peer.toml").exists());
    let mut all: Vec<_> = all.map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    let wanted = |name: &str| options.peers.iter().any(|wanted| wanted == "all" || wanted == name);
    all.retain(|name| name == "vestibule" || wanted(name));
    all.sort_by_key(|name| (OWN.iter().position(|own| own == name).unwrap_or(OWN.len()), name.clone()));
    Ok(all)
}

/// Signatures, commits and hashes alone, and the limits that follow from them.
fn parts(options: &Options, folder: &Path, report: &mut Report) -> Outcome<()> {
    let seconds = options.seconds.to_string();
    let part = |arguments: &[&str]| median(options.repeats, || Ok(child(SERVER_CORE, arguments)?.parse()?));
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let rate = part(&["--sign", algorithm, &seconds])?;
        report.parts.insert(format!("{algorithm} signatures, aws-lc-rs alone"), rate);
    }
    let folder = folder.display().to_string();
    let commits = part(&["--commit", &folder, "1", &seconds])?;
    let shown = options.shown();
    let shared = part(&["--commit", &folder, &shown.to_string(), &seconds])?;
    let hashes = part(&["--hash", &seconds])?;
    let signatures = report.parts.get("RS256 signatures, aws-lc-rs alone").copied().unwrap_or(f64::NAN);
    for operation in wanted(options) {
        if let Limit::Parts { signatures: many, commits: some, hashes: few } = operation.limit {
            let with = |commits| {
                1.0 / (f64::from(many) / signatures + f64::from(some) / commits + f64::from(few) / hashes)
            };
            report.limits.insert(operation.name.to_owned(), with(shared));
            report.apart.insert(operation.name.to_owned(), with(commits));
        }
    }
    report.parts.insert("commits of one row, SQLite alone".to_owned(), commits);
    report.parts.insert(format!("rows in commits of {shown}, SQLite alone"), shared);
    report.parts.insert("Argon2id hashes of 19 MiB alone".to_owned(), hashes);
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
    // Its limits are measured beside the first server, which is our own.
    let own = report.peers.is_empty();
    if options.rates_only || options.starts == 0 {
        prepare(peer, data)?;
    } else {
        rest::starts(options, peer, data, &mut measured)?;
    }
    let (server, _) = Process::start(peer)?;
    std::thread::sleep(Duration::from_secs(2));
    measured.idle_mb = server.megabytes();
    let bare = own.then(|| start_limit(peer, data)).transpose()?;
    for operation in wanted(options) {
        let Some(job) = job(operation, peer)? else { continue };
        if peer.warm_seconds > 0.0 {
            drive(peer, &job, options.shown(), peer.warm_seconds)?;
        }
        for &connections in &options.connections {
            let beside = match (&bare, operation.limit) {
                (Some((_, host)), Limit::Bare(bare)) if connections == options.shown() => {
                    Some((Peer { host: host.to_owned(), ..peer.clone() }, bare_job(bare, host)?))
                }
                _ => None,
            };
            if let Some((bare, job)) = &beside {
                drive(bare, job, connections, peer.warm_seconds)?;
            }
            let mut figures = Vec::new();
            let mut limits = Vec::new();
            for _ in 0..options.repeats {
                if let Some((bare, job)) = &beside {
                    limits.push(drive(bare, job, connections, options.seconds)?.rate);
                }
                let begun = (Instant::now(), server.processor_seconds());
                let measured = drive(peer, &job, connections, options.seconds)?;
                let cores = (server.processor_seconds() - begun.1) / begun.0.elapsed().as_secs_f64();
                figures.push(Figure { measured, cores });
            }
            figures.sort_by(|a, b| a.measured.rate.total_cmp(&b.measured.rate));
            let middle = figures.swap_remove(figures.len() / 2);
            tell(peer, operation, connections, &middle.measured);
            if !limits.is_empty() {
                limits.sort_by(f64::total_cmp);
                report.limits.insert(operation.name.to_owned(), limits[limits.len() / 2]);
            }
            measured.operations.entry(operation.name.to_owned()).or_default().insert(connections, middle);
        }
    }
    measured.loaded_mb = server.megabytes();
    measured.peak_mb = server.peak_megabytes();
    if !options.rates_only {
        measured.connection_kb = rest::connections(peer, &server);
    }
    Ok(measured)
}

fn tell(peer: &Peer, operation: &Operation, connections: usize, measured: &Measured) {
    let Measured { rate, bad, why, .. } = measured;
    println!("{:<22}{:<28}{connections:>4}{rate:>10.0} /s", peer.name, operation.name);
    if let (1.., Some(why)) = (bad, why) {
        println!("    {bad} bad answers, such as: {}", why.chars().take(200).collect::<String>());
    }
}

/// Keeps a number of connections busy for a while.
pub(crate) fn drive(peer: &Peer, job: &Job, connections: usize, seconds: f64) -> Outcome<Measured> {
    let order = Order { peer: peer.clone(), job: job.clone(), connections, seconds };
    Ok(serde_json::from_str(&child(LOAD_CORE, &["--load", &serde_json::to_string(&order)?])?)?)
}

fn median(repeats: usize, once: impl Fn() -> Outcome<f64>) -> Outcome<f64> {
    let mut rates = (0..repeats).map(|_| once()).collect::<Outcome<Vec<_>>>()?;
    rates.sort_by(f64::total_cmp);
    rates.get(repeats / 2).copied().ok_or_else(|| "no run".into())
}
