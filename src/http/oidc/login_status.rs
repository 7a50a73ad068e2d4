//! The frame of OpenID Connect Session Management 1.0 at Keycloak's addresses, and the one by which keycloak-js learns
//! whether it can work: the two documents of this server that other origins may frame. They hold a script and nothing
//! to click.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::http::context::RealmContext;
use crate::http::cookies::Kind;
use crate::http::error::ApiError;
use crate::http::params::Query;
use crate::protocol::login_status;

const LOGIN_STATUS: &str = include_str!("../../../templates/login-status.js");
const THIRD_PARTY_COOKIES: &str = include_str!("../../../templates/third-party-cookies.js");

static LOGIN_STATUS_POLICY: LazyLock<String> = LazyLock::new(|| policy(LOGIN_STATUS));
static THIRD_PARTY_COOKIES_POLICY: LazyLock<String> = LazyLock::new(|| policy(THIRD_PARTY_COOKIES));

/// The frame that answers whether the person is still signed in.
pub async fn frame(context: RealmContext) -> Response {
    // The name is made of a realm's name, which holds nothing that HTML reads otherwise.
    let cookie = Kind::State.name(&context);
    let html = format!(
        "<!doctype html><html lang=\"en\" data-cookie=\"{cookie}\"><title>Login status</title>\
         <script>{LOGIN_STATUS}</script></html>"
    );
    framable(html, &LOGIN_STATUS_POLICY)
}

/// Whether a page of `origin` may ask on behalf of `client_id`: 204, or 403 without a reason.
pub async fn init(context: RealmContext, Query(query): Query) -> Response {
    let Ok(query) = query else { return StatusCode::FORBIDDEN.into_response() };
    let (Some(client_id), Some(origin)) = (query.get("client_id"), query.get("origin")) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let entry = match context.state.client(&context.app.store, client_id).await {
        Ok(entry) => entry,
        Err(error) => return ApiError::from(error).into_response(),
    };
    let strictness = context.app.rules.strictness;
    let may = entry.is_some_and(|entry| login_status::may_ask(&entry.client, origin, strictness));
    let status = if may { StatusCode::NO_CONTENT } else { StatusCode::FORBIDDEN };
    (status, [(CACHE_CONTROL, "no-store")]).into_response()
}

/// The frame that keycloak-js opens first.
pub async fn third_party_cookies(_: RealmContext) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><title>Cookies</title><script>{THIRD_PARTY_COOKIES}</script></html>"
    );
    framable(html, &THIRD_PARTY_COOKIES_POLICY)
}

/// Only this script, only calls to this server, and no word about who may frame it.
fn policy(script: &str) -> String {
    let hash = STANDARD.encode(digest(&SHA256, script.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{hash}'; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
}

fn framable(html: String, policy: &str) -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, policy),
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    (headers, Html(html)).into_response()
}
