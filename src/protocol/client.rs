//! A client: an application that asks for tokens (RFC 6749 §2).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::certificate::CertificateName;
use super::device_code;
use super::grants::jwt_bearer::TrustedSubject;
use super::grants::token_exchange::ExchangeRule;
use super::jws::Algorithm;
use super::mapper::Mapper;
use super::profile::Profile;
use super::realm::RealmSettings;
use super::register::Registered;
use super::subject::SubjectType;
use crate::clock::Timestamp;

/// A client as it is kept.
#[derive(Clone, PartialEq)]
pub struct Client {
    /// Identifier of the record (UUID); the admin API's `id`.
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// The name that it authenticates with: `client_id` (RFC 6749 §2.2).
    pub client_id: String,
    /// A client that is not enabled gets nothing.
    pub enabled: bool,
    /// Stored form of its secret (see `passwords`), none for a public client.
    pub secret_hash: Option<String>,
    /// Everything else.
    pub settings: ClientSettings,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("client_id", &self.client_id)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Whether the client keeps no secret (RFC 6749 §2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.settings.authentication == ClientAuthentication::None
    }

    /// Whether the client proves itself by sending a secret, and has one (RFC 6749 §2.3.1).
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.settings.authentication == ClientAuthentication::Secret && self.secret_hash.is_some()
    }

    /// Whether the client may use `grant`.
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.settings.grants.contains(&grant)
    }

    /// Whether one of these audiences is the client, by its `client_id` or by a resource that it declares.
    #[must_use]
    pub fn is_among(&self, audiences: &[&str]) -> bool {
        audiences.iter().any(|one| {
            *one == self.client_id || self.settings.resources.iter().any(|resource| resource == one)
        })
    }

    /// Seconds that an access token of the client is good for.
    #[must_use]
    pub fn access_token_lifetime(&self, settings: &RealmSettings) -> i64 {
        self.settings.access_token.unwrap_or(settings.access_token)
    }

    /// Seconds that a device code of the client is good for.
    #[must_use]
    pub fn device_code_lifetime(&self, settings: &RealmSettings) -> i64 {
        self.settings.device_code.unwrap_or(settings.device_code)
    }

    /// Seconds that its devices wait between two polls (RFC 8628 §3.2).
    #[must_use]
    pub fn device_interval(&self) -> i64 {
        self.settings.device_interval.unwrap_or(device_code::INTERVAL)
    }

    /// The name that people read: the display name, else the `client_id`.
    #[must_use]
    pub fn title(&self) -> &str {
        self.settings.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.client_id)
    }
}

/// How a client proves itself at the token endpoint (OpenID Connect Core §9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// A public client: `client_id` alone.
    None,
    /// A shared secret, by HTTP Basic or in the body.
    #[default]
    Secret,
    /// A token that it makes with a shared secret (RFC 7523 §2.2, HMAC with SHA-256). The secret is kept so that this
    /// server can read it, which is why it is for clients that can do nothing better.
    ClientSecretJwt,
    /// A token that it signs with a key of its own (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// A certificate of an authority that this server trusts, with the client's name in it (RFC 8705 §2.1).
    TlsClientAuth,
    /// A certificate over one of the client's keys, whoever issued it (RFC 8705 §2.2).
    SelfSignedTlsClientAuth,
}

/// Whom the token that a client signs must be meant for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssertionAudience {
    /// This server by any of its names: the issuer, or an endpoint that takes such a token (RFC 7523 §3).
    #[default]
    Server,
    /// The issuer alone, as one text (FAPI 2.0 Security Profile §5.3.2.1).
    Issuer,
}

/// A grant that a client may use, by its wire name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    #[serde(rename = "authorization_code")]
    AuthorizationCode,
    /// RFC 6749 §6.
    #[serde(rename = "refresh_token")]
    RefreshToken,
    /// RFC 6749 §4.4.
    #[serde(rename = "client_credentials")]
    ClientCredentials,
    /// RFC 6749 §4.3, which RFC 9700 §2.4 forbids: for what was written against Keycloak, as `grants::password` says.
    #[serde(rename = "password")]
    Password,
    /// RFC 8628.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code", alias = "device_code")]
    DeviceCode,
    /// RFC 8693.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange", alias = "token_exchange")]
    TokenExchange,
    /// RFC 7523 §2.1.
    #[serde(rename = "urn:ietf:params:oauth:grant-type:jwt-bearer", alias = "jwt_bearer")]
    JwtBearer,
}

impl GrantType {
    /// The value of `grant_type` on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
            Self::JwtBearer => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
    }
}

/// How a client's access tokens are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokenFormat {
    /// As Keycloak's, which its adapters read.
    #[default]
    Keycloak,
    /// By RFC 9068.
    Rfc9068,
}

/// Whether authorization requests must carry a PKCE challenge (RFC 7636; RFC 9700 §2.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Every request carries an S256 challenge.
    #[default]
    Required,
    /// A confidential client may leave it out; a challenge that is sent is still enforced.
    Optional,
}

/// What a client is and may do. Spans are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSettings {
    /// Display name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The profile that stands above the rest (see [`super::profile`]).
    pub profile: Profile,
    /// How it authenticates.
    pub authentication: ClientAuthentication,
    /// The public keys that it signs with (RFC 7591 §2), read as `jwk::JwkSet` says.
    pub jwks: Option<Value>,
    /// Where it publishes them instead.
    pub jwks_uri: Option<String>,
    /// The one algorithm that it signs its assertions with; none = any that its key fits.
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// Whom its assertions must be meant for.
    pub assertion_audience: AssertionAudience,
    /// The name in its certificate that is its own (RFC 8705 §2.1.2).
    pub tls_client_auth: Option<CertificateName>,
    /// Whether every token of it is bound to the certificate that it shows, and it gets none without one (RFC 8705 §3).
    pub tls_client_certificate_bound_access_tokens: bool,
    /// Grants it may use.
    pub grants: BTreeSet<GrantType>,
    /// Registered redirect URIs, compared as `redirect_uri::matches` says.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after sign-out (RP-Initiated Logout 1.0 §3.1).
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the server tells the client of the end of a session (Back-Channel Logout 1.0 §2.2).
    pub backchannel_logout_uri: Option<String>,
    /// Whether the client asks for `sid` there; it is always told.
    pub backchannel_logout_session_required: bool,
    /// Address that the signed-out page loads in a frame (Front-Channel Logout 1.0 §2).
    pub frontchannel_logout_uri: Option<String>,
    /// Whether the client asks for `iss` and `sid` there; they are always added.
    pub frontchannel_logout_session_required: bool,
    /// By which name it knows people (OpenID Connect Core §8).
    pub subject_type: SubjectType,
    /// Where the redirect URIs of all clients of its sector are listed (Core §8.1); its host names the sector.
    pub sector_identifier_uri: Option<String>,
    /// What it said of itself when it registered itself; none for a client that an operator made.
    pub registered: Option<Registered>,
    /// Origins that may call the token and userinfo endpoints from a browser; `+` = those of the redirect URIs.
    pub web_origins: Vec<String>,
    /// A native application: the port of a loopback redirect URI is free (RFC 8252 §7.3).
    pub native: bool,
    /// PKCE policy.
    pub pkce: Pkce,
    /// Whether its authorization requests must be pushed (RFC 9126 §6).
    pub require_pushed_authorization_requests: bool,
    /// Whether its authorization requests must be signed (RFC 9101 §10.5).
    pub require_signed_request_object: bool,
    /// The one algorithm of its request objects; none = any that its key fits.
    pub request_object_signing_alg: Option<String>,
    /// Addresses at which its request objects may be fetched (OpenID Connect Core §6.2).
    pub request_uris: Vec<String>,
    /// Whether the person is asked before the client gets anything.
    pub consent: bool,
    /// Scopes that are always granted; none = the realm's.
    pub default_scopes: Option<Vec<String>>,
    /// Scopes that are granted when asked for; none = the realm's.
    pub optional_scopes: Option<Vec<String>>,
    /// Types of `authorization_details` that it may use (RFC 9396 §10).
    pub authorization_details_types: Vec<String>,
    /// Audiences that every access token of the client names.
    pub audiences: Vec<String>,
    /// Addresses under which it is known as a resource server (RFC 8707 §2).
    pub resources: Vec<String>,
    /// Whose tokens prove it, beside those that it signs (RFC 7523 §2.1).
    pub jwt_bearer: Vec<TrustedSubject>,
    /// What it may exchange tokens for (RFC 8693), one rule for each audience; none = nothing.
    pub exchange: Vec<ExchangeRule>,
    /// Whether all of the user's roles are in its tokens; else only roles of the client itself and of scope mappings.
    pub full_scope_allowed: bool,
    /// `id`s of the roles that its tokens may show when not all may.
    pub scope_mappings: BTreeSet<String>,
    /// What its tokens are signed with, when that differs from the realm's algorithm.
    pub signature_algorithm: Option<Algorithm>,
    /// The same for what it reads itself: ID tokens, logout tokens, authorization responses.
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// What authorization responses are signed with for it where it asks for that; none = as its ID tokens (JARM §3).
    pub authorization_signed_response_alg: Option<Algorithm>,
    /// What userinfo is signed with for it; none = it is JSON (OpenID Connect Core §5.3.2).
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// What introspection is signed with for it where it asks for that; none = as its ID tokens (RFC 9701 §6).
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// How its access tokens are written.
    pub access_token_format: AccessTokenFormat,
    /// Whether its access tokens hold only the claims that a mapper marks for such tokens, and introspection has the rest.
    pub lightweight_access_token: bool,
    /// Access token lifetime, when it differs from the realm's.
    pub access_token: Option<i64>,
    /// Whether it gets no token without a DPoP proof (RFC 9449 §5.2).
    pub dpop_bound_access_tokens: bool,
    /// Its refresh tokens end when unused for this long, if their session has not ended before.
    pub session_idle: Option<i64>,
    /// Its grants end this long after they were given, if their session has not ended before.
    pub session_max: Option<i64>,
    /// `offline_idle` of its grants, when it differs from the realm's.
    pub offline_idle: Option<i64>,
    /// `offline_max` of its grants, when it differs from the realm's.
    pub offline_max: Option<i64>,
    /// Its device and user codes, when their lifetime differs from the realm's.
    pub device_code: Option<i64>,
    /// How long its devices wait between two polls, when that differs from [`device_code::INTERVAL`].
    pub device_interval: Option<i64>,
    /// Tokens issued to it before this moment are refused.
    pub not_before: Option<Timestamp>,
    /// Mappers of this client alone.
    pub mappers: Vec<Mapper>,
    /// Home page, shown to people.
    pub client_uri: Option<String>,
    /// Logo, shown to people.
    pub logo_uri: Option<String>,
    /// Privacy policy, shown to people.
    pub policy_uri: Option<String>,
    /// Terms of service, shown to people.
    pub tos_uri: Option<String>,
    /// Comes with every realm and is left out of minimal exports.
    pub built_in: bool,
}
