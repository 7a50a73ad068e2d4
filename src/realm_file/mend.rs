//! What a database from before lacks of what a new one has.

use crate::clock::Timestamp;
use crate::protocol::built_in::{ADMIN_CLI, MASTER, is_unable, programs};
use crate::store::{Change, Store, StoreError};

/// Gives `admin-cli` of every realm the grants that a new one has, where it is from before it had any. One whose grants an
/// administrator took away stays as it is. Realms are as old as `master` or younger, so that its own comes last and says
/// that the others are done.
///
/// # Errors
/// [`StoreError`].
pub async fn mend(store: &Store, at: Timestamp) -> Result<(), StoreError> {
    let Some(master) = store.realm_by_name(MASTER).await? else { return Ok(()) };
    let own = store.client_by_client_id(&master.id, ADMIN_CLI).await?;
    let Some(own) = own.filter(is_unable) else { return Ok(()) };
    let mut changes = Vec::new();
    for realm in store.realms().await?.into_iter().filter(|realm| realm.id != master.id) {
        let there = store.client_by_client_id(&realm.id, ADMIN_CLI).await?;
        changes.extend(there.filter(is_unable));
    }
    changes.push(own);
    for client in changes {
        store.commit(vec![Change::PutClient { client: Box::new(programs(client)), at }]).await?;
    }
    Ok(())
}
