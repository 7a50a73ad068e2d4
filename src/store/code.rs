//! Table `authorization_codes`, and the one way to spend a code.

use super::error::StoreError;
use super::grant::{TokenGrant, bound_to, confirmation, grant_joins, token_columns, while_enabled};
use super::row::row;
use super::statement::{Statement, sql};
use super::transaction::{Finish, Transaction, Work};
use super::{Store, audit, grant, refresh, spent};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::code::AuthorizationCode;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::grants::authorization_code::{CodeRecord, MAX_WRONG_VERIFIERS};
use crate::protocol::refresh::RefreshToken;
use crate::protocol::spend::{Spend, SpendKind};

/// A redemption that the rules allow.
#[derive(Clone, Debug)]
pub struct RedeemCode {
    /// The realm.
    pub realm_id: String,
    /// The code.
    pub fingerprint: String,
    /// Its grant.
    pub grant_id: String,
    /// Now.
    pub now: Timestamp,
    /// The refresh token that is issued with it.
    pub refresh: Option<RefreshToken>,
    /// Until when the grant is needed.
    pub grant_expires_at: Timestamp,
    /// What the grant is bound to from now on.
    pub confirmation: Option<Confirmation>,
    /// The identifiers that the request uses up.
    pub spends: Vec<Spend>,
    /// The event to keep when it succeeds.
    pub audit: AuditEvent,
    /// The event to keep when it is a replay.
    pub reuse_audit: AuditEvent,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// This call spent the code.
    Redeemed,
    /// Another one had; the grant is revoked now, with what that one got.
    AlreadyRedeemed,
    /// The code expired, was burnt, or its grant was revoked.
    Gone,
    /// An identifier of the request was used before; the code is as it was.
    Replayed(SpendKind),
}

row! {
    struct Row {
        fingerprint: String,
        code_realm_id: String,
        code_client: String,
        redirect_uri: String,
        code_challenge: Option<String>,
        code_confirmation: Option<String>,
        issued_at: Timestamp,
        code_expires_at: Timestamp,
        redeemed_at: Option<Timestamp>,
        failures: i64,
        held: grant::TokenRow,
    }
}

pub(super) fn add(code: &AuthorizationCode) -> Result<Statement, StoreError> {
    let text = "INSERT INTO authorization_codes (fingerprint, realm_id, grant_id, client, redirect_uri, \
                code_challenge, issued_at, expires_at, redeemed_at, failures, confirmation) \
                SELECT $1, g.realm_id, g.id, g.client, $5, $6, $7, $8, NULL, 0, $9 FROM grants g \
                WHERE g.realm_id = $2 AND g.id = $3 AND g.client = $4";
    let confirmation = bound_to(code.confirmation.as_ref())?;
    Ok(sql!(
        text,
        &code.fingerprint,
        &code.realm_id,
        &code.grant_id,
        &code.client,
        &code.redirect_uri,
        &code.code_challenge,
        code.issued_at,
        code.expires_at,
        confirmation,
    )
    .needs("reference"))
}

/// Counts a redemption with a wrong verifier.
pub(super) fn note_wrong_verifier(realm_id: &str, fingerprint: &str) -> Statement {
    let text = "UPDATE authorization_codes SET failures = failures + 1 \
                WHERE realm_id = $1 AND fingerprint = $2 AND redeemed_at IS NULL";
    sql!(text, realm_id, fingerprint)
}

impl Store {
    /// The code with what it hangs on; none while its client or the realm is switched off.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn code_by_fingerprint(
        &self,
        realm_id: &str,
        fingerprint: &str,
    ) -> Result<Option<CodeRecord>, StoreError> {
        let text = concat!(
            "SELECT c.fingerprint, c.realm_id AS code_realm_id, c.client AS code_client, c.redirect_uri, \
             c.code_challenge, c.confirmation AS code_confirmation, c.issued_at, c.expires_at AS code_expires_at, c.redeemed_at, c.failures, ",
            token_columns!(),
            " FROM authorization_codes c JOIN grants g ON g.id = c.grant_id AND g.realm_id = c.realm_id",
            grant_joins!(),
            while_enabled!(),
            "WHERE c.fingerprint = $2 AND c.realm_id = $1"
        );
        let Some(row) = self.db.one::<Row>(sql!(text, realm_id, fingerprint)).await? else { return Ok(None) };
        let TokenGrant { grant, user, roles, session } = self.token_grant(row.held).await?;
        let code = AuthorizationCode {
            fingerprint: row.fingerprint,
            realm_id: row.code_realm_id,
            grant_id: grant.id.clone(),
            client: row.code_client,
            redirect_uri: row.redirect_uri,
            code_challenge: row.code_challenge,
            confirmation: confirmation(row.code_confirmation.as_deref())?,
            issued_at: row.issued_at,
            expires_at: row.code_expires_at,
            redeemed_at: row.redeemed_at,
            failures: row.failures,
        };
        Ok(Some(CodeRecord { code, grant, user, roles, session }))
    }

    /// Spends a code: of any number of callers, on any number of nodes, one is told [`Redemption::Redeemed`]. The rules
    /// must have allowed it, since one that comes second revokes the grant (OAuth 2.1 §4.1.3).
    ///
    /// # Errors
    /// [`StoreError`], and then the code is not spent.
    pub async fn redeem_code(&self, spend: RedeemCode) -> Result<Redemption, StoreError> {
        self.db.write(spend).await
    }
}

impl Work for RedeemCode {
    type Outcome = Redemption;

    async fn perform(&self, transaction: &mut Transaction<'_>) -> Result<Finish<Redemption>, StoreError> {
        let Self { realm_id, fingerprint, grant_id, now, refresh, grant_expires_at, .. } = self;
        if let Some(kind) = spent::spend(transaction, realm_id, &self.spends).await? {
            return Ok(Finish::Undo(Redemption::Replayed(kind)));
        }
        // The grant before the code: its lock puts redemptions in order, so that each sees all that came before it.
        let bound = self.confirmation.as_ref();
        let used = grant::redeemed(realm_id, grant_id, *now, *grant_expires_at, bound)?;
        if transaction.execute(&used).await? == 0 {
            return Ok(Finish::Undo(Redemption::Gone));
        }
        let text = "UPDATE authorization_codes SET redeemed_at = $4 \
                    WHERE realm_id = $1 AND fingerprint = $2 AND grant_id = $3 AND redeemed_at IS NULL \
                    AND expires_at > $4 AND failures < $5";
        let spend = sql!(text, realm_id, fingerprint, grant_id, *now, MAX_WRONG_VERIFIERS);
        if transaction.execute(&spend).await? == 0 {
            let text = "SELECT redeemed_at FROM authorization_codes \
                        WHERE realm_id = $1 AND fingerprint = $2 AND grant_id = $3 AND redeemed_at IS NOT NULL";
            let spent = sql!(text, realm_id, fingerprint, grant_id);
            if transaction.one::<(i64,)>(&spent).await?.is_none() {
                return Ok(Finish::Undo(Redemption::Gone));
            }
            transaction.execute(&grant::revoke(realm_id, grant_id, *now)).await?;
            transaction.execute(&audit::add(&self.reuse_audit)?).await?;
            return Ok(Finish::Commit(Redemption::AlreadyRedeemed));
        }
        if let Some(token) = refresh {
            transaction.execute(&refresh::add(token)).await?;
        }
        transaction.execute(&audit::add(&self.audit)?).await?;
        Ok(Finish::Commit(Redemption::Redeemed))
    }
}
