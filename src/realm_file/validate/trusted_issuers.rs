//! Rules of the issuers that a realm trusts.

use std::collections::BTreeSet;

use super::super::places::Notes;
use super::super::spec::RealmSpec;
use super::called::target;
use super::clients::unusable;
use crate::protocol::jws::Algorithm;
use crate::protocol::outbound::OutboundRules;

pub(super) fn rules(spec: &RealmSpec, notes: &mut Notes<'_>) {
    let mut named = BTreeSet::new();
    for (index, trusted) in spec.trusted_issuers.iter().flatten().enumerate() {
        let path = format!("trusted_issuers[{index}]");
        let field = |name: &str| format!("{path}.{name}");
        if !named.insert(&trusted.issuer) {
            notes.add(&field("issuer"), format!("`{}` is there already", trusted.issuer));
        }
        match (&trusted.jwks, &trusted.jwks_uri) {
            (None, None) => notes.add(&path, "its keys are missing: `jwks`, `jwks_file` or `jwks_uri`"),
            (Some(_), Some(_)) => notes.add(&field("jwks_uri"), "either `jwks` or `jwks_uri`, not both"),
            (Some(jwks), None) => {
                if let Some(problem) = unusable(jwks) {
                    notes.add(&field("jwks"), problem);
                }
            }
            (None, Some(_)) => {}
        }
        for (at, name) in trusted.algorithms.iter().enumerate() {
            if let Err(problem) = name.parse::<Algorithm>() {
                notes.add(&field(&format!("algorithms[{at}]")), problem.to_string());
            }
        }
    }
}

/// Addresses of keys, which the server must be let to call.
pub(super) fn called(spec: &RealmSpec, outbound: OutboundRules, notes: &mut Notes<'_>) {
    for (index, trusted) in spec.trusted_issuers.iter().flatten().enumerate() {
        if let Some(uri) = &trusted.jwks_uri {
            target(uri, &format!("trusted_issuers[{index}].jwks_uri"), outbound, notes);
        }
    }
}
