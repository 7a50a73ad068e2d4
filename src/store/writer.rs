//! The one thread that writes to SQLite, and how writers share a commit.
//!
//! A commit waits for the disk, and work that arrives meanwhile waits for the writer. What waits together is done
//! together: one transaction, each piece of work in a savepoint of its own, one commit, and only then the answers. So a
//! disk that syncs two hundred times a second still takes thousands of rotations, and nobody waits longer than for the
//! commit that was under way when they came.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::error::StoreError;
use super::health::Health;
use super::sqlite::lock;
use super::transaction::{Finish, Transaction, Work};

/// The most pieces of work in one commit, so that the first of them does not wait for an endless last.
const MOST: usize = 128;

/// Takes work to the thread that writes.
#[derive(Debug)]
pub(super) struct Writer(Sender<Message>);

enum Message {
    Work(Box<dyn Job>),
    /// What waits for the disk from now on; told when what was committed before is there, if each commit is to be.
    Syncs(Syncs, oneshot::Sender<Result<(), StoreError>>),
    /// Ends the thread; told when the connection is closed.
    Close(oneshot::Sender<()>),
}

/// What waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syncs {
    /// Every commit.
    EachCommit,
    /// What must be there before what comes later, and nothing else: a loss of power may take the last commits, but none
    /// whose successor stays, and not the soundness of the file.
    Order,
}

impl Writer {
    /// Starts the thread, which takes the connection for each transaction.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(connection: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let (sender, messages) = channel();
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || run(connection, &messages))
            .map_err(|_| StoreError::gone())?;
        Ok(Self(sender))
    }

    /// Does `work`, alone or with others, and tells of it when it is on the disk.
    pub(super) async fn write<W: Work>(
        &self,
        work: W,
        health: &Arc<Health>,
    ) -> Result<W::Outcome, StoreError> {
        let (caller, outcome) = oneshot::channel();
        let task = Task { work, health: Arc::clone(health), outcome: None, caller };
        self.0.send(Message::Work(Box::new(task))).map_err(|_| StoreError::gone())?;
        outcome.await.unwrap_or_else(|_| Err(StoreError::gone()))
    }

    /// Lets `syncs` wait for the disk from now on. Going back to each commit, those before are on the disk afterwards.
    pub(super) async fn wait_for_disk(&self, syncs: Syncs) -> Result<(), StoreError> {
        let (caller, told) = oneshot::channel();
        self.0.send(Message::Syncs(syncs, caller)).map_err(|_| StoreError::gone())?;
        told.await.unwrap_or_else(|_| Err(StoreError::gone()))
    }

    /// Ends the thread and its connection, after the work that came before.
    pub(super) async fn close(&self) {
        let (told, closed) = oneshot::channel();
        if self.0.send(Message::Close(told)).is_ok() {
            drop(closed.await);
        }
    }
}

/// How a piece of work left the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trace {
    /// To be committed.
    Keep,
    /// To be undone: it asked for that, or it failed.
    None,
}

/// [`Work`] with its caller, whatever its outcome is.
trait Job: Send {
    /// Whether somebody still waits for it.
    fn is_awaited(&self) -> bool;
    /// Does the work, from the start.
    fn perform(&mut self, connection: &mut Connection) -> Trace;
    /// Tells the caller: its own outcome, or why the commit failed.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

struct Task<W: Work> {
    work: W,
    health: Arc<Health>,
    outcome: Option<Result<W::Outcome, StoreError>>,
    caller: oneshot::Sender<Result<W::Outcome, StoreError>>,
}

impl<W: Work> Job for Task<W> {
    fn is_awaited(&self) -> bool {
        !self.caller.is_closed()
    }

    fn perform(&mut self, connection: &mut Connection) -> Trace {
        let done = {
            let mut transaction = Transaction::on_sqlite(connection, &self.health);
            let work = &self.work;
            // A panic is this caller's alone: the thread has others to serve.
            catch_unwind(AssertUnwindSafe(|| at_once(work.perform(&mut transaction))))
        };
        let (outcome, trace) = match done.unwrap_or_else(|_| Err(StoreError::gone())) {
            Ok(Finish::Commit(outcome)) => (Ok(outcome), Trace::Keep),
            Ok(Finish::Undo(outcome)) => (Ok(outcome), Trace::None),
            Err(error) => (Err(error), Trace::None),
        };
        // What the database undid by itself did not happen, whatever the work says.
        let lost = outcome.is_ok() && connection.is_autocommit();
        self.outcome = Some(if lost { Err(StoreError::gone()) } else { outcome });
        trace
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let own = self.outcome.unwrap_or_else(|| Err(StoreError::gone()));
        // A caller that is gone need not be told.
        drop(self.caller.send(commit.and(own)));
    }
}

/// The result of a future that waits for nothing, as all work on SQLite does.
pub(super) fn at_once<T>(future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::gone()),
    }
}

fn run(connection: Arc<Mutex<Connection>>, messages: &Receiver<Message>) {
    while let Ok(first) = messages.recv() {
        let mut other = None;
        let mut jobs = Vec::new();
        for message in std::iter::once(first).chain(messages.try_iter()) {
            match message {
                Message::Work(job) if job.is_awaited() => jobs.push(job),
                Message::Work(_) => {}
                message => other = Some(message),
            }
            if other.is_some() || jobs.len() >= MOST {
                break;
            }
        }
        if !jobs.is_empty() {
            serve(&mut lock(&connection), jobs);
        }
        // Whoever asked may be gone; it is done all the same.
        match other {
            Some(Message::Syncs(syncs, told)) => drop(told.send(wait_for_disk(&lock(&connection), syncs))),
            Some(Message::Close(told)) => {
                drop(connection);
                let _ = told.send(());
                return;
            }
            Some(Message::Work(_)) | None => {}
        }
    }
}

fn wait_for_disk(connection: &Connection, syncs: Syncs) -> Result<(), StoreError> {
    match syncs {
        Syncs::Order => Ok(connection.pragma_update(None, "synchronous", "NORMAL")?),
        Syncs::EachCommit => {
            connection.pragma_update(None, "synchronous", "FULL")?;
            sync_log(connection)
        }
    }
}

/// Waits until the write-ahead log is on the disk. Without one, or with an empty one as SQLite begins it, there is nothing to
/// wait for: a rollback journal leaves no commit to the system. On the log SQLite holds no lock, which closing it here would
/// let go.
fn sync_log(connection: &Connection) -> Result<(), StoreError> {
    let Some(path) = connection.path().filter(|path| !path.is_empty()) else { return Ok(()) };
    let log = OpenOptions::new().write(true).open(format!("{path}-wal"));
    match log.and_then(|log| sync(&log)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(StoreError::Schema(format!("the database {path} could not be brought to the disk: {error}")))
        }
        _ => Ok(()),
    }
}

fn sync(log: &File) -> io::Result<()> {
    if log.metadata()?.len() == 0 { Ok(()) } else { log.sync_all() }
}

/// Does the jobs in one transaction. If the database gives that up half-way (no room, a broken disk), each is done again
/// in one of its own, so that only the one which cannot be done fails.
fn serve(connection: &mut Connection, mut jobs: Vec<Box<dyn Job>>) {
    let together = jobs.len() > 1;
    let end = if together { transact_all(connection, &mut jobs) } else { transact(connection, &mut jobs) };
    if end.is_err() && !connection.is_autocommit() {
        // A commit that failed can leave its transaction open, which must not become the next one's.
        drop(run_text(connection, "ROLLBACK"));
    }
    match end {
        Ok(()) => jobs.into_iter().for_each(|job| job.answer(Ok(()))),
        Err(End::GivenUp) if together => jobs.into_iter().for_each(|job| serve(connection, vec![job])),
        Err(End::GivenUp) => jobs.into_iter().for_each(|job| job.answer(Ok(()))),
        Err(End::Failed(error)) => jobs.into_iter().for_each(|job| job.answer(Err(error.again()))),
    }
}

/// Why a transaction is over without its commit.
enum End {
    /// The database undid it while the work was done.
    GivenUp,
    /// It did not begin, or its commit failed. Whoever waits for the same would only fail as well.
    Failed(StoreError),
}

impl From<rusqlite::Error> for End {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Work alone needs no savepoint.
fn transact(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), End> {
    begin(connection)?;
    let mut trace = Trace::None;
    for job in jobs {
        trace = job.perform(connection);
    }
    end(connection, trace)
}

fn transact_all(connection: &mut Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), End> {
    begin(connection)?;
    let mut whole = Trace::None;
    for job in jobs {
        run_text(connection, "SAVEPOINT work")?;
        match job.perform(connection) {
            _ if connection.is_autocommit() => return Err(End::GivenUp),
            Trace::Keep => whole = Trace::Keep,
            Trace::None => run_text(connection, "ROLLBACK TO work")?,
        }
        run_text(connection, "RELEASE work")?;
    }
    end(connection, whole)
}

/// Takes the lock at once, where SQLite waits for its turn; a lock taken later would fail at once if another process has
/// written in between.
fn begin(connection: &Connection) -> Result<(), End> {
    Ok(run_text(connection, "BEGIN IMMEDIATE")?)
}

fn end(connection: &Connection, trace: Trace) -> Result<(), End> {
    if connection.is_autocommit() {
        return Err(End::GivenUp);
    }
    Ok(run_text(connection, if trace == Trace::Keep { "COMMIT" } else { "ROLLBACK" })?)
}

fn run_text(connection: &Connection, text: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(text)?.raw_execute().map(drop)
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
