//! The two databases behind one face: a statement or a piece of work goes in, rows or what became of it come out.
//!
//! Owns doing a transaction again when the database asks for it. All writing passes [`Db::write`], whole pieces of work at a
//! time: on SQLite those that come together share a commit ([`super::writer`]).

use std::sync::Arc;

use sqlx::Connection as _;
use tracing::Instrument;

use super::error::StoreError;
use super::health::Health;
use super::postgres::Postgres;
use super::row::Row;
use super::sqlite::{self, Sqlite, Wait};
use super::statement::Statement;
use super::transaction::{Finish, Transaction, Work, within_deadline};

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
        let result = Transaction::on_postgres(lease.connection()?, &self.health).all(statement).await;
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
            let mut inner =
                within_deadline(async { Ok(lease.connection()?.begin_with(begin).await?) }).await?;
            match work.perform(&mut Transaction::on_postgres(&mut inner, &self.health)).await? {
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
        self.health.statements()
    }
}

/// Goes on although nobody waits for it any more: a connection that is left in the middle of `BEGIN` or `COMMIT` would go
/// back to the others inside a transaction. Begun before it is waited for, so that who waits does not carry it along.
fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> impl Future<Output = Result<T, StoreError>> {
    let begun = tokio::spawn(work.in_current_span());
    async { begun.await.unwrap_or_else(|_| Err(StoreError::gone())) }
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
