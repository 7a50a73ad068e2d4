//! Programs on their cores: started, watched, ended by their own process id.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::peer::Peer;

/// The core of whatever is measured.
pub(crate) const SERVER_CORE: &str = "0";
/// The core of the load.
pub(crate) const LOAD_CORE: &str = "1";

/// A program with arguments, on one core where the machine has `taskset` (from Debian's `util-linux`).
pub(crate) fn on_core(core: &str, program: &str) -> Command {
    let pinned = Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if pinned.is_ok_and(|status| status.success()) {
        let mut command = Command::new("taskset");
        command.args(["-c", core, program]);
        command
    } else {
        Command::new(program)
    }
}

/// Runs this program anew on one core, and gives what it prints.
pub(crate) fn child(core: &str, arguments: &[&str]) -> Outcome<String> {
    let own = std::env::current_exe()?;
    let output =
        on_core(core, &own.display().to_string()).args(arguments).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{} failed", arguments.first().unwrap_or(&"")).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The bare server, on the core of what is measured, with the documents of `peer`; gives its address.
pub(crate) fn start_limit(peer: &Peer, folder: &Path) -> Outcome<(Process, String)> {
    let document = |path: &str| -> Outcome<String> {
        let answer = fetch(&peer.host, path)?;
        Ok(answer.split_once("\r\n\r\n").map_or_else(String::new, |(_, body)| body.to_owned()))
    };
    let certs = peer.certs.as_deref().ok_or("no address of a key set")?;
    let own = std::env::current_exe()?.display().to_string();
    let mut process = on_core(SERVER_CORE, &own)
        .args(["--limit", &document(&peer.discovery)?, &document(certs)?, &folder.display().to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(process.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
    Ok((Process { child: process, beside: Vec::new() }, line.trim().to_owned()))
}

/// A running program, ended with everything that it started when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// What runs beside it; ended after it.
    beside: Vec<Process>,
}

/// Runs what a server needs done once in its empty data folder.
pub(crate) fn prepare(peer: &Peer, data: &Path) -> Outcome<()> {
    let _ = std::fs::remove_dir_all(data);
    std::fs::create_dir_all(data)?;
    for command in &peer.prepare {
        let (program, arguments) = command.split_first().ok_or("nothing to run")?;
        let output = Command::new(program).args(arguments).envs(&peer.environment).output()?;
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {} failed: {why}", peer.name, command.join(" ")).into());
        }
    }
    Ok(())
}

impl Process {
    /// Starts a server with what runs beside it, and waits until it answers; how long that took, what runs beside
    /// left out.
    pub(crate) fn start(peer: &Peer) -> Outcome<(Self, Duration)> {
        let mut beside = Vec::new();
        for command in &peer.beside {
            let mut process = Self::spawn(command, peer, Stdio::piped())?;
            // It says a line when it is ready.
            let output = process.child.stdout.take().ok_or("no standard output")?;
            BufReader::new(output).read_line(&mut String::new())?;
            beside.push(process);
        }
        let begun = Instant::now();
        let mut process = Self::spawn(&peer.start, peer, Stdio::null())?;
        process.beside = beside;
        while begun.elapsed() < Duration::from_secs(120) {
            if fetch(&peer.host, &peer.discovery).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok((process, begun.elapsed()));
            }
            if let Some(status) = process.child.try_wait()? {
                return Err(format!("{} ended by itself: {status}", peer.name).into());
            }
            std::thread::sleep(Duration::from_micros(300));
        }
        Err(format!("{} did not answer within two minutes", peer.name).into())
    }

    fn spawn(command: &[String], peer: &Peer, output: Stdio) -> Outcome<Self> {
        let (program, arguments) = command.split_first().ok_or("nothing to start")?;
        let child = on_core(SERVER_CORE, program)
            .args(arguments)
            .envs(&peer.environment)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, beside: Vec::new() })
    }

    /// Resident memory in megabytes, with that of everything that it started.
    pub(crate) fn megabytes(&self) -> f64 {
        self.sum("VmRSS:")
    }

    /// The most that it was so far.
    pub(crate) fn peak_megabytes(&self) -> f64 {
        self.sum("VmHWM:")
    }

    fn sum(&self, line: &str) -> f64 {
        family(self.child.id()).into_iter().map(|process| resident(process, line)).sum::<f64>() / 1024.0
    }

    /// Seconds of processor time that it has used.
    pub(crate) fn processor_seconds(&self) -> f64 {
        // A tick is a hundredth of a second on every Linux of today.
        family(self.child.id()).into_iter().map(ticks).sum::<f64>() / 100.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A polite end for those that leave children behind otherwise.
        for process in family(self.child.id()).into_iter().rev() {
            let _ = Command::new("kill").args(["-TERM", &process.to_string()]).status();
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.beside.clear();
    }
}

/// One answer, from a connection of its own.
pub(crate) fn fetch(host: &str, path: &str) -> Outcome<String> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A free port of this machine.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// A process and those below it.
fn family(process: u32) -> Vec<u32> {
    let mut family = vec![process];
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    for thread in threads {
        let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        family.extend(children.split_whitespace().filter_map(|id| id.parse().ok()).flat_map(self::family));
    }
    family
}

fn resident(process: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let value = status.lines().find_map(|own| own.strip_prefix(line)).unwrap_or_default();
    value.split_whitespace().next().and_then(|kilobytes| kilobytes.parse().ok()).unwrap_or_default()
}

fn ticks(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum()
}
