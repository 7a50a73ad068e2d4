//! Table `signing_keys`. Private keys are sealed; this module never sees one.

use super::Store;
use super::change::Change;
use super::commit::Changes;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use crate::clock::Timestamp;

row! {
    /// A key as it is kept.
    #[derive(Clone, PartialEq, Eq)]
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
}

impl std::fmt::Debug for KeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRow")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("signs_from", &self.signs_from)
            .field("served_until", &self.served_until)
            .finish_non_exhaustive()
    }
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

/// Serves the key that signs at `at`, though its end is set, until `served_until` at least: tokens that it signs from now
/// on last longer than those that its end was set for.
pub(super) fn outlive(realm_id: &str, at: Timestamp, served_until: Timestamp) -> Statement {
    let text = "UPDATE signing_keys SET served_until = $3 WHERE realm_id = $1 AND signs_from <= $2 \
                AND served_until > $2 AND served_until < $3 AND NOT EXISTS (SELECT 1 FROM signing_keys n \
                WHERE n.realm_id = signing_keys.realm_id AND n.algorithm = signing_keys.algorithm \
                AND n.signs_from > signing_keys.signs_from AND n.signs_from <= $2)";
    sql!(text, realm_id, at, served_until)
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
                    WHERE realm_id = $1 ORDER BY signs_from, created_at, id";
        self.db.all(sql!(text, realm_id)).await
    }

    /// Keeps the first keys of a realm. Where another node was faster, its keys stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_first_keys(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let text = "INSERT INTO signing_keys (id, realm_id, algorithm, sealed, created_at, signs_from, served_until) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING";
        let statements = changes.into_iter().filter_map(|change| match change {
            Change::AddKey { realm_id, key } => Some(Statement { sql: text, ..add(&realm_id, &key) }),
            _ => None,
        });
        self.db.write(Changes::plain(statements.collect())).await
    }
}
