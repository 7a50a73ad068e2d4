//! Time as an input. Owns the only call to the system's clock; rules receive a [`Timestamp`].

use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970-01-01T00:00:00Z (the `NumericDate` of RFC 7519 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment plus `seconds`, held at the ends of the range instead of overflowing.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC, for people and logs.
    #[must_use]
    pub fn rfc3339(self) -> String {
        time::OffsetDateTime::from_unix_timestamp(self.0)
            .ok()
            .and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok())
            .unwrap_or_else(|| self.0.to_string())
    }
}

/// The clock of one server. Clones share their state, so a test that moves one moves them all.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Seconds added to the base.
    offset: AtomicI64,
    /// A frozen base, or `i64::MIN` to follow the system.
    frozen: Frozen,
    watch: OnceLock<Watch>,
}

struct Watch(Box<dyn Fn(&Location<'_>) + Send + Sync>);

impl fmt::Debug for Watch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Watch")
    }
}

#[derive(Debug)]
struct Frozen(AtomicI64);

impl Default for Frozen {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Clock {
    /// A clock that follows the system's.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at `at` until it is advanced.
    #[must_use]
    pub fn frozen(at: Timestamp) -> Self {
        let clock = Self::default();
        clock.0.frozen.0.store(at.0, Ordering::Relaxed);
        clock
    }

    /// Calls `watch` before each reading from here on, in the midst of whatever reads and with its place: for a test that
    /// wants something to happen there, such as a fault. Only the first watch of a clock counts.
    pub fn watch(&self, watch: impl Fn(&Location<'_>) + Send + Sync + 'static) {
        self.0.watch.get_or_init(|| Watch(Box::new(watch)));
    }

    /// Now, in whole seconds.
    #[must_use]
    #[track_caller]
    pub fn now(&self) -> Timestamp {
        if let Some(Watch(watch)) = self.0.watch.get() {
            watch(Location::caller());
        }
        let frozen = self.0.frozen.0.load(Ordering::Relaxed);
        let base = if frozen == i64::MIN { system_seconds() } else { frozen };
        Timestamp(base.saturating_add(self.0.offset.load(Ordering::Relaxed)))
    }

    /// Moves the clock forward (or, with a negative span, back) by `seconds`.
    pub fn advance(&self, seconds: i64) {
        self.0.offset.fetch_add(seconds, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_seconds() -> i64 {
    let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = Clock::frozen(Timestamp(1_000));
        let same = clock.clone();
        assert_eq!(clock.now(), Timestamp(1_000));
        same.advance(60);
        assert_eq!(clock.now(), Timestamp(1_060));
    }

    #[test]
    fn arithmetic_holds_at_the_ends() {
        assert_eq!(Timestamp(i64::MAX).plus(1), Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MIN).since(Timestamp(1)), i64::MIN);
    }
}
