//! What an app asks of a person who is signed in (`kc_action`, by Keycloak's name): the steps that an account may ask for at a
//! sign-in, on the ground of the session, and with a way to leave them undone. The app hears which it was. Who asks on the
//! account page is led the same way.

use axum::http::HeaderMap;
use axum::response::Response;

use super::step_page::page;
use super::{Progress, advance, see_other, views, with_cookies};
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::params::Params;
use crate::http::pending::{Half, OwnPage, PendingRequest};
use crate::protocol::authorize::Outcome;
use crate::protocol::sign_in_step::Step;
use crate::protocol::user::User;
use crate::store::Change;

/// Commits what was learned, and shows the page of what is asked.
pub(super) async fn begin(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    progress: Progress,
) -> Result<Response, PageError> {
    let expired = || PageError::new(Trouble::Expired);
    let noted = progress.noted_in(pending);
    context.app.commit(progress.changes).await?;
    let (session, user) = progress.session.as_ref().ok_or_else(expired)?;
    let found = context.app.store.user_by_login(&user.realm_id, &user.username, false).await?;
    let changes = found.filter(|found| found.user.id == user.id).ok_or_else(expired)?.password_changes;
    let half = Half {
        user_id: user.id.clone(),
        changes,
        remember: session.remembered,
        code_proven: true,
        device: None,
        session: Some(session.id.clone()),
    };
    let pending = PendingRequest { half: Some(half), ..noted };
    let response = if progress.after_form {
        let sealed = pending.seal(context, headers);
        let (address, _) = views::actions(context, &pending, None, &sealed);
        with_cookies(see_other(&address), sealed.cookie.into_iter().collect())
    } else {
        page(context, headers, &pending, user, &step(&pending), None).await?
    };
    Ok(with_cookies(response, progress.cookies))
}

/// The step that is asked for: by the app, or by the person on the account page.
pub(super) fn step(pending: &PendingRequest) -> Step {
    let action = match (&pending.parameters, &pending.page) {
        (Some(parameters), _) => parameters.get("kc_action"),
        (None, OwnPage::Change { action }) => Some(action.as_str()),
        (None, _) => None,
    };
    action.and_then(Step::of_action).unwrap_or(Step::Enter)
}

/// The person of the page, if the browser's session is still the one that it was shown in.
pub(super) async fn person(
    context: &RealmContext,
    headers: &HeaderMap,
    session_id: &str,
    user_id: &str,
) -> Result<User, PageError> {
    let found = super::session(context, headers).await?;
    let same = found.filter(|(session, user)| session.id == session_id && user.id == user_id);
    same.map(|(_, user)| user).ok_or_else(|| PageError::new(Trouble::Expired))
}

/// That the session goes on in which an app asked for a step: who was signed out meanwhile changes nothing.
pub(super) fn held(user: &User, half: &Half) -> Option<Change> {
    let id = half.session.clone()?;
    Some(Change::HoldSession { realm_id: user.realm_id.clone(), id })
}

/// Whether the person leaves it undone: by "Cancel", or by the "Decline" of the terms.
pub(super) fn is_cancelled(form: &Params) -> bool {
    ["cancel-aia", "cancel"].iter().any(|name| form.get(name).is_some())
}

/// Goes on with the request: the app hears what became of what it asked.
pub(super) async fn over(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    outcome: Outcome,
) -> Result<Response, PageError> {
    let pending = PendingRequest { half: None, acted: Some(outcome), ..pending.clone() };
    let progress = Progress { after_form: true, ..Progress::from_cookie(context, headers).await? };
    advance(context, headers, &pending, progress).await
}
