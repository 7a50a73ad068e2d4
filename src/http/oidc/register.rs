//! Dynamic registration (RFC 7591) and a client's care for itself (RFC 7592), at Keycloak's address
//! `…/clients-registrations/openid-connect`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::http::bearer::{self, BearerError};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::sign_in::audit;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jws::strict_object;
use crate::protocol::register::{self, Metadata, Registration};
use crate::secrets::{self, Secret};
use crate::store::{Change, NO_INITIAL_TOKEN, REGISTRATION_CHANGED, REGISTRATION_LIMIT, StoreError};

/// How often a change is made anew when the realm's configuration changed meanwhile.
const ATTEMPTS: usize = 3;

/// The client of an address.
#[derive(Debug, Deserialize)]
pub struct Which {
    client_id: String,
}

/// A refusal, in the form of RFC 7591 §3.2.2 or of RFC 6750 §3.
#[derive(Debug)]
enum Refusal {
    Api(ApiError),
    Bearer(BearerError),
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::Api(error.into())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<BearerError> for Refusal {
    fn from(error: BearerError) -> Self {
        Self::Bearer(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Api(error) => error.into_response(),
            Self::Bearer(error) => error.into_response(),
        }
    }
}

/// Registers a client: 201 with all that is known of it, its secret and its token shown this once.
pub async fn create(
    context: RealmContext,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    add(&context, &headers, body).await.unwrap_or_else(IntoResponse::into_response)
}

async fn add(
    context: &RealmContext,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let realm = &context.state.realm;
    let initial = initial_token(context, headers)?;
    let metadata = Metadata::read(&document(headers, body)?)?;
    let now = context.app.clock.now();
    let settings = register::settings(&metadata, None, &realm.settings, &context.state.algorithms, now)?;
    // Spent with the registration; looked at before this server asks anybody else for a stranger's sake.
    if let Some(token) = &initial {
        let fingerprint = secrets::fingerprint(token.expose());
        if !context.app.store.takes_registration(&realm.id, &fingerprint, now).await? {
            return Err(BearerError::invalid().into());
        }
    }
    check_sector(context, &metadata).await?;
    let secret = (settings.authentication == ClientAuthentication::Secret).then(secrets::random_token);
    let client = Client {
        id: Uuid::now_v7().to_string(),
        realm_id: realm.id.clone(),
        client_id: Uuid::new_v4().to_string(),
        enabled: true,
        secret_hash: secret.as_deref().map(secrets::hash_generated),
        settings,
    };
    let token = secrets::random_token();
    let spend = initial.map(|token| Change::SpendRegistrationToken {
        realm_id: realm.id.clone(),
        fingerprint: secrets::fingerprint(token.expose()),
        at: now,
    });
    let mut changes: Vec<Change> = spend.into_iter().collect();
    changes.push(Change::PutClient { client: Box::new(client.clone()), at: now });
    changes.push(Change::AddRegistration {
        realm_id: realm.id.clone(),
        client: client.id.clone(),
        fingerprint: secrets::fingerprint(&token),
        at: now,
        limit: realm.settings.registration_limit,
    });
    changes.push(Change::Audit(about(context, AuditKind::ClientRegister, &client)));
    match context.app.commit(changes).await {
        Err(StoreError::Conflict { what }) if what == NO_INITIAL_TOKEN => Err(BearerError::invalid().into()),
        Err(StoreError::Conflict { what }) if what == REGISTRATION_LIMIT => {
            let why = "This realm has as many registered clients as it may have";
            let error = OAuthError::new(ErrorCode::AccessDenied, why);
            Err(Refusal::Api(ApiError::with_status(error, StatusCode::FORBIDDEN)))
        }
        Err(error) => Err(error.into()),
        Ok(()) => Ok(answer(context, StatusCode::CREATED, &client, secret.as_deref(), &token)),
    }
}

/// The initial access token, where the realm asks for one. One that is brought is spent in any case.
fn initial_token(context: &RealmContext, headers: &HeaderMap) -> Result<Option<Secret>, Refusal> {
    let token = bearer::secret_from_header(headers)?;
    match (context.state.realm.settings.registration, token) {
        (Registration::Off, _) => {
            let error = OAuthError::new(ErrorCode::AccessDenied, "This realm takes no registrations");
            Err(Refusal::Api(ApiError::with_status(error, StatusCode::FORBIDDEN)))
        }
        (Registration::Token, None) => Err(BearerError::missing().into()),
        (_, token) => Ok(token),
    }
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
    let realm = &context.state.realm;
    let (client, token) = own(&context, headers, which).await?;
    same_credentials(&context, &client, document).await?;
    let metadata = Metadata::read(document)?;
    let now = context.app.clock.now();
    let (before, signs) = (Some(&client.settings), &context.state.algorithms);
    let settings = register::settings(&metadata, before, &realm.settings, signs, now)?;
    check_sector(&context, &metadata).await?;
    let confidential = settings.authentication == ClientAuthentication::Secret;
    // Who proved itself otherwise until now has no secret of this form.
    let had_secret = client.settings.authentication == ClientAuthentication::Secret;
    let secret = (confidential && !had_secret).then(secrets::random_token);
    let secret_hash = match &secret {
        Some(secret) => Some(secrets::hash_generated(secret)),
        None => client.secret_hash.clone().filter(|_| confidential),
    };
    let client = Client { settings, secret_hash, ..client };
    let changes = vec![
        touch(&context, &client, &token),
        Change::PutClient { client: Box::new(client.clone()), at: now },
        Change::Audit(about(&context, AuditKind::ClientUpdate, &client)),
    ];
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
        (Some(Value::String(secret)), Some(hash)) => {
            match context.app.client_secrets.verify(hash, &Secret::from(secret.as_str())).await {
                Ok(true) => Ok(()),
                Ok(false) => refuse("client_secret is another"),
                Err(error) => Err(Refusal::Api(error.into())),
            }
        }
        _ => refuse("client_secret is another"),
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

fn about(context: &RealmContext, kind: AuditKind, client: &Client) -> AuditEvent {
    AuditEvent { client_id: Some(client.client_id.clone()), ..audit(context, kind) }
}

/// The document in the body.
fn document(headers: &HeaderMap, body: Result<Bytes, BytesRejection>) -> Result<Map<String, Value>, Refusal> {
    let refuse = |why: String| Refusal::from(OAuthError::new(ErrorCode::InvalidClientMetadata, why));
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(refuse("The body must be application/json".to_owned()));
    }
    let body = body.map_err(|_| refuse("The body is too long or broke off".to_owned()))?;
    strict_object(&body).map_err(|why| refuse(format!("The body {why}")))
}

/// Reads `sector_identifier_uri`, through the guarded way out (OpenID Connect Registration 1.0 §5).
async fn check_sector(context: &RealmContext, metadata: &Metadata) -> Result<(), Refusal> {
    let Some(uri) = &metadata.sector_identifier_uri else { return Ok(()) };
    let unreadable = |why: String| {
        tracing::info!(uri, why, "a sector_identifier_uri could not be read");
        let text = "sector_identifier_uri cannot be read";
        Refusal::from(OAuthError::new(ErrorCode::InvalidClientMetadata, text))
    };
    let fetched = context.app.fetcher.get(uri, "application/json").await;
    let fetched = fetched.map_err(|error| unreadable(error.to_string()))?;
    if fetched.status != 200 {
        return Err(unreadable(format!("it answered {}", fetched.status)));
    }
    Ok(register::check_sector(&fetched.body, metadata)?)
}

fn answer(
    context: &RealmContext,
    status: StatusCode,
    client: &Client,
    secret: Option<&str>,
    token: &str,
) -> Response {
    let mut members = register::describe(client, &context.state.realm.settings);
    if let Some(secret) = secret {
        members.insert("client_secret".to_owned(), json!(secret));
    }
    if client.secret_hash.is_some() {
        members.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    let address = context.url(&format!("/clients-registrations/openid-connect/{}", client.client_id));
    members.insert("registration_client_uri".to_owned(), json!(address));
    members.insert("registration_access_token".to_owned(), json!(token));
    let unkept = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (status, unkept, Json(Value::Object(members))).into_response()
}
