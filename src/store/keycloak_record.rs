//! Table `keycloak_records`.

use serde_json::Value;

use super::Store;
use super::error::StoreError;
use super::kept_secrets::{SEALING, holds_sealed, opened};
use super::row::row;
use super::statement::{Statement, json, key, sql};
use crate::keycloak::{Beside, Kept, KeycloakRecord};
use crate::vault::Vault;

row! {
    pub(super) struct Row {
        pub(super) realm_id: String,
        pub(super) kind: String,
        pub(super) id: String,
        parent: String,
        name: String,
        pub(super) content: String,
    }
}

impl Row {
    pub(super) fn record(self, vault: &Vault) -> Result<KeycloakRecord, StoreError> {
        let is_sealed = holds_sealed(&self.content);
        let content = serde_json::from_str(&self.content)?;
        let Self { realm_id, kind, id, parent, name, .. } = self;
        let record = KeycloakRecord { realm_id, kind, id, parent, name, content };
        Ok(if is_sealed { opened(record, vault) } else { record })
    }
}

/// What is kept beside a record, of the text in its row.
pub(super) fn kept(
    realm_id: &str,
    beside: Beside,
    id: &str,
    content: &str,
    vault: &Vault,
) -> Result<Kept, StoreError> {
    let record = beside.record(realm_id, id, serde_json::from_str(content)?);
    Ok(if holds_sealed(content) { opened(record, vault) } else { record }.content)
}

/// How many lists and objects may be inside of each other: what is written must be readable, and readers of JSON give up
/// at 128 levels.
const DEEPEST: usize = 100;

fn is_flat(value: &Value, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return !(value.is_array() || value.is_object()) };
    match value {
        Value::Array(items) => items.iter().all(|item| is_flat(item, below)),
        Value::Object(members) => members.values().all(|member| is_flat(member, below)),
        _ => true,
    }
}

/// Writes a record whose secrets are sealed.
///
/// # Errors
/// [`StoreError::Unstorable`] also for what is nested too deeply.
pub(super) fn put(record: &KeycloakRecord) -> Result<Statement, StoreError> {
    if !record.content.values().all(|value| is_flat(value, DEEPEST)) {
        return Err(StoreError::Unstorable);
    }
    let text = "INSERT INTO keycloak_records (realm_id, kind, id, parent, name, content, sealing) \
                VALUES ($1, $2, $3, $4, $5, $6, $7) \
                ON CONFLICT (realm_id, kind, id) DO UPDATE SET parent = excluded.parent, name = excluded.name, \
                content = excluded.content, sealing = excluded.sealing";
    let KeycloakRecord { realm_id, kind, id, parent, name, content } = record;
    Ok(sql!(text, realm_id, kind, key(id)?, key(parent)?, key(name)?, json(content)?, SEALING).about(3))
}

/// Writes what was sealed of a row that was there, unless somebody wrote it since it was read as `before`.
pub(super) fn seal_again(record: &KeycloakRecord, before: String) -> Result<Statement, StoreError> {
    let text = "UPDATE keycloak_records SET content = $4, sealing = $5 \
                WHERE realm_id = $1 AND kind = $2 AND id = $3 AND content = $6";
    let KeycloakRecord { realm_id, kind, id, content, .. } = record;
    Ok(sql!(text, realm_id, kind, id, json(content)?, SEALING, before))
}

pub(super) fn delete(realm_id: &str, kind: &str, id: &str) -> Statement {
    let text = "DELETE FROM keycloak_records WHERE realm_id = $1 AND kind = $2 AND id = $3";
    sql!(text, realm_id, kind, id)
}

/// What stands beside a record goes with it.
pub(super) fn delete_beside(realm_id: &str, beside: Beside, id: &str) -> Statement {
    delete(realm_id, beside.kind(), id)
}

/// A client's roles go with the client, and what stands beside them.
pub(super) fn delete_beside_roles_of(realm_id: &str, client: &str) -> Statement {
    let text = "DELETE FROM keycloak_records WHERE realm_id = $1 AND kind = 'role' \
                AND id IN (SELECT r.id FROM roles r WHERE r.realm_id = $1 AND r.client = $2)";
    sql!(text, realm_id, client)
}

/// The groups below go with a group, and what stands beside them.
pub(super) fn delete_beside_groups_from(realm_id: &str, group: &str) -> Statement {
    let text = "DELETE FROM keycloak_records WHERE realm_id = $1 AND kind = 'group' \
                AND id IN (WITH RECURSIVE below (id) AS (\
                SELECT g.id FROM groups g WHERE g.realm_id = $1 AND g.id = $2 \
                UNION SELECT g.id FROM groups g JOIN below b ON g.parent = b.id WHERE g.realm_id = $1) \
                SELECT id FROM below)";
    sql!(text, realm_id, group)
}

impl Store {
    /// The record of this kind with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keycloak_record(
        &self,
        realm_id: &str,
        kind: &str,
        id: &str,
    ) -> Result<Option<KeycloakRecord>, StoreError> {
        let text = "SELECT realm_id, kind, id, parent, name, content FROM keycloak_records \
                    WHERE realm_id = $1 AND kind = $2 AND id = $3";
        self.db
            .one::<Row>(sql!(text, realm_id, kind, id))
            .await?
            .map(|row| row.record(&self.vault))
            .transpose()
    }

    /// The records of a kind, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keycloak_records_of_kind(
        &self,
        realm_id: &str,
        kind: &str,
    ) -> Result<Vec<KeycloakRecord>, StoreError> {
        let text = "SELECT realm_id, kind, id, parent, name, content FROM keycloak_records \
                    WHERE realm_id = $1 AND kind = $2 ORDER BY name, id";
        let rows = self.db.listing::<Row>(sql!(text, realm_id, kind)).await?;
        rows.into_iter().map(|row| row.record(&self.vault)).collect()
    }

    /// What is kept beside each realm, where something is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kept_of_realms(&self) -> Result<Vec<KeycloakRecord>, StoreError> {
        let text = "SELECT k.realm_id, k.kind, k.id, k.parent, k.name, k.content FROM realms r \
                    JOIN keycloak_records k ON k.realm_id = r.id AND k.kind = $1 AND k.id = r.id";
        let rows = self.db.listing::<Row>(sql!(text, Beside::Realm.kind())).await?;
        rows.into_iter().map(|row| row.record(&self.vault)).collect()
    }

    /// The records of a kind that hang on `parent`, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keycloak_records_below(
        &self,
        realm_id: &str,
        kind: &str,
        parent: &str,
    ) -> Result<Vec<KeycloakRecord>, StoreError> {
        let text = "SELECT realm_id, kind, id, parent, name, content FROM keycloak_records \
                    WHERE realm_id = $1 AND kind = $2 AND parent = $3 ORDER BY name, id";
        let rows = self.db.listing::<Row>(sql!(text, realm_id, kind, parent)).await?;
        rows.into_iter().map(|row| row.record(&self.vault)).collect()
    }

    /// Every record of a realm, for exports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keycloak_records(&self, realm_id: &str) -> Result<Vec<KeycloakRecord>, StoreError> {
        let text = "SELECT realm_id, kind, id, parent, name, content FROM keycloak_records \
                    WHERE realm_id = $1 ORDER BY name, id";
        let rows = self.db.listing::<Row>(sql!(text, realm_id)).await?;
        rows.into_iter().map(|row| row.record(&self.vault)).collect()
    }
}
