//! Whole documents on which nothing acts yet: kept as they came, given back with their secrets masked.

use serde_json::Value;
use uuid::Uuid;

use super::answer::AdminError;
use super::call::{Call, Operation};
use crate::keycloak::client::MASK;
use crate::keycloak::document::DocumentKind;
use crate::keycloak::{Kept, KeycloakRecord};
use crate::store::Change;

/// Settings that hold a secret (attacks A06).
const SECRETS: [&str; 9] = [
    "clientSecret",
    "secret",
    "privateKey",
    "bindCredential",
    "keystorePassword",
    "keyPassword",
    "password",
    "aesSecret",
    "hmacSecret",
];

/// A kind of documents, and what Keycloak calls it.
pub(super) struct Shelf {
    pub(super) kind: DocumentKind,
    /// `IDENTITY_PROVIDER`, among the events.
    pub(super) resource: &'static str,
    /// What is said when there is none.
    pub(super) missing: &'static str,
}

impl Shelf {
    /// All of them, by name.
    pub(super) async fn all(&self, call: &Call) -> Result<Vec<KeycloakRecord>, AdminError> {
        Ok(call.store().keycloak_records_of_kind(call.realm_id(), self.kind.kind()).await?)
    }

    /// The one with this identifier or, where names are unique, this name.
    pub(super) async fn named(&self, call: &Call, name: &str) -> Result<KeycloakRecord, AdminError> {
        let found = self.all(call).await?.into_iter().find(|record| record.name == name || record.id == name);
        found.ok_or_else(|| AdminError::not_found(self.missing))
    }

    /// The one with this identifier.
    pub(super) async fn of_id(&self, call: &Call, id: &str) -> Result<KeycloakRecord, AdminError> {
        let found = call.store().keycloak_record(call.realm_id(), self.kind.kind(), id).await?;
        found.ok_or_else(|| AdminError::not_found(self.missing))
    }

    /// A new one, which gets an identifier when it has none. One that is there already is not replaced.
    pub(super) async fn make(&self, call: &Call, content: Kept) -> Result<KeycloakRecord, AdminError> {
        let mut id = || Uuid::new_v4().to_string();
        let made = self.kind.record(call.realm_id(), content, &|_, _| None, &mut id);
        match call.store().keycloak_record(call.realm_id(), self.kind.kind(), &made.id).await? {
            Some(_) => Err(AdminError::conflict(format!("The id {} is taken", made.id))),
            None => Ok(made),
        }
    }

    /// `old` with what `content` says, under the same identifier. Masks that come back stand for what was kept.
    pub(super) fn change(&self, old: &KeycloakRecord, mut content: Kept) -> KeycloakRecord {
        unmask(&mut content, &old.content);
        content.insert(self.kind.id_member().to_owned(), old.id.clone().into());
        self.kind.record(&old.realm_id, content, &|_, _| None, &mut || old.id.clone())
    }

    /// Keeps it, unless somebody changed the realm meanwhile: names are looked at before.
    pub(super) async fn put(
        &self,
        call: &Call,
        record: KeycloakRecord,
        operation: Operation,
        path: &str,
    ) -> Result<(), AdminError> {
        let settled = Change::Reconfigure { realm_id: call.realm_id().to_owned() };
        let changes = vec![call.unmoved(), Change::PutKeycloakRecord(record), settled];
        Ok(call.commit(changes, operation, self.resource, path).await?)
    }

    /// Takes it away.
    pub(super) async fn remove(&self, call: &Call, id: &str, path: &str) -> Result<(), AdminError> {
        Ok(call.commit(vec![self.gone(call, id)], Operation::Delete, self.resource, path).await?)
    }

    /// The change that takes it away.
    pub(super) fn gone(&self, call: &Call, id: &str) -> Change {
        let (realm_id, kind) = (call.realm_id().to_owned(), self.kind.kind().to_owned());
        Change::DeleteKeycloakRecord { realm_id, kind, id: id.to_owned() }
    }
}

/// What answers show of a document.
pub(super) fn masked(mut content: Kept) -> Kept {
    if let Some(config) = content.get_mut("config").and_then(Value::as_object_mut) {
        for name in SECRETS {
            match config.get_mut(name) {
                Some(Value::Array(values)) => values.iter_mut().for_each(|value| *value = MASK.into()),
                Some(value) if !is_reference(value) => *value = MASK.into(),
                _ => {}
            }
        }
    }
    content
}

/// Where a secret is, and not what: `${vault.name}`.
fn is_reference(value: &Value) -> bool {
    value.as_str().is_none_or(|text| text.is_empty() || text.starts_with("${"))
}

/// Puts back what a mask stands for.
pub(super) fn unmask(content: &mut Kept, old: &Kept) {
    let Some(config) = content.get_mut("config").and_then(Value::as_object_mut) else { return };
    for name in SECRETS {
        let Some(value) = config.get_mut(name) else { continue };
        let is_mask = |value: &Value| value == MASK;
        if (is_mask(value) || value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_mask)))
            && let Some(kept) = old.get("config").and_then(|config| config.get(name))
        {
            *value = kept.clone();
        }
    }
}

/// A text of a document.
pub(super) fn text<'a>(content: &'a Kept, name: &str) -> &'a str {
    content.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(value: Value) -> Kept {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a06_secrets_are_masked_and_a_mask_that_comes_back_takes_nothing_away() {
        for (row, config, shown) in [
            ("a text", json!({ "clientSecret": "canary" }), json!({ "clientSecret": MASK })),
            ("a list", json!({ "privateKey": ["canary"] }), json!({ "privateKey": [MASK] })),
            ("a reference", json!({ "clientSecret": "${vault.x}" }), json!({ "clientSecret": "${vault.x}" })),
            ("another", json!({ "clientId": "x" }), json!({ "clientId": "x" })),
        ] {
            let old = kept(json!({ "config": config }));
            let mut new = masked(old.clone());
            assert_eq!(new.get("config"), Some(&shown), "{row}");
            unmask(&mut new, &old);
            assert_eq!(new, old, "{row}");
        }
        let mut new = kept(json!({ "config": { "clientSecret": "new" } }));
        unmask(&mut new, &kept(json!({ "config": { "clientSecret": "old" } })));
        assert_eq!(new, kept(json!({ "config": { "clientSecret": "new" } })));
    }
}
