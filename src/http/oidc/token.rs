//! The token endpoint (RFC 6749 §3.2): `POST …/protocol/openid-connect/token`.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, ORIGIN, PRAGMA};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::certificate;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::cors;
use crate::http::dpop;
use crate::http::error::ApiError;
use crate::http::grants::{self, Refused};
use crate::http::params::{Form, Params, ParamsError, Query};
use crate::protocol::client::GrantType;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grants::password;
use crate::protocol::token_response::TokenResponse;

/// Issues tokens for a grant.
pub async fn token(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    // Which client it is matters to a browser on another origin alone.
    let client_id = headers.get(ORIGIN).and_then(|_| client_auth::named(&headers, &form));
    let response = match issue(&context, &headers, query, form).await {
        Ok(tokens) => no_store(&tokens),
        Err(error) => error.into_response(),
    };
    let response = dpop::with_nonce(&context, &headers, response);
    cors::allow(&context, &headers, client_id.as_deref(), response).await
}

async fn issue(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<TokenResponse, ApiError> {
    let (form, mut caller) = client_auth::token_request(context, headers, query, form).await?;
    match by_grant(context, headers, &mut caller, &form).await {
        Ok(tokens) => Ok(tokens),
        Err(refused) => Err(refused.settle(context, &caller).await),
    }
}

async fn by_grant(
    context: &RealmContext,
    headers: &HeaderMap,
    caller: &mut Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
    dpop::bind(context, headers, caller)?;
    certificate::bind(context, caller)?;
    let grant = grant_type(form)?;
    if grant == GrantType::Password {
        password::admit(&caller.entry.client, context.app.rules.password_grant)?;
    }
    if !caller.entry.client.may(grant) {
        let why = format!("The client may not use the grant {}", grant.wire());
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, why).into());
    }
    // A code or a refresh token is read together with its client, and the other two end in `client_credentials`.
    if matches!(grant, GrantType::Password | GrantType::TokenExchange | GrantType::DeviceCode) {
        client_auth::still_enabled(context, caller, None).await?;
    }
    // Boxed, so that a request's future is not as large as the largest of them: it is moved on its way here.
    let tokens = match grant {
        GrantType::ClientCredentials => grants::client_credentials::issue(context, caller, form).await,
        GrantType::AuthorizationCode => {
            Box::pin(grants::authorization_code::redeem(context, caller, form)).await
        }
        GrantType::RefreshToken => Box::pin(grants::refresh_token::refresh(context, caller, form)).await,
        GrantType::Password => Box::pin(grants::password::issue(context, headers, caller, form)).await,
        GrantType::TokenExchange => Box::pin(grants::token_exchange::exchange(context, caller, form)).await,
        GrantType::DeviceCode => Box::pin(grants::device_code::redeem(context, caller, form)).await,
        GrantType::JwtBearer => Box::pin(grants::jwt_bearer::issue(context, caller, form)).await,
    }?;
    context.app.metrics.tokens_issued(grant.wire());
    Ok(tokens)
}

fn grant_type(form: &Params) -> Result<GrantType, OAuthError> {
    match form.get("grant_type") {
        Some("authorization_code") => Ok(GrantType::AuthorizationCode),
        Some("refresh_token") => Ok(GrantType::RefreshToken),
        Some("client_credentials") => Ok(GrantType::ClientCredentials),
        Some("password") => Ok(GrantType::Password),
        Some("urn:ietf:params:oauth:grant-type:token-exchange") => Ok(GrantType::TokenExchange),
        Some(value) if value == GrantType::DeviceCode.wire() => Ok(GrantType::DeviceCode),
        Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => Ok(GrantType::JwtBearer),
        Some(_) => Err(OAuthError::unsupported_grant()),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, "grant_type is missing")),
    }
}

/// An answer that nobody may keep (RFC 6749 §5.1).
pub(super) fn no_store(body: &impl Serialize) -> Response {
    let no_store = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (no_store, Json(body)).into_response()
}
