//! Table `consents`.

use super::error::StoreError;
use super::row::row;
use super::statement::json;
use super::statement::{Statement, sql};
use super::{Page, Store, client, device_code};
use crate::clock::Timestamp;
use crate::protocol::client::Client;
use crate::protocol::consent::Consent;

row! {
    struct Row {
        consent_realm_id: String,
        user_id: String,
        client: String,
        scopes: String,
        granted_at: Timestamp,
        updated_at: Timestamp,
    }
}

impl Row {
    fn record(self) -> Result<Consent, StoreError> {
        Ok(Consent {
            realm_id: self.consent_realm_id,
            user_id: self.user_id,
            client: self.client,
            scopes: serde_json::from_str(&self.scopes)?,
            granted_at: self.granted_at,
            updated_at: self.updated_at,
        })
    }
}

row! {
    struct RowWithClient {
        consent: Row,
        client: client::Row,
    }
}

/// A consent with these scopes, beside those that it had: whoever says yes at the same time adds to what is there, and a
/// withdrawal in between leaves what is allowed now. Of a set in JSON text, an element is looked for and appended as text.
pub(super) fn widen(wider: &Consent, to: &mut Vec<Statement>) -> Result<(), StoreError> {
    let Consent { realm_id, user_id, client, scopes, granted_at, updated_at } = wider;
    let text = "INSERT INTO consents (realm_id, user_id, client, scopes, granted_at, updated_at) \
                SELECT u.realm_id, u.id, c.id, $4, $5, $6 FROM users u JOIN clients c ON c.realm_id = u.realm_id \
                WHERE u.realm_id = $1 AND u.id = $2 AND c.id = $3 \
                ON CONFLICT (user_id, client) DO UPDATE SET updated_at = excluded.updated_at";
    let given = sql!(text, realm_id, user_id, client, json(scopes)?, *granted_at, *updated_at);
    to.push(given.needs("reference"));
    let text = "UPDATE consents SET scopes = CASE WHEN scopes = '[]' THEN '[' || $4 || ']' \
                ELSE substr(scopes, 1, length(scopes) - 1) || ',' || $4 || ']' END \
                WHERE realm_id = $1 AND user_id = $2 AND client = $3 \
                AND replace(',' || substr(scopes, 2, length(scopes) - 2) || ',', ',' || $4 || ',', '') \
                = ',' || substr(scopes, 2, length(scopes) - 2) || ','";
    for scope in scopes {
        to.push(sql!(text, realm_id, user_id, client, json(scope)?));
    }
    Ok(())
}

/// The consent goes first: its lock lets a "yes" of the same moment come wholly before or wholly after.
pub(super) fn withdraw(realm_id: &str, user_id: &str, client: &str, at: Timestamp, to: &mut Vec<Statement>) {
    let text = "DELETE FROM consents WHERE realm_id = $1 AND user_id = $2 AND client = $3";
    to.push(sql!(text, realm_id, user_id, client));
    to.push(device_code::take_back(realm_id, user_id, client, at));
    let text = "UPDATE grants SET revoked_at = $4 \
                WHERE realm_id = $1 AND user_id = $2 AND client = $3 AND revoked_at IS NULL";
    to.push(sql!(text, realm_id, user_id, client, at));
}

impl Store {
    /// What the user allowed the client (its `id`).
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consent(
        &self,
        realm_id: &str,
        user_id: &str,
        client: &str,
    ) -> Result<Option<Consent>, StoreError> {
        let text = "SELECT realm_id AS consent_realm_id, user_id, client, scopes, granted_at, updated_at \
                    FROM consents WHERE realm_id = $1 AND user_id = $2 AND client = $3";
        self.db.one::<Row>(sql!(text, realm_id, user_id, client)).await?.map(Row::record).transpose()
    }

    /// What the user allowed, and whom, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn consents_of_user(
        &self,
        realm_id: &str,
        user_id: &str,
        page: Page,
    ) -> Result<Vec<(Consent, Client)>, StoreError> {
        let text = "SELECT a.realm_id AS consent_realm_id, a.user_id, a.client, a.scopes, a.granted_at, a.updated_at, \
                    c.id, c.realm_id, c.client_id, c.enabled, c.secret_hash, c.settings \
                    FROM consents a JOIN clients c ON c.id = a.client AND c.realm_id = a.realm_id \
                    WHERE a.realm_id = $1 AND a.user_id = $2 ORDER BY a.granted_at, c.client_id LIMIT $4 OFFSET $3";
        let rows = self.db.all::<RowWithClient>(sql!(text, realm_id, user_id, page.first, page.max)).await?;
        rows.into_iter().map(|row| Ok((row.consent.record()?, row.client.record()?))).collect()
    }
}
