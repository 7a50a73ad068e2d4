//! The revocation endpoint (RFC 7009): `POST …/protocol/openid-connect/revoke`.

use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::{Form, Params, ParamsError, Query};
use crate::http::sign_in::audit;
use crate::http::{bearer, client_auth, cors, tokens};
use crate::protocol::access_token;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::revocation::{self, Decision};
use crate::store::{Change, StoreError};

/// Takes back a token and what it hangs on.
pub async fn revoke(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    let client_id = client_auth::named(&headers, &form);
    let response = match take_back(&context, &headers, query, form).await {
        Ok(()) => (StatusCode::OK, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response(),
        Err(error) => error.into_response(),
    };
    cors::allow(&context, &headers, client_id.as_deref(), response).await
}

/// `token_type_hint` is not read, as at introspection. While the database is away the answer is 503, which says that
/// the token may still be good (§2.2.1); a 200 would be a lie.
async fn take_back(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<(), ApiError> {
    let (form, caller) = client_auth::request(context, headers, query, form).await?;
    client_auth::use_up(context, &caller).await?;
    let client = &caller.entry.client;
    let missing = || OAuthError::new(ErrorCode::InvalidRequest, "token is missing");
    let token = form.get("token").ok_or_else(missing)?;
    let (store, realm_id) = (&context.app.store, &context.state.realm.id);
    let (decision, grant) = if let Some(id) = tokens::refresh_token_id(context, token) {
        let grant = store.refresh_token(realm_id, &id).await?.map(|record| record.grant);
        (revocation::refresh_token(grant.as_ref(), client), grant)
    } else if let Ok(claims) = bearer::genuine(context, token) {
        let grant_id = claims.text("jti").and_then(access_token::grant_of);
        let grant = match grant_id {
            Some(id) => store.grant_with_user(realm_id, id).await?.map(|(grant, ..)| grant),
            None => None,
        };
        (revocation::access_token(&claims, grant.as_ref(), client), grant)
    } else {
        (Decision::Nothing, None)
    };
    commit(context, client, decision, grant.as_ref()).await
}

async fn commit(
    context: &RealmContext,
    client: &Client,
    decision: Decision,
    grant: Option<&Grant>,
) -> Result<(), ApiError> {
    let (realm_id, at) = (context.state.realm.id.clone(), context.app.clock.now());
    let change = match (decision, grant) {
        (Decision::Refuse(error), _) => return Err(error.into()),
        (Decision::Grant, Some(grant)) => Change::RevokeGrant { realm_id, id: grant.id.clone(), at },
        (Decision::Token { jti, expires_at }, _) => Change::RevokeToken { realm_id, jti, expires_at },
        (Decision::Nothing, _) | (Decision::Grant, None) => return Ok(()),
    };
    let event = AuditEvent {
        user_id: grant.map(|grant| grant.user_id.clone()),
        session_id: grant.and_then(|grant| grant.session_id.clone()),
        client_id: Some(client.client_id.clone()),
        ..audit(context, AuditKind::RevokeGrant)
    };
    context.app.commit(vec![change, Change::Audit(event)]).await.map_err(|error: StoreError| error.into())
}
