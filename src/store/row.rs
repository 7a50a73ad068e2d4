//! What a statement gives back, read alike from both drivers.

use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Postgres, Row as _};

use super::error::StoreError;
use crate::clock::Timestamp;

/// A row of either driver, while it is read.
pub(super) enum Cells<'r> {
    /// With the column that is probably asked for next: records list their fields in the order of their columns.
    Sqlite { row: &'r rusqlite::Row<'r>, next: usize },
    /// Of a server.
    Postgres { row: &'r PgRow, next: usize },
}

/// A value of one of the two column types.
pub(super) trait Column: FromSql + for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> {}

impl Column for String {}
impl Column for i64 {}
impl Column for Timestamp {}
impl<T: Column> Column for Option<T> {}

impl FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl sqlx::Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        <i64 as sqlx::Type<Postgres>>::type_info()
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as sqlx::Decode<'r, Postgres>>::decode(value).map(Self)
    }
}

/// A field of a record: a column by its name, or a record in the record.
pub(super) trait Field: Sized {
    fn read(cells: &mut Cells<'_>, name: &'static str) -> Result<Self, StoreError>;
}

impl<T: Column> Field for T {
    fn read(cells: &mut Cells<'_>, name: &'static str) -> Result<Self, StoreError> {
        match cells {
            Cells::Sqlite { row, next } => {
                if row.as_ref().column_name(*next) != Ok(name) {
                    *next = row.as_ref().column_index(name)?;
                }
                let value = row.get(*next)?;
                *next = next.saturating_add(1);
                Ok(value)
            }
            Cells::Postgres { row, .. } => Ok(row.try_get(name)?),
        }
    }
}

/// A row that both databases can give: a [`row!`], or a tuple of columns in their order.
pub(super) trait Row: Sized + Send + 'static {
    fn of(cells: &mut Cells<'_>) -> Result<Self, StoreError>;
}

impl Cells<'_> {
    /// The next column.
    fn step<T: Column>(&mut self) -> Result<T, StoreError> {
        match self {
            Self::Sqlite { row, next } => {
                let at = std::mem::replace(next, next.saturating_add(1));
                Ok(row.get(at)?)
            }
            Self::Postgres { row, next } => {
                let at = std::mem::replace(next, next.saturating_add(1));
                Ok(row.try_get(at)?)
            }
        }
    }
}

macro_rules! tuple {
    ($($column:ident)+) => {
        impl<$($column: Column + Send + 'static),+> Row for ($($column,)+) {
            fn of(cells: &mut Cells<'_>) -> Result<Self, StoreError> {
                Ok(($(cells.step::<$column>()?,)+))
            }
        }
    };
}
tuple!(A);
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);

/// A record of the columns that a statement names: `field: Type`, with `as "column"` where the column has another name
/// than the field. A field whose type is such a record itself takes its columns from the same row.
macro_rules! row {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $($(#[$about:meta])* $field_vis:vis $field:ident: $type:ty $(as $column:literal)?),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$about])* $field_vis $field: $type,)*
        }

        impl $crate::store::row::Row for $name {
            fn of(
                cells: &mut $crate::store::row::Cells<'_>,
            ) -> Result<Self, $crate::store::error::StoreError> {
                Ok(Self {
                    $($field: $crate::store::row::Field::read(
                        cells,
                        $crate::store::row::row!(@name $field $($column)?),
                    )?,)*
                })
            }
        }

        impl $crate::store::row::Field for $name {
            fn read(
                cells: &mut $crate::store::row::Cells<'_>,
                _: &'static str,
            ) -> Result<Self, $crate::store::error::StoreError> {
                $crate::store::row::Row::of(cells)
            }
        }
    };
    (@name $field:ident $column:literal) => { $column };
    (@name $field:ident) => { stringify!($field) };
}
pub(super) use row;
