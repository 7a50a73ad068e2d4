//! The two databases behind one face: a statement or a piece of work goes in, rows or what became of it come out.
//!
//! Owns deadlines, and doing a transaction again when the database asks for it. All writing passes [`Db::write`], whole
//! pieces of work at a time: on SQLite those that come together share a commit ([`super::writer`]).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tracing::Instrument;

use super::error::StoreError;
use super::postgres::Postgres;
use super::row::{Cells, Row};
use super::sqlite::{self, Sqlite, Wait};
use super::statement::{Statement, Value};
use super::together::{self, Given};

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
    /// Embedded.
    Sqlite(Arc<Sqlite>),
    /// A server that other nodes use too.
    Postgres(Arc<Postgres>),
}

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
    fn count(&self, statement: &Statement) -> Result<(), StoreError> {
        statement.check()?;
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.note(|traffic| traffic.statements.push(statement.sql));
        Ok(())
    }

    fn note(&self, change: impl FnOnce(&mut Traffic)) {
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
    fn pause(&self, attempt: u32) -> Duration {
        let jitter = self.opened.elapsed().subsec_nanos() % (10 * attempt + 1);
        Duration::from_millis(u64::from(5 * attempt + jitter))
    }
}

/// Writing that is done whole or not at all, and that can be done again from the start. It waits for nothing but its
/// statements: on SQLite they are done at once, by a thread that has others to serve.
pub(super) trait Work: Send + Sync + 'static {
    /// What it tells.
    type Outcome: Send + 'static;

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

impl Db {
    /// Every row. For what may be long there is [`Db::listing`]. The way to a server is boxed here and below, so that the
    /// futures of requests, which are moved about, stay small without it.
    pub(super) async fn all<R: Row>(&self, statement: Statement) -> Result<Vec<R>, StoreError> {
        match &self.pools {
            Pools::Sqlite(sqlite) => {
                self.health.count(&statement)?;
                match sqlite.read(Wait::No, |connection| sqlite::all(connection, &statement)) {
                    Err(error) if error.is_busy() => waiting(sqlite, statement).await,
                    result => result,
                }
            }
            Pools::Postgres(postgres) => Box::pin(self.select(postgres, &statement)).await,
        }
    }

    /// Every row of a statement that may look at many: on SQLite it is run where it holds nobody up.
    pub(super) async fn listing<R: Row>(&self, statement: Statement) -> Result<Vec<R>, StoreError> {
        match &self.pools {
            Pools::Sqlite(sqlite) => {
                self.health.count(&statement)?;
                waiting(sqlite, statement).await
            }
            Pools::Postgres(postgres) => Box::pin(self.select(postgres, &statement)).await,
        }
    }

    /// The one row, if there is one.
    pub(super) async fn one<R: Row>(&self, statement: Statement) -> Result<Option<R>, StoreError> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    async fn select<R: Row>(&self, postgres: &Postgres, statement: &Statement) -> Result<Vec<R>, StoreError> {
        let mut attempt = 0;
        loop {
            match self.try_select(postgres, statement).await {
                Err(error) if attempt < RETRIES && error.has_passed() => attempt += 1,
                result => return result,
            }
            tokio::time::sleep(self.health.pause(attempt)).await;
        }
    }

    async fn try_select<R: Row>(
        &self,
        postgres: &Postgres,
        statement: &Statement,
    ) -> Result<Vec<R>, StoreError> {
        let mut lease = postgres.lend().await?;
        let link = Link::Postgres(&mut lease.connection);
        let result = Transaction { link, health: &self.health }.all(statement).await;
        postgres.take_back(lease, result.as_ref().err());
        result
    }

    /// Whether this is Postgres.
    pub(super) fn is_postgres(&self) -> bool {
        matches!(self.pools, Pools::Postgres(_))
    }

    /// Does `work` in a transaction, and again when the database chose it to give way or closed the connection before
    /// the commit was asked for.
    pub(super) async fn write<W: Work>(&self, work: W) -> Result<W::Outcome, StoreError> {
        self.health.note(|traffic| traffic.writes += 1);
        let postgres = match &self.pools {
            Pools::Sqlite(sqlite) => return sqlite.writer.write(work, &self.health).await,
            Pools::Postgres(postgres) => Arc::clone(postgres),
        };
        let db = self.clone();
        to_the_end(async move {
            let mut attempt = 0;
            loop {
                match db.attempt(&postgres, "BEGIN", &work).await {
                    Ok(outcome) => return Ok(outcome),
                    Err(failed) if attempt < RETRIES && failed.may_repeat() => attempt += 1,
                    Err(Failed::Undone(error) | Failed::InDoubt(error)) => return Err(error),
                }
                tokio::time::sleep(db.health.pause(attempt)).await;
            }
        })
        .await
    }

    /// Does `work`, which writes nothing, as of one moment.
    pub(super) async fn snapshot<W: Work>(&self, work: W) -> Result<W::Outcome, StoreError> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        match &self.pools {
            Pools::Sqlite(sqlite) => {
                let health = Arc::clone(&self.health);
                elsewhere(sqlite, move |sqlite| sqlite.snapshot(&work, &health)).await
            }
            Pools::Postgres(postgres) => {
                let (db, postgres) = (self.clone(), Arc::clone(postgres));
                to_the_end(async move {
                    let done = db.attempt(&postgres, BEGIN, &work).await;
                    done.map_err(|(Failed::Undone(error) | Failed::InDoubt(error))| error)
                })
                .await
            }
        }
    }

    /// A transaction on a server, begun by `begin`, that does `work`.
    async fn attempt<W: Work>(
        &self,
        postgres: &Postgres,
        begin: &'static str,
        work: &W,
    ) -> Result<W::Outcome, Failed> {
        let mut lease = postgres.lend().await?;
        let result: Result<_, Failed> = async {
            let mut inner = within_deadline(async { Ok(lease.connection.begin_with(begin).await?) }).await?;
            let link = Link::Postgres(&mut inner);
            match work.perform(&mut Transaction { link, health: &self.health }).await? {
                Finish::Commit(outcome) => {
                    let commit = within_deadline(async { Ok(inner.commit().await?) });
                    commit.await.map_err(Failed::InDoubt)?;
                    Ok(outcome)
                }
                Finish::Undo(outcome) => {
                    within_deadline(async { Ok(inner.rollback().await?) }).await?;
                    Ok(outcome)
                }
            }
        }
        .await;
        postgres.take_back(lease, result.as_ref().err().map(Failed::error));
        result
    }

    /// Statements sent so far, transactions' brackets left out.
    pub(super) fn statements(&self) -> u64 {
        self.health.statements.load(Ordering::Relaxed)
    }
}

/// Goes on although nobody waits for it any more: a connection that is left in the middle of `BEGIN` or `COMMIT` would go
/// back to the others inside a transaction.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work.in_current_span()).await.unwrap_or_else(|_| Err(StoreError::gone()))
}

/// Reads where it may take its time.
async fn waiting<R: Row>(sqlite: &Arc<Sqlite>, statement: Statement) -> Result<Vec<R>, StoreError> {
    let read =
        move |sqlite: &Sqlite| sqlite.read(Wait::Yes, |connection| sqlite::all(connection, &statement));
    elsewhere(sqlite, read).await
}

/// Runs what may wait on a thread for that; at once while the server starts, when there is nobody whom it holds up.
pub(super) async fn elsewhere<T: Send + 'static>(
    sqlite: &Arc<Sqlite>,
    work: impl FnOnce(&Sqlite) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    if sqlite.is_starting() {
        return work(sqlite);
    }
    let sqlite = Arc::clone(sqlite);
    tokio::task::spawn_blocking(move || work(&sqlite)).await.unwrap_or_else(|_| Err(StoreError::gone()))
}

async fn within_deadline<T>(work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| Err(StoreError::too_slow()))
}

/// A connection of either driver.
enum Link<'c> {
    Sqlite(&'c mut Connection),
    Postgres(&'c mut PgConnection),
}

/// A connection in use; for [`Work`], inside its transaction.
pub(super) struct Transaction<'c> {
    link: Link<'c>,
    health: &'c Health,
}

impl<'c> Transaction<'c> {
    /// On a connection to SQLite whose transaction is begun.
    pub(super) fn on_sqlite(connection: &'c mut Connection, health: &'c Health) -> Self {
        Self { link: Link::Sqlite(connection), health }
    }

    /// Runs a statement, and says how many rows it changed.
    pub(super) async fn execute(&mut self, statement: &Statement) -> Result<u64, StoreError> {
        self.health.count(statement)?;
        let rows = match &mut self.link {
            Link::Sqlite(link) => sqlite::execute(link, statement)?,
            Link::Postgres(link) => {
                let query = query(statement).execute(&mut **link);
                within_deadline(async { Ok(query.await?.rows_affected()) }).await?
            }
        };
        statement.judge(rows)
    }

    /// Runs statements that may go together (`together.rs`): on Postgres as one.
    pub(super) async fn execute_together(&mut self, statements: &[Statement]) -> Result<(), StoreError> {
        let (Link::Postgres(link), [first, _, ..]) = (&mut self.link, statements) else {
            for statement in statements {
                self.execute(statement).await?;
            }
            return Ok(());
        };
        for statement in statements {
            self.health.count(statement)?;
        }
        let text = together::text(first);
        let lists = together::given(statements).into_iter();
        let query = lists.fold(sqlx::query(AssertSqlSafe(text)), |query, list| match list {
            Given::Texts(texts) => query.bind(texts),
            Given::Numbers(numbers) => query.bind(numbers),
        });
        let rows = within_deadline(async { Ok(query.execute(&mut **link).await?.rows_affected()) }).await?;
        // One that changed nothing is looked for one by one.
        let all = u64::try_from(statements.len()).is_ok_and(|all| all <= rows);
        first.judge(if all { rows } else { 0 })?;
        Ok(())
    }

    /// Runs a statement, and reads every row that it gives.
    pub(super) async fn all<R: Row>(&mut self, statement: &Statement) -> Result<Vec<R>, StoreError> {
        self.health.count(statement)?;
        match &mut self.link {
            Link::Sqlite(link) => sqlite::all(link, statement),
            Link::Postgres(link) => {
                let query = query(statement).fetch_all(&mut **link);
                let rows = within_deadline(async { Ok(query.await?) }).await?;
                rows.iter().map(|row| R::of(&mut Cells::Postgres { row, next: 0 })).collect()
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
            Link::Sqlite(link) => link.execute_batch(text)?,
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
}

type PgQuery<'q> = sqlx::query::Query<'q, sqlx::Postgres, PgArguments>;

/// A query of Postgres with the values of `statement`.
fn query(statement: &Statement) -> PgQuery<'_> {
    statement.values.iter().fold(sqlx::query(statement.sql), |query, value| match value {
        Value::Text(text) => query.bind(text.as_deref()),
        Value::Int(number) => query.bind(*number),
    })
}
