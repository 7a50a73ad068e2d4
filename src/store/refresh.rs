//! Table `refresh_tokens`, and the one way to rotate a token.

mod keep;

pub use keep::{KeepRefresh, Keeping};

use super::error::StoreError;
use super::grant::{TokenGrant, grant_joins, token_columns, while_enabled};
use super::row::row;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use super::{Store, audit, grant, session, spent};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::grants::refresh_token::RefreshRecord;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::spend::{Spend, SpendKind};

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
    /// The identifiers that the request uses up.
    pub spends: Vec<Spend>,
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
    /// The token expired unused or is not there, or its grant was revoked before.
    Gone,
    /// An identifier of the request was used before; the token is as it was.
    Replayed(SpendKind),
}

row! {
    struct Row {
        id: String as "token_id",
        token_realm_id: String,
        predecessor: Option<String>,
        issued_at: Timestamp,
        token_expires_at: Timestamp,
        used_at: Option<Timestamp>,
        superseded_at: Option<Timestamp>,
        held: grant::TokenRow,
    }
}

pub(super) fn add(token: &RefreshToken) -> Statement {
    let text = "INSERT INTO refresh_tokens (id, realm_id, grant_id, predecessor, issued_at, expires_at, used_at, \
                superseded_at) \
                SELECT $1, g.realm_id, g.id, $4, $5, $6, NULL, NULL FROM grants g \
                WHERE g.realm_id = $2 AND g.id = $3";
    let RefreshToken { id, realm_id, grant_id, predecessor, issued_at, expires_at, .. } = token;
    sql!(text, id, realm_id, grant_id, predecessor, *issued_at, *expires_at).needs("reference")
}

impl Store {
    /// The refresh token with what it hangs on; none while its client or the realm is switched off.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn refresh_token(&self, realm_id: &str, id: &str) -> Result<Option<RefreshRecord>, StoreError> {
        let text = concat!(
            "SELECT t.id AS token_id, t.realm_id AS token_realm_id, t.predecessor, t.issued_at, \
             t.expires_at AS token_expires_at, t.used_at, t.superseded_at, ",
            token_columns!(),
            " FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id AND g.realm_id = t.realm_id",
            grant_joins!(),
            while_enabled!(),
            "WHERE t.realm_id = $1 AND t.id = $2"
        );
        let Some(row) = self.db.one::<Row>(sql!(text, realm_id, id)).await? else { return Ok(None) };
        let TokenGrant { grant, user, roles, session } = self.token_grant(row.held).await?;
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
        Ok(Some(RefreshRecord { token, grant, user, roles, session }))
    }

    /// Rotates a refresh token: whatever arrives together, on any number of nodes, exactly one successor stays live or
    /// the grant is revoked (RFC 9700 §4.14.2).
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was spent and nothing revoked.
    pub async fn rotate_refresh_token(&self, spend: RotateRefresh) -> Result<Rotation, StoreError> {
        self.db.write(spend).await
    }
}

impl Work for RotateRefresh {
    type Outcome = Rotation;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Rotation>, StoreError> {
        if let Some(kind) = spent::spend(transaction, &self.realm_id, &self.spends).await? {
            return Ok(Finish::Undo(Rotation::Replayed(kind)));
        }
        // The grant before the token: its lock puts rotations in order, so that each sees all that came before it. Without it
        // two retries at once would each miss the other's new successor, and take the other for a thief.
        let used = grant::used(&self.realm_id, &self.grant_id, self.now, self.grant_expires_at);
        if transaction.execute(&used).await? == 0 {
            return Ok(Finish::Undo(Rotation::Gone));
        }
        let rotation = match self.first_use(transaction).await? {
            true => Rotation::Rotated,
            false if !self.is_spent(transaction).await? => return Ok(Finish::Undo(Rotation::Gone)),
            false if self.retry(transaction).await? => Rotation::Retried,
            false => Rotation::Reused,
        };
        if rotation == Rotation::Reused {
            transaction.execute(&grant::revoke(&self.realm_id, &self.grant_id, self.now)).await?;
            transaction.execute(&audit::add(&self.reuse_audit)?).await?;
            return Ok(Finish::Commit(rotation));
        }
        transaction.execute(&add(&self.successor)).await?;
        if let Some(touch) = &self.session {
            let touch = session::touch(&self.realm_id, &touch.id, self.now, touch.expires_at);
            transaction.execute(&touch).await?;
        }
        transaction.execute(&audit::add(&self.audit)?).await?;
        Ok(Finish::Commit(rotation))
    }
}

impl RotateRefresh {
    /// Whether this call was the first to use the token.
    async fn first_use(&self, transaction: &mut Transaction<'_>) -> Result<bool, StoreError> {
        let text = "UPDATE refresh_tokens SET used_at = $4 WHERE realm_id = $1 AND id = $2 AND grant_id = $3 \
                    AND used_at IS NULL AND superseded_at IS NULL AND expires_at > $4";
        let spend = sql!(text, &self.realm_id, &self.id, &self.grant_id, self.now);
        Ok(transaction.execute(&spend).await? == 1)
    }

    /// Whether the token was spent before; else it is merely of no use.
    async fn is_spent(&self, transaction: &mut Transaction<'_>) -> Result<bool, StoreError> {
        let text = "SELECT id FROM refresh_tokens WHERE realm_id = $1 AND id = $2 AND grant_id = $3 \
                    AND (used_at IS NOT NULL OR superseded_at IS NOT NULL)";
        let spent = sql!(text, &self.realm_id, &self.id, &self.grant_id);
        Ok(transaction.one::<(String,)>(&spent).await?.is_some())
    }

    /// Kills the token's unused successor, if the token was used within the window and not killed itself: what a
    /// client does that never got the answer. Only who kills it may replace it.
    async fn retry(&self, transaction: &mut Transaction<'_>) -> Result<bool, StoreError> {
        if self.retry_window <= 0 {
            return Ok(false);
        }
        let text = "UPDATE refresh_tokens SET superseded_at = $4 \
                    WHERE realm_id = $1 AND predecessor = $2 AND grant_id = $3 \
                    AND used_at IS NULL AND superseded_at IS NULL \
                    AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.realm_id = $1 AND t.id = $2 \
                    AND t.superseded_at IS NULL AND t.used_at >= $5 AND t.expires_at > $4)";
        let since = self.now.plus(-self.retry_window);
        let kill = sql!(text, &self.realm_id, &self.id, &self.grant_id, self.now, since);
        Ok(transaction.execute(&kill).await? == 1)
    }
}
