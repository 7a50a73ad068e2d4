//! Authentication flows: what Keycloak has in a fresh realm, and what was made of them. This server signs people in by its
//! own steps, whatever stands here.

use serde_json::{Value, json};
use uuid::Uuid;

use super::answer::{AdminError, Answer, accepted, done, told};
use super::call::{Call, Operation};
use super::documents::{Shelf, text};
use crate::keycloak::document::DocumentKind;
use crate::keycloak::flow::provider::{For, Provider};
use crate::keycloak::flow::{FlowError, Flows};
use crate::keycloak::{Kept, KeycloakRecord};
use crate::store::Change;

const FLOWS: Shelf = Shelf {
    kind: DocumentKind::AuthenticationFlow,
    resource: "AUTH_FLOW",
    missing: "Could not find authentication flow",
};

pub(super) const CONFIGS: Shelf = Shelf {
    kind: DocumentKind::AuthenticatorConfig,
    resource: "AUTHENTICATOR_CONFIG",
    missing: "Could not find authenticator config",
};

impl From<FlowError> for AdminError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::NoFlow => Self::not_found(FLOWS.missing),
            FlowError::NoParent => Self::bad("Parent flow doesn't exist"),
            FlowError::NoStep => Self::not_found("Illegal execution"),
            FlowError::NoConfig => Self::not_found(CONFIGS.missing),
            FlowError::BuiltIn(why) => Self::bad(why),
            FlowError::Taken => Self::conflict("The alias already exists"),
            FlowError::Unnamed => Self::bad("alias or provider is missing"),
            FlowError::Requirement => {
                Self::bad("requirement is REQUIRED, ALTERNATIVE, CONDITIONAL or DISABLED")
            }
        }
    }
}

/// The flows of the realm.
pub(super) async fn all(call: &Call) -> Result<Flows, AdminError> {
    let contents = |records: Vec<KeycloakRecord>| records.into_iter().map(|record| record.content).collect();
    let (flows, configs) = (FLOWS.all(call).await?, CONFIGS.all(call).await?);
    Ok(Flows::new(call.realm_id(), contents(flows), contents(configs)))
}

/// Keeps what was changed of `flows`, unless somebody changed the realm meanwhile.
pub(super) async fn keep(
    call: &Call,
    mut flows: Flows,
    operation: Operation,
    resource: &str,
    path: &str,
) -> Result<(), AdminError> {
    let mut changes = vec![call.unmoved()];
    let mut put = |shelf: &Shelf, content: Option<&Kept>| {
        let record = content.map(|content| {
            let id = text(content, "id").to_owned();
            shelf.kind.record(call.realm_id(), content.clone(), &|_, _| None, &mut || id.clone())
        });
        changes.extend(record.map(Change::PutKeycloakRecord));
    };
    for changed in [&mut flows.changed_flows, &mut flows.changed_configs] {
        changed.sort_unstable();
        changed.dedup();
    }
    flows.changed_flows.iter().for_each(|id| put(&FLOWS, flows.flow(id)));
    flows.changed_configs.iter().for_each(|id| put(&CONFIGS, flows.config(id)));
    changes.extend(flows.removed_flows.iter().map(|id| FLOWS.gone(call, id)));
    changes.extend(flows.removed_configs.iter().map(|id| CONFIGS.gone(call, id)));
    changes.push(Change::Reconfigure { realm_id: call.realm_id().to_owned() });
    Ok(call.commit(changes, operation, resource, path).await?)
}

fn address(id: &str) -> String {
    format!("authentication/flows/{id}")
}

/// The top-level flows.
pub(super) async fn list(call: Call) -> Answer {
    told(&all(&call).await?.top().collect::<Vec<_>>())
}

/// One of them.
pub(super) async fn read(call: Call) -> Answer {
    told(all(&call).await?.flow(call.part("flow")).ok_or(FlowError::NoFlow)?)
}

/// Keeps a new flow.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let content: Kept = call.server.json()?;
    let alias = text(&content, "alias").to_owned();
    let given = Some(text(&content, "id").to_owned()).filter(|id| !id.is_empty());
    given.as_deref().map_or(Ok(()), super::call::is_identifier)?;
    let mut flows = all(call).await?;
    let id = given.unwrap_or_else(|| Uuid::new_v4().to_string());
    if flows.flow(&id).is_some() {
        return Err(AdminError::conflict(format!("The id {id} is taken")));
    }
    flows.add(content, &id).map_err(|error| match error {
        FlowError::Taken => AdminError::conflict(format!("Flow {alias} already exists")),
        error => error.into(),
    })?;
    keep(call, flows, Operation::Create, FLOWS.resource, &address(&id)).await?;
    call.created(&["authentication", "flows", &id])
}

/// Keeps a copy of a flow with all that is in it under another alias.
pub(super) async fn copy(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_copy(call))).await
}

async fn try_copy(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let mut flows = all(call).await?;
    let copied = flows.copy(call.part("flow"), text(&body, "newName"), &mut || Uuid::new_v4().to_string());
    let id = copied.map_err(|error| match error {
        FlowError::Taken => AdminError::conflict("New flow alias name already exists"),
        error => error.into(),
    })?;
    keep(call, flows, Operation::Create, FLOWS.resource, &address(&id)).await?;
    call.created(&["authentication", "flows", &id])
}

/// Changes the name and the description of a flow.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let mut flows = all(call).await?;
    let updated = flows.update(call.part("flow"), body).map_err(|error| match error {
        FlowError::Taken => AdminError::conflict("Flow alias name already exists"),
        error => error.into(),
    })?;
    let (id, shown) = (text(updated, "id").to_owned(), updated.clone());
    keep(call, flows, Operation::Update, FLOWS.resource, &address(&id)).await?;
    accepted(&shown)
}

/// Takes a flow away that did not come with the realm.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete(call))).await
}

async fn try_delete(call: &Call) -> Answer {
    let mut flows = all(call).await?;
    flows.remove(call.part("flow"))?;
    keep(call, flows, Operation::Delete, FLOWS.resource, &address(call.part("flow"))).await?;
    done()
}

/// What steps of flows for people can be.
pub(super) async fn authenticators(_: Call) -> Answer {
    told(&providers(For::People))
}

/// What steps of flows for clients can be.
pub(super) async fn client_authenticators(_: Call) -> Answer {
    told(&providers(For::Clients))
}

/// Pages of the registration of people.
pub(super) async fn forms(_: Call) -> Answer {
    told(&providers(For::Form))
}

/// Parts of such pages.
pub(super) async fn form_actions(_: Call) -> Answer {
    told(&providers(For::FormAction))
}

fn providers(kind: For) -> Vec<Value> {
    let shown = |one: Provider| json!({ "id": one.id, "displayName": one.name, "description": one.name });
    Provider::of(kind).map(shown).collect()
}

/// The settings that steps of a kind have: this server does not know them, since it does not act on them.
pub(super) async fn config_description(call: Call) -> Answer {
    let id = call.part("provider");
    let provider = Provider::named(id);
    let provider = provider.ok_or_else(|| AdminError::not_found("Could not find authenticator provider"))?;
    told(&json!({ "name": provider.name, "providerId": id, "helpText": provider.name, "properties": [] }))
}

/// The settings that each kind of client authentication has of its own: none.
pub(super) async fn client_config_description(_: Call) -> Answer {
    let shown = Provider::of(For::Clients).map(|one| (one.id.to_owned(), json!([])));
    told(&shown.collect::<serde_json::Map<_, _>>())
}
