//! Protocol mappers: the records are Keycloak's own, so only names differ.

use serde_json::Value;
use uuid::Builder;

use super::record::Kept;
use super::representation::ProtocolMapperRepresentation;
use crate::protocol::mapper::Mapper;
use crate::secrets::sha256;

/// The protocol that this server speaks.
pub const PROTOCOL: &str = "openid-connect";

/// Under which member what a mapper says beyond its record is kept, by the mapper's name.
const KEPT: &str = "protocolMappers";

/// Mappers as records. Those that have no identifier get one. What they say beyond goes into `kept`.
pub fn from_representations(
    mappers: Vec<ProtocolMapperRepresentation>,
    base: &[Mapper],
    kept: &mut Kept,
    new_id: &mut dyn FnMut() -> String,
) -> Vec<Mapper> {
    let mut beyond = Kept::new();
    let mut records = Vec::with_capacity(mappers.len());
    for mapper in mappers {
        let (record, more) = from_representation(mapper, base, new_id);
        if !more.is_empty() {
            beyond.insert(record.name.clone(), Value::Object(more));
        }
        records.push(record);
    }
    // Null takes away what an earlier version kept.
    kept.insert(KEPT.to_owned(), if beyond.is_empty() { Value::Null } else { Value::Object(beyond) });
    records
}

/// One mapper, and what it says beyond its record. One without an identifier takes that of the mapper of `base` with
/// the same name, else a new one.
pub fn from_representation(
    mapper: ProtocolMapperRepresentation,
    base: &[Mapper],
    new_id: &mut dyn FnMut() -> String,
) -> (Mapper, Kept) {
    let mut kept = mapper.kept;
    if let Some(protocol) = mapper.protocol.filter(|protocol| protocol != PROTOCOL) {
        kept.insert("protocol".to_owned(), protocol.into());
    }
    if mapper.consent_required == Some(true) {
        kept.insert("consentRequired".to_owned(), true.into());
    }
    let name = mapper.name.unwrap_or_default();
    let known = || base.iter().find(|one| one.name == name && !one.id.is_empty()).map(|one| one.id.clone());
    let id = mapper.id.filter(|id| !id.is_empty()).or_else(known).unwrap_or_else(new_id);
    let kind = mapper.protocol_mapper.unwrap_or_default();
    let config = mapper.config.unwrap_or_default();
    (Mapper { id, name, kind, config, ..Mapper::default() }, kept)
}

/// The mappers of a record, with what was kept of them, which leaves `kept`.
#[must_use]
pub fn to_representations(mappers: &[Mapper], kept: &mut Kept) -> Vec<ProtocolMapperRepresentation> {
    let mut beyond = match kept.remove(KEPT) {
        Some(Value::Object(beyond)) => beyond,
        _ => Kept::new(),
    };
    let one = |mapper: &Mapper| {
        let more = match beyond.remove(&mapper.name) {
            Some(Value::Object(more)) => more,
            _ => Kept::new(),
        };
        to_representation(mapper, more)
    };
    mappers.iter().map(one).collect()
}

/// The identifier of a mapper of `holder` (the `id` of a client or a scope): one that has none of its own is known by
/// what is made of both names, the same each time.
#[must_use]
pub fn identifier(holder: &str, mapper: &Mapper) -> String {
    if !mapper.id.is_empty() {
        return mapper.id.clone();
    }
    named_identifier(holder, &mapper.name)
}

/// The identifier of what has none of its own: made of what it belongs to and of its name, the same each time.
#[must_use]
pub fn named_identifier(holder: &str, name: &str) -> String {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(sha256(&format!("{holder}\n{name}"))) {
        *to = from;
    }
    Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The mappers of `holder` as [`to_representations`] has them, each with its identifier.
#[must_use]
pub fn identified(holder: &str, mappers: &[Mapper], kept: &mut Kept) -> Vec<ProtocolMapperRepresentation> {
    let shown = to_representations(mappers, kept).into_iter().zip(mappers);
    let with_id =
        |(shown, mapper)| ProtocolMapperRepresentation { id: Some(identifier(holder, mapper)), ..shown };
    shown.map(with_id).collect()
}

/// One mapper, with what was kept of it.
#[must_use]
pub fn to_representation(mapper: &Mapper, mut kept: Kept) -> ProtocolMapperRepresentation {
    let protocol = kept.remove("protocol").and_then(|value| value.as_str().map(str::to_owned));
    let consent = kept.remove("consentRequired").and_then(|value| value.as_bool());
    ProtocolMapperRepresentation {
        id: Some(mapper.id.clone()).filter(|id| !id.is_empty()),
        name: Some(mapper.name.clone()),
        protocol: Some(protocol.unwrap_or_else(|| PROTOCOL.to_owned())),
        protocol_mapper: Some(mapper.kind.clone()),
        consent_required: Some(consent.unwrap_or(false)),
        config: Some(mapper.config.clone()),
        kept,
    }
}
