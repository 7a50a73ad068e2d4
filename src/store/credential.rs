//! Table `user_credentials`.

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, listed, lists, sql};
use crate::clock::Timestamp;
use crate::protocol::credential::Credential;
use crate::protocol::otp::Moved;

row! {
    struct Row {
        id: String,
        realm_id: String,
        user_id: String,
        kind: String,
        label: Option<String>,
        secret: String,
        data: String,
        priority: i64,
        created_at: Timestamp,
    }
}

impl Row {
    fn record(self) -> Credential {
        let Self { id, realm_id, user_id, kind, label, secret, data, priority, created_at } = self;
        Credential { id, realm_id, user_id, kind, label, secret, data, priority, created_at }
    }
}

/// The user is looked up in the realm, so that none of another realm gets a credential.
pub(super) fn put(credential: &Credential) -> Statement {
    let text = "INSERT INTO user_credentials \
                (id, realm_id, user_id, kind, label, secret, data, priority, created_at) \
                SELECT $1, u.realm_id, u.id, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($9 AS BIGINT) FROM users u \
                WHERE u.realm_id = $2 AND u.id = $3 \
                ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, label = excluded.label, \
                secret = excluded.secret, data = excluded.data, priority = excluded.priority \
                WHERE user_credentials.realm_id = excluded.realm_id AND user_credentials.user_id = excluded.user_id";
    let Credential { id, realm_id, user_id, kind, label, secret, data, priority, created_at } = credential;
    sql!(text, id, realm_id, user_id, kind, label, secret, data, *priority, *created_at)
        .about(1)
        .needs("reference")
}

pub(super) fn delete(realm_id: &str, user_id: &str, id: &str) -> Statement {
    let text = "DELETE FROM user_credentials WHERE id = $3 AND user_id = $2 AND realm_id = $1";
    sql!(text, realm_id, user_id, id)
}

/// What a person calls a credential that is still there.
pub(super) fn label(realm_id: &str, user_id: &str, id: &str, label: Option<&str>) -> Statement {
    let text = "UPDATE user_credentials SET label = $4 WHERE id = $3 AND user_id = $2 AND realm_id = $1";
    sql!(text, realm_id, user_id, id, label.map(str::to_owned)).needs("credential")
}

/// The place of a credential that is still there.
pub(super) fn place(realm_id: &str, user_id: &str, id: &str, priority: i64) -> Statement {
    let text = "UPDATE user_credentials SET priority = $4 WHERE id = $3 AND user_id = $2 AND realm_id = $1";
    sql!(text, realm_id, user_id, id, priority).needs("credential")
}

/// The data of a device whose counter went on, when they are as they were read.
pub(super) fn advance(moved: &Moved) -> Statement {
    let text = "UPDATE user_credentials SET data = $4 \
                WHERE id = $3 AND user_id = $2 AND realm_id = $1 AND data = $5";
    let Credential { realm_id, user_id, id, data, .. } = &moved.credential;
    sql!(text, realm_id, user_id, id, data, &moved.before).needs("credential")
}

impl Store {
    /// A user's credentials beside the password, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn credentials_of_user(
        &self,
        realm_id: &str,
        user_id: &str,
    ) -> Result<Vec<Credential>, StoreError> {
        let text = "SELECT id, realm_id, user_id, kind, label, secret, data, priority, created_at \
                    FROM user_credentials WHERE realm_id || '' = $1 AND user_id = $2 ORDER BY priority, id";
        let rows = self.db.all::<Row>(sql!(text, realm_id, user_id)).await?;
        Ok(rows.into_iter().map(Row::record).collect())
    }

    /// The credentials of all users of a realm, for exports.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn credentials(&self, realm_id: &str) -> Result<Vec<Credential>, StoreError> {
        let text = "SELECT id, realm_id, user_id, kind, label, secret, data, priority, created_at \
                    FROM user_credentials WHERE realm_id = $1 ORDER BY priority, id";
        let rows = self.db.listing::<Row>(sql!(text, realm_id)).await?;
        Ok(rows.into_iter().map(Row::record).collect())
    }
    /// The credentials of these users beside the password, in their order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn credentials_among(
        &self,
        realm_id: &str,
        ids: &[String],
    ) -> Result<Vec<Credential>, StoreError> {
        let text = concat!(
            "SELECT id, realm_id, user_id, kind, label, secret, data, priority, created_at \
             FROM user_credentials WHERE realm_id || '' = $1 AND user_id IN ",
            listed!(),
            " ORDER BY priority, id"
        );
        let mut found = Vec::new();
        for list in lists(ids) {
            let rows = self.db.all::<Row>(sql!(text, realm_id).with(list)).await?;
            found.extend(rows.into_iter().map(Row::record));
        }
        Ok(found)
    }
}
