//! Tables `users`, `user_roles` and `user_groups`.

use super::error::StoreError;
use super::row::row;
use super::statement::sql;
use super::{Page, Store};
use crate::clock::Timestamp;
use crate::protocol::user::{User, UserRoles};

/// A user with the stored form of the password.
#[derive(Clone)]
pub struct UserWithPassword {
    /// The record.
    pub user: User,
    /// PHC string; none for a user without a password.
    pub password_hash: Option<String>,
    /// How often it was set.
    pub password_changes: i64,
}

row! {
    /// The columns of a user, joined as `u`, under names that no other table of a join has.
    pub(super) struct Row {
        id: String as "user_id",
        realm_id: String as "user_realm_id",
        username: String,
        email: Option<String>,
        email_verified: i64,
        enabled: i64 as "user_enabled",
        first_name: Option<String>,
        last_name: Option<String>,
        attributes: String,
        required_actions: Option<String>,
        service_account_client: Option<String>,
        not_before: Option<Timestamp>,
        created_at: Timestamp as "user_created_at",
    }
}

/// The columns of [`Row`].
macro_rules! user_columns {
    () => {
        "u.id AS user_id, u.realm_id AS user_realm_id, u.username, u.email, u.email_verified, \
         u.enabled AS user_enabled, u.first_name, u.last_name, u.attributes, u.required_actions, u.service_account_client, u.not_before, \
         u.created_at AS user_created_at"
    };
}
pub(super) use user_columns;

impl Row {
    pub(super) fn record(self) -> Result<User, StoreError> {
        Ok(User {
            id: self.id,
            realm_id: self.realm_id,
            username: self.username,
            email: self.email,
            email_verified: self.email_verified != 0,
            enabled: self.enabled != 0,
            first_name: self.first_name,
            last_name: self.last_name,
            attributes: serde_json::from_str(&self.attributes)?,
            required_actions: match &self.required_actions {
                Some(actions) => serde_json::from_str(actions)?,
                None => Vec::new(),
            },
            service_account_client: self.service_account_client,
            not_before: self.not_before,
            created_at: self.created_at,
        })
    }
}

/// What of a user's roles and groups comes with the row of a statement that knows the user as `u`: how many roles, and their
/// identifiers, each behind a space.
macro_rules! role_columns {
    () => {
        "(SELECT COUNT(*) || ' ' || string_agg(a.role_id, ' ') FROM user_roles a \
         WHERE a.realm_id = u.realm_id AND a.user_id = u.id) AS user_role_ids, \
         (SELECT COUNT(*) FROM user_groups m WHERE m.realm_id = u.realm_id AND m.user_id = u.id) AS user_groups"
    };
}
pub(super) use role_columns;

row! {
    /// [`Row`], and the columns of [`role_columns`].
    pub(super) struct RowWithRoles {
        user: Row,
        user_role_ids: Option<String>,
        user_groups: i64,
    }
}

row! {
    struct RowWithPassword {
        user: Row,
        password_hash: Option<String>,
        password_changes: i64,
    }
}

impl Store {
    /// Who signs in by `name` (canonical): the user with that user name, else with that e-mail address if
    /// `with_email`. Never a service account.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_by_login(
        &self,
        realm_id: &str,
        name: &str,
        with_email: bool,
    ) -> Result<Option<UserWithPassword>, StoreError> {
        let by_name = concat!(
            "SELECT ",
            user_columns!(),
            ", u.password_hash, u.password_changes FROM users u \
             WHERE u.realm_id = $1 AND u.username = $2 AND u.service_account_client IS NULL"
        );
        let mut found = self.db.one::<RowWithPassword>(sql!(by_name, realm_id, name)).await?;
        if found.is_none() && with_email {
            let by_email = concat!(
                "SELECT ",
                user_columns!(),
                ", u.password_hash, u.password_changes FROM users u \
                 WHERE u.realm_id = $1 AND u.email_key = $2 AND u.service_account_client IS NULL"
            );
            found = self.db.one::<RowWithPassword>(sql!(by_email, realm_id, name)).await?;
        }
        found
            .map(|row| {
                let RowWithPassword { user, password_hash, password_changes } = row;
                Ok(UserWithPassword { user: user.record()?, password_hash, password_changes })
            })
            .transpose()
    }

    /// The user with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_by_id(&self, realm_id: &str, id: &str) -> Result<Option<User>, StoreError> {
        let text = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.realm_id = $1 AND u.id = $2");
        self.db.one::<Row>(sql!(text, realm_id, id)).await?.map(Row::record).transpose()
    }

    /// The service account of a client (its `id`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_of_service_account(
        &self,
        realm_id: &str,
        client: &str,
    ) -> Result<Option<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.realm_id = $1 AND u.service_account_client = $2"
        );
        self.db.one::<Row>(sql!(text, realm_id, client)).await?.map(Row::record).transpose()
    }

    /// People by user name (service accounts left out).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users(&self, realm_id: &str, page: Page) -> Result<Vec<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.realm_id = $1 AND u.service_account_client IS NULL \
             ORDER BY u.username LIMIT $3 OFFSET $2"
        );
        let rows = self.db.listing::<Row>(sql!(text, realm_id, page.first, page.max)).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// The people to whom a role was given directly, by user name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn users_with_role(
        &self,
        realm_id: &str,
        role_id: &str,
        page: Page,
    ) -> Result<Vec<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM user_roles a JOIN users u ON u.id = a.user_id AND u.realm_id = a.realm_id \
             WHERE a.realm_id = $1 AND a.role_id = $2 AND u.service_account_client IS NULL \
             ORDER BY u.username LIMIT $4 OFFSET $3"
        );
        let rows = self.db.listing::<Row>(sql!(text, realm_id, role_id, page.first, page.max)).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// The people in a group, by user name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn members_of_group(
        &self,
        realm_id: &str,
        group_id: &str,
        page: Page,
    ) -> Result<Vec<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM user_groups m JOIN users u ON u.id = m.user_id AND u.realm_id = m.realm_id \
             WHERE m.realm_id = $1 AND m.group_id = $2 AND u.service_account_client IS NULL \
             ORDER BY u.username LIMIT $4 OFFSET $3"
        );
        let rows = self.db.listing::<Row>(sql!(text, realm_id, group_id, page.first, page.max)).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// How many people a realm has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_users(&self, realm_id: &str) -> Result<i64, StoreError> {
        let text = "SELECT COUNT(*) FROM users WHERE realm_id = $1 AND service_account_client IS NULL";
        let counted = self.db.listing::<(i64,)>(sql!(text, realm_id)).await?;
        Ok(counted.first().map_or(0, |(count,)| *count))
    }

    /// What a user holds, the roles of groups included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles_of_user(&self, realm_id: &str, user_id: &str) -> Result<UserRoles, StoreError> {
        // Most people are in no group, and then there is no tree to climb.
        let text = "SELECT 'role' AS kind, role_id AS value FROM user_roles WHERE realm_id = $1 AND user_id = $2 \
                    UNION ALL SELECT 'group', group_id FROM user_groups WHERE realm_id = $1 AND user_id = $2";
        let rows = self.db.all::<(String, String)>(sql!(text, realm_id, user_id)).await?;
        if rows.iter().any(|(kind, _)| kind == "group") {
            return self.roles_of_member(realm_id, user_id).await;
        }
        let mut role_ids: Vec<_> = rows.into_iter().map(|(_, role_id)| role_id).collect();
        role_ids.sort();
        Ok(UserRoles { role_ids, group_paths: Vec::new() })
    }

    /// The user of `row`, and what it holds. The row says all of most people: who are in no group, and whose roles have no
    /// identifier with a space in it, as an import may bring.
    pub(super) async fn with_roles(&self, row: RowWithRoles) -> Result<(User, UserRoles), StoreError> {
        let RowWithRoles { user, user_role_ids, user_groups } = row;
        let user = user.record()?;
        let roles = match listed(user_role_ids.as_deref()).filter(|_| user_groups == 0) {
            Some(role_ids) => UserRoles { role_ids, group_paths: Vec::new() },
            None => self.roles_of_user(&user.realm_id, &user.id).await?,
        };
        Ok((user, roles))
    }

    /// What somebody holds who is in groups.
    async fn roles_of_member(&self, realm_id: &str, user_id: &str) -> Result<UserRoles, StoreError> {
        let text = "WITH RECURSIVE member (id, parent, path, direct) AS (\
                    SELECT g.id, g.parent, g.path, 1 FROM groups g JOIN user_groups m ON m.group_id = g.id \
                    WHERE g.realm_id = $1 AND m.user_id = $2 \
                    UNION SELECT g.id, g.parent, g.path, 0 FROM groups g JOIN member m ON g.id = m.parent \
                    WHERE g.realm_id = $1) \
                    SELECT 'role' AS kind, role_id AS value FROM user_roles WHERE realm_id = $1 AND user_id = $2 \
                    UNION SELECT 'role', r.role_id FROM group_roles r JOIN member m ON m.id = r.group_id \
                    WHERE r.realm_id = $1 \
                    UNION SELECT 'group', path FROM member WHERE direct = 1";
        let mut rows = self.db.all::<(String, String)>(sql!(text, realm_id, user_id)).await?;
        rows.sort();
        let (groups, roles): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(kind, _)| kind == "group");
        let values = |rows: Vec<(String, String)>| rows.into_iter().map(|(_, value)| value).collect();
        Ok(UserRoles { role_ids: values(roles), group_paths: values(groups) })
    }

    /// Identifiers of the roles that were given to the user directly.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn direct_roles_of_user(
        &self,
        realm_id: &str,
        user_id: &str,
    ) -> Result<Vec<String>, StoreError> {
        let text = "SELECT role_id FROM user_roles WHERE realm_id = $1 AND user_id = $2";
        let rows = self.db.all::<(String,)>(sql!(text, realm_id, user_id)).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// Identifiers of the groups that the user is a member of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups_of_user(&self, realm_id: &str, user_id: &str) -> Result<Vec<String>, StoreError> {
        let text = "SELECT group_id FROM user_groups WHERE realm_id = $1 AND user_id = $2";
        let rows = self.db.all::<(String,)>(sql!(text, realm_id, user_id)).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }
}

/// The identifiers of a list of [`role_columns`]; none when one of them has a space in it, for then there are more parts than
/// roles.
fn listed(list: Option<&str>) -> Option<Vec<String>> {
    let Some(list) = list else { return Some(Vec::new()) };
    let (count, listed) = list.split_once(' ')?;
    let mut role_ids: Vec<_> = listed.split(' ').map(str::to_owned).collect();
    role_ids.sort();
    (count.parse() == Ok(role_ids.len())).then_some(role_ids)
}
