//! What a realm file says.
//!
//! Every field is optional but the names: a file speaks only of what it names. A field that it leaves out keeps the
//! value that it has, or takes the default in a new record; a list that it names is the whole list. Records that it
//! does not name stay, unless `--prune` asks to delete them: then those go whose kind the file speaks of.
//!
//! Roles are named `role` (of the realm) or `client:role`, groups by path (`/staff/board`), scopes and clients by
//! their names. Spans are in seconds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::keycloak::KeycloakRealm;
pub use super::places::Places;
use crate::protocol::authorization_details::DetailType;
use crate::protocol::certificate::CertificateNames;
use crate::protocol::client::{AccessTokenFormat, AssertionAudience, ClientAuthentication, GrantType, Pkce};
use crate::protocol::grants::jwt_bearer::TrustedSubject;
use crate::protocol::grants::token_exchange::ExchangeRule;
use crate::protocol::mapper::Mapper;
use crate::protocol::profile::Profile;
use crate::protocol::register::Registration;
use crate::protocol::subject::SubjectType;
use crate::protocol::trusted_issuer::TrustedIssuer;
use crate::secrets::Secret;

/// A realm, as a file or a test describes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RealmSpec {
    /// Name in addresses: `/realms/{name}`.
    pub name: String,
    /// What people call it; an empty string takes it away.
    pub display_name: Option<String>,
    /// Whether it answers at all.
    pub enabled: Option<bool>,
    /// Logo on its pages: `https:` or `data:image/…`; an empty string takes it away.
    pub logo_uri: Option<String>,
    /// `RS256`, `PS256`, `ES256` or `EdDSA`.
    pub signature_algorithm: Option<String>,
    /// How long things live.
    pub lifetimes: LifetimesSpec,
    /// Whether the sign-in page offers to remember the person.
    pub remember_me: Option<bool>,
    /// Whether a person may sign in with the e-mail address.
    pub login_with_email: Option<bool>,
    /// Whether people may share an e-mail address; nobody signs in by one then.
    pub duplicate_emails: Option<bool>,
    /// A used refresh token is accepted again for this long while its successor is unused; 0 is strict.
    pub refresh_retry_window: Option<i64>,
    /// Whether every authorization request must be pushed (RFC 9126 §5).
    pub require_pushed_authorization_requests: Option<bool>,
    /// Types of `authorization_details` (RFC 9396).
    pub authorization_details_types: Option<Vec<DetailType>>,
    /// Which `acr` a sign-in with a password earns.
    pub password_acr: Option<String>,
    /// Which one it has while the password is not older than `recent_acr_age`; an empty string takes it away.
    pub recent_acr: Option<String>,
    /// See `recent_acr`.
    pub recent_acr_age: Option<i64>,
    /// Whether DPoP proofs must carry a nonce of this server.
    pub dpop_nonce: Option<bool>,
    /// The brake on guessing passwords.
    pub brute_force: BruteForceSpec,
    /// Who may register clients.
    pub registration: Option<Registration>,
    /// Grants that clients which register themselves may use.
    pub registration_grants: Option<BTreeSet<GrantType>>,
    /// PKCE policy of confidential clients that register themselves.
    pub registration_pkce: Option<Pkce>,
    /// Most clients of those that registered themselves.
    pub registration_limit: Option<i64>,
    /// Scopes that clients have when they name none: always part of their tokens.
    pub default_scopes: Option<Vec<String>>,
    /// Scopes that clients have when they name none: part of their tokens when asked for.
    pub optional_scopes: Option<Vec<String>>,
    /// Other issuers whose tokens may be exchanged (RFC 8693).
    pub trusted_issuers: Option<Vec<TrustedIssuer>>,
    /// Realm roles.
    #[serde(skip)]
    pub roles: Vec<RoleSpec>,
    /// Scopes.
    #[serde(skip)]
    pub scopes: Vec<ScopeSpec>,
    /// Clients.
    #[serde(skip)]
    pub clients: Vec<ClientSpec>,
    /// Groups at the top.
    #[serde(skip)]
    pub groups: Vec<GroupSpec>,
    /// Users.
    #[serde(skip)]
    pub users: Vec<UserSpec>,
    /// The realm in Keycloak's words, in which case the name is all else that is said.
    #[serde(skip)]
    pub keycloak: Option<KeycloakRealm>,
    /// Where each field stands in its file.
    #[serde(skip)]
    pub places: Places,
}

/// How long things live, in seconds. Meaning of each as in `RealmSettings`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LifetimesSpec {
    /// Access tokens.
    pub access_token: Option<i64>,
    /// Authorization codes.
    pub code: Option<i64>,
    /// A pushed authorization request, until it is opened.
    pub pushed_request: Option<i64>,
    /// Device and user codes.
    pub device_code: Option<i64>,
    /// A sign-in, from the authorization request to the last form.
    pub login: Option<i64>,
    /// An unused session.
    pub session_idle: Option<i64>,
    /// A session, used or not.
    pub session_max: Option<i64>,
    /// An unused session of a remembered person.
    pub remember_me_idle: Option<i64>,
    /// A session of a remembered person, used or not.
    pub remember_me_max: Option<i64>,
    /// An unused offline grant.
    pub offline_idle: Option<i64>,
    /// An offline grant, used or not; 0 takes the limit away.
    pub offline_max: Option<i64>,
}

/// How many wrong passwords are too many. Meaning of each as in `BruteForce`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BruteForceSpec {
    /// For one account, from one address.
    pub max_failures: Option<i64>,
    /// For one account, from anywhere.
    pub max_account_failures: Option<i64>,
    /// From one address, for any account.
    pub max_address_failures: Option<i64>,
    /// The first wait.
    pub wait: Option<i64>,
    /// The longest wait.
    pub max_wait: Option<i64>,
    /// Failures older than this are forgotten.
    pub window: Option<i64>,
}

/// A role of the realm or of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoleSpec {
    /// Name.
    pub name: String,
    /// What it allows, for people.
    pub description: Option<String>,
    /// Roles that it is composed of.
    pub composites: Option<Vec<String>>,
    /// Further attributes.
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
}

/// A scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScopeSpec {
    /// The scope token (RFC 6749 §3.3).
    pub name: String,
    /// What it is, for people.
    pub description: Option<String>,
    /// Sentence on the consent page; an empty string takes the scope off that page.
    pub consent_text: Option<String>,
    /// Whether the name stands in `scope` of tokens and responses; true in a new scope.
    pub include_in_token: Option<bool>,
    /// Claims that it adds, from `claims` and `mappers` of the file.
    pub mappers: Option<Vec<Mapper>>,
    /// Roles that it shows of clients without full scope.
    pub scope_mappings: Option<Vec<String>>,
}

/// A client.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientSpec {
    /// `client_id`.
    pub id: String,
    /// Display name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it gets anything.
    pub enabled: Option<bool>,
    /// Its secret. A confidential client without one keeps what it has, or is given a new one.
    #[serde(skip)]
    pub secret: Option<Secret>,
    /// Stored form of its secret, as an export with secrets writes it.
    #[serde(skip)]
    pub secret_hash: Option<Secret>,
    /// Whether it keeps no secret (RFC 6749 §2.1).
    pub public: Option<bool>,
    /// The profile that stands above the rest.
    pub profile: Option<Profile>,
    /// How it proves who it is, unless it is public.
    pub authentication: Option<ClientAuthentication>,
    /// The public keys that it signs with: a JWK Set; an empty text takes them away.
    pub jwks: Option<Value>,
    /// Where it publishes them instead.
    pub jwks_uri: Option<String>,
    /// The one algorithm that it signs its assertions with.
    pub token_endpoint_auth_signing_alg: Option<String>,
    /// Whom its assertions must be meant for.
    pub assertion_audience: Option<AssertionAudience>,
    /// The name in its certificate that is its own (RFC 8705 §2.1.2); an empty text takes it away.
    #[serde(flatten)]
    pub certificate: CertificateNames,
    /// Whether every token of it is bound to the certificate that it shows (RFC 8705 §3).
    pub tls_client_certificate_bound_access_tokens: Option<bool>,
    /// Whether it is a native application (RFC 8252).
    pub native: Option<bool>,
    /// Grants it may use. A new client that names none may use `authorization_code` and `refresh_token` when it has
    /// redirect URIs.
    pub grants: Option<BTreeSet<GrantType>>,
    /// Redirect URIs.
    pub redirect_uris: Option<Vec<String>>,
    /// Where a browser may be sent after sign-out; `+` = the redirect URIs.
    pub post_logout_redirect_uris: Option<Vec<String>>,
    /// Where it is told of the end of a session; an empty string takes it away, here and in `frontchannel_logout_uri`.
    pub backchannel_logout_uri: Option<String>,
    /// Whether it asks for `sid` there.
    pub backchannel_logout_session_required: Option<bool>,
    /// Address that the signed-out page loads in a frame.
    pub frontchannel_logout_uri: Option<String>,
    /// Whether it asks for `iss` and `sid` there.
    pub frontchannel_logout_session_required: Option<bool>,
    /// By which name it knows people.
    pub subject_type: Option<SubjectType>,
    /// Where the redirect URIs of all clients of its sector are listed; an empty string takes it away.
    pub sector_identifier_uri: Option<String>,
    /// Origins for CORS; `+` = those of the redirect URIs.
    pub web_origins: Option<Vec<String>>,
    /// PKCE policy.
    pub pkce: Option<Pkce>,
    /// Whether its authorization requests must be pushed (RFC 9126 §6).
    pub require_pushed_authorization_requests: Option<bool>,
    /// Whether it gets no token without a DPoP proof.
    pub dpop_bound_access_tokens: Option<bool>,
    /// Whether its authorization requests must be signed (RFC 9101 §10.5).
    pub require_signed_request_object: Option<bool>,
    /// The one algorithm of its request objects; an empty string takes it away.
    pub request_object_signing_alg: Option<String>,
    /// Addresses at which its request objects may be fetched.
    pub request_uris: Option<Vec<String>>,
    /// Whether the person is asked.
    pub consent: Option<bool>,
    /// Scopes that are always granted, in place of the realm's.
    pub default_scopes: Option<Vec<String>>,
    /// Scopes that are granted when asked for, in place of the realm's.
    pub optional_scopes: Option<Vec<String>>,
    /// Types of `authorization_details` that it may use.
    pub authorization_details_types: Option<Vec<String>>,
    /// Audiences that its access tokens name.
    pub audiences: Option<Vec<String>>,
    /// Addresses under which it is known as a resource server (RFC 8707 §2).
    pub resources: Option<Vec<String>>,
    /// Whose tokens prove it, beside those that it signs (RFC 7523 §2.1).
    pub jwt_bearer: Option<Vec<TrustedSubject>>,
    /// What it may exchange tokens for (RFC 8693).
    pub exchange: Option<Vec<ExchangeRule>>,
    /// Whether all of the user's roles are in its tokens; true in a new client.
    pub full_scope_allowed: Option<bool>,
    /// Roles that its tokens show without full scope, beside its own and those of its scopes.
    pub scope_mappings: Option<Vec<String>>,
    /// What its tokens are signed with; an empty string takes the realm's again, here and in the next.
    pub signature_algorithm: Option<String>,
    /// What its ID tokens are signed with.
    pub id_token_signed_response_alg: Option<String>,
    /// What authorization responses are signed with for it.
    pub authorization_signed_response_alg: Option<String>,
    /// What userinfo is signed with for it; an empty string takes it away, and the next.
    pub userinfo_signed_response_alg: Option<String>,
    /// What introspection is signed with for it.
    pub introspection_signed_response_alg: Option<String>,
    /// How its access tokens are written.
    pub access_token_format: Option<AccessTokenFormat>,
    /// Whether they say little, and introspection the rest.
    pub lightweight_access_token: Option<bool>,
    /// Access token lifetime, when it differs from the realm's; 0 takes the realm's again.
    pub access_token_lifetime: Option<i64>,
    /// Its refresh tokens, unused, within the session; 0 takes the limit away, here and in the next three.
    pub session_idle: Option<i64>,
    /// Its grants, used or not, within the session.
    pub session_max: Option<i64>,
    /// Its unused offline grants, in place of the realm's limit.
    pub offline_idle: Option<i64>,
    /// Its offline grants, used or not, in place of the realm's limit.
    pub offline_max: Option<i64>,
    /// Its device codes, in place of the realm's lifetime.
    pub device_code_lifetime: Option<i64>,
    /// How long its devices wait between two polls; 0 takes the usual time again.
    pub device_interval: Option<i64>,
    /// Claims of this client alone, from `claims` and `mappers` of the file.
    pub mappers: Option<Vec<Mapper>>,
    /// Home page, shown to people. An empty string takes it away, here and in the next three.
    pub client_uri: Option<String>,
    /// Logo.
    pub logo_uri: Option<String>,
    /// Privacy policy.
    pub policy_uri: Option<String>,
    /// Terms of service.
    pub tos_uri: Option<String>,
    /// Roles of the client.
    #[serde(skip)]
    pub roles: Vec<RoleSpec>,
    /// Roles of its service account.
    pub service_account_roles: Option<Vec<String>>,
}

/// A group with the groups below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupSpec {
    /// Name below its parent.
    pub name: String,
    /// Roles of its members.
    pub roles: Option<Vec<String>>,
    /// Further attributes.
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
    /// Groups below.
    #[serde(skip)]
    pub groups: Vec<GroupSpec>,
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UserSpec {
    /// `sub` of a new user; made up when absent.
    pub id: Option<String>,
    /// Name to sign in with.
    pub username: String,
    /// Password.
    #[serde(skip)]
    pub password: Option<Secret>,
    /// Stored form of the password, as an export with secrets writes it.
    #[serde(skip)]
    pub password_hash: Option<Secret>,
    /// E-mail address; an empty string takes it away, here and in the names.
    pub email: Option<String>,
    /// Whether the address was proven.
    pub email_verified: Option<bool>,
    /// `given_name`.
    pub first_name: Option<String>,
    /// `family_name`.
    pub last_name: Option<String>,
    /// Whether the user may sign in; true in a new user.
    pub enabled: Option<bool>,
    /// Roles, beside the realm's default role, which everyone has.
    pub roles: Option<Vec<String>>,
    /// Groups, by path.
    pub groups: Option<Vec<String>>,
    /// What the person must do at the next sign-in, by Keycloak's names.
    pub required_actions: Option<Vec<String>>,
    /// Further attributes.
    pub attributes: Option<BTreeMap<String, Vec<String>>>,
}
