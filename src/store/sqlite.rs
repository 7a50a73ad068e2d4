//! SQLite: its connections, and statements on them.
//!
//! A record read by its key costs a few microseconds, less than the way to another thread and back, so reading is done
//! where it is asked for. What may take longer, or must wait for another process, goes to a thread that may wait. All
//! writing is the [`super::writer`]'s.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags};

use super::error::StoreError;
use super::health::Health;
use super::row::{Driver, Reader, Row};
use super::statement::{Statement, Value};
use super::transaction::{Finish, Transaction, Work};
use super::writer::{Syncs, Writer, at_once};

/// Statements kept prepared on each connection; more than there are texts.
const PREPARED: usize = 256;

/// How long a process waits for another one that writes to the same file.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// An open database.
#[derive(Debug)]
pub(super) struct Sqlite {
    reading: Reading,
    pub(super) writer: Writer,
    starting: AtomicBool,
    closed: AtomicBool,
}

/// Where connections for reading come from.
#[derive(Debug)]
enum Reading {
    /// From the file, and back here afterwards.
    File { path: PathBuf, kept: usize, idle: Mutex<Vec<Connection>>, used: AtomicUsize },
    /// A database in memory is its one connection, which the writer uses too.
    Memory(Arc<Mutex<Connection>>),
}

/// Whether a reader may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// No: it holds up a thread of the runtime.
    No,
    /// For another process, or for a writer in memory.
    Yes,
}

impl Sqlite {
    /// The database in `path`, a file that exists; at most `readers` connections that read are kept.
    pub(super) fn file(path: &Path, readers: usize) -> Result<Self, StoreError> {
        let write = connect(path)?;
        // A long read can hold the log back; afterwards the file gives its room back.
        write.pragma_update(None, "journal_size_limit", 67_108_864)?;
        // The first look into the file, which may not be a database at all.
        write.pragma_query_value(None, "schema_version", |_| Ok(()))?;
        let idle = Mutex::default();
        let reading = Reading::File { path: path.to_owned(), kept: readers, idle, used: AtomicUsize::new(0) };
        Self::new(reading, Arc::new(Mutex::new(write)))
    }

    /// A database that lives as long as the store.
    pub(super) fn memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        configure(&connection)?;
        let connection = Arc::new(Mutex::new(connection));
        Self::new(Reading::Memory(Arc::clone(&connection)), connection)
    }

    fn new(reading: Reading, write: Arc<Mutex<Connection>>) -> Result<Self, StoreError> {
        let (starting, closed) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self { reading, writer: Writer::start(write)?, starting, closed })
    }

    /// Whether nobody is served yet.
    pub(super) fn is_starting(&self) -> bool {
        self.starting.load(Ordering::Acquire)
    }

    /// Lets `syncs` wait for the disk. While that is not each commit, the server starts.
    pub(super) async fn wait_for_disk(&self, syncs: Syncs) -> Result<(), StoreError> {
        self.starting.store(syncs == Syncs::Order, Ordering::Release);
        self.writer.wait_for_disk(syncs).await
    }

    /// Lends a connection for reading. One that fails is not used again.
    ///
    /// # Errors
    /// What `work` says, or that the database is busy.
    pub(super) fn read<T>(
        &self,
        wait: Wait,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::gone());
        }
        match &self.reading {
            Reading::Memory(connection) => work(&mut *exclusive(connection, wait)?),
            Reading::File { path, kept, idle, used } => {
                let _used = Used::new(used);
                let kept_one = lock(idle).pop();
                let mut connection = match kept_one {
                    Some(connection) => connection,
                    None => reader(path)?,
                };
                connection.busy_timeout(if wait == Wait::Yes { PATIENCE } else { Duration::ZERO })?;
                let result = work(&mut connection);
                let mut idle = lock(idle);
                // Looked at under the lock: what comes to rest after `close` would keep the file's log from being brought in.
                let goes_on = !self.closed.load(Ordering::Acquire);
                if result.is_ok() && goes_on && idle.len() < *kept {
                    idle.push(connection);
                }
                result
            }
        }
    }

    /// Does `work`, which writes nothing, as of one moment.
    pub(super) fn snapshot<W: Work>(&self, work: &W, health: &Health) -> Result<W::Outcome, StoreError> {
        self.read(Wait::Yes, |connection| {
            connection.execute_batch("BEGIN")?;
            let result = at_once(work.perform(&mut Transaction::on_sqlite(connection, health)));
            let ended = connection.execute_batch("ROLLBACK");
            let (Finish::Commit(outcome) | Finish::Undo(outcome)) = result?;
            ended?;
            Ok(outcome)
        })
    }

    /// Readers at work and at rest.
    pub(super) fn readers(&self) -> (usize, usize) {
        match &self.reading {
            Reading::Memory(_) => (0, 0),
            Reading::File { idle, used, .. } => (used.load(Ordering::Relaxed), lock(idle).len()),
        }
    }

    /// Makes readers independent of the writer, from now on and for every process. Waits for others that use the file.
    pub(super) fn use_wal(&self) -> Result<(), StoreError> {
        let Reading::File { path, .. } = &self.reading else { return Ok(()) };
        let mode = |connection: &mut Connection| {
            Ok(connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))?)
        };
        if self.read(Wait::Yes, mode)? == "wal" {
            return Ok(());
        }
        let connection = connect(path)?;
        // Here alone SQLite does not wait for others by itself.
        for _ in 0..40 {
            match connection.pragma_update(None, "journal_mode", "WAL").map_err(StoreError::from) {
                Err(error) if error.is_busy() => std::thread::sleep(Duration::from_millis(25)),
                result => return result,
            }
        }
        Ok(())
    }

    /// Ends the connections, after what is under way.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        if let Reading::File { idle, .. } = &self.reading {
            lock(idle).clear();
        }
        self.writer.close().await;
    }
}

/// Counts a reader while it is at work.
struct Used<'a>(&'a AtomicUsize);

impl<'a> Used<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Used<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn exclusive(mutex: &Mutex<Connection>, wait: Wait) -> Result<MutexGuard<'_, Connection>, StoreError> {
    match mutex.try_lock() {
        Ok(connection) => Ok(connection),
        Err(TryLockError::Poisoned(connection)) => Ok(connection.into_inner()),
        Err(TryLockError::WouldBlock) if wait == Wait::Yes => Ok(lock(mutex)),
        Err(TryLockError::WouldBlock) => Err(busy()),
    }
}

fn busy() -> StoreError {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY), None).into()
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    // No address in place of a path, and no lock around what one thread at a time uses.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    configure(&connection)?;
    Ok(connection)
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // One plan per text, whatever its values are: else a new value has the statement prepared anew, at many times the
    // cost of running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(PREPARED);
    Ok(())
}

/// Runs a statement, and says how many rows it changed.
pub(super) fn execute(connection: &Connection, statement: &Statement) -> Result<u64, StoreError> {
    let rows = prepared(connection, statement)?.raw_execute()?;
    Ok(u64::try_from(rows).unwrap_or(u64::MAX))
}

/// Runs a statement, and reads every row that it gives.
pub(super) fn all<R: Row>(connection: &Connection, statement: &Statement) -> Result<Vec<R>, StoreError> {
    let mut query = prepared(connection, statement)?;
    let mut rows = query.raw_query();
    let (mut reader, mut read) = (Reader::of::<R>(statement.sql), Vec::new());
    while let Some(row) = rows.next()? {
        read.push(reader.read(Driver::Sqlite(row))?);
    }
    Ok(read)
}

/// SQLite numbers parameters by where they first occur; `$3` is ours to find.
fn prepared<'c>(
    connection: &'c Connection,
    statement: &Statement,
) -> Result<CachedStatement<'c>, StoreError> {
    let mut prepared = connection.prepare_cached(statement.sql)?;
    for at in 1..=prepared.parameter_count() {
        let number = prepared.parameter_name(at).and_then(|name| name.get(1..)?.parse::<usize>().ok());
        let value = number.and_then(|number| statement.values.get(number.checked_sub(1)?));
        let value = value.ok_or_else(|| rusqlite::Error::InvalidParameterName(statement.sql.to_owned()))?;
        prepared.raw_bind_parameter(at, value)?;
    }
    Ok(prepared)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Int(Some(number)) => ValueRef::Integer(*number),
            Self::Text(None) | Self::Int(None) => ValueRef::Null,
        }))
    }
}
