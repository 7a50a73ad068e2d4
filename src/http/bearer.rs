//! Access tokens at our own endpoints (RFC 6750): read, verified, and still alive at the database.

use std::sync::Arc;

use axum::Json;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::context::RealmContext;
use super::error::{ApiError, Fault};
use crate::protocol::access_token;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::grant::Grant;
use crate::protocol::jws::{Audience, Claims, Expect};
use crate::protocol::session::Session;
use crate::protocol::standing::Standing;
use crate::protocol::user::User;
use crate::realms::ClientEntry;

/// An access token that is good, with the records that say so.
pub struct Live {
    /// Its claims.
    pub claims: Claims,
    /// `client_id` of the client that it was issued to.
    pub client_id: String,
    /// The client that it was issued to.
    pub entry: Arc<ClientEntry>,
    /// The user that it speaks for.
    pub user: User,
    /// The grant that it hangs on; none for a client's own token.
    pub grant: Option<Grant>,
    /// The client whose grant that is, when the token was made from one of that client's.
    pub origin: Option<Arc<ClientEntry>>,
    /// The session that the grant was given in.
    pub session: Option<Session>,
}

/// Why a token is refused.
#[derive(Debug)]
pub struct BearerError {
    error: Option<OAuthError>,
    failure: Option<Box<ApiError>>,
    scope: Option<&'static str>,
    /// The client that the token was issued to, when that is known (for CORS).
    pub client_id: Option<String>,
}

impl BearerError {
    fn with(error: Option<OAuthError>) -> Self {
        Self { error, failure: None, scope: None, client_id: None }
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

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        if let Some(failure) = self.failure {
            return failure.into_response();
        }
        let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let Some(error) = self.error else {
            return (
                StatusCode::UNAUTHORIZED,
                [no_store, (WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))],
            )
                .into_response();
        };
        let scope = self.scope.map(|scope| format!(", scope=\"{scope}\"")).unwrap_or_default();
        let challenge = format!(
            "Bearer error=\"{}\", error_description=\"{}\"{scope}",
            error.code.wire(),
            error.description
        );
        let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let body = json!({ "error": error.code.wire(), "error_description": error.description });
        let challenge = HeaderValue::from_str(&challenge).unwrap_or(HeaderValue::from_static("Bearer"));
        (status, [no_store, (WWW_AUTHENTICATE, challenge)], Json(body)).into_response()
    }
}

/// The token of the `Authorization` header, if there is one.
///
/// # Errors
/// `invalid_request` for more than one header, `invalid_token` for one that is no bearer token.
pub fn from_header(headers: &HeaderMap) -> Result<Option<String>, BearerError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else { return Ok(None) };
    if second.is_some() {
        return Err(BearerError::bad_request("Send one Authorization header"));
    }
    let text = value.to_str().map_err(|_| BearerError::invalid())?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim().to_owned())),
        _ => Err(BearerError::missing()),
    }
}

/// The claims of an access token of this realm that has not expired. Whether it still counts is not asked.
///
/// # Errors
/// `invalid_token`.
pub fn genuine(context: &RealmContext, token: &str) -> Result<Claims, BearerError> {
    let (app, now) = (&context.app, context.app.clock.now());
    let verified = context.state.ring.verify(token, now).map_err(|why| refused(&why.to_string()))?;
    let claims = verified.claims;
    let issuer = claims.text("iss").unwrap_or_default();
    if !app.hosts.accepts_issuer(issuer, context.realm()) {
        return Err(refused("it is of another issuer"));
    }
    let issuers = [issuer];
    let (token_types, header_types) = (&["Bearer"][..], &["JWT"][..]);
    let audience = Audience::Named;
    let expect = Expect { token_types, header_types, audience, needs_jti: true, ..Expect::at(now, &issuers) };
    expect.check(verified.typ.as_deref(), &claims).map_err(|why| refused(&why.to_string()))?;
    Ok(claims)
}

fn refused(why: &str) -> BearerError {
    tracing::debug!(why, "an access token was refused");
    BearerError::invalid()
}

/// Verifies an access token of this realm and asks the database whether what it hangs on still stands: client, user,
/// grant and session (attacks I03, J04).
///
/// # Errors
/// `invalid_token`, or trouble with the database.
pub async fn live(context: &RealmContext, token: &str) -> Result<Live, BearerError> {
    let claims = genuine(context, token)?;
    let (app, now) = (&context.app, context.app.clock.now());
    let client_id = access_token::holder(&claims).ok_or_else(|| refused("it names no client"))?.to_owned();
    let entry = context.state.client(&app.store, &client_id).await?;
    let entry = entry.ok_or_else(|| refused("its client is gone"))?;
    let realm = &context.state.realm;
    let [subject, jti] = ["sub", "jti"].map(|name| claims.text(name).unwrap_or_default());
    let lineage: Vec<&str> = access_token::lineage(jti).collect();
    let (user, grant, session) = match access_token::grant_of(jti) {
        Some(id) => match app.store.grant_of_token(&realm.id, id, &lineage).await? {
            Some((grant, user, session)) => (user, Some(grant), session),
            None => return Err(refused("its grant is gone, or it was revoked")),
        },
        None => {
            let user = app.store.user_of_token(&realm.id, subject, &lineage).await?;
            (user.ok_or_else(|| refused("its user is gone, or it was revoked"))?, None, None)
        }
    };
    let origin = match grant.as_ref().filter(|_| access_token::exchanges(jti) > 0) {
        Some(grant) => context.state.client_of_record(&app.store, &grant.client).await?,
        None => None,
    };
    let issued_at = claims.time("iat").ok_or_else(|| refused("it has no iat"))?;
    let standing = Standing {
        client: &entry.client,
        user: &user,
        grant: grant.as_ref(),
        origin: origin.as_ref().map(|origin| &origin.client),
        session: session.as_ref(),
        issued_at,
    };
    standing.check(&realm.settings, now).map_err(|why| refused(&why.to_string()).of(&client_id))?;
    Ok(Live { claims, client_id, entry, user, grant, origin, session })
}
