//! Signing in: from an authorization request to its answer, over the pages in between.
//!
//! [`advance`] is the one road. Each step (the request's arrival, a password, a "yes") brings what it has learned and
//! asks again what comes next, so that a step can be neither skipped nor replayed.

mod answer;
pub mod authenticate;
pub mod consent;
mod issue;
mod kc_action;
mod own_page;
pub(super) mod password;
mod required;
pub(super) mod second;
mod step_page;
pub(super) mod views;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;

pub use answer::{no_target, refuse_plainly, see_other, with_cookies};
pub(in crate::http) use issue::used;
pub(in crate::http) use views::asker;

use answer::refuse;

use super::context::RealmContext;
use super::cookies::{self, Kind};
use super::error::{Fault, PageError};
use super::grants;
use super::pages::Trouble;
use super::pending::PendingRequest;
use super::tokens;
use crate::clock::Timestamp;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorization_details;
use crate::protocol::authorize::{
    self, AuthorizationRequest, Decision, Facts, RequestParameters, Target, decide,
};
use crate::protocol::brake;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::pushed_request;
use crate::protocol::request_object;
use crate::protocol::scope::{self, Granted};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::realms::ClientEntry;
use crate::secrets;
use crate::store::Change;

/// What a step has learned.
#[derive(Default)]
pub struct Progress {
    /// The browser's session with its enabled user; one that is only about to be committed included.
    pub session: Option<(Session, User)>,
    /// Whether the person has just signed in, for this request.
    pub signed_in: bool,
    /// Whether the person has just said yes on the consent page.
    pub consented: bool,
    /// What is to be committed with the outcome, whatever it is.
    pub changes: Vec<Change>,
    /// `Set-Cookie` headers.
    pub cookies: Vec<HeaderValue>,
    /// Whether this is the answer to a form, which must not be a page (a reload would post it again).
    pub after_form: bool,
}

impl Progress {
    /// What is known when a request arrives: the session of the browser's cookie.
    ///
    /// # Errors
    /// A page when the database cannot say.
    pub async fn from_cookie(context: &RealmContext, headers: &HeaderMap) -> Result<Self, PageError> {
        Ok(Self { session: session(context, headers).await?, ..Self::default() })
    }

    fn is_signed_in_for(&self, pending: &PendingRequest) -> bool {
        let session = self.session.as_ref().map(|(session, _)| session.id.as_str());
        self.signed_in || (session.is_some() && pending.signed_in.as_deref() == session)
    }

    /// The same request, for the pages after a sign-in.
    fn noted_in(&self, pending: &PendingRequest) -> PendingRequest {
        let session = self.session.as_ref().filter(|_| self.is_signed_in_for(pending));
        let signed_in = session.map(|(session, _)| session.id.clone());
        PendingRequest { signed_in, half: None, ..pending.clone() }
    }
}

/// The live session of the browser that sent `headers`, if its user is enabled.
///
/// # Errors
/// [`crate::store::StoreError`], as a page.
pub async fn session(
    context: &RealmContext,
    headers: &HeaderMap,
) -> Result<Option<(Session, User)>, PageError> {
    let Some(value) = cookies::read(context, headers, Kind::Session) else { return Ok(None) };
    let realm = &context.state.realm;
    let found = context.app.store.session_by_fingerprint(&realm.id, &secrets::fingerprint(&value)).await?;
    let now = context.app.clock.now();
    Ok(found.filter(|(session, user)| user.enabled && session.is_live(&realm.settings, now)))
}

/// Takes a request as far as it goes without the person, commits, and answers.
///
/// # Errors
/// A page, when there is no client to send an answer to.
pub async fn advance(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    progress: Progress,
) -> Result<Response, PageError> {
    let Some(parameters) = &pending.parameters else {
        return own_page::go_on(context, headers, pending, progress).await;
    };
    let entry = client(context, parameters).await?;
    let client = entry.as_ref().map(|entry| &entry.client);
    let target = Target::prove(parameters, client, context.app.rules.strictness)
        .map_err(|refusal| no_target(refusal, parameters, client))?;
    let Some(client) = client else { return Err(PageError::new(Trouble::Client)) };
    let request = match read(context, pending, parameters, client, target.clone()) {
        Ok(request) => request,
        Err(error) => return refuse(context, client, &target, &error, progress).await,
    };
    let granted = match granted(context, client, &request) {
        Ok(granted) => granted,
        Err(error) => return refuse(context, client, &target, &error, progress).await,
    };
    if let Err(error) = grants::audiences::allowed(context, client, &request.resources).await? {
        return refuse(context, client, &target, &error, progress).await;
    }
    let asked = Asked { client, request: &request, granted: &granted };
    let next = next_step(context, pending, &asked, &progress).await?;
    step(context, headers, pending, &asked, next, progress).await
}

/// A request that was read.
struct Asked<'a> {
    client: &'a Client,
    request: &'a AuthorizationRequest,
    granted: &'a Granted<'a>,
}

/// Does what was decided; `acr` is what tokens will say.
async fn step(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    &Asked { client, request, granted }: &Asked<'_>,
    (decision, acr): (Decision, String),
    progress: Progress,
) -> Result<Response, PageError> {
    match decision {
        Decision::Issue => {
            let issue = issue::Issue { client, request, granted, acr, pending };
            issue::code(context, &issue, progress).await
        }
        Decision::Refuse(code) => {
            let error = OAuthError::new(code, answer::refusal_text(code));
            refuse(context, client, &request.target, &error, progress).await
        }
        Decision::SignIn { again } => {
            context.app.commit(progress.changes).await?;
            let (client, request) = (Some(client), Some(request));
            let page = views::Login { client, request, again, ..views::Login::default() };
            let user = progress.session.as_ref().map(|(_, user)| user);
            Ok(with_cookies(page.render(context, headers, pending, user), progress.cookies))
        }
        Decision::Act => kc_action::begin(context, headers, pending, progress).await,
        Decision::AskConsent => {
            let noted = progress.noted_in(pending);
            context.app.commit(progress.changes).await?;
            let Some(person) = &progress.session else { return Err(PageError::new(Trouble::Expired)) };
            let response = if progress.after_form {
                consent::redirect(context, headers, &noted)
            } else {
                views::consent(context, headers, pending, client, person, request, granted)
            };
            Ok(with_cookies(response, progress.cookies))
        }
    }
}

/// The client that a request names, as it is now.
///
/// # Errors
/// A page when the database cannot say.
pub async fn client(
    context: &RealmContext,
    parameters: &RequestParameters,
) -> Result<Option<Arc<ClientEntry>>, PageError> {
    match parameters.get("client_id") {
        Some(id) => Ok(context.state.client(&context.app.store, id).await?),
        None => Ok(None),
    }
}

fn read(
    context: &RealmContext,
    pending: &PendingRequest,
    parameters: &RequestParameters,
    client: &Client,
    target: Target,
) -> Result<AuthorizationRequest, OAuthError> {
    if pending.pushed.is_none() {
        pushed_request::not_pushed(client, &context.state.realm.settings)?;
        if !pending.signed {
            request_object::not_signed(client)?;
        }
    }
    AuthorizationRequest::read(parameters, client, target)
}

/// The request, if it can still be answered; pages after the first know that it could.
fn proven_request(
    context: &RealmContext,
    client: &Client,
    parameters: &RequestParameters,
) -> Option<AuthorizationRequest> {
    let target = Target::prove(parameters, Some(client), context.app.rules.strictness).ok()?;
    AuthorizationRequest::read(parameters, client, target).ok()
}

/// What the client will get, if the person agrees.
///
/// # Errors
/// `invalid_scope`, `invalid_authorization_details`.
pub fn granted<'a>(
    context: &'a RealmContext,
    client: &'a Client,
    request: &AuthorizationRequest,
) -> Result<Granted<'a>, OAuthError> {
    let (settings, known) = (&context.state.realm.settings, &context.state.scopes);
    let granted = scope::grant(request.scope.as_deref(), client, settings, known)
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?;
    let details = authorization_details::read(request.authorization_details.as_deref(), client, settings)?;
    Ok(granted.with_claims(&request.claims.names, client, settings, known).with_details(details))
}

/// What comes next, and the `acr` of the tokens if that is to issue.
async fn next_step(
    context: &RealmContext,
    pending: &PendingRequest,
    &Asked { client, request, granted }: &Asked<'_>,
    progress: &Progress,
) -> Result<(Decision, String), PageError> {
    let realm = &context.state.realm;
    let asks = granted.needs_consent().into_iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    let consent = match &progress.session {
        Some((_, user)) if client.settings.consent => {
            context.app.store.consent(&realm.id, &user.id, &client.id).await?
        }
        _ => None,
    };
    let session = progress.session.as_ref().map(|(session, _)| session);
    let session = session.map(|session| tokens::session_known_to(context, client, session));
    let session = session.as_deref();
    let facts = Facts {
        received_at: pending.received_at,
        now: context.app.clock.now(),
        session,
        signed_in_here: progress.is_signed_in_for(pending),
        hinted_subject: pending.hinted_subject.as_deref(),
        asks: &asks,
        asks_details: !granted.details.is_empty(),
        consent: consent.as_ref(),
        consented_now: progress.consented,
        acted: pending.acted.is_some(),
    };
    let acr = session.map(|session| authorize::acr(request, session, &realm.settings, &facts));
    Ok((decide(request, client, &realm.settings, &facts), acr.unwrap_or_default()))
}

/// Writes down that an attempt had to wait until `until`: the first of each wait.
///
/// # Errors
/// Trouble of ours.
pub async fn note_wait(context: &RealmContext, until: Timestamp, user_id: Option<&str>) -> Result<(), Fault> {
    let network = brake::network(context.address);
    if !context.app.lockouts.is_new(&context.state.realm.id, &network, until) {
        return Ok(());
    }
    let event = AuditEvent {
        user_id: user_id.map(str::to_owned),
        error: Some("too_many_attempts".into()),
        ..audit(context, AuditKind::UserDisabledByTemporaryLockout)
    };
    Ok(context.app.commit(vec![Change::Audit(event)]).await?)
}

/// An audit event of this request.
#[must_use]
pub fn audit(context: &RealmContext, kind: AuditKind) -> AuditEvent {
    AuditEvent {
        id: uuid::Uuid::now_v7().to_string(),
        realm_id: context.state.realm.id.clone(),
        at: context.app.clock.now(),
        kind,
        user_id: None,
        client_id: None,
        session_id: None,
        address: Some(context.address.to_string()),
        error: None,
        detail: serde_json::Value::Object(serde_json::Map::new()),
    }
}
