//! Tables `session_clients` and `logout_outbox`: whom the end of a session concerns, and who has not heard of it yet.

use super::client::{self, client_columns};
use super::commit::Changes;
use super::error::StoreError;
use super::row::row;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use super::{Store, audit};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::backchannel_logout::Notice;
use crate::protocol::client::Client;

/// Seconds for which the node that tells a client has the notice to itself: more than an attempt may take.
const LEASE: i64 = 30;

row! {
    struct Row {
        realm_id: String,
        session_id: String,
        client: String,
        user_id: String,
        issuer: String,
        created_at: Timestamp,
        attempts: i64,
    }
}

impl Row {
    fn record(self) -> Notice {
        let Self { realm_id, session_id, client, user_id, issuer, created_at, attempts } = self;
        Notice { realm_id, session_id, client, user_id, issuer, created_at, attempts }
    }
}

row! {
    struct ClientRow {
        session_issuer: String,
        client: client::Row,
    }
}

/// The session signed in to the client, which saw this issuer.
pub(super) fn signed_in(realm_id: &str, session_id: &str, client: &str, issuer: &str) -> Statement {
    let text = "INSERT INTO session_clients (realm_id, session_id, client, issuer) \
                SELECT s.realm_id, s.id, c.id, $4 FROM sessions s JOIN clients c ON c.realm_id = s.realm_id \
                WHERE s.realm_id = $1 AND s.id = $2 AND c.id = $3 \
                ON CONFLICT (session_id, client) DO UPDATE SET issuer = excluded.issuer \
                WHERE session_clients.issuer <> excluded.issuer";
    sql!(text, realm_id, session_id, client, issuer)
}

/// What every notice is made of. `$3` is now.
macro_rules! queue {
    ($which:literal) => {
        concat!(
            "INSERT INTO logout_outbox (realm_id, session_id, client, user_id, issuer, created_at, attempts, due_at) \
             SELECT s.realm_id, s.id, c.id, s.user_id, t.issuer, $3, 0, $3 \
             FROM sessions s JOIN session_clients t ON t.session_id = s.id AND t.realm_id || '' = s.realm_id \
             JOIN clients c ON c.id = t.client AND c.realm_id = s.realm_id AND c.hears_logout = 1 \
             WHERE s.realm_id = $1 AND s.ended_at IS NULL AND ",
            $which,
            " ON CONFLICT (session_id, client) DO NOTHING"
        )
    };
}

/// Notices of the end of a session that has not ended yet.
pub(super) fn queue_session(realm_id: &str, id: &str, at: Timestamp) -> Statement {
    sql!(queue!("s.id = $2"), realm_id, id, at)
}

/// Notices of the end of each session of the realm that has not ended yet. The number of the moment is the same as above.
pub(super) fn queue_realm(realm_id: &str, at: Timestamp) -> Statement {
    sql!(queue!("$2 = $3"), realm_id, at, at)
}

/// Notices of the end of each session of a user that has not ended yet.
pub(super) fn queue_user(realm_id: &str, user_id: &str, at: Timestamp) -> Statement {
    sql!(queue!("s.user_id = $2"), realm_id, user_id, at)
}

/// Takes away a notice, unless another attempt at it has begun since.
fn forget(notice: &Notice) -> Statement {
    let text = "DELETE FROM logout_outbox \
                WHERE realm_id = $1 AND session_id = $2 AND client = $3 AND attempts = $4";
    sql!(text, &notice.realm_id, &notice.session_id, &notice.client, notice.attempts)
}

impl Store {
    /// The clients that a session signed in to, each with the issuer that it saw.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clients_of_session(
        &self,
        realm_id: &str,
        session_id: &str,
    ) -> Result<Vec<(Client, String)>, StoreError> {
        let text = concat!(
            "SELECT t.issuer AS session_issuer, ",
            client_columns!(),
            " FROM session_clients t JOIN clients c ON c.id = t.client AND c.realm_id = t.realm_id \
             WHERE t.realm_id || '' = $1 AND t.session_id = $2 ORDER BY c.client_id"
        );
        let rows = self.db.all::<ClientRow>(sql!(text, realm_id, session_id)).await?;
        rows.into_iter().map(|row| Ok((row.client.record()?, row.session_issuer))).collect()
    }

    /// Takes at most `most` notices that are due. Each is its taker's for a while: of any number of callers, on any
    /// number of nodes, one gets it. It comes back when nothing is said of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn claim_logout_notices(&self, now: Timestamp, most: i64) -> Result<Vec<Notice>, StoreError> {
        // A look costs no lock; most of the time nothing is due.
        let text = "SELECT due_at FROM logout_outbox WHERE due_at <= $1 LIMIT 1";
        if self.db.one::<(i64,)>(sql!(text, now)).await?.is_none() {
            return Ok(Vec::new());
        }
        let text = "UPDATE logout_outbox SET due_at = $2, attempts = attempts + 1 \
                    WHERE due_at <= $1 AND (session_id, client) IN \
                    (SELECT session_id, client FROM logout_outbox WHERE due_at <= $1 ORDER BY due_at LIMIT $3) \
                    RETURNING realm_id, session_id, client, user_id, issuer, created_at, attempts";
        self.db.write(Claim(sql!(text, now, now.plus(LEASE), most))).await
    }

    /// The client was told, or wants to hear nothing any more.
    ///
    /// # Errors
    /// [`StoreError`]; then it is told again.
    pub async fn logout_notice_done(&self, notice: &Notice) -> Result<(), StoreError> {
        self.db.write(Changes::plain(vec![forget(notice)])).await
    }

    /// The client could not be told, and is given up.
    ///
    /// # Errors
    /// [`StoreError`]; then it is tried once more.
    pub async fn give_up_logout_notice(&self, notice: &Notice, event: &AuditEvent) -> Result<(), StoreError> {
        self.db.write(Changes::plain(vec![forget(notice), audit::add(event)?])).await
    }

    /// The notice was not sent: it is looked at again at `due_at`, as if it had not been taken.
    ///
    /// # Errors
    /// [`StoreError`]; then it is tried when its lease is over.
    pub async fn return_logout_notice(&self, notice: &Notice, due_at: Timestamp) -> Result<(), StoreError> {
        let text = "UPDATE logout_outbox SET due_at = $5, attempts = attempts - 1 \
                    WHERE realm_id = $1 AND session_id = $2 AND client = $3 AND attempts = $4";
        let Notice { realm_id, session_id, client, attempts, .. } = notice;
        let back = sql!(text, realm_id, session_id, client, *attempts, due_at);
        self.db.write(Changes::plain(vec![back])).await
    }

    /// The client could not be told, and is tried again at `due_at`. If nobody answers there, its other notices wait
    /// as long, so that one silent client does not hold up the others.
    ///
    /// # Errors
    /// [`StoreError`]; then it is tried when its lease is over.
    pub async fn postpone_logout_notice(
        &self,
        notice: &Notice,
        due_at: Timestamp,
        silent: bool,
    ) -> Result<(), StoreError> {
        let text = "UPDATE logout_outbox SET due_at = $5 \
                    WHERE realm_id = $1 AND session_id = $2 AND client = $3 AND attempts = $4";
        let Notice { realm_id, session_id, client, attempts, .. } = notice;
        let mut statements = vec![sql!(text, realm_id, session_id, client, *attempts, due_at)];
        if silent {
            let text =
                "UPDATE logout_outbox SET due_at = $3 WHERE realm_id = $1 AND client = $2 AND due_at < $3";
            statements.push(sql!(text, realm_id, client, due_at));
        }
        self.db.write(Changes::plain(statements)).await
    }
}

struct Claim(Statement);

impl Work for Claim {
    type Outcome = Vec<Notice>;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Vec<Notice>>, StoreError> {
        let rows = transaction.all::<Row>(&self.0).await?;
        let notices: Vec<Notice> = rows.into_iter().map(Row::record).collect();
        Ok(if notices.is_empty() { Finish::Undo(notices) } else { Finish::Commit(notices) })
    }
}
