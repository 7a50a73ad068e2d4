//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693).

mod audiences;
mod subject;

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use self::subject::{Subject, own, subject};
use super::{Refused, event, refused};
use crate::http::bearer::Live;
use crate::http::client_auth::{self, Authenticated};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::http::tokens::{self, Bounds, ExchangeIssue, Issue};
use crate::protocol::access_token::holder;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::{Grant, GrantExchange, GrantRequest, Parent};
use crate::protocol::grants::refresh_token;
use crate::protocol::grants::token_exchange::{
    Case, Exchange, ExchangeRequest, ExchangeRule, TokenType, admit, decide, may_read, only_audience, rule,
    scopes,
};
use crate::protocol::refresh::RefreshToken;
use crate::protocol::scope::{self, Granted};
use crate::protocol::token_response::TokenResponse;
use crate::realms::ClientEntry;
use crate::store::{Derived, Exchanging, KeepExchange};

/// Exchanges a token.
///
/// # Errors
/// `unauthorized_client`, `invalid_request`, `invalid_target`, `invalid_scope`, or trouble of ours.
pub async fn exchange(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, Refused> {
    let outcome = attempt(context, caller, form).await;
    outcome
        .map_err(|error| refused(context, AuditKind::TokenExchangeError, &caller.entry.client, None, error))
}

async fn attempt(
    context: &RealmContext,
    caller: &Authenticated,
    form: &Params,
) -> Result<TokenResponse, ApiError> {
    let requester = &caller.entry.client;
    let parameters: Vec<(&str, &str)> = form.pairs().collect();
    let request = ExchangeRequest::read(&parameters)?;
    admit(requester)?;
    client_auth::refuse_replay(context, caller).await?;
    let targets = targets(context, requester, &request).await?;
    let rules =
        targets.iter().map(|target| rule(requester, target.client())).collect::<Result<Vec<_>, _>>()?;
    let subject = subject(context, requester, &rules, request.subject).await?;
    let actor = match request.actor {
        Some(actor) => Some(Subject::Own(Box::new(own(context, actor).await?))),
        None => None,
    };
    let exchange = decide(&Case {
        requester,
        rules: &rules,
        subject: subject.shown(),
        actor: actor.as_ref().map(Subject::shown),
        issue: request.issue,
        bound: caller.confirmation.is_some(),
    })?;
    issue(context, caller, &request, &Decided { targets, rules, subject, exchange }).await
}

/// A request that may be answered.
struct Decided<'a> {
    targets: Vec<Target>,
    rules: Vec<&'a ExchangeRule>,
    subject: Subject,
    exchange: Exchange,
}

async fn issue(
    context: &RealmContext,
    caller: &Authenticated,
    request: &ExchangeRequest<'_>,
    decided: &Decided<'_>,
) -> Result<TokenResponse, ApiError> {
    let requester = &caller.entry.client;
    let Decided { targets, rules, subject, exchange } = decided;
    let granted = scopes(&held(context, requester, subject, request.scope)?, rules, request.scope)?;
    let service = match (request.issue, targets.as_slice()) {
        (TokenType::IdToken, [only]) if granted.openid => only.client().unwrap_or(requester),
        (TokenType::IdToken, _) => {
            let why = "An ID token is for one audience, and needs the scope openid in the subject token";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, why).into());
        }
        _ => requester,
    };
    may_read(requester, service)?;
    let roles = subject.roles(&context.app.store).await?;
    let audiences = audiences::of_result(context, requester, request, decided, &granted, &roles).await?;
    let now = context.app.clock.now();
    let derived = match request.issue {
        TokenType::RefreshToken => derive(context, caller, decided, &granted, &audiences),
        _ => None,
    };
    let response = match &derived {
        Some(derived) => TokenResponse {
            issued_token_type: Some(request.issue.wire()),
            ..tokens::sign(
                context,
                &Issue {
                    caller,
                    user: subject.user(),
                    roles: &roles,
                    granted: &granted,
                    grant: Some(&derived.grant),
                    refresh: Some(&derived.refresh),
                    bounds: Bounds {
                        audiences: Some(&audiences),
                        origin: subject.live().map(|live| &live.entry.client),
                        ends_at: Some(exchange.ends_at),
                    },
                    now,
                },
            )?
        },
        None => tokens::sign_exchanged(
            context,
            &ExchangeIssue {
                caller,
                user: subject.user(),
                grant: subject.grant(),
                before: subject.live().map(|live| &live.claims),
                roles: &roles,
                granted: &granted,
                audiences: &audiences,
                service,
                exchange,
                kind: request.issue,
                now,
            },
        )?,
    };
    let kept = context
        .app
        .store
        .keep_exchange(KeepExchange {
            realm_id: context.state.realm.id.clone(),
            spends: caller.spends.clone(),
            derived,
            audit: told(context, requester, request.issue, decided, &audiences),
        })
        .await?;
    match kept {
        Exchanging::Exchanged => Ok(response),
        Exchanging::Replayed(kind) => Err(client_auth::replayed(kind)),
    }
}

/// What the subject token holds, as far as the client may have it; of another issuer's token, whose scopes are not ours,
/// what the client may ask for.
fn held<'a>(
    context: &'a RealmContext,
    requester: &Client,
    subject: &Subject,
    asked: Option<&str>,
) -> Result<Granted<'a>, OAuthError> {
    let (settings, known) = (&context.state.realm.settings, &context.state.scopes);
    match subject {
        Subject::Own(live) => Ok(tokens::granted_to(context, live, requester)),
        Subject::Foreign(_) => scope::grant(asked, requester, settings, known)
            .map_err(|why| OAuthError::new(ErrorCode::InvalidScope, why.to_string())),
    }
}

/// A grant of the requester's own with a refresh token, made from the subject's and ending with it.
fn derive(
    context: &RealmContext,
    caller: &Authenticated,
    decided: &Decided<'_>,
    granted: &Granted<'_>,
    audiences: &[String],
) -> Option<Derived> {
    let Decided { subject, exchange, .. } = decided;
    let requester = &caller.entry.client;
    let (settings, now) = (&context.state.realm.settings, context.app.clock.now());
    let Live { entry, grant: parent, session, .. } = subject.live()?;
    let (origin, parent, session) = (&entry.client, parent.as_ref()?, session.as_ref());
    let parent_ends = refresh_token::expires_at(parent, origin, session, settings, now);
    let grant = Grant {
        id: Uuid::now_v7().to_string(),
        client: requester.id.clone(),
        scope: granted.stored(),
        nonce: None,
        request: GrantRequest {
            audiences: audiences.to_vec(),
            exchange: Some(GrantExchange {
                origin: origin.id.clone(),
                act: exchange.act.clone(),
                may_act: exchange.may_act.clone(),
            }),
            ..GrantRequest::default()
        },
        confirmation: caller.confirmation.clone(),
        parent: Some(Parent { id: parent.id.clone(), expires_at: parent_ends }),
        created_at: now,
        last_used_at: now,
        ..parent.clone()
    };
    let ends = refresh_token::expires_at(&grant, requester, session, settings, now);
    let refresh = RefreshToken::first(Uuid::now_v7().to_string(), &grant, now, ends);
    // The grant outlives its last access token, so that live checks find it.
    Some(Derived { grant, refresh, expires_at: ends.max(exchange.ends_at) })
}

/// The event: who had whose token made into what, for whom.
fn told(
    context: &RealmContext,
    requester: &Client,
    issue: TokenType,
    decided: &Decided<'_>,
    audiences: &[String],
) -> AuditEvent {
    let Decided { subject, exchange, .. } = decided;
    AuditEvent {
        user_id: Some(subject.user().id.clone()),
        detail: json!({
            "audience": audiences, "subject_client": holder(subject.claims()), "subject_issuer": subject.issuer(), "act": exchange.act,
            "issued_token_type": issue.wire(),
        }),
        ..event(context, AuditKind::TokenExchange, requester, subject.grant())
    }
}

/// Whom the result is for: the name by which it was asked for, and the client that this is.
struct Target {
    name: String,
    entry: Option<Arc<ClientEntry>>,
}

impl Target {
    fn client(&self) -> Option<&Client> {
        self.entry.as_ref().map(|entry| &entry.client)
    }
}

async fn targets(
    context: &RealmContext,
    requester: &Client,
    request: &ExchangeRequest<'_>,
) -> Result<Vec<Target>, ApiError> {
    let (store, state) = (&context.app.store, &context.state);
    let mut targets = Vec::new();
    let mut audiences = request.audiences.clone();
    if audiences.is_empty() && request.resources.is_empty() {
        audiences.push(only_audience(requester)?);
    }
    for name in audiences {
        targets.push(Target { name: name.to_owned(), entry: state.client(store, name).await? });
    }
    for name in &request.resources {
        let entry = state.client_of_resource(store, name).await?;
        targets.push(Target { name: (*name).to_owned(), entry });
    }
    Ok(targets)
}
