//! `grant_type=refresh_token`.

use std::sync::Arc;

use uuid::Uuid;

use super::{audiences, event};
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens::{self, Bounds, Issue};
use crate::protocol::audit::AuditKind;
use crate::protocol::authorization_details;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::grants::refresh_token::{check, check_key, expires_at, not_valid};
use crate::protocol::refresh::RefreshToken;
use crate::protocol::scope;
use crate::protocol::session::Session;
use crate::protocol::token_response::TokenResponse;
use crate::realms::ClientEntry;
use crate::store::{RotateRefresh, Rotation, SessionTouch};

/// Rotates a refresh token.
///
/// # Errors
/// `invalid_request`, `invalid_grant`, `invalid_scope`, or trouble of ours.
pub async fn rotate(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, ApiError> {
    let (store, realm, client) = (&context.app.store, &context.state.realm, &caller.entry.client);
    let missing = || OAuthError::new(ErrorCode::InvalidRequest, "refresh_token is missing");
    let presented = form.get("refresh_token").ok_or_else(missing)?;
    let id = tokens::refresh_token_id(context, presented).ok_or_else(not_valid)?;
    let record = store.refresh_token(&realm.id, &id).await?;
    let now = context.app.clock.now();
    check(record.as_ref(), client, &realm.settings, now)?;
    let Some(record) = record else { return Err(not_valid().into()) };
    check_key(&record.grant, client, caller.confirmation.as_ref())?;
    let details = authorization_details::narrow(
        &authorization_details::keep(&record.grant.request.authorization_details, client, &realm.settings),
        form.get("authorization_details"),
        client,
        &realm.settings,
    )?;
    let whole = scope::regrant(&record.grant.scope, client, &realm.settings, &context.state.scopes);
    let granted = scope::narrow(&whole, form.get("scope"))
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?
        .with_details(details);
    let audiences = audiences::of_grant(context, client, &record.grant, form).await?;
    let origin = origin(context, &record.grant).await?;
    let roles = store.roles_of_user(&realm.id, &record.user.id).await?;
    let unseen = record.session.as_ref().is_some_and(|session| session.last_seen_at < now);
    let touched = record.session.clone().map(|session| Session { last_seen_at: now, ..session });
    let ends = expires_at(&record.grant, client, touched.as_ref(), &realm.settings, now);
    let access_ends = now.plus(client.settings.access_token.unwrap_or(realm.settings.access_token));
    let successor = RefreshToken {
        id: Uuid::now_v7().to_string(),
        realm_id: realm.id.clone(),
        grant_id: record.grant.id.clone(),
        predecessor: Some(record.token.id.clone()),
        issued_at: now,
        expires_at: ends,
        used_at: None,
        superseded_at: None,
    };
    let rotation = store
        .rotate_refresh_token(RotateRefresh {
            realm_id: realm.id.clone(),
            id: record.token.id.clone(),
            grant_id: record.grant.id.clone(),
            now,
            retry_window: realm.settings.refresh_retry_window,
            successor: successor.clone(),
            grant_expires_at: ends.max(access_ends),
            session: touched.filter(|_| unseen && keeps_session(&record.grant)).map(|session| SessionTouch {
                expires_at: session.idle_at(&realm.settings).min(session.over_at(&realm.settings)),
                id: session.id,
            }),
            spends: caller.spends.clone(),
            audit: event(context, AuditKind::RefreshToken, client, Some(&record.grant)),
            reuse_audit: event(context, AuditKind::RefreshReuse, client, Some(&record.grant)),
        })
        .await?;
    match rotation {
        Rotation::Rotated | Rotation::Retried => Ok(tokens::sign(
            context,
            &Issue {
                caller,
                user: &record.user,
                roles: &roles,
                granted: &granted,
                grant: Some(&record.grant),
                refresh: Some(&successor),
                bounds: Bounds {
                    audiences: audiences.as_deref(),
                    origin: origin.as_ref().map(|origin| &origin.client),
                    ends_at: None,
                },
                now,
            },
        )?),
        Rotation::Reused => {
            tracing::warn!(client_id = %client.client_id, "a refresh token was used twice; its grant is revoked");
            Err(OAuthError::new(ErrorCode::InvalidGrant, "Maximum allowed refresh token reuse exceeded")
                .into())
        }
        Rotation::Gone => Err(not_valid().into()),
        Rotation::Replayed(kind) => Err(client_auth::replayed(kind)),
    }
}

/// Whether a refresh counts as a use of the session: what an exchange made does not keep the person's session alive.
fn keeps_session(grant: &Grant) -> bool {
    !grant.offline && grant.parent.is_none()
}

/// The client whose token an exchange made the grant from. It must be good for what is made of it.
async fn origin(context: &RealmContext, grant: &Grant) -> Result<Option<Arc<ClientEntry>>, ApiError> {
    let Some(exchange) = &grant.request.exchange else { return Ok(None) };
    let origin = context.state.client_of_record(&context.app.store, &exchange.origin).await?;
    match origin.filter(|origin| origin.client.enabled) {
        Some(origin) => Ok(Some(origin)),
        None => Err(not_valid().into()),
    }
}
