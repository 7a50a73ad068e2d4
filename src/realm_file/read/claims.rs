//! The `claims` and `mappers` of a scope's or client's table.

use super::super::claims::{Claim, Source, TOKENS, TYPES};
use super::fields::{Fields, join};
use crate::protocol::mapper::Mapper;

/// Both lists as one; none when neither is there.
pub(super) fn mappers(fields: &mut Fields<'_>) -> Option<Vec<Mapper>> {
    let claims = fields.tables("claims", claim);
    let mappers = fields.tables("mappers", mapper);
    if claims.is_none() && mappers.is_none() {
        return None;
    }
    let claims = claims.unwrap_or_default();
    Some(claims.iter().map(Claim::mapper).chain(mappers.unwrap_or_default()).collect())
}

fn claim(fields: &mut Fields<'_>) -> Option<Claim> {
    let name = fields.required("name");
    let attribute = fields.text("attribute");
    let value = fields.text("value");
    let kind = fields.choice("type", &TYPES).unwrap_or("String");
    let multivalued = fields.switch("multivalued").unwrap_or(false);
    let tokens = fields.choices("tokens", &TOKENS).unwrap_or_else(|| TOKENS.map(|(_, name)| name).to_vec());
    let source = match (attribute, value) {
        (Some(_), Some(_)) => {
            fields.cx.refuse(fields.line, &fields.path, "either `attribute` or `value`, not both");
            return None;
        }
        (None, Some(_)) if multivalued => {
            let path = join(&fields.path, "multivalued");
            fields.cx.refuse(fields.line, &path, "a fixed `value` is one value");
            return None;
        }
        (None, Some(value)) => Source::Fixed(value),
        (attribute, None) => Source::Attribute(attribute.or_else(|| name.clone())?),
    };
    Some(Claim { name: name?, source, kind, multivalued, tokens: tokens.into_iter().collect() })
}

fn mapper(fields: &mut Fields<'_>) -> Option<Mapper> {
    let name = fields.required("name");
    let kind = fields.required("kind");
    let config = fields.words("config").unwrap_or_default();
    Some(Mapper { name: name?, kind: kind?, config, ..Mapper::default() })
}
