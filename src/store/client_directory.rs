//! What clients of a realm are asked for by other things than their name: origins and resources.

use serde::Deserialize;

use super::Store;
use super::error::StoreError;
use super::statement::sql;

/// How many clients are read at once.
const AT_ONCE: i64 = 500;

/// What a client can be found by.
#[derive(Clone, Debug)]
pub struct ListedClient {
    /// Its `client_id`.
    pub client_id: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// What it registered.
    pub listed: Listed,
}

/// The part of a client's settings by which it can be found.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Listed {
    /// The origins that may call, as registered.
    pub web_origins: Vec<String>,
    /// Its redirect URIs, whose origins may be among them.
    pub redirect_uris: Vec<String>,
    /// The resources that it declares (RFC 8707).
    pub resources: Vec<String>,
}

impl Store {
    /// Shows every client of the realm to `see`, in the order of their names, a few at a time, so that no realm is in
    /// memory as a whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn for_each_client(
        &self,
        realm_id: &str,
        mut see: impl FnMut(ListedClient) + Send,
    ) -> Result<(), StoreError> {
        let text = "SELECT client_id, enabled, settings FROM clients WHERE realm_id = $1 AND client_id > $2 \
                    ORDER BY client_id LIMIT $3";
        let mut last = String::new();
        loop {
            let statement = sql!(text, realm_id, &last, AT_ONCE);
            let rows = self.db.listing::<(String, i64, String)>(statement).await?;
            let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < AT_ONCE);
            for (client_id, enabled, settings) in rows {
                last.clone_from(&client_id);
                let listed = serde_json::from_str(&settings)?;
                see(ListedClient { client_id, enabled: enabled != 0, listed });
            }
            if is_last {
                return Ok(());
            }
        }
    }
}
