//! A device asks.

use super::kept;
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::device_code::DeviceCode;
use crate::store::error::StoreError;
use crate::store::statement::sql;
use crate::store::transaction::{Finish, Transaction, Work};
use crate::store::{Store, audit};

/// A device's request that the rules allow.
#[derive(Clone, Debug)]
pub struct NewDeviceCode {
    /// The request.
    pub code: DeviceCode,
    /// What of the address is counted.
    pub network: String,
    /// Requests that its client may have open from there.
    pub most: i64,
    /// The event to keep.
    pub audit: AuditEvent,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It waits for a person.
    Waiting,
    /// Another request has the same user code: draw again.
    Taken,
    /// Too many of the client's requests from this address are open; the first one ends at this moment.
    TooMany(Timestamp),
}

impl Store {
    /// Keeps a device's request, unless the client has too many open from the same place. Requests side by side may pass
    /// the limit by as many as there are connections: it bounds a flood, and guards nothing else.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_for_device(&self, new: NewDeviceCode) -> Result<Asked, StoreError> {
        self.db.write(new).await
    }
}

impl Work for NewDeviceCode {
    type Outcome = Asked;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Asked>, StoreError> {
        let Self { code, network, most, audit } = self;
        let text = "SELECT COUNT(*), MIN(expires_at) FROM device_codes WHERE realm_id = $1 AND client = $2 \
                    AND network = $3 AND expires_at > $4 AND redeemed_at IS NULL";
        let open = sql!(text, &code.realm_id, &code.client, network, code.issued_at);
        if let Some((count, Some(ends))) = transaction.one::<(i64, Option<Timestamp>)>(&open).await?
            && count >= *most
        {
            return Ok(Finish::Undo(Asked::TooMany(ends)));
        }
        let text = "INSERT INTO device_codes (fingerprint, realm_id, client, user_code, scope, address, network, \
                    issued_at, expires_at, poll_interval, details) \
                    SELECT $1, c.realm_id, c.id, $4, $5, $6, $7, $8, $9, $10, $11 FROM clients c \
                    WHERE c.realm_id = $2 AND c.id = $3 ON CONFLICT (realm_id, user_code) DO NOTHING";
        let add = sql!(
            text,
            &code.fingerprint,
            &code.realm_id,
            &code.client,
            &code.user_code,
            &code.scope,
            &code.address,
            network,
            code.issued_at,
            code.expires_at,
            code.interval,
            kept(&code.details)?,
        );
        if transaction.execute(&add).await? == 0 {
            return Ok(Finish::Undo(Asked::Taken));
        }
        transaction.execute(&audit::add(audit)?).await?;
        Ok(Finish::Commit(Asked::Waiting))
    }
}
