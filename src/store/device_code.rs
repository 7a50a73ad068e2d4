//! Table `device_codes`: asking, looking up by the code that a person typed, polling, and the one way to spend.

use super::db::{Finish, Transaction, Work};
use super::error::StoreError;
use super::failure::CountAttempt;
use super::row::row;
use super::session::session_columns;
use super::statement::{Statement, sql};
use super::user::user_columns;
use super::{Store, audit, backchannel_logout, grant, refresh, session, spent, user};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::brake::{Counter, DEVICE_RULE};
use crate::protocol::device_code::{Approval, DeviceCode, SLOWER_BY};
use crate::protocol::grant::Grant;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::session::Session;
use crate::protocol::spend::{Spend, SpendKind};
use crate::protocol::user::User;

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

/// A redemption that the rules allow.
#[derive(Clone, Debug)]
pub struct RedeemDeviceCode {
    /// The device code.
    pub fingerprint: String,
    /// Now.
    pub now: Timestamp,
    /// The grant that comes of it; names realm and client.
    pub grant: Grant,
    /// The issuer that the device saw: its client is told of the end of the session that the grant rests on.
    pub issuer: String,
    /// Until when the grant is needed.
    pub grant_expires_at: Timestamp,
    /// The refresh token that is issued with it.
    pub refresh: Option<RefreshToken>,
    /// The identifiers that the request uses up.
    pub spends: Vec<Spend>,
    /// The event to keep.
    pub audit: AuditEvent,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceRedemption {
    /// This call spent the code.
    Redeemed,
    /// Another one had, or it was taken back or has expired.
    Gone,
    /// An identifier of the request was used before; the code is as it was.
    Replayed(SpendKind),
}

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
    }
}

/// The columns of [`Row`].
macro_rules! columns {
    () => {
        "fingerprint, realm_id, client, user_code, scope, address, issued_at, expires_at, poll_interval, polled_at, \
         approved_at, denied_at, redeemed_at, user_id, session_id, auth_time, acr"
    };
}

/// What a request that waits for a person fulfils at `$3`.
macro_rules! waits {
    () => {
        "approved_at IS NULL AND denied_at IS NULL AND redeemed_at IS NULL AND expires_at > $3"
    };
}

impl Row {
    fn record(self) -> DeviceCode {
        let approval = || {
            Some(Approval {
                at: self.approved_at?,
                user_id: self.user_id?,
                session_id: self.session_id?,
                auth_time: self.auth_time?,
                acr: self.acr?,
            })
        };
        DeviceCode {
            approval: approval(),
            fingerprint: self.fingerprint,
            realm_id: self.realm_id,
            client: self.client,
            user_code: self.user_code,
            scope: self.scope,
            address: self.address,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            interval: self.poll_interval,
            polled_at: self.polled_at,
            denied_at: self.denied_at,
            redeemed_at: self.redeemed_at,
        }
    }
}

row! {
    struct ApproverRow {
        user: user::Row,
        session: session::Row,
    }
}

/// Fails as a conflict when the request does not wait any more.
pub(super) fn approve(realm_id: &str, fingerprint: &str, approval: &Approval, scope: &str) -> Statement {
    let text = concat!(
        "UPDATE device_codes SET approved_at = $3, user_id = $4, session_id = $5, auth_time = $6, acr = $7, scope = $8 \
         WHERE realm_id = $1 AND fingerprint = $2 AND ",
        waits!(),
        " AND EXISTS (SELECT 1 FROM users u WHERE u.realm_id = $1 AND u.id = $4)"
    );
    let Approval { at, user_id, session_id, auth_time, acr } = approval;
    sql!(text, realm_id, fingerprint, *at, user_id, session_id, *auth_time, acr, scope).needs(DEVICE)
}

/// Fails as a conflict when the request does not wait any more.
pub(super) fn deny(realm_id: &str, fingerprint: &str, at: Timestamp) -> Statement {
    let text = concat!(
        "UPDATE device_codes SET denied_at = $3 WHERE realm_id = $1 AND fingerprint = $2 AND ",
        waits!()
    );
    sql!(text, realm_id, fingerprint, at).needs(DEVICE)
}

/// What a person said yes to and the device has not used yet. Its lock comes before those of grants, so that a grant
/// which is being made of it is seen by what follows.
pub(super) fn take_back(realm_id: &str, user_id: &str, client: &str, at: Timestamp) -> Statement {
    let text = "UPDATE device_codes SET denied_at = $4 WHERE realm_id = $1 AND user_id = $2 AND client = $3 \
                AND denied_at IS NULL AND redeemed_at IS NULL";
    sql!(text, realm_id, user_id, client, at)
}

/// As [`take_back`], whatever the client.
pub(super) fn take_all_back(realm_id: &str, user_id: &str, at: Timestamp) -> Statement {
    let text = "UPDATE device_codes SET denied_at = $3 WHERE realm_id = $1 AND user_id = $2 \
                AND denied_at IS NULL AND redeemed_at IS NULL";
    sql!(text, realm_id, user_id, at)
}

/// What a conflict is about.
const DEVICE: &str = "device";

impl Store {
    /// Keeps a device's request, unless the client has too many open from the same place. Requests side by side may pass
    /// the limit by as many as there are connections: it bounds a flood, and guards nothing else.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ask_for_device(&self, new: NewDeviceCode) -> Result<Asked, StoreError> {
        self.db.write(new).await
    }

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
        Ok(self.db.one::<Row>(sql!(text, realm_id, fingerprint)).await?.map(Row::record))
    }

    /// Who said yes, with the session in which they did if the store still has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approver(
        &self,
        realm_id: &str,
        approval: &Approval,
    ) -> Result<Option<(User, Option<Session>)>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            ", ",
            session_columns!(),
            " FROM users u LEFT JOIN sessions s ON s.id = $3 AND s.user_id = u.id AND s.realm_id = u.realm_id \
             WHERE u.realm_id = $1 AND u.id = $2"
        );
        let found = sql!(text, realm_id, &approval.user_id, &approval.session_id);
        let Some(row) = self.db.one::<ApproverRow>(found).await? else { return Ok(None) };
        Ok(Some((row.user.record()?, row.session.record())))
    }

    /// Counts a poll while nobody has answered, and says whether it came before the interval was over; then the interval
    /// is longer from now on (RFC 8628 §3.5). Times are whole seconds, so a poll may come a fraction of one early.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn poll_device(
        &self,
        realm_id: &str,
        fingerprint: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let in_time = sql!(
            "UPDATE device_codes SET polled_at = $3 WHERE realm_id = $1 AND fingerprint = $2 \
             AND (polled_at IS NULL OR polled_at + poll_interval <= $3 + 1)",
            realm_id,
            fingerprint,
            now
        );
        let too_fast = sql!(
            "UPDATE device_codes SET polled_at = $3, poll_interval = poll_interval + $4 \
             WHERE realm_id = $1 AND fingerprint = $2",
            realm_id,
            fingerprint,
            now,
            SLOWER_BY
        );
        self.db.write(Poll { in_time, too_fast }).await
    }

    /// Spends a device code that was approved, and makes the grant that comes of it: of any number of callers, on any
    /// number of nodes, one is told [`DeviceRedemption::Redeemed`].
    ///
    /// # Errors
    /// [`StoreError`], and then the code is not spent.
    pub async fn redeem_device_code(&self, spend: RedeemDeviceCode) -> Result<DeviceRedemption, StoreError> {
        self.db.write(spend).await
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
                    issued_at, expires_at, poll_interval) \
                    SELECT $1, c.realm_id, c.id, $4, $5, $6, $7, $8, $9, $10 FROM clients c \
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
        );
        if transaction.execute(&add).await? == 0 {
            return Ok(Finish::Undo(Asked::Taken));
        }
        transaction.execute(&audit::add(audit)?).await?;
        Ok(Finish::Commit(Asked::Waiting))
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
            Some(row) => Finish::Undo(DeviceLookup::Found(Box::new(row.record()))),
            None => Finish::Commit(DeviceLookup::Unknown),
        })
    }
}

struct Poll {
    in_time: Statement,
    too_fast: Statement,
}

impl Work for Poll {
    type Outcome = bool;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<bool>, StoreError> {
        if transaction.execute(&self.in_time).await? == 1 {
            return Ok(Finish::Commit(false));
        }
        transaction.execute(&self.too_fast).await?;
        Ok(Finish::Commit(true))
    }
}

impl Work for RedeemDeviceCode {
    type Outcome = DeviceRedemption;

    async fn perform(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Finish<DeviceRedemption>, StoreError> {
        let Self { fingerprint, now, grant, issuer, grant_expires_at, refresh, spends, audit } = self;
        if let Some(kind) = spent::spend(transaction, &grant.realm_id, spends).await? {
            return Ok(Finish::Undo(DeviceRedemption::Replayed(kind)));
        }
        let text = "UPDATE device_codes SET redeemed_at = $4 \
                    WHERE realm_id = $1 AND fingerprint = $2 AND client = $3 AND user_id = $5 \
                    AND approved_at IS NOT NULL AND denied_at IS NULL AND redeemed_at IS NULL AND expires_at > $4";
        let spend = sql!(text, &grant.realm_id, fingerprint, &grant.client, *now, &grant.user_id);
        if transaction.execute(&spend).await? == 0 {
            return Ok(Finish::Undo(DeviceRedemption::Gone));
        }
        transaction.execute(&grant::add(grant, *grant_expires_at)?).await?;
        if let Some(session_id) = &grant.session_id {
            let signed_in = backchannel_logout::signed_in(&grant.realm_id, session_id, &grant.client, issuer);
            transaction.execute(&signed_in).await?;
        }
        if let Some(token) = refresh {
            transaction.execute(&refresh::add(token)).await?;
        }
        transaction.execute(&audit::add(audit)?).await?;
        Ok(Finish::Commit(DeviceRedemption::Redeemed))
    }
}
