//! Realms as administrators see them.

use serde_json::{Value, json};

use super::answer::{Answer, done, told};
use super::call::{Call, ServerCall};
use crate::protocol::admin::Permission;
use crate::protocol::realm::Realm;

/// The realms that the caller administrates, by name.
pub(super) async fn list(call: ServerCall) -> Answer {
    let realms = call.app.store.realms().await?;
    let shown: Vec<Value> =
        realms.iter().filter(|realm| !call.caller.over(&realm.name).is_empty()).map(brief).collect();
    told(&shown)
}

/// One realm; whoever administrates only a part of it learns its name.
pub(super) async fn read(call: Call) -> Answer {
    if !call.may(Permission::ViewRealm) {
        return told(&json!({ "realm": call.state.realm.name }));
    }
    told(&brief(&call.state.realm))
}

fn brief(realm: &Realm) -> Value {
    json!({
        "id": realm.id,
        "realm": realm.name,
        "displayName": realm.display_name,
        "enabled": realm.enabled,
    })
}

/// Nothing: what is kept in memory follows each change by itself.
pub(super) async fn clear_cache(_: Call) -> Answer {
    done()
}
