//! Client scopes.

use serde_json::Value;

use super::record::{ATTRIBUTES, Kept, attributes};
use super::representation::ClientScopeRepresentation;
use super::{filled, mapper};
use crate::protocol::scope::{Scope, ScopeSettings};

const IN_TOKEN: &str = "include.in.token.scope";
const SHOWN: &str = "display.on.consent.screen";
const TEXT: &str = "consent.screen.text";

/// `base` with what `scope` says, and what it says beyond. Its identifier and its scope mappings are the caller's.
pub fn from_representation(
    scope: ClientScopeRepresentation,
    base: Scope,
    new_id: &mut dyn FnMut() -> String,
) -> (Scope, Kept) {
    let mut kept = scope.kept;
    if let Some(protocol) = scope.protocol {
        let usual = protocol == mapper::PROTOCOL;
        kept.insert("protocol".to_owned(), if usual { Value::Null } else { protocol.into() });
    }
    let mappers = match scope.protocol_mappers {
        Some(mappers) => mapper::from_representations(mappers, &base.settings.mappers, &mut kept, new_id),
        None => base.settings.mappers,
    };
    let mut attributes = scope.attributes.unwrap_or_default();
    let include_in_token = attributes
        .remove(IN_TOKEN)
        .map_or(base.settings.include_in_token, |value| !value.eq_ignore_ascii_case("false"));
    let text = attributes.remove(TEXT);
    let shown = attributes.remove(SHOWN).map(|value| value.eq_ignore_ascii_case("true"));
    let consent_text = match (shown, text) {
        (None, None) => base.settings.consent_text,
        (Some(false), text) => {
            // The page does not show it, and the text is ready for when it does.
            attributes.extend(text.filter(|text| !text.is_empty()).map(|text| (TEXT.to_owned(), text)));
            None
        }
        (_, text) => filled(text.as_deref())
            .or_else(|| base.settings.consent_text.clone())
            .or_else(|| scope.name.clone()),
    };
    if !attributes.is_empty() {
        kept.insert(ATTRIBUTES.to_owned(), attributes.into_iter().collect());
    }
    let description = match scope.description {
        Some(text) => filled(Some(&text)),
        None => base.description,
    };
    let record = Scope {
        name: scope.name.filter(|name| !name.is_empty()).unwrap_or(base.name),
        description,
        settings: ScopeSettings { include_in_token, consent_text, mappers, ..base.settings },
        ..base
    };
    (record, kept)
}

/// The representation of `scope`.
#[must_use]
pub fn to_representation(scope: &Scope, mut kept: Kept) -> ClientScopeRepresentation {
    let settings = &scope.settings;
    let mut all = std::collections::BTreeMap::from([
        (IN_TOKEN.to_owned(), settings.include_in_token.to_string()),
        (SHOWN.to_owned(), settings.consent_text.is_some().to_string()),
    ]);
    all.extend(settings.consent_text.iter().map(|text| (TEXT.to_owned(), text.clone())));
    for (name, value) in attributes(&kept) {
        all.entry(name).or_insert(value);
    }
    kept.remove(ATTRIBUTES);
    let protocol = kept.remove("protocol").and_then(|value| value.as_str().map(str::to_owned));
    let mappers = mapper::identified(&scope.id, &settings.mappers, &mut kept);
    ClientScopeRepresentation {
        id: Some(scope.id.clone()),
        name: Some(scope.name.clone()),
        description: scope.description.clone(),
        protocol: Some(protocol.unwrap_or_else(|| mapper::PROTOCOL.to_owned())),
        attributes: Some(all),
        protocol_mappers: Some(mappers).filter(|mappers| !mappers.is_empty()),
        kept,
    }
}
