//! Table `audit_events`.

use super::error::StoreError;
use super::row::row;
use super::statement::json;
use super::statement::{Statement, sql};
use super::{Page, Store};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;

row! {
    pub(super) struct Row {
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

/// Takes away the events of a realm's administrators, or all others.
pub(super) fn clear(realm_id: &str, admin: bool) -> Statement {
    let text = "DELETE FROM audit_events WHERE realm_id = $1 \
                AND (CASE WHEN kind LIKE 'ADMIN!_%' ESCAPE '!' THEN 1 ELSE 0 END) = $2";
    sql!(text, realm_id, i64::from(admin))
}

/// An event of a realm that is not there any more.
#[derive(Clone, Debug, PartialEq)]
pub struct EventOfDeletedRealm {
    /// The name that the realm had.
    pub realm: String,
    /// The event, which still names the realm's identifier.
    pub event: AuditEvent,
}

row! {
    struct RowOfDeletedRealm {
        realm_name: String,
        event: Row,
    }
}

impl Row {
    pub(super) fn record(self) -> Result<AuditEvent, StoreError> {
        Ok(AuditEvent {
            kind: serde_json::from_value(serde_json::Value::String(self.kind))?,
            detail: serde_json::from_str(&self.detail)?,
            id: self.id,
            realm_id: self.realm_id,
            at: self.at,
            user_id: self.user_id,
            client_id: self.client_id,
            session_id: self.session_id,
            address: self.address,
            error: self.error,
        })
    }
}

impl Store {
    /// Events of a realm, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_events(&self, realm_id: &str, page: Page) -> Result<Vec<AuditEvent>, StoreError> {
        let text = "SELECT id, realm_id, at, kind, user_id, client_id, session_id, address, error, detail \
                    FROM audit_events WHERE realm_id = $1 ORDER BY id DESC LIMIT $3 OFFSET $2";
        let rows = self.db.listing::<Row>(sql!(text, realm_id, page.first, page.max)).await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// Events of realms that were deleted, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of_deleted_realms(&self, page: Page) -> Result<Vec<EventOfDeletedRealm>, StoreError> {
        let text = "SELECT realm_name, id, realm_id, at, kind, user_id, client_id, session_id, address, error, detail \
                    FROM events_of_deleted_realms ORDER BY id DESC LIMIT $2 OFFSET $1";
        let rows = self.db.listing::<RowOfDeletedRealm>(sql!(text, page.first, page.max)).await?;
        rows.into_iter()
            .map(|row| Ok(EventOfDeletedRealm { realm: row.realm_name, event: row.event.record()? }))
            .collect()
    }
}
