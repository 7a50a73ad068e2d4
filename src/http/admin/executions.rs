//! Steps of authentication flows, and their settings.

use serde_json::Value;
use uuid::Uuid;

use super::answer::{AdminError, Answer, accepted, done, told};
use super::call::{Call, Operation};
use super::documents::{masked, stays_put, text, unmask};
use super::flows::{CONFIGS, all, keep};
use crate::keycloak::Kept;
use crate::keycloak::flow::{FlowError, Flows};

const RESOURCE: &str = "AUTH_EXECUTION";

/// The steps of a flow and of the flows in it.
pub(super) async fn list(call: Call) -> Answer {
    told(&all(&call).await?.executions(call.part("flow"))?)
}

/// Changes the step that the body names.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let mut flows = all(call).await?;
    let flow = flows.flow(call.part("flow")).ok_or(FlowError::NoFlow)?.clone();
    flows.update_step(&body)?;
    let path = format!("authentication/flows/{}/executions", text(&flow, "alias"));
    keep(call, flows, Operation::Update, RESOURCE, &path).await?;
    accepted(&flow)
}

/// Adds a step to a flow.
pub(super) async fn add_step(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_add_step(call))).await
}

async fn try_add_step(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let mut flows = all(call).await?;
    let id = flows.add_step(call.part("flow"), text(&body, "provider"), priority(&body))?;
    added(call, flows, &id).await
}

fn priority(body: &Kept) -> Option<i64> {
    body.get("priority").and_then(Value::as_i64)
}

async fn added(call: &Call, flows: Flows, id: &str) -> Answer {
    keep(call, flows, Operation::Create, RESOURCE, &format!("authentication/executions/{id}")).await?;
    call.created(&["authentication", "executions", id])
}

/// Adds the step that the body describes to the flow that it names.
pub(super) async fn create(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_create(call))).await
}

async fn try_create(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let mut flows = all(call).await?;
    let parent = text(&body, "parentFlow");
    if parent.is_empty() {
        return Err(AdminError::bad("parent flow not set on new execution"));
    }
    let id = flows.add_step(parent, text(&body, "authenticator"), priority(&body))?;
    let mut step = Kept::new();
    step.insert("id".to_owned(), id.clone().into());
    step.extend(body.get("requirement").map(|value| ("requirement".to_owned(), value.clone())));
    flows.update_step(&step)?;
    added(call, flows, &id).await
}

/// Adds a flow in a step's place.
pub(super) async fn add_flow(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_add_flow(call))).await
}

async fn try_add_flow(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let mut flows = all(call).await?;
    let id = Uuid::new_v4().to_string();
    flows.add_flow(call.part("flow"), &body, priority(&body), &id).map_err(|error| match error {
        FlowError::Taken => AdminError::conflict("New flow alias name already exists"),
        error => error.into(),
    })?;
    let path = format!("authentication/flows/{id}");
    keep(call, flows, Operation::Create, "AUTH_EXECUTION_FLOW", &path).await?;
    call.created(&["authentication", "flows", &id])
}

/// One step.
pub(super) async fn read(call: Call) -> Answer {
    told(&all(&call).await?.execution(call.part("execution"))?)
}

/// Takes a step away.
pub(super) async fn delete(call: Call) -> Answer {
    call.repeated(|call| Box::pin(changed(call, Operation::Delete, Flows::remove_step))).await
}

/// Moves a step before the one above it.
pub(super) async fn raise(call: Call) -> Answer {
    call.repeated(|call| Box::pin(changed(call, Operation::Update, |flows, id| flows.move_step(id, true))))
        .await
}

/// Moves a step behind the one below it.
pub(super) async fn lower(call: Call) -> Answer {
    call.repeated(|call| Box::pin(changed(call, Operation::Update, |flows, id| flows.move_step(id, false))))
        .await
}

async fn changed(
    call: &Call,
    operation: Operation,
    change: fn(&mut Flows, &str) -> Result<(), FlowError>,
) -> Answer {
    let id = call.part("execution");
    let mut flows = all(call).await?;
    change(&mut flows, id)?;
    keep(call, flows, operation, RESOURCE, &format!("authentication/executions/{id}")).await?;
    done()
}

/// Gives a step settings of its own.
pub(super) async fn configure(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_configure(call))).await
}

async fn try_configure(call: &Call) -> Answer {
    let body: Kept = call.server.json()?;
    let (step, id) = (call.part("execution"), Uuid::new_v4().to_string());
    let alias = text(&body, "alias").to_owned();
    let mut flows = all(call).await?;
    flows.configure(step, body, &id).map_err(|error| match error {
        FlowError::Unnamed => AdminError::bad("Alias missing"),
        FlowError::Taken => AdminError::conflict(format!("Authenticator config {alias} already exists")),
        error => error.into(),
    })?;
    let path = format!("authentication/executions/{step}/config");
    keep(call, flows, Operation::Create, CONFIGS.resource, &path).await?;
    call.created(&["authentication", "executions", step, "config", &id])
}

/// The settings of a step.
pub(super) async fn read_config(call: Call) -> Answer {
    let flows = all(&call).await?;
    let config = flows.config(call.part("config")).ok_or(FlowError::NoConfig)?;
    told(&masked(config.clone()))
}

/// Changes settings of a step.
pub(super) async fn update_config(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update_config(call))).await
}

async fn try_update_config(call: &Call) -> Answer {
    let (id, mut body) = (call.part("config"), call.server.json::<Kept>()?);
    let mut flows = all(call).await?;
    let old = flows.config(id).ok_or(FlowError::NoConfig)?;
    stays_put(&body, old)?;
    unmask(&mut body, old);
    flows.update_config(id, body)?;
    keep(call, flows, Operation::Update, CONFIGS.resource, &format!("authentication/config/{id}")).await?;
    done()
}

/// Takes settings of a step away.
pub(super) async fn delete_config(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_delete_config(call))).await
}

async fn try_delete_config(call: &Call) -> Answer {
    let id = call.part("config");
    let mut flows = all(call).await?;
    flows.remove_config(id)?;
    keep(call, flows, Operation::Delete, CONFIGS.resource, &format!("authentication/config/{id}")).await?;
    done()
}
