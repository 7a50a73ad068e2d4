//! The person's yes or no to a device: `POST …/device/confirm`.

use axum::http::HeaderMap;
use axum::response::Response;

use super::{Asked, Question, aad, about, ask_for_code, still_allowed};
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::{DeviceDone, Link, Name, Trouble};
use crate::http::params::{Form, Params, ParamsError};
use crate::http::sign_in::{self, consent, see_other};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::device_code::{Approval, DeviceCode};
use crate::protocol::scope::Granted;
use crate::protocol::session::Session;
use crate::store::{Change, StoreError};

/// The address of the form is no page of its own.
pub async fn get(context: RealmContext) -> Response {
    see_other(&context.url("/device"))
}

/// Takes the answer.
pub async fn post(context: RealmContext, headers: HeaderMap, Form(form): Form) -> Response {
    submit(&context, &headers, form).await.unwrap_or_else(|error| context.fail(&error))
}

async fn submit(
    context: &RealmContext,
    headers: &HeaderMap,
    form: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    if !context.is_same_origin(headers) {
        return Err(PageError::new(Trouble::Forged));
    }
    let form = form.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let (session, question) = proven(context, headers, &form).await?;
    let device = context.app.store.device_code(&context.state.realm.id, &question.device).await?;
    let Some(device) = device else { return Ok(ask_for_code(context, Some(""))) };
    let Some((client, granted)) = still_allowed(context, &device).await? else {
        return Ok(ask_for_code(context, Some("")));
    };
    // What is asked has changed since the page was shown: the answer is to another question.
    if question.asked != Asked::of(&granted) {
        return Err(PageError::new(Trouble::Expired).again(context.url("/device")));
    }
    let yes = form.get("accept").is_some() && form.get("cancel").is_none();
    let changes = if yes {
        yes_to(context, &session, &device, &client, &granted)
    } else {
        no_to(context, &session, &device, &client)
    };
    match context.app.commit(changes).await {
        Ok(()) => {
            context.app.metrics.device(if yes { "approved" } else { "denied" });
            Ok(done(context, &client, yes))
        }
        Err(StoreError::Conflict { what: "device" }) => {
            answered_before(context, &session, &device, &client).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The question, if it was put to the browser's session.
async fn proven(
    context: &RealmContext,
    headers: &HeaderMap,
    form: &Params,
) -> Result<(Session, Question), PageError> {
    let forged = || PageError::new(Trouble::Forged);
    let sealed = form.get("session_code").unwrap_or_default();
    let plain = context.app.vault.open(&aad(context), sealed).map_err(|_| forged())?;
    let question: Question = serde_json::from_slice(&plain).map_err(|_| forged())?;
    let Some((session, _)) = sign_in::session(context, headers).await? else {
        return Err(PageError::new(Trouble::Expired).again(context.url("/device")));
    };
    if session.id == question.session_id { Ok((session, question)) } else { Err(forged()) }
}

/// The yes is a consent too, so that the person finds the app on the account page and can send it away.
fn yes_to(
    context: &RealmContext,
    session: &Session,
    device: &DeviceCode,
    client: &Client,
    granted: &Granted<'_>,
) -> Vec<Change> {
    let now = context.app.clock.now();
    let approval = Approval {
        at: now,
        user_id: session.user_id.clone(),
        session_id: session.id.clone(),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
    };
    vec![
        consent::given(session, client, granted, now),
        Change::ApproveDevice {
            realm_id: device.realm_id.clone(),
            fingerprint: device.fingerprint.clone(),
            approval,
            scope: granted.stored(),
            details: granted.details.clone(),
        },
        Change::HoldSession { realm_id: session.realm_id.clone(), id: session.id.clone() },
        sign_in::used(session, &context.state.realm.settings, now),
        Change::Audit(about(context, AuditKind::Oauth2DeviceVerifyUserCode, session, Some(client))),
    ]
}

fn no_to(context: &RealmContext, session: &Session, device: &DeviceCode, client: &Client) -> Vec<Change> {
    let event = about(context, AuditKind::Oauth2DeviceVerifyUserCodeError, session, Some(client));
    vec![
        Change::DenyDevice {
            realm_id: device.realm_id.clone(),
            fingerprint: device.fingerprint.clone(),
            at: context.app.clock.now(),
        },
        Change::Audit(AuditEvent { error: Some("rejected_by_user".into()), ..event }),
    ]
}

/// The end for an answer that changed nothing. A button that is pressed twice sends two answers, and the browser shows
/// what comes of the second: it must tell what the first one did.
async fn answered_before(
    context: &RealmContext,
    session: &Session,
    device: &DeviceCode,
    client: &Client,
) -> Result<Response, PageError> {
    let now = context.app.store.device_code(&device.realm_id, &device.fingerprint).await?;
    let by_this_session = |approval: &Approval| approval.session_id == session.id;
    Ok(match now {
        Some(device) if device.denied_at.is_some() => done(context, client, false),
        Some(device) if device.approval.as_ref().is_some_and(by_this_session) => done(context, client, true),
        _ => ask_for_code(context, Some("")),
    })
}

fn done(context: &RealmContext, client: &Client, approved: bool) -> Response {
    let account = context.url("/account/");
    let (client, account) = (Name::new(client.title()), Link::own(&account));
    let view = DeviceDone { shell: context.shell(), client, approved, account };
    context.page(view.page())
}
