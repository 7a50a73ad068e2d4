//! Statements on a connection of either driver, and the pieces of work that are made of them.

use std::time::Duration;

use rusqlite::Connection;
use sqlx::postgres::PgArguments;
use sqlx::{AssertSqlSafe, PgConnection, Postgres};

use super::error::StoreError;
use super::health::Health;
use super::row::{Driver, Reader, Row};
use super::sqlite;
use super::statement::{Statement, Value};
use super::together::{self, Given};

/// How long one statement may take on Postgres, seen from here. The server's own `statement_timeout` cannot help when
/// the server hangs or the network swallows the answer.
const DEADLINE: Duration = Duration::from_millis(4_500);

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

    /// On a connection to Postgres.
    pub(super) fn on_postgres(connection: &'c mut PgConnection, health: &'c Health) -> Self {
        Self { link: Link::Postgres(connection), health }
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
                let mut reader = Reader::of::<R>(statement.sql);
                rows.iter().map(|row| reader.read(Driver::Postgres(row))).collect()
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

type PgQuery<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// A query of Postgres with the values of `statement`.
fn query(statement: &Statement) -> PgQuery<'_> {
    statement.values.iter().fold(sqlx::query(statement.sql), |query, value| match value {
        Value::Text(text) => query.bind(text.as_deref()),
        Value::Int(number) => query.bind(*number),
    })
}

/// What `work` gives, unless Postgres takes too long for it.
pub(super) async fn within_deadline<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| Err(StoreError::too_slow()))
}
