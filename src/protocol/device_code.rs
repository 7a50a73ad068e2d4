//! A device's request for a person's yes (RFC 8628): what the device is told, and what is kept until it has tokens.

use serde::Serialize;

use super::authorization_details::Detail;
use super::user_code::UserCode;
use crate::clock::Timestamp;

/// Seconds that a device waits between two polls (RFC 8628 §3.2).
pub const INTERVAL: i64 = 5;

/// Longest time between two polls that a client may be given, in seconds.
pub const LONGEST_INTERVAL: i64 = 600;

/// Longest life of a device code, in seconds: what is typed by a person is short, and must not be guessed.
pub const LONGEST_LIFETIME: i64 = 3_600;

/// Seconds by which each poll that came too soon lengthens the wait (RFC 8628 §3.5).
pub const SLOWER_BY: i64 = 5;

/// Requests that one client may have open from one address (attacks D06).
pub const MOST_OPEN: i64 = 100;

/// A request as it is kept: the store holds fingerprints, never the codes.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCode {
    /// SHA-256 of the device code, base64url.
    pub fingerprint: String,
    /// The realm it belongs to.
    pub realm_id: String,
    /// `id` of the client that asked.
    pub client: String,
    /// SHA-256 of the user code in canonical form, base64url.
    pub user_code: String,
    /// What is asked, and once it is approved what was: scope tokens, space-separated, as `Grant::scope`.
    pub scope: String,
    /// What is asked in detail, and once it is approved what was (RFC 9396).
    pub details: Vec<Detail>,
    /// Network address that the request came from, for the person to see.
    pub address: String,
    /// When it was asked.
    pub issued_at: Timestamp,
    /// When it stops being good.
    pub expires_at: Timestamp,
    /// Seconds that the device must wait between two polls, as of now.
    pub interval: i64,
    /// When the device last polled while nobody had answered.
    pub polled_at: Option<Timestamp>,
    /// The person's yes.
    pub approval: Option<Approval>,
    /// When the person said no, or took the yes back.
    pub denied_at: Option<Timestamp>,
    /// When it was spent.
    pub redeemed_at: Option<Timestamp>,
}

/// Who said yes, and how they had proven who they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Approval {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub user_id: String,
    /// The session in which they did.
    pub session_id: String,
    /// `auth_time` of that session.
    pub auth_time: Timestamp,
    /// `acr` of that session.
    pub acr: String,
}

/// The device authorization response (RFC 8628 §3.2).
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct DeviceAuthorization {
    /// What the device polls with.
    pub device_code: String,
    /// What the person types.
    pub user_code: String,
    /// Where the person types it.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: String,
    /// Seconds that both codes are good for.
    pub expires_in: i64,
    /// Seconds to wait between two polls.
    pub interval: i64,
}

impl DeviceAuthorization {
    /// The answer of `issuer` to a device: how long its codes are good for, and how long it waits between two polls.
    #[must_use]
    pub fn new(
        issuer: &str,
        device_code: String,
        user_code: &UserCode,
        (expires_in, interval): (i64, i64),
    ) -> Self {
        let verification_uri = format!("{issuer}/device");
        Self {
            device_code,
            user_code: user_code.to_string(),
            verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
            verification_uri,
            expires_in,
            interval,
        }
    }
}

impl std::fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceAuthorization").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of RFC 8628 §3.2 as it is printed.
    #[test]
    fn rfc8628_3_2_the_example() {
        let device_code = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS".to_owned();
        let code = UserCode::parse("WDJB-MJHT").unwrap();
        let answer = DeviceAuthorization::new("https://example.com", device_code, &code, (1_800, INTERVAL));
        let printed = r#"{
            "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://example.com/device",
            "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
            "expires_in": 1800,
            "interval": 5
        }"#;
        let printed: serde_json::Value = serde_json::from_str(printed).unwrap();
        assert_eq!(serde_json::to_value(&answer).unwrap(), printed);
    }

    #[test]
    fn rfc8628_3_2_the_response_has_the_registered_members() {
        let code = UserCode::parse("wdjb mjht").unwrap();
        let answer = DeviceAuthorization::new(
            "https://id.example/realms/main",
            "secret".into(),
            &code,
            (600, INTERVAL),
        );
        let expected = json!({
            "device_code": "secret", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 5,
            "verification_uri": "https://id.example/realms/main/device",
            "verification_uri_complete": "https://id.example/realms/main/device?user_code=WDJB-MJHT",
        });
        assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
        let shown = format!("{answer:?}");
        assert!(!shown.contains("secret") && !shown.contains("WDJB"), "{shown}");
    }
}
