//! Changes of the steps of flows.

use serde_json::{Value, json};

use super::super::Kept;
use super::edit::{is_built_in, set};
use super::provider::Provider;
use super::{FlowError, Flows, Place, STEPS, alias, member, priority, steps, text};

/// The requirements that there are.
const REQUIREMENTS: [&str; 4] = ["REQUIRED", "ALTERNATIVE", "DISABLED", "CONDITIONAL"];

/// Whether what came with the realm may be changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BuiltIn {
    Stays(&'static str),
    Changes,
}

impl Flows {
    fn parent(&self, flow: &str, built_in: &'static str) -> Result<usize, FlowError> {
        let at = self.position(flow).ok_or(FlowError::NoParent)?;
        match self.flows.get(at) {
            Some(content) if is_built_in(content) => Err(FlowError::BuiltIn(built_in)),
            _ => Ok(at),
        }
    }

    fn push(&mut self, at: usize, mut step: Value, wanted: Option<i64>) -> Result<String, FlowError> {
        let flow = self.flows.get_mut(at).ok_or(FlowError::NoParent)?;
        let next = steps(flow).last().map_or(0, |last| priority(last) + 1);
        set(&mut step, "priority", wanted.unwrap_or(next).into());
        let marker = step.clone();
        match flow.entry(STEPS).or_insert_with(|| json!([])).as_array_mut() {
            Some(steps) => steps.push(step),
            None => return Err(FlowError::NoParent),
        }
        self.touch(at);
        let flow = self.flows.get(at).ok_or(FlowError::NoParent)?;
        let place = steps(flow).iter().rposition(|step| *step == marker).ok_or(FlowError::NoStep)?;
        self.identifiers(flow).get(place).cloned().ok_or(FlowError::NoStep)
    }

    /// Adds the step `provider` to a flow, at the end unless `priority` says where; gives its identifier.
    ///
    /// # Errors
    /// When there is no such flow, or it came with the realm.
    pub fn add_step(
        &mut self,
        flow: &str,
        provider: &str,
        priority: Option<i64>,
    ) -> Result<String, FlowError> {
        let at = self.parent(flow, "It is illegal to add execution to a built in flow")?;
        if provider.is_empty() {
            return Err(FlowError::Unnamed);
        }
        let only = Provider::named(provider).filter(|one| one.choices.len() == 1);
        let requirement = only.and_then(|one| one.choices.first()).unwrap_or(&"DISABLED");
        let step = json!({
            "authenticator": provider,
            "authenticatorFlow": false,
            "autheticatorFlow": false,
            "requirement": requirement,
            "userSetupAllowed": false,
        });
        self.push(at, step, priority)
    }

    /// Adds a flow in a step's place, which `content` (alias, type, provider, description) speaks of, under `id`.
    ///
    /// # Errors
    /// When there is no such parent, it came with the realm, or the alias is missing or taken.
    pub fn add_flow(
        &mut self,
        parent: &str,
        content: &Kept,
        priority: Option<i64>,
        id: &str,
    ) -> Result<(), FlowError> {
        let at = self.parent(parent, "It is illegal to add sub-flow to a built in flow")?;
        let kind = Some(text(content, "type")).filter(|kind| !kind.is_empty()).unwrap_or("basic-flow");
        let flow = json!({
            "alias": alias(content),
            "description": text(content, "description"),
            "providerId": kind,
            "topLevel": false,
        });
        self.add(flow.as_object().cloned().unwrap_or_default(), id)?;
        let mut step = json!({
            "authenticatorFlow": true,
            "autheticatorFlow": true,
            "flowAlias": alias(content),
            "requirement": "DISABLED",
            "userSetupAllowed": false,
        });
        if kind == "form-flow" {
            set(&mut step, "authenticator", text(content, "provider").into());
        }
        self.push(at, step, priority)?;
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        id: &str,
        built_in: BuiltIn,
        change: impl FnOnce(&mut Value),
    ) -> Result<Place, FlowError> {
        let place = self.place(id)?;
        let flow = self.flows.get_mut(place.flow).ok_or(FlowError::NoStep)?;
        if let (BuiltIn::Stays(why), true) = (built_in, is_built_in(flow)) {
            return Err(FlowError::BuiltIn(why));
        }
        let steps = flow.get_mut(STEPS).and_then(Value::as_array_mut).ok_or(FlowError::NoStep)?;
        change(steps.get_mut(place.step).ok_or(FlowError::NoStep)?);
        self.touch(place.flow);
        Ok(place)
    }

    /// Changes the requirement and the priority of a step, and of a flow in its place the alias and the description.
    ///
    /// # Errors
    /// When there is no such step, the requirement is none, or the alias is another's.
    pub fn update_step(&mut self, info: &Kept) -> Result<(), FlowError> {
        let id = text(info, "id");
        let (place, requirement) = (self.place(id)?, text(info, "requirement"));
        if !requirement.is_empty() && !REQUIREMENTS.contains(&requirement) {
            return Err(FlowError::Requirement);
        }
        let below =
            self.step(place).map(|(_, step)| member(step, "flowAlias").to_owned()).unwrap_or_default();
        self.change(id, BuiltIn::Changes, |step| {
            if !requirement.is_empty() {
                set(step, "requirement", requirement.into());
            }
            if let Some(wanted) = info.get("priority").and_then(Value::as_i64) {
                set(step, "priority", wanted.into());
            }
        })?;
        if below.is_empty() || info.get("displayName").is_none() {
            return Ok(());
        }
        let mut new = Kept::new();
        new.insert("alias".to_owned(), text(info, "displayName").into());
        if let Some(description) = info.get("description").filter(|value| value.is_string()) {
            new.insert("description".to_owned(), description.clone());
        }
        self.update(&below, new).map(|_| ())
    }

    /// Moves a step one place, `up` or down.
    ///
    /// # Errors
    /// When there is no such step, or its flow came with the realm.
    pub fn move_step(&mut self, id: &str, up: bool) -> Result<(), FlowError> {
        let fixed = BuiltIn::Stays("It is illegal to modify execution in a built in flow");
        let place = self.change(id, fixed, |_| {})?;
        let other = if up { place.step.checked_sub(1) } else { Some(place.step + 1) };
        let flow = self.flows.get_mut(place.flow).ok_or(FlowError::NoStep)?;
        let steps = flow.get_mut(STEPS).and_then(Value::as_array_mut).ok_or(FlowError::NoStep)?;
        let Some(other) = other.filter(|other| *other < steps.len()) else { return Ok(()) };
        steps.swap(place.step, other);
        // The places keep their priorities, whatever stands in them; of two alike the order would not say which is first.
        let mut least = i64::MIN;
        let mut priorities: Vec<i64> = steps.iter().map(priority).collect();
        priorities.sort_unstable();
        for (step, wanted) in steps.iter_mut().zip(priorities) {
            least = wanted.max(least.saturating_add(1));
            set(step, "priority", least.into());
        }
        self.touch(place.flow);
        Ok(())
    }

    /// Takes a step away with what hangs on it.
    ///
    /// # Errors
    /// When there is none, or its flow came with the realm.
    pub fn remove_step(&mut self, id: &str) -> Result<(), FlowError> {
        let fixed = BuiltIn::Stays("It is illegal to remove execution from a built in flow");
        let place = self.change(id, fixed, |_| {})?;
        let flow = self.flows.get_mut(place.flow).ok_or(FlowError::NoStep)?;
        let steps = flow.get_mut(STEPS).and_then(Value::as_array_mut).ok_or(FlowError::NoStep)?;
        let gone = steps.remove(place.step);
        self.forget(&gone);
        Ok(())
    }
}
