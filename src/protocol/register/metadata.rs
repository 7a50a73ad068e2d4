//! Client metadata as it arrives (RFC 7591 §2, OpenID Connect Registration 1.0 §2): read into values of their types.

use serde_json::{Map, Value};

use crate::protocol::certificate::CertificateNames;
use crate::protocol::error::{ErrorCode, OAuthError};

/// The most values that a list may have.
const MOST: usize = 50;
/// The longest text, in bytes: an address at its longest.
const LONGEST: usize = 2_048;

/// What a client says about itself. Members that are not here are not known, and ignored (RFC 7591 §2); `null` and empty
/// texts count as absent (RFC 7592 §2.2).
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields carry the names that the specifications registered")]
pub struct Metadata {
    pub redirect_uris: Vec<String>,
    pub response_types: Option<Vec<String>>,
    pub grant_types: Option<Vec<String>>,
    pub application_type: Option<String>,
    pub contacts: Vec<String>,
    pub client_name: Option<String>,
    pub logo_uri: Option<String>,
    pub client_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub subject_type: Option<String>,
    pub sector_identifier_uri: Option<String>,
    pub id_token_signed_response_alg: Option<String>,
    pub authorization_signed_response_alg: Option<String>,
    pub userinfo_signed_response_alg: Option<String>,
    pub introspection_signed_response_alg: Option<String>,
    pub token_endpoint_auth_method: Option<String>,
    pub token_endpoint_auth_signing_alg: Option<String>,
    pub jwks: Option<Map<String, Value>>,
    pub jwks_uri: Option<String>,
    pub request_object_signing_alg: Option<String>,
    pub request_uris: Vec<String>,
    pub require_signed_request_object: bool,
    pub require_pushed_authorization_requests: bool,
    pub dpop_bound_access_tokens: bool,
    pub certificate: CertificateNames,
    pub tls_client_certificate_bound_access_tokens: bool,
    pub default_max_age: Option<i64>,
    pub default_acr_values: Vec<String>,
    pub require_auth_time: bool,
    pub initiate_login_uri: Option<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: bool,
    pub frontchannel_logout_uri: Option<String>,
    pub frontchannel_logout_session_required: bool,
    pub software_id: Option<String>,
    pub software_version: Option<String>,
}

/// Members that would make an answer be encrypted, or signed where it is not: to ignore one would be to promise it.
const NOT_KEPT: [&str; 6] = [
    "id_token_encrypted_response_alg",
    "userinfo_encrypted_response_alg",
    "request_object_encryption_alg",
    "authorization_encrypted_response_alg",
    "introspection_encrypted_response_alg",
    "backchannel_token_delivery_mode",
];

impl Metadata {
    /// Reads a document.
    ///
    /// # Errors
    /// `invalid_client_metadata` for a member of another type, a list or text that is too long, or a member that asks for
    /// what this server does not do.
    pub fn read(document: &Map<String, Value>) -> Result<Self, OAuthError> {
        let said = Said(document);
        if let Some(name) = NOT_KEPT.iter().find(|name| said.value(name).is_some()) {
            return Err(invalid(format!("{name} is not supported")));
        }
        Ok(Self {
            redirect_uris: said.texts("redirect_uris")?.unwrap_or_default(),
            response_types: said.texts("response_types")?,
            grant_types: said.texts("grant_types")?,
            application_type: said.text("application_type")?,
            contacts: said.texts("contacts")?.unwrap_or_default(),
            client_name: said.text("client_name")?,
            logo_uri: said.text("logo_uri")?,
            client_uri: said.text("client_uri")?,
            policy_uri: said.text("policy_uri")?,
            tos_uri: said.text("tos_uri")?,
            subject_type: said.text("subject_type")?,
            sector_identifier_uri: said.text("sector_identifier_uri")?,
            id_token_signed_response_alg: said.text("id_token_signed_response_alg")?,
            authorization_signed_response_alg: said.text("authorization_signed_response_alg")?,
            userinfo_signed_response_alg: said.text("userinfo_signed_response_alg")?,
            introspection_signed_response_alg: said.text("introspection_signed_response_alg")?,
            token_endpoint_auth_method: said.text("token_endpoint_auth_method")?,
            token_endpoint_auth_signing_alg: said.text("token_endpoint_auth_signing_alg")?,
            jwks: said.object("jwks")?,
            jwks_uri: said.text("jwks_uri")?,
            request_object_signing_alg: said.text("request_object_signing_alg")?,
            request_uris: said.texts("request_uris")?.unwrap_or_default(),
            require_signed_request_object: said.switch("require_signed_request_object")?,
            require_pushed_authorization_requests: said.switch("require_pushed_authorization_requests")?,
            dpop_bound_access_tokens: said.switch("dpop_bound_access_tokens")?,
            certificate: CertificateNames {
                tls_client_auth_subject_dn: said.text("tls_client_auth_subject_dn")?,
                tls_client_auth_san_dns: said.text("tls_client_auth_san_dns")?,
                tls_client_auth_san_uri: said.text("tls_client_auth_san_uri")?,
                tls_client_auth_san_ip: said.text("tls_client_auth_san_ip")?,
                tls_client_auth_san_email: said.text("tls_client_auth_san_email")?,
            },
            tls_client_certificate_bound_access_tokens: said
                .switch("tls_client_certificate_bound_access_tokens")?,
            default_max_age: said.seconds("default_max_age")?,
            default_acr_values: said.words("default_acr_values")?,
            require_auth_time: said.switch("require_auth_time")?,
            initiate_login_uri: said.text("initiate_login_uri")?,
            post_logout_redirect_uris: said.texts("post_logout_redirect_uris")?.unwrap_or_default(),
            backchannel_logout_uri: said.text("backchannel_logout_uri")?,
            backchannel_logout_session_required: said.switch("backchannel_logout_session_required")?,
            frontchannel_logout_uri: said.text("frontchannel_logout_uri")?,
            frontchannel_logout_session_required: said.switch("frontchannel_logout_session_required")?,
            software_id: said.text("software_id")?,
            software_version: said.text("software_version")?,
        })
    }
}

/// `invalid_client_metadata` with a sentence.
pub(super) fn invalid(why: String) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, why)
}

struct Said<'a>(&'a Map<String, Value>);

impl Said<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    fn text(&self, name: &str) -> Result<Option<String>, OAuthError> {
        self.value(name).map(|value| one(name, value)).transpose()
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<String>>, OAuthError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(values)) if values.len() <= MOST => {
                values.iter().map(|value| one(name, value)).collect::<Result<_, _>>().map(Some)
            }
            Some(Value::Array(_)) => Err(invalid(format!("{name} has more than {MOST} values"))),
            Some(_) => Err(invalid(format!("{name} must be a list of strings"))),
        }
    }

    fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, OAuthError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members.clone())),
            Some(_) => Err(invalid(format!("{name} must be an object"))),
        }
    }

    /// A list of texts that a request joins with spaces.
    fn words(&self, name: &str) -> Result<Vec<String>, OAuthError> {
        let words = self.texts(name)?.unwrap_or_default();
        let plain = |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
        match words.iter().all(plain) {
            true => Ok(words),
            false => Err(invalid(format!("{name} must hold words without spaces"))),
        }
    }

    fn seconds(&self, name: &str) -> Result<Option<i64>, OAuthError> {
        let read = |value: &Value| {
            let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
            seconds.map(i64::from).ok_or_else(|| invalid(format!("{name} must be a number of seconds")))
        };
        self.value(name).map(read).transpose()
    }

    fn switch(&self, name: &str) -> Result<bool, OAuthError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(invalid(format!("{name} must be true or false"))),
        }
    }
}

fn one(name: &str, value: &Value) -> Result<String, OAuthError> {
    match value {
        Value::String(text) if text.len() <= LONGEST => Ok(text.clone()),
        Value::String(_) => Err(invalid(format!("{name} is longer than {LONGEST} bytes"))),
        _ => Err(invalid(format!("{name} must hold strings"))),
    }
}
