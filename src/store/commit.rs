//! Changes of one moment: their statements in one transaction, and the version that a changed configuration takes.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::change::Change;
use super::error::StoreError;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use super::{Store, notice, realm, together};
use crate::vault::Vault;

impl Store {
    /// Commits `changes` in one transaction, in their order. If one of them is a change of configuration, the realm
    /// takes the next version in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was changed.
    pub async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let changes = Changes::new(changes, &self.vault)?;
        if self.db.is_postgres() && together::any(&changes.statements) {
            match self.db.write(Changes { together: true, ..changes.clone() }).await {
                // Whether it lies with one of them, or with their going together, shows when they go one by one.
                Err(StoreError::Conflict { .. } | StoreError::Fault(_)) => {}
                outcome => return outcome,
            }
        }
        self.db.write(changes).await
    }
}

/// Changes as statements, with the realms that they configure.
#[derive(Clone)]
pub(super) struct Changes {
    statements: Arc<[Statement]>,
    realms: BTreeSet<String>,
    /// Realms of which the names by which people sign in are compared.
    compared: BTreeSet<String>,
    /// Whether statements go together that may.
    together: bool,
}

impl Changes {
    fn new(changes: Vec<Change>, vault: &Vault) -> Result<Self, StoreError> {
        let (mut statements, mut realms, mut compared) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for change in changes {
            if change.is_configuration() {
                realms.insert(change.realm_id().to_owned());
            }
            if matches!(change, Change::ExpectOwnLogins { .. } | Change::ExpectUnlike { .. }) {
                compared.insert(change.realm_id().to_owned());
            }
            change.statements(vault, &mut statements)?;
        }
        Ok(Self { realms, compared, ..Self::plain(statements) })
    }

    /// Statements that configure no realm.
    pub(super) fn plain(statements: Vec<Statement>) -> Self {
        Self {
            statements: statements.into(),
            realms: BTreeSet::new(),
            compared: BTreeSet::new(),
            together: false,
        }
    }
}

impl Changes {
    async fn execute(
        &self,
        transaction: &mut Transaction<'_>,
        statements: &[Statement],
    ) -> Result<(), StoreError> {
        if self.together {
            return together::execute(transaction, statements).await;
        }
        for statement in statements {
            transaction.execute(statement).await?;
        }
        Ok(())
    }
}

impl Work for Changes {
    type Outcome = ();

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<()>, StoreError> {
        // The one row of `configuration` is locked first: versions are seen in the order in which they are taken, so
        // that a node which has seen one has seen all before it.
        if !self.realms.is_empty() {
            let text = "UPDATE configuration SET version = version + 1 WHERE id = 1";
            transaction.execute(&sql!(text).needs("configuration")).await?;
        }
        // What two transactions write at once, neither sees: where names are compared they come one after another. SQLite
        // has one writer anyway.
        if transaction.is_postgres() {
            for realm in &self.compared {
                transaction.execute(&realm::hold(realm)).await?;
            }
        }
        self.execute(transaction, &self.statements).await?;
        let text =
            "UPDATE realms SET version = (SELECT version FROM configuration WHERE id = 1) WHERE id = $1";
        let versions = self.realms.iter().map(|realm| sql!(text, realm).about(1));
        self.execute(transaction, &versions.collect::<Vec<_>>()).await?;
        if !self.realms.is_empty() {
            notice::tell(transaction).await?;
        }
        Ok(Finish::Commit(()))
    }
}
