//! Table `audit_events`.

use sqlx::FromRow;

use super::error::StoreError;
use super::statement::json;
use super::statement::{Statement, sql};
use super::{Page, Store};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;

#[derive(FromRow)]
struct Row {
    id: String,
    realm_id: String,
    at: Timestamp,
    kind: String,
    user_id: Option<String>,
    client_id: Option<String>,
    session_id: Option<String>,
    address: Option<String>,
    error: Option<String>,
    detail: String,
}

pub(super) fn add(event: &AuditEvent) -> Result<Statement, StoreError> {
    let text = "INSERT INTO audit_events (id, realm_id, at, kind, user_id, client_id, session_id, address, error, detail) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    Ok(sql!(
        text,
        &event.id,
        &event.realm_id,
        event.at,
        event.kind.name(),
        &event.user_id,
        &event.client_id,
        &event.session_id,
        &event.address,
        &event.error,
        json(&event.detail)?,
    ))
}

impl Store {
    /// Events of a realm, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_events(&self, realm_id: &str, page: Page) -> Result<Vec<AuditEvent>, StoreError> {
        let text = "SELECT id, realm_id, at, kind, user_id, client_id, session_id, address, error, detail \
                    FROM audit_events WHERE realm_id = $1 ORDER BY id DESC LIMIT $3 OFFSET $2";
        let rows = self.db.all::<Row>(sql!(text, realm_id, page.first, page.max)).await?;
        rows.into_iter()
            .map(|row| {
                Ok(AuditEvent {
                    kind: serde_json::from_value(serde_json::Value::String(row.kind))?,
                    detail: serde_json::from_str(&row.detail)?,
                    id: row.id,
                    realm_id: row.realm_id,
                    at: row.at,
                    user_id: row.user_id,
                    client_id: row.client_id,
                    session_id: row.session_id,
                    address: row.address,
                    error: row.error,
                })
            })
            .collect()
    }
}
