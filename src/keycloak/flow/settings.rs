//! Changes of the settings of steps. A step has them by their alias, as in realm files.

use serde_json::Value;

use super::super::Kept;
use super::edit::set;
use super::step::BuiltIn;
use super::{CONFIG, FlowError, Flows, STEPS, alias, member, text};

impl Flows {
    pub(super) fn add_config(&mut self, mut config: Kept, id: &str) -> Result<(), FlowError> {
        if alias(&config).is_empty() {
            return Err(FlowError::Unnamed);
        }
        if self.configs.iter().any(|one| alias(one) == alias(&config)) {
            return Err(FlowError::Taken);
        }
        config.insert("id".to_owned(), id.into());
        self.configs.push(config);
        self.changed_configs.push(id.to_owned());
        Ok(())
    }

    /// Gives a step settings of its own, under `id`.
    ///
    /// # Errors
    /// When there is no such step, or the alias is missing or taken.
    pub fn configure(&mut self, step: &str, config: Kept, id: &str) -> Result<(), FlowError> {
        self.place(step)?;
        let name = alias(&config).to_owned();
        self.add_config(config, id)?;
        self.change(step, BuiltIn::Changes, |step| set(step, CONFIG, name.into())).map(|_| ())
    }

    /// Changes settings. Steps follow a new alias.
    ///
    /// # Errors
    /// When there are none with this identifier, or the alias is another's.
    pub fn update_config(&mut self, id: &str, new: Kept) -> Result<(), FlowError> {
        let at = self.configs.iter().position(|one| text(one, "id") == id).ok_or(FlowError::NoConfig)?;
        let old = self.configs.get(at).map(|one| alias(one).to_owned()).unwrap_or_default();
        let renamed = Some(alias(&new).to_owned()).filter(|name| !name.is_empty() && *name != old);
        if let Some(name) = renamed {
            if self.configs.iter().any(|one| alias(one) == name) {
                return Err(FlowError::Taken);
            }
            self.relink(&old, Some(&name));
        }
        if let Some(config) = self.configs.get_mut(at) {
            config.extend(new);
            config.insert("id".to_owned(), id.into());
        }
        self.changed_configs.push(id.to_owned());
        Ok(())
    }

    /// Takes settings away.
    ///
    /// # Errors
    /// When there are none with this identifier.
    pub fn remove_config(&mut self, id: &str) -> Result<(), FlowError> {
        let name = self.config(id).map(|config| alias(config).to_owned()).ok_or(FlowError::NoConfig)?;
        self.configs.retain(|config| text(config, "id") != id);
        self.removed_configs.push(id.to_owned());
        self.relink(&name, None);
        Ok(())
    }

    /// Steps with the settings `old` have `new` in their place.
    fn relink(&mut self, old: &str, new: Option<&str>) {
        for at in 0..self.flows.len() {
            let Some(content) = self.flows.get_mut(at) else { continue };
            let mut found = false;
            for step in content.get_mut(STEPS).and_then(Value::as_array_mut).into_iter().flatten() {
                if member(step, CONFIG) != old {
                    continue;
                }
                found = true;
                match (new, step.as_object_mut()) {
                    (Some(new), _) => set(step, CONFIG, new.into()),
                    (None, Some(step)) => drop(step.remove(CONFIG)),
                    (None, None) => {}
                }
            }
            if found {
                self.touch(at);
            }
        }
    }
}
