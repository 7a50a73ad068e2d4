//! Administrators who come to a server: added, and never changed, whoever else is setting it up.

use super::apply::{ApplyError, planned, prepare};
use super::load::load_for;
use super::oversee::oversee;
use super::plan::PlanOptions;
use super::spec::RealmSpec;
use super::state::State;
use crate::clock::Timestamp;
use crate::passwords::ClientSecrets;
use crate::protocol::user::canonical;
use crate::store::{Change, Store};

/// What must be so of those who are added to a realm that others may be setting up as well (attacks A07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newcomers {
    /// They must be new.
    New,
    /// They must be new, and the realm without people.
    First,
}

/// Adds the users and clients of `spec` to its realm, which comes to be when it is not there. Says whether they are as
/// `newcomers` asks; if not, nothing was changed.
///
/// # Errors
/// [`ApplyError`]; nothing was changed then. A conflict when somebody else changed the realm meanwhile.
pub async fn add_new(
    store: &Store,
    secrets: &ClientSecrets,
    spec: &RealmSpec,
    newcomers: Newcomers,
    now: Timestamp,
) -> Result<bool, ApplyError> {
    let state = load_for(store, spec).await?;
    let there = state.as_ref().map(|state| state.realm.id.clone());
    if state.as_ref().is_some_and(|state| names_known(spec, state)) {
        return Ok(false);
    }
    let plan = planned(store, secrets, spec, state, PlanOptions::default(), now).await?;
    let mut changes = prepare(&plan, secrets, now).await?.changes;
    if let Some(realm_id) = there {
        // The version, which the plan expects, was read before the people are counted.
        if newcomers == Newcomers::First && store.count_users(&realm_id).await? > 0 {
            return Ok(false);
        }
        changes.push(Change::Reconfigure { realm_id });
    }
    store.commit(changes).await?;
    oversee(store, now).await?;
    Ok(true)
}

/// Whether a user or client of `spec` is there.
fn names_known(spec: &RealmSpec, state: &State) -> bool {
    let known = |name: &str| state.users.iter().any(|one| one.user.username == canonical(name));
    spec.users.iter().any(|user| known(&user.username))
        || spec.clients.iter().any(|client| state.client(&client.id).is_some())
}
