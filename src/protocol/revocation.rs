//! Token revocation (RFC 7009): what goes when a client gives a token back.
//!
//! A token that is not ours is none of these rules' affair: the answer is then the same as to one that was revoked
//! before (§2.2), since the client's aim is reached either way.

use super::access_token;
use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::grant::Grant;
use super::jws::Claims;
use crate::clock::Timestamp;

/// What to revoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The grant, and with it every token that hangs on it (§2.1): a client that gives back one is done with all.
    Grant,
    /// This one token: no grant stands behind it.
    Token {
        /// Its `jti`.
        jti: String,
        /// Until when that must be remembered.
        expires_at: Timestamp,
    },
    /// Nothing is left to revoke.
    Nothing,
    /// It is not the client's to give back; nothing changes (§2.1).
    Refuse(OAuthError),
}

/// What goes with a refresh token that hangs on `grant`, whether it was used before or not.
#[must_use]
pub fn refresh_token(grant: Option<&Grant>, client: &Client) -> Decision {
    match grant {
        None => Decision::Nothing,
        Some(grant) if grant.client != client.id => Decision::Refuse(not_yours()),
        Some(grant) if grant.revoked_at.is_some() => Decision::Nothing,
        Some(_) => Decision::Grant,
    }
}

/// What goes with an access token: the grant that it hangs on, while the store still has it.
#[must_use]
pub fn access_token(claims: &Claims, grant: Option<&Grant>, client: &Client) -> Decision {
    if access_token::holder(claims) != Some(client.client_id.as_str()) {
        return Decision::Refuse(not_yours());
    }
    let Some((jti, expires_at)) = claims.text("jti").zip(claims.time("exp")) else {
        return Decision::Nothing;
    };
    // What was exchanged hangs on a grant that is not its holder's to end: it goes alone, with what was made of it.
    // A token whose grant is gone counts for nothing already.
    if access_token::exchanges(jti) > 0 || access_token::grant_of(jti).is_none() {
        return Decision::Token { jti: jti.to_owned(), expires_at };
    }
    refresh_token(grant, client)
}

/// The answer to a client that brings another's token. RFC 7009 §2.1 asks for a refusal and leaves its code open.
fn not_yours() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidGrant, "The token was issued to another client")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::protocol::client::ClientSettings;

    fn client(client_id: &str) -> Client {
        Client {
            id: format!("{client_id}-id"),
            realm_id: "realm".into(),
            client_id: client_id.into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings::default(),
        }
    }

    fn grant(revoked: bool) -> Grant {
        Grant {
            id: "grant".into(),
            realm_id: "realm".into(),
            client: "web-id".into(),
            user_id: "user".into(),
            session_id: None,
            scope: "openid".into(),
            offline: false,
            auth_time: Timestamp(0),
            acr: "1".into(),
            nonce: None,
            request: Default::default(),
            confirmation: None,
            parent: None,
            created_at: Timestamp(0),
            last_used_at: Timestamp(0),
            revoked_at: revoked.then_some(Timestamp(5)),
        }
    }

    fn claims(jti: &str) -> Claims {
        let Value::Object(members) = json!({"azp": "web", "jti": jti, "exp": 1_300}) else { unreachable!() };
        Claims::new(members)
    }

    #[test]
    fn i04_a_refresh_token_takes_its_grant_along() {
        let (live, dead) = (grant(false), grant(true));
        for (name, grant, caller, expected) in [
            ("its client", Some(&live), "web", Decision::Grant),
            ("another client", Some(&live), "spa", Decision::Refuse(not_yours())),
            ("another client, revoked before", Some(&dead), "spa", Decision::Refuse(not_yours())),
            ("revoked before", Some(&dead), "web", Decision::Nothing),
            ("swept", None, "web", Decision::Nothing),
        ] {
            assert_eq!(refresh_token(grant, &client(caller)), expected, "{name}");
        }
    }

    #[test]
    fn i04_an_access_token_takes_its_grant_along_or_goes_alone() {
        let (live, dead) = (grant(false), grant(true));
        let others = Grant { client: "spa-id".into(), ..grant(false) };
        let alone = Decision::Token { jti: "random".into(), expires_at: Timestamp(1_300) };
        let exchanged = Decision::Token { jti: "grant.x~y".into(), expires_at: Timestamp(1_300) };
        for (name, jti, grant, caller, expected) in [
            ("its client", "grant.x", Some(&live), "web", Decision::Grant),
            ("another client", "grant.x", Some(&live), "spa", Decision::Refuse(not_yours())),
            ("revoked before", "grant.x", Some(&dead), "web", Decision::Nothing),
            ("its grant was swept", "grant.x", None, "web", Decision::Nothing),
            ("a service's own", "random", None, "web", alone),
            ("exchanged", "grant.x~y", Some(&others), "web", exchanged),
            ("exchanged by another", "grant.x~y", Some(&others), "spa", Decision::Refuse(not_yours())),
            ("another service's", "random", None, "spa", Decision::Refuse(not_yours())),
        ] {
            assert_eq!(access_token(&claims(jti), grant, &client(caller)), expected, "{name}");
        }
    }
}
