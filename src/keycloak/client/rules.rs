//! What is refused of a client's representation, whoever brings it.

use super::attributes::SPANS;
use crate::keycloak::representation::ClientRepresentation;

/// Longest `client_id`, and longest name of other things.
pub const LONGEST_NAME: usize = 255;

/// Schemes of addresses that a browser runs or opens on its own machine.
const HARMFUL: [&str; 5] = ["javascript", "data", "vbscript", "file", "blob"];

/// What is wrong with a `client_id` (RFC 6749 appendix A.1), in words.
#[must_use]
pub fn name_problem(name: &str) -> Option<String> {
    let fits = name.len() <= LONGEST_NAME && name.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    (!fits).then(|| "A clientId has at most 255 visible characters, of ASCII".to_owned())
}

/// What is wrong with what a representation says beyond the settings that have rules of their own, in words that name the
/// field: addresses that no browser should follow, lifespans without end.
#[must_use]
pub fn problem(client: &ClientRepresentation) -> Option<String> {
    let attribute = |name: &str| client.attributes.as_ref().and_then(|all| all.get(name));
    let addresses = [
        ("rootUrl", client.root_url.as_ref()),
        ("adminUrl", client.admin_url.as_ref()),
        ("baseUrl", client.base_url.as_ref()),
        ("jwks.url", attribute("jwks.url")),
    ];
    let harmful = addresses.into_iter().find(|(_, address)| {
        let scheme = address.and_then(|address| address.trim().split_once(':'));
        scheme.is_some_and(|(scheme, _)| HARMFUL.iter().any(|name| scheme.eq_ignore_ascii_case(name)))
    });
    if let Some((name, _)) = harmful {
        return Some(format!("{name} must be an address of the web"));
    }
    let long = SPANS.iter().find(|(name, most, _)| {
        attribute(name).is_some_and(|span| span.trim().parse::<i64>().is_ok_and(|span| span > *most))
    });
    long.map(|(name, most, _)| format!("{name} must be at most {most} seconds"))
}
