//! Sessions and offline grants of one client, from tables `sessions` and `grants`.

use super::error::StoreError;
use super::row::row;
use super::session::{RowWithUser, session_columns};
use super::statement::sql;
use super::user::user_columns;
use super::{Page, Store};
use crate::clock::Timestamp;
use crate::protocol::session::Session;
use crate::protocol::user::User;

row! {
    struct Row {
        id: String,
        user_id: String,
        username: String,
        created_at: Timestamp,
        last_used_at: Timestamp,
    }
}

/// An offline grant that a person gave a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineGrant {
    /// Identifier of the grant.
    pub id: String,
    /// Identifier of the person.
    pub user_id: String,
    /// Their user name.
    pub username: String,
    /// When it was given.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Timestamp,
}

impl Store {
    /// The live sessions that signed in to the client (its `id`), newest first, each with its user.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sessions_of_client(
        &self,
        realm_id: &str,
        client: &str,
        now: Timestamp,
        page: Page,
    ) -> Result<Vec<(Session, User)>, StoreError> {
        let text = concat!(
            "SELECT ",
            session_columns!(),
            ", ",
            user_columns!(),
            " FROM session_clients t JOIN sessions s ON s.id = t.session_id AND s.realm_id = t.realm_id \
             JOIN users u ON u.id = s.user_id AND u.realm_id = s.realm_id \
             WHERE t.realm_id || '' = $1 AND t.client = $2 AND s.ended_at IS NULL AND s.expires_at > $3 \
             ORDER BY s.id DESC LIMIT $5 OFFSET $4"
        );
        let query = sql!(text, realm_id, client, now, page.first, page.max);
        let rows = self.db.listing::<RowWithUser>(query).await?;
        let records = rows.into_iter().map(RowWithUser::record).collect::<Result<Vec<_>, _>>()?;
        Ok(records.into_iter().flatten().collect())
    }

    /// Which clients each session of a user signed in to, of those that did not end and are no older than `oldest` (its
    /// `id`): identifier of the session, `id` and `client_id` of the client.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_of_sessions(
        &self,
        realm_id: &str,
        user_id: &str,
        oldest: &str,
    ) -> Result<Vec<(String, String, String)>, StoreError> {
        let text = "SELECT t.session_id, c.id, c.client_id FROM sessions s \
                    JOIN session_clients t ON t.session_id = s.id AND t.realm_id || '' = s.realm_id \
                    JOIN clients c ON c.id = t.client AND c.realm_id = t.realm_id \
                    WHERE s.realm_id = $1 AND s.user_id = $2 AND s.id >= $3 AND s.ended_at IS NULL \
                    ORDER BY c.client_id";
        self.db.listing(sql!(text, realm_id, user_id, oldest)).await
    }

    /// The offline grants that the client has and that still stand, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn offline_grants_of_client(
        &self,
        realm_id: &str,
        client: &str,
        now: Timestamp,
        page: Page,
    ) -> Result<Vec<OfflineGrant>, StoreError> {
        let text = "SELECT g.id, g.user_id, u.username, g.created_at, g.last_used_at FROM grants g \
                    JOIN users u ON u.id = g.user_id AND u.realm_id = g.realm_id WHERE g.realm_id = $1 \
                    AND g.client = $2 AND g.offline = 1 AND g.revoked_at IS NULL AND g.expires_at > $3 \
                    ORDER BY g.id DESC LIMIT $5 OFFSET $4";
        let rows = self.db.listing::<Row>(sql!(text, realm_id, client, now, page.first, page.max)).await?;
        let record = |row: Row| {
            let Row { id, user_id, username, created_at, last_used_at } = row;
            OfflineGrant { id, user_id, username, created_at, last_used_at }
        };
        Ok(rows.into_iter().map(record).collect())
    }

    /// How many live sessions signed in to the client, and how many offline grants it has.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_sessions_of_client(
        &self,
        realm_id: &str,
        client: &str,
        now: Timestamp,
    ) -> Result<(i64, i64), StoreError> {
        let text = "SELECT (SELECT COUNT(*) FROM session_clients t JOIN sessions s ON s.id = t.session_id \
                    WHERE t.realm_id || '' = $1 AND t.client = $2 AND s.ended_at IS NULL AND s.expires_at > $3), \
                    (SELECT COUNT(*) FROM grants g WHERE g.realm_id = $1 AND g.client = $2 AND g.offline = 1 \
                    AND g.revoked_at IS NULL AND g.expires_at > $3)";
        let counted = self.db.one::<(i64, i64)>(sql!(text, realm_id, client, now)).await?;
        Ok(counted.unwrap_or_default())
    }
}
