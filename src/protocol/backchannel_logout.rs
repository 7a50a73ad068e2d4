//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): what a client is told when a session ends, and how
//! long that is tried.

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;

/// Header `typ` of a logout token (§2.4).
pub const HEADER_TYP: &str = "logout+jwt";
/// Claim `typ`, by which Keycloak's tokens tell their kinds apart.
const TYP: &str = "Logout";
/// The event that a logout token tells of (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// Seconds for which a logout token is good: at most two minutes (§4).
pub const LIFETIME: i64 = 120;
/// Seconds between attempts, after the first, the second and so on; then the last of them again and again.
const PAUSES: [i64; 6] = [5, 15, 60, 180, 600, 900];
/// Seconds after the session's end for which a client is tried.
const PATIENCE: i64 = 3_600;
/// Seconds after which trouble of ours may have passed.
const OWN_PAUSE: i64 = 30;
/// Seconds after the session's end for which trouble of ours is waited out: it is not the client's to bear.
const OWN_PATIENCE: i64 = 86_400;

/// The end of a session of which a client is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The realm.
    pub realm_id: String,
    /// The session (`sid`).
    pub session_id: String,
    /// Identifier of the client's record.
    pub client: String,
    /// Who was signed in.
    pub user_id: String,
    /// The issuer that the client signed the person in with.
    pub issuer: String,
    /// When the session ended.
    pub created_at: Timestamp,
    /// How often it was tried, this time included.
    pub attempts: i64,
}

/// The claims of a logout token (§2.4). Both `sub` and `sid` are there, and never `nonce`: it must not pass for an ID
/// token.
#[must_use]
pub fn logout_token(
    notice: &Notice,
    client_id: &str,
    subject: &str,
    now: Timestamp,
    jti: &str,
) -> Map<String, Value> {
    let claims = [
        ("iss", json!(notice.issuer)),
        ("aud", json!(client_id)),
        ("iat", json!(now.0)),
        ("exp", json!(now.plus(LIFETIME).0)),
        ("jti", json!(jti)),
        ("typ", json!(TYP)),
        ("sub", json!(subject)),
        ("sid", json!(notice.session_id)),
        ("events", json!({ EVENT: {} })),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// When to try again after a failure at `now`; none when it was tried for long enough.
#[must_use]
pub fn next_attempt(notice: &Notice, now: Timestamp) -> Option<Timestamp> {
    let failed = usize::try_from(notice.attempts.saturating_sub(1)).unwrap_or(0);
    let pause = PAUSES.get(failed).or(PAUSES.last()).copied().unwrap_or(PATIENCE);
    Some(now.plus(pause)).filter(|at| at.since(notice.created_at) <= PATIENCE)
}

/// When to come back to a notice that trouble of ours kept from being sent; none when that has gone on for too long.
#[must_use]
pub fn next_look(notice: &Notice, now: Timestamp) -> Option<Timestamp> {
    Some(now.plus(OWN_PAUSE)).filter(|at| at.since(notice.created_at) <= OWN_PATIENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            realm_id: "realm".into(),
            session_id: "session".into(),
            client: "client".into(),
            user_id: "alice".into(),
            issuer: "https://id.example/realms/main".into(),
            created_at: Timestamp(1_000),
            attempts: 1,
        }
    }

    #[test]
    fn backchannel_logout_2_4_the_claims_of_a_logout_token() {
        let claims = logout_token(&notice(), "app", "alice", Timestamp(1_010), "random");
        let expected = json!({
            "iss": "https://id.example/realms/main",
            "aud": "app",
            "iat": 1_010,
            "exp": 1_130,
            "jti": "random",
            "typ": "Logout",
            "sub": "alice",
            "sid": "session",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn a_client_is_tried_for_an_hour_with_growing_pauses() {
        let (mut now, mut tried) = (Timestamp(1_000), Vec::new());
        for attempts in 1.. {
            match next_attempt(&Notice { attempts, ..notice() }, now) {
                Some(at) => {
                    tried.push(at.since(now));
                    now = at;
                }
                None => break,
            }
        }
        assert_eq!(tried, [5, 15, 60, 180, 600, 900, 900, 900]);
        // Trouble of ours is waited out for longer, without hurry.
        assert_eq!(next_look(&notice(), now), Some(now.plus(30)));
        assert_eq!(next_look(&notice(), Timestamp(1_000).plus(OWN_PATIENCE)), None);
        assert!(now.since(Timestamp(1_000)) <= PATIENCE);
    }
}
