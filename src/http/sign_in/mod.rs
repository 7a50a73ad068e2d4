//! Signing in: from an authorization request to its answer, over the pages in between.
//!
//! [`advance`] is the one road. Each step (the request's arrival, a password, a "yes") brings what it has learned and
//! asks again what comes next, so that a step can be neither skipped nor replayed.

pub mod authenticate;
pub mod consent;
mod issue;
pub(super) mod password;
pub(super) mod views;

use std::sync::Arc;

use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

pub(in crate::http) use views::asker;

use super::context::RealmContext;
use super::cookies::{self, Kind};
use super::error::PageError;
use super::grants;
use super::pages::Trouble;
use super::pending::{OwnPage, PendingRequest};
use super::tokens;
use crate::protocol::audit::AuditKind;
use crate::protocol::authorization_details;
use crate::protocol::authorize::{
    self, Answer, AuthorizationRequest, Decision, Delivery, Facts, NoTarget, RequestParameters, Target,
    decide,
};
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
        PendingRequest { signed_in: session.map(|(session, _)| session.id.clone()), ..pending.clone() }
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
        return to_own_page(context, headers, pending, progress).await;
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
    let (decision, acr) = next_step(context, pending, &request, client, &granted, &progress).await?;
    match decision {
        Decision::Issue => {
            let pushed = pending.pushed.as_deref();
            let issue = issue::Issue { client, request: &request, granted: &granted, acr, pushed };
            issue::code(context, &issue, progress).await
        }
        Decision::Refuse(code) => {
            refuse(context, client, &target, &OAuthError::new(code, refusal_text(code)), progress).await
        }
        Decision::SignIn { again } => {
            context.app.commit(progress.changes).await?;
            let page = views::Login {
                client: Some(client),
                request: Some(&request),
                again,
                ..views::Login::default()
            };
            let user = progress.session.as_ref().map(|(_, user)| user);
            Ok(with_cookies(page.render(context, headers, pending, user), progress.cookies))
        }
        Decision::AskConsent => {
            let noted = progress.noted_in(pending);
            context.app.commit(progress.changes).await?;
            let Some(person) = &progress.session else { return Err(PageError::new(Trouble::Expired)) };
            let response = if progress.after_form {
                consent::redirect(context, headers, &noted)
            } else {
                views::consent(context, headers, pending, client, person, &request, &granted)
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
    request: &AuthorizationRequest,
    client: &Client,
    granted: &Granted<'_>,
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
    };
    let acr = session.map(|session| authorize::acr(request, session, &realm.settings, &facts));
    Ok((decide(request, client, &realm.settings, &facts), acr.unwrap_or_default()))
}

/// Commits what was learned, and tells the client why it gets no code.
async fn refuse(
    context: &RealmContext,
    client: &Client,
    target: &Target,
    error: &OAuthError,
    progress: Progress,
) -> Result<Response, PageError> {
    context.app.commit(progress.changes).await?;
    answer(context, client, target.refuse(error, &context.issuer), progress.cookies)
}

/// Refuses a request before it was read, to where its parameters say in the open.
///
/// # Errors
/// A page, when they name no address of the client's.
pub async fn refuse_plainly(
    context: &RealmContext,
    client: &Client,
    parameters: &RequestParameters,
    error: &OAuthError,
) -> Result<Response, PageError> {
    let target = Target::prove(parameters, Some(client), context.app.rules.strictness)
        .map_err(|refusal| no_target(refusal, parameters, Some(client)))?;
    refuse(context, client, &target, error, Progress::default()).await
}

fn refusal_text(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::LoginRequired => "Nobody is signed in, or the sign-in is too old",
        ErrorCode::ConsentRequired => "The person must be asked for consent",
        ErrorCode::UnmetAuthenticationRequirements => {
            "No sign-in in this realm has the acr that was asked for"
        }
        _ => "The person refused",
    }
}

/// The page for a request that cannot be answered at the client, with help for its developer.
pub fn no_target(refusal: NoTarget, parameters: &RequestParameters, client: Option<&Client>) -> PageError {
    let client_id = || ("client_id", parameters.get("client_id").unwrap_or_default().to_owned());
    match refusal {
        NoTarget::ClientMissing => PageError::new(Trouble::Request).detail("Missing parameter: client_id"),
        NoTarget::ClientUnknown => PageError::new(Trouble::Client)
            .detail("Client not found.")
            .hint("No enabled client of this realm has this client_id.", vec![client_id()]),
        NoTarget::RedirectUriMissing => PageError::new(Trouble::Redirect)
            .detail("Invalid parameter: redirect_uri")
            .hint("The request names no redirect_uri.", vec![client_id()]),
        NoTarget::RedirectUriUnregistered => {
            let registered =
                client.map(|client| client.settings.redirect_uris.join("  ")).unwrap_or_default();
            let requested = parameters.get("redirect_uri").unwrap_or_default().to_owned();
            let facts = vec![client_id(), ("redirect_uri", requested), ("registered", registered)];
            PageError::new(Trouble::Redirect)
                .detail("Invalid parameter: redirect_uri")
                .hint("The redirect_uri is not one of those that are registered for the client.", facts)
        }
    }
}

/// A page of the server's own, for a person who signed in for it and for no client.
async fn to_own_page(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    progress: Progress,
) -> Result<Response, PageError> {
    context.app.commit(progress.changes).await?;
    let response = if progress.session.is_some() {
        see_other(&match &pending.page {
            OwnPage::Account => context.url("/account/"),
            OwnPage::Device { user_code } => super::device::address(context, user_code),
        })
    } else {
        views::Login::default().render(context, headers, pending, None)
    };
    Ok(with_cookies(response, progress.cookies))
}

/// An answer on its way to the client, by redirect or by a form, signed where the client asked for that.
fn answer(
    context: &RealmContext,
    client: &Client,
    answer: Answer,
    cookies: Vec<HeaderValue>,
) -> Result<Response, PageError> {
    let answer = match answer.claims(&client.client_id, context.app.clock.now()) {
        Some(claims) => answer.signed(tokens::sign_response(context, client, &claims)?),
        None => answer,
    };
    let response = match answer.deliver() {
        Delivery::Redirect(address) => see_other(&address),
        Delivery::FormPost { action, fields } => views::form_post(context, client, &action, &fields),
    };
    Ok(with_cookies(response, cookies))
}

/// 303: the browser goes on with GET, whatever it came with (RFC 9700 §4.12).
#[must_use]
pub fn see_other(address: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(address) else { return StatusCode::BAD_REQUEST.into_response() };
    let no_store = HeaderValue::from_static("no-store");
    (StatusCode::SEE_OTHER, [(LOCATION, location), (axum::http::header::CACHE_CONTROL, no_store)])
        .into_response()
}

/// The same response with these `Set-Cookie` headers.
#[must_use]
pub fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// An audit event of this request.
#[must_use]
pub fn audit(context: &RealmContext, kind: AuditKind) -> crate::protocol::audit::AuditEvent {
    crate::protocol::audit::AuditEvent {
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
