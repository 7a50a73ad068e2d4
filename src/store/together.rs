//! Statements that go to Postgres together: of one text, about rows of their own.
//!
//! A realm comes in by a hundred statements, a realm with many users by tens of thousands, and each is a way to the server
//! and back. So runs of one text become one statement, in which each is a part. The parts see the database as it was
//! before, and neither one another nor in which order they are done. Whether that makes a difference shows as an error,
//! and then whoever sent them sends them one by one.

use std::fmt::Write;

use super::db::Transaction;
use super::error::StoreError;
use super::statement::{Statement, Value};

/// Most statements that become one. Others are powers of two, so that the server has few texts to know.
const MOST: usize = 32;

/// How many statements from the first on are sent as one.
pub(super) fn count(statements: &[Statement]) -> usize {
    let Some(first) = statements.first() else { return 0 };
    if first.row.is_none() {
        return 1;
    }
    let mut rows: Vec<&[Value]> = Vec::new();
    for one in statements.iter().take(MOST).take_while(|one| one.sql == first.sql && one.row == first.row) {
        // Of two changes of one row, the later is to be seen after the earlier.
        let Some(row) = one.named_row().filter(|row| !rows.contains(row)) else { break };
        rows.push(row);
    }
    // The greatest power of two that is no greater.
    1 << rows.len().max(1).ilog2()
}

/// Runs `statements`, those together that may go so.
pub(super) async fn execute(
    transaction: &mut Transaction<'_>,
    statements: &[Statement],
) -> Result<(), StoreError> {
    let mut rest = statements;
    while let Some((next, after)) = rest.split_at_checked(count(rest)).filter(|(next, _)| !next.is_empty()) {
        transaction.execute_together(next).await?;
        rest = after;
    }
    Ok(())
}

/// Whether some of the statements go together.
pub(super) fn any(statements: &[Statement]) -> bool {
    statements.windows(2).any(|pair| count(pair) > 1)
}

/// The text of `count` statements whose own is `sql`, as one. It says whether each of them changed a row: in how many rows
/// that did which changed fewest.
pub(super) fn text(sql: &str, values: usize, count: usize) -> String {
    let mut text = String::with_capacity((sql.len() + 64) * count);
    let mut changed = Vec::with_capacity(count);
    for part in 0..count {
        text.push_str(if part == 0 { "WITH " } else { ", " });
        let _ = write!(text, "part{part} AS (");
        renumber(sql, part * values, &mut text);
        text.push_str(" RETURNING 1)");
        changed.push(format!("(SELECT COUNT(*) FROM part{part})"));
    }
    let _ = write!(text, " SELECT LEAST({})", changed.join(", "));
    text
}

/// `sql` with `$1` as `$(1 + by)`.
fn renumber(sql: &str, by: usize, to: &mut String) {
    let mut pieces = sql.split('$');
    to.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(piece.len());
        let (number, rest) = piece.split_at(end);
        let number: usize = number.parse().unwrap_or_default();
        let _ = write!(to, "${}{rest}", number + by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::statement::sql;

    fn put(id: &str, name: &str) -> Statement {
        sql!("INSERT INTO t (id, name) VALUES ($1, $2)", id, name).about(1)
    }

    #[test]
    fn runs_of_one_text_about_rows_of_their_own_go_together() {
        let other = || sql!("DELETE FROM t WHERE id = $1", "a").about(1);
        let alone = || sql!("INSERT INTO t (id, name) VALUES ($1, $2)", "a", "b");
        let many = |count: usize| (0..count).map(|id| put(&id.to_string(), "x")).collect::<Vec<_>>();
        for (case, statements, expected) in [
            ("none", vec![], 0),
            ("one", many(1), 1),
            ("three", many(3), 2),
            ("as many as go", many(100), MOST),
            ("another text", vec![put("a", "x"), other(), put("b", "x")], 1),
            ("the same row", vec![put("a", "x"), put("b", "x"), put("a", "y"), put("c", "y")], 2),
            ("the same row at once", vec![put("a", "x"), put("a", "y")], 1),
            ("said of neither", vec![alone(), alone()], 1),
            ("said of one", vec![put("c", "x"), alone()], 1),
        ] {
            assert_eq!(count(&statements), expected, "{case}");
        }
        assert!(any(&[other(), put("a", "x"), put("b", "x")]) && !any(&[put("a", "x"), other()]));
    }

    #[test]
    fn one_text_of_several() {
        let whole = text("INSERT INTO t VALUES ($1, $2)", 2, 2);
        assert_eq!(
            whole,
            "WITH part0 AS (INSERT INTO t VALUES ($1, $2) RETURNING 1), \
             part1 AS (INSERT INTO t VALUES ($3, $4) RETURNING 1) \
             SELECT LEAST((SELECT COUNT(*) FROM part0), (SELECT COUNT(*) FROM part1))"
        );
    }
}
