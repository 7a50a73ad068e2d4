//! The limit: a bare axum server on the same libraries, which does of each operation what cannot be left out. No realm,
//! no grant, no check that could refuse, no metrics: what a server in Rust could reach here, and what ratios are to.

use std::sync::Arc;

use crate::Outcome;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rusqlite::Connection;
use serde_json::{Value, json};

struct Limit {
    signer: Signer,
    public: ParsedPublicKey,
    secret: Vec<u8>,
    metadata: Bytes,
    key_set: Bytes,
    random: SystemRandom,
    rows: std::sync::Mutex<Connection>,
}

/// Listens on a free port, prints it, and answers until it is killed. `metadata` and `key_set` are what its static addresses
/// give.
pub(crate) fn serve(metadata: &str, key_set: &str, folder: &str) -> Outcome<()> {
    let signer = Signer::new()?;
    let limit = Arc::new(Limit {
        public: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, signer.rsa.public_key())?,
        signer,
        secret: digest(&SHA256, b"service-secret").as_ref().to_vec(),
        metadata: Bytes::from(metadata.to_owned()),
        key_set: Bytes::from(key_set.to_owned()),
        random: SystemRandom::new(),
        rows: std::sync::Mutex::new(rows(folder)?),
    });
    let router = Router::new()
        .route("/metadata", get(async |State(limit): State<Arc<Limit>>| fixed(limit.metadata.clone())))
        .route("/key-set", get(async |State(limit): State<Arc<Limit>>| fixed(limit.key_set.clone())))
        .route("/token/{algorithm}", post(token))
        .route("/verify", get(verify_alone).post(verify_form_alone))
        .route("/verify-and-read", get(verify).post(verify_form))
        .with_state(limit);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        let listener = axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true)));
        Ok(axum::serve(listener, router).await?)
    })
}

/// A table of ten thousand rows, of which one is read.
fn rows(folder: &str) -> Outcome<Connection> {
    let mut rows = Connection::open(std::path::Path::new(folder).join("limit.db"))?;
    rows.pragma_update(None, "journal_mode", "WAL")?;
    rows.execute_batch(
        "CREATE TABLE grants (id TEXT PRIMARY KEY, client TEXT, name TEXT, revoked_at INTEGER)",
    )?;
    let transaction = rows.transaction()?;
    for id in 0..10_000 {
        let row = (format!("grant-{id}"), "web", "alice");
        transaction.execute("INSERT INTO grants VALUES (?1, ?2, ?3, NULL)", row)?;
    }
    transaction.commit()?;
    Ok(rows)
}

fn fixed(document: Bytes) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}

/// Parse the form, prove the secret, sign, answer.
async fn token(
    State(limit): State<Arc<Limit>>,
    Path(algorithm): Path<String>,
    headers: HeaderMap,
    form: Bytes,
) -> Response {
    let Some(client) = limit.client(&headers) else { return StatusCode::UNAUTHORIZED.into_response() };
    if field(&form, "grant_type").as_deref() != Some("client_credentials") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut id = [0; 16];
    let _ = limit.random.fill(&mut id);
    let scope = field(&form, "scope").unwrap_or_default();
    // As much as a service's access token of the measured server holds.
    let claims = json!({
        "iss": "http://127.0.0.1:8080/realms/main", "sub": "0199e5a2-6f0c-7d6c-a2c4-1f0d7a3b5c9e", "aud": "api",
        "azp": client, "client_id": client, "typ": "Bearer", "scope": scope, "iat": 1_800_000_000, "acr": "1",
        "exp": 1_800_000_300, "jti": URL_SAFE_NO_PAD.encode(id), "preferred_username": "service-account-service",
        "realm_access": {"roles": ["default-roles-main", "offline_access", "uma_authorization"]},
        "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}},
        "email_verified": false,
    });
    let Ok(token) = limit.signer.token(&algorithm, &claims) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let body = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 300, "scope": scope });
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(body)).into_response()
}

async fn verify_alone(State(limit): State<Arc<Limit>>, headers: HeaderMap) -> Response {
    limit.claims(bearer(&headers)).map_or_else(|| StatusCode::UNAUTHORIZED.into_response(), answer)
}

async fn verify_form_alone(State(limit): State<Arc<Limit>>, form: Bytes) -> Response {
    let token = field(&form, "token").unwrap_or_default();
    limit.claims(&token).map_or_else(|| StatusCode::UNAUTHORIZED.into_response(), answer)
}

async fn verify(State(limit): State<Arc<Limit>>, headers: HeaderMap) -> Response {
    limit.verified(bearer(&headers))
}

async fn verify_form(State(limit): State<Arc<Limit>>, form: Bytes) -> Response {
    limit.verified(&field(&form, "token").unwrap_or_default())
}

fn field<'a>(form: &'a [u8], name: &str) -> Option<std::borrow::Cow<'a, str>> {
    form_urlencoded::parse(form).find(|(own, _)| own == name).map(|(_, value)| value)
}

fn bearer(headers: &HeaderMap) -> &str {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default()
}

fn answer(claims: Value) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], axum::Json(claims)).into_response()
}

impl Limit {
    fn client(&self, headers: &HeaderMap) -> Option<String> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
        let pair = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        let hash = digest(&SHA256, secret.as_bytes());
        aws_lc_rs::constant_time::verify_slices_are_equal(hash.as_ref(), &self.secret).ok()?;
        Some(id.to_owned())
    }

    /// The claims of a token that the RSA key signed, when a row says that its grant stands.
    fn verified(&self, token: &str) -> Response {
        let row = || {
            let rows = self.rows.lock().ok()?;
            let mut query =
                rows.prepare_cached("SELECT client, name, revoked_at FROM grants WHERE id = ?1").ok()?;
            query.query_row(["grant-4711"], |row| row.get::<_, String>(1)).ok()
        };
        match (self.claims(token), row()) {
            (Some(claims), Some(_)) => answer(claims),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    }

    /// The claims of a token that the RSA key signed.
    fn claims(&self, token: &str) -> Option<Value> {
        let (input, signature) = token.rsplit_once('.')?;
        let (_, payload) = input.split_once('.')?;
        self.public.verify_sig(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

/// A key pair of each kind, parsed once.
pub(crate) struct Signer {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    random: SystemRandom,
}

impl Signer {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self {
            rsa: RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048)?,
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?,
            ed25519: Ed25519KeyPair::generate()?,
            random: SystemRandom::new(),
        })
    }

    /// The signature alone.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Outcome<Vec<u8>> {
        Ok(match algorithm {
            "RS256" => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)?;
                signature
            }
            "ES256" => self.p256.sign(&self.random, message)?.as_ref().to_vec(),
            "EdDSA" => self.ed25519.sign(message).as_ref().to_vec(),
            other => return Err(format!("no key for {other}").into()),
        })
    }

    fn token(&self, algorithm: &str, claims: &Value) -> Outcome<String> {
        let mut token = String::with_capacity(1_200);
        let header = format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\",\"kid\":\"k1\"}}");
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = self.sign(algorithm, token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}
