//! Client authentication at the token endpoint and its neighbours: load the client, prove its secret or its token.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};

use super::certificate;
use super::client_assertion;
use super::context::RealmContext;
use super::error::ApiError;
use super::grants;
use super::params::{Params, ParamsError};
use crate::passwords::{Guess, Tried};
use crate::protocol::client::{Client, GrantType};
use crate::protocol::client_auth::{self, Check, Presented, Proof, Sent};
use crate::protocol::confirmation::Confirmation;
use crate::protocol::dpop::ProofError;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grants::jwt_bearer;
use crate::protocol::spend::{Spend, SpendKind};
use crate::protocol::user::User;
use crate::realms::ClientEntry;
use crate::secrets::Secret;

/// A client that proved who it is.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// The client.
    pub entry: Arc<ClientEntry>,
    /// The identifiers that its proof uses up. Who commits a change for the request commits them with it, who commits
    /// none calls [`use_up`]: what was not spent could be sent once more.
    pub spends: Vec<Spend>,
    /// The key that it proved to hold beside: what it is issued is bound to it (`dpop::bind`, `certificate::bind`).
    pub confirmation: Option<Confirmation>,
    /// Whether the grant's own token is what proved it.
    pub by_grant: bool,
}

/// The form of a request to a neighbour of the token endpoint, and the client that it proves to be from. A grant proves
/// nobody there, since a client may be trusted with another's tokens for its own alone (RFC 7523 §2.1).
///
/// # Errors
/// As [`token_request`] says.
pub async fn request(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<(Params, Authenticated), ApiError> {
    prove_request(context, query, form, |form| presented(headers, form)).await
}

/// The form of a request to the token endpoint, and the client that it proves to be from.
///
/// # Errors
/// `invalid_request` for a form that cannot be read or a secret in the address, else as [`presented`] and
/// [`authenticate`] say.
pub async fn token_request(
    context: &RealmContext,
    headers: &HeaderMap,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
) -> Result<(Params, Authenticated), ApiError> {
    prove_request(context, query, form, |form| presented_with_grant(headers, form)).await
}

async fn prove_request(
    context: &RealmContext,
    query: Result<Params, ParamsError>,
    form: Result<Params, ParamsError>,
    presented: impl FnOnce(&Params) -> Result<Presented, ApiError>,
) -> Result<(Params, Authenticated), ApiError> {
    let form = form.map_err(unreadable)?;
    if query.map_err(unreadable)?.names().any(|name| name == "client_secret") {
        let why = "client_secret does not belong in an address";
        return Err(OAuthError::new(ErrorCode::InvalidRequest, why).into());
    }
    let presented = presented(&form)?;
    let caller = authenticate(context, &presented).await?;
    Ok((form, caller))
}

/// A form that cannot be read, as the answer that RFC 6749 §5.2 asks for.
fn unreadable(why: ParamsError) -> ApiError {
    let error = OAuthError::new(ErrorCode::InvalidRequest, why.description());
    ApiError::with_status(error, why.status())
}

/// What the request says about who it is from; proves nothing.
///
/// # Errors
/// `invalid_request` or `invalid_client`, as `client_auth::presented` says.
pub fn presented(headers: &HeaderMap, form: &Params) -> Result<Presented, ApiError> {
    presented_or(headers, form, None)
}

/// As [`presented`], where a grant may stand for the client's credentials.
fn presented_with_grant(headers: &HeaderMap, form: &Params) -> Result<Presented, ApiError> {
    let is_grant = form.get("grant_type") == Some(GrantType::JwtBearer.wire());
    presented_or(headers, form, form.get("assertion").filter(|_| is_grant))
}

fn presented_or(headers: &HeaderMap, form: &Params, grant: Option<&str>) -> Result<Presented, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (header, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(OAuthError::new(ErrorCode::InvalidRequest, "Send one Authorization header").into());
    }
    let header = header.map(|value| value.to_str().unwrap_or_default());
    let sent = Sent {
        authorization: header,
        client_id: form.get("client_id"),
        client_secret: form.get("client_secret"),
        assertion_type: form.get("client_assertion_type"),
        assertion: form.get("client_assertion"),
        grant,
    };
    client_auth::presented(sent).map_err(|error| {
        let tried_basic = header.is_some() && error.code == ErrorCode::InvalidClient;
        let failure = ApiError::from(error);
        if tried_basic { failure.challenge(CHALLENGE) } else { failure }
    })
}

/// The `client_id` that the request names, proven or not, for an answer that the client's origin may read.
#[must_use]
pub fn named(headers: &HeaderMap, form: &Result<Params, ParamsError>) -> Option<String> {
    let form = form.as_ref().ok()?;
    presented_with_grant(headers, form).ok().map(|presented| presented.client_id)
}

const CHALLENGE: &str = "Basic realm=\"token\", charset=\"UTF-8\"";

/// The client that the request proves to be from.
///
/// # Errors
/// `invalid_client`, the same for a wrong secret and for a client that does not exist (attacks C01), or `invalid_grant`
/// when the grant was to prove it; 429 after too many wrong secrets from the same network (attacks C06); `temporarily_unavailable` while the client's keys are not to be had.
pub async fn authenticate(context: &RealmContext, presented: &Presented) -> Result<Authenticated, ApiError> {
    let entry = context.state.client(&context.app.store, &presented.client_id).await?;
    let by_grant = matches!(presented.proof, Proof::Grant(_));
    let spends = prove(context, entry.as_deref(), presented).await?;
    match entry.zip(spends) {
        Some((entry, spends)) => Ok(Authenticated { entry, spends, confirmation: None, by_grant }),
        None => {
            tracing::info!(client_id = %presented.client_id.escape_debug(), "client authentication failed");
            let failure = if by_grant { jwt_bearer::not_valid().into() } else { refused() };
            Err(if presented.basic { failure.challenge(CHALLENGE) } else { failure })
        }
    }
}

/// The identifiers that a proof uses up, when it is one; none when it proves nothing.
async fn prove(
    context: &RealmContext,
    entry: Option<&ClientEntry>,
    presented: &Presented,
) -> Result<Option<Vec<Spend>>, ApiError> {
    let check = client_auth::check(entry.map(|entry| &entry.client), presented);
    match (check, entry, &presented.proof) {
        (Check::Public, ..) => Ok(Some(Vec::new())),
        (Check::Secret, Some(entry), Proof::Secret(secret)) => {
            let right = try_secret(context, Some(&entry.client), &presented.client_id, secret).await?;
            Ok(right.then(Vec::new))
        }
        (Check::KeyAssertion | Check::SecretAssertion, Some(entry), Proof::Assertion(token)) => {
            let spend = client_assertion::prove(context, entry, token).await?;
            Ok(spend.map(|spend| vec![spend]))
        }
        (Check::Certificate, Some(entry), _) => Ok(certificate::proves(context, entry).await?.then(Vec::new)),
        (Check::Grant, Some(entry), Proof::Grant(token)) => {
            let spend = client_assertion::prove_grant(context, entry, token).await?;
            Ok(spend.map(|spend| vec![spend]))
        }
        (_, _, proof) => {
            // The work of a comparison, so that time does not tell an unknown client from a wrong secret; and a guess
            // like any other, but for an app that knows its secret and was switched off: it must not hold its network.
            if let Proof::Secret(secret) = proof {
                let off = entry.map(|entry| &entry.client).filter(|client| client.has_secret());
                try_secret(context, off, &presented.client_id, secret).await?;
            }
            Ok(None)
        }
    }
}

/// Whether `secret` is that of `client` (none: there is none to compare with), which says that it is `client_id`.
///
/// # Errors
/// 429 for a network that sent too many wrong ones (attacks C06), or trouble of ours.
async fn try_secret(
    context: &RealmContext,
    client: Option<&Client>,
    client_id: &str,
    secret: &str,
) -> Result<bool, ApiError> {
    let now = context.app.clock.now();
    let guess = Guess { realm_id: &context.state.realm.id, client_id, address: context.address, now };
    match context.app.client_secrets.attempt(client, &Secret::from(secret), &guess).await? {
        Tried::Right => Ok(true),
        Tried::Wrong => Ok(false),
        Tried::WaitUntil(until) => {
            tracing::info!(client_id = %client_id.escape_debug(), "too many wrong client secrets came from there");
            let why = "Too many wrong client secrets came from this address, try again later";
            let error = OAuthError::new(ErrorCode::TemporarilyUnavailable, why);
            Err(ApiError::with_status(error, StatusCode::TOO_MANY_REQUESTS).retry_after(until.since(now)))
        }
    }
}

fn refused() -> ApiError {
    OAuthError::new(ErrorCode::InvalidClient, "Invalid client or Invalid client credentials").into()
}

/// Asks the database whether the client may still have tokens, as `account` if it acts as a user: another node may have
/// switched it off. That its realm was not changed answers for all of them. A code or a refresh token is read with that
/// answer and needs no second one.
///
/// # Errors
/// `invalid_client`, or trouble of ours.
pub async fn still_enabled(
    context: &RealmContext,
    caller: &Authenticated,
    account: Option<&User>,
) -> Result<(), ApiError> {
    let (store, realm, client) = (&context.app.store, &context.state.realm, &caller.entry.client);
    let as_known = client.enabled && account.is_none_or(|account| account.enabled);
    if as_known && context.state.is_current(store).await? {
        return Ok(());
    }
    let account = account.map(|account| account.id.as_str());
    let enabled = store.client_is_enabled(&realm.id, &client.id, account).await?;
    if enabled { Ok(()) } else { Err(refused()) }
}

/// Spends what the proof of `caller` uses up, for a request that commits nothing else.
///
/// # Errors
/// As [`replayed`], or trouble of ours.
pub async fn use_up(context: &RealmContext, caller: &Authenticated) -> Result<(), ApiError> {
    match context.app.store.spend(&context.state.realm.id, &caller.spends).await? {
        None => Ok(()),
        Some(kind) => Err(replayed(kind)),
    }
}

/// Refuses a request that repeats what proved `caller`, before anything else that it brings is looked at: else who
/// repeats it would learn whether a password or a token beside it is good. What is fresh is used up later, as ever.
///
/// # Errors
/// As [`replayed`], or trouble of ours.
pub async fn refuse_replay(context: &RealmContext, caller: &Authenticated) -> Result<(), ApiError> {
    match context.app.store.spent(&context.state.realm.id, &caller.spends).await? {
        None => Ok(()),
        Some(kind) => Err(replayed(kind)),
    }
}

/// The answer to a request whose identifier was used before: it proves nothing.
#[must_use]
pub fn replayed(kind: SpendKind) -> ApiError {
    match kind {
        SpendKind::ClientAssertion => refused(),
        SpendKind::DpopProof => OAuthError::from(ProofError::Replayed).into(),
        SpendKind::ClientGrant | SpendKind::IssuerAssertion => jwt_bearer::not_valid().into(),
        SpendKind::OneTimeCode => grants::password::wrong(),
        // No client's request uses one up.
        SpendKind::AuthorizationRequest => refused(),
    }
}
