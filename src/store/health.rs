//! What is known of the connections to the database, and what went over them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::error::StoreError;
use super::statement::Statement;

/// What is known of the connections, and how much went over them.
#[derive(Debug)]
pub(super) struct Health {
    opened: Instant,
    /// Milliseconds after `opened` at which a connection was last found broken.
    lost_at: AtomicU64,
    statements: AtomicU64,
    /// There once somebody asked for it.
    traffic: OnceLock<Mutex<Traffic>>,
}

/// What was sent to the database: for tests that hold an endpoint to what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The text of each statement, transactions' brackets left out.
    pub statements: Vec<&'static str>,
    /// How many transactions wrote.
    pub writes: usize,
}

impl Health {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            lost_at: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            traffic: OnceLock::new(),
        })
    }

    /// Whether a connection that was idle for so long has been so since before another one was found broken: then a
    /// restart of the server may have broken it too.
    pub(super) fn doubts(&self, idle_for: Duration) -> bool {
        let lost_at = self.lost_at.load(Ordering::Relaxed);
        lost_at > 0 && self.opened.elapsed().saturating_sub(idle_for).as_millis() <= u128::from(lost_at)
    }

    /// Looks at a statement that is about to be sent.
    pub(super) fn count(&self, statement: &Statement) -> Result<(), StoreError> {
        statement.check()?;
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.note(|traffic| traffic.statements.push(statement.sql));
        Ok(())
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut Traffic)) {
        if let Some(traffic) = self.traffic.get() {
            change(&mut traffic.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// What was noted since the last call; from the first one on it is.
    pub(super) fn traffic(&self) -> Traffic {
        let traffic = self.traffic.get_or_init(Mutex::default);
        std::mem::take(&mut *traffic.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a connection was found broken just now.
    pub(super) fn lost(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.lost_at.store(now.max(1), Ordering::Relaxed);
    }

    /// A short wait before attempt `attempt`, not the same for all who wait.
    pub(super) fn pause(&self, attempt: u32) -> Duration {
        let jitter = self.opened.elapsed().subsec_nanos() % (10 * attempt + 1);
        Duration::from_millis(u64::from(5 * attempt + jitter))
    }

    /// Statements sent so far, transactions' brackets left out.
    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}
