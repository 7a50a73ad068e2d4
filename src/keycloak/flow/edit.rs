//! Changes of flows.

use serde_json::{Value, json};

use super::super::Kept;
use super::{CONFIG, FlowError, Flows, STEPS, alias, member, sort, steps, text};

impl Flows {
    fn free(&self, name: &str) -> Result<(), FlowError> {
        if name.is_empty() {
            return Err(FlowError::Unnamed);
        }
        if self.named(name).is_some() { Err(FlowError::Taken) } else { Ok(()) }
    }

    pub(super) fn touch(&mut self, flow: usize) {
        if let Some(content) = self.flows.get_mut(flow) {
            sort(content);
            self.changed_flows.push(text(content, "id").to_owned());
        }
    }

    /// Adds a flow with what `content` says, under the identifier `id`.
    ///
    /// # Errors
    /// When its alias is missing or taken.
    pub fn add(&mut self, mut content: Kept, id: &str) -> Result<(), FlowError> {
        self.free(alias(&content))?;
        content.insert("id".to_owned(), id.into());
        content.insert("builtIn".to_owned(), false.into());
        for (name, value) in [
            ("description", json!("")),
            ("providerId", json!("basic-flow")),
            ("topLevel", json!(false)),
            (STEPS, json!([])),
        ] {
            content.entry(name).or_insert(value);
        }
        self.flows.push(content);
        self.touch(self.flows.len() - 1);
        Ok(())
    }

    /// Copies a flow with all that is in it under the alias `name`; identifiers come from `new_id`. Gives that of the copy.
    ///
    /// # Errors
    /// When there is no such flow, or one of the new names is taken.
    pub fn copy(
        &mut self,
        flow: &str,
        name: &str,
        new_id: &mut dyn FnMut() -> String,
    ) -> Result<String, FlowError> {
        let from = self.flow(flow).ok_or(FlowError::NoFlow)?.clone();
        let mut left = vec![(from, name.to_owned())];
        let mut first = None;
        while let Some((mut content, new)) = left.pop() {
            for step in content.get_mut(STEPS).and_then(Value::as_array_mut).into_iter().flatten() {
                let below = self.named(member(step, "flowAlias")).cloned();
                if let Some(below) = below {
                    let renamed = format!("{name} {}", alias(&below));
                    set(step, "flowAlias", renamed.clone().into());
                    left.push((below, renamed));
                }
                if let Some(mut config) = self.config_of(step).cloned() {
                    let renamed = format!("{name} {}", alias(&config));
                    set(step, CONFIG, renamed.clone().into());
                    config.insert("alias".to_owned(), renamed.into());
                    self.add_config(config, &new_id())?;
                }
            }
            content.insert("alias".to_owned(), new.into());
            let id = new_id();
            self.add(content, &id)?;
            first.get_or_insert(id);
        }
        first.ok_or(FlowError::NoFlow)
    }

    /// Changes the alias, the description and whatever else `new` says of a flow but its steps.
    ///
    /// # Errors
    /// When there is no such flow, or the alias is another's.
    pub fn update(&mut self, flow: &str, mut new: Kept) -> Result<&Kept, FlowError> {
        let at = self.position(flow).ok_or(FlowError::NoFlow)?;
        let old = self.flows.get(at).cloned().ok_or(FlowError::NoFlow)?;
        for fixed in ["id", "builtIn", STEPS] {
            new.remove(fixed);
        }
        let renamed = alias(&new).to_owned();
        if new.contains_key("alias") && renamed != alias(&old) {
            if is_built_in(&old) {
                return Err(FlowError::BuiltIn("A flow that came with the realm keeps its name: copy it"));
            }
            self.free(&renamed)?;
            self.rename(alias(&old), &renamed);
        }
        if let Some(content) = self.flows.get_mut(at) {
            content.extend(new);
        }
        self.touch(at);
        self.flows.get(at).ok_or(FlowError::NoFlow)
    }

    /// Steps that a flow stands in the place of follow its new alias.
    fn rename(&mut self, old: &str, new: &str) {
        for at in 0..self.flows.len() {
            let Some(content) = self.flows.get_mut(at) else { continue };
            let mut found = false;
            for step in content.get_mut(STEPS).and_then(Value::as_array_mut).into_iter().flatten() {
                if member(step, "flowAlias") == old {
                    set(step, "flowAlias", new.into());
                    found = true;
                }
            }
            if found {
                self.touch(at);
            }
        }
    }

    /// Takes a flow away with the flows in it and the settings of its steps.
    ///
    /// # Errors
    /// When there is none, or it came with the realm.
    pub fn remove(&mut self, flow: &str) -> Result<(), FlowError> {
        let content = self.flow(flow).ok_or(FlowError::NoFlow)?;
        if is_built_in(content) {
            return Err(FlowError::BuiltIn("Can't delete built in flow"));
        }
        let name = alias(content).to_owned();
        self.remove_all(vec![name]);
        Ok(())
    }

    /// Takes the flows of these names away, and what hangs on their steps.
    fn remove_all(&mut self, mut names: Vec<String>) {
        while let Some(name) = names.pop() {
            let is_it = |flow: &Kept| alias(flow) == name && !is_built_in(flow);
            let Some(at) = self.flows.iter().position(is_it) else { continue };
            let gone = self.flows.remove(at);
            self.removed_flows.push(text(&gone, "id").to_owned());
            for step in steps(&gone) {
                names.extend(self.forget_settings(step));
            }
        }
    }

    /// What hangs on a step goes with it.
    pub(super) fn forget(&mut self, step: &Value) {
        let below = self.forget_settings(step);
        self.remove_all(below.into_iter().collect());
    }

    /// Takes the settings of a step away; gives the flow in its place.
    fn forget_settings(&mut self, step: &Value) -> Option<String> {
        let config = member(step, CONFIG);
        let id = self.config_of(step).map(|one| text(one, "id").to_owned());
        if let Some(id) = id {
            self.configs.retain(|one| alias(one) != config);
            self.removed_configs.push(id);
        }
        Some(member(step, "flowAlias").to_owned()).filter(|below| !below.is_empty())
    }
}

pub(super) fn is_built_in(flow: &Kept) -> bool {
    flow.get("builtIn").and_then(Value::as_bool).unwrap_or(false)
}

pub(super) fn set(step: &mut Value, name: &str, value: Value) {
    if let Some(step) = step.as_object_mut() {
        step.insert(name.to_owned(), value);
    }
}
