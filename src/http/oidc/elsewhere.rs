//! Addresses of Keycloak at which an app sends people to register and to ask for a new password: neither is offered here,
//! and the page says so, with the way to sign in.

use axum::response::Response;

use super::authorize;
use crate::http::context::RealmContext;
use crate::http::error::PageError;
use crate::http::pages::Trouble;
use crate::http::params::{Params, ParamsError, Query};
use crate::http::pending::asked_at;

/// `GET …/protocol/openid-connect/registrations`, and `…/login-actions/registration`, to which Keycloak leads from there.
pub async fn registrations(context: RealmContext, Query(query): Query) -> Response {
    not_offered(
        &context,
        query,
        "You cannot register yourself here. The people who run this server can give you an account.",
    )
}

/// `GET …/protocol/openid-connect/forgot-credentials`, and `…/login-actions/reset-credentials`.
pub async fn forgot_credentials(context: RealmContext, Query(query): Query) -> Response {
    not_offered(
        &context,
        query,
        "A new password cannot be asked for here. The people who run this server can give you one.",
    )
}

fn not_offered(context: &RealmContext, query: Result<Params, ParamsError>, why: &str) -> Response {
    let error = PageError::new(Trouble::Absent).detail(why);
    match query {
        // The request that the app made, at the address where it is one to sign in. Without these two it is none.
        Ok(query) if ["client_id", "redirect_uri"].iter().all(|name| query.get(name).is_some()) => {
            let parameters = authorize::known(&query);
            context.fail(&error.again(asked_at(context, &parameters)))
        }
        _ => context.fail(&error),
    }
}
