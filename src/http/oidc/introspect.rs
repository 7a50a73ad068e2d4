//! The introspection endpoint (RFC 7662, and RFC 9701 for signed answers): `POST …/token/introspect`.

use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::token::no_store;
use crate::http::bearer;
use crate::http::client_auth;
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::{Form, Params, ParamsError, Query};
use crate::http::tokens;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grants::refresh_token;
use crate::protocol::introspection::{self, inactive, may_know};

/// Tells a confidential client what one of its tokens is good for.
pub async fn introspect(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    match answer(&context, &headers, query, form).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<Response, ApiError> {
    let (form, authenticated) = client_auth::request(context, headers, query, form).await?;
    client_auth::use_up(context, &authenticated).await?;
    let caller = &authenticated.entry.client;
    let members = members(context, caller, &form).await?;
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if !introspection::wants_signed(accept) {
        return Ok(no_store(&members));
    }
    let signed = tokens::sign_introspection(context, caller, members)?;
    let jwt = (CONTENT_TYPE, HeaderValue::from_static(introspection::MEDIA_TYPE));
    Ok(([jwt, (CACHE_CONTROL, HeaderValue::from_static("no-store"))], signed).into_response())
}

/// `token_type_hint` is not read: the two kinds are told apart by the keys that signed them, before anything is
/// looked up (RFC 7662 §2.1 lets a server ignore it).
async fn members(
    context: &RealmContext,
    caller: &Client,
    form: &Params,
) -> Result<Map<String, Value>, ApiError> {
    // Who proves nothing could try tokens here until one is good (RFC 7662 §2.1, attacks I01).
    if caller.is_public() {
        let why = "A public client cannot introspect";
        return Err(OAuthError::new(ErrorCode::InvalidClient, why).into());
    }
    let missing = || OAuthError::new(ErrorCode::InvalidRequest, "token is missing");
    let token = form.get("token").ok_or_else(missing)?;
    if let Some(known) = of_refresh_token(context, caller, token).await? {
        return Ok(known);
    }
    match bearer::live(context, token).await.map_err(bearer::BearerError::into_fault) {
        Ok(live) if may_know(caller, &live.claims) => Ok(tokens::introspection(context, &live)),
        Ok(_) => Ok(inactive()),
        Err(Some(fault)) => Err(fault),
        Err(None) => Ok(inactive()),
    }
}

/// The answer when `token` is a refresh token at all. Only its own client learns about it; one that was used before is
/// not good, though a client whose answer got lost may still retry with it.
async fn of_refresh_token(
    context: &RealmContext,
    caller: &Client,
    token: &str,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let Some(id) = tokens::refresh_token_id(context, token) else { return Ok(None) };
    let realm = &context.state.realm;
    let record = context.app.store.refresh_token(&realm.id, &id).await?;
    let now = context.app.clock.now();
    let good = refresh_token::check(record.as_ref(), caller, &realm.settings, now).is_ok();
    let unused = |record: &refresh_token::RefreshRecord| {
        record.token.used_at.is_none() && record.token.superseded_at.is_none()
    };
    let known = record.filter(|record| good && unused(record));
    Ok(Some(known.map_or_else(inactive, |record| tokens::refresh_introspection(context, caller, &record))))
}
