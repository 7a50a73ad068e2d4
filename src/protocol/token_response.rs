//! The token endpoint's good answer (RFC 6749 §5.1), with the members that Keycloak's clients expect.

use serde::Serialize;

use super::authorization_details::Detail;

/// A token response. Keycloak's Java clients require both spans; its JavaScript client reads `session_state`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Seconds that the access token is good for.
    pub expires_in: i64,
    /// Seconds that the refresh token is good for; 0 without one.
    pub refresh_expires_in: i64,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// How the access token is used: `Bearer`, or `DPoP` for one that is bound to a key; `N_A` for what is no access token
    /// (RFC 8693 §2.2.1).
    pub token_type: &'static str,
    /// What an exchange issued (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// The ID token, when `openid` was granted (OpenID Connect Core §3.1.3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// Tokens issued before this moment are refused; 0 when there is no such moment.
    #[serde(rename = "not-before-policy")]
    pub not_before_policy: i64,
    /// Identifier of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_state: Option<String>,
    /// What was granted.
    pub scope: String,
    /// What was granted in detail (RFC 9396 §7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Detail>,
}

impl TokenResponse {
    /// An answer with an access token alone, as a service gets it.
    #[must_use]
    pub fn bearer(access_token: String, expires_in: i64, scope: String) -> Self {
        Self {
            access_token,
            expires_in,
            refresh_expires_in: 0,
            refresh_token: None,
            token_type: "Bearer",
            issued_token_type: None,
            id_token: None,
            not_before_policy: 0,
            session_state: None,
            scope,
            authorization_details: Vec::new(),
        }
    }
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenResponse")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_gets_what_keycloaks_clients_require() {
        let response = TokenResponse::bearer("a.b.c".into(), 300, "email profile".into());
        let expected = json!({
            "access_token": "a.b.c", "expires_in": 300, "refresh_expires_in": 0, "token_type": "Bearer",
            "not-before-policy": 0, "scope": "email profile",
        });
        assert_eq!(serde_json::to_value(&response).unwrap(), expected);
    }

    #[test]
    fn the_tokens_of_a_person_are_named_as_keycloak_names_them() {
        let response = TokenResponse {
            refresh_token: Some("d.e.f".into()),
            refresh_expires_in: 1_800,
            id_token: Some("g.h.i".into()),
            session_state: Some("session".into()),
            ..TokenResponse::bearer("a.b.c".into(), 300, "openid".into())
        };
        let expected = json!({
            "access_token": "a.b.c", "expires_in": 300, "refresh_token": "d.e.f", "refresh_expires_in": 1_800,
            "id_token": "g.h.i", "token_type": "Bearer", "not-before-policy": 0, "session_state": "session",
            "scope": "openid",
        });
        assert_eq!(serde_json::to_value(&response).unwrap(), expected);
        assert!(!format!("{response:?}").contains("a.b.c"));
    }
}
