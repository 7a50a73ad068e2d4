//! The end of a sign-in: one commit of the grant and its code, and the answer to the client.

use axum::response::Response;
use uuid::Uuid;

use super::Progress;
use super::answer::answer;
use crate::clock::Timestamp;
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::protocol::authorize::AuthorizationRequest;
use crate::protocol::client::Client;
use crate::protocol::code::AuthorizationCode;
use crate::protocol::grant::{Grant, GrantRequest};
use crate::protocol::realm::RealmSettings;
use crate::protocol::scope::{Granted, OFFLINE_ACCESS};
use crate::protocol::session::Session;
use crate::secrets;
use crate::store::{Change, StoreError};

/// What a code is issued for.
pub(super) struct Issue<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a AuthorizationRequest,
    pub(super) granted: &'a Granted<'a>,
    /// What tokens say of how the person signed in.
    pub(super) acr: String,
    /// Fingerprint of the pushed request that the code spends.
    pub(super) pushed: Option<&'a str>,
}

/// Commits a grant with a code, and sends the code.
///
/// # Errors
/// A page, when the database cannot commit: then no code was given out.
pub(super) async fn code(
    context: &RealmContext,
    issue: &Issue<'_>,
    progress: Progress,
) -> Result<Response, PageError> {
    let Progress { session, mut changes, cookies, .. } = progress;
    let Some((session, _)) = session else { return Err(PageError::new(Trouble::Expired)) };
    let now = context.app.clock.now();
    let settings = &context.state.realm.settings;
    let code = secrets::random_token();
    let Issue { client, request, pushed, .. } = *issue;
    let grant = grant(&session, issue, now);
    let code_record = AuthorizationCode {
        fingerprint: secrets::fingerprint(&code),
        realm_id: grant.realm_id.clone(),
        grant_id: grant.id.clone(),
        client: client.id.clone(),
        redirect_uri: request.target.redirect_uri().to_owned(),
        code_challenge: request.code_challenge.clone(),
        confirmation: request.confirmation.clone(),
        issued_at: now,
        expires_at: now.plus(client.code_lifetime(settings)),
        redeemed_at: None,
        failures: 0,
    };
    if let Some(fingerprint) = pushed {
        let (realm_id, fingerprint) = (grant.realm_id.clone(), fingerprint.to_owned());
        changes.insert(0, Change::SpendPushedRequest { realm_id, fingerprint, at: now });
    }
    // One that begins in this transaction is nobody else's yet.
    if !changes.iter().any(Change::begins_session) {
        changes.push(Change::HoldSession { realm_id: session.realm_id.clone(), id: session.id.clone() });
    }
    changes.extend(touch(&session, settings, now));
    changes.push(Change::SignInToClient {
        realm_id: session.realm_id.clone(),
        session_id: session.id.clone(),
        client: client.id.clone(),
        issuer: context.issuer.clone(),
    });
    // Until the code is redeemed the grant is worth no more than the code; redemption sets the real end.
    changes.push(Change::AddGrant { grant, expires_at: now.plus(settings.code) });
    changes.push(Change::AddCode(code_record));
    match context.app.commit(changes).await {
        // Another sign-in was faster with the same pushed request.
        Err(StoreError::Conflict { .. }) if pushed.is_some() => return Err(PageError::new(Trouble::Expired)),
        outcome => outcome?,
    }
    answer(context, client, request.target.grant(code, &session.id, &context.issuer), cookies)
}

/// A session that this very moment has not seen yet was used: one that has just begun is as it should be.
fn touch(session: &Session, settings: &RealmSettings, now: Timestamp) -> Option<Change> {
    (session.last_seen_at < now).then(|| used(session, settings, now))
}

/// A session was used.
pub(in crate::http) fn used(session: &Session, settings: &RealmSettings, now: Timestamp) -> Change {
    let expires_at = session.used(now).ends_at(settings);
    Change::TouchSession { realm_id: session.realm_id.clone(), id: session.id.clone(), at: now, expires_at }
}

fn grant(session: &Session, issue: &Issue<'_>, now: Timestamp) -> Grant {
    Grant {
        id: Uuid::now_v7().to_string(),
        realm_id: session.realm_id.clone(),
        client: issue.client.id.clone(),
        user_id: session.user_id.clone(),
        session_id: Some(session.id.clone()),
        scope: issue.granted.stored(),
        offline: issue.granted.has(OFFLINE_ACCESS),
        auth_time: session.auth_time,
        acr: issue.acr.clone(),
        nonce: issue.request.nonce.clone(),
        request: GrantRequest {
            claims: issue.granted.single_names(),
            audiences: issue.request.resources.clone(),
            authorization_details: issue.granted.details.clone(),
            ..GrantRequest::default()
        },
        parent: None,
        confirmation: None,
        created_at: now,
        last_used_at: now,
        revoked_at: None,
    }
}
