//! Table `revoked_tokens`: access tokens that have no grant which could be revoked in their place.

use super::error::StoreError;
use super::statement::{Statement, sql};
use super::user::user_columns;
use super::{Store, user};
use crate::clock::Timestamp;
use crate::protocol::user::User;

pub(super) fn add(realm_id: &str, jti: &str, expires_at: Timestamp) -> Statement {
    let text = "INSERT INTO revoked_tokens (realm_id, jti, expires_at) VALUES ($1, $2, $3) \
                ON CONFLICT (realm_id, jti) DO NOTHING";
    sql!(text, realm_id, jti, expires_at)
}

impl Store {
    /// The user whom the access token `jti` speaks for, unless that very token was revoked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn user_of_token(
        &self,
        realm_id: &str,
        user_id: &str,
        jti: &str,
    ) -> Result<Option<User>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u WHERE u.realm_id = $1 AND u.id = $2 AND NOT EXISTS \
             (SELECT 1 FROM revoked_tokens r WHERE r.realm_id = $1 AND r.jti = $3)"
        );
        let row = self.db.one::<user::Row>(sql!(text, realm_id, user_id, jti)).await?;
        row.map(user::Row::record).transpose()
    }
}
