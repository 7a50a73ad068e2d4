//! What is left of realms that were deleted: nobody finds it any more, and it is removed a little at a time.
//!
//! A realm may hold a million rows, and no transaction may be that long. So its row is only marked, under a name that none
//! can have, and the sweep takes the rest: what hangs on people, clients and groups before them and by them, so that no
//! row takes an unknown number of others along, and no table needs an index by realm for it. The row of the realm stays,
//! a few bytes, since its end would be looked up in every table; a realm with the same identifier takes it over.

use super::error::StoreError;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use super::{Store, Swept};

/// Marks a realm as deleted: name and secrets are gone at once.
pub(super) fn mark(realm_id: &str, to: &mut Vec<Statement>) {
    let text = "UPDATE realms SET deleted_as = name, name = '/' || id, display_name = NULL, enabled = 0, settings = '{}' \
                WHERE id = $1 AND deleted_as IS NULL";
    to.push(sql!(text, realm_id));
    to.push(sql!("DELETE FROM signing_keys WHERE realm_id = $1", realm_id));
}

/// The next people to go, always the same until they went: `$2` of the realm `$1`.
macro_rules! people {
    () => {
        "(SELECT id FROM users WHERE realm_id = $1 ORDER BY username LIMIT $2) found"
    };
}

/// Removes rows of a table by its key, at most so many of those that `$found` gives as `t`.
macro_rules! some {
    ($table:literal, $key:literal, $columns:literal, $found:expr) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (",
            $key,
            ") IN (SELECT ",
            $columns,
            " FROM ",
            $found,
            " LIMIT $2)"
        )
    };
}

/// Removes rows of a table that is found by its realm.
macro_rules! of_realm {
    ($table:literal, $key:literal) => {
        some!($table, $key, $key, concat!($table, " WHERE realm_id = $1"))
    };
}

/// Removes what hangs on the next people to go.
macro_rules! of_people {
    ($table:literal, $key:literal, $columns:literal) => {
        some!($table, $key, $columns, concat!(people!(), " JOIN ", $table, " t ON t.user_id = found.id"))
    };
}

/// Removes what hangs on their grants.
macro_rules! of_grants {
    ($table:literal, $key:literal, $columns:literal) => {
        some!(
            $table,
            $key,
            $columns,
            concat!(
                people!(),
                " JOIN grants g ON g.user_id = found.id JOIN ",
                $table,
                " t ON t.grant_id = g.id"
            )
        )
    };
}

/// In this order, each when the one before finds no more: then nothing hangs on what goes. `$1` is the realm, `$2` how many
/// at most.
const PARTS: [&str; 28] = [
    // Events are kept elsewhere, under the name that the realm had.
    "INSERT INTO events_of_deleted_realms (id, realm_id, realm_name, at, kind, user_id, client_id, session_id, address, \
     error, detail) SELECT e.id, e.realm_id, r.deleted_as, e.at, e.kind, e.user_id, e.client_id, e.session_id, \
     e.address, e.error, e.detail FROM audit_events e JOIN realms r ON r.id = e.realm_id \
     WHERE e.realm_id = $1 ORDER BY e.id LIMIT $2 ON CONFLICT (id) DO NOTHING",
    "DELETE FROM audit_events WHERE id IN (SELECT e.id FROM audit_events e \
     JOIN events_of_deleted_realms k ON k.id = e.id WHERE e.realm_id = $1 ORDER BY e.id LIMIT $2)",
    of_realm!("keycloak_records", "realm_id, kind, id"),
    of_realm!("user_credentials", "id"),
    of_grants!("refresh_tokens", "id", "t.id"),
    of_grants!("authorization_codes", "fingerprint", "t.fingerprint"),
    of_people!("grants", "id", "t.id"),
    of_realm!("session_clients", "session_id, client"),
    of_realm!("logout_outbox", "session_id, client"),
    of_people!("sessions", "id", "t.id"),
    of_people!("user_roles", "user_id, role_id", "t.user_id, t.role_id"),
    of_people!("user_groups", "user_id, group_id", "t.user_id, t.group_id"),
    of_people!("consents", "user_id, client", "t.user_id, t.client"),
    of_realm!("device_codes", "fingerprint"),
    "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE realm_id = $1 ORDER BY username LIMIT $2)",
    some!(
        "pushed_requests",
        "fingerprint",
        "t.fingerprint",
        "(SELECT id FROM clients WHERE realm_id = $1 ORDER BY client_id LIMIT $2) found \
         JOIN pushed_requests t ON t.client = found.id"
    ),
    of_realm!("client_registrations", "client"),
    "DELETE FROM clients WHERE id IN (SELECT id FROM clients WHERE realm_id = $1 ORDER BY client_id LIMIT $2)",
    some!(
        "group_roles",
        "group_id, role_id",
        "t.group_id, t.role_id",
        "(SELECT id FROM groups WHERE realm_id = $1 ORDER BY path LIMIT $2) found JOIN group_roles t ON t.group_id = found.id"
    ),
    "DELETE FROM groups WHERE id IN (SELECT id FROM groups WHERE realm_id = $1 ORDER BY path LIMIT $2)",
    of_realm!("role_composites", "role_id, child_id"),
    of_realm!("roles", "id"),
    of_realm!("scopes", "id"),
    of_realm!("signing_keys", "id"),
    of_realm!("registration_tokens", "id"),
    of_realm!("failures", "realm_id, subject"),
    of_realm!("revoked_tokens", "realm_id, jti"),
    of_realm!("spent_identifiers", "realm_id, kind, fingerprint"),
];

impl Store {
    /// Removes some of what is left of one of the deleted realms, in one transaction: less than 2 × `most` rows.
    ///
    /// # Errors
    /// [`StoreError`]; what was removed before stays removed.
    pub async fn sweep_deleted_realms(&self, most: i64) -> Result<Swept, StoreError> {
        let text = "SELECT id FROM realms WHERE deleted_as > '' LIMIT 1";
        let Some((realm_id,)) = self.db.one::<(String,)>(sql!(text)).await? else {
            return Ok(Swept::default());
        };
        // Whether it was the last one, the next call tells.
        Ok(Swept { more: true, ..self.sweep_deleted_realm(&realm_id, most).await? })
    }

    /// As [`Store::sweep_deleted_realms`], of this one.
    ///
    /// # Errors
    /// [`StoreError`]; what was removed before stays removed.
    pub async fn sweep_deleted_realm(&self, realm_id: &str, most: i64) -> Result<Swept, StoreError> {
        self.db.write(TakeApart { realm_id: realm_id.to_owned(), most }).await
    }
}

struct TakeApart {
    realm_id: String,
    most: i64,
}

impl Work for TakeApart {
    type Outcome = Swept;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Swept>, StoreError> {
        // Another node that takes the same realm apart is waited for: what it removes counts as none here.
        let text = "UPDATE realms SET deleted_as = deleted_as WHERE id = $1 AND deleted_as > ''";
        if transaction.execute(&sql!(text, &self.realm_id)).await? == 0 {
            return Ok(Finish::Undo(Swept::default()));
        }
        let most = u64::try_from(self.most).unwrap_or_default();
        let mut rows = 0_u64;
        for text in PARTS {
            rows = rows.saturating_add(transaction.execute(&sql!(text, &self.realm_id, self.most)).await?);
            if rows >= most {
                return Ok(Finish::Commit(Swept { rows, more: true }));
            }
        }
        transaction.execute(&sql!("UPDATE realms SET deleted_as = '' WHERE id = $1", &self.realm_id)).await?;
        Ok(Finish::Commit(Swept { rows, more: false }))
    }
}
