//! Authentication flows: their steps, the flows in place of steps, and the settings of steps, as Keycloak has them. Nothing
//! here acts on them.
//!
//! Owns what a fresh realm has and every change, as pure functions of documents. In a document a step
//! has no identifier, so that a realm file is one that Keycloak reads too: its identifier is made of the flow it is in and
//! of what it is.

mod edit;
mod fresh;
pub mod provider;
mod settings;
mod step;

use serde_json::{Value, json};

use super::Kept;
use super::mapper::named_identifier;
use provider::Provider;

/// The member of a flow that holds its steps.
const STEPS: &str = "authenticationExecutions";
/// The member of a step that names its settings.
const CONFIG: &str = "authenticatorConfig";
/// How deep flows may be in each other, and how many steps one listing has: a file may put a flow into itself.
const DEEPEST: usize = 16;
const MOST_STEPS: usize = 1_000;

/// Why a change was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowError {
    /// There is no such flow.
    NoFlow,
    /// There is no such flow to put a step into.
    NoParent,
    /// There is no such step.
    NoStep,
    /// There are no such settings.
    NoConfig,
    /// What came with the realm keeps its steps.
    BuiltIn(&'static str),
    /// The name is another's.
    Taken,
    /// The name is missing.
    Unnamed,
    /// The requirement is none.
    Requirement,
}

/// The flows of a realm, and the settings of their steps; and which of them were changed.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    flows: Vec<Kept>,
    configs: Vec<Kept>,
    /// What to keep of flows, by identifier.
    pub changed_flows: Vec<String>,
    /// What to keep of settings, by identifier.
    pub changed_configs: Vec<String>,
    /// Flows that go.
    pub removed_flows: Vec<String>,
    /// Settings that go.
    pub removed_configs: Vec<String>,
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    flow: usize,
    step: usize,
}

impl Flows {
    /// Those that are kept of the realm, and of a fresh realm's the ones that they do not replace.
    #[must_use]
    pub fn new(realm_id: &str, kept: Vec<Kept>, configs: Vec<Kept>) -> Self {
        let missing = |fresh: &Kept, kept: &[Kept]| !kept.iter().any(|one| alias(one) == alias(fresh));
        let mut all = fresh::flows(realm_id);
        all.retain(|flow| missing(flow, &kept));
        all.extend(kept);
        let mut settings = fresh::configs(realm_id);
        settings.retain(|config| missing(config, &configs));
        settings.extend(configs);
        for flow in &mut all {
            sort(flow);
        }
        Self { flows: all, configs: settings, ..Self::default() }
    }

    /// The flows that are no part of another.
    pub fn top(&self) -> impl Iterator<Item = &Kept> {
        self.flows.iter().filter(|flow| flow.get("topLevel").and_then(Value::as_bool).unwrap_or(true))
    }

    /// The flow with this identifier or alias.
    #[must_use]
    pub fn flow(&self, name: &str) -> Option<&Kept> {
        self.flows.iter().find(|flow| text(flow, "id") == name || alias(flow) == name)
    }

    /// The settings with this identifier.
    #[must_use]
    pub fn config(&self, id: &str) -> Option<&Kept> {
        self.configs.iter().find(|config| text(config, "id") == id)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.flows.iter().position(|flow| text(flow, "id") == name || alias(flow) == name)
    }

    fn named(&self, alias_: &str) -> Option<&Kept> {
        self.flows.iter().find(|flow| alias(flow) == alias_)
    }

    /// The identifiers of a flow's steps, in their order.
    fn identifiers(&self, flow: &Kept) -> Vec<String> {
        let mut seen: Vec<&str> = Vec::new();
        let mut ids = Vec::new();
        for step in steps(flow) {
            // A flow in a step's place may get another name: its identifier stays.
            let what = match self.named(member(step, "flowAlias")) {
                Some(flow) => text(flow, "id"),
                None => member(step, "authenticator"),
            };
            let twin = seen.iter().filter(|other| **other == what).count();
            seen.push(what);
            ids.push(named_identifier(text(flow, "id"), &format!("{twin} {what}")));
        }
        ids
    }

    fn place(&self, id: &str) -> Result<Place, FlowError> {
        let found = self.flows.iter().enumerate().find_map(|(flow, content)| {
            let step = self.identifiers(content).iter().position(|one| one == id)?;
            Some(Place { flow, step })
        });
        found.ok_or(FlowError::NoStep)
    }

    fn step(&self, place: Place) -> Option<(&Kept, &Value)> {
        let flow = self.flows.get(place.flow)?;
        Some((flow, steps(flow).get(place.step)?))
    }

    fn config_of(&self, step: &Value) -> Option<&Kept> {
        let name = member(step, CONFIG);
        self.configs.iter().find(|config| !name.is_empty() && alias(config) == name)
    }

    /// One step, by its identifier.
    ///
    /// # Errors
    /// When there is none.
    pub fn execution(&self, id: &str) -> Result<Value, FlowError> {
        let place = self.place(id)?;
        let (flow, step) = self.step(place).ok_or(FlowError::NoStep)?;
        let below = self.named(member(step, "flowAlias"));
        Ok(json!({
            "id": id,
            "authenticator": step.get("authenticator"),
            "authenticatorConfig": self.config_of(step).map(|config| text(config, "id")),
            "authenticatorFlow": below.is_some(),
            "flowId": below.map(|flow| text(flow, "id")),
            "parentFlow": text(flow, "id"),
            "priority": priority(step),
            "requirement": member(step, "requirement"),
        }))
    }

    /// The steps of a flow and of the flows in it, each with its depth, as they come.
    ///
    /// # Errors
    /// When there is no such flow.
    pub fn executions(&self, name: &str) -> Result<Vec<Value>, FlowError> {
        let flow = self.flow(name).ok_or(FlowError::NoFlow)?;
        let mut shown = Vec::new();
        self.list(flow, 0, &mut shown);
        Ok(shown)
    }

    fn list(&self, flow: &Kept, level: usize, shown: &mut Vec<Value>) {
        for (index, (step, id)) in steps(flow).iter().zip(self.identifiers(flow)).enumerate() {
            if shown.len() >= MOST_STEPS {
                return;
            }
            let place = json!({
                "id": id,
                "requirement": member(step, "requirement"),
                "level": level,
                "index": index,
                "priority": priority(step),
            });
            match self.named(member(step, "flowAlias")) {
                Some(below) if level < DEEPEST => {
                    shown.push(joined(place, shown_flow(below, step)));
                    self.list(below, level + 1, shown);
                }
                _ => shown.push(joined(place, self.shown_step(step))),
            }
        }
    }

    fn shown_step(&self, step: &Value) -> Value {
        let id = member(step, "authenticator");
        let provider = Provider::named(id);
        let mut shown = json!({
            "displayName": provider.map_or(id, |provider| provider.name),
            "requirementChoices": provider.map_or(provider::ANY, |provider| provider.choices),
            "configurable": provider.is_none_or(|provider| provider.configurable),
            "providerId": id,
        });
        if let (Some(config), Some(shown)) = (self.config_of(step), shown.as_object_mut()) {
            shown.insert("alias".to_owned(), alias(config).into());
            shown.insert("authenticationConfig".to_owned(), text(config, "id").into());
        }
        shown
    }
}

fn shown_flow(flow: &Kept, step: &Value) -> Value {
    let mut shown = json!({
        "displayName": alias(flow),
        "description": text(flow, "description"),
        "requirementChoices": provider::choices_of_flow(text(flow, "providerId")),
        "configurable": false,
        "authenticationFlow": true,
        "flowId": text(flow, "id"),
    });
    if let (Some(provider), Some(shown)) = (step.get("authenticator"), shown.as_object_mut()) {
        shown.insert("providerId".to_owned(), provider.clone());
    }
    shown
}

/// The members of both.
fn joined(mut one: Value, other: Value) -> Value {
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    one
}

fn steps(flow: &Kept) -> &[Value] {
    flow.get(STEPS).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn priority(step: &Value) -> i64 {
    step.get("priority").and_then(Value::as_i64).unwrap_or_default()
}

/// Puts the steps of a flow into the order of their priorities.
fn sort(flow: &mut Kept) {
    if let Some(steps) = flow.get_mut(STEPS).and_then(Value::as_array_mut) {
        steps.sort_by_key(priority);
    }
}

fn alias(content: &Kept) -> &str {
    text(content, "alias")
}

fn text<'a>(content: &'a Kept, name: &str) -> &'a str {
    content.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn member<'a>(step: &'a Value, name: &str) -> &'a str {
    step.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
#[path = "flow/tests.rs"]
mod tests;
