//! Table `clients`.

use std::collections::BTreeSet;

use super::error::StoreError;
use super::keycloak_record::kept;
use super::row::row;
use super::statement::{Statement, sql};
use super::statement::{anywhere, json, key, listed, lists};
use super::{Page, Store};
use crate::clock::Timestamp;
use crate::keycloak::{Beside, Kept};
use crate::protocol::client::{Client, ClientSettings};
use crate::protocol::jws::Algorithm;
use crate::protocol::user::canonical;

row! {
    pub(super) struct Row {
        id: String,
        realm_id: String,
        client_id: String,
        enabled: i64,
        secret_hash: Option<String>,
        settings: String,
    }
}

/// The columns of [`Row`], of a client joined as `c`.
macro_rules! client_columns {
    () => {
        "c.id, c.realm_id, c.client_id, c.enabled, c.secret_hash, c.settings"
    };
}
pub(super) use client_columns;

impl Row {
    pub(super) fn record(self) -> Result<Client, StoreError> {
        Ok(Client {
            id: self.id,
            realm_id: self.realm_id,
            client_id: self.client_id,
            enabled: self.enabled != 0,
            secret_hash: self.secret_hash,
            settings: serde_json::from_str(&self.settings)?,
        })
    }
}

row! {
    struct RowWithKept {
        client: Row,
        content: Option<String>,
    }
}

pub(super) fn put(client: &Client, at: Timestamp) -> Result<Statement, StoreError> {
    let text = "INSERT INTO clients (id, realm_id, client_id, enabled, secret_hash, settings, search_key, \
                hears_logout, signs_with, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                ON CONFLICT (id) DO UPDATE SET client_id = excluded.client_id, enabled = excluded.enabled, \
                secret_hash = excluded.secret_hash, settings = excluded.settings, \
                search_key = excluded.search_key, hears_logout = excluded.hears_logout, \
                signs_with = excluded.signs_with WHERE clients.realm_id = excluded.realm_id";
    let Client { id, realm_id, client_id, enabled, secret_hash, settings } = client;
    let search_key = format!("{}\n{}", canonical(client_id), canonical(client.title()));
    let hears_logout = settings.backchannel_logout_uri.is_some();
    let signs_with = signs_with(settings);
    let (client_id, settings) = (key(client_id)?, json(settings)?);
    let statement = sql!(
        text,
        id,
        realm_id,
        client_id,
        *enabled,
        secret_hash,
        settings,
        search_key,
        hears_logout,
        signs_with,
        at
    );
    Ok(statement.about(1).needs("reference"))
}

/// What the column `signs_with` holds.
fn signs_with(settings: &ClientSettings) -> Option<String> {
    let named = [
        settings.signature_algorithm,
        settings.id_token_signed_response_alg,
        settings.authorization_signed_response_alg,
        settings.userinfo_signed_response_alg,
        settings.introspection_signed_response_alg,
    ];
    let named: BTreeSet<Algorithm> = named.into_iter().flatten().collect();
    let names: Vec<&str> = named.into_iter().map(Algorithm::name).collect();
    Some(names.join(" ")).filter(|names| !names.is_empty())
}

/// A role of the client is no row that the database would take along, since a realm role has no client.
pub(super) fn delete(realm_id: &str, id: &str, to: &mut Vec<Statement>) {
    to.push(sql!("DELETE FROM roles WHERE realm_id = $1 AND client = $2", realm_id, id));
    to.push(sql!("DELETE FROM users WHERE realm_id = $1 AND service_account_client = $2", realm_id, id));
    to.push(sql!("DELETE FROM clients WHERE id = $2 AND realm_id = $1", realm_id, id));
}

impl Store {
    /// The algorithms that clients of the realm name for their tokens, in the order of [`Algorithm::ALL`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) async fn client_algorithms(&self, realm_id: &str) -> Result<Vec<Algorithm>, StoreError> {
        let text = "SELECT DISTINCT signs_with FROM clients WHERE realm_id = $1 AND signs_with IS NOT NULL";
        let rows = self.db.all::<(String,)>(sql!(text, realm_id)).await?;
        let named: BTreeSet<Algorithm> =
            rows.iter().flat_map(|(names,)| names.split(' ')).filter_map(|name| name.parse().ok()).collect();
        Ok(named.into_iter().collect())
    }

    /// The client called `client_id`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_by_client_id(
        &self,
        realm_id: &str,
        client_id: &str,
    ) -> Result<Option<Client>, StoreError> {
        let text = "SELECT id, realm_id, client_id, enabled, secret_hash, settings FROM clients \
                    WHERE realm_id = $1 AND client_id = $2";
        self.db.one::<Row>(sql!(text, realm_id, client_id)).await?.map(Row::record).transpose()
    }

    /// Whether the client with this identifier may have tokens: it and its realm are enabled, and so is `account`, the user
    /// that it acts as, if it is to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_is_enabled(
        &self,
        realm_id: &str,
        id: &str,
        account: Option<&str>,
    ) -> Result<bool, StoreError> {
        let text = "SELECT c.enabled FROM clients c JOIN realms r ON r.id = c.realm_id AND r.enabled = 1 \
                    WHERE c.realm_id = $1 AND c.id = $2 AND c.enabled = 1";
        let as_user = "SELECT c.enabled FROM clients c JOIN realms r ON r.id = c.realm_id AND r.enabled = 1 \
                       JOIN users u ON u.realm_id = c.realm_id AND u.id = $3 AND u.enabled = 1 \
                       WHERE c.realm_id = $1 AND c.id = $2 AND c.enabled = 1";
        let statement = match account {
            Some(account) => sql!(as_user, realm_id, id, account),
            None => sql!(text, realm_id, id),
        };
        Ok(self.db.one::<(i64,)>(statement).await?.is_some())
    }

    /// The client with this identifier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_by_id(&self, realm_id: &str, id: &str) -> Result<Option<Client>, StoreError> {
        let text = "SELECT id, realm_id, client_id, enabled, secret_hash, settings FROM clients \
                    WHERE realm_id = $1 AND id = $2";
        self.db.one::<Row>(sql!(text, realm_id, id)).await?.map(Row::record).transpose()
    }

    /// Clients by `client_id`; those whose `client_id` or name holds `search`, or all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients(&self, realm_id: &str, search: &str, page: Page) -> Result<Vec<Client>, StoreError> {
        let text = "SELECT id, realm_id, client_id, enabled, secret_hash, settings FROM clients \
                    WHERE realm_id = $1 AND search_key LIKE $2 ESCAPE '!' ORDER BY client_id LIMIT $4 OFFSET $3";
        let rows =
            self.db.listing::<Row>(sql!(text, realm_id, anywhere(search), page.first, page.max)).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// As [`Store::clients`], each with what is kept beside it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_with_kept(
        &self,
        realm_id: &str,
        search: &str,
        page: Page,
    ) -> Result<Vec<(Client, Kept)>, StoreError> {
        let text = concat!(
            "SELECT ",
            client_columns!(),
            ", k.content FROM clients c LEFT JOIN keycloak_records k \
             ON k.realm_id = c.realm_id AND k.kind = $5 AND k.id = c.id \
             WHERE c.realm_id = $1 AND c.search_key LIKE $2 ESCAPE '!' ORDER BY c.client_id LIMIT $4 OFFSET $3"
        );
        let kind = Beside::Client.kind();
        let statement = sql!(text, realm_id, anywhere(search), page.first, page.max, kind);
        let rows = self.db.listing::<RowWithKept>(statement).await?;
        let record = |RowWithKept { client, content }| {
            let client = Row::record(client)?;
            let kept = content
                .map(|content| kept(realm_id, Beside::Client, &client.id, &content, &self.vault))
                .transpose()?;
            Ok((client, kept.unwrap_or_default()))
        };
        rows.into_iter().map(record).collect()
    }

    /// Those of these names that clients of the realm have.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client_ids_among(
        &self,
        realm_id: &str,
        client_ids: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let text = concat!("SELECT client_id FROM clients WHERE realm_id = $1 AND client_id IN ", listed!());
        let mut found = BTreeSet::new();
        for list in lists(client_ids) {
            let rows = self.db.all::<(String,)>(sql!(text, realm_id).with(list)).await?;
            found.extend(rows.into_iter().map(|(client_id,)| client_id));
        }
        Ok(found)
    }
}
