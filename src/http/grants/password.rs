//! `grant_type=password`: the person's own credentials, sent by a client that `protocol::grants::password` admits.

use axum::http::{HeaderMap, StatusCode};
use uuid::Uuid;

use super::{Refused, audiences, event};
use crate::clock::Timestamp;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::sign_in::password::{self, Right, Verdict};
use crate::http::sign_in::second;
use crate::http::tokens::{self, Bounds, Issue};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::authorization_details;
use crate::protocol::client::{Client, GrantType};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::{Grant, GrantRequest};
use crate::protocol::grants::password::{disabled, not_fully_set_up, wrong_credentials};
use crate::protocol::grants::refresh_token;
use crate::protocol::otp;
use crate::protocol::refresh::RefreshToken;
use crate::protocol::scope::{self, Granted, OFFLINE_ACCESS};
use crate::protocol::session::Session;
use crate::protocol::sign_in_step::{self, Step, Unknown};
use crate::protocol::spend::SpendKind;
use crate::protocol::token_response::TokenResponse;
use crate::secrets::{self, Secret};
use crate::store::{Change, KeepPasswordGrant, PasswordGranting};

/// Signs the person in, and issues tokens for a session that no browser holds.
///
/// # Errors
/// `invalid_request`, `invalid_grant`, `invalid_scope`, `invalid_target`, or trouble of ours.
pub async fn issue(
    context: &RealmContext,
    headers: &HeaderMap,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
    let client = &caller.entry.client;
    let Some(username) = form.get("username") else {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "Missing parameter: username").into());
    };
    // What does not depend on the person comes first: a request that cannot succeed tries no password.
    let settings = &context.state.realm.settings;
    let audiences = audiences::of_request(context, client, form).await?.unwrap_or_default();
    let details = authorization_details::read(form.get("authorization_details"), client, settings)?;
    let granted = scope::grant(form.get("scope"), client, settings, &context.state.scopes)
        .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string()))?
        .with_details(details);
    client_auth::refuse_replay(context, caller).await?;
    let password = Secret::from(form.get("password").unwrap_or_default().to_owned());
    let (_turn, verdict) = password::check(context, headers, username, &password).await?;
    let right = match verdict {
        Verdict::Right(right) => right,
        Verdict::Disabled => return Err(refuse(context, client, Refusal::Disabled)),
        Verdict::WaitUntil(until) => return Err(refuse(context, client, Refusal::WaitUntil(until))),
        Verdict::Wrong => return Err(refuse(context, client, Refusal::Wrong)),
    };
    let devices = second::devices(context, &right.user).await?;
    let code = match (devices.as_slice(), form.get("totp").or_else(|| form.get("otp"))) {
        ([], _) => None,
        (devices, typed) => match typed.and_then(|typed| second::proves(context, devices, typed)) {
            Some(code) => Some(code),
            None => return Err(refuse(context, client, Refusal::Wrong)),
        },
    };
    // Whatever is missing, no page can be shown that would ask for it.
    let step = sign_in_step::next(&right.user, code.is_some(), code.is_some(), Unknown::HoldsUp);
    if step != Step::Enter {
        return Err(refuse(context, client, Refusal::Unfit(Box::new(right))));
    }
    let forgiven = right.forgiven.clone();
    let outcome = keep(context, headers, caller, &Asked { granted, audiences, code }, right).await;
    match outcome {
        Ok(Ok(tokens)) => Ok(tokens),
        // Another request had the same code.
        Ok(Err(SpendKind::OneTimeCode)) => Err(refuse(context, client, Refusal::Wrong)),
        Ok(Err(kind)) => Err(client_auth::replayed(kind).into()),
        Err(error) => {
            if !error.is_refusal() {
                password::take_back(context, forgiven).await;
            }
            Err(error.into())
        }
    }
}

/// Wrong credentials as they are told: Keycloak's clients tell them (401) from what else is wrong with a grant.
#[must_use]
pub fn wrong() -> ApiError {
    ApiError::with_status(wrong_credentials(), StatusCode::UNAUTHORIZED)
}

/// What the client asked for and may have.
struct Asked<'a> {
    granted: Granted<'a>,
    audiences: Vec<String>,
    /// The code that the person's device showed, when they have one.
    code: Option<otp::Right>,
}

/// Why a person is not signed in.
enum Refusal {
    Wrong,
    Disabled,
    WaitUntil(Timestamp),
    Unfit(Box<Right>),
}

/// The answer to a person who is not signed in.
fn refuse(context: &RealmContext, client: &Client, refusal: Refusal) -> Refused {
    let mut forgiven = None;
    let (cause, error) = match refusal {
        Refusal::Wrong => ("invalid_user_credentials", wrong()),
        Refusal::Disabled => ("user_disabled", disabled().into()),
        Refusal::WaitUntil(until) => {
            // It was noted with its wait.
            return wrong().retry_after(until.since(context.app.clock.now())).into();
        }
        Refusal::Unfit(right) => {
            // The attempt was no guess.
            let realm_id = right.user.realm_id.clone();
            forgiven = Some(Change::ForgiveAttempt { realm_id, forgiven: right.forgiven });
            ("resolve_required_actions", not_fully_set_up().into())
        }
    };
    let event =
        AuditEvent { error: Some(cause.into()), ..event(context, AuditKind::LoginError, client, None) };
    context.app.metrics.sign_in(cause);
    forgiven.into_iter().chain([Change::Audit(event)]).fold(error.into(), Refused::leaving)
}

async fn keep(
    context: &RealmContext,
    headers: &HeaderMap,
    caller: &Authenticated,
    Asked { granted, audiences, code }: &Asked<'_>,
    Right { user, proof, forgiven, .. }: Right,
) -> Result<Result<TokenResponse, SpendKind>, ApiError> {
    let (store, realm, client) = (&context.app.store, &context.state.realm, &caller.entry.client);
    let now = context.app.clock.now();
    let session = password::fresh_session(context, headers, &user, false, now);
    let confirmation = caller.confirmation.clone();
    let grant = Grant { confirmation, ..grant(client, &session, granted, audiences.clone()) };
    let roles = store.roles_of_user(&realm.id, &user.id).await?;
    let ends = refresh_token::expires_at(&grant, client, Some(&session), &realm.settings, now);
    let refresh = client
        .may(GrantType::RefreshToken)
        .then(|| RefreshToken::first(Uuid::now_v7().to_string(), &grant, now, ends));
    let keep = KeepPasswordGrant {
        spends: caller.spends.iter().chain(code.as_ref().map(|code| &code.spend)).cloned().collect(),
        moved: code.as_ref().and_then(|code| code.moved.clone()),
        session_expires_at: session.ends_at(&realm.settings),
        // Drawn and forgotten: no cookie opens this session.
        fingerprint: secrets::fingerprint(&secrets::random_token()),
        session,
        proof: *proof,
        forgiven,
        grant: grant.clone(),
        issuer: context.issuer.clone(),
        grant_expires_at: refresh_token::needed_until(refresh.as_ref(), client, &realm.settings, now),
        refresh: refresh.clone(),
        audit: event(context, AuditKind::Login, client, Some(&grant)),
    };
    if let PasswordGranting::Replayed(kind) = store.keep_password_grant(keep).await? {
        return Ok(Err(kind));
    }
    context.app.metrics.sign_in("success");
    Ok(Ok(tokens::sign(
        context,
        &Issue {
            caller,
            user: &user,
            roles: &roles,
            granted,
            grant: Some(&grant),
            refresh: refresh.as_ref(),
            bounds: Bounds {
                audiences: Some(audiences.as_slice()).filter(|names| !names.is_empty()),
                ..Bounds::default()
            },
            now,
        },
    )?))
}

fn grant(client: &Client, session: &Session, granted: &Granted<'_>, audiences: Vec<String>) -> Grant {
    Grant {
        id: Uuid::now_v7().to_string(),
        realm_id: session.realm_id.clone(),
        client: client.id.clone(),
        user_id: session.user_id.clone(),
        session_id: Some(session.id.clone()),
        scope: granted.stored(),
        offline: granted.has(OFFLINE_ACCESS),
        auth_time: session.auth_time,
        acr: session.acr.clone(),
        nonce: None,
        request: GrantRequest {
            audiences,
            authorization_details: granted.details.clone(),
            ..GrantRequest::default()
        },
        confirmation: None,
        parent: None,
        created_at: session.started_at,
        last_used_at: session.started_at,
        revoked_at: None,
    }
}
