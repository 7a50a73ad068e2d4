//! A client's table.

use super::super::spec::ClientSpec;
use super::claims;
use super::fields::Fields;
use super::records::role;
use crate::protocol::certificate::CertificateNames;
use crate::protocol::client::{AccessTokenFormat, AssertionAudience, ClientAuthentication, GrantType, Pkce};
use crate::protocol::grants::jwt_bearer::TrustedSubject;
use crate::protocol::grants::token_exchange::ExchangeRule;
use crate::protocol::profile::Profile;
use crate::protocol::subject::SubjectType;
use crate::secrets::Secret;

/// Grants by their short names and, for those that have one, by their wire names.
pub(super) const GRANTS: [(&str, GrantType); 10] = [
    ("authorization_code", GrantType::AuthorizationCode),
    ("refresh_token", GrantType::RefreshToken),
    ("client_credentials", GrantType::ClientCredentials),
    ("password", GrantType::Password),
    ("device_code", GrantType::DeviceCode),
    ("token_exchange", GrantType::TokenExchange),
    ("jwt_bearer", GrantType::JwtBearer),
    ("urn:ietf:params:oauth:grant-type:device_code", GrantType::DeviceCode),
    ("urn:ietf:params:oauth:grant-type:token-exchange", GrantType::TokenExchange),
    ("urn:ietf:params:oauth:grant-type:jwt-bearer", GrantType::JwtBearer),
];

const SUBJECTS: [(&str, SubjectType); 2] =
    [("public", SubjectType::Public), ("pairwise", SubjectType::Pairwise)];

pub(super) const PKCE: [(&str, Pkce); 2] = [("required", Pkce::Required), ("optional", Pkce::Optional)];

const PROFILES: [(&str, Profile); 2] = [("none", Profile::None), ("fapi2", Profile::Fapi2)];

const AUTHENTICATION: [(&str, ClientAuthentication); 5] = [
    ("secret", ClientAuthentication::Secret),
    ("client_secret_jwt", ClientAuthentication::ClientSecretJwt),
    ("private_key_jwt", ClientAuthentication::PrivateKeyJwt),
    ("tls_client_auth", ClientAuthentication::TlsClientAuth),
    ("self_signed_tls_client_auth", ClientAuthentication::SelfSignedTlsClientAuth),
];

const AUDIENCES: [(&str, AssertionAudience); 2] =
    [("server", AssertionAudience::Server), ("issuer", AssertionAudience::Issuer)];

const FORMATS: [(&str, AccessTokenFormat); 2] =
    [("keycloak", AccessTokenFormat::Keycloak), ("rfc9068", AccessTokenFormat::Rfc9068)];

/// The name of `grant` in a realm file.
#[must_use]
pub(in crate::realm_file) fn grant_name(grant: GrantType) -> &'static str {
    GRANTS.iter().find(|(_, known)| *known == grant).map_or(grant.wire(), |(name, _)| *name)
}

/// A client.
pub(super) fn client(fields: &mut Fields<'_>) -> Option<ClientSpec> {
    let id = fields.required("id");
    let spec = ClientSpec {
        id: String::new(),
        name: fields.text("name"),
        description: fields.text("description"),
        enabled: fields.switch("enabled"),
        secret: fields.text("secret").map(Secret::from),
        secret_hash: fields.text("secret_hash").map(Secret::from),
        public: fields.switch("public"),
        profile: fields.choice("profile", &PROFILES),
        authentication: fields.choice("authentication", &AUTHENTICATION),
        jwks: fields.json("jwks"),
        jwks_uri: fields.text("jwks_uri"),
        token_endpoint_auth_signing_alg: fields.text("token_endpoint_auth_signing_alg"),
        assertion_audience: fields.choice("assertion_audience", &AUDIENCES),
        certificate: certificate(fields),
        tls_client_certificate_bound_access_tokens: fields
            .switch("tls_client_certificate_bound_access_tokens"),
        native: fields.switch("native"),
        grants: fields.choices("grants", &GRANTS).map(|grants| grants.into_iter().collect()),
        redirect_uris: fields.texts("redirect_uris"),
        post_logout_redirect_uris: fields.texts("post_logout_redirect_uris"),
        backchannel_logout_uri: fields.text("backchannel_logout_uri"),
        backchannel_logout_session_required: fields.switch("backchannel_logout_session_required"),
        frontchannel_logout_uri: fields.text("frontchannel_logout_uri"),
        frontchannel_logout_session_required: fields.switch("frontchannel_logout_session_required"),
        subject_type: fields.choice("subject_type", &SUBJECTS),
        sector_identifier_uri: fields.text("sector_identifier_uri"),
        web_origins: fields.texts("web_origins"),
        pkce: fields.choice("pkce", &PKCE),
        require_pushed_authorization_requests: fields.switch("require_pushed_authorization_requests"),
        dpop_bound_access_tokens: fields.switch("dpop_bound_access_tokens"),
        require_signed_request_object: fields.switch("require_signed_request_object"),
        request_object_signing_alg: fields.text("request_object_signing_alg"),
        request_uris: fields.texts("request_uris"),
        consent: fields.switch("consent"),
        default_scopes: fields.texts("default_scopes"),
        optional_scopes: fields.texts("optional_scopes"),
        authorization_details_types: fields.texts("authorization_details_types"),
        audiences: fields.texts("audiences"),
        resources: fields.texts("resources"),
        jwt_bearer: fields.tables("jwt_bearer", trusted_subject),
        exchange: fields.tables("exchange", exchange),
        full_scope_allowed: fields.switch("full_scope_allowed"),
        scope_mappings: fields.texts("scope_mappings"),
        signature_algorithm: fields.text("signature_algorithm"),
        id_token_signed_response_alg: fields.text("id_token_signed_response_alg"),
        authorization_signed_response_alg: fields.text("authorization_signed_response_alg"),
        userinfo_signed_response_alg: fields.text("userinfo_signed_response_alg"),
        introspection_signed_response_alg: fields.text("introspection_signed_response_alg"),
        access_token_format: fields.choice("access_token_format", &FORMATS),
        lightweight_access_token: fields.switch("lightweight_access_token"),
        access_token_lifetime: fields.seconds("access_token_lifetime"),
        session_idle: fields.seconds("session_idle"),
        session_max: fields.seconds("session_max"),
        offline_idle: fields.seconds("offline_idle"),
        offline_max: fields.seconds("offline_max"),
        device_code_lifetime: fields.seconds("device_code_lifetime"),
        device_interval: fields.seconds("device_interval"),
        mappers: claims::mappers(fields),
        client_uri: fields.text("client_uri"),
        logo_uri: fields.text("logo_uri"),
        policy_uri: fields.text("policy_uri"),
        tos_uri: fields.text("tos_uri"),
        roles: fields.tables("roles", role).unwrap_or_default(),
        service_account_roles: fields.texts("service_account_roles"),
    };
    Some(ClientSpec { id: id?, ..spec })
}

fn certificate(fields: &mut Fields<'_>) -> CertificateNames {
    CertificateNames {
        tls_client_auth_subject_dn: fields.text("tls_client_auth_subject_dn"),
        tls_client_auth_san_dns: fields.text("tls_client_auth_san_dns"),
        tls_client_auth_san_uri: fields.text("tls_client_auth_san_uri"),
        tls_client_auth_san_ip: fields.text("tls_client_auth_san_ip"),
        tls_client_auth_san_email: fields.text("tls_client_auth_san_email"),
    }
}

fn trusted_subject(fields: &mut Fields<'_>) -> Option<TrustedSubject> {
    let (issuer, subject, jwks_uri) =
        (fields.required("issuer"), fields.required("subject"), fields.required("jwks_uri"));
    Some(TrustedSubject { issuer: issuer?, subject: subject?, jwks_uri: jwks_uri? })
}

fn exchange(fields: &mut Fields<'_>) -> Option<ExchangeRule> {
    let audience = fields.required("audience");
    let rule = ExchangeRule {
        audience: String::new(),
        scopes: fields.texts("scopes"),
        impersonation: fields.switch("impersonation").unwrap_or_default(),
        delegation: fields.switch("delegation").unwrap_or_default(),
        refresh_token: fields.switch("refresh_token").unwrap_or_default(),
        id_token: fields.switch("id_token").unwrap_or_default(),
        subject_clients: fields.texts("subject_clients").unwrap_or_default(),
        subject_issuers: fields.texts("subject_issuers").unwrap_or_default(),
    };
    Some(ExchangeRule { audience: audience?, ..rule })
}
