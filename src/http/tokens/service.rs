//! A client's own token: drafted once, and then only dated, named and signed.

use super::{lifetime, random_name, signer, subject};
use crate::clock::Timestamp;
use crate::http::client_auth::Authenticated;
use crate::http::context::RealmContext;
use crate::protocol::access_token::{self, AccessTokenRequest, access_token};
use crate::protocol::claims::Facts;
use crate::protocol::confirmation::Confirmation;
use crate::protocol::scope::Granted;
use crate::protocol::token_draft::TokenDraft;
use crate::protocol::token_response::TokenResponse;
use crate::realms::ServiceAccount;
use crate::signer::SignError;

/// What the client's tokens with this grant and for these audiences (none = the client's) begin with, as long as the
/// realm does not change and they are bound to no other key.
#[must_use]
pub fn service_draft(
    context: &RealmContext,
    caller: &Authenticated,
    account: &ServiceAccount,
    granted: &Granted<'_>,
    audiences: Option<&[String]>,
) -> TokenDraft {
    let subject = subject(context, &account.user, &account.roles);
    let address = context.address.to_string();
    let claims = access_token(&AccessTokenRequest {
        issuer: &context.issuer,
        client: &caller.entry.client,
        subject: &subject,
        granted,
        facts: Facts { address: Some(&address), ..Facts::default() },
        jti: "",
        audiences,
        confirmation: caller.confirmation.as_ref(),
        now: Timestamp::default(),
        lifetime: 0,
    });
    TokenDraft::new(claims, granted.token_scope())
}

/// Signs a token that begins with `draft`.
///
/// # Errors
/// [`SignError`], or when the realm has no key.
pub fn sign_service(
    context: &RealmContext,
    caller: &Authenticated,
    draft: &TokenDraft,
    now: Timestamp,
) -> Result<TokenResponse, SignError> {
    let client = &caller.entry.client;
    let lifetime = lifetime(context, client);
    let key = signer(context, client.access_token_algorithm(context.state.algorithm()))?;
    let typ = access_token::header_type(client);
    let access = key.sign_json(typ, &draft.finish(&random_name(), now, lifetime))?;
    let not_before = context.state.realm.settings.not_before.max(client.settings.not_before);
    Ok(TokenResponse {
        token_type: Confirmation::token_type(caller.confirmation.as_ref()),
        not_before_policy: not_before.map_or(0, |at| at.0),
        ..TokenResponse::bearer(access, lifetime, draft.scope().to_owned())
    })
}
