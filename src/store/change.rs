//! A change of state as a value: what [`super::Store::commit`] takes.

mod statements;

use std::collections::HashMap;
use std::mem::discriminant;

use super::key::KeyRow;
use super::user_password::PasswordProof;
use crate::clock::Timestamp;
use crate::keycloak::KeycloakRecord;
use crate::protocol::audit::AuditEvent;
use crate::protocol::authorization_details::Detail;
use crate::protocol::brake::Forgiven;
use crate::protocol::client::Client;
use crate::protocol::code::AuthorizationCode;
use crate::protocol::consent::Consent;
use crate::protocol::credential::Credential;
use crate::protocol::device_code::Approval;
use crate::protocol::grant::Grant;
use crate::protocol::otp::Moved;
use crate::protocol::realm::Realm;
use crate::protocol::register::InitialToken;
use crate::protocol::role::{Group, Role};
use crate::protocol::scope::Scope;
use crate::protocol::session::Session;
use crate::protocol::spend::Spend;
use crate::protocol::user::User;

/// One change. Those that say "put" insert, or replace what has the same identifier.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields carry the names of the columns that they fill")]
pub enum Change {
    /// A realm comes to be; a conflict about the `realm` when its identifier or its name is taken.
    AddRealm { realm: Realm, at: Timestamp },
    /// A realm.
    PutRealm { realm: Realm, at: Timestamp },
    /// A realm goes, for everybody at once; the sweep removes what was in it, but its audit events, which are kept under
    /// its name.
    DeleteRealm { realm_id: String },
    /// A key comes to be.
    AddKey { realm_id: String, key: KeyRow },
    /// A key stops signing; it is served until then.
    RetireKey { realm_id: String, id: String, served_until: Timestamp },
    /// A key goes.
    DeleteKey { realm_id: String, id: String },
    /// A scope.
    PutScope(Scope),
    /// A scope goes.
    DeleteScope { realm_id: String, id: String },
    /// A client.
    PutClient { client: Box<Client>, at: Timestamp },
    /// A client goes, with its grants, consents and roles.
    DeleteClient { realm_id: String, id: String },
    /// A role.
    PutRole(Role),
    /// A role goes.
    DeleteRole { realm_id: String, id: String },
    /// A role has another among its parts.
    AddComposite { realm_id: String, role_id: String, child_id: String },
    /// It has not.
    RemoveComposite { realm_id: String, role_id: String, child_id: String },
    /// A group.
    PutGroup(Group),
    /// A group goes.
    DeleteGroup { realm_id: String, id: String },
    /// Members of a group have a role.
    AddGroupRole { realm_id: String, group_id: String, role_id: String },
    /// They have not.
    RemoveGroupRole { realm_id: String, group_id: String, role_id: String },
    /// A user, the password apart. One who is switched off is signed out by [`Change::EndSessionsOfUser`].
    PutUser(Box<User>),
    /// No other user's name is this one's e-mail address, and the other way round: committed after the user, where people
    /// sign in by both.
    ExpectOwnLogins { realm_id: String, user_id: String },
    /// No other user signs in by this, which the user's own name is mistaken for: committed after the user.
    ExpectUnlike { realm_id: String, user_id: String, look_alike: String },
    /// A user goes, with sessions, grants and consents.
    DeleteUser { realm_id: String, id: String, at: Timestamp },
    /// A user's password is this (a PHC string).
    SetPassword { realm_id: String, user_id: String, hash: String },
    /// A person changed names and e-mail address of their own, and nothing else is touched; a conflict about the `user` when
    /// the account was switched off or renamed meanwhile.
    ChangeProfile(Box<User>),
    /// What a user must do at the next sign-in.
    SetRequiredActions { realm_id: String, user_id: String, actions: Vec<String> },
    /// A password was right; a conflict about the `password` when it is not any more, or the user was switched off.
    ProvePassword(PasswordProof),
    /// A credential of a user beside the password.
    PutCredential(Credential),
    /// A person calls a credential this; a conflict about the `credential` when there is none.
    LabelCredential { realm_id: String, user_id: String, id: String, label: Option<String> },
    /// A credential has this place among those of its user; a conflict about the `credential` when there is none.
    PlaceCredential { realm_id: String, user_id: String, id: String, priority: i64 },
    /// A device's counter went on; a conflict about the `credential` when it is another by now, or the device is gone.
    AdvanceCredential(Moved),
    /// It goes.
    DeleteCredential { realm_id: String, user_id: String, id: String },
    /// A user has no password any more.
    RemovePassword { realm_id: String, user_id: String },
    /// A user has a role.
    AddUserRole { realm_id: String, user_id: String, role_id: String },
    /// A user has not.
    RemoveUserRole { realm_id: String, user_id: String, role_id: String },
    /// A user is a member.
    AddUserGroup { realm_id: String, user_id: String, group_id: String },
    /// A user is not.
    RemoveUserGroup { realm_id: String, user_id: String, group_id: String },
    /// What Keycloak's representation of something says beyond what this server acts upon.
    PutKeycloakRecord(KeycloakRecord),
    /// It says nothing more. A record that goes takes along what is kept beside it.
    DeleteKeycloakRecord { realm_id: String, kind: String, id: String },
    /// Nothing of the configuration's rows changed, but what is kept in memory must be read again: a service account
    /// got a role.
    Reconfigure { realm_id: String },
    /// The rest was made from this version of the realm's configuration; a conflict about [`super::REALM_CHANGED`] when
    /// another was committed since.
    ExpectVersion { realm_id: String, version: i64 },
    /// The rest was made from this reading of a user; a conflict about [`super::REALM_CHANGED`] when it is not like that
    /// any more.
    ExpectUser(Box<User>),
    /// A person signed in.
    BeginSession { session: Session, fingerprint: String, expires_at: Timestamp },
    /// The same session under another cookie, after the person proved again who they are or gave consent.
    ReauthenticateSession { session: Session, fingerprint: String, expires_at: Timestamp },
    /// A session signed in to a client, which saw this issuer: it is told of the session's end.
    SignInToClient { realm_id: String, session_id: String, client: String, issuer: String },
    /// A session was used.
    TouchSession { realm_id: String, id: String, at: Timestamp, expires_at: Timestamp },
    /// Something is given on a session, which must not have ended; a conflict about the `session` when it has.
    HoldSession { realm_id: String, id: String },
    /// A session ended, and with it its grants that are not offline. Clients that want to hear of it will.
    EndSession { realm_id: String, id: String, at: Timestamp },
    /// Every session of a user ended, and their grants that are not offline.
    EndSessionsOfUser { realm_id: String, user_id: String, at: Timestamp },
    /// The events of a realm go: those of its administrators, or all others.
    ClearEvents { realm_id: String, admin: bool },
    /// Every session of a realm ended, and the grants in it that are not offline.
    EndSessionsOfRealm { realm_id: String, at: Timestamp },
    /// A grant was given.
    AddGrant { grant: Grant, expires_at: Timestamp },
    /// A grant was taken back.
    RevokeGrant { realm_id: String, id: String, at: Timestamp },
    /// Every grant of a user was taken back, the offline ones and those that devices wait for too.
    RevokeGrantsOfUser { realm_id: String, user_id: String, at: Timestamp },
    /// A token by which clients may register themselves.
    AddRegistrationToken { token: InitialToken, fingerprint: String },
    /// It goes; a conflict about [`super::NO_INITIAL_TOKEN`] when it is not there.
    DeleteRegistrationToken { realm_id: String, id: String },
    /// A client registers by it; a conflict about [`super::NO_INITIAL_TOKEN`] when it is not good, or used up.
    SpendRegistrationToken { realm_id: String, fingerprint: String, at: Timestamp },
    /// A client registered itself, as one of at most so many; else a conflict about [`super::REGISTRATION_LIMIT`].
    AddRegistration { realm_id: String, client: String, fingerprint: String, at: Timestamp, limit: i64 },
    /// A client that registered itself changes itself; a conflict about [`super::REGISTRATION_CHANGED`] when its token is
    /// another, it was disabled, or the realm's configuration is not of this version any more.
    TouchRegistration { realm_id: String, client: String, fingerprint: String, version: i64, at: Timestamp },
    /// An access token that hangs on no grant was taken back; it would have been good until then.
    RevokeToken { realm_id: String, jti: String, expires_at: Timestamp },
    /// A code was issued.
    AddCode(AuthorizationCode),
    /// A code was presented with a wrong verifier.
    NoteWrongVerifier { realm_id: String, fingerprint: String },
    /// An identifier is used up; a conflict about the name of its kind when it was before.
    Spend { realm_id: String, spend: Spend },
    /// A code is issued for a pushed request; none can be for one that was spent before.
    SpendPushedRequest { realm_id: String, fingerprint: String, at: Timestamp },
    /// A person said yes to a device that still waits, to `scope` of what it asked.
    ApproveDevice {
        realm_id: String,
        fingerprint: String,
        approval: Approval,
        scope: String,
        details: Vec<Detail>,
    },
    /// A person said no to a device that still waits.
    DenyDevice { realm_id: String, fingerprint: String, at: Timestamp },
    /// A consent was given, or widened by these scopes.
    WidenConsent(Consent),
    /// A consent was withdrawn, and with it every grant of that user to that client.
    WithdrawConsent { realm_id: String, user_id: String, client: String, at: Timestamp },
    /// A password was right: the attempt was no failure.
    ForgiveAttempt { realm_id: String, forgiven: Forgiven },
    /// What was counted against an account (by `brake::account`) is forgotten; none: against every account.
    ForgiveAccount { realm_id: String, account: Option<String> },
    /// Something happened.
    Audit(AuditEvent),
}

impl Change {
    /// `changes`, and each of `others` behind the last of them that is of its kind, or at the end: so it goes to the database
    /// in one statement with them.
    #[must_use]
    pub fn with_their_kind(changes: Vec<Self>, others: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let last: HashMap<_, _> =
            changes.iter().enumerate().map(|(at, one)| (discriminant(one), at)).collect();
        let behind = |one: &Self| last.get(&discriminant(one)).copied().unwrap_or(usize::MAX);
        let mut all: Vec<_> = changes.into_iter().enumerate().collect();
        all.extend(others.into_iter().map(|one| (behind(&one), one)));
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, one)| one).collect()
    }

    /// Whether the change begins a session, or lets it go on under another cookie.
    #[must_use]
    pub fn begins_session(&self) -> bool {
        matches!(self, Self::BeginSession { .. } | Self::ReauthenticateSession { .. })
    }

    /// Whether the change is one of the realm's configuration: what nodes keep in memory, the accounts of clients among it,
    /// and groups, so that whoever plans a realm as a whole sees by its version that they are others. Who deletes a client's
    /// account, or changes what it may, says so by [`Change::Reconfigure`].
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        if let Self::PutUser(user) = self {
            return user.service_account_client.is_some();
        }
        matches!(
            self,
            Self::AddRealm { .. }
                | Self::PutRealm { .. }
                | Self::DeleteRealm { .. }
                | Self::AddKey { .. }
                | Self::RetireKey { .. }
                | Self::DeleteKey { .. }
                | Self::PutScope(_)
                | Self::DeleteScope { .. }
                | Self::PutClient { .. }
                | Self::DeleteClient { .. }
                | Self::PutRole(_)
                | Self::DeleteRole { .. }
                | Self::AddComposite { .. }
                | Self::RemoveComposite { .. }
                | Self::PutGroup(_)
                | Self::DeleteGroup { .. }
                | Self::AddGroupRole { .. }
                | Self::RemoveGroupRole { .. }
                | Self::Reconfigure { .. }
        )
    }

    /// Whether the change may end sessions, of which clients are to be told.
    #[must_use]
    pub fn ends_sessions(&self) -> bool {
        matches!(
            self,
            Self::EndSession { .. }
                | Self::EndSessionsOfUser { .. }
                | Self::EndSessionsOfRealm { .. }
                | Self::DeleteUser { .. }
        )
    }

    /// The realm that it belongs to.
    #[must_use]
    pub fn realm_id(&self) -> &str {
        match self {
            Self::AddRealm { realm, .. } | Self::PutRealm { realm, .. } => &realm.id,
            Self::PutScope(scope) => &scope.realm_id,
            Self::PutClient { client, .. } => &client.realm_id,
            Self::PutRole(role) => &role.realm_id,
            Self::PutGroup(group) => &group.realm_id,
            Self::PutUser(user) | Self::ExpectUser(user) | Self::ChangeProfile(user) => &user.realm_id,
            Self::PutCredential(credential) | Self::AdvanceCredential(Moved { credential, .. }) => {
                &credential.realm_id
            }
            Self::ProvePassword(proof) => &proof.realm_id,
            Self::PutKeycloakRecord(record) => &record.realm_id,
            Self::BeginSession { session, .. } | Self::ReauthenticateSession { session, .. } => {
                &session.realm_id
            }
            Self::AddGrant { grant, .. } => &grant.realm_id,
            Self::AddCode(code) => &code.realm_id,
            Self::WidenConsent(consent) => &consent.realm_id,
            Self::Audit(event) => &event.realm_id,
            Self::AddRegistrationToken { token, .. } => &token.realm_id,
            Self::DeleteRealm { realm_id }
            | Self::AddKey { realm_id, .. }
            | Self::RetireKey { realm_id, .. }
            | Self::DeleteKey { realm_id, .. }
            | Self::DeleteScope { realm_id, .. }
            | Self::DeleteClient { realm_id, .. }
            | Self::DeleteRole { realm_id, .. }
            | Self::AddComposite { realm_id, .. }
            | Self::RemoveComposite { realm_id, .. }
            | Self::DeleteGroup { realm_id, .. }
            | Self::AddGroupRole { realm_id, .. }
            | Self::RemoveGroupRole { realm_id, .. }
            | Self::DeleteUser { realm_id, .. }
            | Self::SetPassword { realm_id, .. }
            | Self::SetRequiredActions { realm_id, .. }
            | Self::RemovePassword { realm_id, .. }
            | Self::EndSessionsOfRealm { realm_id, .. }
            | Self::ClearEvents { realm_id, .. }
            | Self::ForgiveAccount { realm_id, .. }
            | Self::DeleteCredential { realm_id, .. }
            | Self::LabelCredential { realm_id, .. }
            | Self::PlaceCredential { realm_id, .. }
            | Self::DeleteKeycloakRecord { realm_id, .. }
            | Self::AddUserRole { realm_id, .. }
            | Self::RemoveUserRole { realm_id, .. }
            | Self::AddUserGroup { realm_id, .. }
            | Self::RemoveUserGroup { realm_id, .. }
            | Self::Reconfigure { realm_id }
            | Self::ExpectVersion { realm_id, .. }
            | Self::SignInToClient { realm_id, .. }
            | Self::TouchSession { realm_id, .. }
            | Self::HoldSession { realm_id, .. }
            | Self::EndSession { realm_id, .. }
            | Self::EndSessionsOfUser { realm_id, .. }
            | Self::RevokeGrant { realm_id, .. }
            | Self::RevokeGrantsOfUser { realm_id, .. }
            | Self::RevokeToken { realm_id, .. }
            | Self::DeleteRegistrationToken { realm_id, .. }
            | Self::SpendRegistrationToken { realm_id, .. }
            | Self::AddRegistration { realm_id, .. }
            | Self::TouchRegistration { realm_id, .. }
            | Self::SpendPushedRequest { realm_id, .. }
            | Self::NoteWrongVerifier { realm_id, .. }
            | Self::Spend { realm_id, .. }
            | Self::ApproveDevice { realm_id, .. }
            | Self::DenyDevice { realm_id, .. }
            | Self::WithdrawConsent { realm_id, .. }
            | Self::ExpectOwnLogins { realm_id, .. }
            | Self::ExpectUnlike { realm_id, .. }
            | Self::ForgiveAttempt { realm_id, .. } => realm_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_stand_behind_the_last_of_their_kind_or_at_the_end_in_their_order() {
        let configured = |realm: &str| Change::Reconfigure { realm_id: realm.into() };
        let role = |realm: &str| Change::AddUserRole {
            realm_id: realm.into(),
            user_id: "user".into(),
            role_id: "role".into(),
        };
        let scope = |realm: &str| Change::DeleteScope { realm_id: realm.into(), id: "scope".into() };
        let all = Change::with_their_kind(
            vec![configured("1"), configured("2"), role("5")],
            [scope("7"), role("6"), configured("3"), configured("4"), scope("8")],
        );
        let realms: String = all.iter().map(Change::realm_id).collect();
        assert_eq!(realms, "12345678");
    }
}
