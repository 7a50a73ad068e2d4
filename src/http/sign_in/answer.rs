//! The answers of a sign-in: to the client at its proven address, or a page where there is none.

use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::{Progress, views};
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::tokens;
use crate::protocol::authorize::{Answer, Delivery, NoTarget, RequestParameters, Target};
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};

/// Commits what was learned, and tells the client why it gets no code.
pub(super) async fn refuse(
    context: &RealmContext,
    client: &Client,
    target: &Target,
    error: &OAuthError,
    progress: Progress,
) -> Result<Response, PageError> {
    context.app.commit(progress.changes).await?;
    answer(context, client, target.refuse(error, &context.issuer), progress.cookies)
}

/// Refuses a request before it was read, to where its parameters say in the open.
///
/// # Errors
/// A page, when they name no address of the client's.
pub async fn refuse_plainly(
    context: &RealmContext,
    client: &Client,
    parameters: &RequestParameters,
    error: &OAuthError,
) -> Result<Response, PageError> {
    let target = Target::prove(parameters, Some(client), context.app.rules.strictness)
        .map_err(|refusal| no_target(refusal, parameters, Some(client)))?;
    refuse(context, client, &target, error, Progress::default()).await
}

/// The sentence for a refusal of `authorize::decide`.
pub(super) fn refusal_text(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::LoginRequired => "Nobody is signed in, or the sign-in is too old",
        ErrorCode::ConsentRequired => "The person must be asked for consent",
        ErrorCode::InteractionRequired => "The person must be shown the page of kc_action",
        ErrorCode::UnmetAuthenticationRequirements => {
            "No sign-in in this realm has the acr that was asked for"
        }
        _ => "The person refused",
    }
}

/// The page for a request that cannot be answered at the client, with help for its developer.
pub fn no_target(refusal: NoTarget, parameters: &RequestParameters, client: Option<&Client>) -> PageError {
    let client_id = || ("client_id", parameters.get("client_id").unwrap_or_default().to_owned());
    match refusal {
        NoTarget::ClientMissing => PageError::new(Trouble::Request).detail("Missing parameter: client_id"),
        NoTarget::ClientUnknown => PageError::new(Trouble::Client)
            .detail("Client not found.")
            .hint("No enabled client of this realm has this client_id.", vec![client_id()]),
        NoTarget::RedirectUriMissing => PageError::new(Trouble::Redirect)
            .detail("Invalid parameter: redirect_uri")
            .back_to(client)
            .hint("The request names no redirect_uri.", vec![client_id()]),
        NoTarget::RedirectUriUnregistered => {
            let registered =
                client.map(|client| client.settings.redirect_uris.join("  ")).unwrap_or_default();
            let requested = parameters.get("redirect_uri").unwrap_or_default().to_owned();
            let facts = vec![client_id(), ("redirect_uri", requested), ("registered", registered)];
            PageError::new(Trouble::Redirect)
                .detail("Invalid parameter: redirect_uri")
                .back_to(client)
                .hint("The redirect_uri is not one of those that are registered for the client.", facts)
        }
    }
}

/// An answer on its way to the client, by redirect or by a form, signed where the client asked for that.
pub(super) fn answer(
    context: &RealmContext,
    client: &Client,
    answer: Answer,
    cookies: Vec<HeaderValue>,
) -> Result<Response, PageError> {
    let answer = match answer.claims(&client.client_id, context.app.clock.now()) {
        Some(claims) => answer.signed(tokens::sign_response(context, client, &claims)?),
        None => answer,
    };
    let response = match answer.deliver() {
        Delivery::Redirect(address) => see_other(&address),
        Delivery::FormPost { action, fields } => views::form_post(context, client, &action, &fields),
    };
    Ok(with_cookies(response, cookies))
}

/// 303: the browser goes on with GET, whatever it came with (RFC 9700 §4.12).
#[must_use]
pub fn see_other(address: &str) -> Response {
    let Ok(location) = HeaderValue::from_str(address) else { return StatusCode::BAD_REQUEST.into_response() };
    let no_store = HeaderValue::from_static("no-store");
    (StatusCode::SEE_OTHER, [(LOCATION, location), (CACHE_CONTROL, no_store)]).into_response()
}

/// The same response with these `Set-Cookie` headers.
#[must_use]
pub fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
