//! What can go wrong with the database, sorted by what a caller should do.

use rusqlite::ffi;
use sqlx::error::{DatabaseError, ErrorKind};

/// A failure of the store. Its text is for the log; nobody outside sees it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may pass: no connection, no room, locked for too long, read-only for now. Callers answer 503, and never take
    /// it for a refusal (RFC 7009 §2.2.1).
    #[error("the database is not available: {0}")]
    Unavailable(#[source] Cause),
    /// What was to be written collides with what is there: its name is taken, or what it refers to is gone or is
    /// another realm's.
    #[error("conflict about the {what}")]
    Conflict {
        /// `user name`, `email`, `client`, `role`, …; `reference` for what is gone.
        what: &'static str,
    },
    /// A text holds a NUL, which Postgres cannot keep, or is too long for an index.
    #[error("a text that cannot be kept")]
    Unstorable,
    /// The database or its schema is not one that this program may use: a sentence for the operator.
    #[error("{0}")]
    Schema(String),
    /// A row does not hold what it should.
    #[error("a stored value cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
    /// Anything else: a bug, or damage.
    #[error("the database failed: {0}")]
    Fault(#[source] Cause),
}

/// What a driver reported.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// Postgres, or the way there.
    #[error(transparent)]
    Postgres(#[from] sqlx::Error),
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Nothing: it is what we found.
    #[error("{0}")]
    Found(&'static str),
}

/// What each unique key guards: SQLite names its columns, Postgres the key.
const UNIQUE: [(&str, &str, &str); 8] = [
    ("realms.name", "realms_name_key", "realm"),
    ("scopes.realm_id, scopes.name", "scopes_realm_id_name_key", "scope"),
    ("clients.realm_id, clients.client_id", "clients_realm_id_client_id_key", "client"),
    ("roles.realm_id, roles.client, roles.name", "roles_realm_id_client_name_key", "role"),
    ("groups.realm_id, groups.path", "groups_realm_id_path_key", "group"),
    ("users.realm_id, users.username", "users_realm_id_username_key", "user name"),
    ("users.realm_id, users.email_key", "users_realm_id_email_key_key", "email"),
    ("sessions.fingerprint", "sessions_fingerprint_key", "session"),
];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) => {
                let code = cause.code().unwrap_or_default();
                match cause.kind() {
                    ErrorKind::UniqueViolation => Self::Conflict { what: taken(cause.as_ref()) },
                    ErrorKind::ForeignKeyViolation => Self::Conflict { what: "reference" },
                    // A character that is none, an index row that is too long: checked before, as far as we know.
                    _ if code == "22021" || code == "54000" => Self::Unstorable,
                    _ if passes(&code) => Self::Unavailable(error.into()),
                    _ => Self::Fault(error.into()),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
            | sqlx::Error::Protocol(_) => Self::Unavailable(error.into()),
            _ => Self::Fault(error.into()),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let code = error.sqlite_error().map_or(0, |cause| cause.extended_code);
        match code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
                let message = error.to_string();
                let named = UNIQUE.iter().find(|(columns, ..)| message.ends_with(columns));
                Self::Conflict { what: named.map_or("identifier", |(.., what)| what) }
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::Conflict { what: "reference" },
            code if may_pass(code) => Self::Unavailable(error.into()),
            _ => Self::Fault(error.into()),
        }
    }
}

impl StoreError {
    /// The database did not answer in time.
    pub(super) fn too_slow() -> Self {
        let cause = std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within the deadline");
        Self::Unavailable(sqlx::Error::Io(cause).into())
    }

    /// The database is closed, or what was asked of it was given up.
    pub(super) fn gone() -> Self {
        Self::Unavailable(Cause::Found("it is closed"))
    }

    /// Whether somebody else holds the SQLite file just now.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Unavailable(Cause::Sqlite(cause))
            if cause.sqlite_error_code() == Some(ffi::ErrorCode::DatabaseBusy))
    }

    /// The same once more, for another caller whom it concerns.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::Unavailable(Cause::Sqlite(cause)) => match cause.sqlite_error() {
                Some(code) => Self::Unavailable(rusqlite::Error::SqliteFailure(*code, None).into()),
                None => Self::gone(),
            },
            _ => Self::gone(),
        }
    }

    /// Whether the connection is of no further use: it broke, did not answer, or leads to a standby.
    pub(super) fn spoils_connection(&self) -> bool {
        match self {
            Self::Unavailable(Cause::Postgres(sqlx::Error::Database(cause))) => {
                cause.code().is_some_and(|code| closes(&code) || code == "25006")
            }
            Self::Unavailable(Cause::Postgres(
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_),
            )) => true,
            _ => false,
        }
    }

    /// Whether the same work may succeed when it is done again at once: the server closed the connection, or chose
    /// this transaction to give way. A deadline that passed is not among them.
    pub(super) fn has_passed(&self) -> bool {
        match self {
            Self::Unavailable(Cause::Postgres(sqlx::Error::Database(cause))) => {
                cause.code().is_some_and(|code| closes(&code) || code == "40001" || code == "40P01")
            }
            Self::Unavailable(Cause::Postgres(sqlx::Error::Io(cause))) => {
                cause.kind() != std::io::ErrorKind::TimedOut
            }
            Self::Unavailable(Cause::Postgres(sqlx::Error::Protocol(_))) => true,
            _ => false,
        }
    }
}

/// What is taken.
fn taken(cause: &dyn DatabaseError) -> &'static str {
    let constraint = cause.constraint();
    UNIQUE.iter().find(|(_, key, _)| constraint == Some(key)).map_or("identifier", |(.., what)| what)
}

/// Codes with which the server ends a connection: shutdown, crash, start-up.
fn closes(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03" | "57P05") || (code.len() == 5 && code.starts_with("08"))
}

/// SQLSTATEs of trouble that may pass: connection, login, database, gave way, resources, operator intervention, system;
/// read-only (a failover); lock time-out.
fn passes(code: &str) -> bool {
    const CLASSES: [&str; 7] = ["08", "28", "3D", "40", "53", "57", "58"];
    code.len() == 5
        && (CLASSES.iter().any(|class| code.starts_with(class)) || code == "25006" || code == "55P03")
}

/// SQLite's codes of trouble that may pass, whatever the detail in the upper bits.
fn may_pass(code: i32) -> bool {
    const CODES: [i32; 9] = [
        ffi::SQLITE_BUSY,
        ffi::SQLITE_LOCKED,
        ffi::SQLITE_NOMEM,
        ffi::SQLITE_READONLY,
        ffi::SQLITE_INTERRUPT,
        ffi::SQLITE_IOERR,
        ffi::SQLITE_FULL,
        ffi::SQLITE_CANTOPEN,
        ffi::SQLITE_PROTOCOL,
    ];
    CODES.contains(&(code & 0xff))
}

#[cfg(test)]
mod tests {
    use super::{may_pass, passes};

    #[test]
    fn i6_trouble_that_may_pass_is_told_from_faults() {
        for (code, expected) in [
            ("08006", true),
            ("53300", true),
            ("57P01", true),
            ("57014", true),
            ("25006", true),
            ("40001", true),
            ("40P01", true),
            ("55P03", true),
            ("42P01", false),
            ("23505", false),
            ("22P05", false),
            ("XX001", false),
            ("", false),
        ] {
            assert_eq!(passes(code), expected, "{code}");
        }
        for (code, expected) in [
            (5, true),
            (517, true),
            (13, true),
            (1032, true),
            (0, false),
            (1, false),
            (11, false),
            (26, false),
        ] {
            assert_eq!(may_pass(code), expected, "{code}");
        }
    }
}
