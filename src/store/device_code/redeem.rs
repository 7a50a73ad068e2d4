//! A device polls, and spends its code once.

use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::device_code::{Approval, SLOWER_BY};
use crate::protocol::grant::Grant;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::session::Session;
use crate::protocol::spend::{Spend, SpendKind};
use crate::protocol::user::{User, UserRoles};
use crate::store::error::StoreError;
use crate::store::row::row;
use crate::store::session::session_columns;
use crate::store::statement::{Statement, sql};
use crate::store::transaction::{Finish, Transaction, Work};
use crate::store::user::{role_columns, user_columns};
use crate::store::{Store, audit, backchannel_logout, grant, refresh, session, spent, user};

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

/// A poll while nobody has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// It came when it may.
    InTime,
    /// It came before the interval was over, which is longer from now on.
    TooFast,
    /// An identifier of the request was used before; the poll does not count.
    Replayed(SpendKind),
}

row! {
    struct ApproverRow {
        user: user::RowWithRoles,
        session: session::Row,
    }
}

impl Store {
    /// Who said yes, what they hold, and the session in which they did if the store still has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn approver(
        &self,
        realm_id: &str,
        approval: &Approval,
    ) -> Result<Option<(User, UserRoles, Option<Session>)>, StoreError> {
        let text = concat!(
            "SELECT ",
            user_columns!(),
            ", ",
            role_columns!(),
            ", ",
            session_columns!(),
            " FROM users u LEFT JOIN sessions s ON s.id = $3 AND s.user_id = u.id AND s.realm_id = u.realm_id \
             WHERE u.realm_id = $1 AND u.id = $2"
        );
        let found = sql!(text, realm_id, &approval.user_id, &approval.session_id);
        let Some(row) = self.db.one::<ApproverRow>(found).await? else { return Ok(None) };
        let (user, roles) = self.with_roles(row.user).await?;
        Ok(Some((user, roles, row.session.record())))
    }

    /// Counts a poll while nobody has answered (RFC 8628 §3.5), with what it uses up. Times are whole seconds, so a poll may come a fraction of one early.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn poll_device(
        &self,
        realm_id: &str,
        fingerprint: &str,
        spends: &[Spend],
        now: Timestamp,
    ) -> Result<Poll, StoreError> {
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
        let (realm_id, spends) = (realm_id.to_owned(), spends.to_vec());
        self.db.write(CountPoll { realm_id, spends, in_time, too_fast }).await
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

struct CountPoll {
    realm_id: String,
    spends: Vec<Spend>,
    in_time: Statement,
    too_fast: Statement,
}

impl Work for CountPoll {
    type Outcome = Poll;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Poll>, StoreError> {
        if let Some(kind) = spent::spend(transaction, &self.realm_id, &self.spends).await? {
            return Ok(Finish::Undo(Poll::Replayed(kind)));
        }
        if transaction.execute(&self.in_time).await? == 1 {
            return Ok(Finish::Commit(Poll::InTime));
        }
        transaction.execute(&self.too_fast).await?;
        Ok(Finish::Commit(Poll::TooFast))
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
