//! A client's care for its own registration (RFC 7592), at the address that its registration gave it.

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::register::{
    Refusal, about, answer, check_keys, check_sector, document, keeps_secret, offer, stored,
};
use crate::http::bearer::{self, BearerError};
use crate::http::context::RealmContext;
use crate::http::service_account;
use crate::passwords::PasswordError;
use crate::protocol::audit::AuditKind;
use crate::protocol::client::Client;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::register::{self, Metadata};
use crate::secrets::{self, Secret};
use crate::store::{Change, REGISTRATION_CHANGED, StoreError};

/// How often a change is made anew when the realm's configuration changed meanwhile.
const ATTEMPTS: usize = 3;

/// The client of an address.
#[derive(Debug, Deserialize)]
pub struct Which {
    client_id: String,
}

/// Tells a client what is known of it.
pub async fn read(context: RealmContext, headers: HeaderMap, Path(which): Path<Which>) -> Response {
    let shown = async {
        let (client, token) = own(&context, &headers, &which).await?;
        Ok::<_, Refusal>(answer(&context, StatusCode::OK, &client, None, token.expose()))
    };
    shown.await.unwrap_or_else(IntoResponse::into_response)
}

/// Replaces what a client says about itself, all of it (RFC 7592 §2.2). Its token stays: an answer that is lost would
/// lock it out.
pub async fn update(
    context: RealmContext,
    headers: HeaderMap,
    Path(which): Path<Which>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let replaced = async {
        let document = document(&headers, body)?;
        for _ in 0..ATTEMPTS {
            match replace(&context, &headers, &which, &document).await {
                Err(Attempt::Again) => {}
                Err(Attempt::Refused(refusal)) => return Err(refusal),
                Ok(response) => return Ok(response),
            }
        }
        let why = "The realm is being changed, try again";
        Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, why).into())
    };
    replaced.await.unwrap_or_else(IntoResponse::into_response)
}

/// How a change did not come to be.
enum Attempt {
    /// Somebody else changed the realm meanwhile.
    Again,
    /// It is not allowed.
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for Attempt {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

async fn replace(
    context: &RealmContext,
    headers: &HeaderMap,
    which: &Which,
    document: &Map<String, Value>,
) -> Result<Response, Attempt> {
    // The version before the client: what changes in between makes the commit fail, and is looked at again.
    let context = RealmContext { state: fresh_state(context).await?, ..context.clone() };
    let (client, token) = own(&context, headers, which).await?;
    same_credentials(&context, &client, document).await?;
    let metadata = Metadata::read(document)?;
    let now = context.app.clock.now();
    let settings = register::settings(&metadata, Some(&client.settings), offer(&context), now)?;
    check_keys(&metadata)?;
    check_sector(&context, &metadata).await?;
    let confidential = keeps_secret(settings.authentication);
    // Who proved itself otherwise until now has no secret of this form.
    let had_secret = client.settings.authentication == settings.authentication;
    let secret = (confidential && !had_secret).then(secrets::random_token);
    let old = client.clone();
    let client = Client { settings, secret_hash: None, ..client };
    let secret_hash = match &secret {
        Some(secret) => Some(stored(&context, &client, secret)),
        None => old.secret_hash.clone().filter(|_| confidential),
    };
    let client = Client { secret_hash, ..client };
    let (store, state) = (&context.app.store, &context.state);
    let account = service_account::changes(store, state, &client, Some(&old), now).await?;
    let mut changes = vec![
        touch(&context, &client, &token),
        Change::PutClient { client: Box::new(client.clone()), at: now },
        Change::Audit(about(&context, AuditKind::ClientUpdate, &client)),
    ];
    changes.extend(account);
    match context.app.commit(changes).await {
        Err(StoreError::Conflict { what }) if what == REGISTRATION_CHANGED => Err(Attempt::Again),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(answer(&context, StatusCode::OK, &client, secret.as_deref(), token.expose())),
    }
}

/// The realm as it is now, since another node may have changed it within the last second.
async fn fresh_state(context: &RealmContext) -> Result<std::sync::Arc<crate::realms::RealmState>, Refusal> {
    let app = &context.app;
    app.realms.refresh(&app.store).await?;
    match app.realms.named(&app.store, context.realm()).await {
        Ok(Some(state)) => Ok(state),
        Ok(None) => Err(BearerError::invalid().into()),
        Err(error) => Err(Refusal::Api(error.into())),
    }
}

/// RFC 7592 §2.2: the document names the client by its identifier, and by its secret if by that at all.
async fn same_credentials(
    context: &RealmContext,
    client: &Client,
    document: &Map<String, Value>,
) -> Result<(), Refusal> {
    let refuse = |why| Err(OAuthError::new(ErrorCode::InvalidClientMetadata, why).into());
    if document.get("client_id").and_then(Value::as_str) != Some(client.client_id.as_str()) {
        return refuse("client_id is missing or another");
    }
    match (document.get("client_secret"), &client.secret_hash) {
        (None | Some(Value::Null), _) => Ok(()),
        (Some(Value::String(secret)), Some(_)) => {
            match is_secret_of(context, client, &Secret::from(secret.as_str())).await {
                Ok(true) => Ok(()),
                Ok(false) => refuse("client_secret is another"),
                Err(error) => Err(Refusal::Api(error.into())),
            }
        }
        _ => refuse("client_secret is another"),
    }
}

async fn is_secret_of(
    context: &RealmContext,
    client: &Client,
    secret: &Secret,
) -> Result<bool, PasswordError> {
    let secrets = &context.app.client_secrets;
    match secrets.reveal(client) {
        Some(known) => Ok(known == *secret),
        None => secrets.verify_of(client, secret).await,
    }
}

/// Takes a client away, at its own wish.
pub async fn delete(context: RealmContext, headers: HeaderMap, Path(which): Path<Which>) -> Response {
    let gone = async {
        for _ in 0..ATTEMPTS {
            let context = RealmContext { state: fresh_state(&context).await?, ..context.clone() };
            let (client, token) = own(&context, &headers, &which).await?;
            let changes = vec![
                touch(&context, &client, &token),
                Change::DeleteClient { realm_id: client.realm_id.clone(), id: client.id.clone() },
                Change::Audit(about(&context, AuditKind::ClientDelete, &client)),
            ];
            match context.app.commit(changes).await {
                Err(StoreError::Conflict { what }) if what == REGISTRATION_CHANGED => {}
                Err(error) => return Err(Refusal::from(error)),
                Ok(()) => {
                    let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
                    return Ok((StatusCode::NO_CONTENT, [no_store]).into_response());
                }
            }
        }
        let why = "The realm is being changed, try again";
        Err(OAuthError::new(ErrorCode::TemporarilyUnavailable, why).into())
    };
    gone.await.unwrap_or_else(IntoResponse::into_response)
}

/// The client of the address, if the request brings its registration access token. One that is not there, is disabled, or
/// did not register itself gets the same answer as a wrong token (RFC 7592 §2, attacks A07).
async fn own(
    context: &RealmContext,
    headers: &HeaderMap,
    which: &Which,
) -> Result<(Client, Secret), Refusal> {
    let token = bearer::secret_from_header(headers)?.ok_or_else(BearerError::missing)?;
    let (store, realm_id) = (&context.app.store, &context.state.realm.id);
    let client = store.client_by_client_id(realm_id, &which.client_id).await?;
    let client = client.filter(|client| client.enabled).ok_or_else(BearerError::invalid)?;
    let stored = store.registration(realm_id, &client.id).await?.ok_or_else(BearerError::invalid)?;
    if !secrets::same(&stored, &secrets::fingerprint(token.expose())) {
        return Err(BearerError::invalid().into());
    }
    Ok((client, token))
}

fn touch(context: &RealmContext, client: &Client, token: &Secret) -> Change {
    Change::TouchRegistration {
        realm_id: client.realm_id.clone(),
        client: client.id.clone(),
        fingerprint: secrets::fingerprint(token.expose()),
        version: context.state.realm.version,
        at: context.app.clock.now(),
    }
}
