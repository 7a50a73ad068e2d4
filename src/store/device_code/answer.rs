//! A person answers: finds the device by the code that they typed, says yes or no, and may take the yes back.

use super::{Row, kept};
use crate::clock::Timestamp;
use crate::protocol::authorization_details::Detail;
use crate::protocol::brake::{Counter, DEVICE_RULE};
use crate::protocol::device_code::{Approval, DeviceCode};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::failure::CountAttempt;
use crate::store::statement::{Statement, sql};
use crate::store::transaction::{Finish, Transaction, Work};

/// What is known of a user code.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceLookup {
    /// A device waits with it.
    Found(Box<DeviceCode>),
    /// No device does, and that was counted.
    Unknown,
    /// There were too many of those; nothing was looked up.
    WaitUntil(Timestamp),
}

/// Fails as a conflict when the request does not wait any more.
pub(in crate::store) fn approve(
    realm_id: &str,
    fingerprint: &str,
    approval: &Approval,
    scope: &str,
    details: &[Detail],
) -> Result<Statement, StoreError> {
    let text = concat!(
        "UPDATE device_codes SET approved_at = $3, user_id = $4, session_id = $5, auth_time = $6, acr = $7, scope = $8, \
         details = $9 \
         WHERE realm_id = $1 AND fingerprint = $2 AND ",
        waits!(),
        " AND EXISTS (SELECT 1 FROM users u WHERE u.realm_id = $1 AND u.id = $4)"
    );
    let Approval { at, user_id, session_id, auth_time, acr } = approval;
    let details = kept(details)?;
    let statement =
        sql!(text, realm_id, fingerprint, *at, user_id, session_id, *auth_time, acr, scope, details);
    Ok(statement.needs(DEVICE))
}

/// Fails as a conflict when the request does not wait any more.
pub(in crate::store) fn deny(realm_id: &str, fingerprint: &str, at: Timestamp) -> Statement {
    let text = concat!(
        "UPDATE device_codes SET denied_at = $3 WHERE realm_id = $1 AND fingerprint = $2 AND ",
        waits!()
    );
    sql!(text, realm_id, fingerprint, at).needs(DEVICE)
}

/// What a person said yes to and the device has not used yet. Its lock comes before those of grants, so that a grant
/// which is being made of it is seen by what follows.
pub(in crate::store) fn take_back(realm_id: &str, user_id: &str, client: &str, at: Timestamp) -> Statement {
    let text = "UPDATE device_codes SET denied_at = $4 WHERE realm_id = $1 AND user_id = $2 AND client = $3 \
                AND denied_at IS NULL AND redeemed_at IS NULL";
    sql!(text, realm_id, user_id, client, at)
}

/// As [`take_back`], whatever the client.
pub(in crate::store) fn take_all_back(realm_id: &str, user_id: &str, at: Timestamp) -> Statement {
    let text = "UPDATE device_codes SET denied_at = $3 WHERE realm_id = $1 AND user_id = $2 \
                AND denied_at IS NULL AND redeemed_at IS NULL";
    sql!(text, realm_id, user_id, at)
}

/// What a conflict is about.
const DEVICE: &str = "device";

impl Store {
    /// The request that waits under a user code. A code that no device waits with is counted in the same transaction, so
    /// that guesses side by side are counted too, and a right one costs nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting_device(
        &self,
        realm_id: &str,
        user_code: &str,
        counters: Vec<Counter>,
        now: Timestamp,
    ) -> Result<DeviceLookup, StoreError> {
        let count = CountAttempt { realm_id: realm_id.to_owned(), counters, rule: DEVICE_RULE, now };
        self.db.write(Lookup { user_code: user_code.to_owned(), count }).await
    }
}

struct Lookup {
    user_code: String,
    count: CountAttempt,
}

impl Work for Lookup {
    type Outcome = DeviceLookup;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<DeviceLookup>, StoreError> {
        if let Some(until) = self.count.count_all(transaction).await? {
            return Ok(Finish::Undo(DeviceLookup::WaitUntil(until)));
        }
        let text = concat!(
            "SELECT ",
            columns!(),
            " FROM device_codes WHERE realm_id = $1 AND user_code = $2 AND ",
            waits!()
        );
        let waiting = sql!(text, &self.count.realm_id, &self.user_code, self.count.now);
        Ok(match transaction.one::<Row>(&waiting).await? {
            // Undone, the attempt was not counted, nor has it locked anything.
            Some(row) => Finish::Undo(DeviceLookup::Found(Box::new(row.record()?))),
            None => Finish::Commit(DeviceLookup::Unknown),
        })
    }
}
