//! A refresh token (RFC 6749 §6): rotated at each use; a replay revokes the grant (RFC 9700 §4.14.2).
//!
//! The token itself is a JWT, because Keycloak's JavaScript client decodes it; what counts is the row.

use serde_json::{Map, Value};

use super::grant::Grant;
use crate::clock::Timestamp;

/// A refresh token as it is kept. The token itself is a JWT whose `jti` is the identifier.
#[derive(Clone, Debug, PartialEq)]
pub struct RefreshToken {
    /// `jti`.
    pub id: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// The grant it hangs on.
    pub grant_id: String,
    /// The token that it replaced.
    pub predecessor: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// When it was first used to refresh.
    pub used_at: Option<Timestamp>,
    /// When a retry of its predecessor replaced it unused.
    pub superseded_at: Option<Timestamp>,
}

impl RefreshToken {
    /// A grant's first token.
    #[must_use]
    pub fn first(id: String, grant: &Grant, issued_at: Timestamp, expires_at: Timestamp) -> Self {
        let (realm_id, grant_id) = (grant.realm_id.clone(), grant.id.clone());
        let (predecessor, used_at, superseded_at) = (None, None, None);
        Self { id, realm_id, grant_id, predecessor, issued_at, expires_at, used_at, superseded_at }
    }

    /// The token that replaces this one.
    #[must_use]
    pub fn successor(&self, id: String, issued_at: Timestamp, expires_at: Timestamp) -> Self {
        let predecessor = Some(self.id.clone());
        Self { id, predecessor, issued_at, expires_at, used_at: None, superseded_at: None, ..self.clone() }
    }
}

/// The claim `typ` of a refresh token that ends with its session.
pub const TYP: &str = "Refresh";

/// The claim `typ` of a refresh token that outlives its session (OpenID Connect Core §11).
pub const OFFLINE_TYP: &str = "Offline";

/// What the JWT of a refresh token is made of.
#[derive(Clone, Debug)]
pub struct RefreshTokenRequest<'a> {
    /// Issuer identifier of the realm: both `iss` and `aud`, since nobody else reads the token.
    pub issuer: &'a str,
    /// `client_id` of the client it is issued to.
    pub client_id: &'a str,
    /// Whom it speaks for.
    pub user_id: &'a str,
    /// The session it rests on.
    pub sid: Option<&'a str>,
    /// Whether it outlives that session.
    pub offline: bool,
    /// What was granted, as tokens show it: a narrowed access token leaves it as it is (RFC 6749 §6).
    pub scope: &'a str,
    /// The row that counts.
    pub token: &'a RefreshToken,
}

/// The claims of a refresh token's JWT, in Keycloak's shape. It always ends, an offline one too.
#[must_use]
pub fn refresh_token(request: &RefreshTokenRequest<'_>) -> Map<String, Value> {
    let token = request.token;
    [
        ("iss", Some(request.issuer.into())),
        ("aud", Some(request.issuer.into())),
        ("sub", Some(request.user_id.into())),
        ("typ", Some(if request.offline { OFFLINE_TYP } else { TYP }.into())),
        ("azp", Some(request.client_id.into())),
        ("sid", request.sid.map(Value::from)),
        ("scope", Some(request.scope).filter(|scope| !scope.is_empty()).map(Value::from)),
        ("jti", Some(token.id.as_str().into())),
        ("iat", Some(token.issued_at.0.into())),
        ("exp", Some(token.expires_at.0.into())),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_jwt_has_keycloaks_claims_and_ends_with_its_row() {
        let token = RefreshToken {
            id: "id".into(),
            realm_id: "realm".into(),
            grant_id: "grant".into(),
            predecessor: None,
            issued_at: Timestamp(1_000),
            expires_at: Timestamp(2_800),
            used_at: None,
            superseded_at: None,
        };
        let request = RefreshTokenRequest {
            issuer: "https://id.example/realms/main",
            client_id: "web",
            user_id: "user",
            sid: Some("session"),
            offline: false,
            scope: "openid email",
            token: &token,
        };
        let mut expected = json!({
            "iss": "https://id.example/realms/main", "aud": "https://id.example/realms/main", "sub": "user",
            "typ": "Refresh", "azp": "web", "sid": "session", "scope": "openid email", "jti": "id",
            "iat": 1_000, "exp": 2_800,
        });
        assert_eq!(Value::Object(refresh_token(&request)), expected);

        let offline = RefreshTokenRequest { offline: true, sid: None, ..request };
        expected["typ"] = "Offline".into();
        expected.as_object_mut().unwrap().remove("sid");
        assert_eq!(Value::Object(refresh_token(&offline)), expected);
    }
}
