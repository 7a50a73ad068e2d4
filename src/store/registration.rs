//! Tables `registration_tokens` and `client_registrations`: who may register, and who did.

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use crate::clock::Timestamp;
use crate::protocol::register::InitialToken;

row! {
    struct Row {
        id: String,
        realm_id: String,
        created_at: Timestamp,
        expires_at: Timestamp,
        uses: i64,
        uses_left: i64,
    }
}

/// What the conflict is about when an initial access token is not good, or used up.
pub const NO_INITIAL_TOKEN: &str = "initial access token";
/// What the conflict is about when a realm has as many self-registered clients as it may have.
pub const REGISTRATION_LIMIT: &str = "number of registered clients";
/// What the conflict is about when a client changed, or lost its right to change itself, since it was looked at.
pub const REGISTRATION_CHANGED: &str = "registration";

pub(super) fn add_token(token: &InitialToken, fingerprint: &str) -> Statement {
    let text = "INSERT INTO registration_tokens (id, realm_id, fingerprint, created_at, expires_at, uses, uses_left) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let InitialToken { id, realm_id, created_at, expires_at, uses, uses_left } = token;
    sql!(text, id, realm_id, fingerprint, *created_at, *expires_at, *uses, *uses_left)
}

pub(super) fn delete_token(realm_id: &str, id: &str) -> Statement {
    sql!("DELETE FROM registration_tokens WHERE realm_id = $1 AND id = $2", realm_id, id)
        .needs(NO_INITIAL_TOKEN)
}

/// One use less. No row is changed when none is left, or its time is over.
pub(super) fn spend_token(realm_id: &str, fingerprint: &str, at: Timestamp) -> Statement {
    let text = "UPDATE registration_tokens SET uses_left = uses_left - 1 \
                WHERE realm_id = $1 AND fingerprint = $2 AND uses_left > 0 AND expires_at > $3";
    sql!(text, realm_id, fingerprint, at).needs(NO_INITIAL_TOKEN)
}

/// The client registered itself, as one of at most `limit`. The client's row must be there. Registrations come one
/// after another, since each is a change of configuration.
pub(super) fn add(realm_id: &str, client: &str, fingerprint: &str, at: Timestamp, limit: i64) -> Statement {
    let text = "INSERT INTO client_registrations (client, realm_id, fingerprint, registered_at, updated_at) \
                SELECT c.id, c.realm_id, $3, $4, $4 FROM clients c WHERE c.realm_id = $1 AND c.id = $2 \
                AND (SELECT COUNT(*) FROM client_registrations r WHERE r.realm_id = $1) < $5";
    sql!(text, realm_id, client, fingerprint, at, limit).needs(REGISTRATION_LIMIT)
}

/// The client changes itself by its token. No row is changed when the token is another, the client was disabled
/// (attacks A07), or the realm's configuration is not the one that the change was made from.
pub(super) fn touch(
    realm_id: &str,
    client: &str,
    fingerprint: &str,
    version: i64,
    at: Timestamp,
) -> Statement {
    let text = "UPDATE client_registrations SET updated_at = $4 \
                WHERE realm_id = $1 AND client = $2 AND fingerprint = $3 \
                AND EXISTS (SELECT 1 FROM clients c WHERE c.realm_id = $1 AND c.id = $2 AND c.enabled = 1) \
                AND EXISTS (SELECT 1 FROM realms r WHERE r.id = $1 AND r.version = $5)";
    sql!(text, realm_id, client, fingerprint, at, version).needs(REGISTRATION_CHANGED)
}

impl Store {
    /// The fingerprint of the token by which the client (its `id`) looks after itself; none for one that did not
    /// register itself.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registration(&self, realm_id: &str, client: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT fingerprint FROM client_registrations WHERE realm_id = $1 AND client = $2";
        Ok(self.db.one::<(String,)>(sql!(text, realm_id, client)).await?.map(|(fingerprint,)| fingerprint))
    }

    /// Whether an initial access token is good at `now`. Only spending it says so for certain.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn takes_registration(
        &self,
        realm_id: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let text = "SELECT uses_left FROM registration_tokens \
                    WHERE realm_id = $1 AND fingerprint = $2 AND uses_left > 0 AND expires_at > $3";
        Ok(self.db.one::<(i64,)>(sql!(text, realm_id, fingerprint, now)).await?.is_some())
    }

    /// The initial access tokens of a realm that can still be used at `now`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registration_tokens(
        &self,
        realm_id: &str,
        now: Timestamp,
    ) -> Result<Vec<InitialToken>, StoreError> {
        // A token from before the first number was kept began with what it had then.
        let text = "SELECT id, realm_id, created_at, expires_at, COALESCE(uses, uses_left) AS uses, uses_left \
                    FROM registration_tokens \
                    WHERE realm_id = $1 AND expires_at > $2 AND uses_left > 0 ORDER BY created_at, id";
        let rows = self.db.all::<Row>(sql!(text, realm_id, now)).await?;
        let record = |row: Row| {
            let Row { id, realm_id, created_at, expires_at, uses, uses_left } = row;
            InitialToken { id, realm_id, created_at, expires_at, uses, uses_left }
        };
        Ok(rows.into_iter().map(record).collect())
    }
}
