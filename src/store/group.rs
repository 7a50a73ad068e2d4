//! Tables `groups` and `group_roles`.

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use super::statement::{json, key};
use crate::protocol::role::Group;

row! {
    struct Row {
        id: String,
        realm_id: String,
        parent: String,
        name: String,
        path: String,
        attributes: String,
    }
}

pub(super) fn put(group: &Group) -> Result<Statement, StoreError> {
    let text = "INSERT INTO groups (id, realm_id, parent, name, path, attributes) VALUES ($1, $2, $3, $4, $5, $6) \
                ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, name = excluded.name, \
                path = excluded.path, attributes = excluded.attributes WHERE groups.realm_id = excluded.realm_id";
    let parent = group.parent.as_deref().unwrap_or_default();
    let (path, attributes) = (key(&group.path)?, json(&group.attributes)?);
    let statement = sql!(text, &group.id, &group.realm_id, parent, &group.name, path, attributes);
    Ok(statement.needs("reference"))
}

/// Takes the groups below along.
pub(super) fn delete(realm_id: &str, id: &str) -> Statement {
    let text = "DELETE FROM groups WHERE realm_id = $1 AND id IN (WITH RECURSIVE below (id) AS (\
                SELECT g.id FROM groups g WHERE g.realm_id = $1 AND g.id = $2 \
                UNION SELECT g.id FROM groups g JOIN below b ON g.parent = b.id WHERE g.realm_id = $1) \
                SELECT id FROM below)";
    sql!(text, realm_id, id)
}

pub(super) fn add_role(realm_id: &str, group_id: &str, role_id: &str) -> Statement {
    let text = "INSERT INTO group_roles (realm_id, group_id, role_id) \
                SELECT g.realm_id, g.id, r.id FROM groups g JOIN roles r ON r.realm_id = g.realm_id \
                WHERE g.realm_id = $1 AND g.id = $2 AND r.id = $3 \
                ON CONFLICT (group_id, role_id) DO UPDATE SET realm_id = excluded.realm_id";
    sql!(text, realm_id, group_id, role_id).needs("reference")
}

pub(super) fn remove_role(realm_id: &str, group_id: &str, role_id: &str) -> Statement {
    let text = "DELETE FROM group_roles WHERE realm_id = $1 AND group_id = $2 AND role_id = $3";
    sql!(text, realm_id, group_id, role_id)
}

impl Store {
    /// The groups of a realm, by path.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups(&self, realm_id: &str) -> Result<Vec<Group>, StoreError> {
        let text = "SELECT id, realm_id, parent, name, path, attributes FROM groups WHERE realm_id = $1";
        let rows = self.db.listing::<Row>(sql!(text, realm_id)).await?;
        let mut groups = rows
            .into_iter()
            .map(|row| {
                let attributes = serde_json::from_str(&row.attributes)?;
                let Row { id, realm_id, parent, name, path, .. } = row;
                let parent = Some(parent).filter(|parent| !parent.is_empty());
                Ok(Group { id, realm_id, parent, name, path, attributes })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        groups.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(groups)
    }

    /// Identifiers of the roles that were given to the group itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn direct_roles_of_group(
        &self,
        realm_id: &str,
        group_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        let text = "SELECT role_id FROM group_roles WHERE realm_id = $1 AND group_id = $2";
        let rows = self.db.all::<(String,)>(sql!(text, realm_id, group_id)).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Which group has which role: pairs of identifiers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_roles(&self, realm_id: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.db.listing(sql!("SELECT group_id, role_id FROM group_roles WHERE realm_id = $1", realm_id)).await
    }
}
