//! Keeping what a token exchange leaves behind.

use super::error::StoreError;
use super::transaction::{Finish, Transaction, Work};
use super::{Store, audit, grant, refresh, spent};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::grant::Grant;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::spend::{Spend, SpendKind};

/// An exchange that the rules allow.
#[derive(Clone, Debug)]
pub struct KeepExchange {
    /// The realm.
    pub realm_id: String,
    /// The identifiers that the request uses up.
    pub spends: Vec<Spend>,
    /// The grant that a refresh token is made for.
    pub derived: Option<Derived>,
    /// The event to keep.
    pub audit: AuditEvent,
}

/// A grant that is made from another.
#[derive(Clone, Debug)]
pub struct Derived {
    /// The grant.
    pub grant: Grant,
    /// Its first refresh token.
    pub refresh: RefreshToken,
    /// Until when the grant is needed.
    pub expires_at: Timestamp,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchanging {
    /// It is kept.
    Exchanged,
    /// An identifier of the request was used before; nothing is kept.
    Replayed(SpendKind),
}

impl Store {
    /// Keeps an exchange.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing is kept.
    pub async fn keep_exchange(&self, exchange: KeepExchange) -> Result<Exchanging, StoreError> {
        self.db.write(exchange).await
    }
}

impl Work for KeepExchange {
    type Outcome = Exchanging;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Exchanging>, StoreError> {
        if let Some(kind) = spent::spend(transaction, &self.realm_id, &self.spends).await? {
            return Ok(Finish::Undo(Exchanging::Replayed(kind)));
        }
        if let Some(Derived { grant, refresh, expires_at }) = &self.derived {
            transaction.execute(&grant::add(grant, *expires_at)?).await?;
            transaction.execute(&refresh::add(refresh)).await?;
        }
        transaction.execute(&audit::add(&self.audit)?).await?;
        Ok(Finish::Commit(Exchanging::Exchanged))
    }
}
