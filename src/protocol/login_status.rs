//! The frame by which an app learns that its person signed out elsewhere (OpenID Connect Session Management 1.0 §3).

use super::client::Client;
use super::redirect_uri::Strictness;
use super::web_origin;

/// Whether a page of `origin` may ask about sessions of `client`: one of the client's web origins, or of its redirect
/// URIs. To others the frame says nothing but `error`.
#[must_use]
pub fn may_ask(client: &Client, origin: &str, strictness: Strictness) -> bool {
    let settings = &client.settings;
    let of_redirects = ["+".to_owned()];
    let allows =
        |registered: &[String]| web_origin::allows(registered, &settings.redirect_uris, origin, strictness);
    client.enabled && (allows(&settings.web_origins) || allows(&of_redirects))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    #[test]
    fn session_management_3_2_only_pages_of_the_client_may_ask() {
        let client = Client {
            id: "1".into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                redirect_uris: vec!["https://app.example/cb".into()],
                web_origins: vec!["https://spa.example".into()],
                ..ClientSettings::default()
            },
        };
        for (origin, expected) in [
            ("https://app.example", true),
            ("https://spa.example", true),
            ("https://app.example:8443", false),
            ("http://app.example", false),
            ("https://evil.test", false),
            ("null", false),
            ("+", false),
            ("*", false),
            ("", false),
        ] {
            assert_eq!(may_ask(&client, origin, Strictness::Serve), expected, "{origin}");
        }
        let disabled = Client { enabled: false, ..client };
        assert!(!may_ask(&disabled, "https://app.example", Strictness::Serve));
    }
}
