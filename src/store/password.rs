//! Keeping what the password grant makes: a session that no browser holds, and a grant in it.

use super::error::StoreError;
use super::transaction::{Finish, Transaction, Work};
use super::{
    PasswordProof, Store, audit, backchannel_logout, credential, failure, grant, refresh, session, spent,
    user_password,
};
use crate::clock::Timestamp;
use crate::protocol::audit::AuditEvent;
use crate::protocol::brake::Forgiven;
use crate::protocol::grant::Grant;
use crate::protocol::otp::Moved;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::session::Session;
use crate::protocol::spend::{Spend, SpendKind};

/// A sign-in by the password grant that the rules allow.
#[derive(Clone, Debug)]
pub struct KeepPasswordGrant {
    /// The identifiers that the request uses up.
    pub spends: Vec<Spend>,
    /// The session.
    pub session: Session,
    /// Its fingerprint, which no cookie has.
    pub fingerprint: String,
    /// Until when it is needed.
    pub session_expires_at: Timestamp,
    /// The device whose counter moved with the code that was typed.
    pub moved: Option<Moved>,
    /// What proves that the password is right still.
    pub proof: PasswordProof,
    /// The attempt that was no failure.
    pub forgiven: Forgiven,
    /// The grant.
    pub grant: Grant,
    /// The issuer that the client saw: it is told of the session's end.
    pub issuer: String,
    /// Until when the grant is needed.
    pub grant_expires_at: Timestamp,
    /// The refresh token that is issued with it.
    pub refresh: Option<RefreshToken>,
    /// The event to keep.
    pub audit: AuditEvent,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordGranting {
    /// It is kept.
    Kept,
    /// An identifier of the request was used before; nothing is kept.
    Replayed(SpendKind),
}

impl Store {
    /// Keeps a sign-in by the password grant.
    ///
    /// # Errors
    /// [`StoreError`], and then nothing is kept; a conflict when the user or the client has gone.
    pub async fn keep_password_grant(
        &self,
        granting: KeepPasswordGrant,
    ) -> Result<PasswordGranting, StoreError> {
        self.db.write(granting).await
    }
}

impl Work for KeepPasswordGrant {
    type Outcome = PasswordGranting;

    async fn perform(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Finish<PasswordGranting>, StoreError> {
        let Self { session, fingerprint, grant, .. } = self;
        let realm_id = &session.realm_id;
        if let Some(kind) = spent::spend(transaction, realm_id, &self.spends).await? {
            return Ok(Finish::Undo(PasswordGranting::Replayed(kind)));
        }
        let mut statements = vec![
            user_password::prove(&self.proof),
            session::begin(session, fingerprint, self.session_expires_at),
        ];
        statements.extend(self.moved.as_ref().map(credential::advance));
        failure::forgive(realm_id, self.forgiven.clone(), &mut statements);
        statements.push(grant::add(grant, self.grant_expires_at)?);
        statements.push(backchannel_logout::signed_in(realm_id, &session.id, &grant.client, &self.issuer));
        statements.extend(self.refresh.as_ref().map(refresh::add));
        statements.push(audit::add(&self.audit)?);
        for statement in &statements {
            transaction.execute(statement).await?;
        }
        Ok(Finish::Commit(PasswordGranting::Kept))
    }
}
