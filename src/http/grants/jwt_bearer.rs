//! `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer`: a token stands for the client's credentials.

use super::{Refused, client_credentials};
use crate::http::client_assertion;
use crate::http::client_auth::Authenticated;
use crate::http::context::RealmContext;
use crate::http::params::Params;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grants::jwt_bearer::not_valid;
use crate::protocol::token_response::TokenResponse;

/// Issues an access token for the client itself.
///
/// # Errors
/// `invalid_request`, `invalid_grant` for a token that grants nothing (RFC 7523 §3.1), `temporarily_unavailable`
/// while the keys of its issuer are not to be had, else as `client_credentials`.
pub async fn issue(
    context: &RealmContext,
    caller: &mut Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
    let missing = || OAuthError::new(ErrorCode::InvalidRequest, "assertion is missing");
    let assertion = form.get("assertion").ok_or_else(missing)?;
    if !caller.by_grant {
        let spend = client_assertion::prove_grant(context, &caller.entry, assertion).await?;
        caller.spends.push(spend.ok_or_else(not_valid)?);
    }
    client_credentials::issue(context, caller, form).await
}
