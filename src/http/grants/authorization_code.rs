//! `grant_type=authorization_code`.

use uuid::Uuid;

use super::{Refused, audiences, event, refused};
use crate::clock::Timestamp;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::params::Params;
use crate::http::tokens::{self, Bounds, Issue};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorization_details;
use crate::protocol::client::GrantType;
use crate::protocol::error::{ErrorCode, OAuthError};
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
) -> Result<TokenResponse, Refused> {
    let client = &caller.entry.client;
    let code = form.get("code").ok_or_else(|| missing("code is missing"))?;
    let realm = &context.state.realm;
    let record = context.app.store.code_by_fingerprint(&realm.id, &secrets::fingerprint(code)).await?;
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
        // The database finds it spent once more, and ends what came of it. Of a copy of a request, whose proof was used
        // before, it undoes that.
        (Decision::Replay, Some(record)) => {
            commit(context, caller, &record, None, now).await?;
            Err(not_valid().into())
        }
        (Decision::WrongVerifier, Some(record)) => {
            let error = OAuthError::new(ErrorCode::InvalidGrant, "PKCE verification failed");
            let (realm_id, fingerprint) = (realm.id.clone(), record.code.fingerprint);
            Err(refused(context, AuditKind::CodeToTokenError, client, Some(&record.grant), error)
                .leaving(Change::NoteWrongVerifier { realm_id, fingerprint }))
        }
        (Decision::Refuse(error), _) => Err(error.into()),
        (_, None) => Err(not_valid().into()),
    }
}

fn missing(why: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, why)
}

async fn spend(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
    record: CodeRecord,
    audiences: Option<Vec<String>>,
) -> Result<TokenResponse, Refused> {
    let (realm, client) = (&context.state.realm, &caller.entry.client);
    let now = context.app.clock.now();
    let details = authorization_details::narrow(
        &authorization_details::keep(&record.grant.request.authorization_details, client, &realm.settings),
        form.get("authorization_details"),
        client,
        &realm.settings,
    )?;
    let granted = scope::regrant(&record.grant.scope, client, &realm.settings, &context.state.scopes)
        .with_details(details);
    let ends =
        refresh_token::expires_at(&record.grant, client, record.session.as_ref(), &realm.settings, now);
    let refresh = client
        .may(GrantType::RefreshToken)
        .then(|| RefreshToken::first(Uuid::now_v7().to_string(), &record.grant, now, ends));
    commit(context, caller, &record, refresh.as_ref(), now).await?;
    Ok(tokens::sign(
        context,
        &Issue {
            caller,
            user: &record.user,
            roles: &record.roles,
            granted: &granted,
            grant: Some(&record.grant),
            refresh: refresh.as_ref(),
            bounds: Bounds { audiences: audiences.as_deref(), ..Bounds::default() },
            now,
        },
    )?)
}

/// Spends the code. Of two valid requests one is a replay, which ends what the other got (OAuth 2.1 §4.1.3).
async fn commit(
    context: &RealmContext,
    caller: &Authenticated,
    record: &CodeRecord,
    refresh: Option<&RefreshToken>,
    now: Timestamp,
) -> Result<(), Refused> {
    let (realm, client) = (&context.state.realm, &caller.entry.client);
    let told = |kind| event(context, kind, client, Some(&record.grant));
    let redemption = RedeemCode {
        realm_id: realm.id.clone(),
        fingerprint: record.code.fingerprint.clone(),
        grant_id: record.grant.id.clone(),
        now,
        refresh: refresh.cloned(),
        grant_expires_at: refresh_token::needed_until(refresh, client, &realm.settings, now),
        confirmation: caller.confirmation.clone(),
        spends: caller.spends.clone(),
        audit: told(AuditKind::CodeToToken),
        reuse_audit: AuditEvent { error: Some("code_reuse".into()), ..told(AuditKind::CodeToTokenError) },
    };
    match context.app.store.redeem_code(redemption).await? {
        Redemption::Redeemed => Ok(()),
        Redemption::AlreadyRedeemed => {
            tracing::warn!(client_id = %client.client_id, "a code was used twice; its grant is revoked");
            Err(Refused::settled(not_valid()))
        }
        Redemption::Gone => Err(not_valid().into()),
        Redemption::Replayed(kind) => Err(client_auth::replayed(kind).into()),
    }
}
