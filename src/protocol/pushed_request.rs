//! Pushed authorization requests (RFC 9126): a request that its client left here before the browser comes for it.
//!
//! A reference may be opened again while nobody has finished signing in by it (a reload is no attack); the code that is
//! issued spends it.

use super::authorize::RequestParameters;
use super::client::Client;
use super::error::{ErrorCode, OAuthError};
use super::realm::RealmSettings;
use crate::clock::Timestamp;

/// What stands before the random part of a `request_uri` (RFC 9126 §2.2).
pub const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// Requests of one public client that may wait from one network at a time: whoever knows its name may push.
pub const MOST_WAITING: i64 = 500;

/// A pushed request as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct PushedRequest {
    /// SHA-256 of the random part of the reference, base64url.
    pub fingerprint: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// `id` of the client that pushed it.
    pub client: String,
    /// The request.
    pub parameters: RequestParameters,
    /// Subject of its verified `id_token_hint`.
    pub hinted_subject: Option<String>,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// Until when a browser may come for it.
    pub good_until: Timestamp,
    /// When a code was issued for it.
    pub spent_at: Option<Timestamp>,
}

/// The random part of a `request_uri` that was given out here; none when it is another kind of address.
#[must_use]
pub fn reference(request_uri: &str) -> Option<&str> {
    request_uri.strip_prefix(PREFIX)
}

/// The request that a browser comes for in the name of `client`. Who holds a reference that is not good learns no more
/// than that.
///
/// # Errors
/// `invalid_request_uri` (RFC 9126 §2.3; the code is RFC 9101's).
pub fn open(
    record: Option<PushedRequest>,
    client: &Client,
    now: Timestamp,
) -> Result<PushedRequest, OAuthError> {
    record
        .filter(|record| record.client == client.id && record.spent_at.is_none() && now < record.good_until)
        .ok_or_else(|| {
            OAuthError::new(
                ErrorCode::InvalidRequestUri,
                "request_uri is not known, was used, or has expired",
            )
        })
}

/// Refuses a request that was not pushed, where client or realm ask for that (RFC 9126 §5, §6).
///
/// # Errors
/// `invalid_request`.
pub fn not_pushed(client: &Client, settings: &RealmSettings) -> Result<(), OAuthError> {
    if client.must_push() || settings.require_pushed_authorization_requests {
        let why = "The request must be pushed first (pushed_authorization_request_endpoint)";
        return Err(OAuthError::new(ErrorCode::InvalidRequest, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    fn client(id: &str) -> Client {
        Client {
            id: id.into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings::default(),
        }
    }

    #[test]
    fn n04_a_reference_is_good_for_its_client_for_a_while_and_until_it_is_spent() {
        let record = PushedRequest {
            fingerprint: "f".into(),
            realm_id: "r".into(),
            client: "1".into(),
            parameters: RequestParameters::default(),
            hinted_subject: None,
            pushed_at: Timestamp(1_000),
            good_until: Timestamp(1_060),
            spent_at: None,
        };
        let spent = PushedRequest { spent_at: Some(Timestamp(1_001)), ..record.clone() };
        for (case, record, client_id, now, good) in [
            ("good", Some(record.clone()), "1", 1_000, true),
            ("last second", Some(record.clone()), "1", 1_059, true),
            ("expired", Some(record.clone()), "1", 1_060, false),
            ("another client", Some(record), "2", 1_000, false),
            ("spent", Some(spent), "1", 1_002, false),
            ("unknown", None, "1", 1_000, false),
        ] {
            let opened = open(record, &client(client_id), Timestamp(now));
            let refused = opened.err().map(|error| error.code);
            assert_eq!(refused, (!good).then_some(ErrorCode::InvalidRequestUri), "{case}");
        }
    }

    #[test]
    fn rfc9126_2_2_references_have_a_form_of_their_own() {
        assert_eq!(reference("urn:ietf:params:oauth:request_uri:abc"), Some("abc"));
        assert_eq!(reference("https://app.example/request.jwt"), None);
    }

    #[test]
    fn rfc9126_5_and_6_client_or_realm_ask_for_it() {
        let (open_realm, mut strict_realm) = (RealmSettings::default(), RealmSettings::default());
        strict_realm.require_pushed_authorization_requests = true;
        let (plain, mut strict) = (client("1"), client("1"));
        strict.settings.require_pushed_authorization_requests = true;
        assert_eq!(not_pushed(&plain, &open_realm), Ok(()));
        assert!(not_pushed(&strict, &open_realm).is_err());
        assert!(not_pushed(&plain, &strict_realm).is_err());
    }
}
