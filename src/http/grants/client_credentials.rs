//! `grant_type=client_credentials`: signs, and writes no row but what the client's own proof uses up.

use std::sync::Arc;

use super::{Refused, audiences};
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::params::Params;
use crate::http::tokens;
use crate::protocol::authorization_details::{self, Detail};
use crate::protocol::claims;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grants::client_credentials::check;
use crate::protocol::scope;
use crate::protocol::token_draft::TokenDraft;
use crate::protocol::token_response::TokenResponse;
use crate::realms::ServiceAccount;

/// Issues an access token for the client itself.
///
/// # Errors
/// `unauthorized_client`, `invalid_client`, `invalid_scope`, `invalid_authorization_details`, or
/// trouble of ours.
pub async fn issue(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
    let client = &caller.entry.client;
    let Some(account) = &caller.entry.service_account else {
        return Err(
            OAuthError::new(ErrorCode::UnauthorizedClient, "The client has no service account").into()
        );
    };
    check(client, &account.user)?;
    let audiences = audiences::of_request(context, client, form).await?;
    let settings = &context.state.realm.settings;
    let details = authorization_details::read(form.get("authorization_details"), client, settings)?;
    let draft = draft(context, caller, account, form.get("scope"), (audiences.as_deref(), &details))?;
    client_auth::still_enabled(context, caller, Some(&account.user)).await?;
    client_auth::use_up(context, caller).await?;
    let response = tokens::sign_service(context, caller, &draft, context.app.clock.now())?;
    Ok(TokenResponse { authorization_details: details, ..response })
}

/// What the token begins with: kept from before, unless a resource, a key, details or the caller's address make it of use for
/// that alone.
fn draft(
    context: &RealmContext,
    caller: &Authenticated,
    account: &ServiceAccount,
    asked: Option<&str>,
    (audiences, details): (Option<&[String]>, &[Detail]),
) -> Result<Arc<TokenDraft>, OAuthError> {
    let (client, drafts) = (&caller.entry.client, &caller.entry.drafts);
    let alone = audiences.is_some() || caller.confirmation.is_some() || !details.is_empty();
    if let Some(draft) = drafts.find(&context.issuer, asked).filter(|_| !alone) {
        return Ok(draft);
    }
    let realm = &context.state.realm;
    let granted = scope::grant(asked, client, &realm.settings, &context.state.scopes)
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?
        .with_details(details.to_vec());
    let alone = alone || claims::tells_address(client, &granted);
    let draft = tokens::service_draft(context, caller, account, &granted, audiences);
    Ok(if alone { Arc::new(draft) } else { drafts.keep(&context.issuer, asked, draft) })
}
