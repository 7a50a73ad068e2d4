//! Realms as administrators see and change them.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::beside;
use super::call::{Call, Operation, ServerCall};
use super::documents::stays_put;
use crate::keycloak::realm::{from_representation, to_representation};
use crate::keycloak::record::ATTRIBUTES;
use crate::keycloak::representation::RealmRepresentation;
use crate::keycloak::role::brief;
use crate::keycloak::{Beside, Kept, overlay, secret};
use crate::protocol::admin::Permission;
use crate::protocol::built_in::{MASTER, overseer};
use crate::protocol::client::Client;
use crate::protocol::realm::{Realm, is_realm_name};
use crate::protocol::role::Role;
use crate::store::{Change, SWEEP_BATCH, Store, StoreError};

/// How many steps of taking a deleted realm apart its deletion waits for: enough for a realm of a test.
const MOST_STEPS: usize = 20;

/// The realms that the caller administrates, by name. One that the caller may not look into is only named.
pub(super) async fn list(call: ServerCall) -> Answer {
    let (store, brief) = (&call.app.store, call.flag("briefRepresentation")? == Some(true));
    let realms = store.realms().await?;
    let (mut kept, mut defaults) = (HashMap::new(), HashMap::new());
    if !brief {
        kept.extend(store.kept_of_realms().await?.into_iter().map(|one| (one.realm_id, one.content)));
        let roles = store.default_roles().await?.into_iter();
        defaults.extend(roles.map(|role| ((role.realm_id.clone(), role.name.clone()), role)));
    }
    let mut shown = Vec::with_capacity(realms.len());
    for realm in &realms {
        let rights = call.caller.over(&realm.name);
        if rights.is_empty() {
            continue;
        }
        shown.push(if !rights.any_of(Permission::ViewRealm.roles()) {
            json!({ "realm": realm.name })
        } else if brief {
            short(realm)
        } else {
            let default = defaults.get(&(realm.id.clone(), realm.default_role()));
            json!(representation(realm, default, kept.remove(&realm.id).unwrap_or_default()))
        });
    }
    told(&shown)
}

fn short(realm: &Realm) -> Value {
    json!({ "id": realm.id, "realm": realm.name, "displayName": realm.display_name, "enabled": realm.enabled })
}

/// One realm; whoever administrates only a part of it learns its name.
pub(super) async fn read(call: Call) -> Answer {
    if !call.may(Permission::ViewRealm) {
        return told(&json!({ "realm": call.state.realm.name }));
    }
    let realm = &call.state.realm;
    let kept = beside::kept(&call, Beside::Realm, &realm.id).await?;
    told(&representation(realm, call.state.roles.realm_role(&realm.default_role()), kept))
}

/// A realm without what is in it; secrets are masked.
fn representation(realm: &Realm, default: Option<&Role>, kept: Kept) -> RealmRepresentation {
    let default = default.map(|role| brief(role, true, Kept::new()));
    to_representation(realm, default, secret::of_realm(kept))
}

/// Changes what the body says of the realm itself. What is in the realm has addresses of its own, and so have the client
/// scopes that its clients have. Attributes that the body leaves out are gone, as in Keycloak.
pub(super) async fn update(call: Call) -> Answer {
    call.repeated(|call| Box::pin(try_update(call))).await
}

async fn try_update(call: &Call) -> Answer {
    let body: RealmRepresentation = call.server.json()?;
    if let Some(problem) = crate::keycloak::realm::problem(&body) {
        return Err(AdminError::bad(problem));
    }
    let body = RealmRepresentation {
        default_default_client_scopes: None,
        default_optional_client_scopes: None,
        ..body
    };
    let old = &call.state.realm;
    let kept = beside::kept(call, Beside::Realm, &old.id).await?;
    let (realm, mut new) = from_representation(&body, old.clone());
    stays_put(&new, &kept)?;
    secret::unmask(&mut new, &kept);
    let mut all = kept.clone();
    if body.attributes.is_some() {
        all.remove(ATTRIBUTES);
    }
    overlay(&mut all, new);
    let mut changes = vec![call.unmoved()];
    changes.extend(renamed(call, &realm.name).await?);
    let disabled = old.enabled && !realm.enabled;
    let id = realm.id.clone();
    changes.push(Change::PutRealm { realm, at: call.now() });
    if disabled {
        changes.push(Change::EndSessionsOfRealm { realm_id: id.clone(), at: call.now() });
    }
    changes.extend(beside::replace(&id, Beside::Realm, &id, &kept, all));
    let done_so = call.commit(changes, Operation::Update, "REALM", "").await;
    done_so.map_err(|error| AdminError::of_conflict(error, |_| taken()))?;
    done()
}

/// In the words by which Keycloak's clients know it.
pub(super) fn taken() -> AdminError {
    AdminError::conflict("Conflict detected. See logs for details")
}

/// What goes along with a new name: the role that everyone has, and the client by which `master` oversees the realm.
async fn renamed(call: &Call, name: &str) -> Result<Vec<Change>, AdminError> {
    let old = &call.state.realm;
    if old.name == name {
        return Ok(Vec::new());
    }
    if old.name == MASTER || name == MASTER {
        return Err(AdminError::bad("The realm master keeps its name"));
    }
    if !is_realm_name(name) {
        return Err(bad_name());
    }
    let mut changes = Vec::new();
    if let Some(role) = call.state.roles.realm_role(&old.default_role()) {
        let renamed = Realm { name: name.to_owned(), ..old.clone() };
        changes.push(Change::PutRole(Role { name: renamed.default_role(), ..role.clone() }));
    }
    if let Some((master, client)) = overseer_of(call.store(), &old.name).await? {
        let client = Box::new(Client { client_id: overseer(name), ..client });
        changes.push(Change::ExpectVersion { realm_id: master.id, version: master.version });
        changes.push(Change::PutClient { client, at: call.now() });
    }
    Ok(changes)
}

pub(super) fn bad_name() -> AdminError {
    AdminError::bad(
        "A realm's name has 1 to 64 letters, digits, '-', '_' and '.', and begins with a letter or digit",
    )
}

/// `master`, and the client by which it oversees a realm.
async fn overseer_of(store: &Store, name: &str) -> Result<Option<(Realm, Client)>, StoreError> {
    let Some(master) = store.realm_by_name(MASTER).await? else { return Ok(None) };
    let client = store.client_by_client_id(&master.id, &overseer(name)).await?;
    Ok(client.map(|client| (master, client)))
}

/// Takes a realm away with everything in it: a small one before the answer, so that what comes next may have the same
/// identifiers, of a large one the rest by and by. What was done in it stays among the events.
pub(super) async fn delete(call: Call) -> Answer {
    let realm = &call.state.realm;
    if realm.name == MASTER {
        return Err(AdminError::bad("The realm master cannot be removed"));
    }
    let path = realm.name.clone();
    let mut changes = vec![call.server.event(&call.server.who.realm_id, Operation::Delete, "REALM", &path)];
    if let Some((_, client)) = overseer_of(call.store(), &realm.name).await? {
        changes.push(Change::DeleteClient { realm_id: client.realm_id, id: client.id });
    }
    changes.push(Change::DeleteRealm { realm_id: realm.id.clone() });
    call.server.app.commit(changes).await?;
    for _ in 0..MOST_STEPS {
        match call.store().sweep_deleted_realm(&realm.id, SWEEP_BATCH).await {
            Ok(swept) if swept.more => {}
            Ok(_) => break,
            Err(error) => {
                tracing::warn!(%error, "what is left of a deleted realm is removed later");
                break;
            }
        }
    }
    done()
}

/// Nothing: what is kept in memory follows each change by itself.
pub(super) async fn clear_cache(_: Call) -> Answer {
    done()
}
