//! Pages of the server's own: a person signs in for one of them, and for no client.

use axum::http::HeaderMap;
use axum::response::Response;

use super::{Progress, kc_action, see_other, views, with_cookies};
use crate::http::account;
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pending::{OwnPage, PendingRequest};
use crate::protocol::authorize::{self, Outcome};

/// Commits what was learned, and leads to the page who is signed in, or who signs in first.
pub(super) async fn go_on(
    context: &RealmContext,
    headers: &HeaderMap,
    pending: &PendingRequest,
    progress: Progress,
) -> Result<Response, PageError> {
    let changes_something = matches!(pending.page, OwnPage::Change { .. }) && pending.acted.is_none();
    let now = context.app.clock.now();
    // Who wants to sign in as somebody else is not led on by who is signed in.
    let anew = pending.chooses && !progress.signed_in;
    let session = progress.session.as_ref().filter(|_| !anew);
    let may = session.is_some_and(|(session, _)| {
        !changes_something || progress.is_signed_in_for(pending) || authorize::is_fresh(session, now)
    });
    if let Some((_, user)) = progress.session.as_ref().filter(|_| may && changes_something)
        && account::may_change(context, user).await?
    {
        return kc_action::begin(context, headers, pending, progress).await;
    }
    context.app.commit(progress.changes).await?;
    let response = if may {
        see_other(&address(context, pending))
    } else {
        let user = session.map(|(_, user)| user);
        let page = views::Login { again: user.is_some(), ..views::Login::default() };
        page.render(context, headers, pending, user)
    };
    Ok(with_cookies(response, progress.cookies))
}

fn address(context: &RealmContext, pending: &PendingRequest) -> String {
    match &pending.page {
        OwnPage::Change { .. } if pending.acted == Some(Outcome::Success) => {
            context.url("/account/?done=saved")
        }
        OwnPage::Account | OwnPage::Change { .. } => context.url("/account/"),
        OwnPage::AccountFrom(referrer) => referrer.address(context),
        OwnPage::Device { user_code } => crate::http::device::address(context, user_code),
    }
}
