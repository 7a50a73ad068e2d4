//! The consent page: `GET` and `POST /login-actions/consent`.

use axum::http::HeaderMap;
use axum::response::Response;

use super::{Progress, advance, audit, see_other, views, with_cookies};
use crate::clock::Timestamp;
use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::params::{Form, Params, ParamsError, Query};
use crate::http::pending::PendingRequest;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::consent::Consent;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::scope::Granted;
use crate::protocol::session::Session;
use crate::secrets;
use crate::store::Change;

/// Sends the browser to the consent page of a pending request.
pub(super) fn redirect(context: &RealmContext, headers: &HeaderMap, pending: &PendingRequest) -> Response {
    let sealed = pending.seal(context, headers);
    let response = see_other(&views::consent_address(context, &sealed.code));
    with_cookies(response, sealed.cookie.into_iter().collect())
}

/// Shows the page, or goes on when consent is not needed any more.
pub async fn get(context: RealmContext, headers: HeaderMap, Query(query): Query) -> Response {
    super::authenticate::get(context, headers, Query(query)).await
}

/// Takes the person's yes or no.
pub async fn post(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    submit(&context, &headers, query, form).await.unwrap_or_else(|error| context.fail(&error))
}

async fn submit(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    if !context.is_same_origin(headers) {
        return Err(PageError::new(Trouble::Forged));
    }
    let query = query.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let form = form.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let pending = PendingRequest::open(context, headers, &query).await?;
    let mut progress = Progress::from_cookie(context, headers).await?;
    progress.after_form = true;
    let Some(parameters) = &pending.parameters else { return Err(PageError::new(Trouble::Expired)) };
    let entry = match parameters.get("client_id") {
        Some(id) => context.state.client(&context.app.store, id).await?,
        None => None,
    };
    let Some(client) = entry.as_ref().map(|entry| &entry.client) else {
        return Err(PageError::new(Trouble::Client));
    };
    let Some(request) = super::proven_request(context, client, parameters) else {
        return Err(PageError::new(Trouble::Expired));
    };
    // Without a session there is nobody who could consent: the road leads back to the sign-in page.
    let Some((session, _)) = progress.session.clone() else {
        return advance(context, headers, &pending, progress).await;
    };
    let granted = super::granted(context, client, &request)
        .map_err(|error| PageError::new(Trouble::Request).detail(error.description))?;
    // The answer to another question is none: the page is shown anew, for who is signed in now and what is asked now.
    if pending.asked != Some(question(&session, client, &granted)) {
        return advance(context, headers, &pending, progress).await;
    }
    let said_yes = form.get("accept").is_some() && form.get("cancel").is_none();
    if !said_yes {
        let event = about(context, AuditKind::ConsentDenied, &session, client);
        progress.changes.push(Change::Audit(event));
        let error = OAuthError::new(ErrorCode::AccessDenied, "The person refused");
        return super::answer::refuse(context, client, &request.target, &error, progress).await;
    }
    allow(context, &mut progress, client, &granted, session);
    advance(context, headers, &pending, progress).await
}

/// What the consent page asks.
pub(super) fn question(session: &Session, client: &Client, granted: &Granted<'_>) -> String {
    let mut asked: Vec<&str> = granted.needs_consent().into_iter().map(|(name, _)| name).collect();
    let details = secrets::fingerprint(&serde_json::json!(granted.details).to_string());
    asked.extend((!granted.details.is_empty()).then_some(details.as_str()));
    crate::protocol::consent::question(session, &client.id, &asked)
}

/// Remembers the consent, under a new session cookie (attacks S02).
fn allow(
    context: &RealmContext,
    progress: &mut Progress,
    client: &Client,
    granted: &Granted<'_>,
    session: Session,
) {
    let (app, realm) = (&context.app, &context.state.realm);
    let (cookie, fingerprint) = cookies::fresh();
    progress.changes.push(given(&session, client, granted, app.clock.now()));
    progress.changes.push(Change::Audit(about(context, AuditKind::GrantConsent, &session, client)));
    let age = session.remembered.then_some(realm.settings.remember_me_max);
    let expires_at = session.ends_at(&realm.settings);
    progress.changes.push(Change::ReauthenticateSession { session, fingerprint, expires_at });
    progress.cookies.extend(cookies::set(context, Kind::Session, &cookie, age));
    progress.consented = true;
}

/// What the person of `session` allowed at `now`, beside what the client was allowed before.
pub(in crate::http) fn given(
    session: &Session,
    client: &Client,
    granted: &Granted<'_>,
    now: Timestamp,
) -> Change {
    Change::WidenConsent(Consent {
        realm_id: session.realm_id.clone(),
        user_id: session.user_id.clone(),
        client: client.id.clone(),
        scopes: granted.needs_consent().into_iter().map(|(name, _)| name.to_owned()).collect(),
        granted_at: now,
        updated_at: now,
    })
}

fn about(context: &RealmContext, kind: AuditKind, session: &Session, client: &Client) -> AuditEvent {
    AuditEvent {
        user_id: Some(session.user_id.clone()),
        session_id: Some(session.id.clone()),
        client_id: Some(client.client_id.clone()),
        ..audit(context, kind)
    }
}
