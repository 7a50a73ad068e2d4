//! What a statement gives back, read alike from both drivers.

use std::any::TypeId;
use std::collections::HashSet;
use std::sync::{LazyLock, PoisonError, RwLock};

use rusqlite::types::{FromSql, FromSqlResult, ValueRef};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Column as _, Postgres, Row as _};

use super::error::StoreError;
use crate::clock::Timestamp;

/// A row of either driver.
#[derive(Clone, Copy)]
pub(super) enum Driver<'r> {
    /// Of the embedded database.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Of a server.
    Postgres(&'r PgRow),
}

/// A row while it is read: with the column that is asked for next, since records list their fields in the order of their
/// columns, and whether they were seen to.
pub(super) struct Cells<'r> {
    row: Driver<'r>,
    next: usize,
    in_order: Order,
}

/// Whether the columns of a text are in the order of a record's fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// They were the first time, so their names are not compared again.
    Known,
    /// As far as this row was read.
    SoFar,
    /// They are not.
    Other,
}

/// A text, by its place in the program and its length, with a record that is read from it.
type Reading = (usize, usize, TypeId);

/// Those that were found to be in the same order.
static IN_ORDER: LazyLock<RwLock<HashSet<Reading>>> = LazyLock::new(RwLock::default);

/// Reads the rows of a statement.
pub(super) struct Reader {
    key: Reading,
    in_order: bool,
}

impl Reader {
    /// For records `R` that `sql` gives.
    pub(super) fn of<R: Row>(sql: &'static str) -> Self {
        let key = (sql.as_ptr().addr(), sql.len(), TypeId::of::<R>());
        let known = IN_ORDER.read().unwrap_or_else(PoisonError::into_inner);
        Self { key, in_order: known.contains(&key) }
    }

    /// The record of a row.
    pub(super) fn read<R: Row>(&mut self, row: Driver<'_>) -> Result<R, StoreError> {
        let in_order = if self.in_order { Order::Known } else { Order::SoFar };
        let mut cells = Cells { row, next: 0, in_order };
        let record = R::of(&mut cells)?;
        debug_assert!(
            cells.in_order != Order::Other,
            "{}: columns in another order",
            std::any::type_name::<R>()
        );
        if cells.in_order == Order::SoFar {
            IN_ORDER.write().unwrap_or_else(PoisonError::into_inner).insert(self.key);
            self.in_order = true;
        }
        Ok(record)
    }
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
        if cells.in_order != Order::Known {
            cells.find(name)?;
        }
        cells.step()
    }
}

/// A row that both databases can give: a [`row!`], or a tuple of columns in their order.
pub(super) trait Row: Sized + Send + 'static {
    fn of(cells: &mut Cells<'_>) -> Result<Self, StoreError>;
}

impl Cells<'_> {
    /// The next column.
    fn step<T: Column>(&mut self) -> Result<T, StoreError> {
        let at = self.next;
        self.next = at.saturating_add(1);
        Ok(match self.row {
            Driver::Sqlite(row) => row.get(at)?,
            Driver::Postgres(row) => row.try_get(at)?,
        })
    }

    /// Makes the column of this name the next one.
    fn find(&mut self, name: &'static str) -> Result<(), StoreError> {
        let at = match self.row {
            Driver::Sqlite(row) if row.as_ref().column_name(self.next) == Ok(name) => self.next,
            Driver::Sqlite(row) => row.as_ref().column_index(name)?,
            Driver::Postgres(row) => row.try_column(name)?.ordinal(),
        };
        if at != self.next {
            (self.next, self.in_order) = (at, Order::Other);
        }
        Ok(())
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
