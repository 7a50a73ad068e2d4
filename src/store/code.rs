//! Table `authorization_codes`, and the one way to spend a code.

use sqlx::FromRow;

use super::db::{Statement, sql};
use super::error::StoreError;
use super::grant::{grant_columns, grant_joins};
use super::session::session_columns;
use super::user::user_columns;
use super::{Store, audit, grant, refresh, session, user};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::code::AuthorizationCode;
use crate::protocol::grants::authorization_code::CodeRecord;
use crate::protocol::refresh::RefreshToken;

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
    /// The event to keep.
    pub audit: AuditEvent,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// This call spent the code.
    Redeemed,
    /// Another one had.
    AlreadyRedeemed,
    /// The code expired, or its grant was revoked.
    Gone,
}

#[derive(FromRow)]
struct Row {
    fingerprint: String,
    code_realm_id: String,
    code_client: String,
    redirect_uri: String,
    code_challenge: Option<String>,
    issued_at: Timestamp,
    code_expires_at: Timestamp,
    redeemed_at: Option<Timestamp>,
    failures: i64,
    #[sqlx(flatten)]
    grant: grant::Row,
    #[sqlx(flatten)]
    user: user::Row,
    #[sqlx(flatten)]
    session: session::Row,
}

pub(super) fn add(code: &AuthorizationCode) -> Statement {
    let text = "INSERT INTO authorization_codes (fingerprint, realm_id, grant_id, client, redirect_uri, \
                code_challenge, issued_at, expires_at, redeemed_at, failures) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, 0)";
    sql!(
        text,
        &code.fingerprint,
        &code.realm_id,
        &code.grant_id,
        &code.client,
        &code.redirect_uri,
        &code.code_challenge,
        code.issued_at,
        code.expires_at,
    )
}

impl Store {
    /// The code with what it hangs on.
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
             c.code_challenge, c.issued_at, c.expires_at AS code_expires_at, c.redeemed_at, c.failures, ",
            grant_columns!(),
            ", ",
            user_columns!(),
            ", ",
            session_columns!(),
            " FROM authorization_codes c JOIN grants g ON g.id = c.grant_id AND g.realm_id = c.realm_id",
            grant_joins!(),
            "WHERE c.fingerprint = $2 AND c.realm_id = $1"
        );
        let Some(row) = self.db.one::<Row>(sql!(text, realm_id, fingerprint)).await? else { return Ok(None) };
        let grant = row.grant.record();
        let code = AuthorizationCode {
            fingerprint: row.fingerprint,
            realm_id: row.code_realm_id,
            grant_id: grant.id.clone(),
            client: row.code_client,
            redirect_uri: row.redirect_uri,
            code_challenge: row.code_challenge,
            issued_at: row.issued_at,
            expires_at: row.code_expires_at,
            redeemed_at: row.redeemed_at,
            failures: row.failures,
        };
        Ok(Some(CodeRecord { code, grant, user: row.user.record()?, session: row.session.record() }))
    }

    /// Spends a code: of any number of callers, on any number of nodes, one is told [`Redemption::Redeemed`].
    ///
    /// # Errors
    /// [`StoreError`], and then the code is not spent.
    pub async fn redeem_code(&self, spend: RedeemCode) -> Result<Redemption, StoreError> {
        let RedeemCode { realm_id, fingerprint, grant_id, now, refresh, grant_expires_at, audit } = spend;
        let mut transaction = self.db.begin().await?;
        let text = "UPDATE authorization_codes SET redeemed_at = $3 \
                    WHERE realm_id = $1 AND fingerprint = $2 AND redeemed_at IS NULL AND expires_at > $3 \
                    AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)";
        if transaction.execute(sql!(text, &realm_id, &fingerprint, now)).await? == 0 {
            let text = "SELECT redeemed_at FROM authorization_codes WHERE realm_id = $1 AND fingerprint = $2 \
                        AND redeemed_at IS NOT NULL";
            let spent = transaction.one::<(i64,)>(sql!(text, &realm_id, &fingerprint)).await?.is_some();
            return Ok(if spent { Redemption::AlreadyRedeemed } else { Redemption::Gone });
        }
        if let Some(token) = &refresh {
            transaction.execute(refresh::add(token)).await?;
        }
        transaction.execute(grant::used(&realm_id, &grant_id, now, grant_expires_at)).await?;
        transaction.execute(audit::add(&audit)?).await?;
        transaction.commit().await?;
        Ok(Redemption::Redeemed)
    }

    /// Counts a redemption with a wrong verifier, and says how many there were.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_wrong_verifier(&self, realm_id: &str, fingerprint: &str) -> Result<i64, StoreError> {
        let mut transaction = self.db.begin().await?;
        let text = "UPDATE authorization_codes SET failures = failures + 1 WHERE realm_id = $1 AND fingerprint = $2 \
                    RETURNING failures";
        let row = transaction.one::<(i64,)>(sql!(text, realm_id, fingerprint)).await?;
        transaction.commit().await?;
        Ok(row.map_or(0, |(failures,)| failures))
    }
}
