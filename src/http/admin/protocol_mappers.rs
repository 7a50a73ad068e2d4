//! Protocol mappers of clients and of client scopes.

use uuid::Uuid;

use super::answer::{AdminError, Answer, done, told};
use super::call::{Call, Operation};
use super::carrier::Carrier;
use super::{beside, clients};
use crate::keycloak::Kept;
use crate::keycloak::mapper::{PROTOCOL, from_representations, identified};
use crate::keycloak::representation::ProtocolMapperRepresentation;

const KIND: &str = "PROTOCOL_MAPPER";

/// A carrier with its mappers as they are shown.
struct Open {
    carrier: Carrier,
    mappers: Vec<ProtocolMapperRepresentation>,
}

impl Open {
    async fn of(call: &Call, carrier: Carrier) -> Result<Self, AdminError> {
        let mut kept: Kept = beside::kept(call, carrier.beside(), carrier.id()).await?;
        let mappers = identified(carrier.id(), carrier.mappers(), &mut kept);
        Ok(Self { carrier, mappers })
    }

    /// The place of the mapper of the address.
    fn place(&self, call: &Call) -> Result<usize, AdminError> {
        let id = Some(call.part("mapper"));
        let place = self.mappers.iter().position(|mapper| mapper.id.as_deref() == id);
        place.ok_or_else(|| AdminError::not_found("Model not found"))
    }

    /// Commits the mappers as they are by now.
    async fn close(self, call: &Call, operation: Operation, mapper: &str) -> Result<(), AdminError> {
        let before = self.carrier.mappers().to_vec();
        let mut new = Kept::new();
        let mut id = || Uuid::new_v4().to_string();
        let after = from_representations(self.mappers, &before, &mut new, &mut id);
        clients::covers_mappers(call, &before, &after)?;
        let kept = beside::keep(call, self.carrier.beside(), self.carrier.id(), new).await?;
        let path = format!("{}/protocol-mappers/models/{mapper}", self.carrier.path().join("/"));
        let mut changes = vec![call.unmoved(), self.carrier.with_mappers(after).put(call)];
        changes.extend(kept);
        Ok(call.commit(changes, operation, KIND, &path).await?)
    }
}

/// All of them.
pub(super) async fn list(call: Call) -> Answer {
    let open = Open::of(&call, Carrier::named(&call).await?).await?;
    told(&open.mappers)
}

/// Those of a protocol.
pub(super) async fn of_protocol(call: Call) -> Answer {
    let mut open = Open::of(&call, Carrier::named(&call).await?).await?;
    let protocol = Some(call.part("protocol"));
    open.mappers.retain(|mapper| mapper.protocol.as_deref().or(Some(PROTOCOL)) == protocol);
    told(&open.mappers)
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    let open = Open::of(&call, Carrier::named(&call).await?).await?;
    let place = open.place(&call)?;
    told(&open.mappers.get(place))
}

/// Adds one.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let mut open = Open::of(call, Carrier::changeable(call).await?).await?;
    let mapper = new(call.server.json()?, &open)?;
    let id = mapper.id.clone().unwrap_or_default();
    let [kind, holder] = open.carrier.path().map(str::to_owned);
    open.mappers.push(mapper);
    open.close(call, Operation::Create, &id).await?;
    call.created(&[&kind, &holder, "protocol-mappers", "models", &id])
}

/// One that is to be added, with an identifier of its own.
fn new(
    mapper: ProtocolMapperRepresentation,
    open: &Open,
) -> Result<ProtocolMapperRepresentation, AdminError> {
    if mapper.protocol_mapper.as_deref().unwrap_or_default().is_empty() {
        return Err(AdminError::bad("ProtocolMapper provider not found"));
    }
    let taken = |id: &String| id.is_empty() || open.mappers.iter().any(|one| one.id.as_ref() == Some(id));
    if let Some(id) = mapper.id.as_deref().filter(|id| !id.is_empty()) {
        super::call::is_identifier(id)?;
    }
    let id = mapper.id.clone().filter(|id| !taken(id)).unwrap_or_else(|| Uuid::new_v4().to_string());
    Ok(ProtocolMapperRepresentation { id: Some(id), ..mapper })
}

/// Adds several.
pub(super) async fn create_all(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create_all(call))).await
}

async fn try_create_all(call: &Call) -> Answer {
    let mut open = Open::of(call, Carrier::changeable(call).await?).await?;
    for mapper in call.server.json::<Vec<ProtocolMapperRepresentation>>()? {
        let mapper = new(mapper, &open)?;
        open.mappers.push(mapper);
    }
    open.close(call, Operation::Create, "").await?;
    done()
}

/// Changes one.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let mut open = Open::of(call, Carrier::changeable(call).await?).await?;
    let place = open.place(call)?;
    let new: ProtocolMapperRepresentation = call.server.json()?;
    let id = call.part("mapper").to_owned();
    if let Some(old) = open.mappers.get_mut(place) {
        *old = ProtocolMapperRepresentation {
            id: Some(id.clone()),
            name: new.name.or(old.name.take()),
            protocol_mapper: new.protocol_mapper.or(old.protocol_mapper.take()),
            ..new
        };
    }
    open.close(call, Operation::Update, &id).await?;
    done()
}

/// Takes one away.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let mut open = Open::of(call, Carrier::changeable(call).await?).await?;
    let place = open.place(call)?;
    open.mappers.remove(place);
    open.close(call, Operation::Delete, call.part("mapper")).await?;
    done()
}
