//! Removing what has expired, a little at a time, so that no writer waits for it.

use super::Store;
use super::db::{Finish, Transaction, Work};
use super::error::StoreError;
use super::statement::{Statement, sql};
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

/// One statement per table; `$1` is the moment before which rows are of no use, `$2` the most rows to remove.
/// What hangs on a grant never outlives it: a grant's end is moved whenever something is issued from it.
fn statements(now: Timestamp, audit_before: Timestamp, most: i64) -> Vec<Statement> {
    vec![
        sql!(
            "DELETE FROM authorization_codes WHERE fingerprint IN \
             (SELECT fingerprint FROM authorization_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM device_codes WHERE fingerprint IN \
             (SELECT fingerprint FROM device_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM refresh_tokens WHERE id IN (SELECT id FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM revoked_tokens WHERE (realm_id, jti) IN \
             (SELECT realm_id, jti FROM revoked_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM spent_identifiers WHERE (realm_id, kind, fingerprint) IN \
             (SELECT realm_id, kind, fingerprint FROM spent_identifiers WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM pushed_requests WHERE fingerprint IN \
             (SELECT fingerprint FROM pushed_requests WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM failures WHERE (realm_id, subject) IN \
             (SELECT realm_id, subject FROM failures WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM registration_tokens WHERE id IN \
             (SELECT id FROM registration_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)",
            now,
            most
        ),
        sql!(
            "DELETE FROM logout_outbox WHERE (session_id, client) IN \
             (SELECT session_id, client FROM logout_outbox WHERE due_at < $1 ORDER BY due_at LIMIT $2)",
            now.plus(-86_400),
            most
        ),
        sql!(
            "DELETE FROM audit_events WHERE id IN (SELECT id FROM audit_events WHERE at < $1 ORDER BY at LIMIT $2)",
            audit_before,
            most
        ),
        sql!(
            "DELETE FROM events_of_deleted_realms WHERE id IN \
             (SELECT id FROM events_of_deleted_realms WHERE at < $1 ORDER BY at LIMIT $2)",
            audit_before,
            most
        ),
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
        for statement in statements(kept_codes, audit_before, most) {
            let rows = self.db.write(Sweep(statement)).await?;
            swept.rows = swept.rows.saturating_add(rows);
            swept.more |= i64::try_from(rows).is_ok_and(|rows| rows >= most);
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
