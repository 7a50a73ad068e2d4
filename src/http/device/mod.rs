//! Where a person connects a device (RFC 8628 §3.3): `GET` and `POST …/device` take the code, `…/device/confirm` takes the
//! yes or no. `…/device/qr.svg` is for the device's screen.
//!
//! A code is looked up for who is signed in alone, so that guessing needs an account. Nothing is approved but by the
//! button of a page that this session was shown (attacks D02, D04).

pub mod answer;
pub mod qr;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::context::RealmContext;
use super::error::PageError;
use super::pages::{
    Detail, DeviceCode as CodePage, DeviceConfirm, Entry, Hidden, Link, Moment, Name, Trouble,
};
use super::params::{Form, Params, ParamsError, Query};
use super::pending::PendingRequest;
use super::sign_in::{self, Progress, audit, see_other, views};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorization_details;
use crate::protocol::brake;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::device_code::DeviceCode;
use crate::protocol::scope::{self, Granted};
use crate::protocol::session::Session;
use crate::protocol::user::User;
use crate::protocol::user_code::UserCode;
use crate::secrets;
use crate::store::{Change, DeviceLookup};

/// What the question is about, sealed: the answer to another question, or of another session, is none.
#[derive(Serialize, Deserialize)]
struct Question {
    session_id: String,
    /// The request's fingerprint.
    device: String,
    /// What was shown to be asked.
    asked: Asked,
}

/// What a device asks: the scope as it is kept, and a fingerprint of the details.
#[derive(PartialEq, Serialize, Deserialize)]
struct Asked {
    scope: String,
    details: String,
}

impl Asked {
    fn of(granted: &Granted<'_>) -> Self {
        let details = secrets::fingerprint(&serde_json::json!(granted.details).to_string());
        Self { scope: granted.stored(), details }
    }
}

/// Asks for the code, or about the device whose code came with the address.
pub async fn show(context: RealmContext, headers: HeaderMap, Query(query): Query) -> Response {
    page(&context, &headers, query).await.unwrap_or_else(|error| context.fail(&error))
}

async fn page(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    let query = query.map_err(|why| PageError::new(Trouble::Request).detail(why.description()))?;
    let Some(typed) = query.get("user_code") else { return Ok(ask_for_code(context, None)) };
    let Some(code) = UserCode::parse(typed) else { return Ok(ask_for_code(context, Some(typed))) };
    let progress = Progress::from_cookie(context, headers).await?;
    match &progress.session {
        Some((session, user)) => question(context, headers, (session, user), &code).await,
        None => {
            let pending = PendingRequest::device(context.app.clock.now(), code.to_string());
            sign_in::advance(context, headers, &pending, progress).await
        }
    }
}

/// Takes the typed code to the address that asks about its device.
pub async fn submit(context: RealmContext, headers: HeaderMap, Form(form): Form) -> Response {
    if !context.is_same_origin(&headers) {
        return context.fail(&PageError::new(Trouble::Forged));
    }
    let form = match form {
        Ok(form) => form,
        Err(why) => return context.fail(&PageError::new(Trouble::Request).detail(why.description())),
    };
    let typed = form.get("device_user_code").unwrap_or_default();
    match UserCode::parse(typed) {
        Some(code) => see_other(&address(&context, &code)),
        None => ask_for_code(&context, Some(typed)),
    }
}

/// Where a device with this code is asked about.
pub(super) fn address(context: &RealmContext, code: impl std::fmt::Display) -> String {
    context.url(&format!("/device?user_code={code}"))
}

fn ask_for_code(context: &RealmContext, refused: Option<&str>) -> Response {
    let action = format!("{}/device", super::realm_path(context));
    let view = CodePage {
        shell: context.shell(),
        action: Link::own(&action),
        hidden: Vec::new(),
        code: Entry::from(refused.unwrap_or_default()),
        unknown: refused.is_some(),
    };
    let status = if refused.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    context.page(view.page().status(status))
}

async fn question(
    context: &RealmContext,
    headers: &HeaderMap,
    (session, user): (&Session, &User),
    code: &UserCode,
) -> Result<Response, PageError> {
    let (store, realm) = (&context.app.store, &context.state.realm);
    let now = context.app.clock.now();
    let counters = brake::device_counters(&user.id, context.address, now);
    let fingerprint = secrets::fingerprint(code.canonical());
    let device = match store.waiting_device(&realm.id, &fingerprint, counters, now).await? {
        DeviceLookup::Found(device) => device,
        DeviceLookup::Unknown => {
            note_wrong_code(context, session).await?;
            return Ok(ask_for_code(context, Some(&code.to_string())));
        }
        DeviceLookup::WaitUntil(until) => {
            context.app.metrics.device("too_many_attempts");
            sign_in::note_wait(context, until, Some(&user.id)).await?;
            return Err(PageError::new(Trouble::Busy).retry_after(until.since(now)));
        }
    };
    let Some((client, granted)) = still_allowed(context, &device).await? else {
        return Ok(ask_for_code(context, Some(&code.to_string())));
    };
    Ok(ask(context, headers, (session, user), code, (&device, &client, &granted)))
}

/// The client that asked and what it may have today; none when it may not ask any more.
async fn still_allowed<'a>(
    context: &'a RealmContext,
    device: &DeviceCode,
) -> Result<Option<(Client, Granted<'a>)>, PageError> {
    let client = context.app.store.client_by_id(&context.state.realm.id, &device.client).await?;
    let allowed = client.filter(|client| client.enabled && client.may(GrantType::DeviceCode));
    Ok(allowed.map(|client| {
        let settings = &context.state.realm.settings;
        let details = authorization_details::keep(&device.details, &client, settings);
        let granted = scope::regrant(&device.scope, &client, settings, &context.state.scopes);
        (client, granted.with_details(details))
    }))
}

fn ask(
    context: &RealmContext,
    headers: &HeaderMap,
    (session, user): (&Session, &User),
    code: &UserCode,
    (device, client, granted): (&DeviceCode, &Client, &Granted<'_>),
) -> Response {
    let question = Question {
        session_id: session.id.clone(),
        device: device.fingerprint.clone(),
        asked: Asked::of(granted),
    };
    let sealed = context.app.vault.seal(&aad(context), &serde_json::to_vec(&question).unwrap_or_default());
    let action = format!("{}/device/confirm", super::realm_path(context));
    let (shown, code) = (user.full_name().unwrap_or_else(|| user.username.clone()), code.to_string());
    let details = views::details(context, granted);
    let pending = PendingRequest::device(context.app.clock.now(), code.clone());
    let bound = pending.seal(context, headers);
    let elsewhere = views::choose_account(context, &pending, &bound);
    let view = DeviceConfirm {
        shell: context.shell(),
        client: views::asker(client),
        user: Name::new(&shown),
        switch_account: Link::own(&elsewhere),
        code: Entry::from(code.as_str()),
        origin: Name::new(&device.address),
        asked: Moment(device.issued_at),
        asks: granted.needs_consent().into_iter().map(|(_, text)| Name::new(text)).collect(),
        details: details.iter().map(|(sentence, lines)| Detail::new(sentence, lines)).collect(),
        action: Link::own(&action),
        hidden: vec![Hidden { name: "session_code", value: &sealed }],
    };
    sign_in::with_cookies(context.page(view.page()), bound.cookie.into_iter().collect())
}

fn aad(context: &RealmContext) -> String {
    format!("device question/{}", context.state.realm.id)
}

fn about(context: &RealmContext, kind: AuditKind, session: &Session, client: Option<&Client>) -> AuditEvent {
    AuditEvent {
        user_id: Some(session.user_id.clone()),
        session_id: Some(session.id.clone()),
        client_id: client.map(|client| client.client_id.clone()),
        ..audit(context, kind)
    }
}

async fn note_wrong_code(context: &RealmContext, session: &Session) -> Result<(), PageError> {
    let event = about(context, AuditKind::Oauth2DeviceVerifyUserCodeError, session, None);
    let event = AuditEvent { error: Some("invalid_oauth2_user_code".into()), ..event };
    context.app.metrics.device("wrong_code");
    Ok(context.app.commit(vec![Change::Audit(event)]).await?)
}
