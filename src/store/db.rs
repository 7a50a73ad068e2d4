//! The two databases behind one face: a statement is a text and its values, and runs on either.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{FromRow, PgPool, Postgres, Sqlite, SqlitePool};

use super::error::StoreError;
use crate::clock::Timestamp;

/// The open database.
#[derive(Clone, Debug)]
pub(super) enum Db {
    /// Embedded: one connection writes, several read.
    Sqlite { write: SqlitePool, read: SqlitePool },
    /// A server that other nodes use too.
    Postgres(PgPool),
}

/// A value of one of the two column types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Option<String>),
    Int(Option<i64>),
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<&Option<String>> for Value {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.0))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(|at| at.0))
    }
}

/// A text of SQL with the values of `$1…$n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    sql: &'static str,
    values: Vec<Value>,
}

/// Writes a statement: `sql!("… $1 …", value, …)`.
macro_rules! sql {
    ($text:expr $(, $value:expr)* $(,)?) => {
        $crate::store::db::Statement::new($text, vec![$($crate::store::db::Value::from($value)),*])
    };
}
pub(super) use sql;

impl Statement {
    pub(super) fn new(sql: &'static str, values: Vec<Value>) -> Self {
        Self { sql, values }
    }

    /// Postgres refuses a NUL in text and SQLite keeps it; here both refuse.
    fn check(&self) -> Result<(), StoreError> {
        let has_nul = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
        if self.values.iter().any(has_nul) { Err(StoreError::Unstorable) } else { Ok(()) }
    }

    fn sqlite(self) -> Result<sqlx::query::Query<'static, Sqlite, SqliteArguments>, StoreError> {
        self.check()?;
        Ok(self.values.into_iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Int(number) => query.bind(number),
        }))
    }

    fn postgres(self) -> Result<sqlx::query::Query<'static, Postgres, PgArguments>, StoreError> {
        self.check()?;
        Ok(self.values.into_iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Int(number) => query.bind(number),
        }))
    }
}

/// A row that both databases can give.
pub(super) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

impl Db {
    /// Every row.
    pub(super) async fn all<R: Row>(&self, statement: Statement) -> Result<Vec<R>, StoreError> {
        match self {
            Self::Sqlite { read, .. } => {
                let rows = statement.sqlite()?.fetch_all(read).await?;
                rows.iter().map(|row| R::from_row(row).map_err(StoreError::from)).collect()
            }
            Self::Postgres(pool) => {
                let rows = statement.postgres()?.fetch_all(pool).await?;
                rows.iter().map(|row| R::from_row(row).map_err(StoreError::from)).collect()
            }
        }
    }

    /// The one row, if there is one.
    pub(super) async fn one<R: Row>(&self, statement: Statement) -> Result<Option<R>, StoreError> {
        match self {
            Self::Sqlite { read, .. } => {
                let row = statement.sqlite()?.fetch_optional(read).await?;
                row.as_ref().map(|row| R::from_row(row).map_err(StoreError::from)).transpose()
            }
            Self::Postgres(pool) => {
                let row = statement.postgres()?.fetch_optional(pool).await?;
                row.as_ref().map(|row| R::from_row(row).map_err(StoreError::from)).transpose()
            }
        }
    }

    /// Opens a transaction that is going to write. SQLite takes its lock now, where it waits for its turn; a lock
    /// taken later would fail at once if somebody else has written in between.
    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(match self {
            Self::Sqlite { write, .. } => Transaction::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
        })
    }
}

/// A transaction; dropped without [`Transaction::commit`], it leaves no trace.
pub(super) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

impl Transaction {
    /// Runs a statement, and says how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement) -> Result<u64, StoreError> {
        Ok(match self {
            Self::Sqlite(tx) => statement.sqlite()?.execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => statement.postgres()?.execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// Runs a statement that gives at most one row.
    pub(super) async fn one<R: Row>(&mut self, statement: Statement) -> Result<Option<R>, StoreError> {
        match self {
            Self::Sqlite(tx) => {
                let row = statement.sqlite()?.fetch_optional(&mut **tx).await?;
                row.as_ref().map(|row| R::from_row(row).map_err(StoreError::from)).transpose()
            }
            Self::Postgres(tx) => {
                let row = statement.postgres()?.fetch_optional(&mut **tx).await?;
                row.as_ref().map(|row| R::from_row(row).map_err(StoreError::from)).transpose()
            }
        }
    }

    /// Makes it last.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}
