//! Statements that go to Postgres together: of one text, about rows of their own.
//!
//! A realm comes in by a hundred statements, a realm with many users by tens of thousands, and each is a way to the server
//! and back. So runs of one text become one statement over a list of their values: one text more for the server to know,
//! however many there are. The parts see the database as it was before, and neither one another nor in which order they are
//! done. Whether that makes a difference shows as an error, and then whoever sent them sends them one by one.

use std::collections::HashSet;
use std::mem::discriminant;

use super::error::StoreError;
use super::statement::{Statement, Value};
use super::transaction::Transaction;

/// Most statements that become one, so that none takes as long as a statement may.
const MOST: usize = 512;

/// How many statements from the first on are sent as one.
pub(super) fn count(statements: &[Statement]) -> usize {
    let Some(first) = statements.first() else { return 0 };
    let mut rows: HashSet<&[Value]> = HashSet::new();
    let alike = statements.iter().take(MOST).take_while(|one| are_alike(one, first));
    // Of two changes of one row, the later is to be seen after the earlier.
    let apart = alike.take_while(|one| one.named_row().is_some_and(|row| rows.insert(row)));
    apart.count().max(1)
}

fn are_alike(one: &Statement, other: &Statement) -> bool {
    let kinds = |statement: &Statement| statement.values.iter().map(discriminant).collect::<Vec<_>>();
    one.sql == other.sql && one.row == other.row && kinds(one) == kinds(other)
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

/// The values of one place in many statements.
pub(super) enum Given<'s> {
    Texts(Vec<Option<&'s str>>),
    Numbers(Vec<Option<i64>>),
}

/// The values of statements that go together, a list for each place.
pub(super) fn given(statements: &[Statement]) -> Vec<Given<'_>> {
    let places = statements.first().map_or(0, |first| first.values.len());
    let at = |place: usize| statements.iter().filter_map(move |one| one.values.get(place));
    let list = |place| match at(place).next() {
        Some(Value::Int(_)) => Given::Numbers(at(place).map(Value::number).collect()),
        _ => Given::Texts(at(place).map(Value::text).collect()),
    };
    (0..places).map(list).collect()
}

/// The text of many statements like `one`, over lists of their values. It is one of three: an `INSERT` with a row of `VALUES`,
/// an `INSERT` with a `SELECT`, or an `UPDATE` whose last `WHERE` is its own.
pub(super) fn text(one: &Statement) -> String {
    let lists = one.values.iter().enumerate().map(|(place, value)| match value {
        Value::Text(_) => format!("${}::TEXT[]", place + 1),
        Value::Int(_) => format!("${}::BIGINT[]", place + 1),
    });
    let lists = lists.collect::<Vec<_>>().join(", ");
    let names = (1..=one.values.len()).map(|place| format!("v{place}")).collect::<Vec<_>>().join(", ");
    let from = format!("FROM UNNEST({lists}) AS given ({names})");
    let own = one.sql.replace('$', "given.v");
    if let Some((head, rest)) = own.split_once(" VALUES (") {
        let end = rest.find(") ON CONFLICT").or(rest.rfind(')')).unwrap_or(rest.len());
        let (row, tail) = rest.split_at(end);
        format!("{head} SELECT {row} {from}{}", tail.trim_start_matches(')'))
    } else if own.starts_with("INSERT") {
        own.replacen(" FROM ", &format!(" {from}, "), 1)
    } else {
        let (head, condition) = own.rsplit_once(" WHERE ").unwrap_or((&own, "TRUE"));
        format!("{head} {from} WHERE {condition}")
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
            ("three", many(3), 3),
            ("as many as go", many(MOST + 1), MOST),
            ("another text", vec![put("a", "x"), other(), put("b", "x")], 1),
            ("the same row", vec![put("a", "x"), put("b", "x"), put("a", "y"), put("c", "y")], 2),
            ("another kind of value", vec![put("a", "x"), sql!(put("b", "x").sql, "b", 1_i64).about(1)], 1),
            ("the same row at once", vec![put("a", "x"), put("a", "y")], 1),
            ("said of neither", vec![alone(), alone()], 1),
            ("said of one", vec![put("c", "x"), alone()], 1),
        ] {
            assert_eq!(count(&statements), expected, "{case}");
        }
        assert!(any(&[other(), put("a", "x"), put("b", "x")]) && !any(&[put("a", "x"), other()]));
    }

    #[test]
    fn one_text_for_many() {
        for (name, one, expected) in [
            (
                "values",
                sql!(
                    "INSERT INTO t (id, n) VALUES ($1, 0, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n",
                    "a",
                    1_i64
                ),
                "INSERT INTO t (id, n) SELECT given.v1, 0, given.v2 \
                 FROM UNNEST($1::TEXT[], $2::BIGINT[]) AS given (v1, v2) \
                 ON CONFLICT (id) DO UPDATE SET n = excluded.n",
            ),
            (
                "values without more",
                sql!("INSERT INTO t (id) VALUES ($1)", "a"),
                "INSERT INTO t (id) SELECT given.v1 FROM UNNEST($1::TEXT[]) AS given (v1)",
            ),
            (
                "a look at other rows",
                sql!("INSERT INTO t (id) SELECT u.id FROM u JOIN w ON w.id = u.id WHERE u.id = $1", "a"),
                "INSERT INTO t (id) SELECT u.id FROM UNNEST($1::TEXT[]) AS given (v1), u JOIN w ON w.id = u.id \
                 WHERE u.id = given.v1",
            ),
            (
                "an update",
                sql!("UPDATE t SET n = (SELECT n FROM u WHERE id = 1) WHERE id = $1", "a"),
                "UPDATE t SET n = (SELECT n FROM u WHERE id = 1) FROM UNNEST($1::TEXT[]) AS given (v1) \
                 WHERE id = given.v1",
            ),
        ] {
            assert_eq!(text(&one), expected, "{name}");
        }
    }

    #[test]
    fn each_place_has_a_list() {
        let statements = [sql!("x", "a", 1_i64), sql!("x", None::<String>, 2_i64)];
        let [Given::Texts(texts), Given::Numbers(numbers)] = &given(&statements)[..] else {
            panic!("other lists")
        };
        assert_eq!((&texts[..], &numbers[..]), (&[Some("a"), None][..], &[Some(1), Some(2)][..]));
    }
}
