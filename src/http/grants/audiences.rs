//! Whom access tokens are for, when that is asked for by `resource` (RFC 8707) or was by an exchange.

use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::params::Params;
use crate::protocol::client::Client;
use crate::protocol::error::OAuthError;
use crate::protocol::grant::Grant;
use crate::protocol::grants::token_exchange;
use crate::protocol::resource;

/// The audiences of a token from `grant`: the part of the grant's that the request names. None when neither says any.
///
/// # Errors
/// `invalid_target` for one that was not granted, or that the client may not have any more; trouble of ours.
pub async fn of_grant(
    context: &RealmContext,
    client: &Client,
    grant: &Grant,
    form: &Params,
) -> Result<Option<Vec<String>>, ApiError> {
    let granted = &grant.request.audiences;
    if granted.is_empty() {
        return of_request(context, client, form).await;
    }
    let asked: Vec<&str> = form.all("resource").collect();
    let audiences = resource::part(granted, &asked)?;
    for audience in &audiences {
        let service = context.state.client_of_resource(&context.app.store, audience).await?;
        let service = service.as_ref().map(|service| &service.client);
        if grant.request.exchange.is_some() {
            token_exchange::still_refreshes(client, service)?;
        } else {
            resource::may_ask(client, audience, service)?;
        }
    }
    Ok(Some(audiences))
}

/// The audiences that a request names; none when it names none.
///
/// # Errors
/// `invalid_target`, or trouble of ours.
pub async fn of_request(
    context: &RealmContext,
    client: &Client,
    form: &Params,
) -> Result<Option<Vec<String>>, ApiError> {
    let mut asked: Vec<String> = Vec::new();
    for name in form.all("resource").map(str::to_owned) {
        if !asked.contains(&name) {
            asked.push(name);
        }
    }
    allowed(context, client, &asked).await??;
    Ok(Some(asked).filter(|asked| !asked.is_empty()))
}

/// Whether `client` may ask for tokens for `resources`; inside is the refusal, outside trouble of ours.
///
/// # Errors
/// [`crate::store::StoreError`].
pub async fn allowed(
    context: &RealmContext,
    client: &Client,
    resources: &[String],
) -> Result<Result<(), OAuthError>, crate::store::StoreError> {
    for name in resources {
        let service = context.state.client_of_resource(&context.app.store, name).await?;
        let service = service.as_ref().map(|service| &service.client);
        if let Err(error) = resource::may_ask(client, name, service) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}
