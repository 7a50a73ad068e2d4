//! Table `pushed_requests`.

use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, json, sql};
use super::transaction::{Finish, Transaction, Work};
use super::{Store, spent};
use crate::clock::Timestamp;
use crate::protocol::pushed_request::PushedRequest;
use crate::protocol::spend::{Spend, SpendKind};

/// A request that the rules allow to be kept.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// The request.
    pub request: PushedRequest,
    /// Until when it is needed.
    pub expires_at: Timestamp,
    /// What of the address is counted.
    pub network: String,
    /// Requests of its client that may wait from there; none for any number.
    pub most: Option<i64>,
    /// The identifiers that the client's proof uses up.
    pub spends: Vec<Spend>,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for a browser.
    Waiting,
    /// An identifier of the request was used before; nothing is kept.
    Replayed(SpendKind),
    /// Too many of the client's requests from this network wait; the first one goes at this moment.
    TooMany(Timestamp),
}

row! {
    struct Row {
        fingerprint: String,
        realm_id: String,
        client: String,
        parameters: String,
        hinted_subject: Option<String>,
        pushed_at: Timestamp,
        good_until: Timestamp,
        spent_at: Option<Timestamp>,
    }
}

impl Row {
    fn record(self) -> Result<PushedRequest, StoreError> {
        Ok(PushedRequest {
            parameters: serde_json::from_str(&self.parameters)?,
            fingerprint: self.fingerprint,
            realm_id: self.realm_id,
            client: self.client,
            hinted_subject: self.hinted_subject,
            pushed_at: self.pushed_at,
            good_until: self.good_until,
            spent_at: self.spent_at,
        })
    }
}

fn add(PushRequest { request, expires_at, network, .. }: &PushRequest) -> Result<Statement, StoreError> {
    let text = "INSERT INTO pushed_requests (fingerprint, realm_id, client, parameters, hinted_subject, pushed_at, \
                good_until, spent_at, expires_at, network) \
                SELECT $1, c.realm_id, c.id, $4, $5, $6, $7, NULL, $8, $9 FROM clients c \
                WHERE c.realm_id = $2 AND c.id = $3";
    let statement = sql!(
        text,
        &request.fingerprint,
        &request.realm_id,
        &request.client,
        json(&request.parameters)?,
        &request.hinted_subject,
        request.pushed_at,
        request.good_until,
        *expires_at,
        network,
    );
    Ok(statement.needs("reference"))
}

/// What a commit names when another sign-in has used the request up.
pub(super) const SPENT: &str = "pushed request";

pub(super) fn spend(realm_id: &str, fingerprint: &str, at: Timestamp) -> Statement {
    let text = "UPDATE pushed_requests SET spent_at = $3 \
                WHERE realm_id = $1 AND fingerprint = $2 AND spent_at IS NULL";
    sql!(text, realm_id, fingerprint, at).needs(SPENT)
}

impl Work for PushRequest {
    type Outcome = Pushed;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Pushed>, StoreError> {
        let Self { request, network, most, spends, .. } = self;
        if let Some(kind) = spent::spend(transaction, &request.realm_id, spends).await? {
            return Ok(Finish::Undo(Pushed::Replayed(kind)));
        }
        if let Some(most) = most {
            let text = "SELECT COUNT(*), MIN(expires_at) FROM pushed_requests WHERE realm_id = $1 AND client = $2 \
                        AND network = $3 AND expires_at > $4 AND spent_at IS NULL";
            let waiting = sql!(text, &request.realm_id, &request.client, network, request.pushed_at);
            if let Some((count, Some(ends))) = transaction.one::<(i64, Option<Timestamp>)>(&waiting).await?
                && count >= *most
            {
                return Ok(Finish::Undo(Pushed::TooMany(ends)));
            }
        }
        transaction.execute(&add(self)?).await?;
        Ok(Finish::Commit(Pushed::Waiting))
    }
}

impl Store {
    /// Keeps a request. Requests side by side may pass the limit by as many as there are connections: it bounds a flood,
    /// and guards nothing else.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing was kept and nothing spent.
    pub async fn push_request(&self, push: PushRequest) -> Result<Pushed, StoreError> {
        self.db.write(push).await
    }

    /// The pushed request, spent and overdue ones included as long as they are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pushed_request(
        &self,
        realm_id: &str,
        fingerprint: &str,
    ) -> Result<Option<PushedRequest>, StoreError> {
        let text = "SELECT fingerprint, realm_id, client, parameters, hinted_subject, pushed_at, good_until, spent_at \
                    FROM pushed_requests WHERE realm_id = $1 AND fingerprint = $2";
        let row = self.db.one::<Row>(sql!(text, realm_id, fingerprint)).await?;
        row.map(Row::record).transpose()
    }
}
