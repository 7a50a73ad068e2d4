//! Using a refresh token that stays the same (FAPI 2.0 Security Profile §5.3.2.1).

use super::SessionTouch;
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::spend::{Spend, SpendKind};
use crate::store::error::StoreError;
use crate::store::statement::sql;
use crate::store::transaction::{Finish, Transaction, Work};
use crate::store::{Store, audit, grant, session, spent};

/// A use that the rules allow, of a token that is not replaced by it.
#[derive(Clone, Debug)]
pub struct KeepRefresh {
    /// The realm.
    pub realm_id: String,
    /// The presented token.
    pub id: String,
    /// Its grant.
    pub grant_id: String,
    /// Now.
    pub now: Timestamp,
    /// When the token stops being good if it is not used again.
    pub expires_at: Timestamp,
    /// Until when the grant is needed.
    pub grant_expires_at: Timestamp,
    /// The session that is kept alive by it.
    pub session: Option<SessionTouch>,
    /// The identifiers that the request uses up.
    pub spends: Vec<Spend>,
    /// The event to keep.
    pub audit: AuditEvent,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// The token is good, and goes on being so.
    Kept,
    /// The token expired or was replaced by another, or its grant was revoked.
    Gone,
    /// An identifier of the request was used before; the token is as it was.
    Replayed(SpendKind),
}

impl Store {
    /// Uses a refresh token that stays the same, however many use it together.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was changed.
    pub async fn keep_refresh_token(&self, keep: KeepRefresh) -> Result<Keeping, StoreError> {
        self.db.write(keep).await
    }
}

impl Work for KeepRefresh {
    type Outcome = Keeping;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Keeping>, StoreError> {
        let Self { realm_id, id, grant_id, now, expires_at, grant_expires_at, session, spends, audit } = self;
        if let Some(kind) = spent::spend(transaction, realm_id, spends).await? {
            return Ok(Finish::Undo(Keeping::Replayed(kind)));
        }
        if transaction.execute(&grant::used(realm_id, grant_id, *now, *grant_expires_at)).await? == 0 {
            return Ok(Finish::Undo(Keeping::Gone));
        }
        let text = "UPDATE refresh_tokens SET expires_at = $5 WHERE realm_id = $1 AND id = $2 AND grant_id = $3 \
                    AND used_at IS NULL AND superseded_at IS NULL AND expires_at > $4";
        if transaction.execute(&sql!(text, realm_id, id, grant_id, *now, *expires_at)).await? == 0 {
            return Ok(Finish::Undo(Keeping::Gone));
        }
        if let Some(touch) = session {
            transaction.execute(&session::touch(realm_id, &touch.id, *now, touch.expires_at)).await?;
        }
        transaction.execute(&audit::add(audit)?).await?;
        Ok(Finish::Commit(Keeping::Kept))
    }
}
