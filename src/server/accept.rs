//! Taking connections, refusing the ones above the limit, and staying calm when the system has no more files.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};

use super::{Peer, QUEUE, Shared, Stage, connection};

/// Connections that may be told at once that there is no room; above that they are closed unheard.
pub(super) const REFUSALS: usize = 32;
/// Open files kept for the database, logs, listeners, the management port and outbound requests.
const RESERVED_FILES: usize = 128;
/// How long a closed connection is read on, so that the last answer reaches a client that is still sending.
const LINGER: Duration = Duration::from_secs(1);
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
connection: close\r\ncontent-length: 35\r\n\r\n{\"error\":\"temporarily_unavailable\"}";

/// Accepts until draining begins.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut stage = shared.stage.subscribe();
    let mut trouble = Trouble::default();
    loop {
        tokio::select! {
            biased;
            // `wait_for` fails only when the server is gone, which ends the loop as well.
            () = async { drop(stage.wait_for(|stage| *stage != Stage::Serving).await) } => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => admit(stream, Peer(peer), &shared),
                Err(error) => tokio::time::sleep(trouble.pause(&error, Instant::now())).await,
            },
        }
    }
    // A connection that waits in the kernel's queue would be reset together with the listener.
    for _ in 0..QUEUE {
        let Ok(Ok((stream, peer))) = timeout(Duration::ZERO, listener.accept()).await else { break };
        admit(stream, Peer(peer), &shared);
    }
}

fn admit(stream: TcpStream, peer: Peer, shared: &Arc<Shared>) {
    match Arc::clone(&shared.slots).try_acquire_owned() {
        Ok(slot) => {
            let shared = Arc::clone(shared);
            tokio::spawn(async move { connection::drive(stream, peer, shared, slot).await });
        }
        Err(_) => {
            shared.metrics.connection_refused();
            // A client that speaks TLS would take the words for a broken handshake.
            if shared.tls.is_none()
                && let Ok(permit) = Arc::clone(&shared.refusals).try_acquire_owned()
            {
                tokio::spawn(refuse(stream, permit));
            }
        }
    }
}

async fn refuse(mut stream: TcpStream, permit: OwnedSemaphorePermit) {
    if let Ok(Ok(())) = timeout(LINGER, stream.write_all(FULL)).await {
        linger(stream).await;
    }
    drop(permit);
}

/// Closes our side and reads the client's for a moment: closing with unread bytes makes the system send a
/// reset, which can overtake the answer (RFC 9112 §9.6).
pub(super) async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_err() {
        return;
    }
    // On the heap, since every open connection's task has room for what may stand here.
    let mut unread = vec![0; 4096];
    let until_closed = async { while matches!(stream.read(&mut unread).await, Ok(bytes) if bytes > 0) {} };
    // Either way the connection is over.
    timeout(LINGER, until_closed).await.unwrap_or(());
}

/// The connections that the process's limit of open files allows, at most `wished`.
pub(super) fn affordable(wished: usize) -> usize {
    let allowed =
        open_files_limit().map_or(wished, |files| files.saturating_sub(RESERVED_FILES + REFUSALS).max(16));
    if allowed < wished {
        tracing::warn!(wished, allowed, "fewer connections than configured: the limit of open files is low");
    }
    // A semaphore holds fewer permits than usize has values, and `acquire_many` counts in 32 bits.
    wished.min(allowed).clamp(1, tokio::sync::Semaphore::MAX_PERMITS.min(u32::MAX as usize))
}

/// The soft limit of open files, where the system shows it.
fn open_files_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Accept errors: those of one connection pass, those of the process wait, and no more than one a second is
/// logged.
#[derive(Default)]
struct Trouble {
    logged: Option<Instant>,
    pause: Duration,
}

impl Trouble {
    fn pause(&mut self, error: &io::Error, now: Instant) -> Duration {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
        if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted) {
            return Duration::ZERO;
        }
        if self.logged.is_none_or(|at| now.duration_since(at) >= Duration::from_secs(1)) {
            tracing::error!(%error, "cannot take connections");
            self.logged = Some(now);
            self.pause = Duration::from_millis(50);
        }
        let pause = self.pause;
        self.pause = (pause * 2).min(Duration::from_millis(500));
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_announces_its_length() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
        assert!(head.lines().all(|line| !line.starts_with(' ')));
    }

    #[test]
    fn connections_leave_files_for_the_rest() {
        assert!(affordable(usize::MAX) < usize::MAX);
        assert_eq!(affordable(4), 4);
    }

    #[test]
    fn a_process_without_files_waits_and_logs_once_a_second() {
        let mut trouble = Trouble::default();
        let exhausted = io::Error::from_raw_os_error(24);
        let begun = Instant::now();
        let (mut now, mut rounds) = (begun, 0);
        let mut logged = std::collections::BTreeSet::new();
        while now < begun + Duration::from_secs(10) {
            now += trouble.pause(&exhausted, now);
            logged.insert(trouble.logged);
            rounds += 1;
        }
        assert!(rounds < 100, "{rounds} rounds in ten seconds is spinning");
        assert!((5..=11).contains(&logged.len()), "{} lines in ten seconds", logged.len());
        let abort = io::ErrorKind::ConnectionAborted.into();
        assert_eq!(trouble.pause(&abort, now), Duration::ZERO, "one client's abort holds nobody up");
    }
}
