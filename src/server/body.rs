//! Bodies with limits: a request's must come in time, a response's end frees its connection.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use thiserror::Error;
use tokio::time::{Instant, Sleep};

use super::Limits;
use super::watch::{Phase, Watch};

/// Bytes that earn another second. A body that comes slower than this for long is not on its way here.
const BYTES_A_SECOND: u64 = 64 * 1024;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A request's body did not arrive within its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the body of the request did not arrive in time")]
pub struct BodyTimeout;

/// The body of a request has more bytes than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the body of the request is too large")]
pub struct BodyTooLarge;

/// How many bytes the body of a request may have, as an extension of the request. A handler that knows by then who sends it
/// may allow more.
#[derive(Clone, Debug)]
pub struct Room(Arc<AtomicU64>);

impl Room {
    fn of(bytes: usize) -> Self {
        Self(Arc::new(AtomicU64::new(bytes as u64)))
    }

    /// Lets the body have as many bytes as this, or more if it may already.
    pub fn widen(&self, bytes: usize) {
        self.0.fetch_max(bytes as u64, Ordering::Relaxed);
    }

    fn is_exceeded(&self, bytes: u64) -> bool {
        bytes > self.0.load(Ordering::Relaxed)
    }
}

/// Bytes of a body that nobody asked for which are read all the same, so that its connection can go on.
const MOST_UNREAD: u64 = 64 * 1024;
/// For how long they are waited for: clients send the body right after the header.
const UNREAD_TIMEOUT: Duration = Duration::from_millis(50);

/// The body as handlers get it: bounded in bytes and in time, and what they left of it. An empty one costs nothing.
pub(super) fn bounded(
    incoming: Incoming,
    limits: &Limits,
    watch: &Arc<Watch>,
) -> (Body, Option<Unread<Incoming>>) {
    let whole = incoming.is_end_stream();
    watch.body_coming(!whole);
    if whole {
        return (Body::empty(), None);
    }
    let room = Room::of(limits.body_bytes);
    let unread = Unread { left: Arc::default(), room: room.clone(), watch: Arc::clone(watch) };
    let body = Body::new(Timed {
        inner: Some(incoming),
        sleep: None,
        due: Instant::now() + limits.body_timeout,
        received: 0,
        room,
        watch: Arc::clone(watch),
        left: Arc::clone(&unread.left),
    });
    (body, Some(unread))
}

/// What is left of a body by a handler that answered without it. The parser would take it for the next request, so a
/// connection ends with it, unless it is read.
pub(super) struct Unread<B> {
    left: Arc<Mutex<Option<B>>>,
    room: Room,
    watch: Arc<Watch>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> Unread<B> {
    /// How many bytes the body may have.
    pub(super) fn room(&self) -> Room {
        self.room.clone()
    }

    /// Reads what is left if it is short and comes soon. Otherwise the connection cannot go on: false.
    pub(super) async fn read(self) -> bool {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut left) = left else { return true };
        let all = async {
            let mut bytes = 0;
            while let Some(frame) = poll_fn(|context| Pin::new(&mut left).poll_frame(context)).await {
                let Ok(frame) = frame else { return false };
                bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                if bytes > MOST_UNREAD {
                    return false;
                }
            }
            true
        };
        let read = tokio::time::timeout(UNREAD_TIMEOUT, all).await.unwrap_or(false);
        if read {
            self.watch.body_coming(false);
        }
        read
    }
}

struct Timed<B: HttpBody> {
    /// There until it is dropped.
    inner: Option<B>,
    /// Made when there is something to wait for: most bodies come together with their header.
    sleep: Option<Pin<Box<Sleep>>>,
    due: Instant,
    received: u64,
    room: Room,
    watch: Arc<Watch>,
    /// Where it goes when it is dropped before its end.
    left: Arc<Mutex<Option<B>>>,
}

impl<B: HttpBody> Drop for Timed<B> {
    fn drop(&mut self) {
        let left = self.inner.take().filter(|inner| !inner.is_end_stream());
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

impl<B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin> HttpBody for Timed<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(inner) = &mut self.inner else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(&mut *inner).poll_frame(context) {
            let over = frame.is_none() || inner.is_end_stream();
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len));
            self.received = self.received.saturating_add(bytes.unwrap_or(0) as u64);
            if over {
                self.watch.body_coming(false);
            }
            if self.room.is_exceeded(self.received) {
                return Poll::Ready(Some(Err(BodyTooLarge.into())));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let Timed { sleep, due, received, .. } = &mut *self;
        let sleep = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(*due)));
        loop {
            ready!(sleep.as_mut().poll(context));
            let due = *due + Duration::from_secs(*received / BYTES_A_SECOND);
            if due <= Instant::now() {
                return Poll::Ready(Some(Err(BodyTimeout.into())));
            }
            sleep.as_mut().reset(due);
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

/// A response's body; when it is gone, its connection rests.
pub(super) struct Answer {
    inner: Body,
    watch: Arc<Watch>,
}

impl Answer {
    pub(super) fn new(inner: Body, watch: Arc<Watch>) -> Self {
        Self { inner, watch }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.watch.enter(Phase::Idle);
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    const PAUSE: Duration = Duration::from_millis(40);
    const SPAN: Duration = Duration::from_millis(200);

    /// A body that yields one piece after each pause, for ever.
    struct Dribble(Pin<Box<Sleep>>, usize);

    impl HttpBody for Dribble {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            ready!(self.0.as_mut().poll(context));
            self.0 = Box::pin(tokio::time::sleep(PAUSE));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![0; self.1])))))
        }
    }

    /// Whether reading ended by time, and how long it took.
    async fn read(piece: usize) -> (bool, Duration) {
        let begun = Instant::now();
        let dribble = Dribble(Box::pin(tokio::time::sleep(PAUSE)), piece);
        let watch = Arc::new(Watch::new(&Limits::default()));
        let (inner, left) = (Some(dribble), Arc::default());
        let room = Room::of(1024);
        room.widen(10 * 1024 * 1024);
        room.widen(1);
        let body = Timed { inner, sleep: None, due: begun + SPAN, received: 0, room, watch, left };
        let error = body.collect().await.unwrap_err();
        assert!(error.is::<BodyTimeout>() != error.is::<BodyTooLarge>(), "{error}");
        (error.is::<BodyTimeout>(), begun.elapsed())
    }

    #[tokio::test]
    async fn a_dribbling_body_ends_in_time() {
        let (late, took) = read(1).await;
        assert!(late && took >= SPAN, "{took:?}");
    }

    #[tokio::test]
    async fn a_body_that_makes_progress_gets_more_time() {
        let (late, took) = read(1024 * 1024).await;
        assert!(!late && took > SPAN, "ended by its size after {took:?}");
    }
}
