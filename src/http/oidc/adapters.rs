//! Addresses of Keycloak that its older adapters and its registration tool call, beside the protocol's.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::client_auth;
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::{Form, Query};
use crate::protocol::error::{ErrorCode, OAuthError};

/// `POST …/clients-managements/register-node` and `unregister-node`: a node of an app comes or goes. None is called from here
/// (the logout channels of OpenID Connect are), so none is kept; who asks must be the app all the same.
pub async fn node(
    context: RealmContext,
    headers: HeaderMap,
    Query(query): Query,
    Form(form): Form,
) -> Response {
    let taken = async {
        let (_, caller) = client_auth::request(&context, &headers, query, form).await?;
        client_auth::use_up(&context, &caller).await?;
        Ok::<_, ApiError>(StatusCode::NO_CONTENT)
    };
    taken.await.into_response()
}

/// `…/clients-registrations/default`: clients in Keycloak's own form are the admin API's.
pub async fn registration() -> Response {
    let why = "Register here with client metadata (RFC 7591) at clients-registrations/openid-connect, or make the client \
               by the admin API";
    let error = OAuthError::new(ErrorCode::InvalidRequest, why);
    ApiError::with_status(error, StatusCode::NOT_IMPLEMENTED).into_response()
}
