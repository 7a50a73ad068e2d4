//! Table `failures`: attempts to sign in that did not succeed (yet).

use super::Store;
use super::error::StoreError;
use super::statement::{Statement, key, sql};
use super::transaction::{Finish, Transaction, Work};
use crate::clock::Timestamp;
use crate::protocol::brake::{self, Counter, Forgiven};
use crate::protocol::realm::BruteForce;

pub(super) fn forgive(realm_id: &str, forgiven: Forgiven, to: &mut Vec<Statement>) {
    let [one, two, three] = forgiven.forgotten;
    let text = "DELETE FROM failures WHERE realm_id = $1 AND subject IN ($2, $3, $4)";
    to.push(sql!(text, realm_id, one, two, three));
    // With this one taken back the next is not one too many, unless there were too many before.
    to.extend(forgiven.given_back.map(|Counter { subject, most }| {
        let text = "UPDATE failures SET count = count - 1, \
                    locked_until = CASE WHEN count - 1 < $3 THEN 0 ELSE locked_until END \
                    WHERE realm_id = $1 AND subject = $2 AND count > 0";
        sql!(text, realm_id, subject, most)
    }));
}

/// What is counted against an account (the subject of `brake::account`), from all addresses; none: against every account.
pub(super) fn forgive_account(realm_id: &str, account: Option<&str>) -> Statement {
    let text = "DELETE FROM failures WHERE realm_id = $1 AND (subject = $2 OR subject LIKE $3 ESCAPE '!')";
    sql!(text, realm_id, account.unwrap_or_default(), below(account.unwrap_or("account")))
}

/// A pattern for the subjects below another.
fn below(subject: &str) -> String {
    format!("{}/%", subject.replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

/// What is counted against something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many failures.
    pub count: i64,
    /// When the last was.
    pub last_at: Timestamp,
    /// Until when further attempts are refused.
    pub locked_until: Timestamp,
    /// When they are forgotten.
    pub expires_at: Timestamp,
}

impl Store {
    /// What is counted against `subject`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn failures(&self, realm_id: &str, subject: &str) -> Result<Option<Failures>, StoreError> {
        let text = "SELECT count, last_at, locked_until, expires_at FROM failures \
                    WHERE realm_id = $1 AND subject = $2";
        let found =
            self.db.one::<(i64, Timestamp, Timestamp, Timestamp)>(sql!(text, realm_id, subject)).await?;
        Ok(found.map(|(count, last_at, locked_until, expires_at)| Failures {
            count,
            last_at,
            locked_until,
            expires_at,
        }))
    }

    /// The most that any count of an account says (`account` is the subject of `brake::account`), of those that are not
    /// forgotten at `now`; zeroes when nothing is counted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn failures_of_account(
        &self,
        realm_id: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<Failures, StoreError> {
        let text = "SELECT COALESCE(MAX(count), 0), COALESCE(MAX(last_at), 0), COALESCE(MAX(locked_until), 0), \
                    COALESCE(MAX(expires_at), 0) FROM failures \
                    WHERE realm_id = $1 AND (subject = $2 OR subject LIKE $3 ESCAPE '!') AND expires_at > $4";
        let statement = sql!(text, realm_id, account, below(account), now);
        let found = self.db.one::<(i64, Timestamp, Timestamp, Timestamp)>(statement).await?;
        let (count, last_at, locked_until, expires_at) = found.unwrap_or_default();
        Ok(Failures { count, last_at, locked_until, expires_at })
    }

    /// Counts an attempt towards every counter before its password is looked at, in a transaction of its own, so that
    /// nothing that fails later takes the count back, and side by side no more attempts than allowed are let through.
    /// Says until when to wait, if one of the counters asks for it; then the attempt must not go on, and was not
    /// counted. An attempt that uses up what is allowed goes on, and those after it wait; after a wait one attempt goes
    /// on, and the next wait is twice as long.
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
        let (realm_id, counters, rule) = (realm_id.to_owned(), counters.to_vec(), rule.clone());
        self.db.write(CountAttempt { realm_id, counters, rule, now }).await
    }

    /// Until when what `subject` counts is locked, if it ever was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn locked_until(&self, realm_id: &str, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        let text = "SELECT locked_until FROM failures WHERE realm_id = $1 AND subject = $2";
        Ok(self.db.one::<(Timestamp,)>(sql!(text, realm_id, subject)).await?.map(|(until,)| until))
    }
}

/// Counting as a part of a transaction: one that is undone has counted nothing.
pub(super) struct CountAttempt {
    pub(super) realm_id: String,
    pub(super) counters: Vec<Counter>,
    pub(super) rule: BruteForce,
    pub(super) now: Timestamp,
}

impl Work for CountAttempt {
    type Outcome = Option<Timestamp>;

    async fn perform(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Finish<Option<Timestamp>>, StoreError> {
        Ok(match self.count_all(transaction).await? {
            // No counter keeps an attempt that another one refused.
            Some(until) => Finish::Undo(Some(until)),
            None => Finish::Commit(None),
        })
    }
}

impl CountAttempt {
    /// Counts towards every counter; until when to wait instead, if one of them is locked.
    pub(super) async fn count_all(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut wait_until = None;
        for counter in &self.counters {
            wait_until = wait_until.max(self.count(transaction, counter).await?);
        }
        Ok(wait_until)
    }

    /// Counts towards one counter; until when to wait instead, if it is locked.
    async fn count(
        &self,
        transaction: &mut Transaction<'_>,
        Counter { subject, most }: &Counter,
    ) -> Result<Option<Timestamp>, StoreError> {
        let (realm_id, now) = (&self.realm_id, self.now);
        // A locked counter is not moved; a forgotten one begins anew. The row stays locked until the commit.
        let text = "INSERT INTO failures (realm_id, subject, count, last_at, locked_until, expires_at) \
                    VALUES ($1, $2, 1, $3, 0, $4) ON CONFLICT (realm_id, subject) DO UPDATE SET \
                    count = CASE WHEN failures.locked_until > $3 THEN failures.count \
                    WHEN failures.expires_at <= $3 THEN 1 ELSE failures.count + 1 END, \
                    last_at = CASE WHEN failures.locked_until > $3 THEN failures.last_at ELSE $3 END, \
                    expires_at = CASE WHEN failures.locked_until > $3 THEN failures.expires_at ELSE $4 END \
                    RETURNING count, locked_until";
        let count = sql!(text, realm_id, key(subject)?, now, now.plus(self.rule.window));
        let row = transaction.one::<(i64, Timestamp)>(&count).await?;
        let (count, locked_until) = row.unwrap_or((1, Timestamp(0)));
        if locked_until > now {
            return Ok(Some(locked_until));
        }
        // Would the next one be one too many? Then it waits.
        if let Some(seconds) = brake::wait(count.saturating_add(1), *most, &self.rule) {
            let until = now.plus(seconds);
            let text =
                "UPDATE failures SET locked_until = $3, expires_at = $4 WHERE realm_id = $1 AND subject = $2";
            let lock = sql!(text, realm_id, subject, until, until.plus(self.rule.window));
            transaction.execute(&lock).await?;
        }
        Ok(None)
    }
}
