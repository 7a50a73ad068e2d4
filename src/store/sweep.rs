//! Removing what has expired, a little at a time, so that no writer waits for it.

use super::Store;
use super::error::StoreError;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use crate::clock::Timestamp;

/// Rows that a sweep removes at once per table: few enough that no writer waits for long.
pub const SWEEP_BATCH: i64 = 100;

/// How many rows a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Rows.
    pub rows: u64,
    /// Whether more is left for another sweep.
    pub more: bool,
}

/// Removes rows of a table by its key: those whose time is before a moment, the oldest first, and at most so many.
macro_rules! expired {
    ($table:literal, $key:literal, $time:literal, $before:expr, $most:expr) => {
        (
            $table,
            sql!(
                concat!(
                    "DELETE FROM ",
                    $table,
                    " WHERE (",
                    $key,
                    ") IN (SELECT ",
                    $key,
                    " FROM ",
                    $table,
                    " WHERE ",
                    $time,
                    " < $1 ORDER BY ",
                    $time,
                    " LIMIT $2)"
                ),
                $before,
                $most
            ),
        )
    };
}

/// One statement per table, with its name. What hangs on a grant never outlives it: a grant's end is moved whenever
/// something is issued from it.
fn statements(now: Timestamp, audit_before: Timestamp, most: i64) -> Vec<(&'static str, Statement)> {
    let long_overdue = now.plus(-86_400);
    vec![
        expired!("authorization_codes", "fingerprint", "expires_at", now, most),
        expired!("device_codes", "fingerprint", "expires_at", now, most),
        expired!("refresh_tokens", "id", "expires_at", now, most),
        expired!("grants", "id", "expires_at", now, most),
        expired!("sessions", "id", "expires_at", now, most),
        expired!("revoked_tokens", "realm_id, jti", "expires_at", now, most),
        expired!("spent_identifiers", "realm_id, kind, fingerprint", "expires_at", now, most),
        expired!("pushed_requests", "fingerprint", "expires_at", now, most),
        expired!("failures", "realm_id, subject", "expires_at", now, most),
        expired!("registration_tokens", "id", "expires_at", now, most),
        expired!("logout_outbox", "session_id, client", "due_at", long_overdue, most),
        expired!("audit_events", "id", "at", audit_before, most),
        expired!("events_of_deleted_realms", "id", "at", audit_before, most),
    ]
}

impl Store {
    /// Removes at most `most` expired rows of each table, each table in a transaction of its own. A code is kept for
    /// a while after its end, so that a late replay is still known for one.
    ///
    /// # Errors
    /// [`StoreError`]; what was removed before stays removed.
    pub async fn sweep(&self, now: Timestamp, audit_days: i64, most: i64) -> Result<Swept, StoreError> {
        let kept_codes = now.plus(-600);
        let mut swept = Swept::default();
        let audit_before = now.plus(-audit_days.saturating_mul(86_400));
        let mut hanging = false;
        for (table, statement) in statements(kept_codes, audit_before, most) {
            // A grant takes along what hangs on it, and that may be months of tokens: they go first, so many at a time.
            if table == "grants" && hanging {
                continue;
            }
            let rows = self.db.write(Sweep(statement)).await?;
            swept.rows = swept.rows.saturating_add(rows);
            let more = i64::try_from(rows).is_ok_and(|rows| rows >= most);
            swept.more |= more;
            hanging |= more && matches!(table, "authorization_codes" | "refresh_tokens");
        }
        Ok(swept)
    }
}

struct Sweep(Statement);

impl Work for Sweep {
    type Outcome = u64;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<u64>, StoreError> {
        let rows = transaction.execute(&self.0).await?;
        // Nothing to keep costs no write to the disk.
        Ok(if rows == 0 { Finish::Undo(0) } else { Finish::Commit(rows) })
    }
}
