//! What can go wrong with the database, sorted by what a caller should do.

use sqlx::error::{DatabaseError, ErrorKind};

/// A failure of the store. Its text is for the log; nobody outside sees it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may pass: no connection, no room, locked for too long, read-only for now. Callers answer 503, and never take
    /// it for a refusal (RFC 7009 §2.2.1).
    #[error("the database is not available: {0}")]
    Unavailable(#[source] sqlx::Error),
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
    Fault(#[source] sqlx::Error),
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
                    _ if passes(&code) => Self::Unavailable(error),
                    _ => Self::Fault(error),
                }
            }
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
            | sqlx::Error::Protocol(_) => Self::Unavailable(error),
            _ => Self::Fault(error),
        }
    }
}

impl StoreError {
    /// The database did not answer in time.
    pub(super) fn too_slow() -> Self {
        let cause = std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within the deadline");
        Self::Unavailable(sqlx::Error::Io(cause))
    }

    /// Whether the connection is of no further use: it broke, did not answer, or leads to a standby.
    pub(super) fn spoils_connection(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(cause)) => {
                cause.code().is_some_and(|code| closes(&code) || code == "25006")
            }
            Self::Unavailable(sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_)) => true,
            _ => false,
        }
    }

    /// Whether the same work may succeed when it is done again at once: the server closed the connection, or chose
    /// this transaction to give way. A deadline that passed is not among them.
    pub(super) fn has_passed(&self) -> bool {
        match self {
            Self::Unavailable(sqlx::Error::Database(cause)) => {
                cause.code().is_some_and(|code| closes(&code) || code == "40001" || code == "40P01")
            }
            Self::Unavailable(sqlx::Error::Io(cause)) => cause.kind() != std::io::ErrorKind::TimedOut,
            Self::Unavailable(sqlx::Error::Protocol(_)) => true,
            _ => false,
        }
    }
}

/// What is taken.
fn taken(cause: &dyn DatabaseError) -> &'static str {
    let (constraint, message) = (cause.constraint(), cause.message());
    UNIQUE
        .iter()
        .find(|(columns, key, _)| constraint == Some(key) || message.ends_with(columns))
        .map_or("identifier", |(.., what)| what)
}

/// Codes with which the server ends a connection: shutdown, crash, start-up.
fn closes(code: &str) -> bool {
    matches!(code, "57P01" | "57P02" | "57P03" | "57P05") || (code.len() == 5 && code.starts_with("08"))
}

/// Codes of trouble that may pass. Five characters are a SQLSTATE, others SQLite's extended result codes.
fn passes(code: &str) -> bool {
    if code.len() == 5 && code.chars().all(|c| c.is_ascii_alphanumeric()) {
        // Connection, login, database, gave way, resources, operator intervention, system; read-only (a failover);
        // lock time-out.
        const CLASSES: [&str; 7] = ["08", "28", "3D", "40", "53", "57", "58"];
        return CLASSES.iter().any(|class| code.starts_with(class)) || code == "25006" || code == "55P03";
    }
    // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL, whatever the detail in the upper bits.
    code.parse::<i64>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 8 | 9 | 10 | 13 | 14 | 15))
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
            ("57014", true),
            ("25006", true),
            ("40001", true),
            ("40P01", true),
            ("55P03", true),
            ("42P01", false),
            ("23505", false),
            ("22P05", false),
            ("XX001", false),
            ("5", true),
            ("517", true),
            ("13", true),
            ("1032", true),
            ("1", false),
            ("11", false),
            ("26", false),
            ("", false),
        ] {
            assert_eq!(passes(code), expected, "{code}");
        }
    }
}
