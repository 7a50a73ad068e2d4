//! A plan made against the database, and carried out in one transaction.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::json;
use thiserror::Error;
use uuid::Uuid;

use super::FileProblems;
use super::describe::describe;
use super::entities::{self, Key};
use super::keycloak;
use super::load::{load, load_for};
use super::oversee::oversee;
use super::plan::{
    Deleted, Links, Plan, PlanOptions, Records, SecretChange, compare, is_read_again, records,
};
use super::spec::RealmSpec;
use super::state::{State, UserState};
use crate::clock::Timestamp;
use crate::passwords::{ClientSecrets, PasswordError};
use crate::protocol::audit::{AuditEvent, AuditKind};
use crate::secrets::{Secret, hash_generated, random_token};
use crate::store::{Change, REALM_CHANGED, Store, StoreError};

/// Why a realm file is not applied.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] FileProblems),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password or secret could not be hashed.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Somebody else changed the realm between the plan and its commit.
    #[error("the realm was changed by somebody else meanwhile: nothing was applied, apply the file again")]
    Moved,
}

/// A client's secret that was drawn because neither the file nor the database had one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// Whose it is.
    pub client_id: String,
    /// The secret, which is told this once.
    pub secret: Secret,
}

/// A plan as changes of the database.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// What to commit, in one transaction.
    pub changes: Vec<Change>,
    /// Secrets that come to be with it.
    pub new_secrets: Vec<NewSecret>,
}

/// Compares `spec` with the realm in `store`. A password or secret that the stored form proves is no change.
///
/// # Errors
/// [`ApplyError`]: mistakes that show only in comparison, the database, or hashing.
pub async fn plan(
    store: &Store,
    secrets: &ClientSecrets,
    spec: &RealmSpec,
    options: PlanOptions,
    now: Timestamp,
) -> Result<Plan, ApplyError> {
    let state = if options.prune { load(store, &spec.name).await? } else { load_for(store, spec).await? };
    planned(store, secrets, spec, state, options, now).await
}

/// The same for a realm that is not there yet.
///
/// # Errors
/// [`ApplyError`]: mistakes that show only in comparison, the database, or hashing.
pub async fn plan_new(
    store: &Store,
    secrets: &ClientSecrets,
    spec: &RealmSpec,
    now: Timestamp,
) -> Result<Plan, ApplyError> {
    planned(store, secrets, spec, None, PlanOptions::default(), now).await
}

/// The same against what was loaded.
pub(super) async fn planned(
    store: &Store,
    secrets: &ClientSecrets,
    spec: &RealmSpec,
    state: Option<State>,
    options: PlanOptions,
    now: Timestamp,
) -> Result<Plan, ApplyError> {
    if let Some(realm) = &spec.keycloak {
        keycloak::check(spec, realm, state.as_ref())?;
        if state.is_none() {
            free_identifier(store, spec, realm.0.id.as_deref()).await?;
        }
        return keycloak::plan(state, spec, realm, options, secrets, now).await;
    }
    let proven = match &state {
        Some(state) => proven(state, spec, secrets).await?,
        None => BTreeSet::new(),
    };
    Ok(compare(state, spec, options, &proven)?)
}

/// A new realm takes the identifier that its file gives it, which must be nobody's.
async fn free_identifier(store: &Store, spec: &RealmSpec, id: Option<&str>) -> Result<(), ApplyError> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(()) };
    match store.realm_by_id(id).await? {
        None => Ok(()),
        Some(there) => {
            let name = there.name;
            let message = format!(
                "the identifier of the realm `{name}`: remove `id` to make another realm, or write `\"realm\": \"{name}\"`"
            );
            Err(FileProblems(vec![spec.places.problem("id", message)]).into())
        }
    }
}

/// The changes that carry out `plan`: passwords and secrets are hashed here, at the cost of the pool's profile.
///
/// # Errors
/// [`PasswordError`].
pub async fn prepare(
    plan: &Plan,
    secrets: &ClientSecrets,
    now: Timestamp,
) -> Result<Prepared, PasswordError> {
    if let Some(target) = plan.target() {
        return keycloak::prepare(plan, target, secrets, now).await;
    }
    let mut hashes = BTreeMap::new();
    let mut new_secrets = Vec::new();
    let passwords = secrets.passwords();
    for (key, entity, change) in plan.secrets() {
        let legible = |secret: &Secret| match key {
            Key::Client(id) => {
                let signs = is_read_again(&entity.fields);
                secrets.legible_of(&plan.state().realm.id, id, signs, secret)
            }
            _ => None,
        };
        let hash = match (change, &entity.secret, &entity.hash) {
            (SecretChange::Set, Some(secret), _) => match legible(secret) {
                Some(sealed) => sealed,
                None => passwords.hash(passwords.profile(), secret.clone()).await?,
            },
            (SecretChange::Set, None, Some(hash)) => hash.expose().to_owned(),
            (SecretChange::Generate, ..) => {
                let secret = Secret::from(random_token());
                let hash = legible(&secret).unwrap_or_else(|| hash_generated(secret.expose()));
                new_secrets.push(NewSecret { client_id: key.name(), secret });
                hash
            }
            _ => continue,
        };
        hashes.insert(key.clone(), hash);
    }
    let records = records(plan, &hashes, now);
    Ok(Prepared { changes: changes(plan, records, Vec::new(), now), new_secrets })
}

/// Carries out `plan`, whole or not at all. Gives the secrets that were drawn.
///
/// # Errors
/// [`ApplyError`]; nothing was changed then.
pub async fn apply(
    store: &Store,
    secrets: &ClientSecrets,
    plan: &Plan,
    now: Timestamp,
) -> Result<Vec<NewSecret>, ApplyError> {
    let prepared = prepare(plan, secrets, now).await?;
    match store.commit(prepared.changes).await {
        Ok(()) => Ok(prepared.new_secrets),
        Err(StoreError::Conflict { what: REALM_CHANGED }) => Err(ApplyError::Moved),
        Err(error) => Err(error.into()),
    }
}

/// Records of `spec` whose password or secret is the stored one already.
async fn proven(
    state: &State,
    spec: &RealmSpec,
    secrets: &ClientSecrets,
) -> Result<BTreeSet<Key>, PasswordError> {
    let stored = entities::of(&describe(state));
    let mut proven = BTreeSet::new();
    for (key, entity) in entities::of(spec) {
        let Some(secret) = &entity.secret else { continue };
        let Some(hash) = stored.get(&key).and_then(|there| there.hash.as_ref()) else { continue };
        let same = match key {
            Key::User(_) => secrets.passwords().verify(Some(hash.expose()), secret).await?.matches,
            _ => match secrets.open(&state.realm.id, &key.name(), hash.expose()) {
                Some(known) => known == *secret,
                None => secrets.verify(hash.expose(), secret).await?,
            },
        };
        if same {
            proven.insert(key);
        }
    }
    Ok(proven)
}

/// How often a plan is made before others are left to finish first.
const MOST_ATTEMPTS: usize = 8;

/// Plans `spec` and carries it out. When somebody else was quicker to change the realm, or to make the same records, the
/// plan is made anew: nobody's change is overwritten unseen.
///
/// # Errors
/// [`ApplyError`]; nothing was changed then.
pub async fn apply_spec(
    store: &Store,
    secrets: &ClientSecrets,
    spec: &RealmSpec,
    options: PlanOptions,
    now: Timestamp,
) -> Result<(Plan, Vec<NewSecret>), ApplyError> {
    let mut attempt = 1;
    loop {
        let plan = plan(store, secrets, spec, options, now).await?;
        match apply(store, secrets, &plan, now).await {
            Ok(secrets) => {
                oversee(store, now).await?;
                return Ok((plan, secrets));
            }
            Err(ApplyError::Store(StoreError::Conflict { .. }) | ApplyError::Moved)
                if attempt < MOST_ATTEMPTS =>
            {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Records that go come first, so that what comes may take their names. `beside` is what hangs on the others.
pub(super) fn changes(plan: &Plan, records: Records, beside: Vec<Change>, now: Timestamp) -> Vec<Change> {
    let realm_id = plan.realm_id();
    let signed_out = signed_out(plan, &records);
    let expected = expected(plan, &records);
    let mut changes = Vec::new();
    changes.extend(records.realm.map(|realm| match plan.new_realm {
        true => Change::AddRealm { realm, at: now },
        false => Change::PutRealm { realm, at: now },
    }));
    changes.extend(records.deleted.into_iter().map(|deleted| delete(realm_id, deleted, now)));
    changes.extend(records.scopes.into_iter().map(Change::PutScope));
    let clients = records.clients.into_iter();
    changes.extend(clients.map(|client| Change::PutClient { client: Box::new(client), at: now }));
    changes.extend(records.roles.into_iter().map(Change::PutRole));
    changes.extend(records.composites.iter().flat_map(|links| composites(realm_id, links)));
    changes.extend(records.groups.into_iter().map(Change::PutGroup));
    changes.extend(records.group_roles.iter().flat_map(|links| group_roles(realm_id, links)));
    changes.extend(records.users.into_iter().map(|user| Change::PutUser(Box::new(user))));
    for (user_id, hash) in records.passwords {
        changes.push(Change::SetPassword { realm_id: realm_id.to_owned(), user_id, hash });
    }
    for user_id in signed_out {
        let (realm_id, at) = (realm_id.to_owned(), now);
        changes.push(Change::EndSessionsOfUser { realm_id: realm_id.clone(), user_id: user_id.clone(), at });
        changes.push(Change::RevokeGrantsOfUser { realm_id, user_id, at });
    }
    changes.extend(records.user_roles.iter().flat_map(|links| user_roles(realm_id, links)));
    changes.extend(records.user_groups.iter().flat_map(|links| user_groups(realm_id, links)));
    changes.extend(beside);
    if changes_accounts(plan, records.user_roles.iter().chain(&records.user_groups)) {
        changes.push(Change::Reconfigure { realm_id: realm_id.to_owned() });
    }
    if !changes.is_empty() {
        changes.splice(0..0, expected);
        changes.push(Change::Audit(audit(plan, now)));
    }
    changes
}

/// Whether `links` are of a client's account, which nodes keep in memory with what it holds.
fn changes_accounts<'a>(plan: &Plan, mut links: impl Iterator<Item = &'a Links>) -> bool {
    let accounts = plan.state().users.iter().filter(|one| one.user.service_account_client.is_some());
    let accounts: HashSet<&str> = accounts.map(|one| one.user.id.as_str()).collect();
    links.any(|links| accounts.contains(links.owner.as_str()))
}

/// What must be as it was when the plan was made, for it to be carried out: a realm that is there, and users of it that
/// are written whole. Their roles and groups are added and taken away one by one.
fn expected(plan: &Plan, records: &Records) -> Vec<Change> {
    if plan.new_realm {
        return Vec::new();
    }
    let State { realm, users, .. } = plan.state();
    let written: HashSet<&str> = records.users.iter().map(|user| user.id.as_str()).collect();
    let read = users.iter().map(|one| &one.user).filter(|user| written.contains(user.id.as_str()));
    let version = Change::ExpectVersion { realm_id: realm.id.clone(), version: realm.version };
    [version].into_iter().chain(read.cloned().map(Box::new).map(Change::ExpectUser)).collect()
}

/// Users of whom nothing that was issued may go on (attacks F06): the password changed, so whoever held the old one
/// is out, offline grants included; or the account was disabled, and enabling it again must not bring its tokens back.
fn signed_out(plan: &Plan, records: &Records) -> BTreeSet<String> {
    let before: HashMap<&str, &UserState> =
        plan.state().users.iter().map(|one| (one.user.id.as_str(), one)).collect();
    let had_password = |id: &str| before.get(id).is_some_and(|one| one.password_hash.is_some());
    let was_enabled = |id: &str| before.get(id).is_some_and(|one| one.user.enabled);
    let passwords = records.passwords.iter().map(|(id, _)| id).filter(|id| had_password(id));
    let disabled = records.users.iter().filter(|user| !user.enabled).map(|user| &user.id);
    passwords.chain(disabled.filter(|id| was_enabled(id))).cloned().collect()
}

fn delete(realm_id: &str, deleted: Deleted, at: Timestamp) -> Change {
    let realm_id = realm_id.to_owned();
    match deleted {
        Deleted::Scope(id) => Change::DeleteScope { realm_id, id },
        Deleted::Role(id) => Change::DeleteRole { realm_id, id },
        Deleted::Client(id) => Change::DeleteClient { realm_id, id },
        Deleted::Group(id) => Change::DeleteGroup { realm_id, id },
        Deleted::User(id) => Change::DeleteUser { realm_id, id, at },
    }
}

fn composites(realm_id: &str, links: &Links) -> Vec<Change> {
    links.changes(|added, role_id, child_id| {
        let realm_id = realm_id.to_owned();
        if added {
            Change::AddComposite { realm_id, role_id, child_id }
        } else {
            Change::RemoveComposite { realm_id, role_id, child_id }
        }
    })
}

fn group_roles(realm_id: &str, links: &Links) -> Vec<Change> {
    links.changes(|added, group_id, role_id| {
        let realm_id = realm_id.to_owned();
        if added {
            Change::AddGroupRole { realm_id, group_id, role_id }
        } else {
            Change::RemoveGroupRole { realm_id, group_id, role_id }
        }
    })
}

fn user_roles(realm_id: &str, links: &Links) -> Vec<Change> {
    links.changes(|added, user_id, role_id| {
        let realm_id = realm_id.to_owned();
        if added {
            Change::AddUserRole { realm_id, user_id, role_id }
        } else {
            Change::RemoveUserRole { realm_id, user_id, role_id }
        }
    })
}

fn user_groups(realm_id: &str, links: &Links) -> Vec<Change> {
    links.changes(|added, user_id, group_id| {
        let realm_id = realm_id.to_owned();
        if added {
            Change::AddUserGroup { realm_id, user_id, group_id }
        } else {
            Change::RemoveUserGroup { realm_id, user_id, group_id }
        }
    })
}

/// More records than an event names; of the others it says how many they are.
const TOLD: usize = 1_000;

/// Which records changed, without their values.
fn audit(plan: &Plan, now: Timestamp) -> AuditEvent {
    let changed: Vec<_> = plan
        .differences
        .iter()
        .take(TOLD)
        .map(|one| json!({ "action": one.action, "kind": one.kind, "name": one.name }))
        .collect();
    AuditEvent {
        id: Uuid::now_v7().to_string(),
        realm_id: plan.realm_id().to_owned(),
        at: now,
        kind: AuditKind::ConfigurationChanged,
        user_id: None,
        client_id: None,
        session_id: None,
        address: None,
        error: None,
        detail: match plan.differences.len().saturating_sub(TOLD) {
            0 => json!({ "by": "realm file", "changes": changed }),
            more => json!({ "by": "realm file", "changes": changed, "more": more }),
        },
    }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
