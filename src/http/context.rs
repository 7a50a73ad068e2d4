//! What every endpoint of a realm starts from: the realm, the issuer by the name that the request used, who asks.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::certificate::Shown;
use super::error::PageError;
use super::pages::{Page, Shell};
use super::{failure, host};
use crate::app::Shared;
use crate::protocol::issuer::Base;
use crate::realms::{RealmError, RealmState};
use crate::server::{ClientCertificate, Peer};
use crate::telemetry::RequestId;

/// The realm of a request, and the addresses that follow from how it was reached.
#[derive(Clone)]
pub struct RealmContext {
    /// The server.
    pub app: Shared,
    /// The realm.
    pub state: Arc<RealmState>,
    /// Scheme, host, port and base path under which the answer speaks of itself.
    pub base: Base,
    /// The base of the addresses that programs call, when it is another.
    pub back_channel: Option<Base>,
    /// `iss`.
    pub issuer: String,
    /// The address of the client.
    pub address: IpAddr,
    /// The request's identifier in the log.
    pub request_id: String,
    /// The certificate that the client made its connection with.
    pub certificate: Option<Arc<Shown>>,
    /// The request's method.
    pub method: Method,
    /// The request's target, whole.
    pub uri: Uri,
}

#[derive(Deserialize)]
struct RealmPath {
    realm: Option<String>,
}

/// A [`RealmContext`] whose realm may still be without its first keys: for what needs none.
pub struct Described(pub RealmContext);

impl FromRequestParts<Shared> for RealmContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        Self::read(parts, app, |name| async move { app.realms.named(&app.store, &name).await }).await
    }
}

impl FromRequestParts<Shared> for Described {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let realm = |name: String| async move { app.realms.described(&app.store, &name).await };
        RealmContext::read(parts, app, realm).await.map(Self)
    }
}

impl RealmContext {
    async fn read<R>(
        parts: &mut Parts,
        app: &Shared,
        realm: impl FnOnce(String) -> R,
    ) -> Result<Self, Response>
    where
        R: Future<Output = Result<Option<Arc<RealmState>>, RealmError>>,
    {
        let server = ServerContext::from_request_parts(parts, app).await?;
        let path: Result<axum::extract::Path<RealmPath>, PathRejection> =
            axum::extract::Path::from_request_parts(parts, app).await;
        let named = path.ok().and_then(|path| path.0.realm).or_else(|| app.rules.root_realm.clone());
        let Some(name) = named else { return Err(server.no_realm(&parts.headers).await) };
        match realm(name).await {
            Ok(Some(state)) => Ok(server.about(state, parts)),
            Ok(None) => Err(server.no_realm(&parts.headers).await),
            Err(error) => Err(server.fail(&PageError::from(error), &parts.headers)),
        }
    }

    /// Name of the realm.
    #[must_use]
    pub fn realm(&self) -> &str {
        &self.state.realm.name
    }

    /// An absolute address below the realm: `self.url("/protocol/openid-connect/token")`.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    /// The addresses, without query, under which a client may have sent this request: one for each name of the server.
    #[must_use]
    pub fn requested(&self) -> Vec<String> {
        let own = std::iter::once(&self.base).chain(&self.back_channel);
        own.chain(self.app.hosts.aliases())
            .map(|base| format!("{}{}", base.origin(), self.uri.path()))
            .collect()
    }

    /// The realm's base for programs: the issuer, or the same below the name that they asked by.
    #[must_use]
    pub fn back_channel_issuer(&self) -> String {
        self.back_channel
            .as_ref()
            .map_or_else(|| self.issuer.clone(), |base| self.app.hosts.issuer(base, self.realm()))
    }

    /// The realm's base at which the server asks for certificates; none when it asks nowhere, or everywhere (RFC 8705 §5).
    #[must_use]
    pub fn certificates_issuer(&self) -> Option<String> {
        let base = self.app.rules.client_certificates.as_ref()?.base.as_ref()?;
        Some(self.app.hosts.issuer(base, self.realm()))
    }

    /// The surroundings of a page of this realm.
    #[must_use]
    pub fn shell(&self) -> Shell<'_> {
        let realm = &self.state.realm;
        let brand = super::pages::Brand::new(
            &realm.name,
            realm.display_name.as_deref(),
            realm.settings.logo_uri.as_deref(),
        );
        Shell::new(self.app.hosts.base_path(), brand)
    }

    /// Finishes a page of this realm.
    #[must_use]
    pub fn page(&self, page: Page) -> Response {
        page.over_https(self.base.is_secure()).into_response()
    }

    /// The page that tells of a failure.
    #[must_use]
    pub fn fail(&self, error: &PageError) -> Response {
        failure::page(self.shell(), error, &self.request_id, self.app.rules.helpful, self.base.is_secure())
    }

    /// Whether a request that changes something comes from one of our own pages (attacks S01): browsers say so by
    /// `Sec-Fetch-Site` or `Origin`, and a script that says neither has no person's cookies by accident.
    #[must_use]
    pub fn is_same_origin(&self, headers: &axum::http::HeaderMap) -> bool {
        if let Some(site) = headers.get("sec-fetch-site") {
            return site == "same-origin" || site == "none";
        }
        match headers.get(ORIGIN) {
            // Our pages send no referrer, and browsers then send `null` as the origin of their forms.
            Some(origin) => origin == "null" || origin.as_bytes() == self.base.origin().as_bytes(),
            None => true,
        }
    }
}

/// What every endpoint of the server starts from, before a realm is known.
#[derive(Clone)]
pub struct ServerContext {
    /// The server.
    pub app: Shared,
    /// See [`RealmContext::base`].
    pub base: Base,
    /// See [`RealmContext::back_channel`].
    pub back_channel: Option<Base>,
    /// The address of the client.
    pub address: IpAddr,
    /// The request's identifier in the log.
    pub request_id: String,
}

impl FromRequestParts<Shared> for ServerContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
        let request_id = parts.extensions.get::<RequestId>().map(ToString::to_string).unwrap_or_default();
        match host::base(&app.hosts, peer, parts) {
            Ok(base) => {
                let address = host::client(&app.hosts, peer, parts);
                let back_channel = host::back_channel(&app.hosts, peer, parts);
                Ok(Self { app: Arc::clone(app), base, back_channel, address, request_id })
            }
            Err(refusal) => {
                tracing::info!(host = ?parts.headers.get(HOST), %refusal, "refused a host");
                Err(failure::refused(app, refusal, &request_id, &parts.headers))
            }
        }
    }
}

impl ServerContext {
    /// The same request, as one about a realm.
    #[must_use]
    pub fn about(self, state: Arc<RealmState>, parts: &Parts) -> RealmContext {
        RealmContext {
            issuer: self.app.hosts.issuer(&self.base, &state.realm.name),
            app: self.app,
            state,
            base: self.base,
            back_channel: self.back_channel,
            address: self.address,
            request_id: self.request_id,
            certificate: parts.extensions.get::<ClientCertificate>().and_then(Shown::read).map(Arc::new),
            method: parts.method.clone(),
            uri: parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |uri| &uri.0).clone(),
        }
    }
}
