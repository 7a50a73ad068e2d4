//! The statements that make each change, in the order in which they are sent.

use super::super::error::StoreError;
use super::super::statement::Statement;
use super::super::{
    audit, backchannel_logout, client, code, consent, credential, deleted_realm, device_code, failure, grant,
    group, kept_secrets, key, keycloak_record, pushed, realm, registration, revoked, role, scope, session,
    spent, user_change, user_password,
};
use super::Change;
use crate::keycloak::Beside;
use crate::protocol::key_rotation;
use crate::vault::Vault;

impl Change {
    /// Appends the statements that make the change; `vault` seals what others keep secret.
    pub(in super::super) fn statements(
        self,
        vault: &Vault,
        to: &mut Vec<Statement>,
    ) -> Result<(), StoreError> {
        match self {
            Self::AddRealm { realm, at } => to.push(realm::add(&realm, at)?),
            Self::PutRealm { realm, at } => {
                let end = key_rotation::outlived_by(at, realm.settings.access_token);
                to.push(realm::put(&realm, at)?);
                to.push(key::outlive(&realm.id, at, end));
            }
            Self::DeleteRealm { realm_id } => deleted_realm::mark(&realm_id, to),
            Self::AddKey { realm_id, key } => to.push(key::add(&realm_id, &key)),
            Self::RetireKey { realm_id, id, served_until } => {
                to.push(key::retire(&realm_id, &id, served_until))
            }
            Self::DeleteKey { realm_id, id } => to.push(key::delete(&realm_id, &id)),
            Self::PutScope(scope) => to.push(scope::put(&scope)?),
            Self::DeleteScope { realm_id, id } => {
                to.push(keycloak_record::delete_beside(&realm_id, Beside::ClientScope, &id));
                to.push(scope::delete(&realm_id, &id));
            }
            Self::PutClient { client, at } => {
                to.push(client::put(&client, at)?);
                let lifetime = client.settings.access_token;
                to.extend(lifetime.map(|lifetime| {
                    key::outlive(&client.realm_id, at, key_rotation::outlived_by(at, lifetime))
                }));
            }
            Self::DeleteClient { realm_id, id } => {
                to.push(keycloak_record::delete_beside(&realm_id, Beside::Client, &id));
                to.push(keycloak_record::delete_beside_roles_of(&realm_id, &id));
                client::delete(&realm_id, &id, to);
            }
            Self::PutRole(role) => to.push(role::put(&role)?),
            Self::DeleteRole { realm_id, id } => {
                to.push(keycloak_record::delete_beside(&realm_id, Beside::Role, &id));
                to.push(role::delete(&realm_id, &id));
            }
            Self::AddComposite { realm_id, role_id, child_id } => {
                to.push(role::add_composite(&realm_id, &role_id, &child_id));
            }
            Self::RemoveComposite { realm_id, role_id, child_id } => {
                to.push(role::remove_composite(&realm_id, &role_id, &child_id));
            }
            Self::PutGroup(group) => to.push(group::put(&group)?),
            Self::DeleteGroup { realm_id, id } => {
                to.push(keycloak_record::delete_beside_groups_from(&realm_id, &id));
                to.push(group::delete(&realm_id, &id));
            }
            Self::AddGroupRole { realm_id, group_id, role_id } => {
                to.push(group::add_role(&realm_id, &group_id, &role_id));
            }
            Self::RemoveGroupRole { realm_id, group_id, role_id } => {
                to.push(group::remove_role(&realm_id, &group_id, &role_id));
            }
            Self::PutUser(user) => to.push(user_change::put(&user)?),
            Self::ExpectOwnLogins { realm_id, user_id } => {
                to.push(user_change::expect_own_logins(&realm_id, &user_id))
            }
            Self::ExpectUnlike { realm_id, user_id, look_alike } => {
                to.push(user_change::expect_unlike(&realm_id, &user_id, &look_alike));
            }
            Self::DeleteUser { realm_id, id, at } => {
                to.push(keycloak_record::delete_beside(&realm_id, Beside::User, &id));
                user_change::delete(&realm_id, &id, at, to);
            }
            Self::ChangeProfile(user) => to.push(user_change::change_profile(&user)?),
            Self::SetRequiredActions { realm_id, user_id, actions } => {
                to.push(user_change::set_required_actions(&realm_id, &user_id, &actions)?);
            }
            Self::SetPassword { realm_id, user_id, hash } => {
                to.push(user_password::set_password(&realm_id, &user_id, &hash))
            }
            Self::ProvePassword(proof) => to.push(user_password::prove(&proof)),
            Self::PutCredential(credential) => to.push(credential::put(&credential)),
            Self::LabelCredential { realm_id, user_id, id, label } => {
                to.push(credential::label(&realm_id, &user_id, &id, label.as_deref()));
            }
            Self::PlaceCredential { realm_id, user_id, id, priority } => {
                to.push(credential::place(&realm_id, &user_id, &id, priority));
            }
            Self::AdvanceCredential(moved) => to.push(credential::advance(&moved)),
            Self::DeleteCredential { realm_id, user_id, id } => {
                to.push(credential::delete(&realm_id, &user_id, &id));
            }
            Self::PutKeycloakRecord(record) => {
                to.push(keycloak_record::put(&kept_secrets::sealed(record, vault))?)
            }
            Self::DeleteKeycloakRecord { realm_id, kind, id } => {
                to.push(keycloak_record::delete(&realm_id, &kind, &id));
            }
            Self::RemovePassword { realm_id, user_id } => {
                to.push(user_password::remove_password(&realm_id, &user_id))
            }
            Self::EndSessionsOfRealm { realm_id, at } => session::end_realm(&realm_id, at, to),
            Self::ClearEvents { realm_id, admin } => to.push(audit::clear(&realm_id, admin)),
            Self::ForgiveAccount { realm_id, account } => {
                to.push(failure::forgive_account(&realm_id, account.as_deref()));
            }
            Self::AddUserRole { realm_id, user_id, role_id } => {
                to.push(user_change::add_role(&realm_id, &user_id, &role_id));
            }
            Self::RemoveUserRole { realm_id, user_id, role_id } => {
                to.push(user_change::remove_role(&realm_id, &user_id, &role_id));
            }
            Self::AddUserGroup { realm_id, user_id, group_id } => {
                to.push(user_change::add_group(&realm_id, &user_id, &group_id));
            }
            Self::RemoveUserGroup { realm_id, user_id, group_id } => {
                to.push(user_change::remove_group(&realm_id, &user_id, &group_id));
            }
            Self::Reconfigure { .. } => {}
            Self::ExpectVersion { realm_id, version } => to.push(realm::expect(&realm_id, version)),
            Self::ExpectUser(user) => to.push(user_change::expect(&user)?),
            Self::BeginSession { session, fingerprint, expires_at } => {
                to.push(session::begin(&session, &fingerprint, expires_at));
            }
            Self::ReauthenticateSession { session, fingerprint, expires_at } => {
                to.push(session::reauthenticate(&session, &fingerprint, expires_at));
            }
            Self::SignInToClient { realm_id, session_id, client, issuer } => {
                to.push(backchannel_logout::signed_in(&realm_id, &session_id, &client, &issuer));
            }
            Self::HoldSession { realm_id, id } => to.push(session::hold(&realm_id, &id)),
            Self::TouchSession { realm_id, id, at, expires_at } => {
                to.push(session::touch(&realm_id, &id, at, expires_at));
            }
            Self::EndSession { realm_id, id, at } => session::end(&realm_id, &id, at, to),
            Self::EndSessionsOfUser { realm_id, user_id, at } => {
                session::end_all(&realm_id, &user_id, at, to)
            }
            Self::AddGrant { grant, expires_at } => to.push(grant::add(&grant, expires_at)?),
            Self::RevokeGrant { realm_id, id, at } => to.push(grant::revoke(&realm_id, &id, at)),
            Self::RevokeGrantsOfUser { realm_id, user_id, at } => {
                to.push(device_code::take_all_back(&realm_id, &user_id, at));
                to.push(grant::revoke_all(&realm_id, &user_id, at));
            }
            Self::AddRegistrationToken { token, fingerprint } => {
                to.push(registration::add_token(&token, &fingerprint));
            }
            Self::DeleteRegistrationToken { realm_id, id } => {
                to.push(registration::delete_token(&realm_id, &id))
            }
            Self::SpendRegistrationToken { realm_id, fingerprint, at } => {
                to.push(registration::spend_token(&realm_id, &fingerprint, at));
            }
            Self::AddRegistration { realm_id, client, fingerprint, at, limit } => {
                to.push(registration::add(&realm_id, &client, &fingerprint, at, limit));
            }
            Self::TouchRegistration { realm_id, client, fingerprint, version, at } => {
                to.push(registration::touch(&realm_id, &client, &fingerprint, version, at));
            }
            Self::RevokeToken { realm_id, jti, expires_at } => {
                to.push(revoked::add(&realm_id, &jti, expires_at));
            }
            Self::SpendPushedRequest { realm_id, fingerprint, at } => {
                to.push(pushed::spend(&realm_id, &fingerprint, at));
            }
            Self::AddCode(code) => to.push(code::add(&code)?),
            Self::NoteWrongVerifier { realm_id, fingerprint } => {
                to.push(code::note_wrong_verifier(&realm_id, &fingerprint));
            }
            Self::Spend { realm_id, spend } => {
                to.push(spent::add(&realm_id, &spend).needs(spend.kind.name()));
            }
            Self::ApproveDevice { realm_id, fingerprint, approval, scope, details } => {
                to.push(device_code::approve(&realm_id, &fingerprint, &approval, &scope, &details)?);
            }
            Self::DenyDevice { realm_id, fingerprint, at } => {
                to.push(device_code::deny(&realm_id, &fingerprint, at));
            }
            Self::WidenConsent(consent) => consent::widen(&consent, to)?,
            Self::WithdrawConsent { realm_id, user_id, client, at } => {
                consent::withdraw(&realm_id, &user_id, &client, at, to);
            }
            Self::ForgiveAttempt { realm_id, forgiven } => failure::forgive(&realm_id, forgiven, to),
            Self::Audit(event) => to.push(audit::add(&event)?),
        }
        Ok(())
    }
}
