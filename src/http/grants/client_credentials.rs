//! `grant_type=client_credentials`: signs, and writes no row but what the client's own proof uses up.

use std::sync::Arc;

use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens;
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
    let (asked, drafts) = (form.get("scope"), &caller.entry.drafts);
    // A draft that is bound to a key is of use for that key alone.
    let bound = caller.confirmation.is_some();
    let draft = match drafts.find(&context.issuer, asked).filter(|_| !bound) {
        Some(draft) => draft,
        None => {
            let realm = &context.state.realm;
            let granted = scope::grant(asked, client, &realm.settings, &context.state.scopes)
                .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?;
            let draft = tokens::service_draft(context, caller, account, &granted);
            if bound { Arc::new(draft) } else { drafts.keep(&context.issuer, asked, draft) }
        }
    };
    client_auth::use_up(context, caller).await?;
    Ok(tokens::sign_service(context, caller, &draft, context.app.clock.now())?)
}
