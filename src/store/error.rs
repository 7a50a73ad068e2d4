//! What can go wrong with the database, sorted by what a caller should do.

/// A failure of the store. Its text is for the log; nobody outside sees it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may pass: no connection, no room, locked for too long, read-only for now. Callers answer 503.
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// Something with this name is there already.
    #[error("{what} is there already")]
    Conflict {
        /// The unique key, as the database names it.
        what: String,
    },
    /// A text holds a NUL, which Postgres cannot keep.
    #[error("a text holds a character that cannot be kept")]
    Unstorable,
    /// The schema is not the one of this version.
    #[error("{0}")]
    Schema(String),
    /// A row does not hold what it should.
    #[error("a stored value cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
    /// Anything else: a bug, or damage.
    #[error("the database failed: {0}")]
    Fault(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => Self::Conflict {
                what: cause.constraint().map_or_else(|| cause.message().to_owned(), str::to_owned),
            },
            sqlx::Error::Database(cause) if passes(cause.code().as_deref().unwrap_or_default()) => {
                Self::Unavailable(error)
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            _ => Self::Fault(error),
        }
    }
}

/// Codes of trouble that may pass. Five characters are a SQLSTATE, others SQLite's extended result codes.
fn passes(code: &str) -> bool {
    if code.len() == 5 && code.chars().all(|c| c.is_ascii_alphanumeric()) {
        // Connection, resources, operator intervention, read-only (a failover), serialization and deadlock, time-outs.
        return ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
            || code == "25006"
            || code == "55P03";
    }
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, whatever the detail in the upper bits.
    code.parse::<i64>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn i6_trouble_that_may_pass_is_told_from_faults() {
        for (code, expected) in [
            ("08006", true),
            ("53300", true),
            ("57P01", true),
            ("25006", true),
            ("40001", true),
            ("55P03", true),
            ("42P01", false),
            ("23505", false),
            ("5", true),
            ("517", true),
            ("13", true),
            ("1032", true),
            ("1", false),
            ("11", false),
            ("", false),
        ] {
            assert_eq!(passes(code), expected, "{code}");
        }
    }
}
