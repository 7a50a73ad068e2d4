//! Threads for what computes for long, and that give way to those that answer: hashes of passwords, pairs of keys.
//!
//! A hash takes a core for 18 ms, an RSA key pair for 60 ms. At the priority of everything else, a flood of sign-ins would
//! take half of every core from requests that need neither; with less of it, it takes a quarter.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// How much nicer than others the threads are: a third of their weight on Linux.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

type Job = Box<dyn FnOnce() + Send>;

/// What is done when no work came for a while.
#[derive(Clone)]
struct Rest {
    after: Duration,
    /// Tells whether nothing is left to be done.
    work: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// A fixed number of threads, started when the first work comes.
#[derive(Debug)]
pub(crate) struct Threads {
    name: &'static str,
    count: usize,
    rest: Option<Rest>,
    jobs: OnceLock<Option<Sender<Job>>>,
}

impl Threads {
    /// As many threads as `count` says, at least one, which the system knows by `name`.
    pub(crate) fn new(name: &'static str, count: usize) -> Self {
        Self { name, count: count.max(1), rest: None, jobs: OnceLock::new() }
    }

    /// These threads, one of which does `work` when no other came for as long as `after`, and again after as long until it
    /// tells that nothing is left.
    pub(crate) fn at_rest(self, after: Duration, work: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { rest: Some(Rest { after, work: Arc::new(work) }), ..self }
    }

    /// Runs `work` on one of the threads; none when there is no thread, or it panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (told, outcome) = oneshot::channel();
        // A caller that is gone need not be told.
        let job = Box::new(move || drop(told.send(work())));
        self.jobs.get_or_init(|| start(self)).as_ref()?.send(job).ok()?;
        outcome.await.ok()
    }
}

/// The way to as many threads as the system gives, none if that is none.
fn start(threads: &Threads) -> Option<Sender<Job>> {
    let (sender, jobs) = channel();
    let jobs = Arc::new(Mutex::new(jobs));
    let started = (0..threads.count).filter(|_| {
        let (jobs, rest) = (Arc::clone(&jobs), threads.rest.clone());
        std::thread::Builder::new()
            .name(threads.name.into())
            .spawn(move || work(&jobs, rest.as_ref()))
            .is_ok()
    });
    (started.count() > 0).then_some(sender)
}

fn work(jobs: &Mutex<Receiver<Job>>, rest: Option<&Rest>) {
    give_way();
    loop {
        // The lock is held while this thread waits: the others wait for it instead.
        let next = next(&jobs.lock().unwrap_or_else(PoisonError::into_inner), rest);
        let Some(job) = next else { break };
        // A panic is one caller's, who is told by the end of its channel.
        drop(catch_unwind(AssertUnwindSafe(job)));
    }
}

/// The next work, and the rest before it if that is long in coming; none when there will be none.
fn next(jobs: &Receiver<Job>, rest: Option<&Rest>) -> Option<Job> {
    let mut ahead = rest;
    while let Some(rest) = ahead {
        match jobs.recv_timeout(rest.after) {
            Ok(job) => return Some(job),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => ahead = ahead.filter(|_| !(rest.work)()),
        }
    }
    jobs.recv().ok()
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rest").field("after", &self.after).finish_non_exhaustive()
    }
}

#[cfg(target_os = "linux")]
fn give_way() {
    use rustix::process::{getpriority_process, setpriority_process};
    // Linux takes this for the calling thread alone.
    let lowered = getpriority_process(None).and_then(|own| setpriority_process(None, (own + NICER).min(19)));
    if let Err(error) = lowered {
        tracing::debug!(%error, "threads that compute have the priority of all others");
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_panic_is_one_callers_and_the_threads_work_on() {
        let threads = Threads::new("worker", 1);
        assert_eq!(threads.run(|| 1).await, Some(1));
        assert_eq!(threads.run(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(threads.run(|| 2).await, Some(2));
    }

    #[tokio::test]
    async fn the_rest_comes_after_the_last_work_until_nothing_is_left() {
        let (told, rests) = channel();
        let (begun, left) = (AtomicUsize::new(0), 2);
        let threads = Threads::new("worker", 2).at_rest(Duration::from_millis(20), move || {
            let _ = told.send(());
            (begun.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(left)
        });
        for _ in 0..2 {
            assert_eq!(threads.run(|| 1).await, Some(1));
            for _ in 0..left {
                assert_eq!(rests.recv_timeout(Duration::from_secs(10)), Ok(()));
            }
            assert_eq!(
                rests.recv_timeout(Duration::from_millis(100)),
                Err(RecvTimeoutError::Timeout),
                "not again before there was work"
            );
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_computes_gives_way_and_the_rest_does_not() {
        let before = rustix::process::getpriority_process(None).unwrap();
        let threads = Threads::new("worker", 1);
        let computing = threads.run(|| rustix::process::getpriority_process(None).unwrap()).await.unwrap();
        assert_eq!(computing, (before + NICER).min(19));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }
}
