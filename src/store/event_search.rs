//! Searches of table `audit_events`.

use super::audit::Row;
use super::error::StoreError;
use super::statement::sql;
use super::{Page, Store};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;

/// Which events; what is none counts for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventSearch {
    /// Those of administrators, else those of everybody else.
    pub admin: bool,
    /// Kinds, by their names; any when there are none.
    pub kinds: Vec<String>,
    /// Not earlier than this.
    pub from: Option<Timestamp>,
    /// Earlier than this.
    pub before: Option<Timestamp>,
    /// The network address.
    pub address: Option<String>,
    /// `client_id` of the client concerned.
    pub client_id: Option<String>,
    /// Identifier of the user concerned.
    pub user_id: Option<String>,
}

impl Store {
    /// The events of a realm that a search finds, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn search_events(
        &self,
        realm_id: &str,
        search: &EventSearch,
        page: Page,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let text = "SELECT id, realm_id, at, kind, user_id, client_id, session_id, address, error, detail \
                    FROM audit_events WHERE realm_id = $1 \
                    AND (CASE WHEN kind LIKE 'ADMIN!_%' ESCAPE '!' THEN 1 ELSE 0 END) = $2 \
                    AND ($3 = '' OR $3 LIKE '%,' || replace(kind, '_', '!_') || ',%' ESCAPE '!') \
                    AND ($4 = '' OR client_id = $4) AND ($5 = '' OR user_id = $5) \
                    AND at >= $6 AND at < $7 AND ($8 = '' OR address = $8) \
                    ORDER BY id DESC LIMIT $10 OFFSET $9";
        let given = |value: &Option<String>| value.clone().unwrap_or_default();
        let kinds = &search.kinds;
        let kinds = if kinds.is_empty() { String::new() } else { format!(",{},", kinds.join(",")) };
        let query = sql!(
            text,
            realm_id,
            i64::from(search.admin),
            kinds,
            given(&search.client_id),
            given(&search.user_id),
            search.from.unwrap_or(Timestamp(i64::MIN)),
            search.before.unwrap_or(Timestamp(i64::MAX)),
            given(&search.address),
            page.first,
            page.max,
        );
        let rows = self.db.listing::<Row>(query).await?;
        rows.into_iter().map(Row::record).collect()
    }
}
