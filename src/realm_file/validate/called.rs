//! Addresses that the server itself calls, which its configuration must let it call.

use std::fmt::Display;

use super::super::places::Notes;
use super::super::spec::ClientSpec;
use super::DEVELOPMENT;
use crate::protocol::logout_uri::validate_backchannel;
use crate::protocol::outbound::OutboundRules;

pub(super) fn rules(client: &ClientSpec, path: &str, outbound: OutboundRules, notes: &mut Notes<'_>) {
    let field = |name: &str| format!("{path}.{name}");
    let said = |uri: &'_ Option<String>| uri.clone().filter(|uri| !uri.is_empty());
    for (name, uri) in
        [("jwks_uri", &client.jwks_uri), ("sector_identifier_uri", &client.sector_identifier_uri)]
    {
        if let Some(uri) = said(uri) {
            target(&uri, &field(name), outbound, notes);
        }
    }
    for (index, uri) in client.request_uris.iter().flatten().enumerate() {
        // A fragment tells versions apart and is never sent (OpenID Connect Core §6.2).
        let bare = uri.split('#').next().unwrap_or_default();
        target(bare, &field(&format!("request_uris[{index}]")), outbound, notes);
    }
    for (index, trusted) in client.jwt_bearer.iter().flatten().enumerate() {
        target(&trusted.jwks_uri, &field(&format!("jwt_bearer[{index}].jwks_uri")), outbound, notes);
    }
    if let Some(uri) = said(&client.backchannel_logout_uri)
        && let Err(problem) = validate_backchannel(&uri, outbound)
    {
        notes.add(&field("backchannel_logout_uri"), told(&problem, outbound));
    }
}

/// Notes what keeps the server from calling `uri`.
pub(super) fn target(uri: &str, field: &str, outbound: OutboundRules, notes: &mut Notes<'_>) {
    if let Err(problem) = outbound.target(uri) {
        notes.add(field, told(&problem, outbound));
    }
}

/// What development refuses, nothing allows.
fn told(problem: &dyn Display, outbound: OutboundRules) -> String {
    if outbound == DEVELOPMENT {
        return problem.to_string();
    }
    format!("{problem} (`[outbound]` of the server's configuration says what it calls)")
}
