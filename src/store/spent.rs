//! Table `spent_identifiers`: what may be used once and was.

use super::Store;
use super::error::StoreError;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use crate::protocol::spend::{Spend, SpendKind};

pub(super) fn add(realm_id: &str, spend: &Spend) -> Statement {
    let text = "INSERT INTO spent_identifiers (realm_id, kind, fingerprint, expires_at) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (realm_id, kind, fingerprint) DO NOTHING";
    sql!(text, realm_id, spend.kind.name(), &spend.fingerprint, spend.expires_at)
}

/// Spends all of them inside a transaction; of one that was spent before, gives the kind, and then the transaction is to
/// be undone. To be called before anything else is locked.
pub(super) async fn spend(
    transaction: &mut Transaction<'_>,
    realm_id: &str,
    spends: &[Spend],
) -> Result<Option<SpendKind>, StoreError> {
    for spend in Spend::in_order(spends) {
        if transaction.execute(&add(realm_id, spend)).await? == 0 {
            return Ok(Some(spend.kind));
        }
    }
    Ok(None)
}

impl Store {
    /// The kind of one of `spends` that was spent before, if any was. It spends none, so it decides nothing: of two callers
    /// at once both may hear that all are fresh.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn spent(&self, realm_id: &str, spends: &[Spend]) -> Result<Option<SpendKind>, StoreError> {
        let text = "SELECT kind, fingerprint FROM spent_identifiers WHERE realm_id = $1 \
                    AND ((kind = $2 AND fingerprint = $3) OR (kind = $4 AND fingerprint = $5)) LIMIT 1";
        // A client's assertion and a proof of possession: two at most, until there are more.
        for pair in spends.chunks(2) {
            let (Some(one), Some(other)) = (pair.first(), pair.last()) else { continue };
            let (one, other) = ((one.kind.name(), &one.fingerprint), (other.kind.name(), &other.fingerprint));
            let found = sql!(text, realm_id, one.0, one.1, other.0, other.1);
            if let Some((kind, fingerprint)) = self.db.one::<(String, String)>(found).await? {
                let spent = |spend: &&Spend| spend.kind.name() == kind && spend.fingerprint == fingerprint;
                return Ok(pair.iter().find(spent).map(|spend| spend.kind));
            }
        }
        Ok(None)
    }

    /// Spends identifiers for a request that commits nothing else, and gives the kind of one that was spent before; then
    /// none is spent. Of any number of callers, on any number of nodes, one is told that all were fresh.
    ///
    /// # Errors
    /// [`StoreError`], and then none is spent.
    pub async fn spend(&self, realm_id: &str, spends: &[Spend]) -> Result<Option<SpendKind>, StoreError> {
        if spends.is_empty() {
            return Ok(None);
        }
        let (realm_id, spends) = (realm_id.to_owned(), spends.to_vec());
        self.db.write(SpendAll { realm_id, spends }).await
    }
}

struct SpendAll {
    realm_id: String,
    spends: Vec<Spend>,
}

impl Work for SpendAll {
    type Outcome = Option<SpendKind>;

    async fn perform(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Finish<Option<SpendKind>>, StoreError> {
        match spend(transaction, &self.realm_id, &self.spends).await? {
            None => Ok(Finish::Commit(None)),
            spent => Ok(Finish::Undo(spent)),
        }
    }
}
