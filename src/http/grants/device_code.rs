//! `grant_type=urn:ietf:params:oauth:grant-type:device_code`: a device asks whether the person has said yes.

use uuid::Uuid;

use super::{Refused, audiences, event, refused};
use crate::clock::Timestamp;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens::{self, Bounds, Issue};
use crate::protocol::audit::AuditKind;
use crate::protocol::authorization_details::{self, Detail};
use crate::protocol::brake;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::device_code::{Approval, DeviceCode};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::{Grant, GrantRequest};
use crate::protocol::grants::device_code::{Approver, State, check, not_valid, pending, state};
use crate::protocol::grants::refresh_token;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::scope::{self, Granted, OFFLINE_ACCESS};
use crate::protocol::token_response::TokenResponse;
use crate::secrets;
use crate::store::{DeviceRedemption, Poll, RedeemDeviceCode};

/// Answers a poll (RFC 8628 §3.4).
///
/// # Errors
/// `invalid_request`, `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`, or trouble
/// of ours.
pub async fn redeem(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
    let (store, realm, client) = (&context.app.store, &context.state.realm, &caller.entry.client);
    let missing = || OAuthError::new(ErrorCode::InvalidRequest, "device_code is missing");
    let fingerprint = secrets::fingerprint(form.get("device_code").ok_or_else(missing)?);
    let found = store.device_code(&realm.id, &fingerprint).await?;
    let now = context.app.clock.now();
    match (state(found.as_ref(), client, now), &found) {
        (State::Pending, _) => {
            Err(match store.poll_device(&realm.id, &fingerprint, &caller.spends, now).await? {
                Poll::InTime => Refused::settled(pending(false)),
                Poll::TooFast => Refused::settled(pending(true)),
                Poll::Replayed(kind) => client_auth::replayed(kind).into(),
            })
        }
        (State::Approved(approval), Some(code)) => {
            let audiences = audiences::of_request(context, client, form).await?;
            spend(context, caller, form, (code, approval), audiences, now).await
        }
        (State::Refuse(error), _) => Err(error.into()),
        (_, None) => Err(not_valid().into()),
    }
}

async fn spend(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
    (code, approval): (&DeviceCode, &Approval),
    audiences: Option<Vec<String>>,
    now: Timestamp,
) -> Result<TokenResponse, Refused> {
    let (store, realm, client) = (&context.app.store, &context.state.realm, &caller.entry.client);
    let approver = approver(context, approval).await?.ok_or_else(not_valid)?;
    let (granted, details) = allowed(context, client, code, form)?;
    let confirmation = caller.confirmation.clone();
    let request = GrantRequest { authorization_details: details, ..GrantRequest::default() };
    let grant = Grant { confirmation, request, ..grant(code, approval, &granted, now) };
    if let Err(error) = check(approval, &approver, client, &realm.settings, now) {
        let kind = AuditKind::Oauth2DeviceCodeToTokenError;
        return Err(refused(context, kind, client, Some(&grant), error));
    }
    let ends = refresh_token::expires_at(&grant, client, approver.session.as_ref(), &realm.settings, now);
    let refresh = client
        .may(GrantType::RefreshToken)
        .then(|| RefreshToken::first(Uuid::now_v7().to_string(), &grant, now, ends));
    let spend = RedeemDeviceCode {
        fingerprint: code.fingerprint.clone(),
        now,
        grant: grant.clone(),
        issuer: context.issuer.clone(),
        grant_expires_at: refresh_token::needed_until(refresh.as_ref(), client, &realm.settings, now),
        refresh: refresh.clone(),
        spends: caller.spends.clone(),
        audit: event(context, AuditKind::Oauth2DeviceCodeToToken, client, Some(&grant)),
    };
    match store.redeem_device_code(spend).await? {
        DeviceRedemption::Redeemed => {}
        // A second request is the device's own retry, since nobody else has the code: the first one's tokens stay good.
        DeviceRedemption::Gone => return Err(not_valid().into()),
        DeviceRedemption::Replayed(kind) => return Err(client_auth::replayed(kind).into()),
    }
    Ok(tokens::sign(
        context,
        &Issue {
            caller,
            user: &approver.user,
            roles: &approver.roles,
            granted: &granted,
            grant: Some(&grant),
            refresh: refresh.as_ref(),
            bounds: Bounds { audiences: audiences.as_deref(), ..Bounds::default() },
            now,
        },
    )?)
}

/// What was approved, as far as the client may still have it: a poll names no scopes (attacks D05), and may name less of
/// the details, of which the second value is all (RFC 9396 §6).
fn allowed<'a>(
    context: &'a RealmContext,
    client: &Client,
    code: &DeviceCode,
    form: &Params,
) -> Result<(Granted<'a>, Vec<Detail>), OAuthError> {
    let settings = &context.state.realm.settings;
    let kept = authorization_details::keep(&code.details, client, settings);
    let asked = form.get("authorization_details");
    let details = authorization_details::narrow(&kept, asked, client, settings)?;
    let granted = scope::regrant(&code.scope, client, settings, &context.state.scopes);
    Ok((granted.with_details(details), kept))
}

async fn approver(context: &RealmContext, approval: &Approval) -> Result<Option<Approver>, ApiError> {
    let (store, realm_id) = (&context.app.store, &context.state.realm.id);
    let Some((user, roles, session)) = store.approver(realm_id, approval).await? else { return Ok(None) };
    let locked_until = store.locked_until(realm_id, &brake::account(&user.username)).await?;
    Ok(Some(Approver { user, roles, session, locked_until }))
}

/// What the person gave: it rests on the session in which they did.
fn grant(code: &DeviceCode, approval: &Approval, granted: &Granted<'_>, now: Timestamp) -> Grant {
    Grant {
        id: Uuid::now_v7().to_string(),
        realm_id: code.realm_id.clone(),
        client: code.client.clone(),
        user_id: approval.user_id.clone(),
        session_id: Some(approval.session_id.clone()),
        scope: granted.stored(),
        offline: granted.has(OFFLINE_ACCESS),
        auth_time: approval.auth_time,
        acr: approval.acr.clone(),
        nonce: None,
        request: GrantRequest::default(),
        confirmation: None,
        parent: None,
        created_at: now,
        last_used_at: now,
        revoked_at: None,
    }
}
