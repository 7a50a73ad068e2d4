//! The device authorization endpoint (RFC 8628 §3.1): `POST …/protocol/openid-connect/auth/device`.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::token::no_store;
use crate::http::client_auth;
use crate::http::context::RealmContext;
use crate::http::cors;
use crate::http::error::ApiError;
use crate::http::params::{Form, Params, ParamsError, Query};
use crate::http::sign_in::audit;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorization_details;
use crate::protocol::brake;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::device_code::{DeviceAuthorization, DeviceCode, MOST_OPEN};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::scope::{self, Granted};
use crate::protocol::user_code::UserCode;
use crate::secrets;
use crate::store::{Asked, NewDeviceCode};

/// How often a user code is drawn before giving up. That it is taken happens once in 250 million draws where a hundred
/// devices wait.
const DRAWS: usize = 4;

/// Gives a device its codes.
pub async fn authorize(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    let client_id = client_auth::named(&headers, &form);
    let response = match ask(&context, &headers, query, form).await {
        Ok(codes) => no_store(&codes),
        Err(error) => error.into_response(),
    };
    cors::allow(&context, &headers, client_id.as_deref(), response).await
}

async fn ask(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<DeviceAuthorization, ApiError> {
    let (form, caller) = client_auth::request(context, headers, query, form).await?;
    client_auth::use_up(context, &caller).await?;
    let client = &caller.entry.client;
    if !client.may(GrantType::DeviceCode) {
        let why = format!("The client may not use the grant {}", GrantType::DeviceCode.wire());
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, why).into());
    }
    let settings = &context.state.realm.settings;
    let granted = scope::grant(form.get("scope"), client, settings, &context.state.scopes)
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?;
    let details = authorization_details::read(form.get("authorization_details"), client, settings)?;
    let granted = granted.with_details(details);
    for _ in 0..DRAWS {
        let Some(user_code) = UserCode::draw(&secrets::random_bytes::<32>()) else { continue };
        let device_code = secrets::random_token();
        let new = new(context, client, &granted, &device_code, &user_code);
        match context.app.store.ask_for_device(new).await? {
            Asked::Waiting => {
                context.app.metrics.device("asked");
                let spans = (client.device_code_lifetime(settings), client.device_interval());
                return Ok(DeviceAuthorization::new(&context.issuer, device_code, &user_code, spans));
            }
            Asked::Taken => {}
            Asked::TooMany(ends) => {
                context.app.metrics.device("too_many");
                tracing::info!(client_id = %client.client_id, "too many device codes are open");
                let why = "Too many device codes of this client are open at this address";
                let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, why);
                let wait = ends.since(context.app.clock.now());
                return Err(ApiError::with_status(error, StatusCode::TOO_MANY_REQUESTS).retry_after(wait));
            }
        }
    }
    let why = "No user code is free, try again";
    Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, why).into())
}

fn new(
    context: &RealmContext,
    client: &Client,
    granted: &Granted<'_>,
    device_code: &str,
    user_code: &UserCode,
) -> NewDeviceCode {
    let now = context.app.clock.now();
    let code = DeviceCode {
        fingerprint: secrets::fingerprint(device_code),
        realm_id: client.realm_id.clone(),
        client: client.id.clone(),
        user_code: secrets::fingerprint(user_code.canonical()),
        scope: granted.stored(),
        details: granted.details.clone(),
        address: context.address.to_string(),
        issued_at: now,
        expires_at: now.plus(client.device_code_lifetime(&context.state.realm.settings)),
        interval: client.device_interval(),
        polled_at: None,
        approval: None,
        denied_at: None,
        redeemed_at: None,
    };
    let audit = AuditEvent {
        client_id: Some(client.client_id.clone()),
        ..audit(context, AuditKind::Oauth2DeviceAuth)
    };
    NewDeviceCode { code, network: brake::network(context.address), most: MOST_OPEN, audit }
}
