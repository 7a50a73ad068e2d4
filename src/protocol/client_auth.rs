//! How a client says who it is at the token endpoint and its neighbours (RFC 6749 §2.3, OpenID Connect Core §9).
//! Owns reading the credentials; comparing the secret is `passwords`' affair.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use super::client::{Client, ClientAuthentication, GrantType};
use super::client_assertion::{self, ASSERTION_TYPE};
use super::error::{ErrorCode, OAuthError};
use super::grants::jwt_bearer;

/// What a request says about who it is from, as it came.
#[derive(Clone, Copy, Default)]
pub struct Sent<'a> {
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// `client_id` of the body.
    pub client_id: Option<&'a str>,
    /// `client_secret` of the body.
    pub client_secret: Option<&'a str>,
    /// `client_assertion_type` (RFC 7521 §4.2).
    pub assertion_type: Option<&'a str>,
    /// `client_assertion`.
    pub assertion: Option<&'a str>,
    /// `assertion` of the grant jwt-bearer, which proves its client when nothing else does (RFC 7523 §2.1).
    pub grant: Option<&'a str>,
}

/// What a request brought, unproven.
#[derive(Clone, PartialEq, Eq)]
pub struct Presented {
    /// Who it says it is.
    pub client_id: String,
    /// What is to prove it.
    pub proof: Proof,
    /// Whether it used the `Authorization` header, and so is owed a `WWW-Authenticate` when refused (RFC 6749 §5.2).
    pub basic: bool,
}

/// What is to prove who a client is.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// Nothing.
    Nothing,
    /// A shared secret.
    Secret(String),
    /// A token of the client's own making.
    Assertion(String),
    /// A token that is the request's grant at the same time.
    Grant(String),
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

/// Reads the credentials from the `Authorization` header and from the body.
///
/// # Errors
/// `invalid_request` when several ways are used or they disagree (RFC 6749 §2.3: one method per request);
/// `invalid_client` when there is nothing, or something that cannot be read; `invalid_grant` when that is the grant.
pub fn presented(sent: Sent<'_>) -> Result<Presented, OAuthError> {
    let ways = [
        sent.authorization.is_some(),
        sent.client_secret.is_some(),
        sent.assertion.is_some() || sent.assertion_type.is_some(),
    ];
    if ways.into_iter().filter(|used| *used).count() > 1 {
        // A header that is no credential is told first, as it was before there were assertions.
        if let Some(header) = sent.authorization {
            read_basic(header)?;
        }
        return Err(invalid_request("Use one method of client authentication, not two"));
    }
    if sent.assertion.is_some() || sent.assertion_type.is_some() {
        return by_assertion(sent);
    }
    if let (Some(grant), None, None) = (sent.grant, sent.authorization, sent.client_secret) {
        let client_id = sent.client_id.map(str::to_owned).or_else(|| client_assertion::subject(grant));
        let client_id = client_id.ok_or_else(jwt_bearer::not_valid)?;
        return Ok(Presented { client_id, proof: Proof::Grant(grant.to_owned()), basic: false });
    }
    let Some(header) = sent.authorization else {
        let missing = || invalid_client("Client authentication is missing");
        let client_id = sent.client_id.ok_or_else(missing)?.to_owned();
        let proof = sent.client_secret.map_or(Proof::Nothing, |secret| Proof::Secret(secret.to_owned()));
        return Ok(Presented { client_id, proof, basic: false });
    };
    let (id, secret) = read_basic(header)?;
    if sent.client_id.is_some_and(|body| body != id) {
        return Err(invalid_request("client_id is not that of the Authorization header"));
    }
    let proof = if secret.is_empty() { Proof::Nothing } else { Proof::Secret(secret) };
    Ok(Presented { client_id: id, proof, basic: true })
}

/// RFC 7521 §4.2: `client_id` may be left out, and must be the subject when it is there.
fn by_assertion(sent: Sent<'_>) -> Result<Presented, OAuthError> {
    let (Some(kind), Some(assertion)) = (sent.assertion_type, sent.assertion) else {
        return Err(invalid_request("client_assertion and client_assertion_type belong together"));
    };
    if kind != ASSERTION_TYPE {
        return Err(invalid_client("The client_assertion_type is not known here"));
    }
    let unreadable = || invalid_client("Invalid client or Invalid client credentials");
    let subject = client_assertion::subject(assertion).ok_or_else(unreadable)?;
    if sent.client_id.is_some_and(|body| body != subject) {
        return Err(invalid_client("client_id is not the subject of the client_assertion"));
    }
    Ok(Presented { client_id: subject, proof: Proof::Assertion(assertion.to_owned()), basic: false })
}

fn read_basic(header: &str) -> Result<(String, String), OAuthError> {
    basic(header).ok_or_else(|| invalid_client("The Authorization header is not a Basic credential"))
}

fn invalid_request(why: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, why)
}

fn invalid_client(why: &'static str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, why)
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
    /// Verify the presented token with the shared secret, then `client_assertion::check` it.
    SecretAssertion,
    /// Verify the presented token with the client's keys, then `client_assertion::check` it.
    KeyAssertion,
    /// Verify the grant's token, as `grants::jwt_bearer` says.
    Grant,
    /// Compare the certificate of the connection with the client's registration.
    Certificate,
    /// Refuse, at the same cost as a wrong secret.
    Refuse,
}

/// What to check for `client` (none = unknown): the one method that it is registered with (RFC 8725 §3.1).
#[must_use]
pub fn check(client: Option<&Client>, presented: &Presented) -> Check {
    let well = |client: &&Client| client.enabled && client.proves_itself_well();
    let Some(client) = client.filter(well) else { return Check::Refuse };
    match (client.settings.authentication, &presented.proof) {
        (ClientAuthentication::None, Proof::Nothing) => Check::Public,
        (_, Proof::Secret(_)) if client.has_secret() => Check::Secret,
        (ClientAuthentication::ClientSecretJwt, Proof::Assertion(_)) if client.secret_hash.is_some() => {
            Check::SecretAssertion
        }
        (ClientAuthentication::PrivateKeyJwt, Proof::Assertion(_)) => Check::KeyAssertion,
        (
            ClientAuthentication::TlsClientAuth | ClientAuthentication::SelfSignedTlsClientAuth,
            Proof::Nothing,
        ) => Check::Certificate,
        (_, Proof::Grant(_)) if !client.is_public() && client.may(GrantType::JwtBearer) => Check::Grant,
        _ => Check::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::protocol::client::ClientSettings;

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
            let sent = Sent { authorization, client_id: id, client_secret: secret, ..Sent::default() };
            let got = presented(sent);
            let got = got
                .as_ref()
                .map(|p| {
                    let secret = match &p.proof {
                        Proof::Secret(secret) => Some(secret.as_str()),
                        _ => None,
                    };
                    (p.client_id.as_str(), secret, p.basic)
                })
                .map_err(|e| e.code);
            assert_eq!(got, expected, "{case}");
        }
    }

    /// An unproven assertion whose subject is `app`.
    fn assertion() -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", encode(r#"{"alg":"ES256"}"#), encode(r#"{"sub":"app"}"#), encode("x"))
    }

    #[test]
    fn rfc7521_4_2_how_assertions_arrive() {
        use ErrorCode::{InvalidClient, InvalidGrant, InvalidRequest};
        let (token, basic) = (assertion(), header("app:secret"));
        let good = Sent { assertion_type: Some(ASSERTION_TYPE), assertion: Some(&token), ..Sent::default() };
        let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
        for (case, sent, expected) in [
            ("alone", good, Ok("app")),
            ("with its client_id", Sent { client_id: Some("app"), ..good }, Ok("app")),
            ("with another's", Sent { client_id: Some("other"), ..good }, Err(InvalidClient)),
            ("and a secret", Sent { client_secret: Some("s"), ..good }, Err(InvalidRequest)),
            ("and a header", Sent { authorization: Some(&basic), ..good }, Err(InvalidRequest)),
            ("without its type", Sent { assertion_type: None, ..good }, Err(InvalidRequest)),
            ("only its type", Sent { assertion: None, ..good }, Err(InvalidRequest)),
            ("of another type", Sent { assertion_type: Some(saml), ..good }, Err(InvalidClient)),
            ("unreadable", Sent { assertion: Some("x.y"), ..good }, Err(InvalidClient)),
            ("as the grant", Sent { grant: Some(&token), ..Sent::default() }, Ok("app")),
            ("beside a grant", Sent { grant: Some("x.y"), ..good }, Ok("app")),
            ("a grant that says nothing", Sent { grant: Some("x.y"), ..Sent::default() }, Err(InvalidGrant)),
            ("a grant of", Sent { grant: Some("x.y"), client_id: Some("ci"), ..Sent::default() }, Ok("ci")),
        ] {
            let got = presented(sent);
            let got = got.as_ref().map(|p| p.client_id.as_str()).map_err(|e| e.code);
            assert_eq!(got, expected, "{case}");
        }
    }

    #[test]
    fn a_client_proves_itself_by_the_method_that_it_registered() {
        use ClientAuthentication::{
            ClientSecretJwt, None as Public, PrivateKeyJwt, Secret, SelfSignedTlsClientAuth, TlsClientAuth,
        };
        let proofs = [Proof::Nothing, Proof::Secret("s".into()), Proof::Assertion(assertion())];
        for (authentication, expected) in [
            (Public, [Check::Public, Check::Refuse, Check::Refuse]),
            (Secret, [Check::Refuse, Check::Secret, Check::Refuse]),
            (ClientSecretJwt, [Check::Refuse, Check::Refuse, Check::SecretAssertion]),
            (PrivateKeyJwt, [Check::Refuse, Check::Refuse, Check::KeyAssertion]),
            (TlsClientAuth, [Check::Certificate, Check::Refuse, Check::Refuse]),
            (SelfSignedTlsClientAuth, [Check::Certificate, Check::Refuse, Check::Refuse]),
        ] {
            let mut client = Client {
                id: "c1".into(),
                realm_id: "r1".into(),
                client_id: "app".into(),
                enabled: true,
                secret_hash: Some("hash".into()),
                settings: ClientSettings { authentication, ..ClientSettings::default() },
            };
            for (proof, expected) in proofs.iter().zip(expected) {
                let presented = Presented { client_id: "app".into(), proof: proof.clone(), basic: false };
                assert_eq!(check(Some(&client), &presented), expected, "{authentication:?}");
                assert_eq!(check(None, &presented), Check::Refuse);
                client.enabled = false;
                assert_eq!(check(Some(&client), &presented), Check::Refuse, "{authentication:?} disabled");
                client.enabled = true;
            }
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
