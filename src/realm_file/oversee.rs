//! What `master` holds of every other realm: the client `{realm}-realm`, whose roles its administrators are given to look
//! after that realm alone.

use std::collections::BTreeSet;

use super::fresh;
use crate::clock::Timestamp;
use crate::protocol::built_in::{MASTER, fresh_overseer, overseer};
use crate::protocol::realm::Realm;
use crate::store::{Change, Page, Store, StoreError};

/// The changes that give `master` that client for the realm called `name`.
#[must_use]
pub fn oversight(master: &Realm, name: &str, at: Timestamp) -> Vec<Change> {
    let (client, roles, composites) = fresh_overseer(&master.id, name, &mut fresh::id);
    let mut changes = vec![Change::PutClient { client: Box::new(client), at }];
    changes.extend(roles.into_iter().map(Change::PutRole));
    changes.extend(composites.into_iter().map(|(role_id, child_id)| {
        let realm_id = master.id.clone();
        Change::AddComposite { realm_id, role_id, child_id }
    }));
    changes
}

/// Gives `master`, if it is there, what it lacks of the realms that are.
///
/// # Errors
/// [`StoreError`].
pub async fn oversee(store: &Store, at: Timestamp) -> Result<(), StoreError> {
    let realms = store.realms().await?;
    let Some(master) = realms.iter().find(|realm| realm.name == MASTER) else { return Ok(()) };
    let there = store.clients(&master.id, &overseer(""), Page::ALL).await?;
    let there: BTreeSet<&str> = there.iter().map(|client| client.client_id.as_str()).collect();
    let lacking = realms.iter().filter(|realm| !there.contains(overseer(&realm.name).as_str()));
    for realm in lacking {
        match store.commit(oversight(master, &realm.name, at)).await {
            // Another node was quicker.
            Ok(()) | Err(StoreError::Conflict { what: "client" }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
