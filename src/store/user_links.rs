//! Users by the list, and what hangs on each: for realm files, which speak of many at once.

use super::Store;
use super::error::StoreError;
use super::statement::{listed, lists, sql};
use super::user::{Row, user_columns};
use crate::protocol::user::User;

impl Store {
    /// The service accounts of a realm, by the `client_id` of their client.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn service_accounts(&self, realm_id: &str) -> Result<Vec<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM clients c JOIN users u ON u.service_account_client = c.id AND u.realm_id || '' = c.realm_id \
             WHERE c.realm_id = $1 ORDER BY c.client_id"
        );
        let rows = self.db.listing::<Row>(sql!(text, realm_id)).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// The people with these identifiers, as far as they are there; service accounts are none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people_of_ids(&self, realm_id: &str, ids: &[String]) -> Result<Vec<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.realm_id || '' = $1 AND COALESCE(u.service_account_client, '') = '' \
             AND u.id IN ",
            listed!()
        );
        self.people_among(text, realm_id, ids).await
    }

    /// The people whose user name, or e-mail address, is among these (canonical); service accounts are none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people_of_logins(&self, realm_id: &str, names: &[String]) -> Result<Vec<User>, StoreError> {
        let by_name = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.realm_id = $1 AND u.service_account_client IS NULL AND u.username IN ",
            listed!()
        );
        let by_email = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.realm_id = $1 AND u.service_account_client IS NULL AND u.email_key IN ",
            listed!()
        );
        let mut found = self.people_among(by_name, realm_id, names).await?;
        found.extend(self.people_among(by_email, realm_id, names).await?);
        Ok(found)
    }

    async fn people_among(
        &self,
        text: &'static str,
        realm_id: &str,
        keys: &[String],
    ) -> Result<Vec<User>, StoreError> {
        let mut found = Vec::new();
        for list in lists(keys) {
            let rows = self.db.all::<Row>(sql!(text, realm_id).with(list)).await?;
            found.extend(rows.into_iter().map(Row::record).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(found)
    }

    /// The stored forms of the passwords of these users, by identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn password_hashes_among(
        &self,
        realm_id: &str,
        ids: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let text = concat!(
            "SELECT id, password_hash FROM users WHERE realm_id || '' = $1 AND password_hash IS NOT NULL \
             AND id IN ",
            listed!()
        );
        self.pairs_among(text, realm_id, ids).await
    }

    /// As [`Store::roles_of_users`], of these users.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles_among(
        &self,
        realm_id: &str,
        ids: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let text =
            concat!("SELECT user_id, role_id FROM user_roles WHERE realm_id = $1 AND user_id IN ", listed!());
        self.pairs_among(text, realm_id, ids).await
    }

    /// As [`Store::groups_of_users`], of these users.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn memberships_among(
        &self,
        realm_id: &str,
        ids: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let text = concat!(
            "SELECT user_id, group_id FROM user_groups WHERE realm_id = $1 AND user_id IN ",
            listed!()
        );
        self.pairs_among(text, realm_id, ids).await
    }

    async fn pairs_among(
        &self,
        text: &'static str,
        realm_id: &str,
        ids: &[String],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        for list in lists(ids) {
            found.extend(self.db.all::<(String, String)>(sql!(text, realm_id).with(list)).await?);
        }
        Ok(found)
    }

    /// Which user was given which role directly: pairs of identifiers, for exports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn roles_of_users(&self, realm_id: &str) -> Result<Vec<(String, String)>, StoreError> {
        let text = "SELECT m.user_id, m.role_id FROM users u JOIN user_roles m ON m.user_id = u.id \
                    WHERE u.realm_id = $1 AND m.realm_id = $1";
        self.db.listing(sql!(text, realm_id)).await
    }

    /// Which user is a member of which group: pairs of identifiers, for exports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn groups_of_users(&self, realm_id: &str) -> Result<Vec<(String, String)>, StoreError> {
        let text = "SELECT m.user_id, m.group_id FROM users u JOIN user_groups m ON m.user_id = u.id \
                    WHERE u.realm_id = $1 AND m.realm_id = $1";
        self.db.listing(sql!(text, realm_id)).await
    }
}
