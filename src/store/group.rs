//! Tables `groups` and `group_roles`.

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use super::statement::{json, key, listed, lists};
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

impl Row {
    fn record(self) -> Result<Group, StoreError> {
        let attributes = serde_json::from_str(&self.attributes)?;
        let Self { id, realm_id, parent, name, path, .. } = self;
        let parent = Some(parent).filter(|parent| !parent.is_empty());
        Ok(Group { id, realm_id, parent, name, path, attributes })
    }
}

/// The groups of these rows, by path.
fn by_path(rows: Vec<Row>) -> Result<Vec<Group>, StoreError> {
    let mut groups = rows.into_iter().map(Row::record).collect::<Result<Vec<_>, _>>()?;
    groups.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(groups)
}

pub(super) fn put(group: &Group) -> Result<Statement, StoreError> {
    let text = "INSERT INTO groups (id, realm_id, parent, name, path, attributes) VALUES ($1, $2, $3, $4, $5, $6) \
                ON CONFLICT (id) DO UPDATE SET parent = excluded.parent, name = excluded.name, \
                path = excluded.path, attributes = excluded.attributes WHERE groups.realm_id = excluded.realm_id";
    let parent = group.parent.as_deref().unwrap_or_default();
    let (path, attributes) = (key(&group.path)?, json(&group.attributes)?);
    let statement = sql!(text, &group.id, &group.realm_id, parent, &group.name, path, attributes);
    Ok(statement.about(1).needs("reference"))
}

/// Takes the groups below along.
pub(super) fn delete(realm_id: &str, id: &str) -> Statement {
    let text = "DELETE FROM groups WHERE realm_id || '' = $1 \
             AND id IN (WITH RECURSIVE below (id) AS (\
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
    sql!(text, realm_id, group_id, role_id).about(3).needs("reference")
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
        by_path(self.db.listing::<Row>(sql!(text, realm_id)).await?)
    }

    /// The group with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_by_id(&self, realm_id: &str, id: &str) -> Result<Option<Group>, StoreError> {
        let text = "SELECT id, realm_id, parent, name, path, attributes FROM groups \
                    WHERE realm_id = $1 AND id = $2";
        self.db.one::<Row>(sql!(text, realm_id, id)).await?.map(Row::record).transpose()
    }

    /// The group at this path.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn group_by_path(&self, realm_id: &str, path: &str) -> Result<Option<Group>, StoreError> {
        let text = "SELECT id, realm_id, parent, name, path, attributes FROM groups \
                    WHERE realm_id = $1 AND path = $2";
        self.db.one::<Row>(sql!(text, realm_id, path)).await?.map(Row::record).transpose()
    }

    /// Those of these groups that are there, by path.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups_among(&self, realm_id: &str, ids: &[String]) -> Result<Vec<Group>, StoreError> {
        let text = concat!(
            "SELECT id, realm_id, parent, name, path, attributes FROM groups WHERE realm_id || '' = $1 \
             AND id IN ",
            listed!()
        );
        let mut rows = Vec::new();
        for list in lists(ids) {
            rows.extend(self.db.all::<Row>(sql!(text, realm_id).with(list)).await?);
        }
        by_path(rows)
    }

    /// The groups that were given a role, by path.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups_with_role(&self, realm_id: &str, role_id: &str) -> Result<Vec<Group>, StoreError> {
        let text = "SELECT g.id, g.realm_id, g.parent, g.name, g.path, g.attributes FROM group_roles r \
                    JOIN groups g ON g.id = r.group_id AND g.realm_id = r.realm_id \
                    WHERE r.realm_id = $1 AND r.role_id = $2";
        by_path(self.db.listing::<Row>(sql!(text, realm_id, role_id)).await?)
    }

    /// How many groups are directly below one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_groups_below(&self, realm_id: &str, id: &str) -> Result<i64, StoreError> {
        let text = "SELECT COUNT(*) FROM groups WHERE realm_id = $1 AND parent = $2";
        let counted = self.db.one::<(i64,)>(sql!(text, realm_id, id)).await?;
        Ok(counted.map_or(0, |(count,)| count))
    }

    /// Identifiers of the roles that a member of the group has by it: its own, and those of the groups above it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles_by_group(&self, realm_id: &str, group_id: &str) -> Result<Vec<String>, StoreError> {
        let text = "WITH RECURSIVE above (id, parent) AS (\
                    SELECT g.id, g.parent FROM groups g WHERE g.realm_id = $1 AND g.id = $2 \
                    UNION SELECT g.id, g.parent FROM groups g JOIN above ON g.id = above.parent \
                    WHERE g.realm_id = $1) \
                    SELECT DISTINCT r.role_id FROM above CROSS JOIN group_roles r \
                    WHERE r.group_id = above.id AND r.realm_id = $1";
        let rows = self.db.all::<(String,)>(sql!(text, realm_id, group_id)).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
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
