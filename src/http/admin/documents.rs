//! Whole documents on which nothing acts yet: kept as they came, given back with their secrets masked.

use serde_json::Value;
use uuid::Uuid;

use super::answer::AdminError;
use super::call::{Call, Operation, is_identifier};
use crate::keycloak::document::DocumentKind;
use crate::keycloak::secret::redirected;
pub(super) use crate::keycloak::secret::{masked, unmask};
use crate::keycloak::{Kept, KeycloakRecord};
use crate::store::Change;

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
    pub(super) async fn make(&self, call: &Call, mut content: Kept) -> Result<KeycloakRecord, AdminError> {
        unmask(&mut content, &Kept::new());
        let id = text(&content, self.kind.id_member());
        // A required action is known by its alias.
        if !id.is_empty() && self.kind != DocumentKind::RequiredAction {
            is_identifier(id)?;
        }
        let mut id = || Uuid::new_v4().to_string();
        let made = self.kind.record(call.realm_id(), content, &|_, _| None, &mut id);
        match call.store().keycloak_record(call.realm_id(), self.kind.kind(), &made.id).await? {
            Some(_) => Err(AdminError::conflict(format!("The id {} is taken", made.id))),
            None => Ok(made),
        }
    }

    /// `old` with what `content` says, under the same identifier. Masks that come back stand for what was kept.
    ///
    /// # Errors
    /// 400 when a secret would go to another address by its mask.
    pub(super) fn change(
        &self,
        old: &KeycloakRecord,
        mut content: Kept,
    ) -> Result<KeycloakRecord, AdminError> {
        stays_put(&content, &old.content)?;
        unmask(&mut content, &old.content);
        content.insert(self.kind.id_member().to_owned(), old.id.clone().into());
        Ok(self.kind.record(&old.realm_id, content, &|_, _| None, &mut || old.id.clone()))
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

/// Whether the secrets for which masks stand go where they went before (attacks B07).
///
/// # Errors
/// 400 with the address that is another one.
pub(super) fn stays_put(content: &Kept, old: &Kept) -> Result<(), AdminError> {
    match redirected(content, old) {
        None => Ok(()),
        Some(address) => Err(AdminError::bad(format!(
            "{address} is another address than the one that the secret goes to: send the secret again, its mask does not stand for it there"
        ))),
    }
}

/// A text of a document.
pub(super) fn text<'a>(content: &'a Kept, name: &str) -> &'a str {
    content.get(name).and_then(Value::as_str).unwrap_or_default()
}
