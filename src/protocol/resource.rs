//! Resource indicators (RFC 8707): the address of the service that a token is for.
//!
//! Owns what can be such an address, and which of them a client may ask for. Leaves to others which client an address
//! is of (`RealmState::client_of_resource`).

use super::client::Client;
use super::error::{ErrorCode, OAuthError};

/// Longest resource, in bytes.
const LONGEST: usize = 2_000;

/// Whether `text` can be a resource: an absolute URI (RFC 3986 §4.3), so without a fragment (RFC 8707 §2).
#[must_use]
pub fn is_resource(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let in_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    // RFC 3986 §2: reserved, unreserved and the sign of an escape, without `#`.
    let in_rest = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(c);
    text.len() <= LONGEST
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(in_scheme)
        && !rest.is_empty()
        && rest.chars().all(in_rest)
}

/// Whether `client` may ask for tokens for `resource`, an address of `service` (none = there is no such client): itself,
/// and services among its audiences, which its tokens are for without being asked.
///
/// # Errors
/// `invalid_target` (RFC 8707 §2), the same whatever the reason.
pub fn may_ask(client: &Client, resource: &str, service: Option<&Client>) -> Result<(), OAuthError> {
    let audiences = &client.settings.audiences;
    let among = |service: &Client| {
        let known = |name: &str| audiences.iter().any(|audience| audience == name);
        service.id == client.id || known(&service.client_id) || known(resource)
    };
    let service = service.filter(|service| service.enabled && is_resource(resource));
    if service.is_some_and(among) { Ok(()) } else { Err(no_target()) }
}

/// The part of `granted` that `asked` names; all of it when it names nothing.
///
/// # Errors
/// `invalid_target` for one that was not granted (RFC 8707 §2.2).
pub fn part(granted: &[String], asked: &[&str]) -> Result<Vec<String>, OAuthError> {
    if asked.iter().any(|one| !granted.iter().any(|known| known == one)) {
        return Err(no_target());
    }
    let kept = granted.iter().filter(|known| asked.is_empty() || asked.contains(&known.as_str()));
    Ok(kept.cloned().collect())
}

fn no_target() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidTarget, "The client may not have a token for this resource")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::ClientSettings;

    fn client(client_id: &str, audiences: &[&str], resources: &[&str]) -> Client {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Client {
            id: format!("{client_id}-id"),
            realm_id: "realm".into(),
            client_id: client_id.into(),
            enabled: true,
            secret_hash: None,
            settings: ClientSettings {
                audiences: texts(audiences),
                resources: texts(resources),
                ..ClientSettings::default()
            },
        }
    }

    #[test]
    fn rfc8707_2_whom_a_client_may_ask_for() {
        const API: &str = "https://api.example/";
        let api = client("api", &[], &[API]);
        let off = Client { enabled: false, ..api.clone() };
        for (row, audiences, resource, service, allowed) in [
            ("an audience by its client", &["api"][..], API, Some(&api), true),
            ("an audience by its address", &[API], API, Some(&api), true),
            ("no audience", &["billing"], API, Some(&api), false),
            ("disabled", &["api"], API, Some(&off), false),
            ("nobody's address", &["https://x.example/"], "https://x.example/", None, false),
            ("a name that is no URI", &["api"], "api", Some(&api), false),
            ("a fragment", &["api"], "https://api.example/#x", Some(&api), false),
        ] {
            let outcome = may_ask(&client("web", audiences, &[]), resource, service);
            assert_eq!(outcome.is_ok(), allowed, "{row}");
        }
        assert!(may_ask(&api, API, Some(&api)).is_ok(), "itself");
    }

    #[test]
    fn rfc8707_2_2_a_token_request_asks_for_a_part() {
        let granted = ["https://a.example/".to_owned(), "https://b.example/".to_owned()];
        for (row, asked, expected) in [
            ("nothing asked", &[][..], Some(&granted[..])),
            ("one", &["https://b.example/"], Some(&granted[1..])),
            ("both", &["https://b.example/", "https://a.example/"], Some(&granted[..])),
            ("another", &["https://c.example/"], None),
            ("one and another", &["https://a.example/", "https://c.example/"], None),
        ] {
            assert_eq!(part(&granted, asked).ok().as_deref(), expected, "{row}");
        }
    }

    #[test]
    fn rfc8707_2_a_resource_is_an_absolute_uri_without_fragment() {
        let long = format!("https://api.example/{}", "x".repeat(LONGEST));
        for (text, good) in [
            ("https://api.example/", true),
            ("https://api.example", true),
            ("https://cal.example.com/app?tenant=1", true),
            ("http://[::1]:3000/a", true),
            ("urn:example:cooperation-context", true),
            ("https://api.example/#", false),
            ("https://api.example/#x", false),
            ("/api", false),
            ("//api.example/", false),
            ("api", false),
            ("", false),
            (":x", false),
            ("1x:y", false),
            ("https:", false),
            ("https://api.example/ x", false),
            ("https://api.example/\u{e9}", false),
            ("https://api.example/\"", false),
            (long.as_str(), false),
        ] {
            assert_eq!(is_resource(text), good, "{text:?}");
        }
    }
}
