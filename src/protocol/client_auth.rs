//! How a client says who it is at the token endpoint and its neighbours (RFC 6749 §2.3, OpenID Connect Core §9).
//! Owns reading the credentials; comparing the secret is `passwords`' affair.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::client::{Client, ClientAuthentication};
use super::error::{ErrorCode, OAuthError};

/// What a request brought, unproven.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Who it says it is.
    pub client_id: String,
    /// The secret, if it brought one.
    pub secret: Option<String>,
    /// Whether it used the `Authorization` header, and so is owed a `WWW-Authenticate` when refused (RFC 6749 §5.2).
    pub basic: bool,
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented")
            .field("client_id", &self.client_id)
            .field("basic", &self.basic)
            .finish_non_exhaustive()
    }
}

/// Longest `Authorization: Basic` value that is looked at, in bytes.
const MAX_BASIC: usize = 1_024;

/// Reads the credentials from the `Authorization` header and from `client_id` and `client_secret` of the body.
///
/// # Errors
/// `invalid_request` when both ways are used or they disagree (RFC 6749 §2.3: one method per request);
/// `invalid_client` when there is nothing, or a header that cannot be read.
pub fn presented(
    authorization: Option<&str>,
    client_id: Option<&str>,
    client_secret: Option<&str>,
) -> Result<Presented, OAuthError> {
    let Some(header) = authorization else {
        let client_id = client_id
            .ok_or_else(|| OAuthError::new(ErrorCode::InvalidClient, "Client authentication is missing"))?;
        return Ok(Presented {
            client_id: client_id.to_owned(),
            secret: client_secret.map(str::to_owned),
            basic: false,
        });
    };
    let (id, secret) = basic(header).ok_or_else(|| {
        OAuthError::new(ErrorCode::InvalidClient, "The Authorization header is not a Basic credential")
    })?;
    if client_secret.is_some() {
        return Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "Use one method of client authentication, not two",
        ));
    }
    if client_id.is_some_and(|body| body != id) {
        return Err(OAuthError::new(
            ErrorCode::InvalidRequest,
            "client_id is not that of the Authorization header",
        ));
    }
    Ok(Presented { client_id: id, secret: Some(secret).filter(|s| !s.is_empty()), basic: true })
}

/// Identifier and secret of a Basic header, each form-decoded (RFC 6749 §2.3.1). A part that is no form encoding is
/// taken as it stands, since many clients do not encode.
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, value) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || value.len() > MAX_BASIC {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decoded(part: &str) -> Option<String> {
    let bytes = part.as_bytes();
    let malformed = bytes.iter().enumerate().any(|(at, b)| {
        *b == b'%' && !bytes.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit))
    });
    let text = if malformed {
        part.to_owned()
    } else {
        percent_decode_str(&part.replace('+', " ")).decode_utf8().ok()?.into_owned()
    };
    (!text.contains('\0')).then_some(text)
}

/// What the presented credentials ask for, given the client's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// A public client that brought no secret: nothing to prove.
    Public,
    /// Compare the presented secret with the stored one.
    Secret,
    /// Refuse with `invalid_client`, at the same cost as a wrong secret.
    Refuse,
}

/// What to check for `client` (none = unknown).
#[must_use]
pub fn check(client: Option<&Client>, presented: &Presented) -> Check {
    match client {
        Some(client) if !client.enabled => Check::Refuse,
        Some(client) => match (client.settings.authentication, &presented.secret) {
            (ClientAuthentication::None, None) => Check::Public,
            (ClientAuthentication::Secret, Some(_)) if client.secret_hash.is_some() => Check::Secret,
            _ => Check::Refuse,
        },
        None => Check::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(credential: &str) -> String {
        format!("Basic {}", STANDARD.encode(credential))
    }

    #[test]
    fn c01_how_credentials_arrive() {
        let good = header("app:secret");
        for (case, authorization, id, secret, expected) in [
            ("a none", None, None, None, Err(ErrorCode::InvalidClient)),
            ("post", None, Some("app"), Some("secret"), Ok(("app", Some("secret"), false))),
            ("public", None, Some("app"), None, Ok(("app", None, false))),
            ("basic", Some(good.as_str()), None, None, Ok(("app", Some("secret"), true))),
            (
                "basic and the same client_id",
                Some(good.as_str()),
                Some("app"),
                None,
                Ok(("app", Some("secret"), true)),
            ),
            (
                "d basic and body secret",
                Some(good.as_str()),
                None,
                Some("secret"),
                Err(ErrorCode::InvalidRequest),
            ),
            ("e two identifiers", Some(good.as_str()), Some("other"), None, Err(ErrorCode::InvalidRequest)),
            ("not Basic", Some("Bearer x"), None, None, Err(ErrorCode::InvalidClient)),
            ("not base64", Some("Basic !!"), None, None, Err(ErrorCode::InvalidClient)),
        ] {
            let got = presented(authorization, id, secret);
            let got = got
                .as_ref()
                .map(|p| (p.client_id.as_str(), p.secret.as_deref(), p.basic))
                .map_err(|e| e.code);
            assert_eq!(got, expected, "{case}");
        }
    }

    #[test]
    fn rfc6749_2_3_1_parts_are_form_encoded() {
        for (case, credential, id, secret) in [
            ("escapes", "a%3Ab:p%25q%2Br+s", "a:b", "p%q+r s"),
            ("a percent that escapes nothing", "app:100%", "app", "100%"),
            ("colon in the secret", "app:a:b", "app", "a:b"),
        ] {
            assert_eq!(basic(&header(credential)), Some((id.to_owned(), secret.to_owned())), "{case}");
        }
        assert_eq!(basic(&header("app:%00")), None);
        assert_eq!(basic(&header(&format!("app:{}", "x".repeat(1_100)))), None);
    }

    proptest::proptest! {
        #[test]
        fn z13_form_encoded_credentials_round_trip(id in "\\PC{1,40}", secret in "\\PC{1,40}") {
            let encode = |part: &str| form_urlencoded::byte_serialize(part.as_bytes()).collect::<String>();
            let value = header(&format!("{}:{}", encode(&id), encode(&secret)));
            if value.len() <= MAX_BASIC {
                proptest::prop_assert_eq!(basic(&value), Some((id, secret)));
            }
        }
    }
}
