//! A failure's exits: JSON for programs, a page for people. (The third, a redirect, is `authorize::Target::refuse`,
//! which needs a proven target.) A fault of ours is logged here, once, and told without its cause.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::pages::Trouble;
use crate::passwords::PasswordError;
use crate::protocol::client::Client;
use crate::protocol::dpop::ProofError;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::realms::RealmError;
use crate::signer::SignError;
use crate::store::StoreError;
use crate::turns::NoTurn;

/// A fault of ours, of which a caller learns only whether trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It may pass: the database is away, or the hashing queue is full.
    Passing,
    /// It will not: a bug, or damage.
    Lasting,
    /// The request brought a value that cannot be kept (a NUL, RFC 6749 §5.2's `invalid_request`).
    Unstorable,
    /// What the request rests on changed or went while it was answered: the password, the session, the user, the client.
    Overtaken,
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Unstorable => Self::Unstorable,
            StoreError::Conflict { what: what @ ("password" | "session" | "reference") } => {
                tracing::info!(what, "a request was overtaken by a change of what it rests on");
                Self::Overtaken
            }
            StoreError::Unavailable(_) => {
                tracing::warn!(%error, "the database cannot answer");
                Self::Passing
            }
            _ => {
                tracing::error!(%error, "the database refused");
                Self::Lasting
            }
        }
    }
}

impl From<RealmError> for Fault {
    fn from(error: RealmError) -> Self {
        match error {
            RealmError::Store(error) => error.into(),
            RealmError::Busy(error) => error.into(),
            RealmError::Keys { .. } => {
                tracing::error!(%error, "a realm cannot be used");
                Self::Lasting
            }
        }
    }
}

impl From<SignError> for Fault {
    fn from(error: SignError) -> Self {
        tracing::error!(%error, "a token could not be signed");
        Self::Lasting
    }
}

impl From<PasswordError> for Fault {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Passing,
            error => {
                tracing::error!(%error, "a stored hash cannot be used");
                Self::Lasting
            }
        }
    }
}

impl From<NoTurn> for Fault {
    fn from(_: NoTurn) -> Self {
        Self::Passing
    }
}

/// A failure that is answered in JSON (RFC 6749 §5.2).
#[derive(Clone, Debug)]
pub struct ApiError {
    error: OAuthError,
    status: StatusCode,
    /// Value of `WWW-Authenticate`.
    challenge: Option<HeaderValue>,
    /// Seconds after which trying again may help.
    retry_after: Option<i64>,
}

impl ApiError {
    /// A refusal with another status than its code's own.
    #[must_use]
    pub fn with_status(error: OAuthError, status: StatusCode) -> Self {
        Self { error, status, challenge: None, retry_after: None }
    }

    /// The same failure for a caller who may try again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The same failure with a challenge, for a client that used the `Authorization` header (RFC 6749 §5.2).
    #[must_use]
    pub fn challenge(mut self, challenge: &str) -> Self {
        self.challenge = HeaderValue::from_str(challenge).ok();
        self
    }

    /// Whether it tells of the request, and not of trouble of ours.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        !matches!(self.error.code, ErrorCode::ServerError | ErrorCode::TemporarilyUnavailable)
    }

    /// What is wrong.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.error.code
    }
}

impl From<OAuthError> for ApiError {
    fn from(error: OAuthError) -> Self {
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        Self { error, status, challenge: None, retry_after }
    }
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        OAuthError::from(error).into()
    }
}

impl<E: Into<Fault>> From<E> for ApiError {
    fn from(error: E) -> Self {
        match error.into() {
            Fault::Passing => {
                OAuthError::new(ErrorCode::TemporarilyUnavailable, "The server cannot answer now, try again")
            }
            Fault::Lasting => OAuthError::new(ErrorCode::ServerError, "The server failed"),
            Fault::Unstorable => {
                OAuthError::new(ErrorCode::InvalidRequest, "A value holds a character that is refused")
            }
            Fault::Overtaken => {
                OAuthError::new(ErrorCode::InvalidGrant, "What the request rests on has changed meanwhile")
            }
        }
        .into()
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({
            "error": self.error.code.wire(),
            "error_description": self.error.description,
        }));
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A failure that is answered with a page.
#[derive(Clone, Debug)]
pub struct PageError {
    /// Which page.
    pub trouble: Trouble,
    /// A sentence that names what is wrong, as far as the person may know.
    pub detail: Option<String>,
    /// What helps a developer, shown where `Rules::helpful` says so: a sentence, and names with values.
    pub hint: Option<(String, Vec<(&'static str, String)>)>,
    /// Where to begin anew.
    pub again: Option<Box<str>>,
    /// The app to go back to: its name and its home page.
    pub back: Option<Box<(String, String)>>,
    /// Whether `again` is the person's own page, for want of an app to go back to.
    pub to_account: bool,
    /// Seconds after which trying again may help.
    pub retry_after: Option<i64>,
}

impl PageError {
    /// A page without further words.
    #[must_use]
    pub fn new(trouble: Trouble) -> Self {
        Self {
            trouble,
            detail: None,
            hint: None,
            again: None,
            back: None,
            to_account: false,
            retry_after: None,
        }
    }

    /// Whether it tells of trouble of ours, and not of the request.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self.trouble, Trouble::Fault | Trouble::Unavailable)
    }

    /// The same page with a sentence.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same page with help for a developer.
    #[must_use]
    pub fn hint(mut self, sentence: impl Into<String>, facts: Vec<(&'static str, String)>) -> Self {
        self.hint = Some((sentence.into(), facts));
        self
    }

    /// The same page for a person who may try again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after = Some(seconds.max(1));
        self
    }

    /// The same page with the way back to `client`, where it has a home page.
    #[must_use]
    pub fn back_to(mut self, client: Option<&Client>) -> Self {
        self.back = client.and_then(|client| {
            let home = client.settings.client_uri.clone()?;
            Some(Box::new((client.title().to_owned(), home)))
        });
        self
    }

    /// The same page with a link to the account page at `address`.
    #[must_use]
    pub fn own_page(mut self, address: impl Into<String>) -> Self {
        self.to_account = true;
        self.again(address)
    }

    /// The same page with a link to begin anew.
    #[must_use]
    pub fn again(mut self, address: impl Into<String>) -> Self {
        self.again = Some(address.into().into_boxed_str());
        self
    }
}

impl<E: Into<Fault>> From<E> for PageError {
    fn from(error: E) -> Self {
        match error.into() {
            Fault::Passing => Self::new(Trouble::Unavailable).retry_after(1),
            Fault::Lasting => Self::new(Trouble::Fault),
            Fault::Unstorable => Self::new(Trouble::Request),
            Fault::Overtaken => Self::new(Trouble::Expired),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use proptest::prelude::*;

    use super::*;

    const CANARY: &str = "canary-in-the-cause";

    fn faults() -> Vec<(&'static str, ApiError, PageError)> {
        let json = || serde_json::from_str::<u8>(CANARY).unwrap_err();
        let schema = || StoreError::Schema(CANARY.to_owned());
        vec![
            (
                "a conflict",
                StoreError::Conflict { what: "user name" }.into(),
                StoreError::Conflict { what: "x" }.into(),
            ),
            (
                "a session that ended meanwhile",
                StoreError::Conflict { what: "session" }.into(),
                StoreError::Conflict { what: "session" }.into(),
            ),
            ("odd text", StoreError::Unstorable.into(), StoreError::Unstorable.into()),
            ("another schema", schema().into(), schema().into()),
            ("damage", StoreError::Damaged(json()).into(), StoreError::Damaged(json()).into()),
            ("a realm", RealmError::Store(schema()).into(), RealmError::Store(schema()).into()),
            ("a key", SignError::NoKey.into(), SignError::NoKey.into()),
            ("a full queue", PasswordError::Busy.into(), PasswordError::Busy.into()),
            ("a hash", PasswordError::Failed.into(), PasswordError::Failed.into()),
        ]
    }

    #[tokio::test]
    async fn z18_every_fault_of_ours_has_a_code_and_keeps_its_cause() {
        for (case, api, page) in faults() {
            let status = api.clone().into_response().status();
            let code = api.code().wire();
            assert!(
                matches!(
                    (status.as_u16(), code),
                    (500, "server_error")
                        | (503, "temporarily_unavailable")
                        | (400, "invalid_request" | "invalid_grant")
                ),
                "{case}: {status} {code}"
            );
            let page_status = page.trouble.status().as_u16();
            assert_eq!(page_status, status.as_u16(), "{case}: page and JSON agree");
            let response = api.into_response();
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{case}");
            assert_eq!(response.headers().contains_key(RETRY_AFTER), status == 503, "{case}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(page.retry_after.is_some(), status == 503, "{case}");
            assert!(!String::from_utf8_lossy(&body).contains(CANARY), "{case}: the cause got out");
            assert!(!format!("{page:?}").contains(CANARY), "{case}: the cause got out");
        }
    }

    proptest! {
        #[test]
        fn z18_any_refusal_is_well_formed(description in "\\PC{0,200}", status in 400_u16..600) {
            let status = StatusCode::from_u16(status).unwrap();
            let error = OAuthError::new(ErrorCode::InvalidGrant, description);
            let response = ApiError::with_status(error, status).challenge("Basic").into_response();
            prop_assert_eq!(response.status(), status);
            prop_assert_eq!(&response.headers()[CACHE_CONTROL], "no-store");
        }
    }
}
