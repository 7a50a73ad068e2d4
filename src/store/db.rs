//! The two databases behind one face: a statement or a piece of work goes in, rows or what became of it come out.
//!
//! Owns connections in use, deadlines, and doing a transaction again when the database asks for it. All writing passes
//! [`Db::write`], whole transactions at a time, so that transactions may one day share a commit on SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, FromRow, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool};

use super::error::StoreError;
use super::statement::{Statement, Value};

/// How long one statement may take on Postgres, seen from here. The server's own `statement_timeout` cannot help when
/// the server hangs or the network swallows the answer.
const DEADLINE: Duration = Duration::from_millis(4_500);

/// How often work that gave way, or whose connection the server closed, is done again.
const RETRIES: u32 = 3;

/// The open database.
#[derive(Clone, Debug)]
pub(super) struct Db {
    pub(super) pools: Pools,
    pub(super) health: Arc<Health>,
}

/// Its connections.
#[derive(Clone, Debug)]
pub(super) enum Pools {
    /// Embedded: one connection writes, several read; in memory they are one.
    Sqlite { write: SqlitePool, read: SqlitePool },
    /// A server that other nodes use too.
    Postgres(PgPool),
}

/// What is known of the connections, and how much went over them.
#[derive(Debug)]
pub(super) struct Health {
    opened: Instant,
    /// Milliseconds after `opened` at which a connection was last found broken.
    lost_at: AtomicU64,
    statements: AtomicU64,
}

impl Health {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { opened: Instant::now(), lost_at: AtomicU64::new(0), statements: AtomicU64::new(0) })
    }

    /// Whether a connection that was idle for so long has been so since before another one was found broken: then a
    /// restart of the server may have broken it too.
    pub(super) fn doubts(&self, idle_for: Duration) -> bool {
        let lost_at = self.lost_at.load(Ordering::Relaxed);
        lost_at > 0 && self.opened.elapsed().saturating_sub(idle_for).as_millis() <= u128::from(lost_at)
    }

    fn lost(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.lost_at.store(now.max(1), Ordering::Relaxed);
    }

    /// A short wait before attempt `attempt`, not the same for all who wait.
    fn pause(&self, attempt: u32) -> Duration {
        let jitter = self.opened.elapsed().subsec_nanos() % (10 * attempt + 1);
        Duration::from_millis(u64::from(5 * attempt + jitter))
    }
}

/// A row that both databases can give.
pub(super) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// Writing that is done whole or not at all, and that can be done again from the start.
pub(super) trait Work: Sync {
    /// What it tells.
    type Outcome: Send;

    /// Does it inside a transaction.
    fn perform(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> impl Future<Output = Result<Finish<Self::Outcome>, StoreError>> + Send;
}

/// How a transaction ends.
pub(super) enum Finish<T> {
    /// It lasts.
    Commit(T),
    /// It leaves no trace, and that is no error.
    Undo(T),
}

/// How a transaction failed.
enum Failed {
    /// It left no trace.
    Undone(StoreError),
    /// The answer to `COMMIT` did not arrive, or said no.
    InDoubt(StoreError),
}

impl<E: Into<StoreError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Undone(error.into())
    }
}

impl Failed {
    fn error(&self) -> &StoreError {
        match self {
            Self::Undone(error) | Self::InDoubt(error) => error,
        }
    }

    /// Whether doing the work again is right: it surely left no trace, and the cause has passed.
    fn may_repeat(&self) -> bool {
        match self {
            Self::Undone(error) => error.has_passed(),
            Self::InDoubt(error) => error.has_passed() && !error.spoils_connection(),
        }
    }
}

/// A transaction on `$pool`, begun by `$begin`, that does `$work`. SQLite takes its lock at once, where it waits for
/// its turn; a lock taken later would fail at once if somebody else has written in between.
macro_rules! transact {
    ($db:expr, $pool:expr, $link:ident, $begin:expr, $work:expr) => {{
        let mut connection = $pool.acquire().await?;
        let result: Result<_, Failed> = async {
            let mut inner = $db.limited(async { Ok(connection.begin_with($begin).await?) }).await?;
            let link = Link::$link(&mut inner);
            match $work.perform(&mut Transaction { link, health: &$db.health }).await? {
                Finish::Commit(outcome) => {
                    let commit = $db.limited(async { Ok(inner.commit().await?) });
                    commit.await.map_err(Failed::InDoubt)?;
                    Ok(outcome)
                }
                Finish::Undo(outcome) => {
                    $db.limited(async { Ok(inner.rollback().await?) }).await?;
                    Ok(outcome)
                }
            }
        }
        .await;
        if result.as_ref().is_err_and(|failed| failed.error().spoils_connection()) {
            $db.health.lost();
            connection.close_on_drop();
        }
        result
    }};
}

impl Db {
    /// Every row.
    pub(super) async fn all<R: Row>(&self, statement: Statement) -> Result<Vec<R>, StoreError> {
        let mut attempt = 0;
        loop {
            match self.read(&statement).await {
                Err(error) if attempt < RETRIES && error.has_passed() => attempt += 1,
                result => return result,
            }
            tokio::time::sleep(self.health.pause(attempt)).await;
        }
    }

    /// The one row, if there is one.
    pub(super) async fn one<R: Row>(&self, statement: Statement) -> Result<Option<R>, StoreError> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    async fn read<R: Row>(&self, statement: &Statement) -> Result<Vec<R>, StoreError> {
        let health = &*self.health;
        match &self.pools {
            Pools::Sqlite { read, .. } => {
                let mut connection = read.acquire().await?;
                Transaction { link: Link::Sqlite(&mut connection), health }.all(statement).await
            }
            Pools::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                let link = Link::Postgres(&mut connection);
                let result = Transaction { link, health }.all(statement).await;
                if result.as_ref().is_err_and(StoreError::spoils_connection) {
                    health.lost();
                    connection.close_on_drop();
                }
                result
            }
        }
    }

    /// Does `work` in a transaction, and again when the database chose it to give way or closed the connection before
    /// the commit was asked for.
    pub(super) async fn write<W: Work>(&self, work: &W) -> Result<W::Outcome, StoreError> {
        let mut attempt = 0;
        loop {
            match self.attempt(work).await {
                Ok(outcome) => return Ok(outcome),
                Err(failed) if attempt < RETRIES && failed.may_repeat() => attempt += 1,
                Err(Failed::Undone(error) | Failed::InDoubt(error)) => return Err(error),
            }
            tokio::time::sleep(self.health.pause(attempt)).await;
        }
    }

    async fn attempt<W: Work>(&self, work: &W) -> Result<W::Outcome, Failed> {
        match &self.pools {
            Pools::Sqlite { write, .. } => transact!(self, write, Sqlite, "BEGIN IMMEDIATE", work),
            Pools::Postgres(pool) => transact!(self, pool, Postgres, "BEGIN", work),
        }
    }

    /// Does `work`, which writes nothing, as of one moment.
    pub(super) async fn snapshot<W: Work>(&self, work: &W) -> Result<W::Outcome, StoreError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let result: Result<_, Failed> = async {
            match &self.pools {
                Pools::Sqlite { read, .. } => transact!(self, read, Sqlite, "BEGIN", work),
                Pools::Postgres(pool) => transact!(self, pool, Postgres, BEGIN, work),
            }
        }
        .await;
        result.map_err(|(Failed::Undone(error) | Failed::InDoubt(error))| error)
    }

    /// Statements sent so far, transactions' brackets left out.
    pub(super) fn statements(&self) -> u64 {
        self.health.statements.load(Ordering::Relaxed)
    }

    async fn limited<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.pools {
            Pools::Sqlite { .. } => work.await,
            Pools::Postgres(_) => within_deadline(work).await,
        }
    }
}

async fn within_deadline<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| Err(StoreError::too_slow()))
}

/// A connection of either driver.
enum Link<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// A connection in use; for [`Work`], inside its transaction.
pub(super) struct Transaction<'c> {
    link: Link<'c>,
    health: &'c Health,
}

/// A query of `$driver` with the values of `$statement`.
macro_rules! query {
    ($driver:ty, $statement:expr) => {
        $statement.values.iter().fold(sqlx::query::<$driver>($statement.sql), |query, value| match value {
            Value::Text(text) => query.bind(text.as_deref()),
            Value::Int(number) => query.bind(*number),
        })
    };
}

impl Transaction<'_> {
    /// Runs a statement, and says how many rows it changed.
    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        self.count(statement)?;
        let rows = match &mut self.link {
            Link::Sqlite(link) => query!(Sqlite, statement).execute(&mut **link).await?.rows_affected(),
            Link::Postgres(link) => {
                let query = query!(Postgres, statement).execute(&mut **link);
                within_deadline(async { Ok(query.await?.rows_affected()) }).await?
            }
        };
        statement.judge(rows)
    }

    /// Runs a statement, and reads every row that it gives.
    pub(super) async fn all<R: Row>(&mut self, statement: &Statement) -> Result<Vec<R>, StoreError> {
        self.count(statement)?;
        match &mut self.link {
            Link::Sqlite(link) => {
                let rows = query!(Sqlite, statement).fetch_all(&mut **link).await?;
                rows.iter().map(|row| R::from_row(row).map_err(StoreError::from)).collect()
            }
            Link::Postgres(link) => {
                let query = query!(Postgres, statement).fetch_all(&mut **link);
                let rows = within_deadline(async { Ok(query.await?) }).await?;
                rows.iter().map(|row| R::from_row(row).map_err(StoreError::from)).collect()
            }
        }
    }

    /// Runs a statement that gives at most one row.
    pub(super) async fn one<R: Row>(&mut self, statement: &Statement) -> Result<Option<R>, StoreError> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// Runs several statements without values and without a deadline: migrations and their settings.
    pub(super) async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        match &mut self.link {
            Link::Sqlite(link) => {
                sqlx::raw_sql(text).execute(&mut **link).await?;
            }
            Link::Postgres(link) => {
                sqlx::raw_sql(text).execute(&mut **link).await?;
            }
        }
        Ok(())
    }

    /// Whether this is Postgres, for the few settings that only one of the two knows.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.link, Link::Postgres(_))
    }

    fn count(&self, statement: &Statement) -> Result<(), StoreError> {
        statement.check()?;
        self.health.statements.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
