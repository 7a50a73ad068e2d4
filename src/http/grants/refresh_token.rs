//! `grant_type=refresh_token`.

mod next;

use std::sync::Arc;

use super::{Refused, audiences};
use crate::http::client_auth::Authenticated;
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens::{self, Bounds, Issue};
use crate::protocol::authorization_details;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::grants::refresh_token::{check, check_key, not_valid};
use crate::protocol::scope;
use crate::protocol::token_response::TokenResponse;
use crate::realms::ClientEntry;

/// Uses a refresh token, which is replaced by it unless the client's profile has it stay.
///
/// # Errors
/// `invalid_request`, `invalid_grant`, `invalid_scope`, or trouble of ours.
pub async fn refresh(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
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
    let next = next::token(context, caller, &record, now).await?;
    let response = tokens::sign(
        context,
        &Issue {
            caller,
            user: &record.user,
            roles: &record.roles,
            granted: &granted,
            grant: Some(&record.grant),
            refresh: Some(&next),
            bounds: Bounds {
                audiences: audiences.as_deref(),
                origin: origin.as_ref().map(|origin| &origin.client),
                ends_at: None,
            },
            now,
        },
    )?;
    // A token that stays is the same text too: some clients take another one for a rotation.
    let stays = next.id == record.token.id;
    let refresh_token = if stays { Some(presented.to_owned()) } else { response.refresh_token };
    Ok(TokenResponse { refresh_token, ..response })
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
