//! Dynamic registration (RFC 7591), at Keycloak's address `…/clients-registrations/openid-connect`. What a client may do
//! with its registration afterwards is in `registration_access`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::http::bearer::{self, BearerError};
use crate::http::context::RealmContext;
use crate::http::error::ApiError;
use crate::http::service_account;
use crate::http::sign_in::audit;
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::protocol::client::{Client, ClientAuthentication};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::jwk::JwkSet;
use crate::protocol::jws::strict_object;
use crate::protocol::register::{self, Metadata, Offer, Registration};
use crate::secrets::{self, Secret};
use crate::signer::{DAMAGED, KeySet};
use crate::store::{Change, NO_INITIAL_TOKEN, REGISTRATION_LIMIT, StoreError};

/// A refusal, in the form of RFC 7591 §3.2.2 or of RFC 6750 §3.
#[derive(Debug)]
pub(super) enum Refusal {
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
    let settings = register::settings(&metadata, None, offer(context), now)?;
    check_keys(&metadata)?;
    // Spent with the registration; looked at before this server asks anybody else for a stranger's sake.
    if let Some(token) = &initial {
        let fingerprint = secrets::fingerprint(token.expose());
        if !context.app.store.takes_registration(&realm.id, &fingerprint, now).await? {
            return Err(BearerError::invalid().into());
        }
    }
    check_sector(context, &metadata).await?;
    let secret = keeps_secret(settings.authentication).then(secrets::random_token);
    let client = Client {
        id: Uuid::now_v7().to_string(),
        realm_id: realm.id.clone(),
        client_id: Uuid::new_v4().to_string(),
        enabled: true,
        secret_hash: None,
        settings,
    };
    let secret_hash = secret.as_deref().map(|secret| stored(context, &client, secret));
    let client = Client { secret_hash, ..client };
    let token = secrets::random_token();
    let spend = initial.map(|token| Change::SpendRegistrationToken {
        realm_id: realm.id.clone(),
        fingerprint: secrets::fingerprint(token.expose()),
        at: now,
    });
    let mut changes: Vec<Change> = spend.into_iter().collect();
    changes.push(Change::PutClient { client: Box::new(client.clone()), at: now });
    changes.extend(service_account::changes(&context.app.store, &context.state, &client, None, now).await?);
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

pub(super) fn about(context: &RealmContext, kind: AuditKind, client: &Client) -> AuditEvent {
    AuditEvent { client_id: Some(client.client_id.clone()), ..audit(context, kind) }
}

/// The document in the body.
pub(super) fn document(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Map<String, Value>, Refusal> {
    let refuse = |why: String| Refusal::from(OAuthError::new(ErrorCode::InvalidClientMetadata, why));
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(refuse("The body must be application/json".to_owned()));
    }
    let body = body.map_err(|_| refuse("The body is too long or broke off".to_owned()))?;
    strict_object(&body).map_err(|why| refuse(format!("The body {why}")))
}

/// What this realm, on this server, offers to those who register.
pub(super) fn offer(context: &RealmContext) -> Offer<'_> {
    Offer {
        realm: &context.state.realm.settings,
        signs: &context.state.algorithms,
        certificates: context.app.rules.client_certificates.as_ref(),
        outbound: context.app.fetcher.rules(),
    }
}

/// Whether a client that proves itself so is given a secret.
pub(super) fn keeps_secret(authentication: ClientAuthentication) -> bool {
    matches!(authentication, ClientAuthentication::Secret | ClientAuthentication::ClientSecretJwt)
}

/// The stored form of a secret that was drawn for `client`: one that tokens are made with is kept sealed, others as a hash.
pub(super) fn stored(context: &RealmContext, client: &Client, secret: &str) -> String {
    match client.settings.authentication {
        ClientAuthentication::ClientSecretJwt => {
            context.app.client_secrets.store_drawn(client, &Secret::from(secret))
        }
        _ => secrets::hash_generated(secret),
    }
}

/// RFC 7591 §2: keys by which the client could never prove anything are refused while it is there to hear it (attacks J05).
pub(super) fn check_keys(metadata: &Metadata) -> Result<(), Refusal> {
    let set = metadata.jwks.as_ref().and_then(|members| JwkSet::read(members).ok());
    if set.is_some_and(|set| KeySet::is_damaged(&set)) {
        return Err(OAuthError::new(ErrorCode::InvalidClientMetadata, format!("jwks: {DAMAGED}")).into());
    }
    Ok(())
}

/// Reads `sector_identifier_uri`, through the guarded way out (OpenID Connect Registration 1.0 §5).
pub(super) async fn check_sector(context: &RealmContext, metadata: &Metadata) -> Result<(), Refusal> {
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

pub(super) fn answer(
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
