//! Rules of what a client is as a resource server, and of what it may exchange.

use std::collections::BTreeSet;

use super::super::places::Notes;
use super::super::spec::ClientSpec;
use crate::protocol::client::GrantType;
use crate::protocol::resource::is_resource;

pub(super) fn rules(client: &ClientSpec, path: &str, notes: &mut Notes<'_>) {
    for (index, resource) in client.resources.iter().flatten().enumerate() {
        if !is_resource(resource) {
            let message =
                "a resource is an absolute URI without fragment (RFC 8707), such as `https://api.example/`";
            notes.add(&format!("{path}.resources[{index}]"), message);
        }
    }
    let rules = client.exchange.as_deref().unwrap_or_default();
    let may = client.grants.as_ref().is_none_or(|grants| grants.contains(&GrantType::TokenExchange));
    if !rules.is_empty() && !may {
        notes.add(&format!("{path}.exchange"), "it needs the grant `token_exchange` in `grants`");
    }
    let mut named = BTreeSet::new();
    for (index, rule) in rules.iter().enumerate() {
        let field = |name: &str| format!("{path}.exchange[{index}].{name}");
        if !named.insert(&rule.audience) {
            notes.add(&field("audience"), format!("`{}` has a rule already", rule.audience));
        }
        let refreshes = client.grants.as_ref().is_none_or(|grants| grants.contains(&GrantType::RefreshToken));
        if rule.refresh_token && !refreshes {
            notes.add(&field("refresh_token"), "it needs the grant `refresh_token` in `grants`");
        }
        if !rule.impersonation && !rule.delegation {
            let message = "the rule allows nothing: switch on `impersonation`, `delegation` or both";
            notes.add(&format!("{path}.exchange[{index}]"), message);
        }
    }
}
