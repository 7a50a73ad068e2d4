//! Table `scopes`.

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use super::statement::{json, key};
use crate::protocol::scope::Scope;

row! {
    struct Row {
        id: String,
        realm_id: String,
        name: String,
        description: Option<String>,
        settings: String,
    }
}

pub(super) fn put(scope: &Scope) -> Result<Statement, StoreError> {
    let text = "INSERT INTO scopes (id, realm_id, name, description, settings) VALUES ($1, $2, $3, $4, $5) \
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, \
                settings = excluded.settings WHERE scopes.realm_id = excluded.realm_id";
    let settings = json(&scope.settings)?;
    let statement = sql!(text, &scope.id, &scope.realm_id, key(&scope.name)?, &scope.description, settings);
    Ok(statement.about(1).needs("reference"))
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
        let text = "SELECT id, realm_id, name, description, settings FROM scopes WHERE realm_id = $1";
        let rows = self.db.listing::<Row>(sql!(text, realm_id)).await?;
        let mut scopes = rows
            .into_iter()
            .map(|row| {
                let settings = serde_json::from_str(&row.settings)?;
                let Row { id, realm_id, name, description, .. } = row;
                Ok(Scope { id, realm_id, name, description, settings })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        scopes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(scopes)
    }
}
