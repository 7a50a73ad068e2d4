//! Table `device_codes`: a device's request as it is kept. Its steps have a file each: asking, the person's answer, the
//! polls and the one way to spend.

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "fingerprint, realm_id, client, user_code, scope, address, issued_at, expires_at, poll_interval, polled_at, \
         approved_at, denied_at, redeemed_at, user_id, session_id, auth_time, acr, details"
    };
}

/// What a request that waits for a person fulfils at `$3`.
macro_rules! waits {
    () => {
        "approved_at IS NULL AND denied_at IS NULL AND redeemed_at IS NULL AND expires_at > $3"
    };
}

mod answer;
mod ask;
mod redeem;

use super::Store;
use super::error::StoreError;
use super::row::row;
use super::statement::{json, sql};
use crate::clock::Timestamp;
use crate::protocol::authorization_details::Detail;
use crate::protocol::device_code::{Approval, DeviceCode};

pub use answer::DeviceLookup;
pub(super) use answer::{approve, deny, take_all_back, take_back};
pub use ask::{Asked, NewDeviceCode};
pub use redeem::{DeviceRedemption, Poll, RedeemDeviceCode};

row! {
    struct Row {
        fingerprint: String,
        realm_id: String,
        client: String,
        user_code: String,
        scope: String,
        address: String,
        issued_at: Timestamp,
        expires_at: Timestamp,
        poll_interval: i64,
        polled_at: Option<Timestamp>,
        approved_at: Option<Timestamp>,
        denied_at: Option<Timestamp>,
        redeemed_at: Option<Timestamp>,
        user_id: Option<String>,
        session_id: Option<String>,
        auth_time: Option<Timestamp>,
        acr: Option<String>,
        details: Option<String>,
    }
}

impl Row {
    fn record(self) -> Result<DeviceCode, StoreError> {
        let approval = || {
            Some(Approval {
                at: self.approved_at?,
                user_id: self.user_id?,
                session_id: self.session_id?,
                auth_time: self.auth_time?,
                acr: self.acr?,
            })
        };
        let details = self.details.as_deref().map(serde_json::from_str).transpose()?;
        Ok(DeviceCode {
            approval: approval(),
            fingerprint: self.fingerprint,
            realm_id: self.realm_id,
            client: self.client,
            user_code: self.user_code,
            scope: self.scope,
            details: details.unwrap_or_default(),
            address: self.address,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            interval: self.poll_interval,
            polled_at: self.polled_at,
            denied_at: self.denied_at,
            redeemed_at: self.redeemed_at,
        })
    }
}

/// Details as they are kept: a request without any keeps nothing.
fn kept(details: &[Detail]) -> Result<Option<String>, StoreError> {
    if details.is_empty() { Ok(None) } else { json(&details).map(Some) }
}

impl Store {
    /// The request with this device code, however far it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn device_code(
        &self,
        realm_id: &str,
        fingerprint: &str,
    ) -> Result<Option<DeviceCode>, StoreError> {
        let text =
            concat!("SELECT ", columns!(), " FROM device_codes WHERE realm_id = $1 AND fingerprint = $2");
        self.db.one::<Row>(sql!(text, realm_id, fingerprint)).await?.map(Row::record).transpose()
    }
}
