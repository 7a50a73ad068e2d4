//! The end of a sign-in: one commit of the grant and its code, and the answer to the client.

use axum::response::Response;
use uuid::Uuid;

use super::Progress;
use super::answer::{answer, see_other, with_cookies};
use crate::clock::Timestamp;
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::pending::PendingRequest;
use crate::protocol::authorize::AuthorizationRequest;
use crate::protocol::client::Client;
use crate::protocol::code::AuthorizationCode;
use crate::protocol::grant::{Grant, GrantRequest};
use crate::protocol::realm::RealmSettings;
use crate::protocol::scope::{Granted, OFFLINE_ACCESS};
use crate::protocol::session::Session;
use crate::protocol::spend::SpendKind;
use crate::secrets;
use crate::store::{Change, StoreError};

/// What a code is issued for.
pub(super) struct Issue<'a> {
    pub(super) client: &'a Client,
    pub(super) request: &'a AuthorizationRequest,
    pub(super) granted: &'a Granted<'a>,
    /// What tokens say of how the person signed in.
    pub(super) acr: String,
    /// The request as it waited; the code uses it up.
    pub(super) pending: &'a PendingRequest,
}

/// Commits a grant with a code, and sends the code.
///
/// # Errors
/// A page, when the request was answered before or the database cannot commit: then no code was given out.
pub(super) async fn code(
    context: &RealmContext,
    issue: &Issue<'_>,
    progress: Progress,
) -> Result<Response, PageError> {
    let Some((session, _)) = &progress.session else { return Err(PageError::new(Trouble::Expired)) };
    let now = context.app.clock.now();
    let settings = &context.state.realm.settings;
    let code = secrets::random_token();
    let Issue { client, request, pending, .. } = *issue;
    let grant = grant(session, issue, now);
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
    let mut changes = used_up(pending, &grant, settings, now);
    changes.extend(progress.changes.iter().cloned());
    // One that begins in this transaction is nobody else's yet.
    if !changes.iter().any(Change::begins_session) {
        changes.push(Change::HoldSession { realm_id: session.realm_id.clone(), id: session.id.clone() });
    }
    changes.extend(touch(session, settings, now));
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
        Err(StoreError::Conflict { what }) if what == SpendKind::AuthorizationRequest.name() => {
            return answered_before(context, pending, progress).await;
        }
        // Another sign-in was faster with the same pushed request.
        Err(StoreError::Conflict { .. }) if pending.pushed.is_some() => {
            return Err(PageError::new(Trouble::Expired));
        }
        outcome => outcome?,
    }
    let granted = request.target.grant(code, &session.id, &context.issuer, pending.acted);
    answer(context, client, granted, progress.cookies)
}

/// What the request is used up by.
fn used_up(pending: &PendingRequest, grant: &Grant, settings: &RealmSettings, now: Timestamp) -> Vec<Change> {
    let realm_id = || grant.realm_id.clone();
    let page = pending.spend(settings, now).map(|spend| Change::Spend { realm_id: realm_id(), spend });
    let pushed = pending.pushed.clone().map(|fingerprint| {
        let realm_id = realm_id();
        Change::SpendPushedRequest { realm_id, fingerprint, at: now }
    });
    page.into_iter().chain(pushed).collect()
}

/// The end for a page of a request that was answered. Who comes back to one hears that it is over. Who sent a form twice
/// (a button that is pressed twice does, and the browser shows what comes of the second) has proven something: what it
/// is stands, and the request is made anew, with all that it asks.
async fn answered_before(
    context: &RealmContext,
    pending: &PendingRequest,
    progress: Progress,
) -> Result<Response, PageError> {
    let Some(anew) = pending.anew(context) else { return Err(PageError::new(Trouble::Expired)) };
    if !progress.after_form {
        return Err(PageError::new(Trouble::Expired).again(anew));
    }
    context.app.commit(progress.changes).await?;
    Ok(with_cookies(see_other(&anew), progress.cookies))
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
