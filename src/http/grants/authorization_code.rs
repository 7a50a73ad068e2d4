//! `grant_type=authorization_code`.

use uuid::Uuid;

use super::{audiences, event, note_refusal};
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens::{self, Bounds, Issue};
use crate::protocol::audit::AuditKind;
use crate::protocol::authorization_details;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::OAuthError;
use crate::protocol::grants::authorization_code::{CodeRecord, Decision, TokenRequest, decide, not_valid};
use crate::protocol::grants::refresh_token;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::scope;
use crate::protocol::token_response::TokenResponse;
use crate::secrets;
use crate::store::{Change, RedeemCode, Redemption};

/// Redeems a code.
///
/// # Errors
/// `invalid_request`, `invalid_grant`, or trouble of ours.
pub async fn redeem(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, ApiError> {
    let client = &caller.entry.client;
    let code = form.get("code").ok_or_else(|| missing("code is missing"))?;
    let fingerprint = secrets::fingerprint(code);
    let realm = &context.state.realm;
    let record = context.app.store.code_by_fingerprint(&realm.id, &fingerprint).await?;
    let request = TokenRequest {
        redirect_uri: form.get("redirect_uri"),
        code_verifier: form.get("code_verifier"),
        confirmation: caller.confirmation.as_ref(),
    };
    let now = context.app.clock.now();
    let decision = decide(record.as_ref(), client, &realm.settings, request, now);
    match (decision, record) {
        (Decision::Redeem, Some(record)) => {
            let audiences = audiences::of_grant(context, client, &record.grant, form).await?;
            spend(context, caller, form, record, audiences).await
        }
        (Decision::Replay, Some(record)) => {
            // A request that is itself a copy proves nothing, so it ends nothing either.
            client_auth::use_up(context, caller).await?;
            Err(replayed(context, client, &record).await?.into())
        }
        (Decision::WrongVerifier, Some(record)) => {
            context.app.store.note_wrong_verifier(&realm.id, &fingerprint).await?;
            let error =
                OAuthError::new(crate::protocol::error::ErrorCode::InvalidGrant, "PKCE verification failed");
            note_refusal(context, AuditKind::CodeToTokenError, client, Some(&record.grant), &error).await?;
            Err(error.into())
        }
        (Decision::Refuse(error), _) => Err(error.into()),
        (_, None) => Err(not_valid().into()),
    }
}

fn missing(why: &'static str) -> OAuthError {
    OAuthError::new(crate::protocol::error::ErrorCode::InvalidRequest, why)
}

async fn spend(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
    record: CodeRecord,
    audiences: Option<Vec<String>>,
) -> Result<TokenResponse, ApiError> {
    let (store, realm, client) = (&context.app.store, &context.state.realm, &caller.entry.client);
    let now = context.app.clock.now();
    let details = authorization_details::narrow(
        &authorization_details::keep(&record.grant.request.authorization_details, client, &realm.settings),
        form.get("authorization_details"),
        client,
        &realm.settings,
    )?;
    let granted = scope::regrant(&record.grant.scope, client, &realm.settings, &context.state.scopes)
        .with_details(details);
    let roles = store.roles_of_user(&realm.id, &record.user.id).await?;
    let ends =
        refresh_token::expires_at(&record.grant, client, record.session.as_ref(), &realm.settings, now);
    let refresh = client.may(GrantType::RefreshToken).then(|| RefreshToken {
        id: Uuid::now_v7().to_string(),
        realm_id: realm.id.clone(),
        grant_id: record.grant.id.clone(),
        predecessor: None,
        issued_at: now,
        expires_at: ends,
        used_at: None,
        superseded_at: None,
    });
    // The grant outlives its last access token, so that live checks find it.
    let access_ends = now.plus(client.settings.access_token.unwrap_or(realm.settings.access_token));
    let redemption = store
        .redeem_code(RedeemCode {
            realm_id: realm.id.clone(),
            fingerprint: record.code.fingerprint.clone(),
            grant_id: record.grant.id.clone(),
            now,
            refresh: refresh.clone(),
            grant_expires_at: if refresh.is_some() { ends.max(access_ends) } else { access_ends },
            confirmation: caller.confirmation.clone(),
            spends: caller.spends.clone(),
            audit: event(context, AuditKind::CodeToToken, client, Some(&record.grant)),
        })
        .await?;
    match redemption {
        Redemption::Redeemed => Ok(tokens::sign(
            context,
            &Issue {
                caller,
                user: &record.user,
                roles: &roles,
                granted: &granted,
                grant: Some(&record.grant),
                refresh: refresh.as_ref(),
                bounds: Bounds { audiences: audiences.as_deref(), ..Bounds::default() },
                now,
            },
        )?),
        // Another valid request was faster: of two, one is a replay.
        Redemption::AlreadyRedeemed => Err(replayed(context, client, &record).await?.into()),
        Redemption::Gone => Err(not_valid().into()),
        Redemption::Replayed(kind) => Err(client_auth::replayed(kind)),
    }
}

/// Revokes what the first redemption got (OAuth 2.1 §4.1.3).
async fn replayed(
    context: &RealmContext,
    client: &Client,
    record: &CodeRecord,
) -> Result<OAuthError, ApiError> {
    let error = not_valid();
    let mut event = event(context, AuditKind::CodeToTokenError, client, Some(&record.grant));
    event.error = Some("code_reuse".into());
    let (realm_id, id) = (context.state.realm.id.clone(), record.grant.id.clone());
    let revoke = Change::RevokeGrant { realm_id, id, at: context.app.clock.now() };
    context.app.commit(vec![revoke, Change::Audit(event)]).await?;
    tracing::warn!(client_id = %client.client_id, "a code was used twice; its grant is revoked");
    Ok(error)
}
