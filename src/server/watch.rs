//! How long a connection may take for what it is doing.
//!
//! The parser's own timer cannot tell a connection that rests between two requests from one that dribbles a
//! header, so each connection carries a [`Watch`]: the stream and the service move its deadline, and the task
//! that drives the connection ends it there.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Limits;
use super::head::HeadScan;
use super::wire::Wire;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Nothing came yet.
    New,
    /// A header is coming.
    Head,
    /// A request is being answered.
    Busy,
    /// Between two requests.
    Idle,
}

/// The deadline of one connection.
#[derive(Debug)]
pub(super) struct Watch {
    begun: Instant,
    /// Milliseconds after `begun`.
    deadline: AtomicU64,
    phase: AtomicU8,
    /// The header that came last frames its body in two ways.
    conflict: AtomicBool,
    /// The stream, once the parser has let go of it.
    released: Mutex<Option<Wire>>,
    head: Duration,
    busy: Duration,
    idle: Duration,
}

impl Watch {
    pub(super) fn new(limits: &Limits) -> Self {
        let watch = Self {
            begun: Instant::now(),
            deadline: AtomicU64::new(0),
            phase: AtomicU8::new(0),
            conflict: AtomicBool::new(false),
            released: Mutex::new(None),
            head: limits.header_timeout,
            // The request's own limit answers 503; this one is for a client that does not read the answer.
            busy: limits.request_timeout + limits.header_timeout,
            idle: limits.keep_alive_timeout,
        };
        watch.enter(Phase::New);
        watch
    }

    pub(super) fn enter(&self, phase: Phase) {
        let span = match phase {
            Phase::New | Phase::Head => self.head,
            Phase::Busy => self.busy,
            Phase::Idle => self.idle,
        };
        let due = u64::try_from((self.begun.elapsed() + span).as_millis()).unwrap_or(u64::MAX);
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.deadline.store(due, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::New,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Idle,
        }
    }

    /// Whether the header of the request at hand frames its body in two ways.
    pub(super) fn conflict(&self) -> bool {
        self.conflict.load(Ordering::Relaxed)
    }

    /// The stream, after the parser has dropped it.
    pub(super) fn released(&self) -> Option<Wire> {
        self.released.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn deadline(&self) -> Instant {
        self.begun + Duration::from_millis(self.deadline.load(Ordering::Relaxed))
    }
}

/// Ends when the watch's deadline passes, wherever it was moved meanwhile. Must be polled after the connection
/// in the same task, so that a deadline that came nearer is seen.
pub(super) struct Alarm {
    watch: Arc<Watch>,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    pub(super) fn new(watch: Arc<Watch>) -> Self {
        let sleep = Box::pin(tokio::time::sleep_until(watch.deadline()));
        Self { watch, sleep }
    }
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let deadline = self.watch.deadline();
            // A deadline that moved away is left for the timer to find out: most requests are over long before.
            if deadline < self.sleep.deadline() {
                self.sleep.as_mut().reset(deadline);
            }
            if self.sleep.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            let deadline = self.watch.deadline();
            if deadline <= Instant::now() {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
    }
}

/// The connection's bytes, reported to its watch.
pub(super) struct Watched {
    stream: Option<Wire>,
    watch: Arc<Watch>,
    scan: HeadScan,
}

impl Watched {
    pub(super) fn new(stream: Wire, watch: Arc<Watch>) -> Self {
        Self { stream: Some(stream), watch, scan: HeadScan::default() }
    }

    fn came(&mut self, bytes: &[u8]) {
        match self.watch.phase() {
            Phase::Busy => return,
            Phase::New | Phase::Idle => {
                self.scan = HeadScan::default();
                self.watch.enter(Phase::Head);
            }
            Phase::Head => {}
        }
        self.scan.feed(bytes);
        self.watch.conflict.store(self.scan.conflicts(), Ordering::Relaxed);
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(bytes)) if bytes > 0) && self.watch.phase() == Phase::Busy {
            self.watch.enter(Phase::Busy);
        }
        result
    }

    fn stream(&mut self) -> io::Result<Pin<&mut Wire>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        *self.watch.released.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(self.stream()?.poll_read(context, buffer))?;
        if let Some(bytes) = buffer.filled().get(before..).filter(|bytes| !bytes.is_empty()) {
            self.came(bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream()?.poll_write(context, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream()?.poll_write_vectored(context, pieces);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
