//! The answers where no endpoint speaks: an unknown address, realm or name of the server, a method that an address does not
//! have, a fault that was caught around the endpoints. A page for people, JSON for programs.

use std::sync::Arc;

use axum::Json;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::context::ServerContext;
use super::error::PageError;
use super::pages::{Entry, Fact, Hint, Link, Name, Shell, Trouble, TroublePage};
use crate::app::Shared;
use crate::protocol::issuer::{Base, HostRefusal};
use crate::server::{Apology, wants_page};

impl ServerContext {
    /// The answer to an address that is not there.
    #[must_use]
    pub fn missing(&self, headers: &HeaderMap) -> Response {
        if wants_page(headers) {
            return self.fail_with_page(&self.way_out(PageError::new(Trouble::Missing)));
        }
        (StatusCode::NOT_FOUND, Json(json!({ "error": "Not found" }))).into_response()
    }

    /// The answer to a method that the address does not have (RFC 9110 §15.5.6); the routes add `Allow`.
    #[must_use]
    pub fn no_method(&self, headers: &HeaderMap) -> Response {
        if wants_page(headers) {
            return self.fail_with_page(&self.way_out(PageError::new(Trouble::Method)));
        }
        StatusCode::METHOD_NOT_ALLOWED.into_response()
    }

    /// The answer to a realm that is not there. A developer reads which ones are.
    pub async fn no_realm(&self, headers: &HeaderMap) -> Response {
        if !wants_page(headers) {
            return (StatusCode::NOT_FOUND, Json(json!({ "error": "Realm does not exist" }))).into_response();
        }
        let mut error = PageError::new(Trouble::Missing).detail("This realm does not exist.");
        if self.app.rules.helpful {
            let realms = self.app.store.realms().await.unwrap_or_default();
            let names: Vec<String> = realms.into_iter().map(|realm| realm.name).collect();
            error = error.hint("The realms of this server:", vec![("name", names.join(" "))]);
        }
        self.fail_with_page(&self.way_out(error))
    }

    /// The page that tells of a failure, where no realm is known.
    #[must_use]
    pub fn fail_with_page(&self, error: &PageError) -> Response {
        let shell = Shell::server(self.app.hosts.base_path());
        page(shell, error, &self.request_id, self.app.rules.helpful, self.base.is_secure())
    }

    /// A failure before an endpoint was asked, as the request can take it.
    #[must_use]
    pub fn fail(&self, error: &PageError, headers: &HeaderMap) -> Response {
        if wants_page(headers) {
            return self.fail_with_page(error);
        }
        let status = error.trouble.status();
        let code = match status {
            StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            StatusCode::BAD_REQUEST => "invalid_request",
            _ => "server_error",
        };
        (status, Json(json!({ "error": code }))).into_response()
    }

    /// The same page with the way to the overview, which `dev` alone has.
    fn way_out(&self, error: PageError) -> PageError {
        if self.app.rules.helpful { error.again(format!("{}/", self.base.as_str())) } else { error }
    }
}

/// The answer to a request whose host is not ours, or cannot be told. No address on it comes from the request.
#[must_use]
pub fn refused(app: &Shared, refusal: HostRefusal, request_id: &str, headers: &HeaderMap) -> Response {
    if wants_page(headers) {
        let shell = Shell::server(app.hosts.base_path());
        let error = match refusal {
            HostRefusal::Unknown => PageError::new(Trouble::Host),
            other => PageError::new(Trouble::Request).detail(sentence(other)),
        };
        return page(shell, &error, request_id, app.rules.helpful, is_secure(app));
    }
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = json!({ "error": "invalid_request", "error_description": refusal.to_string() });
    (status, Json(body)).into_response()
}

/// The page for what the guards around every endpoint answer themselves: a panic, a time that ran out, a request that is
/// too large.
#[must_use]
pub fn apology(app: &Shared) -> Apology {
    let app = Arc::clone(app);
    Arc::new(move |status, id| {
        let trouble = match status {
            StatusCode::INTERNAL_SERVER_ERROR => Trouble::Fault,
            StatusCode::SERVICE_UNAVAILABLE => Trouble::Unavailable,
            _ => Trouble::Request,
        };
        let error = PageError::new(trouble);
        let shell = Shell::server(app.hosts.base_path());
        page(shell, &error, &id.to_string(), app.rules.helpful, is_secure(&app))
    })
}

fn is_secure(app: &Shared) -> bool {
    app.hosts.public().is_some_and(Base::is_secure)
}

fn sentence(refusal: HostRefusal) -> String {
    let words = refusal.to_string();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// The page of a failure, with what helps a developer where `helpful` says so.
#[must_use]
pub fn page(shell: Shell<'_>, error: &PageError, request_id: &str, helpful: bool, https: bool) -> Response {
    let mut view = TroublePage::new(shell, error.trouble);
    view.detail = error.detail.as_deref().map(Name::new);
    view.request_id = Some(request_id).filter(|id| !id.is_empty()).map(Name::new);
    let again = error.again.as_deref().and_then(Link::new);
    if error.to_account {
        view.account = again
    } else {
        view.again = again
    }
    view.back =
        error.back.as_deref().and_then(|(name, home)| Link::new(home).map(|home| (Name::new(name), home)));
    view.hint = error.hint.as_ref().filter(|_| helpful).map(|(sentence, facts)| Hint {
        sentence: Entry::from(sentence.as_str()),
        facts: facts
            .iter()
            .map(|(label, value)| Fact { label: Name::new(label), value: Entry::from(value.as_str()) })
            .collect(),
    });
    let mut response = view.page().over_https(https).into_response();
    if let Some(seconds) = error.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
