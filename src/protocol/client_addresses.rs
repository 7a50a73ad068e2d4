//! What is wrong with the addresses of a client, wherever they were written.
//!
//! Owns the order in which they are looked at. Leaves the rules to `redirect_uri`, `web_origin`, `logout_uri`,
//! `page_uri` and `outbound`.

use super::client::ClientSettings;
use super::logout_uri::{validate_backchannel, validate_frontchannel};
use super::outbound::OutboundRules;
use super::page_uri::{validate_logo_uri, validate_page_uri};
use super::redirect_uri::{Strictness, validate_registration};
use super::web_origin::validate_origin;

/// The first address that is not as it must be: `redirect_uris: a fragment is refused (http://app/#x)`. What this server
/// would have to call must be what `outbound` lets it call.
///
/// Development takes redirect URIs of Keycloak's realm files that mean nothing here, such as a relative one without
/// anything to hang it on: they match no request.
#[must_use]
pub fn problem(settings: &ClientSettings, strictness: Strictness, outbound: OutboundRules) -> Option<String> {
    redirects(settings, strictness)
        .or_else(|| origins(settings, strictness))
        .or_else(|| logout(settings, strictness))
        .or_else(|| pages(settings, strictness))
        .or_else(|| called(settings, outbound))
}

fn told(name: &str, why: &dyn std::fmt::Display, uri: &str) -> String {
    format!("{name}: {why} ({uri})")
}

fn redirects(settings: &ClientSettings, strictness: Strictness) -> Option<String> {
    let lists = [
        ("redirectUris", &settings.redirect_uris),
        ("post.logout.redirect.uris", &settings.post_logout_redirect_uris),
    ];
    let means_nothing = |uri: &str| uri.is_empty() || uri == "*" || uri == "+" || uri.starts_with('/');
    lists.into_iter().flat_map(|(name, uris)| uris.iter().map(move |uri| (name, uri))).find_map(
        |(name, uri)| {
            let harmless = if strictness.is_development() {
                means_nothing(uri)
            } else {
                uri == "+" && name != "redirectUris"
            };
            let problem = validate_registration(uri, strictness).err().filter(|_| !harmless);
            problem.map(|why| told(name, &why, uri))
        },
    )
}

fn origins(settings: &ClientSettings, strictness: Strictness) -> Option<String> {
    settings.web_origins.iter().filter(|origin| !origin.is_empty()).find_map(|origin| {
        validate_origin(origin, strictness).err().map(|why| told("webOrigins", &why, origin))
    })
}

fn logout(settings: &ClientSettings, strictness: Strictness) -> Option<String> {
    let uri = settings.frontchannel_logout_uri.as_ref()?;
    let why = validate_frontchannel(uri, Some(&settings.redirect_uris), strictness).err()?;
    Some(told("frontchannel.logout.url", &why, uri))
}

fn pages(settings: &ClientSettings, strictness: Strictness) -> Option<String> {
    let pages = [
        ("baseUrl", &settings.client_uri),
        ("policyUri", &settings.policy_uri),
        ("tosUri", &settings.tos_uri),
    ];
    let page = pages
        .into_iter()
        .filter_map(|(name, uri)| Some((name, uri.as_deref()?)))
        .find_map(|(name, uri)| validate_page_uri(uri, strictness).err().map(|why| told(name, &why, uri)));
    page.or_else(|| {
        let uri = settings.logo_uri.as_deref()?;
        validate_logo_uri(uri, strictness).err().map(|why| told("logoUri", &why, uri))
    })
}

/// What this server itself calls.
fn called(settings: &ClientSettings, outbound: OutboundRules) -> Option<String> {
    if let Some(uri) = &settings.backchannel_logout_uri
        && let Err(why) = validate_backchannel(uri, outbound)
    {
        return Some(told("backchannel.logout.url", &why, uri));
    }
    let sector = settings.sector_identifier_uri.iter().map(|uri| ("sector_identifier_uri", uri.as_str()));
    let keys = settings.jwks_uri.iter().map(|uri| ("jwks.url", uri.as_str()));
    // A fragment tells versions apart and is never sent (OpenID Connect Core §6.2).
    let bare = |uri: &'_ String| uri.split('#').next().unwrap_or_default().to_owned();
    let requests: Vec<String> = settings.request_uris.iter().map(bare).collect();
    let requests = requests.iter().map(|uri| ("request.uris", uri.as_str()));
    let trusted = settings.jwt_bearer.iter().map(|trusted| ("jwt_bearer", trusted.jwks_uri.as_str()));
    keys.chain(requests)
        .chain(trusted)
        .chain(sector)
        .find_map(|(name, uri)| outbound.target(uri).err().map(|why| told(name, &why, uri)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(set: fn(&mut ClientSettings)) -> ClientSettings {
        let mut settings = ClientSettings::default();
        set(&mut settings);
        settings
    }

    #[test]
    fn what_development_takes_and_production_does_not() {
        for (row, settings, development, production) in [
            ("nothing", client(|_| {}), None, None),
            (
                "https",
                client(|client| client.redirect_uris = vec!["https://app.example/cb".to_owned()]),
                None,
                None,
            ),
            (
                "a pattern",
                client(|client| client.redirect_uris = vec!["http://localhost:8080/*".to_owned()]),
                None,
                Some("redirectUris"),
            ),
            (
                "one that means nothing",
                client(|client| client.redirect_uris = vec!["/app/*".to_owned()]),
                None,
                Some("redirectUris"),
            ),
            (
                "a fragment",
                client(|client| client.redirect_uris = vec!["https://app.example/#x".to_owned()]),
                Some("redirectUris"),
                Some("redirectUris"),
            ),
            (
                "a script",
                client(|client| client.redirect_uris = vec!["javascript:alert(1)".to_owned()]),
                Some("redirectUris"),
                Some("redirectUris"),
            ),
            (
                "back to where it came from",
                client(|client| client.post_logout_redirect_uris = vec!["+".to_owned()]),
                None,
                None,
            ),
            (
                "an origin with a path",
                client(|client| client.web_origins = vec!["https://app.example/path".to_owned()]),
                Some("webOrigins"),
                Some("webOrigins"),
            ),
            (
                "plain keys",
                client(|client| client.jwks_uri = Some("http://app.example/keys".to_owned())),
                None,
                Some("jwks.url"),
            ),
            (
                "keys in a private network",
                client(|client| client.jwks_uri = Some("https://10.0.0.1/keys".to_owned())),
                None,
                Some("jwks.url"),
            ),
            (
                "requests in a private network",
                client(|client| client.request_uris = vec!["https://10.0.0.1/request#1".to_owned()]),
                None,
                Some("request.uris"),
            ),
            (
                "a sign-out on this machine",
                client(|client| client.backchannel_logout_uri = Some("http://127.0.0.1/out".to_owned())),
                None,
                Some("backchannel.logout.url"),
            ),
            (
                "a sign-out where clouds tell secrets",
                client(|client| client.backchannel_logout_uri = Some("https://169.254.169.254/".to_owned())),
                Some("backchannel.logout.url"),
                Some("backchannel.logout.url"),
            ),
            (
                "a sector on this machine",
                client(|client| client.sector_identifier_uri = Some("https://[::1]/s.json".to_owned())),
                None,
                Some("sector_identifier_uri"),
            ),
            (
                "a page that runs",
                client(|client| client.tos_uri = Some("javascript:alert(1)".to_owned())),
                Some("tosUri"),
                Some("tosUri"),
            ),
        ] {
            let lax = OutboundRules { private: true, http: true };
            for (strictness, outbound, expected) in [
                (Strictness::Development, lax, development),
                (Strictness::Serve, OutboundRules::default(), production),
            ] {
                let found = problem(&settings, strictness, outbound);
                let name = found.as_deref().and_then(|problem| problem.split(':').next());
                assert_eq!(name, expected, "{row}, {strictness:?}: {found:?}");
            }
        }
    }
}
