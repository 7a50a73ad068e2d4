//! What `serve` refuses of a realm in Keycloak's form: addresses that end in `*`, which it would not honour anyway.

use super::super::FileProblem;
use super::super::spec::RealmSpec;

/// One problem for each client with such an address, which names the client. Relative addresses are those of Keycloak's
/// own pages, which are not here.
pub(in super::super) fn production_refusals(spec: &RealmSpec) -> Vec<FileProblem> {
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
            continue;
        }
        let name = client.client_id.as_deref().unwrap_or_default().escape_debug();
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
