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

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Limits;
use super::head::HeadScan;
use super::wire::Wire;

/// How long a connection is idle before it gives its parser and its buffers back. A client that asks again sooner pays
/// nothing for it; one that rests costs next to nothing.
const REST: Duration = Duration::from_millis(100);

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
    /// As long as that an idle connection may stay so.
    idle_until: AtomicU64,
    phase: AtomicU8,
    /// The header that came last frames its body in two ways.
    conflict: AtomicBool,
    /// Everything that was written has left the parser's buffer.
    flushed: AtomicBool,
    /// The body of the request at hand is not whole yet.
    body_coming: AtomicBool,
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
            idle_until: AtomicU64::new(0),
            phase: AtomicU8::new(0),
            conflict: AtomicBool::new(false),
            flushed: AtomicBool::new(true),
            body_coming: AtomicBool::new(false),
            released: Mutex::new(None),
            head: limits.header_timeout,
            // The request's own limit answers 503; this one is for a client that does not read the answer.
            busy: limits.request_timeout + limits.header_timeout,
            idle: limits.keep_alive_timeout,
        };
        watch.enter(Phase::New);
        watch
    }

    /// Begins `phase` now; gives that moment.
    pub(super) fn enter(&self, phase: Phase) -> Instant {
        let now = Instant::now();
        let span = match phase {
            Phase::New | Phase::Head => self.head,
            Phase::Busy => self.busy,
            Phase::Idle => {
                self.set(&self.idle_until, now + self.idle);
                // First to see whether it stays so; the rest of the time is waited without a parser.
                self.idle.min(REST)
            }
        };
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.set(&self.deadline, now + span);
        now
    }

    fn set(&self, to: &AtomicU64, at: Instant) {
        let millis = at.saturating_duration_since(self.begun).as_millis();
        to.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn at(&self, from: &AtomicU64) -> Instant {
        self.begun + Duration::from_millis(from.load(Ordering::Relaxed))
    }

    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::New,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Idle,
        }
    }

    /// What the alarm means. `may_rest`: whether a connection that rests is of use at all.
    pub(super) fn alarmed(&self, may_rest: bool) -> Alarmed {
        if self.phase() != Phase::Idle {
            return Alarmed::Over;
        }
        let (now, until) = (Instant::now(), self.at(&self.idle_until));
        if now >= until {
            return Alarmed::Over;
        }
        // Nothing of the last request may be on its way in, nor of its answer on its way out: the parser knows how much,
        // and the next one would take it for something else.
        let settled = self.flushed.load(Ordering::Relaxed) && !self.body_coming.load(Ordering::Relaxed);
        if settled && may_rest {
            return Alarmed::Rests(until);
        }
        self.set(&self.deadline, until.min(now + REST));
        Alarmed::Patience
    }

    /// Whether the body of the request at hand is still on its way.
    pub(super) fn body_coming(&self, coming: bool) {
        self.body_coming.store(coming, Ordering::Relaxed);
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
        self.at(&self.deadline)
    }
}

/// What a connection whose deadline has passed is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alarmed {
    /// It was too slow.
    Over,
    /// It is idle with nothing under way, and may be so until then.
    Rests(Instant),
    /// It is idle, and something is still under way.
    Patience,
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
    /// What was read before this began.
    read: Bytes,
    watch: Arc<Watch>,
    scan: HeadScan,
}

impl Watched {
    pub(super) fn new(stream: Wire, read: Bytes, watch: Arc<Watch>) -> Self {
        Self { stream: Some(stream), read, watch, scan: HeadScan::default() }
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
        self.watch.flushed.store(false, Ordering::Relaxed);
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
        if self.read.is_empty() {
            std::task::ready!(self.stream()?.poll_read(context, buffer))?;
        } else {
            let most = self.read.len().min(buffer.remaining());
            buffer.put_slice(&self.read.split_to(most));
        }
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
        std::task::ready!(self.stream()?.poll_flush(context))?;
        // The parser flushes the stream when it has nothing left of its own.
        self.watch.flushed.store(true, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
