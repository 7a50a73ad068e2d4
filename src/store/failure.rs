//! Table `failures`: attempts to sign in that did not succeed (yet).

use super::Store;
use super::db::{Statement, sql};
use super::error::StoreError;
use crate::clock::Timestamp;
use crate::protocol::brake::{self, Counter};
use crate::protocol::realm::BruteForce;

pub(super) fn clear(realm_id: &str, subject: &str) -> Statement {
    sql!("DELETE FROM failures WHERE realm_id = $1 AND subject = $2", realm_id, subject)
}

impl Store {
    /// Counts an attempt towards every counter before its password is looked at, in a transaction of its own, so that
    /// nothing that fails later takes the count back. Says until when to wait, if one of the counters is over.
    /// While one is locked the attempt is refused and not counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_attempt(
        &self,
        realm_id: &str,
        counters: &[Counter],
        rule: &BruteForce,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut transaction = self.db.begin().await?;
        let mut wait_until: Option<Timestamp> = None;
        for Counter { subject, most } in counters {
            // A locked counter is not moved; a forgotten one begins anew.
            let text = "INSERT INTO failures (realm_id, subject, count, last_at, locked_until, expires_at) \
                        VALUES ($1, $2, 1, $3, 0, $4) \
                        ON CONFLICT (realm_id, subject) DO UPDATE SET \
                        count = CASE WHEN failures.expires_at <= $3 THEN 1 \
                        WHEN failures.locked_until > $3 THEN failures.count ELSE failures.count + 1 END, \
                        last_at = CASE WHEN failures.locked_until > $3 THEN failures.last_at ELSE $3 END, \
                        expires_at = CASE WHEN failures.locked_until > $3 THEN failures.expires_at ELSE $4 END \
                        RETURNING count, locked_until";
            let statement = sql!(text, realm_id, subject, now, now.plus(rule.window));
            let row = transaction.one::<(i64, Timestamp)>(statement).await?;
            let (count, locked_until) = row.unwrap_or((1, Timestamp(0)));
            let until = if locked_until > now {
                Some(locked_until)
            } else if let Some(seconds) = brake::wait(count, *most, rule) {
                let until = now.plus(seconds);
                let text = "UPDATE failures SET locked_until = $3 WHERE realm_id = $1 AND subject = $2";
                transaction.execute(sql!(text, realm_id, subject, until)).await?;
                Some(until)
            } else {
                None
            };
            wait_until = wait_until.max(until);
        }
        transaction.commit().await?;
        Ok(wait_until)
    }
}
