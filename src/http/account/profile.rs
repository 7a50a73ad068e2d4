//! The profile as JSON, by an access token: `GET …/account` tells it (`loadUserProfile` of keycloak-js), `POST` changes it.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::bearer::{self, BearerError, Live};
use crate::http::context::RealmContext;
use crate::http::sign_in::audit;
use crate::http::{cors, dpop};
use crate::protocol::account::{Access, Flaw, Wish, changed, may, profile};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::jws::strict_object;
use crate::store::{Change, StoreError};

/// Why a profile is not changed.
enum Refusal {
    /// By the token.
    Bearer(BearerError),
    /// By what is asked, of the client with this `client_id`.
    Wish { client_id: String, status: StatusCode, flaws: Vec<Flaw> },
}

impl From<BearerError> for Refusal {
    fn from(error: BearerError) -> Self {
        Self::Bearer(error)
    }
}

/// The profile of whom the token speaks for, for apps in the browser too.
pub(super) async fn read(context: &RealmContext, headers: &HeaderMap) -> Response {
    let answer = async {
        let live = admitted(context, headers, Access::Read).await?;
        let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        Ok::<_, BearerError>((live.client_id, (no_store, Json(profile(&live.user))).into_response()))
    };
    let (client_id, response) = match answer.await {
        Ok((client_id, response)) => (Some(client_id), response),
        Err(error) => (error.client_id.clone(), error.into_response()),
    };
    told(context, headers, client_id.as_deref(), response).await
}

/// Changes the profile to what the body says: 204, or 400 with what is wrong of each field.
pub async fn update(
    context: RealmContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (client_id, response) = match change(&context, &headers, body).await {
        Ok(client_id) => (Some(client_id), StatusCode::NO_CONTENT.into_response()),
        Err(Refusal::Bearer(error)) => (error.client_id.clone(), error.into_response()),
        Err(Refusal::Wish { client_id, status, flaws }) => {
            let body = Json(json!({ "errors": flaws }));
            let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            (Some(client_id), (status, no_store, body).into_response())
        }
    };
    told(&context, &headers, client_id.as_deref(), response).await
}

async fn told(
    context: &RealmContext,
    headers: &HeaderMap,
    client_id: Option<&str>,
    response: Response,
) -> Response {
    let response = dpop::with_nonce(context, headers, response);
    cors::allow(context, headers, client_id, response).await
}

/// The token of the request, when it may do this with the account.
async fn admitted(context: &RealmContext, headers: &HeaderMap, access: Access) -> Result<Live, BearerError> {
    let token = bearer::from_header(headers)?.ok_or_else(BearerError::missing)?;
    let live = bearer::admit(context, headers, token).await?;
    if may(&live.claims, access) {
        return Ok(live);
    }
    Err(BearerError::role(match access {
        Access::Read => "The token needs the role view-profile of the client account",
        Access::Change => "The token needs the role manage-account of the client account",
    })
    .of(&live.client_id))
}

/// Gives the `client_id` of the app that changed it.
async fn change(
    context: &RealmContext,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<String, Refusal> {
    let live = admitted(context, headers, Access::Change).await?;
    let client_id = live.client_id;
    let refuse = |status, flaws| Refusal::Wish { client_id: client_id.clone(), status, flaws };
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, vec![Flaw::of_body()]));
    }
    let body = body.ok().and_then(|body| strict_object(&body).ok());
    let wish = body.and_then(|body| serde_json::from_value::<Wish>(body.into()).ok());
    let wish = wish.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, vec![Flaw::of_body()]))?;
    let user = changed(&live.user, &wish).map_err(|flaws| refuse(StatusCode::BAD_REQUEST, flaws))?;
    if user == live.user {
        return Ok(client_id);
    }
    let event = AuditEvent {
        user_id: Some(user.id.clone()),
        client_id: Some(client_id.clone()),
        session_id: live.session.map(|session| session.id),
        ..audit(context, AuditKind::UpdateProfile)
    };
    let (realm_id, user_id) = (user.realm_id.clone(), user.id.clone());
    let mut changes = vec![Change::ChangeProfile(Box::new(user)), Change::Audit(event)];
    // Nobody's address may be another's name, where people sign in by both (attacks U08).
    if context.state.realm.settings.login_with_email {
        changes.push(Change::ExpectOwnLogins { realm_id, user_id });
    }
    match context.app.commit(changes).await {
        Ok(()) => Ok(client_id),
        Err(StoreError::Conflict { what: "email" | "user name" }) => {
            Err(refuse(StatusCode::CONFLICT, vec![Flaw::of_taken_email()]))
        }
        // Whoever looks after users was quicker: the account is off, gone, or has another name.
        Err(StoreError::Conflict { .. }) => Err(BearerError::invalid().of(&client_id).into()),
        Err(error) => Err(BearerError::from(error).into()),
    }
}
