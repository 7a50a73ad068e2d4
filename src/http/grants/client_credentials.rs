//! `grant_type=client_credentials`: signs, and writes no row but what the client's own proof uses up.

use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens::{self, Issue};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grants::client_credentials::check;
use crate::protocol::scope;
use crate::protocol::token_response::TokenResponse;

/// Issues an access token for the client itself.
///
/// # Errors
/// `unauthorized_client`, `invalid_client`, `invalid_scope`, or trouble of ours.
pub async fn issue(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, ApiError> {
    let client = &caller.entry.client;
    let Some(account) = &caller.entry.service_account else {
        return Err(
            OAuthError::new(ErrorCode::UnauthorizedClient, "The client has no service account").into()
        );
    };
    check(client, &account.user)?;
    let realm = &context.state.realm;
    let granted = scope::grant(form.get("scope"), client, &realm.settings, &context.state.scopes)
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?;
    client_auth::use_up(context, caller).await?;
    let issue = Issue {
        client,
        user: &account.user,
        roles: &account.roles,
        granted: &granted,
        grant: None,
        refresh: None,
        audiences: None,
        now: context.app.clock.now(),
    };
    Ok(tokens::sign(context, &issue)?)
}
