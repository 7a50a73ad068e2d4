//! Table `signing_keys`. Private keys are sealed; this module never sees one.

use sqlx::FromRow;

use super::Store;
use super::change::Change;
use super::db::{Statement, sql};
use super::error::StoreError;
use crate::clock::Timestamp;

/// A key as it is kept.
#[derive(Clone, Debug, FromRow)]
pub struct KeyRow {
    /// Identifier of the row.
    pub id: String,
    /// `alg`.
    pub algorithm: String,
    /// The private key, sealed for this row.
    pub sealed: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// When it stops being served; none while no end is set.
    pub served_until: Option<Timestamp>,
}

pub(super) fn add(realm_id: &str, key: &KeyRow) -> Statement {
    let text = "INSERT INTO signing_keys (id, realm_id, algorithm, sealed, created_at, signs_from, served_until) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    sql!(
        text,
        &key.id,
        realm_id,
        &key.algorithm,
        &key.sealed,
        key.created_at,
        key.signs_from,
        key.served_until
    )
}

pub(super) fn retire(realm_id: &str, id: &str, served_until: Timestamp) -> Statement {
    let text = "UPDATE signing_keys SET served_until = $3 WHERE id = $2 AND realm_id = $1 \
                AND (served_until IS NULL OR served_until > $3)";
    sql!(text, realm_id, id, served_until)
}

pub(super) fn delete(realm_id: &str, id: &str) -> Statement {
    sql!("DELETE FROM signing_keys WHERE id = $2 AND realm_id = $1", realm_id, id)
}

impl Store {
    /// The keys of a realm, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys(&self, realm_id: &str) -> Result<Vec<KeyRow>, StoreError> {
        let text = "SELECT id, algorithm, sealed, created_at, signs_from, served_until FROM signing_keys \
                    WHERE realm_id = $1 ORDER BY signs_from, id";
        self.db.all(sql!(text, realm_id)).await
    }

    /// Keeps the first keys of a realm. Where another node was faster, its keys stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_first_keys(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let mut transaction = self.db.begin().await?;
        for change in changes {
            if let Change::AddKey { realm_id, key } = change {
                let text = "INSERT INTO signing_keys \
                            (id, realm_id, algorithm, sealed, created_at, signs_from, served_until) \
                            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
                let KeyRow { id, algorithm, sealed, created_at, signs_from, served_until } = key;
                transaction
                    .execute(sql!(
                        text,
                        id,
                        realm_id,
                        algorithm,
                        sealed,
                        created_at,
                        signs_from,
                        served_until
                    ))
                    .await?;
            }
        }
        transaction.commit().await
    }
}
