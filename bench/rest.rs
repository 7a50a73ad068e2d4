//! What a server costs that is asked nothing: its start, and connections that rest.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use crate::peer::Peer;
use crate::process::{Process, prepare};
use crate::report::PeerReport;
use crate::{Options, Outcome};

/// Connections that rest at once.
const RESTING: usize = 10_000;

/// From the start of the process to the first answer, with nothing there and with what the first start left.
pub(crate) fn starts(options: &Options, peer: &Peer, data: &Path, measured: &mut PeerReport) -> Outcome<()> {
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..options.starts {
        if !peer.cold_start.is_empty() {
            let _ = std::fs::remove_dir_all(data);
            std::fs::create_dir_all(data)?;
            let cold = Peer { start: peer.cold_start.clone(), ..peer.clone() };
            first.push(milliseconds(Process::start(&cold)?.1));
        }
        prepare(peer, data)?;
        let (server, took) = Process::start(peer)?;
        if peer.cold_start.is_empty() {
            first.push(milliseconds(took));
        }
        // What is made in the background, such as keys, is there by then.
        std::thread::sleep(Duration::from_millis(500));
        drop(server);
        again.push(milliseconds(Process::start(peer)?.1));
    }
    measured.first_start_ms = middle(first);
    measured.start_ms = middle(again);
    Ok(())
}

fn milliseconds(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

fn middle(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Kilobytes of a connection that had one answer and rests, of many; none where a server or the system takes fewer.
pub(crate) fn connections(peer: &Peer, server: &Process) -> Option<f64> {
    let before = server.megabytes();
    let mut open = Vec::new();
    let mut buffer = [0; 16 * 1024];
    let certs = peer.certs.as_ref().unwrap_or(&peer.discovery);
    for _ in 0..RESTING {
        let mut stream = std::net::TcpStream::connect(&peer.host).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        write!(stream, "GET {certs} HTTP/1.1\r\nHost: {}\r\n\r\n", peer.host).ok()?;
        if stream.read(&mut buffer).ok()? == 0 || !buffer.starts_with(b"HTTP/1.1 200") {
            return None;
        }
        open.push(stream);
    }
    std::thread::sleep(Duration::from_millis(500));
    Some((server.megabytes() - before) * 1024.0 / open.len() as f64)
}
