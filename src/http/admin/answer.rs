//! Answers in Keycloak's forms: `{"error": …}` for what is not there or not allowed, `{"errorMessage": …}` for what is wrong
//! with a value.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::http::bearer::BearerError;
use crate::http::error::{ApiError, Fault};
use crate::passwords::PasswordError;
use crate::realms::RealmError;
use crate::store::{REALM_CHANGED, StoreError};
use crate::turns::NoTurn;

/// What a handler gives.
pub(super) type Answer = Result<Response, AdminError>;

/// A refusal, or trouble of ours.
#[derive(Debug)]
pub(super) enum AdminError {
    /// The caller is not proven.
    Bearer(Box<BearerError>),
    /// Trouble of ours.
    Fault(Box<ApiError>),
    /// The realm's configuration, or the user, changed while the answer was made: what was read is to be read again.
    Moved,
    /// Anything else.
    Refused(StatusCode, Value),
}

impl AdminError {
    /// The caller has not the role for it.
    pub(super) fn forbidden() -> Self {
        Self::Refused(StatusCode::FORBIDDEN, json!({ "error": "HTTP 403 Forbidden" }))
    }

    /// The caller may do such things, but not this one: what it would give, or whom it concerns, is above the caller.
    pub(super) fn above(what: &str) -> Self {
        let why = format!("{what} has more rights than the caller");
        Self::Refused(StatusCode::FORBIDDEN, json!({ "error": "HTTP 403 Forbidden", "errorMessage": why }))
    }

    /// There is no such record: `User not found`.
    pub(super) fn not_found(what: &str) -> Self {
        Self::Refused(StatusCode::NOT_FOUND, json!({ "error": what }))
    }

    /// A value is wrong.
    pub(super) fn bad(why: impl Into<String>) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, json!({ "errorMessage": why.into() }))
    }

    /// Something is missing, by the name of the message and its text.
    pub(super) fn missing(name: &str, why: &str) -> Self {
        Self::Refused(StatusCode::BAD_REQUEST, json!({ "error": name, "error_description": why }))
    }

    /// A field is wrong, by the name of the message and what stands in it.
    pub(super) fn field(field: &str, message: &str, params: Value) -> Self {
        let body = json!({ "field": field, "errorMessage": message, "params": params });
        Self::Refused(StatusCode::BAD_REQUEST, body)
    }

    /// A name is taken.
    pub(super) fn conflict(why: impl Into<String>) -> Self {
        Self::Refused(StatusCode::CONFLICT, json!({ "errorMessage": why.into() }))
    }

    /// What this server does not do.
    pub(super) fn not_implemented(why: &str) -> Self {
        Self::Refused(StatusCode::NOT_IMPLEMENTED, json!({ "errorMessage": why }))
    }

    /// A mail cannot be sent, in the words of a Keycloak that has no mail server.
    pub(super) fn unsent(why: &str) -> Self {
        Self::Refused(StatusCode::INTERNAL_SERVER_ERROR, json!({ "errorMessage": why }))
    }

    /// The body is no JSON of the right form.
    pub(super) fn unreadable(why: impl std::fmt::Display) -> Self {
        let description = format!("The body cannot be read: {why}");
        Self::Refused(
            StatusCode::BAD_REQUEST,
            json!({ "error": "unknown_error", "error_description": description }),
        )
    }

    /// The body is longer than `most` bytes.
    pub(super) fn too_large(most: usize) -> Self {
        let why = format!("The body has more than {most} bytes");
        Self::Refused(StatusCode::PAYLOAD_TOO_LARGE, json!({ "errorMessage": why }))
    }

    /// The body is not JSON at all.
    pub(super) fn unsupported() -> Self {
        let body = json!({ "error": "HTTP 415 Unsupported Media Type" });
        Self::Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, body)
    }

    /// As said, when a commit failed because a name or a reference is taken or gone; else what the store says.
    pub(super) fn of_conflict(error: StoreError, told: impl FnOnce(&'static str) -> Self) -> Self {
        match error {
            StoreError::Conflict { what: REALM_CHANGED } => Self::Moved,
            StoreError::Conflict { what } => told(what),
            error => error.into(),
        }
    }
}

impl From<BearerError> for AdminError {
    fn from(error: BearerError) -> Self {
        Self::Bearer(Box::new(error))
    }
}

impl From<StoreError> for AdminError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { what: REALM_CHANGED } => Self::Moved,
            StoreError::Conflict { what: "reference" } => Self::not_found("What it refers to is gone"),
            StoreError::Conflict { what } => Self::conflict(format!("The {what} is taken")),
            StoreError::Unstorable => Self::bad("A value holds a character that is refused, or is too long"),
            error => Self::Fault(Box::new(ApiError::from(Fault::from(error)))),
        }
    }
}

impl From<RealmError> for AdminError {
    fn from(error: RealmError) -> Self {
        Self::Fault(Box::new(ApiError::from(Fault::from(error))))
    }
}

impl From<NoTurn> for AdminError {
    fn from(error: NoTurn) -> Self {
        Self::Fault(Box::new(ApiError::from(Fault::from(error))))
    }
}

impl From<PasswordError> for AdminError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooLong => Self::bad("invalidPasswordMaxLengthMessage"),
            error => Self::Fault(Box::new(ApiError::from(Fault::from(error)))),
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        match self {
            Self::Fault(error) => error.into_response(),
            Self::Refused(status, body) => no_store((status, Json(body)).into_response()),
            Self::Moved => {
                Self::conflict("Somebody else changed the same meanwhile: try again").into_response()
            }
            Self::Bearer(error) => unauthorized(error.into_response()),
        }
    }
}

/// The challenge of RFC 6750 §3 in its headers, Keycloak's words in the body; trouble of ours stays what it is.
fn unauthorized(response: Response) -> Response {
    if response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    let (parts, _) = response.into_parts();
    let mut told = Json(json!({ "error": "HTTP 401 Unauthorized" })).into_response();
    *told.status_mut() = parts.status;
    for (name, value) in &parts.headers {
        if name == axum::http::header::WWW_AUTHENTICATE || name.as_str() == "dpop-nonce" {
            told.headers_mut().append(name, value.clone());
        }
    }
    no_store(told)
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// 200 with a body.
pub(super) fn told(body: &impl Serialize) -> Answer {
    Ok(no_store(Json(body).into_response()))
}

/// 202 with a body, which some clients look for where a change could have been told by 204.
pub(super) fn accepted(body: &impl Serialize) -> Answer {
    Ok(no_store((StatusCode::ACCEPTED, Json(body)).into_response()))
}

/// 204: done, and nothing to tell.
pub(super) fn done() -> Answer {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// 201 with the address of what was made, and no body.
pub(super) fn created(location: &str) -> Answer {
    let location =
        HeaderValue::from_str(location).map_err(|_| AdminError::bad("The name is no part of an address"))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)]).into_response())
}
