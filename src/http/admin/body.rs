//! The body of a request to the admin API, which is read once its caller is proven: how long it may be, and what it may be.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::SemaphorePermit;

use super::answer::AdminError;
use super::routes::Route;
use crate::app::App;
use crate::http::params::multipart;
use crate::server::Room;

/// Most bytes of a body that is no realm (attacks O01).
const MOST_BODY: usize = 256 * 1024;

/// Most bytes of a realm: tens of thousands of users.
const MOST_REALM: usize = 16 * 1024 * 1024;

/// Realms with more bytes than this come one after another.
const LARGE_REALM: usize = 1024 * 1024;

/// The paths whose bodies are realms, or parts of one.
pub(in crate::http) const TAKE_REALMS: [&str; 2] = ["/admin/realms", "/admin/realms/{realm}/partialImport"];

/// How a file is sent (RFC 7578).
const FORM: &str = "multipart/form-data";

/// The routes that take files.
const TAKES_FORMS: [&str; 4] = [
    "/admin/realms/{realm}/identity-provider/import-config",
    "/admin/realms/{realm}/localization/{locale}",
    "/admin/realms/{realm}/clients/{client}/certificates/{attribute}/upload",
    "/admin/realms/{realm}/clients/{client}/certificates/{attribute}/upload-certificate",
];

/// What came.
pub(super) struct Received<'a> {
    /// All of it, or nothing where it is a form.
    pub(super) body: Bytes,
    /// The parts of a form.
    pub(super) form: BTreeMap<String, Vec<u8>>,
    /// To be held until the answer is there, by which time what the body took is free again.
    pub(super) turn: Option<SemaphorePermit<'a>>,
}

/// Reads the body of a request whose caller may ask for this.
///
/// # Errors
/// 413 for more than the route takes, 415 for what is no JSON, text or form by its type, 400 for what does not arrive.
pub(super) async fn receive<'a>(
    route: &Route,
    app: &'a App,
    parts: &Parts,
    body: Body,
) -> Result<Received<'a>, AdminError> {
    let (most, turn) = allowance(route, app, parts).await?;
    let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = read(media, body, most, TAKES_FORMS.contains(&route.path.as_str())).await?;
    if !is(media, FORM) {
        return Ok(Received { body, form: BTreeMap::new(), turn });
    }
    let form = multipart::parse(media, &body).map_err(AdminError::unreadable)?;
    Ok(Received { body: Bytes::new(), form, turn })
}

/// How many bytes may come. What takes much memory waits for its turn.
async fn allowance<'a>(
    route: &Route,
    app: &'a App,
    parts: &Parts,
) -> Result<(usize, Option<SemaphorePermit<'a>>), AdminError> {
    if route.method != Method::POST || !TAKE_REALMS.contains(&route.path.as_str()) {
        return Ok((MOST_BODY, None));
    }
    let announced =
        parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes <= LARGE_REALM) {
        return Ok((LARGE_REALM, None));
    }
    if announced.is_some_and(|bytes| bytes > MOST_REALM) {
        return Err(AdminError::too_large(MOST_REALM));
    }
    let turn = app.large_bodies.acquire().await.ok();
    if let Some(room) = parts.extensions.get::<Room>() {
        room.widen(MOST_REALM);
    }
    Ok((MOST_REALM, turn))
}

/// The body, which the server bounds in time. The name of a credential comes as plain text, a file in a form, all else as
/// JSON.
async fn read(media: &str, body: Body, most: usize, takes_forms: bool) -> Result<Bytes, AdminError> {
    let collected = Limited::new(body, most).collect().await;
    let body = collected.map_err(|error| match error.is::<LengthLimitError>() {
        true => AdminError::too_large(most),
        false => AdminError::unreadable("it is too long, too slow or broke off"),
    })?;
    let body = body.to_bytes();
    let fits = ["application/json", "text/plain"].iter().any(|known| is(media, known));
    if !(body.is_empty() || fits || takes_forms && is(media, FORM)) {
        return Err(AdminError::unsupported());
    }
    Ok(body)
}

fn is(media: &str, known: &str) -> bool {
    media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(known)
}
