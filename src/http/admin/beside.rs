//! What representations say beyond the records of this server: read with the record, written with it.

use super::answer::AdminError;
use super::call::{Call, Operation};
use crate::keycloak::{Beside, Kept, overlay, secret};
use crate::store::Change;

/// What is kept beside a record.
pub(super) async fn kept(call: &Call, beside: Beside, id: &str) -> Result<Kept, AdminError> {
    let record = call.store().keycloak_record(call.realm_id(), beside.kind(), id).await?;
    Ok(record.map(|record| record.content).unwrap_or_default())
}

/// What is kept beside a record as answers show it: with masks for secrets (attacks A06).
pub(super) async fn shown(call: &Call, beside: Beside, id: &str) -> Result<Kept, AdminError> {
    Ok(secret::masked(kept(call, beside, id).await?))
}

/// The change that keeps `new` beside a record, laid over what was kept; none when nothing was and nothing is. Masks
/// stand for what was kept.
pub(super) async fn keep(
    call: &Call,
    beside: Beside,
    id: &str,
    mut new: Kept,
) -> Result<Option<Change>, AdminError> {
    let old = kept(call, beside, id).await?;
    secret::unmask(&mut new, &old);
    let mut all = old.clone();
    overlay(&mut all, new);
    Ok(replace(call.realm_id(), beside, id, &old, all))
}

/// The change that keeps `new` beside a new record; none when nothing is. A mask or a null stands for nothing.
pub(super) fn begin(realm_id: &str, beside: Beside, id: &str, mut new: Kept) -> Option<Change> {
    let nothing = Kept::new();
    secret::unmask(&mut new, &nothing);
    let mut all = Kept::new();
    overlay(&mut all, new);
    replace(realm_id, beside, id, &nothing, all)
}

/// The change from what was kept beside a record to `new`.
pub(super) fn replace(realm_id: &str, beside: Beside, id: &str, old: &Kept, new: Kept) -> Option<Change> {
    if *old == new {
        None
    } else if new.is_empty() {
        let (realm_id, kind, id) = (realm_id.to_owned(), beside.kind().to_owned(), id.to_owned());
        Some(Change::DeleteKeycloakRecord { realm_id, kind, id })
    } else {
        Some(Change::PutKeycloakRecord(beside.record(realm_id, id, new)))
    }
}

/// Changes what is kept beside the realm, unless somebody changed the realm meanwhile.
pub(super) async fn change_realm(
    call: &Call,
    change: impl FnOnce(&mut Kept) -> Result<(), AdminError>,
    operation: Operation,
    resource: &str,
    path: &str,
) -> Result<(), AdminError> {
    let id = call.realm_id();
    let old = kept(call, Beside::Realm, id).await?;
    let mut new = old.clone();
    change(&mut new)?;
    let mut changes = vec![call.unmoved()];
    changes.extend(replace(id, Beside::Realm, id, &old, new));
    changes.push(Change::Reconfigure { realm_id: id.to_owned() });
    Ok(call.commit(changes, operation, resource, path).await?)
}
