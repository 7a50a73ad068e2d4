//! Why a token allows nothing, and how that is told (RFC 6750 §3).

use axum::Json;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Scheme;
use crate::http::error::{ApiError, Fault};
use crate::protocol::dpop::{ALGORITHMS, ProofError};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jws::Algorithm;

/// Why a token is refused.
#[derive(Debug)]
pub struct BearerError {
    error: Option<OAuthError>,
    failure: Option<Box<ApiError>>,
    scope: Option<&'static str>,
    scheme: Scheme,
    /// The client that the token was issued to, when that is known (for CORS).
    pub client_id: Option<String>,
}

impl BearerError {
    pub(super) fn with(error: Option<OAuthError>) -> Self {
        Self { error, failure: None, scope: None, scheme: Scheme::Bearer, client_id: None }
    }

    /// No token: a challenge without a code (RFC 6750 §3.1).
    #[must_use]
    pub fn missing() -> Self {
        Self::with(None)
    }

    /// A request that is wrong in form.
    #[must_use]
    pub fn bad_request(why: &'static str) -> Self {
        Self::with(Some(OAuthError::new(ErrorCode::InvalidRequest, why)))
    }

    /// A token that is not good. Why is told in the log alone.
    #[must_use]
    pub fn invalid() -> Self {
        Self::with(Some(OAuthError::new(ErrorCode::InvalidToken, "Token verification failed")))
    }

    /// A token that is good for less.
    #[must_use]
    pub fn scope(scope: &'static str) -> Self {
        let error =
            OAuthError::new(ErrorCode::InsufficientScope, format!("The token lacks the scope {scope}"));
        Self { scope: Some(scope), ..Self::with(Some(error)) }
    }

    /// A token without a role that it needs.
    #[must_use]
    pub fn role(why: &'static str) -> Self {
        Self::with(Some(OAuthError::new(ErrorCode::InsufficientScope, why)))
    }

    /// The same, told to a caller who proves to hold a key, or ought to.
    pub(super) fn bound(self) -> Self {
        Self { scheme: Scheme::Dpop, ..self }
    }

    /// The same, for a token of this client.
    #[must_use]
    pub fn of(mut self, client_id: &str) -> Self {
        self.client_id = Some(client_id.to_owned());
        self
    }
}

impl BearerError {
    /// The trouble of ours that kept the token from being looked at; none when it was, and is refused.
    #[must_use]
    pub fn into_fault(self) -> Option<ApiError> {
        self.failure.map(|failure| *failure)
    }
}

impl<E: Into<Fault>> From<E> for BearerError {
    fn from(error: E) -> Self {
        Self { failure: Some(Box::new(ApiError::from(error))), ..Self::with(None) }
    }
}

impl From<ProofError> for BearerError {
    fn from(error: ProofError) -> Self {
        Self::with(Some(error.into())).bound()
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        if let Some(failure) = self.failure {
            return failure.into_response();
        }
        let no_store = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
        let algorithms = ALGORITHMS.map(Algorithm::name).join(" ");
        let Some(error) = self.error else {
            let mut response = (StatusCode::UNAUTHORIZED, no_store).into_response();
            challenge(&mut response, "Bearer");
            challenge(&mut response, &format!("DPoP algs=\"{algorithms}\""));
            return response;
        };
        let (code, description) = (error.code.wire(), &error.description);
        let scope = self.scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
        let told = format!("error=\"{code}\", error_description=\"{description}\"{scope}");
        // At the token endpoint a bad proof is a bad request; here it is a missing credential (RFC 9449 §7.1).
        let status = match error.code {
            ErrorCode::InvalidDpopProof | ErrorCode::UseDpopNonce => StatusCode::UNAUTHORIZED,
            code => StatusCode::from_u16(code.status()).unwrap_or(StatusCode::UNAUTHORIZED),
        };
        let body = Json(json!({ "error": code, "error_description": description }));
        let mut response = (status, no_store, body).into_response();
        match self.scheme {
            Scheme::Bearer => challenge(&mut response, &format!("Bearer {told}")),
            Scheme::Dpop => challenge(&mut response, &format!("DPoP {told}, algs=\"{algorithms}\"")),
        }
        response
    }
}

fn challenge(response: &mut Response, text: &str) {
    let value = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("Bearer"));
    response.headers_mut().append(WWW_AUTHENTICATE, value);
}
