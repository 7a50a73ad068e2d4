//! Tables `users`, `user_roles` and `user_groups`.

use super::error::StoreError;
use super::realm::REALM_CHANGED;
use super::row::row;
use super::statement::{Statement, sql};
use super::statement::{json, key};
use super::user_email::{email_key, email_keys};
use super::{Page, Store, backchannel_logout, user_search};
use crate::clock::Timestamp;
use crate::protocol::user::{User, canonical};

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

/// What a user holds by assignment: composites are not expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserRoles {
    /// Identifiers of the roles: the user's own, and those of the user's groups and of the groups above them.
    pub role_ids: Vec<String>,
    /// Paths of the groups that the user is a member of.
    pub group_paths: Vec<String>,
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

row! {
    struct RowWithPassword {
        user: Row,
        password_hash: Option<String>,
        password_changes: i64,
    }
}

/// Touches no row when another user's name is this one's address, or the other way round.
pub(super) fn expect_own_logins(realm_id: &str, id: &str) -> Statement {
    let text = "UPDATE users SET username = username WHERE realm_id = $1 AND id = $2 AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.username = users.email_key AND o.id <> $2) \
                AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.email_key = users.username AND o.id <> $2)";
    sql!(text, realm_id, id).needs("user name")
}

/// Touches no row when another user signs in by `look_alike`.
pub(super) fn expect_unlike(realm_id: &str, id: &str, look_alike: &str) -> Statement {
    let text = "UPDATE users SET username = username WHERE realm_id = $1 AND id = $2 AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.username = $3 AND o.id <> $2) \
                AND NOT EXISTS (\
                SELECT 1 FROM users o WHERE o.realm_id = $1 AND o.email_key = $3 AND o.id <> $2)";
    sql!(text, realm_id, id, look_alike).needs("user name")
}

pub(super) fn put(user: &User) -> Result<Statement, StoreError> {
    let text = concat!(
        "INSERT INTO users (id, realm_id, username, email, email_key, email_verified, enabled, first_name, \
         last_name, attributes, service_account_client, not_before, search_key, created_at, required_actions, \
         name_key, last_name_key) VALUES ($1, $2, $3, $4, ",
        email_key!(realm "$2", user "$1", address "$5", shared "$18"),
        ", $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
         ON CONFLICT (id) DO UPDATE SET username = excluded.username, email = excluded.email, \
         email_key = excluded.email_key, email_verified = excluded.email_verified, \
         enabled = excluded.enabled, first_name = excluded.first_name, last_name = excluded.last_name, \
         attributes = excluded.attributes, not_before = excluded.not_before, search_key = excluded.search_key, \
         required_actions = excluded.required_actions, name_key = excluded.name_key, \
         last_name_key = excluded.last_name_key \
         WHERE users.realm_id = excluded.realm_id"
    );
    let username = canonical(&user.username);
    let [email_key, shared_key] = email_keys(user)?;
    let [name_key, last_name_key] = user_search::names(user);
    let search_key = user_search::key(user, &username, email_key.as_deref().unwrap_or_default());
    let required = &user.required_actions;
    let required_actions = if required.is_empty() { None } else { Some(json(required)?) };
    let statement = sql!(
        text,
        &user.id,
        &user.realm_id,
        key(&username)?,
        &user.email,
        email_key,
        user.email_verified,
        user.enabled,
        &user.first_name,
        &user.last_name,
        json(&user.attributes)?,
        &user.service_account_client,
        user.not_before,
        search_key,
        user.created_at,
        required_actions,
        name_key,
        last_name_key,
        shared_key,
    );
    Ok(statement.about(1).needs("reference"))
}

/// No row is changed when the user is not as it was read.
pub(super) fn expect(user: &User) -> Result<Statement, StoreError> {
    let text = "UPDATE users SET enabled = enabled WHERE realm_id = $1 AND id = $2 AND username = $3 \
                AND email IS NOT DISTINCT FROM $4 AND email_verified = $5 AND enabled = $6 \
                AND first_name IS NOT DISTINCT FROM $7 AND last_name IS NOT DISTINCT FROM $8 AND attributes = $9 \
                AND not_before IS NOT DISTINCT FROM $10 AND COALESCE(required_actions, '[]') = $11";
    let statement = sql!(
        text,
        &user.realm_id,
        &user.id,
        &user.username,
        &user.email,
        user.email_verified,
        user.enabled,
        &user.first_name,
        &user.last_name,
        json(&user.attributes)?,
        user.not_before,
        json(&user.required_actions)?,
    );
    Ok(statement.about(2).needs(REALM_CHANGED))
}

pub(super) fn delete(realm_id: &str, id: &str, at: Timestamp, to: &mut Vec<Statement>) {
    to.push(backchannel_logout::queue_user(realm_id, id, at));
    to.push(sql!("DELETE FROM users WHERE id = $2 AND realm_id = $1", realm_id, id));
}

pub(super) fn change_profile(user: &User) -> Result<Statement, StoreError> {
    let text = concat!(
        "UPDATE users SET email = $3, email_key = ",
        email_key!(realm "$1", user "$2", address "$4", shared "$12"),
        ", email_verified = $5, first_name = $6, last_name = $7, \
         search_key = $8, name_key = $9, last_name_key = $10 \
         WHERE id = $2 AND realm_id = $1 AND username = $11 AND enabled = 1"
    );
    let username = canonical(&user.username);
    let [email_key, shared_key] = email_keys(user)?;
    let [name_key, last_name_key] = user_search::names(user);
    let search_key = user_search::key(user, &username, email_key.as_deref().unwrap_or_default());
    let statement = sql!(
        text,
        &user.realm_id,
        &user.id,
        &user.email,
        email_key,
        user.email_verified,
        &user.first_name,
        &user.last_name,
        search_key,
        name_key,
        last_name_key,
        key(&username)?,
        shared_key,
    );
    Ok(statement.needs("user"))
}

pub(super) fn set_required_actions(
    realm_id: &str,
    user_id: &str,
    actions: &[String],
) -> Result<Statement, StoreError> {
    let text = "UPDATE users SET required_actions = $3 WHERE id = $2 AND realm_id = $1";
    let actions = if actions.is_empty() { None } else { Some(json(&actions)?) };
    Ok(sql!(text, realm_id, user_id, actions).needs("reference"))
}

/// User and role are looked up in the realm, so that no role of another realm can be given.
pub(super) fn add_role(realm_id: &str, user_id: &str, role_id: &str) -> Statement {
    let text = "INSERT INTO user_roles (realm_id, user_id, role_id) \
                SELECT u.realm_id, u.id, r.id FROM users u JOIN roles r ON r.realm_id = u.realm_id \
                WHERE u.realm_id = $1 AND u.id = $2 AND r.id = $3 \
                ON CONFLICT (user_id, role_id) DO UPDATE SET realm_id = excluded.realm_id";
    sql!(text, realm_id, user_id, role_id).about(3).needs("reference")
}

pub(super) fn remove_role(realm_id: &str, user_id: &str, role_id: &str) -> Statement {
    let text = "DELETE FROM user_roles WHERE realm_id = $1 AND user_id = $2 AND role_id = $3";
    sql!(text, realm_id, user_id, role_id)
}

pub(super) fn add_group(realm_id: &str, user_id: &str, group_id: &str) -> Statement {
    let text = "INSERT INTO user_groups (realm_id, user_id, group_id) \
                SELECT u.realm_id, u.id, g.id FROM users u JOIN groups g ON g.realm_id = u.realm_id \
                WHERE u.realm_id = $1 AND u.id = $2 AND g.id = $3 \
                ON CONFLICT (user_id, group_id) DO UPDATE SET realm_id = excluded.realm_id";
    sql!(text, realm_id, user_id, group_id).about(3).needs("reference")
}

pub(super) fn remove_group(realm_id: &str, user_id: &str, group_id: &str) -> Statement {
    let text = "DELETE FROM user_groups WHERE realm_id = $1 AND user_id = $2 AND group_id = $3";
    sql!(text, realm_id, user_id, group_id)
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

    /// The same for somebody who is in groups.
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
