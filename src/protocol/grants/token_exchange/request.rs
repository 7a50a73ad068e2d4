//! Reading a token exchange request (RFC 8693 §2.1). What it asks for is judged elsewhere.

use std::fmt;

use crate::protocol::error::{ErrorCode, OAuthError};

/// A kind of token, by its identifier (RFC 8693 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
    /// An ID token.
    IdToken,
    /// A JWT; what this realm issues as one is an access token.
    Jwt,
}

impl TokenType {
    /// Every kind that is known; SAML assertions are not.
    pub const ALL: [Self; 4] = [Self::AccessToken, Self::RefreshToken, Self::IdToken, Self::Jwt];

    /// The identifier on the wire.
    #[must_use]
    pub fn wire(self) -> &'static str {
        match self {
            Self::AccessToken => "urn:ietf:params:oauth:token-type:access_token",
            Self::RefreshToken => "urn:ietf:params:oauth:token-type:refresh_token",
            Self::IdToken => "urn:ietf:params:oauth:token-type:id_token",
            Self::Jwt => "urn:ietf:params:oauth:token-type:jwt",
        }
    }

    /// The kind with this identifier.
    #[must_use]
    pub fn parse(wire: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.wire() == wire)
    }
}

/// A token as it was sent, with what the sender says that it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Presented<'a> {
    /// The token.
    pub token: &'a str,
    /// `subject_token_type` or `actor_token_type`.
    pub kind: TokenType,
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A request that is whole in form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeRequest<'a> {
    /// On whose behalf.
    pub subject: Presented<'a>,
    /// Who acts, when that is to be told.
    pub actor: Option<Presented<'a>>,
    /// What is to be issued.
    pub issue: TokenType,
    /// Names of the services that the result is for.
    pub audiences: Vec<&'a str>,
    /// Addresses of the services that the result is for (RFC 8707 §2).
    pub resources: Vec<&'a str>,
    /// `scope`.
    pub scope: Option<&'a str>,
}

/// Names that begin like this ask for something of an exchange. Most parameters that nobody knows are ignored
/// (RFC 6749 §3.2), but to ignore one of these, such as the `requested_subject` of other servers, would give another
/// token than the one that was asked for.
const SPOKEN_FOR: [&str; 3] = ["subject_", "actor_", "requested_"];

const KNOWN: [&str; 5] =
    ["subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type"];

impl<'a> ExchangeRequest<'a> {
    /// Reads the parameters that have a value.
    ///
    /// # Errors
    /// `invalid_request` when one is missing, unknown, or says what is not done, and `invalid_authorization_details` for
    /// details, which no exchange gives (RFC 9396 §6): to ignore them would give more than was asked for.
    pub fn read(parameters: &[(&'a str, &'a str)]) -> Result<Self, OAuthError> {
        let spoken_for =
            |name: &str| SPOKEN_FOR.iter().any(|begin| name.starts_with(begin)) && !KNOWN.contains(&name);
        if parameters.iter().any(|(name, _)| spoken_for(name)) {
            return Err(refuse(
                "A parameter of the exchange is not known: subject, actor and issuer follow from the tokens",
            ));
        }
        if parameters.iter().any(|(name, _)| *name == "authorization_details") {
            return Err(OAuthError::new(
                ErrorCode::InvalidAuthorizationDetails,
                "An exchange gives no authorization_details: leave the parameter out",
            ));
        }
        let one = |name: &str| parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| *value);
        let all = |name: &str| {
            let mut values: Vec<&str> = Vec::new();
            for (_, value) in parameters.iter().filter(|(own, _)| *own == name) {
                if !values.contains(value) {
                    values.push(value);
                }
            }
            values
        };
        let kind = |wire: Option<&str>| wire.and_then(TokenType::parse);
        let token = one("subject_token").ok_or_else(|| refuse("subject_token is missing"))?;
        let subject =
            Presented { token, kind: shown(kind(one("subject_token_type")), "subject_token_type")? };
        let actor = match (one("actor_token"), one("actor_token_type")) {
            (None, None) => None,
            (None, Some(_)) => return Err(refuse("actor_token_type without actor_token")),
            (Some(token), wire) => Some(Presented { token, kind: shown(kind(wire), "actor_token_type")? }),
        };
        let issue = match one("requested_token_type") {
            None => TokenType::AccessToken,
            Some(wire) => TokenType::parse(wire).ok_or_else(|| {
                refuse("requested_token_type must be that of an access token, refresh token, ID token or jwt")
            })?,
        };
        let (audiences, resources) = (all("audience"), all("resource"));
        Ok(Self { subject, actor, issue, audiences, resources, scope: one("scope") })
    }
}

/// The kind of a token that is shown: a refresh token is for its client and this server alone.
fn shown(kind: Option<TokenType>, name: &str) -> Result<TokenType, OAuthError> {
    kind.filter(|kind| *kind != TokenType::RefreshToken)
        .ok_or_else(|| refuse(format!("{name} is missing or of a kind that is not exchanged")))
}

fn refuse(why: impl Into<std::borrow::Cow<'static, str>>) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
    const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

    /// RFC 8693 §2.3: `access_token` and `jwt`, `audience` and `resource`.
    #[test]
    fn rfc8693_2_3_the_examples_are_read() {
        let first = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("resource", "https://backend.example.com/api"),
            ("subject_token", "accVkjcJyb4BWCxGsndESCJQbdFMogUC5PbRDqceLTC"),
            ("subject_token_type", ACCESS),
        ];
        let read = ExchangeRequest::read(&first).unwrap();
        assert_eq!(read.resources, ["https://backend.example.com/api"]);
        assert_eq!((read.issue, read.subject.kind), (TokenType::AccessToken, TokenType::AccessToken));
        assert_eq!((read.actor, read.scope, read.audiences.len()), (None, None, 0));
        // Appendix A.1.1 and A.2.1.
        let both = [
            ("audience", "urn:example:cooperation-context"),
            ("subject_token", "a.b.c"),
            ("subject_token_type", JWT),
            ("actor_token", "d.e.f"),
            ("actor_token_type", JWT),
        ];
        let read = ExchangeRequest::read(&both).unwrap();
        assert_eq!(read.actor, Some(Presented { token: "d.e.f", kind: TokenType::Jwt }));
        assert!(!format!("{read:?}").contains("d.e.f"), "tokens are not shown");
    }

    #[test]
    fn what_may_be_repeated_counts_once() {
        let twice = [
            ("subject_token", "a"),
            ("subject_token_type", ACCESS),
            ("audience", "x"),
            ("audience", "y"),
            ("audience", "x"),
        ];
        assert_eq!(ExchangeRequest::read(&twice).unwrap().audiences, ["x", "y"]);
    }

    #[test]
    fn x04_x07e_a_request_that_is_not_whole_is_refused() {
        let good = [("subject_token", "a"), ("subject_token_type", ACCESS)];
        let with = |more: &[(&'static str, &'static str)]| [&good, more].concat();
        for (row, parameters) in [
            ("no subject_token", vec![("subject_token_type", ACCESS)]),
            ("no type", vec![("subject_token", "a")]),
            ("unknown type", vec![("subject_token", "a"), ("subject_token_type", "jwt")]),
            (
                "SAML",
                vec![
                    ("subject_token", "a"),
                    ("subject_token_type", "urn:ietf:params:oauth:token-type:saml2"),
                ],
            ),
            (
                "a refresh token",
                vec![("subject_token", "a"), ("subject_token_type", TokenType::RefreshToken.wire())],
            ),
            ("an actor without type", with(&[("actor_token", "b")])),
            ("the type of no actor", with(&[("actor_token_type", ACCESS)])),
            ("an unknown wish", with(&[("requested_token_type", "access_token")])),
            ("X07e another subject", with(&[("requested_subject", "admin")])),
            ("another issuer", with(&[("subject_issuer", "google")])),
            ("another issuer to use it at", with(&[("requested_issuer", "google")])),
            ("an actor by name", with(&[("actor_sub", "admin")])),
        ] {
            let error = ExchangeRequest::read(&parameters).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRequest, "{row}");
        }
        let details = with(&[("authorization_details", "[{\"type\":\"payment\"}]")]);
        let error = ExchangeRequest::read(&details).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidAuthorizationDetails, "RFC 9396 §6");
        let others = with(&[("client_id", "a"), ("vendor_hint", "x")]);
        assert!(ExchangeRequest::read(&others).is_ok(), "RFC 6749 §3.2: others are ignored");
    }
}
