//! The way back from a page of the person's own to the app that sent them there: Keycloak's `referrer` and `referrer_uri`,
//! which `accountManagement()` of keycloak-js adds.

use super::client::Client;
use super::redirect_uri::{self, Strictness};

/// The address of the app `client` to which the page may lead: `requested` where the client registered it, its home page
/// where nothing was requested. None leads nowhere: whoever writes a link to the page chooses no address of their own.
#[must_use]
pub fn way_back<'a>(
    client: &'a Client,
    requested: Option<&'a str>,
    strictness: Strictness,
) -> Option<&'a str> {
    let settings = Some(&client.settings).filter(|_| client.enabled)?;
    let Some(requested) = requested else { return settings.client_uri.as_deref() };
    let mut registered = settings.redirect_uris.iter();
    let is_registered = registered
        .any(|registered| redirect_uri::matches(registered, requested, strictness, settings.native));
    is_registered.then_some(requested)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::{ClientAuthentication, ClientSettings};

    #[test]
    fn only_registered_addresses_lead_back() {
        let client = |enabled| Client {
            id: "1".into(),
            realm_id: "r".into(),
            client_id: "app".into(),
            enabled,
            secret_hash: None,
            settings: ClientSettings {
                authentication: ClientAuthentication::None,
                redirect_uris: vec!["https://app.example/cb".into(), "https://app.example/in/*".into()],
                client_uri: Some("https://app.example/".into()),
                ..ClientSettings::default()
            },
        };
        let home = Some("https://app.example/");
        let (cb, page) = (Some("https://app.example/cb"), Some("https://app.example/in/page"));
        for (case, enabled, requested, serve, development) in [
            ("none", true, None, home, home),
            ("registered", true, cb, cb, cb),
            ("a pattern's", true, page, None, page),
            ("another's", true, Some("https://evil.test/cb"), None, None),
            ("a script", true, Some("javascript:alert(1)"), None, None),
            ("of a client that is off", false, cb, None, None),
            ("its home", false, None, None, None),
        ] {
            let client = client(enabled);
            assert_eq!(way_back(&client, requested, Strictness::Serve), serve, "serve: {case}");
            assert_eq!(way_back(&client, requested, Strictness::Development), development, "dev: {case}");
        }
    }
}
