//! What every request to the admin API passes: a proven caller, the realm, the right that its route asks for. Only then
//! is its body read.
//!
//! The bearer of an access token of `master`, or of the realm itself, counts; a cookie alone never does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::answer::{AdminError, Answer};
use super::body::{self, Received};
use super::call::{Call, ServerCall, Who};
use super::routes::{Handler, Route};
use crate::app::Shared;
use crate::http::bearer::{self, BearerError, Live};
use crate::http::context::{RealmContext, ServerContext};
use crate::http::cors;
use crate::http::params::Params;
use crate::protocol::admin::{Caller, Permission, Rights};
use crate::protocol::built_in::MASTER;
use crate::realms::RealmState;

/// Parameters of addresses that may come several times; `headers` means nothing, but python-keycloak puts the names of its
/// headers there when it sends a certificate.
const REPEATABLE: [&str; 5] = ["type", "operationTypes", "resourceTypes", "audience", "headers"];

/// The routes of a table, each behind its guard.
pub(super) fn router(table: Vec<Route>) -> Router<Shared> {
    let mut paths: BTreeMap<String, MethodRouter<Shared>> = BTreeMap::new();
    for route in table {
        let (method, path) = (route.method.clone(), route.path.clone());
        let Ok(filter) = MethodFilter::try_from(method) else { continue };
        let route = Arc::new(route);
        let handler =
            move |State(app): State<Shared>, request: Request| serve(Arc::clone(&route), app, request);
        let methods = paths.remove(&path).unwrap_or_else(|| MethodRouter::new().options(preflight));
        paths.insert(path, methods.on(filter, handler));
    }
    paths.into_iter().fold(Router::new(), |router, (path, methods)| router.route(&path, methods))
}

async fn serve(route: Arc<Route>, app: Shared, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let server = match ServerContext::from_request_parts(&mut parts, &app).await {
        Ok(server) => server,
        Err(refused) => return refused,
    };
    let (context, live) = match proven(&server, &parts).await {
        Ok(proven) => proven,
        Err(error) => return error.into_response(),
    };
    let client_id = live.client_id.clone();
    let answer = answer(&route, server, &context, live, &mut parts, body).await;
    let response = answer.unwrap_or_else(IntoResponse::into_response);
    let mut response = cors::allow(&context, &parts.headers, Some(&client_id), response).await;
    if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        // Where what was made is found.
        let exposed = HeaderValue::from_static("Location, DPoP-Nonce, WWW-Authenticate, Date");
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}

async fn answer(
    route: &Route,
    server: ServerContext,
    context: &RealmContext,
    live: Live,
    parts: &mut Parts,
    body: Body,
) -> Answer {
    let app = Arc::clone(&server.app);
    let caller = caller(context, &live);
    let path = path(parts, &app).await?;
    let realm = path.iter().find(|(name, _)| name == "realm").map(|(_, value)| value.clone());
    let about = match realm {
        Some(name) => Some(over(&app, &caller, route.permission, &name).await?),
        None if is_granted(&caller, route.permission) => None,
        None => return Err(AdminError::forbidden()),
    };
    let query = Params::parse_with(parts.uri.query().unwrap_or_default().as_bytes(), &REPEATABLE);
    let query = query.map_err(|why| AdminError::bad(why.description()))?;
    let Received { body, form, turn: _turn } = body::receive(route, &app, parts, body).await?;
    let who = Who {
        realm_id: live.user.realm_id,
        user_id: live.user.id,
        client_id: live.client_id,
        address: server.address.to_string(),
    };
    let base = server.base.clone();
    let call = ServerCall { app: Arc::clone(&app), base, caller, who, query, body, form };
    match (&route.handler, about) {
        (Handler::Server(handler), _) => handler(call).await,
        (Handler::Realm(handler), Some((state, rights))) => {
            handler(Call { server: call, state, rights, path }).await
        }
        (Handler::Browser(handler), Some((state, rights))) => {
            let context = server.about(Arc::clone(&state), parts);
            handler(Call { server: call, state, rights, path }, context, parts.headers.clone()).await
        }
        (Handler::Realm(_) | Handler::Browser(_), None) => Err(AdminError::not_found("Realm not found.")),
    }
}

/// The token's realm and what stands behind the token.
async fn proven(server: &ServerContext, parts: &Parts) -> Result<(RealmContext, Live), AdminError> {
    let presented = bearer::from_header(&parts.headers)?.ok_or_else(BearerError::missing)?;
    let name = claimed_realm(server, presented.token()).ok_or_else(BearerError::invalid)?;
    let app = &server.app;
    let state = app.realms.named(&app.store, &name).await?.ok_or_else(BearerError::invalid)?;
    let context = server.clone().about(state, parts);
    let live = bearer::admit(&context, &parts.headers, presented).await?;
    Ok((context, live))
}

/// The realm that a token says it is of: the one whose keys must then prove it.
fn claimed_realm(server: &ServerContext, token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Issued {
        iss: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let issued: Issued = serde_json::from_slice(&payload).ok()?;
    let named = issued.iss.rsplit_once("/realms/").map(|(_, name)| name.to_owned());
    let name = named.or_else(|| server.app.rules.root_realm.clone())?;
    server.app.hosts.accepts_issuer(&issued.iss, &name).then_some(name)
}

/// What the bearer of the token may do, by the roles of today.
fn caller(context: &RealmContext, live: &Live) -> Caller {
    let state = &context.state;
    Caller::new(&state.realm.name, &state.roles, &live.roles.role_ids, &live.client_id, &live.claims)
}

fn is_granted(caller: &Caller, permission: Permission) -> bool {
    match permission {
        Permission::Administrator => caller.is_administrator(),
        Permission::CreateRealm => caller.may_create_realms(),
        _ => false,
    }
}

/// The realm, when the caller may do with it what the route asks for. Administrators of other realms do not learn whether it
/// is there.
async fn over(
    app: &Shared,
    caller: &Caller,
    permission: Permission,
    name: &str,
) -> Result<(Arc<RealmState>, Rights), AdminError> {
    if caller.realm != MASTER && caller.realm != name {
        return Err(AdminError::forbidden());
    }
    let rights = caller.over(name);
    let granted = match permission {
        Permission::AnyInRealm => !rights.is_empty(),
        permission => rights.any_of(permission.roles()),
    };
    if !granted {
        return Err(AdminError::forbidden());
    }
    let state = app.realms.administered(&app.store, name).await?;
    let state = state.ok_or_else(|| AdminError::not_found("Realm not found."))?;
    Ok((state, rights))
}

/// The parts of the address that name something.
///
/// # Errors
/// 400 when one is no text: `%ff`.
async fn path(parts: &mut Parts, app: &Shared) -> Result<Vec<(String, String)>, AdminError> {
    let params = RawPathParams::from_request_parts(parts, app).await;
    let params = params.map_err(|_| AdminError::bad("The address holds what is no text in UTF-8"))?;
    Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Answers `OPTIONS`: yes for an origin of any client of the realm or of `master`, since a preflight brings no token.
async fn preflight(State(app): State<Shared>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let server = match ServerContext::from_request_parts(&mut parts, &app).await {
        Ok(server) => server,
        Err(refused) => return refused,
    };
    let mut names: Vec<String> = path(&mut parts, &app)
        .await
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| name == "realm")
        .map(|(_, v)| v)
        .collect();
    names.push(MASTER.to_owned());
    let mut last = axum::http::StatusCode::NO_CONTENT.into_response();
    for name in names {
        let Ok(Some(state)) = app.realms.described(&app.store, &name).await else { continue };
        let context = server.clone().about(state, &parts);
        let mut response = cors::preflight(context, parts.headers.clone()).await;
        if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            let methods = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS");
            response.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
            return response;
        }
        last = response;
    }
    last
}
