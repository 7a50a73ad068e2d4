//! Tables `roles` and `role_composites`.

use std::collections::HashMap;

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, json, key, sql};
use crate::protocol::role::{Role, Roles};

row! {
    struct Row {
        id: String,
        realm_id: String,
        client: String,
        client_id: Option<String>,
        name: String,
        description: Option<String>,
        built_in: i64,
        attributes: Option<String>,
    }
}

impl Row {
    fn record(self) -> Result<Role, StoreError> {
        let Self { id, realm_id, client, name, description, built_in, attributes, .. } = self;
        let attributes = attributes.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
        let (client, built_in) = (Some(client).filter(|client| !client.is_empty()), built_in != 0);
        Ok(Role { id, realm_id, client, name, description, attributes, built_in })
    }
}

pub(super) fn put(role: &Role) -> Result<Statement, StoreError> {
    let text = "INSERT INTO roles (id, realm_id, client, name, description, built_in, attributes) \
                VALUES ($1, $2, $3, $4, $5, $6, $7) \
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, \
                attributes = excluded.attributes \
                WHERE roles.realm_id = excluded.realm_id AND roles.client = excluded.client";
    let client = role.client.as_deref().unwrap_or_default();
    let attributes = if role.attributes.is_empty() { None } else { Some(json(&role.attributes)?) };
    let Role { id, realm_id, name, description, built_in, .. } = role;
    let statement = sql!(text, id, realm_id, client, key(name)?, description, *built_in, attributes);
    Ok(statement.about(1).needs("reference"))
}

pub(super) fn delete(realm_id: &str, id: &str) -> Statement {
    sql!("DELETE FROM roles WHERE id = $2 AND realm_id = $1", realm_id, id)
}

/// Both roles are looked up in the realm, so that none of another realm can become a part.
pub(super) fn add_composite(realm_id: &str, role_id: &str, child_id: &str) -> Statement {
    let text = "INSERT INTO role_composites (realm_id, role_id, child_id) \
                SELECT a.realm_id, a.id, b.id FROM roles a JOIN roles b ON b.realm_id = a.realm_id \
                WHERE a.realm_id = $1 AND a.id = $2 AND b.id = $3 \
                ON CONFLICT (role_id, child_id) DO UPDATE SET realm_id = excluded.realm_id";
    sql!(text, realm_id, role_id, child_id).about(3).needs("reference")
}

pub(super) fn remove_composite(realm_id: &str, role_id: &str, child_id: &str) -> Statement {
    let text = "DELETE FROM role_composites WHERE realm_id = $1 AND role_id = $2 AND child_id = $3";
    sql!(text, realm_id, role_id, child_id)
}

impl Store {
    /// The roles of a realm with their composites.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles(&self, realm_id: &str) -> Result<Roles, StoreError> {
        let text = "SELECT r.id, r.realm_id, r.client, c.client_id, r.name, r.description, r.built_in, r.attributes \
                    FROM roles r LEFT JOIN clients c ON c.id = r.client AND c.realm_id = r.realm_id \
                    WHERE r.realm_id = $1";
        let rows = self.db.listing::<Row>(sql!(text, realm_id)).await?;
        let text = "SELECT role_id, child_id FROM role_composites WHERE realm_id = $1";
        let composites = self.db.listing::<(String, String)>(sql!(text, realm_id)).await?;
        let mut clients = HashMap::new();
        let mut roles = Vec::with_capacity(rows.len());
        for mut row in rows {
            if let Some(client_id) = row.client_id.take() {
                clients.insert(row.client.clone(), client_id);
            }
            roles.push(row.record()?);
        }
        Ok(Roles::new(roles, composites, clients))
    }
    /// The role of each realm that everybody in it has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn default_roles(&self) -> Result<Vec<Role>, StoreError> {
        let text = "SELECT r.id, r.realm_id, r.client, NULL AS client_id, r.name, r.description, r.built_in, \
                    r.attributes FROM realms m JOIN roles r ON r.realm_id = m.id \
                    AND r.client = '' AND r.name LIKE 'default-roles-%'";
        let rows = self.db.listing::<Row>(sql!(text)).await?;
        rows.into_iter().map(Row::record).collect()
    }
}
