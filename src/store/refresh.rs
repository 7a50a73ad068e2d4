//! Table `refresh_tokens`, and the one way to rotate a token.

use sqlx::FromRow;

use super::db::{Statement, Transaction, sql};
use super::error::StoreError;
use super::grant::{grant_columns, grant_joins};
use super::session::session_columns;
use super::user::user_columns;
use super::{Store, audit, grant, session, user};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::grants::refresh_token::RefreshRecord;
use crate::protocol::refresh::RefreshToken;

/// A rotation that the rules allow.
#[derive(Clone, Debug)]
pub struct RotateRefresh {
    /// The realm.
    pub realm_id: String,
    /// The presented token.
    pub id: String,
    /// Its grant.
    pub grant_id: String,
    /// Now.
    pub now: Timestamp,
    /// Seconds for which a used token is taken again while its successor is unused.
    pub retry_window: i64,
    /// The token to issue.
    pub successor: RefreshToken,
    /// Until when the grant is needed.
    pub grant_expires_at: Timestamp,
    /// The session that is kept alive by it.
    pub session: Option<SessionTouch>,
    /// The event to keep when it succeeds.
    pub audit: AuditEvent,
    /// The event to keep when it is a replay.
    pub reuse_audit: AuditEvent,
}

/// A session that was used.
#[derive(Clone, Debug)]
pub struct SessionTouch {
    /// Its identifier.
    pub id: String,
    /// When it will end if it is not used again.
    pub expires_at: Timestamp,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// The token was fresh; its successor is live.
    Rotated,
    /// The token was used before, within the window, and its successor was not: that one is dead, the new one live.
    Retried,
    /// A replay: the grant is revoked.
    Reused,
    /// The token expired, or its grant was revoked before.
    Gone,
}

#[derive(FromRow)]
struct Row {
    #[sqlx(rename = "token_id")]
    id: String,
    token_realm_id: String,
    predecessor: Option<String>,
    issued_at: Timestamp,
    token_expires_at: Timestamp,
    used_at: Option<Timestamp>,
    superseded_at: Option<Timestamp>,
    #[sqlx(flatten)]
    grant: grant::Row,
    #[sqlx(flatten)]
    user: user::Row,
    #[sqlx(flatten)]
    session: session::Row,
}

pub(super) fn add(token: &RefreshToken) -> Statement {
    let text = "INSERT INTO refresh_tokens (id, realm_id, grant_id, predecessor, issued_at, expires_at, used_at, \
                superseded_at) VALUES ($1, $2, $3, $4, $5, $6, NULL, NULL)";
    let RefreshToken { id, realm_id, grant_id, predecessor, issued_at, expires_at, .. } = token;
    sql!(text, id, realm_id, grant_id, predecessor, *issued_at, *expires_at)
}

impl Store {
    /// The refresh token with what it hangs on.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_token(&self, realm_id: &str, id: &str) -> Result<Option<RefreshRecord>, StoreError> {
        let text = concat!(
            "SELECT t.id AS token_id, t.realm_id AS token_realm_id, t.predecessor, t.issued_at, \
             t.expires_at AS token_expires_at, t.used_at, t.superseded_at, ",
            grant_columns!(),
            ", ",
            user_columns!(),
            ", ",
            session_columns!(),
            " FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id AND g.realm_id = t.realm_id",
            grant_joins!(),
            "WHERE t.realm_id = $1 AND t.id = $2"
        );
        let Some(row) = self.db.one::<Row>(sql!(text, realm_id, id)).await? else { return Ok(None) };
        let grant = row.grant.record();
        let token = RefreshToken {
            id: row.id,
            realm_id: row.token_realm_id,
            grant_id: grant.id.clone(),
            predecessor: row.predecessor,
            issued_at: row.issued_at,
            expires_at: row.token_expires_at,
            used_at: row.used_at,
            superseded_at: row.superseded_at,
        };
        Ok(Some(RefreshRecord { token, grant, user: row.user.record()?, session: row.session.record() }))
    }

    /// Rotates a refresh token: whatever arrives together, on any number of nodes, at most one successor stays live,
    /// and a replay revokes the grant (RFC 9700 §4.14.2).
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was spent and nothing revoked.
    pub async fn rotate_refresh_token(&self, spend: RotateRefresh) -> Result<Rotation, StoreError> {
        let mut transaction = self.db.begin().await?;
        let rotation = match first_use(&mut transaction, &spend).await? {
            true => Rotation::Rotated,
            false if !is_spent(&mut transaction, &spend).await? => return Ok(Rotation::Gone),
            false if retry(&mut transaction, &spend).await? => Rotation::Retried,
            false => Rotation::Reused,
        };
        if rotation == Rotation::Reused {
            transaction.execute(grant::revoke(&spend.realm_id, &spend.grant_id, spend.now)).await?;
            transaction.execute(audit::add(&spend.reuse_audit)?).await?;
            transaction.commit().await?;
            return Ok(rotation);
        }
        transaction.execute(add(&spend.successor)).await?;
        transaction
            .execute(grant::used(&spend.realm_id, &spend.grant_id, spend.now, spend.grant_expires_at))
            .await?;
        if let Some(touch) = &spend.session {
            transaction
                .execute(session::touch(&spend.realm_id, &touch.id, spend.now, touch.expires_at))
                .await?;
        }
        transaction.execute(audit::add(&spend.audit)?).await?;
        transaction.commit().await?;
        Ok(rotation)
    }
}

/// Whether this call was the first to use the token.
async fn first_use(transaction: &mut Transaction, spend: &RotateRefresh) -> Result<bool, StoreError> {
    let text = "UPDATE refresh_tokens SET used_at = $3 WHERE realm_id = $1 AND id = $2 AND used_at IS NULL \
                AND superseded_at IS NULL AND expires_at > $3 \
                AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)";
    Ok(transaction.execute(sql!(text, &spend.realm_id, &spend.id, spend.now)).await? == 1)
}

/// Whether the token was spent before while its grant still stands; else it is merely of no use.
async fn is_spent(transaction: &mut Transaction, spend: &RotateRefresh) -> Result<bool, StoreError> {
    let text = "SELECT t.id FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id \
                WHERE t.realm_id = $1 AND t.id = $2 AND (t.used_at IS NOT NULL OR t.superseded_at IS NOT NULL) \
                AND g.revoked_at IS NULL";
    Ok(transaction.one::<(String,)>(sql!(text, &spend.realm_id, &spend.id)).await?.is_some())
}

/// Kills the token's unused successor, if the token was used within the window and not killed itself: what a client
/// does that never got the answer. Only who kills it may replace it.
async fn retry(transaction: &mut Transaction, spend: &RotateRefresh) -> Result<bool, StoreError> {
    if spend.retry_window <= 0 {
        return Ok(false);
    }
    let text = "UPDATE refresh_tokens SET superseded_at = $3 \
                WHERE realm_id = $1 AND predecessor = $2 AND used_at IS NULL AND superseded_at IS NULL \
                AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.realm_id = $1 AND t.id = $2 \
                AND t.superseded_at IS NULL AND t.used_at IS NOT NULL AND t.used_at > $4)";
    let since = spend.now.plus(-spend.retry_window - 1);
    Ok(transaction.execute(sql!(text, &spend.realm_id, &spend.id, spend.now, since)).await? == 1)
}
