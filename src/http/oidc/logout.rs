//! The end-session endpoint (RP-Initiated Logout 1.0): `GET` and `POST …/protocol/openid-connect/logout`. A `POST`
//! with a refresh token is Keycloak's way of ending a session without a browser.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::http::client_auth;
use crate::http::context::RealmContext;
use crate::http::cookies::{self, Kind};
use crate::http::error::{ApiError, PageError};
use crate::http::goodbye;
use crate::http::pages::{Hidden, Link, Logout, Trouble};
use crate::http::params::{Params, QueryOrForm};
use crate::http::sign_in::{self, audit, see_other, with_cookies};
use crate::http::tokens;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::logout::{self, Destination, Hint, NoDestination, Question};
use crate::protocol::session::Session;
use crate::realms::ClientEntry;
use crate::store::Change;

/// What the confirmation page carries, sealed: the question was about this session and this way back.
#[derive(Serialize, Deserialize)]
struct Confirmation {
    session_id: String,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    state: Option<String>,
}

/// Ends the browser's session, after asking where the request does not prove that the person wants it.
pub async fn logout(
    context: RealmContext,
    method: Method,
    headers: HeaderMap,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let params = match params {
        Ok(params) => params,
        Err(why) => return context.fail(&PageError::new(Trouble::Request).detail(why.description())),
    };
    if method == Method::POST && params.get("refresh_token").is_some() {
        return by_refresh_token(&context, &headers, &params)
            .await
            .unwrap_or_else(IntoResponse::into_response);
    }
    let answer = if method == Method::POST && params.get("session_code").is_some() {
        confirmed(&context, &headers, &params).await
    } else if method == Method::POST && cookies::read(&context, &headers, Kind::Session).is_none() {
        // A form from the client's site comes without our cookies (SameSite=Lax); the same request by GET has them.
        // Without this, it would look as if nobody were signed in, and nobody would be asked (attacks L02).
        Ok(see_other(&same_by_get(&context, &params)))
    } else {
        requested(&context, &headers, &params).await
    };
    answer.unwrap_or_else(|error| context.fail(&error))
}

async fn requested(
    context: &RealmContext,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, PageError> {
    // A hint that is not ours proves nothing, and is as good as none: the person is asked (attacks L02).
    let hint = params.get("id_token_hint").and_then(|token| tokens::id_token_hint(context, token));
    let client_id = logout::named_client(hint.as_ref(), params.get("client_id"))
        .map_err(|why| PageError::new(Trouble::Request).detail(why.to_string()))?;
    let entry = enabled_client(context, client_id).await?;
    let client = entry.as_ref().map(|entry| &entry.client);
    let hint = hint.as_ref().filter(|_| client.is_some());
    let destination = way_back(context, params.get("post_logout_redirect_uri"), params.get("state"), client)?;
    let session = sign_in::session(context, headers).await?.map(|(session, _)| session);
    let known = match (session.as_ref(), client) {
        (Some(session), Some(client)) => Some(tokens::session_known_to(context, client, session)),
        (session, _) => session.map(Cow::Borrowed),
    };
    match logout::question(known.as_deref(), hint) {
        Question::NotNeeded => end(context, headers, session.as_ref(), None, client, destination).await,
        Question::NobodySignedIn => end(context, headers, None, hint, client, destination).await,
        Question::Ask => Ok(ask(context, session.as_ref(), client, params)),
    }
}

/// The same request without its form: every parameter that the endpoint knows (§2).
fn same_by_get(context: &RealmContext, params: &Params) -> String {
    const KNOWN: [&str; 6] =
        ["id_token_hint", "logout_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"];
    let given = KNOWN.iter().filter_map(|name| params.get(name).map(|value| (*name, value)));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    format!("{}?{query}", context.url("/protocol/openid-connect/logout"))
}

/// The client called `client_id`. One that is switched off gets nothing, a sign-out without a question included.
async fn enabled_client(
    context: &RealmContext,
    client_id: Option<&str>,
) -> Result<Option<Arc<ClientEntry>>, PageError> {
    let Some(id) = client_id else { return Ok(None) };
    let entry = context.state.client(&context.app.store, id).await?;
    Ok(entry.filter(|entry| entry.client.enabled))
}

fn way_back(
    context: &RealmContext,
    requested: Option<&str>,
    state: Option<&str>,
    client: Option<&Client>,
) -> Result<Option<Destination>, PageError> {
    let Some(requested) = requested else { return Ok(None) };
    logout::destination(requested, state, client, context.app.rules.strictness).map(Some).map_err(|why| {
        let sentence = match why {
            NoDestination::ClientUnknown => {
                "Send id_token_hint or client_id, so that the address can be looked up."
            }
            NoDestination::Unregistered => "The address is not among the client's post_logout_redirect_uris.",
        };
        let facts = vec![("post_logout_redirect_uri", requested.to_owned())];
        PageError::new(Trouble::Redirect)
            .detail("Invalid parameter: post_logout_redirect_uri")
            .back_to(client)
            .hint(sentence, facts)
    })
}

fn ask(
    context: &RealmContext,
    session: Option<&Session>,
    client: Option<&Client>,
    params: &Params,
) -> Response {
    let text = |name| params.get(name).map(str::to_owned);
    let confirmation = Confirmation {
        session_id: session.map(|session| session.id.clone()).unwrap_or_default(),
        client_id: client.map(|client| client.client_id.clone()),
        redirect_uri: text("post_logout_redirect_uri"),
        state: text("state"),
    };
    let plain = serde_json::to_vec(&confirmation).unwrap_or_default();
    let code = context.app.vault.seal(&aad(context), &plain);
    let action = format!("{}/protocol/openid-connect/logout", crate::http::realm_path(context));
    let destination = confirmation.redirect_uri.as_deref().and_then(crate::http::pages::Destination::of);
    let account = context.url("/account/");
    let view = Logout {
        shell: context.shell(),
        account: Link::own(&account),
        action: Link::own(&action),
        hidden: vec![Hidden { name: "session_code", value: &code }],
        client: client.map(sign_in::asker),
        destination,
    };
    context.page(view.page())
}

async fn confirmed(
    context: &RealmContext,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, PageError> {
    if !context.is_same_origin(headers) {
        return Err(PageError::new(Trouble::Forged));
    }
    let forged = || PageError::new(Trouble::Forged);
    let plain = context
        .app
        .vault
        .open(&aad(context), params.get("session_code").unwrap_or_default())
        .map_err(|_| forged())?;
    let confirmation: Confirmation = serde_json::from_slice(&plain).map_err(|_| forged())?;
    let session = sign_in::session(context, headers).await?.map(|(session, _)| session);
    // The page of another session, or of one that was left since: ask anew rather than end what was not meant.
    if session.as_ref().is_some_and(|session| session.id != confirmation.session_id) {
        return Err(forged());
    }
    let entry = enabled_client(context, confirmation.client_id.as_deref()).await?;
    let client = entry.as_ref().map(|entry| &entry.client);
    let destination =
        way_back(context, confirmation.redirect_uri.as_deref(), confirmation.state.as_deref(), client)?;
    end(context, headers, session.as_ref(), None, client, destination).await
}

/// Ends what there is to end, and sends the browser on.
async fn end(
    context: &RealmContext,
    headers: &HeaderMap,
    session: Option<&Session>,
    hint: Option<&Hint>,
    client: Option<&Client>,
    destination: Option<Destination>,
) -> Result<Response, PageError> {
    // A browser that lost its cookie can still end the session that its client's ID token names.
    let id =
        session.map(|session| session.id.clone()).or_else(|| hint.and_then(|hint| hint.session_id.clone()));
    let mut frames = Vec::new();
    if let Some(id) = id {
        // Frames belong to the browser whose session it was.
        if session.is_some() {
            frames = goodbye::frames(context, &id).await?;
        }
        let now = context.app.clock.now();
        let ended = match session {
            Some(session) => Some(session.clone()),
            None => context.app.store.session_by_id(&context.state.realm.id, &id).await?,
        };
        let event = AuditEvent {
            session_id: Some(id.clone()),
            user_id: ended.map(|session| session.user_id),
            client_id: client.map(|client| client.client_id.clone()),
            ..audit(context, AuditKind::Logout)
        };
        let realm_id = context.state.realm.id.clone();
        context.app.commit(vec![Change::EndSession { realm_id, id, at: now }, Change::Audit(event)]).await?;
    }
    let response = goodbye::answer(context, client, &frames, destination.as_ref());
    // A cookie that was not sent may belong to a session which nobody asked to end.
    let sent = cookies::read(context, headers, Kind::Session).is_some();
    Ok(with_cookies(response, if sent { cookies::signed_out(context) } else { Vec::new() }))
}

/// Keycloak's `POST` with `refresh_token`: the client proves itself, the token's session ends, 204.
async fn by_refresh_token(
    context: &RealmContext,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, ApiError> {
    let presented = client_auth::presented(headers, params)?;
    let caller = client_auth::authenticate(context, &presented).await?;
    client_auth::use_up(context, &caller).await?;
    let client = &caller.entry.client;
    let not_valid = || OAuthError::new(ErrorCode::InvalidGrant, "Invalid refresh token");
    let token = params.get("refresh_token").unwrap_or_default();
    let id = tokens::refresh_token_id(context, token).ok_or_else(not_valid)?;
    let record = context.app.store.refresh_token(&context.state.realm.id, &id).await?;
    let record = record.filter(|record| record.grant.client == client.id).ok_or_else(not_valid)?;
    let now = context.app.clock.now();
    let realm_id = context.state.realm.id.clone();
    let mut changes =
        vec![Change::RevokeGrant { realm_id: realm_id.clone(), id: record.grant.id.clone(), at: now }];
    if let Some(session_id) = record.grant.session_id.clone().filter(|_| !record.grant.offline) {
        changes.push(Change::EndSession { realm_id, id: session_id, at: now });
    }
    changes.push(Change::Audit(AuditEvent {
        user_id: Some(record.grant.user_id.clone()),
        client_id: Some(client.client_id.clone()),
        session_id: record.grant.session_id.clone(),
        ..audit(context, AuditKind::Logout)
    }));
    context.app.commit(changes).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn aad(context: &RealmContext) -> String {
    format!("logout confirmation/{}", context.state.realm.id)
}
