//! Policies and profiles of clients: kept and given back, with the realm's JSON too. What holds clients to a profile here is
//! their own `vestibule.settings`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::{AdminError, Answer, done, told};
use super::beside;
use super::call::{Call, Operation};
use crate::keycloak::{Beside, Kept};

/// A list of the realm's representation, the member in it, and what Keycloak calls its own of them.
struct List {
    kept: &'static str,
    member: &'static str,
    global: &'static str,
}

const POLICIES: List = List { kept: "clientPolicies", member: "policies", global: "globalPolicies" };
const PROFILES: List = List { kept: "clientProfiles", member: "profiles", global: "globalProfiles" };

/// The policies that are kept.
pub(super) async fn policies(call: Call) -> Answer {
    read(&call, &POLICIES).await
}

/// The profiles that are kept.
pub(super) async fn profiles(call: Call) -> Answer {
    read(&call, &PROFILES).await
}

async fn read(call: &Call, list: &List) -> Answer {
    let kept = beside::kept(call, Beside::Realm, call.realm_id()).await?;
    let own = kept.get(list.kept).and_then(|kept| kept.get(list.member)).cloned();
    told(&json!({ list.member: own.unwrap_or_else(|| json!([])), list.global: [] }))
}

/// Keeps the policies of the body in the place of those that there are.
pub(super) async fn keep_policies(call: Call) -> Answer {
    call.repeated(|call| Box::pin(keep(call, &POLICIES))).await
}

/// Keeps the profiles of the body in the place of those that there are.
pub(super) async fn keep_profiles(call: Call) -> Answer {
    call.repeated(|call| Box::pin(keep(call, &PROFILES))).await
}

async fn keep(call: &Call, list: &'static List) -> Answer {
    let body: Kept = call.server.json()?;
    let own = body.get(list.member).cloned().unwrap_or_else(|| json!([]));
    if !names_are_distinct(&own) {
        return Err(AdminError::bad(format!(
            "{} is a list in which each has a name of its own",
            list.member
        )));
    }
    let changing = |kept: &mut Kept| {
        kept.insert(list.kept.to_owned(), json!({ list.member: own }));
        Ok(())
    };
    let path = format!("client-policies/{}", list.member);
    beside::change_realm(call, changing, Operation::Update, "REALM", &path).await?;
    done()
}

fn names_are_distinct(list: &Value) -> bool {
    let Some(list) = list.as_array() else { return false };
    let names: BTreeSet<&str> =
        list.iter().filter_map(|one| one.get("name")?.as_str()).filter(|name| !name.is_empty()).collect();
    names.len() == list.len()
}
