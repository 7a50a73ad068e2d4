//! What `serve` refuses of a realm in Keycloak's form: redirect URIs that it would not honour anyway, those that end in `*`
//! and those that the admin API refuses; and addresses that it would not call.

use super::super::FileProblem;
use super::super::spec::RealmSpec;
use crate::keycloak::client::{begin, from_representation};
use crate::keycloak::representation::ClientRepresentation;
use crate::protocol::client::ClientSettings;
use crate::protocol::client_addresses;
use crate::protocol::display::spelled;
use crate::protocol::outbound::OutboundRules;
use crate::protocol::redirect_uri::Strictness;

/// One problem for each client with such an address, which names the client. Relative addresses are those of Keycloak's
/// own pages, which are not here.
pub(in super::super) fn production_refusals(spec: &RealmSpec, outbound: OutboundRules) -> Vec<FileProblem> {
    let Some(realm) = &spec.keycloak else { return Vec::new() };
    let mut problems = Vec::new();
    for client in realm.0.clients.iter().flatten() {
        let uris = client.redirect_uris.iter().flatten();
        let patterns: Vec<&str> = uris
            .map(String::as_str)
            .filter(|uri| uri.contains('*') && (!uri.starts_with('/') || client.root_url.is_some()))
            .filter(|uri| !uri.starts_with("/realms/"))
            .collect();
        if patterns.is_empty() {
            problems.extend(unfit(spec, client, outbound));
            continue;
        }
        let name = spelled(client.client_id.as_deref().unwrap_or_default());
        let (patterns, list) = (patterns.join(", "), "redirectUris");
        problems.push(spec.places.problem(
            &format!("clients.{name}.{list}"),
            format!(
                "client `{name}` is sent to addresses with a wildcard ({patterns}), which is a convenience of \
                 development: name each address"
            ),
        ));
    }
    problems
}

/// A redirect URI of a client that would never match, or an address that the server would never call. Those of Keycloak's
/// own pages mean nothing here.
fn unfit(spec: &RealmSpec, client: &ClientRepresentation, outbound: OutboundRules) -> Option<FileProblem> {
    let name = client.client_id.as_deref().unwrap_or_default();
    let read = from_representation(client.clone(), begin("", name, String::new()), &mut String::new).client;
    if read.settings.grants.is_empty() {
        return None;
    }
    let foreign = |uri: &String| uri.starts_with('/') || uri.contains("${") || uri == "*" || uri.is_empty();
    let apart = |mut uris: Vec<String>| {
        uris.retain(|uri| !foreign(uri));
        uris
    };
    let addresses = ClientSettings {
        redirect_uris: apart(read.settings.redirect_uris),
        post_logout_redirect_uris: apart(read.settings.post_logout_redirect_uris),
        backchannel_logout_uri: read.settings.backchannel_logout_uri.filter(|uri| !foreign(uri)),
        jwks_uri: read.settings.jwks_uri.filter(|uri| !foreign(uri)),
        request_uris: apart(read.settings.request_uris),
        sector_identifier_uri: read.settings.sector_identifier_uri.filter(|uri| !foreign(uri)),
        ..ClientSettings::default()
    };
    let problem = client_addresses::problem(&addresses, Strictness::Serve, outbound)?;
    let name = spelled(name);
    Some(spec.places.problem(&format!("clients.{name}"), format!("client `{name}`: {problem}")))
}
