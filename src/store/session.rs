//! Table `sessions`. The browser's value is not here, only its fingerprint.

use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use super::user::user_columns;
use super::{Page, Store, backchannel_logout, user};
use crate::clock::Timestamp;
use crate::protocol::session::Session;
use crate::protocol::user::User;

row! {
    /// The columns of a session, joined as `s`; all absent where an outer join found none.
    pub(super) struct Row {
        id: Option<String> as "session_id",
        session_realm_id: Option<String>,
        session_user_id: Option<String>,
        auth_time: Option<Timestamp> as "session_auth_time",
        acr: Option<String> as "session_acr",
        remembered: Option<i64>,
        started_at: Option<Timestamp>,
        last_seen_at: Option<Timestamp>,
        ended_at: Option<Timestamp>,
        address: Option<String>,
        user_agent: Option<String>,
    }
}

/// The columns of [`Row`].
macro_rules! session_columns {
    () => {
        "s.id AS session_id, s.realm_id AS session_realm_id, s.user_id AS session_user_id, \
         s.auth_time AS session_auth_time, s.acr AS session_acr, s.remembered, s.started_at, s.last_seen_at, \
         s.ended_at, s.address, s.user_agent"
    };
}
pub(super) use session_columns;

impl Row {
    /// The session; none where the join found none.
    pub(super) fn record(self) -> Option<Session> {
        Some(Session {
            id: self.id?,
            realm_id: self.session_realm_id?,
            user_id: self.session_user_id?,
            auth_time: self.auth_time?,
            acr: self.acr?,
            remembered: self.remembered? != 0,
            started_at: self.started_at?,
            last_seen_at: self.last_seen_at?,
            ended_at: self.ended_at,
            address: self.address?,
            user_agent: self.user_agent?,
        })
    }
}

row! {
    pub(super) struct RowWithUser {
        session: Row,
        user: user::Row,
    }
}

impl RowWithUser {
    pub(super) fn record(self) -> Result<Option<(Session, User)>, StoreError> {
        let user = self.user.record()?;
        Ok(self.session.record().map(|session| (session, user)))
    }
}

pub(super) fn begin(session: &Session, fingerprint: &str, expires_at: Timestamp) -> Statement {
    let text = "INSERT INTO sessions (id, realm_id, user_id, fingerprint, auth_time, acr, remembered, started_at, \
                last_seen_at, ended_at, expires_at, address, user_agent) \
                SELECT $1, u.realm_id, u.id, $4, $5, $6, $7, $8, $9, NULL, $10, $11, $12 FROM users u \
                WHERE u.realm_id = $2 AND u.id = $3";
    sql!(
        text,
        &session.id,
        &session.realm_id,
        &session.user_id,
        fingerprint,
        session.auth_time,
        &session.acr,
        session.remembered,
        session.started_at,
        session.last_seen_at,
        expires_at,
        &session.address,
        &session.user_agent,
    )
    .needs("reference")
}

pub(super) fn reauthenticate(session: &Session, fingerprint: &str, expires_at: Timestamp) -> Statement {
    let text = "UPDATE sessions SET fingerprint = $3, auth_time = $4, acr = $5, last_seen_at = $6, expires_at = $7, \
                remembered = $8 WHERE realm_id = $1 AND id = $2 AND ended_at IS NULL";
    // One that ended meanwhile stays ended.
    let Session { realm_id, id, auth_time, acr, last_seen_at, remembered, .. } = session;
    sql!(text, realm_id, id, fingerprint, *auth_time, acr, *last_seen_at, expires_at, *remembered)
        .needs("session")
}

pub(super) fn touch(realm_id: &str, id: &str, at: Timestamp, expires_at: Timestamp) -> Statement {
    let text = "UPDATE sessions SET last_seen_at = $3, expires_at = $4 \
                WHERE realm_id = $1 AND id = $2 AND ended_at IS NULL AND last_seen_at <= $3";
    sql!(text, realm_id, id, at, expires_at)
}

/// Holds the row of a session for the rest of the transaction, so that its end comes before what is given on it, and
/// then nothing is, or after it, and then takes it back.
pub(super) fn hold(realm_id: &str, id: &str) -> Statement {
    let text = "UPDATE sessions SET ended_at = NULL WHERE realm_id = $1 AND id = $2 AND ended_at IS NULL";
    sql!(text, realm_id, id).needs("session")
}

/// The session's row goes first: whoever holds it to give a grant is waited for, and that grant is seen then.
pub(super) fn end(realm_id: &str, id: &str, at: Timestamp, to: &mut Vec<Statement>) {
    to.push(backchannel_logout::queue_session(realm_id, id, at));
    let text = "UPDATE sessions SET ended_at = $3 WHERE realm_id = $1 AND id = $2 AND ended_at IS NULL";
    to.push(sql!(text, realm_id, id, at));
    let text = "UPDATE grants SET revoked_at = $3 WHERE realm_id = $1 AND session_id = $2 AND offline = 0 \
                AND revoked_at IS NULL";
    to.push(sql!(text, realm_id, id, at));
}

/// As [`end`], for every session of a user.
pub(super) fn end_all(realm_id: &str, user_id: &str, at: Timestamp, to: &mut Vec<Statement>) {
    to.push(backchannel_logout::queue_user(realm_id, user_id, at));
    let text = "UPDATE sessions SET ended_at = $3 WHERE realm_id = $1 AND user_id = $2 AND ended_at IS NULL";
    to.push(sql!(text, realm_id, user_id, at));
    let text = "UPDATE grants SET revoked_at = $3 WHERE realm_id = $1 AND user_id = $2 AND offline = 0 \
                AND revoked_at IS NULL";
    to.push(sql!(text, realm_id, user_id, at));
}

pub(super) fn end_realm(realm_id: &str, at: Timestamp, to: &mut Vec<Statement>) {
    let text = "UPDATE grants SET revoked_at = $2 WHERE realm_id = $1 AND offline = 0 AND revoked_at IS NULL";
    to.push(sql!(text, realm_id, at));
    to.push(backchannel_logout::queue_realm(realm_id, at));
    to.push(sql!("UPDATE sessions SET ended_at = $2 WHERE realm_id = $1 AND ended_at IS NULL", realm_id, at));
}

impl Store {
    /// For each client of the realm its `id` and `client_id`, how many live sessions signed in to it, and how many offline
    /// grants it has; those that have neither are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_by_client(
        &self,
        realm_id: &str,
        now: Timestamp,
    ) -> Result<Vec<(String, String, i64, i64)>, StoreError> {
        let text = "SELECT c.id, c.client_id, \
                    (SELECT COUNT(*) FROM session_clients t JOIN sessions s ON s.id = t.session_id \
                    WHERE t.realm_id || '' = $1 AND t.client = c.id AND s.ended_at IS NULL AND s.expires_at > $2), \
                    (SELECT COUNT(*) FROM grants g WHERE g.realm_id = $1 AND g.client = c.id AND g.offline = 1 \
                    AND g.revoked_at IS NULL AND g.expires_at > $2) \
                    FROM clients c WHERE c.realm_id = $1 ORDER BY c.client_id";
        let rows = self.db.listing::<(String, String, i64, i64)>(sql!(text, realm_id, now)).await?;
        Ok(rows.into_iter().filter(|(.., active, offline)| active + offline > 0).collect())
    }

    /// The session whose cookie has this fingerprint, with its user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_by_fingerprint(
        &self,
        realm_id: &str,
        fingerprint: &str,
    ) -> Result<Option<(Session, User)>, StoreError> {
        let text = concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            user_columns!(),
            " FROM sessions s JOIN users u ON u.id = s.user_id AND u.realm_id = s.realm_id \
             WHERE s.fingerprint = $2 AND s.realm_id = $1"
        );
        let row = self.db.one::<RowWithUser>(sql!(text, realm_id, fingerprint)).await?;
        Ok(row.map(RowWithUser::record).transpose()?.flatten())
    }

    /// The session with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn session_by_id(&self, realm_id: &str, id: &str) -> Result<Option<Session>, StoreError> {
        let text =
            concat!("SELECT ", session_columns!(), " FROM sessions s WHERE s.realm_id = $1 AND s.id = $2");
        Ok(self.db.one::<Row>(sql!(text, realm_id, id)).await?.and_then(Row::record))
    }

    /// The sessions of a user that have not ended, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_of_user(
        &self,
        realm_id: &str,
        user_id: &str,
        page: Page,
    ) -> Result<Vec<Session>, StoreError> {
        let text = concat!(
            "SELECT ",
            session_columns!(),
            " FROM sessions s WHERE s.realm_id = $1 AND s.user_id = $2 AND s.ended_at IS NULL \
             ORDER BY s.id DESC LIMIT $4 OFFSET $3"
        );
        let rows = self.db.all::<Row>(sql!(text, realm_id, user_id, page.first, page.max)).await?;
        Ok(rows.into_iter().filter_map(Row::record).collect())
    }
}
