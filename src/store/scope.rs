//! Table `scopes`.

use sqlx::FromRow;

use super::db::{Statement, sql};
use super::error::StoreError;
use super::{Store, json};
use crate::protocol::scope::Scope;

#[derive(FromRow)]
struct Row {
    id: String,
    realm_id: String,
    name: String,
    description: Option<String>,
    settings: String,
}

pub(super) fn put(scope: &Scope) -> Result<Statement, StoreError> {
    let text = "INSERT INTO scopes (id, realm_id, name, description, settings) VALUES ($1, $2, $3, $4, $5) \
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, \
                settings = excluded.settings";
    Ok(sql!(text, &scope.id, &scope.realm_id, &scope.name, &scope.description, json(&scope.settings)?))
}

pub(super) fn delete(realm_id: &str, id: &str) -> Statement {
    sql!("DELETE FROM scopes WHERE id = $2 AND realm_id = $1", realm_id, id)
}

impl Store {
    /// The scopes of a realm, by name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scopes(&self, realm_id: &str) -> Result<Vec<Scope>, StoreError> {
        let text =
            "SELECT id, realm_id, name, description, settings FROM scopes WHERE realm_id = $1 ORDER BY name";
        let rows = self.db.all::<Row>(sql!(text, realm_id)).await?;
        rows.into_iter()
            .map(|row| {
                let settings = serde_json::from_str(&row.settings)?;
                let Row { id, realm_id, name, description, .. } = row;
                Ok(Scope { id, realm_id, name, description, settings })
            })
            .collect()
    }
}
